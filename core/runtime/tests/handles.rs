//! Handles name one object each, ever.

use bowstring_runtime::{HandleTable, Lookup};

#[test]
fn a_handle_is_never_zero_and_names_its_object() {
    let mut table = HandleTable::default();
    let first = table.insert("a").unwrap();
    let second = table.insert("b").unwrap();
    assert_eq!((first, second), (1 << 20, 1 << 20 | 1));
    assert_eq!(table.get(first), Lookup::Live(&"a"));
    assert_eq!(table.get(second), Lookup::Live(&"b"));
    assert_eq!(table.len(), 2);
}

#[test]
fn what_was_removed_is_gone_and_what_never_was_is_unknown() {
    let mut table = HandleTable::default();
    let handle = table.insert(7).unwrap();
    assert_eq!(table.remove(handle), Lookup::Live(7));
    assert!(table.is_empty());
    for (handle, expected) in [
        (handle, Lookup::Gone),
        (0, Lookup::Unknown),
        (1, Lookup::Unknown),
        // The next generation of the same slot, not given out yet.
        (2 << 20, Lookup::Unknown),
        (1 << 20 | 1, Lookup::Unknown),
        (u32::MAX, Lookup::Unknown),
    ] {
        assert_eq!(table.remove(handle), expected, "{handle:#x}");
        let expected = if expected == Lookup::Gone {
            Lookup::Gone
        } else {
            Lookup::Unknown
        };
        assert_eq!(table.get(handle), expected, "{handle:#x}");
        assert_eq!(table.get_mut(handle).live(), None);
    }
    let again = table.insert(8).unwrap();
    assert_eq!(again, 2 << 20);
    assert_eq!(table.get(handle), Lookup::Gone);
    assert_eq!(table.get(again), Lookup::Live(&8));
}

#[test]
fn slots_are_reused_first_in_first_out() {
    let mut table = HandleTable::default();
    let handles: Vec<u32> = (0..3).map(|value| table.insert(value).unwrap()).collect();
    for index in [1, 2, 0] {
        table.remove(handles[index]);
    }
    let slots: Vec<u32> = (0..4)
        .map(|value| table.insert(value).unwrap() & 0xf_ffff)
        .collect();
    assert_eq!(slots, [1, 2, 0, 3]);
}

#[test]
fn a_slot_is_retired_when_its_generations_are_used_up() {
    let mut table = HandleTable::default();
    let mut last = 0;
    for generation in 1..=4095u32 {
        last = table.insert(generation).unwrap();
        assert_eq!(last, generation << 20);
        table.remove(last);
    }
    assert_eq!(table.get(last), Lookup::Gone);
    assert_eq!(table.get(1 << 20), Lookup::Gone);
    assert_eq!(table.insert(0).unwrap(), 1 << 20 | 1, "the second slot");
}

#[test]
fn a_full_table_gives_the_object_back() {
    let mut table = HandleTable::default();
    for _ in 0..1 << 20 {
        table.insert(()).unwrap();
    }
    assert_eq!(table.insert(()), Err(()));
    table.remove(1 << 20);
    assert_eq!(table.insert(()), Ok(2 << 20));
}

#[test]
fn extracting_takes_what_is_asked_for() {
    let mut table = HandleTable::default();
    let handles: Vec<u32> = (0..5).map(|value| table.insert(value).unwrap()).collect();
    assert_eq!(table.extract(|value| *value % 2 == 0), [0, 2, 4]);
    assert_eq!(table.len(), 2);
    assert_eq!(table.get(handles[2]), Lookup::Gone);
    assert_eq!(table.get(handles[3]), Lookup::Live(&3));
}
