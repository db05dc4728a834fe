//! Interning: every name of an index is stored once and known by a number.

use super::slots::Slots;

/// Names and their keys, 1 for the first. This and the classes are what a generation keeps in memory while it is
/// written; all else is dropped with each batch.
#[derive(Debug, Default)]
pub(super) struct Names {
    texts: Texts,
    slots: Slots,
}

/// The names' texts, end to end.
#[derive(Debug, Default)]
struct Texts {
    bytes: Vec<u8>,
    /// Where each ends.
    ends: Vec<usize>,
}

impl Texts {
    fn get(&self, key: u32) -> &[u8] {
        let index = key as usize - 1;
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.bytes[start..self.ends[index]]
    }
}

impl Names {
    /// The key of a name, new or known. `None` when there are no numbers left.
    #[inline]
    pub(super) fn intern(&mut self, name: &str) -> Option<u32> {
        if self.slots.is_full() {
            self.grow();
        }
        let vacant = match self.slots.find(name.as_bytes(), |key| self.texts.get(key)) {
            Ok(key) => return Some(key),
            Err(vacant) => vacant,
        };
        let key = u32::try_from(self.texts.ends.len() + 1).ok()?;
        self.texts.bytes.extend_from_slice(name.as_bytes());
        self.texts.ends.push(self.texts.bytes.len());
        self.slots.insert(vacant, key);
        Some(key)
    }

    /// How many names there are, which is also the greatest key.
    pub(super) fn len(&self) -> u32 {
        self.texts.ends.len() as u32
    }

    pub(super) fn text(&self, key: u32) -> &[u8] {
        self.texts.get(key)
    }

    #[cold]
    fn grow(&mut self) {
        self.slots.reset((2 * self.len() as usize).max(1 << 12));
        for key in 1..=self.len() {
            if let Err(vacant) = self
                .slots
                .find(self.texts.get(key), |key| self.texts.get(key))
            {
                self.slots.insert(vacant, key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_keeps_its_key_while_the_table_grows() {
        let mut names = Names::default();
        let text = |index: u32| {
            if index == 0 {
                String::new()
            } else {
                format!("name{}", index * 7919)
            }
        };
        for index in 0..20_000 {
            assert_eq!(names.intern(&text(index)), Some(index + 1));
        }
        for index in 0..20_000 {
            assert_eq!(names.intern(&text(index)), Some(index + 1));
            assert_eq!(names.text(index + 1), text(index).as_bytes());
        }
        assert_eq!(names.len(), 20_000);
    }
}
