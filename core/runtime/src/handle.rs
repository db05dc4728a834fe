//! Handles: numbers that name native objects, and that are recognised as stale once the object is gone.

use std::collections::VecDeque;

/// 20 bits of slot, above them 12 bits of generation. Generations start at 1, so that 0 is never a handle.
pub type Handle = u32;

const SLOT_BITS: u32 = 20;
const MAX_SLOTS: usize = 1 << SLOT_BITS;
const MAX_GENERATION: u32 = (1 << (32 - SLOT_BITS)) - 1;

/// What a handle turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub enum Lookup<T> {
    /// The object.
    Live(T),
    /// The object it named has been removed.
    Gone,
    /// This table never gave it out.
    Unknown,
}

impl<T> Lookup<T> {
    /// The object, if it is live.
    pub fn live(self) -> Option<T> {
        match self {
            Self::Live(value) => Some(value),
            _ => None,
        }
    }
}

struct Slot<T> {
    generation: u32,
    value: Option<T>,
}

/// Objects by handle. Free slots are reused first in first out, so that a generation lasts as long as possible; a slot
/// whose generations are used up is retired, so that a handle never names a second object.
pub struct HandleTable<T> {
    slots: Vec<Slot<T>>,
    free: VecDeque<u32>,
    live: usize,
}

impl<T> Default for HandleTable<T> {
    fn default() -> Self {
        Self {
            slots: Vec::new(),
            free: VecDeque::new(),
            live: 0,
        }
    }
}

impl<T> HandleTable<T> {
    /// How many objects are in the table.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Puts an object in; gives it back when no handle is left.
    pub fn insert(&mut self, value: T) -> Result<Handle, T> {
        let slot = match self.free.pop_front() {
            Some(slot) => slot,
            None if self.slots.len() < MAX_SLOTS => {
                self.slots.push(Slot {
                    generation: 1,
                    value: None,
                });
                (self.slots.len() - 1) as u32
            }
            None => return Err(value),
        };
        let entry = &mut self.slots[slot as usize];
        entry.value = Some(value);
        self.live += 1;
        Ok(entry.generation << SLOT_BITS | slot)
    }

    /// The object that `handle` names.
    pub fn get(&self, handle: Handle) -> Lookup<&T> {
        match self.slots.get(slot_of(handle)) {
            Some(slot) if slot.generation == generation_of(handle) => match &slot.value {
                Some(value) => Lookup::Live(value),
                None => Lookup::Unknown,
            },
            slot => missing(slot, handle),
        }
    }

    /// The object that `handle` names, to change it.
    pub fn get_mut(&mut self, handle: Handle) -> Lookup<&mut T> {
        match self.slots.get_mut(slot_of(handle)) {
            Some(slot) if slot.generation == generation_of(handle) => match &mut slot.value {
                Some(value) => Lookup::Live(value),
                None => Lookup::Unknown,
            },
            slot => missing(slot.as_deref(), handle),
        }
    }

    /// Takes the object out; the handle is stale from now on.
    pub fn remove(&mut self, handle: Handle) -> Lookup<T> {
        let index = slot_of(handle);
        let Some(slot) = self.slots.get_mut(index) else {
            return Lookup::Unknown;
        };
        if slot.generation != generation_of(handle) {
            return missing(Some(slot), handle);
        }
        let Some(value) = slot.value.take() else {
            return Lookup::Unknown;
        };
        self.live -= 1;
        slot.generation += 1;
        if slot.generation <= MAX_GENERATION {
            self.free.push_back(index as u32);
        }
        Lookup::Live(value)
    }

    /// Takes out every object for which `take` says so.
    pub fn extract(&mut self, mut take: impl FnMut(&mut T) -> bool) -> Vec<T> {
        let handles: Vec<Handle> = self
            .slots
            .iter_mut()
            .enumerate()
            .filter_map(|(index, slot)| {
                let taken = take(slot.value.as_mut()?);
                taken.then_some(slot.generation << SLOT_BITS | index as u32)
            })
            .collect();
        handles
            .into_iter()
            .filter_map(|handle| self.remove(handle).live())
            .collect()
    }
}

fn slot_of(handle: Handle) -> usize {
    handle as usize & (MAX_SLOTS - 1)
}

fn generation_of(handle: Handle) -> u32 {
    handle >> SLOT_BITS
}

/// Why there is nothing under `handle`: earlier generations of a slot have all been given out.
fn missing<T, U>(slot: Option<&Slot<U>>, handle: Handle) -> Lookup<T> {
    match slot {
        Some(slot) if (1..slot.generation).contains(&generation_of(handle)) => Lookup::Gone,
        _ => Lookup::Unknown,
    }
}
