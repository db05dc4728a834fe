//! ONNX's QuantizeLinear and DequantizeLinear: given scales and zero points, any axis, any block size.

use serde::{Deserialize, Serialize};

use crate::QuantizeError;
use crate::kernel::rule::{Group, Rule};
use crate::kernel::sums::Sums;
use crate::kernel::{Kernel, STEP, UNPACKED};

/// The type of a code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum CodeType {
    /// -128 to 127.
    Int8,
    /// 0 to 255.
    Uint8,
    /// -8 to 7, two to a byte.
    Int4,
    /// 0 to 15, two to a byte.
    Uint4,
    /// -2 to 1, four to a byte.
    Int2,
    /// 0 to 3, four to a byte.
    Uint2,
}

impl CodeType {
    fn bits(self) -> u8 {
        match self {
            Self::Int8 | Self::Uint8 => 8,
            Self::Int4 | Self::Uint4 => 4,
            Self::Int2 | Self::Uint2 => 2,
        }
    }

    fn rule(self) -> Rule {
        Rule {
            bits: self.bits(),
            signed: matches!(self, Self::Int8 | Self::Int4 | Self::Int2),
            symmetric: false,
            scale_bits: 24,
            smallest_scale: f32::MIN_POSITIVE,
            largest_scale: f32::MAX,
        }
    }
}

/// How values relate to codes and scales, in the terms of ONNX's operators.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Target {
    /// The type of the codes.
    pub r#type: CodeType,
    /// The axis that several scales run along, from the end if negative. It is of no matter with one scale.
    #[serde(default)]
    pub axis: i64,
    /// 0: one scale, or one for each index along `axis`. Otherwise one for each run of so many values along `axis`, of
    /// which the last may be shorter; the scales then have the values' shape but for `axis`.
    #[serde(default)]
    pub block_size: usize,
}

/// Quantizes `values`, a row-major tensor of `shape`: `saturate(round_half_even(value / scale) + zero_point)`, the
/// division in float32. No zero points means 0. The codes are packed, the first in the low bits, the last byte filled
/// with zeros. Infinities saturate.
///
/// ```
/// use bowstring_quantize::{CodeType, Target, quantize_with};
///
/// let target = Target { r#type: CodeType::Int4, axis: 0, block_size: 0 };
/// let codes = quantize_with(&[1.0, -3.0, 2.5], &[3], &[0.5], None, &target)?;
/// assert_eq!(codes, [0xa2, 0x05]);
/// # Ok::<(), bowstring_quantize::QuantizeError>(())
/// ```
///
/// # Errors
/// Sizes that do not go together, a scale that is 0, NaN or infinite, a zero point beyond the type, a value that is NaN.
pub fn quantize_with(
    values: &[f32],
    shape: &[usize],
    scales: &[f32],
    zero_points: Option<&[i16]>,
    target: &Target,
) -> Result<Vec<u8>, QuantizeError> {
    quantize_by(Kernel::best(), values, shape, scales, zero_points, target)
}

/// Takes codes back to values: `(code - zero_point) * scale`. The arguments are those of [`quantize_with`].
///
/// # Errors
/// As [`quantize_with`]; and codes that are not as many bytes as the shape needs.
pub fn dequantize_with(
    codes: &[u8],
    shape: &[usize],
    scales: &[f32],
    zero_points: Option<&[i16]>,
    target: &Target,
) -> Result<Vec<f32>, QuantizeError> {
    let rule = target.r#type.rule();
    let len = length(shape)?;
    let expected = (len * usize::from(rule.bits)).div_ceil(8);
    if codes.len() != expected {
        return Err(invalid(format!(
            "codes: expected {expected} bytes but found {}",
            codes.len()
        )));
    }
    let runs = Runs::new(shape, scales.len(), target)?;
    let maps = maps(scales, zero_points, &rule)?;
    let mut unpacked = vec![0u8; len.next_multiple_of(4)];
    let per_byte = usize::from(8 / rule.bits);
    let whole = len / per_byte * per_byte;
    let unpack = Kernel::best().unpack;
    // SAFETY: `codes` has the bytes of `whole` codes, and of the rest if there is one.
    unsafe {
        unpack(
            rule.bits,
            rule.signed,
            codes.as_ptr(),
            whole,
            unpacked.as_mut_ptr(),
        )
    };
    if whole < len {
        let last = [codes[codes.len() - 1]];
        // SAFETY: a byte of codes, and room for as many, since the buffer's length is a multiple of 4.
        unsafe {
            unpack(
                rule.bits,
                rule.signed,
                last.as_ptr(),
                per_byte,
                unpacked[whole..].as_mut_ptr(),
            )
        };
    }
    let mut values = vec![0.0; len];
    runs.each(|start, len, scale, step| {
        for at in 0..len {
            let group = &maps[scale + at * step];
            let code = unpacked[start + at];
            let code = if rule.signed {
                i32::from(code as i8)
            } else {
                i32::from(code)
            };
            values[start + at] = (code - group.zero_point) as f32 * group.scale;
        }
    });
    Ok(values)
}

