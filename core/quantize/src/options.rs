//! What a caller may ask of a quantization.

use globset::{Glob, GlobMatcher};
use serde::{Deserialize, Serialize};

use crate::QuantizeError;
use crate::kernel::InstructionSet;

macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
        #[serde(rename_all = "camelCase")]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// The name in options and tables.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

named! {
    /// Which values share a scale.
    Granularity {
        /// All values of the tensor.
        Tensor = "tensor",
        /// The values of one index along `axis`.
        Channel = "channel",
        /// Runs of `groupSize` values along the last axis; the last run of a row may be shorter, as in ONNX.
        Group = "group",
    }
}

named! {
    /// How a range becomes codes.
    Scheme {
        /// Unsigned codes; the range includes 0, which has a code of its own, the zero point.
        Asymmetric = "asymmetric",
        /// The scale is that of the largest magnitude over 2^(bits - 1) - 1; codes lie within plus or minus that.
        Symmetric = "symmetric",
    }
}

named! {
    /// How the codes are stored.
    Layout {
        /// Packed without gaps, the first code in the low bits.
        Onnx = "onnx",
        /// Blocks of 32 values with a float16 scale: Q8_0, Q4_0 (symmetric), Q4_1 (asymmetric).
        Ggml = "ggml",
        /// As `onnx`, in 32-bit words, with a float bias for each group.
        Mlx = "mlx",
        /// One byte a code.
        Unpacked = "unpacked",
    }
}

named! {
    /// Whether scales are searched for.
    Search {
        /// The scale that covers the range.
        None = "none",
        /// The scale of the least (weighted) mean squared error.
        Mse = "mse",
    }
}

named! {
    /// The precision of scales.
    ScaleType {
        /// 24 significant bits.
        Float32 = "float32",
        /// Values that a float16 holds.
        Float16 = "float16",
    }
}

named! {
    /// What to do about null lists, null elements, NaN and infinities.
    OnInvalid {
        /// The layer fails.
        Error = "error",
        /// The layer is left out and reported.
        Skip = "skip",
        /// Null elements and NaN become 0, infinities the layer's largest finite magnitude. A null list still fails.
        Clip = "clip",
    }
}

/// Options of one quantization. The JSON form uses camelCase names; every field has a default.
#[derive(Debug, Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct QuantizeOptions {
    /// Bits of a code: 2, 4 or 8.
    pub bit_width: u8,
    /// Which values share a scale.
    pub granularity: Option<Granularity>,
    /// The axis of `channel`, from the end if negative; 0 unless said.
    pub axis: Option<i32>,
    /// The run length of `group`: 32, 64, 128 or 256; 128 unless said, and always 32 for `ggml`.
    pub group_size: Option<u32>,
    /// Asymmetric unless said, except that ggml's eight bits (Q8_0) are symmetric.
    pub scheme: Option<Scheme>,
    /// How the codes are stored.
    pub layout: Layout,
    /// Whether scales are searched for.
    pub search: Search,
    /// A layer whose cosine similarity with its original falls below this is done again with the next wider codes, up
    /// to 8 bits.
    pub min_cosine: Option<f32>,
    /// The name of a `list<float32>` column that weights the squared errors of the search: one weight for each index
    /// along the last axis, or one for each value.
    pub importance: Option<String>,
    /// The precision of scales.
    pub scale_type: ScaleType,
    /// What to do about values that cannot be quantized.
    pub on_invalid: OnInvalid,
    /// Leave out and report layers that fail, whatever the reason, instead of failing as a whole.
    pub continue_on_error: bool,
    /// Other options for layers whose name matches; where several match, later ones win, field by field.
    pub overrides: Vec<Override>,
    /// Fill rmse, max_abs_error, sqnr_db and cosine; otherwise they are null.
    pub statistics: bool,
    /// Worker threads; 0 means one per core.
    pub threads: usize,
    /// Instead of the best there is. Fails where the machine lacks it.
    pub instruction_set: Option<InstructionSet>,
}

