//! Codes of one byte each to packed codes, and back. The first code is in the low bits, the order of ONNX's int4 and
//! int2 tensors and of MLX's words.

/// Packs `count` codes, each taken modulo 2^`bits`, into `count * bits / 8` bytes. `count` is a whole number of bytes.
#[inline(always)]
pub(crate) unsafe fn pack_portable(bits: u8, codes: *const u8, count: usize, to: *mut u8) {
    // SAFETY: the caller vouches for `count` codes and for the bytes they need.
    unsafe {
        match bits {
            8 => std::ptr::copy_nonoverlapping(codes, to, count),
            4 => {
                for at in 0..count / 2 {
                    let pair = codes.add(2 * at).cast::<[u8; 2]>().read();
                    to.add(at).write(pair[0] & 15 | pair[1] << 4);
                }
            }
            _ => {
                for at in 0..count / 4 {
                    let four = codes.add(4 * at).cast::<[u8; 4]>().read();
                    let byte = four[0] & 3 | (four[1] & 3) << 2 | (four[2] & 3) << 4 | four[3] << 6;
                    to.add(at).write(byte);
                }
            }
        }
    }
}

/// Unpacks `count` codes, a whole number of bytes; sign-extends them if `signed`.
#[inline(always)]
pub(crate) unsafe fn unpack_portable(
    bits: u8,
    signed: bool,
    from: *const u8,
    count: usize,
    codes: *mut u8,
) {
    // SAFETY: the caller vouches for the bytes of `count` codes and for room for them.
    unsafe {
        match (bits, signed) {
            (8, _) => std::ptr::copy_nonoverlapping(from, codes, count),
            (4, signed) => {
                // Flipping and subtracting the sign bit extends it.
                let sign = if signed { 8u8 } else { 0 };
                for at in 0..count / 2 {
                    let byte = from.add(at).read();
                    let pair = [byte & 15, byte >> 4].map(|code| (code ^ sign).wrapping_sub(sign));
                    codes.add(2 * at).cast::<[u8; 2]>().write(pair);
                }
            }
            (_, signed) => {
                let sign = if signed { 2u8 } else { 0 };
                for at in 0..count / 4 {
                    let byte = from.add(at).read();
                    let four = [byte & 3, byte >> 2 & 3, byte >> 4 & 3, byte >> 6];
                    let four = four.map(|code| (code ^ sign).wrapping_sub(sign));
                    codes.add(4 * at).cast::<[u8; 4]>().write(four);
                }
            }
        }
    }
}

/// As [`pack_portable`]; past the caches if `stream`, and then `to` is 32-byte-aligned.
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) unsafe fn pack_avx2(
    bits: u8,
    codes: *const u8,
    count: usize,
    to: *mut u8,
    stream: bool,
) {
    use std::arch::x86_64::*;

    let per_byte = usize::from(8 / bits);
    let whole = count / (32 * per_byte);
    // SAFETY: the caller vouches for `count` codes and for the bytes they need; stores are aligned when streamed.
    unsafe {
        let load = |at: usize| _mm256_loadu_si256(codes.add(at).cast());
        for line in 0..whole {
            let at = line * 32 * per_byte;
            let bytes = match bits {
                8 => load(at),
                4 => {
                    // 1 * first + 16 * second, as words; then words to bytes, whose 64-bit quarters are out of order.
                    let (mask, weights) = (_mm256_set1_epi8(15), _mm256_set1_epi16(0x1001));
                    let pair = |at| _mm256_maddubs_epi16(_mm256_and_si256(load(at), mask), weights);
                    _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(
                        pair(at),
                        pair(at + 32),
                    ))
                }
                _ => {
                    let (mask, ones) = (_mm256_set1_epi8(3), _mm256_set1_epi16(0x0401));
                    let pair = |at| _mm256_maddubs_epi16(_mm256_and_si256(load(at), mask), ones);
                    let pairs = |at| {
                        let packed = _mm256_packus_epi16(pair(at), pair(at + 32));
                        _mm256_permute4x64_epi64::<0b11_01_10_00>(packed)
                    };
                    let weights = _mm256_set1_epi16(0x1001);
                    let low = _mm256_maddubs_epi16(pairs(at), weights);
                    let high = _mm256_maddubs_epi16(pairs(at + 64), weights);
                    _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packus_epi16(low, high))
                }
            };
            let to = to.add(line * 32).cast();
            if stream {
                _mm256_stream_si256(to, bytes)
            } else {
                _mm256_storeu_si256(to, bytes)
            }
        }
        let done = whole * 32 * per_byte;
        pack_portable(bits, codes.add(done), count - done, to.add(whole * 32));
    }
}

/// As [`unpack_portable`].
#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2")]
pub(crate) unsafe fn unpack_avx2(
    bits: u8,
    signed: bool,
    from: *const u8,
    count: usize,
    codes: *mut u8,
) {
    use std::arch::x86_64::*;

    if bits != 4 {
        // SAFETY: as promised to this function.
        return unsafe { unpack_portable(bits, signed, from, count, codes) };
    }
    let whole = count / 64;
    // SAFETY: the caller vouches for the bytes of `count` codes and for room for them.
    unsafe {
        let mask = _mm256_set1_epi8(15);
        let sign = _mm256_set1_epi8(if signed { 8 } else { 0 });
        for line in 0..whole {
            let bytes = _mm256_loadu_si256(from.add(line * 32).cast());
            // The quarters are put so that interleaving within the halves yields the codes in order.
            let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(bytes);
            let low = _mm256_and_si256(bytes, mask);
            let high = _mm256_and_si256(_mm256_srli_epi16::<4>(bytes), mask);
            let extend = |code| _mm256_sub_epi8(_mm256_xor_si256(code, sign), sign);
            let to = codes.add(line * 64);
            _mm256_storeu_si256(to.cast(), extend(_mm256_unpacklo_epi8(low, high)));
            _mm256_storeu_si256(to.add(32).cast(), extend(_mm256_unpackhi_epi8(low, high)));
        }
        let done = whole * 64;
        unpack_portable(
            bits,
            signed,
            from.add(done / 2),
            count - done,
            codes.add(done),
        );
    }
}
