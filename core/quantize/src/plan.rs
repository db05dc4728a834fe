//! What is to be done to one layer: its geometry, its rule, and the sizes of what comes out.

use crate::kernel::ggml::{self, Format};
use crate::kernel::rule::{HALF_BITS, Rule};
use crate::options::{Granularity, LayerOptions, Layout, ScaleType, Scheme, Search};

/// How the values of a tensor, in row-major order, share scales.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Geometry {
    /// `rows` rows of `row_len` values, each cut into runs of `group`, the last of which may be shorter.
    Rows {
        rows: usize,
        row_len: usize,
        group: usize,
    },
    /// `rows` rows of `columns` values, of which `inner` neighbours share a scale with those below them.
    Columns {
        rows: usize,
        columns: usize,
        inner: usize,
    },
}

impl Geometry {
    /// Rows without ragged ends are one long row: the groups follow each other just the same.
    pub(crate) fn rows(rows: usize, row_len: usize, group: usize) -> Self {
        if group > 0 && row_len.is_multiple_of(group) {
            Self::Rows {
                rows: 1,
                row_len: rows * row_len,
                group,
            }
        } else {
            Self::Rows {
                rows,
                row_len,
                group,
            }
        }
    }

    /// One scale for each index along `axis` of `shape`, if there are values.
    pub(crate) fn channels(shape: &[usize], axis: usize) -> Self {
        if shape.contains(&0) {
            // The other sizes may be any.
            return Self::rows(0, 0, 0);
        }
        let outer: usize = shape[..axis].iter().product();
        let inner: usize = shape[axis + 1..].iter().product();
        let channels = shape[axis];
        if outer == 1 {
            Self::rows(channels, inner, inner)
        } else {
            Self::Columns {
                rows: outer,
                columns: channels * inner,
                inner,
            }
        }
    }

    pub(crate) fn groups(&self) -> usize {
        match *self {
            Self::Rows {
                rows,
                row_len,
                group,
            } => {
                if group == 0 {
                    0
                } else {
                    rows * row_len.div_ceil(group)
                }
            }
            Self::Columns { columns, inner, .. } => columns / inner,
        }
    }
}

/// What the values become.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Coding {
    Affine(Rule),
    Ggml(Format),
}

/// The work on one layer.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) options: LayerOptions,
    pub(crate) scheme: Scheme,
    pub(crate) geometry: Geometry,
    pub(crate) coding: Coding,
    pub(crate) values: usize,
    pub(crate) data_bytes: usize,
    pub(crate) scales: usize,
    pub(crate) biases: usize,
    pub(crate) group_size: i32,
    pub(crate) axis: i32,
}

impl Plan {
    /// The work on a tensor of this shape; the message says what does not go together.
    pub(crate) fn new(options: LayerOptions, shape: &[usize]) -> Result<Self, String> {
        let values: usize = shape.iter().product();
        let last = shape.last().copied().unwrap_or(1);
        let default_scheme = match (options.layout, options.bit_width) {
            (Layout::Ggml, 8) => Scheme::Symmetric,
            _ => Scheme::Asymmetric,
        };
        let scheme = options.scheme.unwrap_or(default_scheme);
        let last_axis = shape.len() as i32 - 1;
        let (geometry, group_size, axis) = match options.granularity.unwrap_or(Granularity::Group) {
            Granularity::Tensor => (Geometry::rows(1, values, values), 0, -1),
            Granularity::Channel => {
                let asked = options.axis.unwrap_or(0);
                let rank = shape.len() as i32;
                let axis = if asked < 0 { asked + rank } else { asked };
                if !(0..rank).contains(&axis) {
                    return Err(format!(
                        "axis: expected one of a tensor of {rank} axes but found {asked}"
                    ));
                }
                (Geometry::channels(shape, axis as usize), 0, axis)
            }
            Granularity::Group => {
                let default = if options.layout == Layout::Ggml {
                    ggml::BLOCK as u32
                } else {
                    128
                };
                let size = options.group_size.unwrap_or(default);
                let rows = values.checked_div(last).unwrap_or_default();
                (
                    Geometry::rows(rows, last, size as usize),
                    size as i32,
                    last_axis,
                )
            }
        };
        // A block is a group, whatever else was asked: its kernels know no other.
        if options.layout == Layout::Ggml && group_size != ggml::BLOCK as i32 {
            return Err(format!(
                "group_size: expected {} in layout \"ggml\" but found {group_size}",
                ggml::BLOCK
            ));
        }
        if matches!(options.layout, Layout::Ggml | Layout::Mlx)
            && !last.is_multiple_of(group_size as usize)
        {
            return Err(format!(
                "layout \"{}\": expected a last axis of whole groups of {group_size} but found {last} values",
                options.layout.name()
            ));
        }
        let symmetric = scheme == Scheme::Symmetric;
        let coding = match options.layout {
            Layout::Ggml => Coding::Ggml(match (options.bit_width, symmetric) {
                (8, _) => Format::Q8_0,
                (_, true) => Format::Q4_0,
                (_, false) => Format::Q4_1,
            }),
            layout => Coding::Affine(rule(options, symmetric, layout)),
        };
        let scales = geometry.groups();
        let packed = (values * usize::from(options.bit_width)).div_ceil(8);
        let (data_bytes, biases) = match (options.layout, coding) {
            (_, Coding::Ggml(format)) => (
                scales * format.bytes(),
                if format == Format::Q4_1 { scales } else { 0 },
            ),
            (Layout::Mlx, _) => (packed.next_multiple_of(4), scales),
            (Layout::Unpacked, _) => (values, 0),
            _ => (packed, 0),
        };
        Ok(Self {
            options,
            scheme,
            geometry,
            coding,
            values,
            data_bytes,
            scales,
            biases,
            group_size,
            axis,
        })
    }

    /// The same with the next wider codes, if there are any.
    pub(crate) fn wider(&self, shape: &[usize]) -> Option<Self> {
        let mut options = self.options;
        options.bit_width = match options.bit_width {
            2 => 4,
            4 => 8,
            _ => return None,
        };
        if options.layout == Layout::Ggml {
            // The wider block has one scheme.
            options.scheme = None;
        }
        Self::new(options, shape).ok()
    }

    /// Bits of a code as stored.
    pub(crate) fn stored_bits(&self) -> u8 {
        if self.options.layout == Layout::Unpacked {
            8
        } else {
            self.options.bit_width
        }
    }

    pub(crate) fn searches(&self) -> bool {
        self.options.search == Search::Mse
    }
}

fn rule(options: LayerOptions, symmetric: bool, layout: Layout) -> Rule {
    // MLX has unsigned codes and adds a bias; everything else keeps symmetric codes in two's complement.
    let signed = symmetric && layout != Layout::Mlx;
    let half = options.scale_type == ScaleType::Float16;
    let scale_bits = match (half, layout) {
        (true, _) => HALF_BITS,
        // The bias -zero_point * scale has to be exact, so that zero comes out as zero.
        (false, Layout::Mlx) => 24 - u32::from(options.bit_width),
        (false, _) => 24,
    };
    let (smallest_scale, largest_scale) = if half {
        (2.0f32.powi(-24), 65_504.0)
    } else {
        (f32::MIN_POSITIVE, largest(scale_bits))
    };
    Rule {
        bits: options.bit_width,
        signed,
        symmetric,
        scale_bits,
        smallest_scale,
        largest_scale,
    }
}

/// The largest float32 of so many significant bits.
fn largest(bits: u32) -> f32 {
    f32::from_bits(f32::MAX.to_bits() & !((1u32 << (24 - bits)) - 1))
}