impl Default for QuantizeOptions {
    fn default() -> Self {
        Self {
            bit_width: 4,
            granularity: None,
            axis: None,
            group_size: None,
            scheme: None,
            layout: Layout::Onnx,
            search: Search::None,
            min_cosine: None,
            importance: None,
            scale_type: ScaleType::Float32,
            on_invalid: OnInvalid::Error,
            continue_on_error: false,
            overrides: Vec::new(),
            statistics: true,
            threads: 0,
            instruction_set: None,
        }
    }
}

/// Options for layers whose name matches a pattern.
#[derive(Debug, Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Override {
    /// A glob over the whole name: `*` any run of characters, `?` one, `[abc]` one of these, `{a,b}` either. Outside of ASCII
    /// `?` and `[abc]` stand for a byte of UTF-8, of which a character has several.
    pub pattern: String,
    /// As in [`QuantizeOptions`].
    pub bit_width: Option<u8>,
    /// As in [`QuantizeOptions`].
    pub granularity: Option<Granularity>,
    /// As in [`QuantizeOptions`].
    pub axis: Option<i32>,
    /// As in [`QuantizeOptions`].
    pub group_size: Option<u32>,
    /// As in [`QuantizeOptions`].
    pub scheme: Option<Scheme>,
    /// As in [`QuantizeOptions`].
    pub layout: Option<Layout>,
    /// As in [`QuantizeOptions`].
    pub search: Option<Search>,
    /// As in [`QuantizeOptions`].
    pub min_cosine: Option<f32>,
    /// As in [`QuantizeOptions`].
    pub scale_type: Option<ScaleType>,
}

/// The options of one layer, overrides applied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerOptions {
    pub(crate) bit_width: u8,
    pub(crate) granularity: Option<Granularity>,
    pub(crate) axis: Option<i32>,
    pub(crate) group_size: Option<u32>,
    pub(crate) scheme: Option<Scheme>,
    pub(crate) layout: Layout,
    pub(crate) search: Search,
    pub(crate) min_cosine: Option<f32>,
    pub(crate) scale_type: ScaleType,
}

/// Checked options with compiled patterns.
#[derive(Debug)]
pub(crate) struct Checked<'a> {
    base: LayerOptions,
    overrides: Vec<(GlobMatcher, &'a Override)>,
}

impl QuantizeOptions {
    pub(crate) fn check(&self) -> Result<Checked<'_>, QuantizeError> {
        let base = LayerOptions {
            bit_width: self.bit_width,
            granularity: self.granularity,
            axis: self.axis,
            group_size: self.group_size,
            scheme: self.scheme,
            layout: self.layout,
            search: self.search,
            min_cosine: self.min_cosine,
            scale_type: self.scale_type,
        };
        base.check().map_err(QuantizeError::InvalidOptions)?;
        let mut overrides = Vec::with_capacity(self.overrides.len());
        for (at, this) in self.overrides.iter().enumerate() {
            let invalid = |message: String| {
                QuantizeError::InvalidOptions(format!("overrides[{at}]: {message}"))
            };
            if this.pattern.is_empty() {
                return Err(invalid(
                    "pattern: expected a glob but found none".to_owned(),
                ));
            }
            let glob =
                Glob::new(&this.pattern).map_err(|cause| invalid(format!("pattern: {cause}")))?;
            if let Err(message) = base.overlaid(this).check() {
                // It may make sense on top of others, which then match the same layers; whether they do is known with a
                // layer's name.
                let before = &self.overrides[..at];
                let all = before.iter().fold(base, LayerOptions::overlaid);
                let mut beneath = before.iter().map(|one| base.overlaid(one)).chain([all]);
                if !beneath.any(|options| options.overlaid(this).check().is_ok()) {
                    return Err(invalid(message));
                }
            }
            overrides.push((glob.compile_matcher(), this));
        }
        if self.importance.is_some() && !self.searches() {
            let message =
                "importance: weights the search, expected search \"mse\" but found \"none\"";
            return Err(QuantizeError::InvalidOptions(message.to_owned()));
        }
        Ok(Checked { base, overrides })
    }

    fn searches(&self) -> bool {
        self.search == Search::Mse
            || self
                .overrides
                .iter()
                .any(|this| this.search == Some(Search::Mse))
    }
}

