fn shadows(value: Option<u32>) -> u32 {
    let value = value.unwrap_or(1);
    let value = value + 1;
    {
        let value = "inner";
        drop(value);
    }
    value
}

fn patterns(pair: (u32, u32), point: Point) {
    let (a, mut b) = pair;
    b += a;
    let Point { x, y: height } = point;
    let Some(z) = Some(x) else { return drop(x) };
    if let Some(z) = Some(z) {
        drop(z);
    } else if let Some(height) = None::<u32> {
        drop((z, height));
    } else {
        drop((z, height));
    }
    while let Some(b) = pop(b) {
        drop(b);
    }
    for pair in [pair] {
        drop(pair);
    }
    match z {
        0 => {}
        LIMIT => {}
        n @ 1..=9 if n > a => drop(n),
        Point::ORIGIN | self::OTHER => {}
        z => drop(z),
    }
    match point {
        Point { x: 0, .. } => {}
        Point { y, .. } => drop(y),
    }
    drop(z);
}

fn closures(items: Vec<u32>) -> impl Fn(u32) -> u32 {
    let count = items.iter().filter(|item| **item > 1).map(|&(item, ref other)| item).count();
    let add = move |n: u32| n + count;
    'outer: loop {
        break 'outer;
    }
    add
}

fn generic<T: Default, const N: usize>(first: T) -> [T; N]
where
    T: Copy,
{
    let made: T = T::default();
    [made; N]
}

type Alias<T> = Vec<T>;
struct T;
fn plain(t: T) -> Alias<T> {
    vec![t]
}

struct Point {
    x: u32,
    y: u32,
}
const LIMIT: u32 = 9;
const OTHER: u32 = 8;

impl Point {
    const ORIGIN: u32 = 0;
    fn moved(mut self, x: u32) -> Self {
        self.x = x;
        self.y += Self::ORIGIN;
        Self::check(&self);
        let y = self.y;
        Self { x, y: y }
    }
    fn check(&self) {
        check();
        self.check();
    }
}
fn check() {}

mod path {
    pub fn join() {}
    pub struct Path;
}
fn module_and_variable(path: &str) -> path::Path {
    path::join();
    path.len();
    path::Path
}
