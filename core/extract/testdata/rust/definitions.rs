//! A file's own documentation documents no item.

////////////////////////////////
// Not documentation either.
pub mod shapes {
    //! What the module holds,
    //! in two lines.

    /** A circle. */
    #[deprecated(note = "use Ellipse")]
    pub(crate) struct Circle<'a, T: Clone, const N: usize> {
        /// Its name.
        pub name: &'a str,
        points: [T; N],
    }

    pub struct Pair(pub i32, u8);
    struct Unit;
}

pub enum Shape {
    Empty,
    /// With a size.
    Square { size: f64 },
    Other(shapes::Pair),
    Coded = 7,
}

pub union Bits {
    word: u32,
    bytes: [u8; 4],
}

pub trait Area: Sized {
    const UNIT: &'static str;
    type Item<'a>
    where
        Self: 'a;
    /// Required.
    fn area(&self) -> f64;
    fn unit() -> String;
    fn twice(&self) -> f64 {
        2.0 * self.area()
    }
}

impl Area for Shape {
    const UNIT: &'static str = "m";
    type Item<'a> = &'a Shape;
    fn area(&self) -> f64 {
        0.0
    }
    fn unit() -> String {
        Self::UNIT.to_owned()
    }
}

impl Shape {
    pub const LIMIT: usize = 3;
    pub const fn new() -> Self {
        Self::Empty
    }
    pub async unsafe fn grow(mut self: Box<Self>, by: f64) {}
}

static mut COUNT: u32 = 0;
pub(super) const NAMES: &[&str] = &["a"];
pub type Shapes<T> = Vec<(Shape, T)>;

/// Doubles.
#[macro_export]
macro_rules! double {
    ($value:expr) => {
        $value * 2
    };
}

extern "C" {
    pub fn abs(value: i32) -> i32;
    static environ: *const u8;
}

mod elsewhere;

fn outer() {
    const DEEP: u8 = 1;
    struct Inner {
        field: u8,
    }
    fn nested(inner: Inner) -> u8 {
        inner.field + DEEP
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows() {
        let shape = Shape::new();
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn waits() {}
}
