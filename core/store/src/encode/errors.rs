//! The `error` table.

use arrow_array::Array;

use super::{Encoder, Progress, finish};
use crate::contract::Columns;
use crate::image::Image;

impl Encoder {
    pub(super) fn encode_errors(
        &mut self,
        table: Columns<'_>,
        image: &mut Image,
        progress: &mut Progress,
    ) {
        let texts = [
            table.text("path"),
            table.text("severity"),
            table.text("stage"),
            table.text("code"),
            table.text("message"),
        ];
        let byte_offset = table.optional_numbers("byte_offset");
        let mut rows = image.table();
        for row in 0..table.rows() {
            self.record.clear();
            for column in texts {
                self.record.text(column.value(row).as_bytes());
            }
            let offset = byte_offset.is_valid(row).then(|| byte_offset.value(row));
            self.record.optional_number(offset);
            image.push(&mut rows, row as i64 + 1, &self.record);
        }
        finish(image, "error", rows);
        progress.counts.errors += table.rows() as u64;
    }
}
