//! Index tuples: how many bytes a row takes in an index (src/backend/access/common/indextuple.c,
//! `index_form_tuple`, and heaptuple.c, `heap_compute_data_size`).

use super::{StoredColumn, align, max_align};

/// `sizeof(IndexTupleData)`: a TID and the info word.
const HEADER_BYTES: f64 = 8.0;
/// The header with the null bitmap of 32 columns, aligned (`IndexInfoFindDataOffset`).
const HEADER_WITH_NULLS_BYTES: f64 = 16.0;
/// The longest varlena, header included, that is stored with a header of one byte and unaligned
/// (`VARATT_SHORT_MAX`).
const MAX_SHORT_VARLENA_BYTES: f64 = 127.0;
/// Number of model rows that represent all rows where lengths vary.
const DRAWS: u32 = 512;

/// One row's columns as an index would hold them: the bytes of each, `None` for NULL.
type Row = Vec<Option<f64>>;

/// Model rows that represent all rows: widths and NULLs are spread evenly and without randomness (a
/// Kronecker sequence, one irrational step for each column), so that rounding up to 8 bytes is
/// averaged and not applied to an average.
#[derive(Debug, Clone)]
pub(super) struct SampleRows<'c> {
    columns: Vec<&'c StoredColumn>,
    rows: Vec<Row>,
}

impl<'c> SampleRows<'c> {
    pub(super) fn draw(columns: impl IntoIterator<Item = &'c StoredColumn>) -> SampleRows<'c> {
        let columns: Vec<&StoredColumn> = columns.into_iter().collect();
        let varies = |column: &&StoredColumn| {
            column.null_fraction > 0.0
                || (column.type_length < 0 && column.width_deviation_bytes > 0.0)
        };
        let draws = if columns.iter().any(varies) { DRAWS } else { 1 };
        let rows = (0..draws)
            .map(|draw| {
                columns
                    .iter()
                    .enumerate()
                    .map(|(at, column)| value(column, at, f64::from(draw)))
                    .collect()
            })
            .collect();
        SampleRows { columns, rows }
    }

    /// Bytes of the tuple made of the first `count` columns, one number for each sample row,
    /// aligned to 8.
    pub(super) fn tuple_bytes(&self, count: usize) -> Vec<f64> {
        self.rows
            .iter()
            .map(|row| self.row_bytes(row, count))
            .collect()
    }

    fn row_bytes(&self, row: &Row, count: usize) -> f64 {
        let has_null = row.iter().take(count).any(Option::is_none);
        let header = if has_null {
            HEADER_WITH_NULLS_BYTES
        } else {
            HEADER_BYTES
        };
        let mut data = 0.0;
        for (column, width) in self.columns.iter().zip(row).take(count) {
            let Some(width) = width else { continue };
            data = place(data, column, *width);
        }
        max_align(header + data)
    }
}

/// Where the data ends after this value (`heap_compute_data_size`).
fn place(offset: f64, column: &StoredColumn, width: f64) -> f64 {
    let is_packed =
        column.type_length == -2 || (column.type_length == -1 && width <= MAX_SHORT_VARLENA_BYTES);
    if is_packed {
        offset + width
    } else {
        align(offset, f64::from(column.alignment_bytes.max(1))) + width
    }
}

fn value(column: &StoredColumn, at: usize, draw: f64) -> Option<f64> {
    // Fractional parts of square roots of primes: no two columns are correlated.
    const STEPS: [f64; 8] = [
        0.414_213_562_373,
        0.732_050_807_569,
        0.236_067_977_500,
        0.645_751_311_065,
        0.316_624_790_355,
        0.605_551_275_464,
        0.123_105_625_618,
        0.358_898_943_541,
    ];
    let step = STEPS[at % STEPS.len()];
    let null_share = ((draw + 0.5) * step).fract();
    if null_share < column.null_fraction {
        return None;
    }
    if column.type_length >= 0 {
        return Some(f64::from(column.type_length));
    }
    // Independent of the draw for NULL: another irrational.
    let place = ((draw + 0.5) * (step * 0.618_033_988_75 + 0.324_717_957_24)).fract();
    let spread = 12.0_f64.sqrt() * (place - 0.5) * column.width_deviation_bytes;
    Some((column.average_width_bytes + spread).round().max(1.0))
}

/// The mean of some numbers; 0 if there are none.
pub(super) fn mean(numbers: &[f64]) -> f64 {
    if numbers.is_empty() {
        0.0
    } else {
        numbers.iter().sum::<f64>() / numbers.len() as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(columns: &[StoredColumn]) -> f64 {
        mean(&SampleRows::draw(columns).tuple_bytes(columns.len()))
    }

    #[test]
    fn keys_are_aligned_and_the_whole_is_a_multiple_of_eight() {
        assert!((bytes(&[StoredColumn::fixed(4, 4)]) - 16.0).abs() < 1e-9);
        assert!(
            (bytes(&[StoredColumn::fixed(4, 4), StoredColumn::fixed(8, 8)]) - 24.0).abs() < 1e-9
        );
        assert!((bytes(&[StoredColumn::fixed(16, 1)]) - 24.0).abs() < 1e-9);
        assert!((bytes(&[StoredColumn::variable(4, 33.0, 0.0)]) - 48.0).abs() < 1e-9);
        assert!(
            (bytes(&[
                StoredColumn::fixed(1, 1),
                StoredColumn::variable(4, 200.0, 0.0)
            ]) - 216.0)
                .abs()
                < 1e-9
        );
    }

    #[test]
    fn a_null_costs_the_bitmap_and_saves_the_value() {
        let mut column = StoredColumn::fixed(16, 1);
        column.null_fraction = 0.5;
        let mean = bytes(&[column]);
        assert!((mean - 20.0).abs() < 0.1, "{mean}");
    }

    #[test]
    fn lengths_that_vary_are_rounded_up_one_by_one() {
        let mean = bytes(&[StoredColumn::variable(4, 30.0, 8.0)]);
        assert!((mean - (8.0 + 30.5 + 3.5)).abs() < 0.3, "{mean}");
    }
}
