//! The numbers that a table is built from.

use crate::Failure;

/// A whole number above this is not told from its neighbours in a double.
pub(super) const MAX_WHOLE: f64 = 9_007_199_254_740_991.0;

/// What stands before the nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Head {
    /// The number under which borrowed memory is pinned; 0 when nothing is.
    pub token: u32,
    /// What is done with the table.
    pub flags: u32,
    /// The leases whose memory is borrowed.
    pub leases: Vec<u32>,
}

/// The numbers that a table is built from, read one after another.
#[derive(Debug)]
pub struct Words<'a> {
    words: &'a [f64],
    next: usize,
}

impl<'a> Words<'a> {
    /// From the beginning.
    pub fn new(words: &'a [f64]) -> Self {
        Self { words, next: 0 }
    }

    /// Reads the token, the flags and the leases.
    pub fn head(&mut self) -> Result<Head, Failure> {
        let token = self.u32("the token")?;
        let flags = self.u32("the flags")?;
        let count = self.count("the number of leases", 1)?;
        let leases = (0..count)
            .map(|_| self.u32("a lease"))
            .collect::<Result<_, _>>()?;
        Ok(Head {
            token,
            flags,
            leases,
        })
    }

    pub(super) fn end(&self) -> Result<(), Failure> {
        let (expected, found) = (self.next, self.words.len());
        if expected != found {
            return Err(Failure::invalid_argument(format!(
                "expected {expected} words but found {found}"
            )));
        }
        Ok(())
    }

    #[inline]
    pub(super) fn between(&mut self, what: &str, least: f64, most: f64) -> Result<f64, Failure> {
        match self.words.get(self.next) {
            // Not a number is in no range; in these ranges a whole number is one that an integer can be.
            Some(&word) if (least..=most).contains(&word) && word as i64 as f64 == word => {
                self.next += 1;
                Ok(word)
            }
            found => Err(self.unexpected(what, least, most, found.copied())),
        }
    }

    #[cold]
    fn unexpected(&self, what: &str, least: f64, most: f64, found: Option<f64>) -> Failure {
        let index = self.next;
        Failure::invalid_argument(match found {
            Some(word) => format!(
                "words[{index}]: expected {what}, a whole number from {least} to {most}, but found {word}"
            ),
            None => format!(
                "expected {what} as words[{index}] but there are {} words",
                self.words.len()
            ),
        })
    }

    fn u32(&mut self, what: &str) -> Result<u32, Failure> {
        Ok(self.between(what, 0.0, f64::from(u32::MAX))? as u32)
    }

    pub(super) fn whole(&mut self, what: &str) -> Result<usize, Failure> {
        Ok(self.between(what, 0.0, MAX_WHOLE)? as usize)
    }

    /// A number of things of `size` words each, which must follow.
    pub(super) fn count(&mut self, what: &str, size: usize) -> Result<usize, Failure> {
        let count = self.whole(what)?;
        let left = self.words.len() - self.next;
        if count.saturating_mul(size) > left {
            return Err(Failure::invalid_argument(format!(
                "expected {count} times {size} words after {what} in words[{}] but found {left}",
                self.next - 1
            )));
        }
        Ok(count)
    }
}