pub(crate) fn quantize_by(
    kernel: &Kernel,
    values: &[f32],
    shape: &[usize],
    scales: &[f32],
    zero_points: Option<&[i16]>,
    target: &Target,
) -> Result<Vec<u8>, QuantizeError> {
    const PIECE: usize = 2048;
    let rule = target.r#type.rule();
    let len = length(shape)?;
    if values.len() != len {
        return Err(invalid(format!(
            "shape: expected sizes whose product is {} but found {shape:?}",
            values.len()
        )));
    }
    if let Some(at) = values.iter().position(|value| value.is_nan()) {
        return Err(invalid(format!(
            "values[{at}]: expected a number but found NaN"
        )));
    }
    let runs = Runs::new(shape, scales.len(), target)?;
    let maps = maps(scales, zero_points, &rule)?;
    let mut codes = vec![0u8; len + STEP];
    let mut piece = [0.0f32; PIECE];
    let mut piece_codes = [0u8; PIECE];
    let (mut piece_scales, mut piece_zeros) = ([1.0f32; PIECE], [0.0f32; PIECE]);
    let mut sums = Sums::ZERO;
    runs.each(|start, len, scale, step| {
        for at in (0..len).step_by(PIECE) {
            let len = PIECE.min(len - at);
            let padded = len.next_multiple_of(STEP);
            piece[..len].copy_from_slice(&values[start + at..start + at + len]);
            piece[len..padded].fill(0.0);
            let to = piece_codes.as_mut_ptr();
            // Infinite values are what the result says; here they saturate.
            if step == 0 {
                let group = &maps[scale..=scale];
                // SAFETY: the arrays have room for `padded` values and codes.
                let _ = unsafe {
                    kernel.code(rule.signed, false, UNPACKED)(
                        piece.as_ptr(),
                        piece.as_ptr(),
                        padded,
                        group,
                        &rule,
                        to,
                        &mut sums,
                    )
                };
            } else {
                for (at, group) in maps[scale + at..][..len].iter().enumerate() {
                    (piece_scales[at], piece_zeros[at]) = (group.scale, group.zero_point as f32);
                }
                let (scales, zeros) = (piece_scales.as_ptr(), piece_zeros.as_ptr());
                // SAFETY: the arrays have room for `padded` values, scales, zero points and codes.
                let _ = unsafe {
                    kernel.code_each(rule.signed)(
                        piece.as_ptr(),
                        padded,
                        scales,
                        zeros,
                        &rule,
                        to,
                        &mut sums,
                    )
                };
            }
            codes[start + at..start + at + len].copy_from_slice(&piece_codes[..len]);
        }
    });
    let per_byte = usize::from(8 / rule.bits);
    let mut packed = vec![0u8; len.div_ceil(per_byte)];
    // SAFETY: there are `len` codes, then zeros up to a whole byte, for which there is room.
    unsafe {
        (kernel.pack)(
            rule.bits,
            codes.as_ptr(),
            packed.len() * per_byte,
            packed.as_mut_ptr(),
            false,
        )
    };
    Ok(packed)
}

/// Which scale belongs to which value.
struct Runs {
    outer: usize,
    /// Size of the axis.
    size: usize,
    inner: usize,
    kind: Kind,
}

enum Kind {
    Tensor,
    Axis,
    Blocks(usize),
}

impl Runs {
    fn new(shape: &[usize], scales: usize, target: &Target) -> Result<Self, QuantizeError> {
        let rank = shape.len() as i64;
        let axis = if target.axis < 0 {
            target.axis + rank
        } else {
            target.axis
        };
        if scales == 1 && target.block_size == 0 {
            let len = shape.iter().product();
            return Ok(Self {
                outer: 1,
                size: 1,
                inner: len,
                kind: Kind::Tensor,
            });
        }
        if !(0..rank).contains(&axis) {
            let message = format!(
                "axis: expected one of a tensor of {rank} axes but found {}",
                target.axis
            );
            return Err(invalid(message));
        }
        let axis = axis as usize;
        let (outer, inner) = (
            shape[..axis].iter().product(),
            shape[axis + 1..].iter().product(),
        );
        let size = shape[axis];
        let (kind, expected) = match target.block_size {
            0 => (Kind::Axis, size),
            block => (Kind::Blocks(block), outer * size.div_ceil(block) * inner),
        };
        if scales != expected {
            return Err(invalid(format!(
                "scales: expected {expected} but found {scales}"
            )));
        }
        Ok(Self {
            outer,
            size,
            inner,
            kind,
        })
    }

