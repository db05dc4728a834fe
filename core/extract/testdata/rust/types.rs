use std::fmt::{self, Display};
use std::ops::Deref;

pub trait Named {
    fn name(&self) -> String;
    fn shout(&self) -> String {
        self.name().to_uppercase()
    }
}

pub trait Loud: Named + Send {
    type Output: Display;
    fn loud(&self) -> <Self as Loud>::Output;
}

pub struct Wrapper<T> {
    inner: T,
    next: Option<Box<Wrapper<T>>>,
}

struct Meters(f64);

enum Event {
    Key { code: u32, shift: bool },
    Click(u32, u32),
    Quit,
}

impl<T> Wrapper<T>
where
    T: Named + Clone,
{
    fn new(inner: T) -> Self {
        Wrapper { inner, next: None }
    }
    fn name_of(self: &Self) -> String {
        self.inner.name()
    }
}

impl<T: Named> Named for Wrapper<T> {
    fn name(&self) -> String {
        self.name_of()
    }
}

impl<T> Deref for Wrapper<T> {
    type Target = T;
    fn deref(&self) -> &Self::Target {
        &self.inner
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::Key { code, shift: true } => write!(f, "{}", code),
            Self::Key { code: c, .. } => c.fmt(f),
            Event::Click(x, _) | Event::Click(_, x) => x.fmt(f),
            Self::Quit => Ok(()),
        }
    }
}

impl From<Meters> for f64 {
    fn from(meters: Meters) -> Self {
        let Meters(value) = meters;
        value
    }
}

fn make<'a>(named: &'a dyn Named, loud: impl Loud<Output = String> + 'a) -> Box<dyn Named> {
    let event = Event::Key { code: 1, shift: false };
    let click = Event::Click(1, 2);
    let wrapped = Wrapper::<Event>::new(event);
    let length = Meters(2.0).0;
    <Wrapper<Event> as Named>::name(&wrapped);
    Named::shout(named);
    todo!()
}

mod other {
    pub struct Meters(u32);
    impl Meters {
        pub fn get(&self) -> u32 {
            self.check()
        }
        fn check(&self) -> u32 {
            self.0
        }
    }
    impl super::Named for Meters {
        fn name(&self) -> String {
            self.get().to_string()
        }
    }
    impl Wide {
        fn check(&self) {}
    }
    impl Output {
        fn check(&self) {}
    }
}

struct Wide;

impl Meters {
    fn check(&self) {}
    fn again(&self) {
        self.check();
    }
}

impl IntoIterator for Wide {
    type IntoIter = IntoIter<Wide>;
}
impl<T> Iterator for IntoIter<T> {
    fn next(&mut self) {}
}
