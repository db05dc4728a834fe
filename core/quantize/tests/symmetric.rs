//! Symmetric codes lie evenly about their zero, also where a search would gain from one more.

mod common;

use common::{Random, data, one, zero_points};
use serde_json::json;

#[test]
fn codes_are_at_most_as_far_below_zero_as_above() {
    let values = Random(31).normals(200 * 128);
    for bits in [2usize, 4, 8] {
        let most = (1 << (bits - 1)) - 1;
        for layout in ["onnx", "unpacked", "mlx"] {
            for search in ["none", "mse"] {
                let mut kind = json!({"scheme": "symmetric", "layout": layout, "search": search});
                kind["bitWidth"] = json!(bits);
                let batch = one(&values, &[200, 128], kind.clone());
                // Unsigned codes have their zero in the middle.
                let zero = if layout == "mlx" { most + 1 } else { 0 };
                assert_eq!(zero_points(&batch, 0), [zero as i16; 200], "{kind}");
                let stored = if layout == "unpacked" { 8 } else { bits };
                let codes = data(&batch, 0);
                let codes = codes.iter().flat_map(|byte| {
                    (0..8 / stored).map(move |at| {
                        let code = byte >> (at * stored) << (8 - stored);
                        match layout {
                            "mlx" => i32::from(code >> (8 - stored)),
                            _ => i32::from(code as i8 >> (8 - stored)),
                        }
                    })
                });
                let far = codes
                    .map(|code| code - zero)
                    .max_by_key(|steps| steps.abs());
                let far = far.unwrap();
                assert_eq!(far.abs(), most, "{kind} {far}");
            }
        }
    }
}