impl Checked<'_> {
    /// The options of the layer of this name; the message says which of several overrides do not go together.
    pub(crate) fn of(&self, layer: &str) -> Result<LayerOptions, String> {
        let matching = self
            .overrides
            .iter()
            .filter(|(glob, _)| glob.is_match(layer));
        let options = matching.fold(self.base, |options, (_, this)| options.overlaid(this));
        match options.check() {
            Ok(()) => Ok(options),
            Err(message) => Err(format!("the overrides that match, together: {message}")),
        }
    }
}

impl LayerOptions {
    fn overlaid(self, this: &Override) -> Self {
        Self {
            bit_width: this.bit_width.unwrap_or(self.bit_width),
            granularity: this.granularity.or(self.granularity),
            axis: this.axis.or(self.axis),
            group_size: this.group_size.or(self.group_size),
            scheme: this.scheme.or(self.scheme),
            layout: this.layout.unwrap_or(self.layout),
            search: this.search.unwrap_or(self.search),
            min_cosine: this.min_cosine.or(self.min_cosine),
            scale_type: this.scale_type.unwrap_or(self.scale_type),
        }
    }

    fn check(&self) -> Result<(), String> {
        let expect = |name: &str, is_met: bool, expected: &str, found: String| {
            if is_met {
                Ok(())
            } else {
                Err(format!("{name}: expected {expected} but found {found}"))
            }
        };
        expect(
            "bitWidth",
            matches!(self.bit_width, 2 | 4 | 8),
            "2, 4 or 8",
            self.bit_width.to_string(),
        )?;
        if let Some(size) = self.group_size {
            let is_met = matches!(size, 32 | 64 | 128 | 256);
            expect("groupSize", is_met, "32, 64, 128 or 256", size.to_string())?;
        }
        if let Some(cosine) = self.min_cosine {
            expect(
                "minCosine",
                (-1.0..=1.0).contains(&cosine),
                "a number from -1 to 1",
                cosine.to_string(),
            )?;
        }
        let granularity = self.granularity.unwrap_or(Granularity::Group);
        if self.axis.is_some() && granularity != Granularity::Channel {
            return Err(format!(
                "axis: belongs to granularity \"channel\" but found \"{}\"",
                granularity.name()
            ));
        }
        let in_groups = granularity == Granularity::Group;
        match self.layout {
            Layout::Onnx | Layout::Unpacked => Ok(()),
            Layout::Ggml => {
                let found = self.bit_width.to_string();
                expect(
                    "bitWidth of layout \"ggml\"",
                    self.bit_width != 2,
                    "4 or 8",
                    found,
                )?;
                let found = granularity.name().to_owned();
                expect("granularity of layout \"ggml\"", in_groups, "group", found)?;
                let found = self.group_size.unwrap_or(32);
                expect(
                    "groupSize of layout \"ggml\"",
                    found == 32,
                    "32",
                    found.to_string(),
                )?;
                let is_met = self.bit_width != 8 || self.scheme != Some(Scheme::Asymmetric);
                expect(
                    "scheme of ggml's Q8_0",
                    is_met,
                    "symmetric",
                    "asymmetric".to_owned(),
                )?;
                let found = self.search.name().to_owned();
                expect(
                    "search of layout \"ggml\"",
                    self.search == Search::None,
                    "none",
                    found,
                )?;
                let is_met = self.scale_type == ScaleType::Float32;
                let expected =
                    "nothing, since its blocks hold float16 scales of ggml's own rounding,";
                expect(
                    "scaleType of layout \"ggml\"",
                    is_met,
                    expected,
                    "float16".to_owned(),
                )
            }
            Layout::Mlx => {
                let found = granularity.name().to_owned();
                expect("granularity of layout \"mlx\"", in_groups, "group", found)?;
                let found = self.group_size.unwrap_or(128);
                expect(
                    "groupSize of layout \"mlx\"",
                    found != 256,
                    "32, 64 or 128",
                    found.to_string(),
                )
            }
        }
    }
}