    /// Calls `f(start, len, scale, step)` for each run of values: the `at`th uses the scale `scale + at * step`, where
    /// `step` is 0 or 1.
    fn each(&self, mut f: impl FnMut(usize, usize, usize, usize)) {
        let Self {
            outer, size, inner, ..
        } = *self;
        match self.kind {
            Kind::Tensor => f(0, inner, 0, 0),
            Kind::Axis if inner == 1 => (0..outer).for_each(|o| f(o * size, size, 0, 1)),
            Kind::Axis => {
                for run in 0..outer * size {
                    f(run * inner, inner, run % size, 0);
                }
            }
            Kind::Blocks(block) if inner == 1 => {
                let blocks = size.div_ceil(block);
                for run in 0..outer * blocks {
                    let at = run % blocks * block;
                    f(run / blocks * size + at, block.min(size - at), run, 0);
                }
            }
            Kind::Blocks(block) => {
                let blocks = size.div_ceil(block);
                for row in 0..outer * size {
                    let scales = (row / size * blocks + row % size / block) * inner;
                    f(row * inner, inner, scales, 1);
                }
            }
        }
    }
}

fn maps(
    scales: &[f32],
    zero_points: Option<&[i16]>,
    rule: &Rule,
) -> Result<Vec<Group>, QuantizeError> {
    if let Some(zero_points) = zero_points.filter(|zero_points| zero_points.len() != scales.len()) {
        let message = format!(
            "zeroPoints: expected {}, one a scale, but found {}",
            scales.len(),
            zero_points.len()
        );
        return Err(invalid(message));
    }
    let (bottom, top) = rule.codes();
    let map = |(at, scale): (usize, &f32)| {
        let zero_point = zero_points.map_or(0, |zero_points| i32::from(zero_points[at]));
        if !scale.is_finite() || *scale == 0.0 {
            return Err(invalid(format!(
                "scales[{at}]: expected a finite number other than 0 but found {scale}"
            )));
        }
        if !(bottom..=top).contains(&zero_point) {
            let message =
                format!("zeroPoints[{at}]: expected {bottom} to {top} but found {zero_point}");
            return Err(invalid(message));
        }
        Ok(Group::given(*scale, zero_point))
    };
    scales.iter().enumerate().map(map).collect()
}

fn length(shape: &[usize]) -> Result<usize, QuantizeError> {
    let product = shape
        .iter()
        .try_fold(1usize, |product, size| product.checked_mul(*size));
    product.ok_or_else(|| invalid(format!("shape: {shape:?} is too large")))
}

fn invalid(message: String) -> QuantizeError {
    QuantizeError::InvalidOptions(message)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::InstructionSet;

    /// All sets agree on every kind of run, with scales from the smallest to the largest.
    #[test]
    fn every_instruction_set_gives_the_same_codes() {
        let values: Vec<f32> = (0..2 * 65 * 35)
            .map(|at| ((at * 7919 % 1000) as f32 - 500.0) / 61.0)
            .collect();
        let shape = [2, 65, 35];
        for r#type in [
            CodeType::Int8,
            CodeType::Uint8,
            CodeType::Int4,
            CodeType::Uint4,
            CodeType::Int2,
            CodeType::Uint2,
        ] {
            for (axis, block_size, scales) in [
                (0, 0, 1),
                (1, 0, 65),
                (2, 0, 35),
                (2, 16, 2 * 65 * 3),
                (1, 7, 2 * 10 * 35),
                (-1, 1, values.len()),
            ] {
                let target = Target {
                    r#type,
                    axis,
                    block_size,
                };
                let scales: Vec<f32> = (0..scales)
                    .map(|at| [0.31, 1e-30, 4.0, 3e38, -0.7][at % 5])
                    .collect();
                let code = |set| {
                    let kernel = Kernel::of(set).unwrap();
                    quantize_by(kernel, &values, &shape, &scales, None, &target).unwrap()
                };
                let expected = code(InstructionSet::Portable);
                for set in InstructionSet::available() {
                    assert_eq!(code(set), expected, "{set:?} {target:?}");
                }
            }
        }
    }
}
