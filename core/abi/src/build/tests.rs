//! Batches of plain columns, sound and broken at random: the loop never accepts what the walk refuses, and what is said of
//! those that are refused is what the walk says.

use std::sync::Arc;

use super::{Assembled, BuildSchema, Words, assemble, build_table, check_built};
use super::{BOW_BUFFER_BORROW, BOW_BUFFER_COPY, BOW_BUFFER_NONE};
use crate::schema::SchemaTree;

/// The generator splitmix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// Plain types, and a few that are none, among which a batch of plain columns may find itself.
const FORMATS: [&str; 16] = [
    "c", "S", "i", "L", "g", "b", "u", "z", "u", "w:3", "w:0", "d:9,2", "U", "vu", "n", "+w:2",
];
const PLAIN: usize = 12;

/// More bytes than any column here needs, so that a buffer may be said to be longer than it has to be.
const ROOM: usize = 4096;

struct Buffer {
    mode: u32,
    memory: Vec<u64>,
    bytes: usize,
}

impl Buffer {
    fn of(bytes: &[u8]) -> Self {
        let mut memory = vec![0u64; ROOM / 8];
        let words = bytes.chunks(8).map(|chunk| {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            u64::from_ne_bytes(word)
        });
        memory
            .iter_mut()
            .zip(words)
            .for_each(|(at, word)| *at = word);
        let (mode, bytes) = (BOW_BUFFER_BORROW, bytes.len());
        Self {
            mode,
            memory,
            bytes,
        }
    }

    fn absent() -> Self {
        Self {
            mode: BOW_BUFFER_NONE,
            ..Self::of(&[])
        }
    }
}

struct Node {
    length: i64,
    null_count: i64,
    buffers: Vec<Buffer>,
    children: Vec<Node>,
    has_dictionary: bool,
}

impl Node {
    fn write(&self, words: &mut Vec<f64>) {
        let counts = [self.buffers.len(), self.children.len()].map(|count| count as f64);
        words.extend([self.length as f64, self.null_count as f64]);
        words.extend(counts);
        words.push(f64::from(u8::from(self.has_dictionary)));
        for buffer in &self.buffers {
            let address = buffer.memory.as_ptr().addr() as f64;
            let address = if buffer.mode == BOW_BUFFER_NONE {
                0.0
            } else {
                address
            };
            words.extend([f64::from(buffer.mode), address, buffer.bytes as f64, 0.0]);
        }
        self.children.iter().for_each(|child| child.write(words));
    }
}

/// A sound column of at least `rows`.
fn column(random: &mut Random, format: &str, rows: usize) -> Node {
    let length = rows + random.of(&[0, 0, 0, 1, 8]);
    let zeros = |bytes: usize| Buffer::of(&vec![0; bytes]);
    let offsets = |random: &mut Random, width: usize| {
        let mut end = random.below(3);
        let ends = (0..=length).flat_map(|_| {
            end += random.below(4);
            (end as u64).to_ne_bytes()[..width].to_vec()
        });
        let ends = Buffer::of(&ends.collect::<Vec<_>>());
        [ends, zeros(end)]
    };
    let validity = match random.below(3) {
        0 => zeros(length.div_ceil(8)),
        _ => Buffer::absent(),
    };
    let null_count = match validity.mode {
        BOW_BUFFER_NONE => random.of(&[0, -1]),
        _ => random.of(&[0, -1, length as i64]),
    };
    let mut buffers = vec![validity];
    let mut children = Vec::new();
    match format {
        "c" => buffers.push(zeros(length)),
        "S" => buffers.push(zeros(2 * length)),
        "i" => buffers.push(zeros(4 * length)),
        "L" | "g" => buffers.push(zeros(8 * length)),
        "b" => buffers.push(zeros(length.div_ceil(8))),
        "w:3" => buffers.push(zeros(3 * length)),
        "w:0" => buffers.push(zeros(0)),
        "d:9,2" => buffers.push(zeros(16 * length)),
        "u" | "z" => buffers.extend(offsets(random, 4)),
        "U" => buffers.extend(offsets(random, 8)),
        "vu" => buffers.push(zeros(16 * length)),
        "n" => buffers.clear(),
        _ => children.push(column(random, "i", 2 * length)),
    }
    Node {
        length: length as i64,
        null_count,
        buffers,
        children,
        has_dictionary: false,
    }
}

