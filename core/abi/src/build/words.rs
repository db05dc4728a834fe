//! The numbers that a table is built from.

use crate::Failure;
use crate::build::BOW_BUFFER_COPY;

/// A whole number above this is not told from its neighbours in a double.
const MAX_WHOLE: f64 = 9_007_199_254_740_991.0;

/// Added to a double of a magnitude below [`SHIFTED`] it rounds that to a whole number.
const SHIFT: f64 = 6_755_399_441_055_744.0;
const SHIFTED: f64 = 2_251_799_813_685_248.0;

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

/// What a node begins with.
pub(super) struct Counts {
    pub length: usize,
    /// -1 when not known.
    pub null_count: i64,
    pub buffer_count: usize,
    pub child_count: usize,
    pub has_dictionary: bool,
}

/// How one buffer is given.
pub(super) struct Given {
    pub mode: u32,
    pub address: usize,
    pub bytes: usize,
    pub bit_offset: usize,
}

/// The words of one buffer.
const GIVEN: usize = 4;

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

    fn between(&mut self, what: &str, least: f64, most: f64) -> Result<f64, Failure> {
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

    /// The next words as whole numbers from 0, the second from `second` on, if that is what they are and they are below 2^51:
    /// one look at a run of words, where to look at each takes several times as long. After `None` each is read by itself,
    /// which says what is wrong.
    #[inline]
    fn run<const N: usize>(&self, second: i64) -> Option<[i64; N]> {
        let words: &[f64; N] = self.words.get(self.next..)?.first_chunk()?;
        let mut numbers = [0; N];
        let mut is_valid = true;
        for (index, (number, &word)) in numbers.iter_mut().zip(words).enumerate() {
            // The sum has no bits for a fraction and the whole number in its low ones. Not a number is below nothing.
            let sum = word + SHIFT;
            *number = sum.to_bits().wrapping_sub(SHIFT.to_bits()) as i64;
            let least = if index == 1 { second } else { 0 };
            is_valid &= (word.abs() < SHIFTED) & (sum - SHIFT == word) & (*number >= least);
        }
        is_valid.then_some(numbers)
    }

    /// Reads what a node begins with.
    #[inline]
    pub(super) fn counts(&mut self) -> Result<Counts, Failure> {
        if let Some([length, null_count, buffers, children, dictionary]) = self.run(-1)
            && (buffers as usize).saturating_mul(GIVEN) <= self.words.len() - self.next - 3
            && dictionary <= 1
        {
            self.next += 5;
            return Ok(Counts {
                length: length as usize,
                null_count,
                buffer_count: buffers as usize,
                child_count: children as usize,
                has_dictionary: dictionary == 1,
            });
        }
        self.counts_one_by_one()
    }

    #[cold]
    fn counts_one_by_one(&mut self) -> Result<Counts, Failure> {
        Ok(Counts {
            length: self.whole("a length")?,
            null_count: self.between("a null count", -1.0, MAX_WHOLE)? as i64,
            buffer_count: self.count("a number of buffers", GIVEN)?,
            child_count: self.whole("a number of children")?,
            has_dictionary: self.between("0 or 1 for a dictionary", 0.0, 1.0)? == 1.0,
        })
    }

    /// Reads how a buffer is given.
    #[inline]
    pub(super) fn given(&mut self) -> Result<Given, Failure> {
        if let Some([mode, address, bytes, bit_offset]) = self.run(0)
            && mode <= i64::from(BOW_BUFFER_COPY)
        {
            self.next += GIVEN;
            return Ok(Given {
                mode: mode as u32,
                address: address as usize,
                bytes: bytes as usize,
                bit_offset: bit_offset as usize,
            });
        }
        self.given_one_by_one()
    }

    #[cold]
    fn given_one_by_one(&mut self) -> Result<Given, Failure> {
        Ok(Given {
            mode: self.between("a mode", 0.0, f64::from(BOW_BUFFER_COPY))? as u32,
            address: self.whole("an address")?,
            bytes: self.whole("a number of bytes")?,
            bit_offset: self.whole("a bit offset")?,
        })
    }

    fn u32(&mut self, what: &str) -> Result<u32, Failure> {
        Ok(self.between(what, 0.0, f64::from(u32::MAX))? as u32)
    }

    fn whole(&mut self, what: &str) -> Result<usize, Failure> {
        Ok(self.between(what, 0.0, MAX_WHOLE)? as usize)
    }

    /// A number of things of `size` words each, which must follow.
    fn count(&mut self, what: &str, size: usize) -> Result<usize, Failure> {
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
