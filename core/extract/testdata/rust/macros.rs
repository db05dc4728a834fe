use std::println as say;
use log::warn;
use shown::Shown;

macro_rules! make {
    ($name:ident, with $value:expr) => {
        fn $name() -> Thing { helper($value) }
    };
    (@inner $($x:ident),*) => { $( $x.size(); )* };
}

make!(built, with 3);

struct Thing {
    size: u32,
}

fn helper(len: u32) -> Thing {
    Thing { size: len }
}

impl Thing {
    const ZERO: u32 = 0;
    fn size(&self) -> u32 {
        self.size
    }
    fn check(&mut self, len: u32, items: Vec<Thing>) {
        assert_eq!(self.size(), self.size, "of {}", items.len());
        assert!(items.iter().any(|len| len.size > Self::ZERO), "{}", len);
        assert!(matches!(helper(len), Thing { size: 1 }), len = len);
        say!("{size}", size = self.size);
        warn!(target: "x", "{:?}", Vec::<Thing>::new());
        let vec = vec![1; len as usize];
        let vec = vec![vec.iter().collect::<Vec<_>>()];
        run! {
            let len = 'a'; let mut total: Option<Thing> = None;
            self.size += 1;
            total = Some(helper(len));
            for item in items { item.size = Thing::ZERO; }
            if a != (b) { crate::make!(len) } else { std::mem::drop(total.len) }
        }
        drop(len);
    }
}

#[derive(Debug, serde::Serialize)]
#[serde(default, rename = "len")]
#[cfg_attr(feature = "x", derive(Shown, Clone))]
enum Kind<'a> {
    #[error("{len}")]
    Borrowed(&'a str),
}

thread_local! {
    static CACHE: Cell<Thing> = Cell::new(helper(1));
}