/// Changes one thing that somebody may have said wrongly.
fn break_one(random: &mut Random, batch: &mut Node) {
    let count = batch.children.len();
    let near = random.of(&[-1i64, 1, -8, 8]);
    let node = match random.below(count + 1) {
        index if index < count => &mut batch.children[index],
        _ => batch,
    };
    let index = random.below(node.buffers.len().max(1));
    match random.below(9) {
        0 => node.length = (node.length + near).max(0),
        1 => node.length = random.of(&[1 << 39, 1 << 40, 1 << 50, 9_007_199_254_740_991]),
        2 => node.null_count = random.of(&[-1, 0, 1, node.length, node.length + 1]),
        3 => node.buffers.extend([Buffer::of(&[0; 64])]),
        4 => drop(node.buffers.pop()),
        5 => node.has_dictionary = true,
        // What offsets are, and what all others do not look at.
        6 => {
            if let Some(buffer) = node.buffers.get_mut(1) {
                let numbers = [u64::MAX, 0, 1 << 31, 1 << 63, 200, 200 << 32 | 7];
                let at = random.below(buffer.bytes.div_ceil(8).max(1));
                buffer.memory[at] = random.of(&numbers);
            }
        }
        kind => {
            if let Some(buffer) = node.buffers.get_mut(index) {
                if kind == 7 {
                    buffer.mode = random.of(&[BOW_BUFFER_NONE, BOW_BUFFER_BORROW, BOW_BUFFER_COPY]);
                }
                let bytes = buffer.bytes.saturating_add_signed(near as isize);
                buffer.bytes = random.of(&[bytes, 0, buffer.bytes]).min(ROOM);
            }
        }
    }
}

fn schema_of(formats: &[&str]) -> BuildSchema {
    let node = |format: &str, children| SchemaTree {
        format: format.to_owned(),
        name: "x".to_owned(),
        metadata: None,
        flags: 2,
        children,
        dictionary: None,
    };
    let columns = formats.iter().map(|&format| match format {
        "+w:2" => node(format, vec![node("i", vec![])]),
        _ => node(format, vec![]),
    });
    BuildSchema::new(node("+s", columns.collect())).unwrap()
}

#[test]
fn the_loop_accepts_nothing_that_the_walk_refuses() {
    let random = &mut Random(1);
    let (mut quick, mut sound, mut refused, mut unread) = (0, 0, 0, 0);
    for case in 0..20_000 {
        let kinds = if case % 4 == 0 { FORMATS.len() } else { PLAIN };
        let formats: Vec<_> = (0..random.below(4))
            .map(|_| random.of(&FORMATS[..kinds]))
            .collect();
        let schema = schema_of(&formats);
        let rows = random.of(&[0, 1, 7, 8, 9, 40]);
        let columns = formats.iter().map(|format| column(random, format, rows));
        let mut batch = Node {
            length: rows as i64,
            null_count: 0,
            buffers: vec![Buffer::absent()],
            children: columns.collect(),
            has_dictionary: false,
        };
        let broken = random.below(3);
        (0..broken).for_each(|_| break_one(random, &mut batch));
        let mut words = Vec::new();
        batch.write(&mut words);

        // SAFETY: as many bytes are there as are said.
        let assembled = unsafe { assemble(&schema, &mut Words::new(&words), Arc::new(())) };
        let expected = assembled.and_then(|assembled| {
            let Assembled {
                built,
                sizes,
                is_plain,
            } = assembled;
            let walked = check_built(&schema, &built.table, &sizes);
            assert!(
                !is_plain || walked.is_ok(),
                "case {case}: accepted, but {walked:?}"
            );
            let is_simple = kinds == PLAIN && rows > 0;
            assert!(is_plain || broken > 0 || !is_simple, "case {case}: walked");
            quick += usize::from(is_plain);
            *if walked.is_ok() {
                &mut sound
            } else {
                &mut refused
            } += 1;
            Ok(walked?)
        });
        unread += usize::from(expected.is_err());
        // SAFETY: as above.
        let found = unsafe { build_table(&schema, &mut Words::new(&words), Arc::new(())) };
        assert_eq!(found.map(drop), expected, "case {case}");
    }
    unread -= refused;
    let least = [quick, sound - quick, refused, unread].into_iter().min();
    assert!(
        least > Some(500),
        "each kind is tried: {quick} by the loop, {sound} sound, {refused} refused, {unread} not put together"
    );
}
