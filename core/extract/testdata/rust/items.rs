use std::{fmt, io::{self, Read as R}};
/// A point.
#[derive(Debug)]
pub struct Point { pub x: i32, y: Vec<i32> }
impl fmt::Display for Point {
    /// Shows.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let x = self.x;
        let x = x + 1;
        match Some(x) { Some(v) if v > 2 => helper(v), None => Self::make(), _ => {} }
        let Point { x: px, y } = self;
        f.write(px, y)
    }
}
impl Point { pub(crate) fn make() {} }
fn helper(v: i32) { for i in 0..v { println!("{}", i); } }
#[test]
fn t() { let p = Point { x: 1, y: vec![] }; p.fmt(); }
