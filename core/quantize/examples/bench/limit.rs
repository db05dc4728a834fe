//! What the memory allows: loops without arithmetic that read and stream as much as quantization and its inverse do.

use std::sync::Mutex;

/// Values that a thread takes at a time, as in the quantizer.
const TASK: usize = 1 << 18;

/// Reads all values and streams `bits` bits for each into `to`, on `threads` threads.
pub fn forth(values: &[f32], to: &mut [u8], bits: usize, threads: usize) {
    let start = to.as_ptr().align_offset(64);
    let to = &mut to[start..start + values.len() * bits / 8];
    let tasks = values.chunks(TASK).zip(to.chunks_mut(TASK * bits / 8));
    share(tasks, threads, |(values, to)| {
        read_and_stream(values, to, bits)
    });
}

/// Reads as many bytes as packed codes of `count` values have and streams 4 bytes for each value, on `threads` threads.
pub fn back(codes: &[u8], to: &mut [u8], count: usize, bits: usize, threads: usize) {
    let start = to.as_ptr().align_offset(64);
    let to = &mut to[start..start + count * 4];
    let tasks = codes.chunks(TASK * bits / 8).zip(to.chunks_mut(TASK * 4));
    share(tasks, threads, |(codes, to)| {
        widen_and_stream(codes, to, bits)
    });
}

/// Does all tasks, each on the thread that is free first.
fn share<T: Send>(tasks: impl Iterator<Item = T> + Send, threads: usize, run: impl Fn(T) + Sync) {
    let tasks = Mutex::new(tasks);
    let next = || tasks.lock().expect("no thread panics").next();
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while let Some(task) = next() {
                    run(task);
                }
            });
        }
    });
}

#[cfg(target_arch = "x86_64")]
fn read_and_stream(values: &[f32], to: &mut [u8], bits: usize) {
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx2")]
    unsafe fn avx2(values: &[f32], to: &mut [u8], bits: usize) {
        let from = values.as_ptr();
        // Eight values are a register to read; 32 bytes are one to write.
        let reads = 32 * 8 / bits / 8;
        for line in 0..to.len() / 32 {
            // SAFETY: there are `reads` registers of values for each line of output, which is aligned.
            unsafe {
                let mut all = _mm256_setzero_ps();
                for at in 0..reads {
                    let at = from.add((line * reads + at) * 8);
                    _mm_prefetch::<_MM_HINT_T0>(at.wrapping_add(2048).cast());
                    all = _mm256_or_ps(all, _mm256_loadu_ps(at));
                }
                _mm256_stream_ps(to.as_mut_ptr().add(line * 32).cast(), all);
            }
        }
        _mm_sfence();
    }
    assert!(
        is_x86_feature_detected!("avx2"),
        "this benchmark needs AVX2"
    );
    // SAFETY: AVX2 is there.
    unsafe { avx2(values, to, bits) }
}

#[cfg(target_arch = "x86_64")]
fn widen_and_stream(codes: &[u8], to: &mut [u8], bits: usize) {
    use std::arch::x86_64::*;

    #[target_feature(enable = "avx2")]
    unsafe fn avx2(codes: &[u8], to: &mut [u8], bits: usize) {
        // A register of codes is written as often as it has values for: 32 bytes of output are 8 codes.
        let writes = 32 * 8 / bits / 8;
        for line in 0..codes.len() / 32 {
            // SAFETY: there are `writes` lines of output for each register of codes, and they are aligned.
            unsafe {
                let all = _mm256_loadu_ps(codes.as_ptr().add(line * 32).cast());
                for at in 0..writes {
                    let to = to.as_mut_ptr().add((line * writes + at) * 32);
                    _mm256_stream_ps(to.cast(), all);
                }
            }
        }
        _mm_sfence();
    }
    assert!(
        is_x86_feature_detected!("avx2"),
        "this benchmark needs AVX2"
    );
    // SAFETY: AVX2 is there.
    unsafe { avx2(codes, to, bits) }
}

#[cfg(not(target_arch = "x86_64"))]
fn read_and_stream(values: &[f32], to: &mut [u8], bits: usize) {
    for (values, to) in values.chunks_exact(8).zip(to.chunks_exact_mut(bits)) {
        to.fill(
            values
                .iter()
                .fold(0, |all, value| all | value.to_bits() as u8),
        );
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn widen_and_stream(codes: &[u8], to: &mut [u8], bits: usize) {
    for (code, to) in codes.iter().zip(to.chunks_exact_mut(32 / bits)) {
        to.fill(*code);
    }
}
