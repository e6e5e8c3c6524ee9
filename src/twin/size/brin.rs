//! BRIN: one summary tuple for each range of heap pages (src/backend/access/brin/brin.c,
//! brin_pageops.c, brin_tuple.c).

use super::{IndexSize, LINE_POINTER_BYTES, PAGE_BYTES, StoredColumn, max_align, whole_pages};
use crate::twin::metapage::Metapage;

/// `BRIN_DEFAULT_PAGES_PER_RANGE`.
pub const DEFAULT_PAGES_PER_RANGE: u32 = 128;
/// `REVMAP_PAGE_MAXITEMS`: TIDs on a page of the range map.
const RANGES_PER_REVMAP_PAGE: u64 = 1360;
/// A page without its header (24) and special space (8).
const ROOM_BYTES: f64 = PAGE_BYTES as f64 - 32.0;
/// `MaxHeapTuplesPerPage`.
const MAX_ROWS_PER_PAGE: f64 = 291.0;
/// What a varlena summary adds to its numbers: its header, and for minmax_multi those of
/// `SerializedRanges`.
const MULTI_HEADER_BYTES: f64 = 24.0;
/// Number of values kept of up to 32 (`MINMAX_BUFFER_DEFAULT_VALUES_PER_RANGE`), measured: 17 where
/// the table is in order, 32 where it is not.
const MULTI_VALUES: f64 = 20.0;

/// What an operator class of BRIN stores for each range.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum BrinSummary {
    /// `…_minmax_ops`: two values.
    Minmax,
    /// `…_minmax_multi_ops` with the default of 32 values.
    MinmaxMulti,
    /// `…_bloom_ops` with the default false positive rate of 1 %.
    Bloom {
        /// The parameter `n_distinct_per_range`: below 0 a share of the rows a range may have (-0.1
        /// is the default).
        distinct_per_range: f64,
        /// Distinct values that a range really has, if known; a nearly empty filter is compressed.
        distinct_values: f64,
    },
    /// `…_inclusion_ops`: one value that contains all others, and two flags.
    Inclusion,
}

/// Facts about a BRIN index that is not built.
#[derive(Debug, Clone, PartialEq)]
pub struct BrinFacts {
    /// Rows of the table (`reltuples` of the index; the planner does not use it).
    pub rows: f64,
    /// Pages of the table.
    pub heap_pages: u64,
    /// The storage parameter: [`DEFAULT_PAGES_PER_RANGE`].
    pub pages_per_range: u32,
    /// The columns and what is stored of them.
    pub columns: Vec<(StoredColumn, BrinSummary)>,
}

/// The size of a freshly built BRIN index.
pub fn size(facts: &BrinFacts) -> IndexSize {
    let pages_per_range = facts.pages_per_range.max(1);
    let ranges = facts.heap_pages.div_ceil(u64::from(pages_per_range));
    let tuple = tuple_bytes(facts) + LINE_POINTER_BYTES;
    let per_page = (ROOM_BYTES / tuple).floor().max(1.0);
    // The range map has its first page from the beginning, even for an empty table; the first page
    // of tuples comes with the first range.
    let revmap_pages = ranges.div_ceil(RANGES_PER_REVMAP_PAGE).max(1);
    let pages = 1 + revmap_pages + whole_pages(ranges as f64 / per_page, 0);
    IndexSize {
        pages,
        tuples: facts.rows,
        metapage: Some(Metapage::Brin {
            pages_per_range,
            last_revmap_page: u32::try_from(revmap_pages).unwrap_or(u32::MAX),
        }),
    }
}

/// `brin_form_tuple`: a header of 5 bytes, two bits of each column if any range has NULLs, then the
/// summaries.
fn tuple_bytes(facts: &BrinFacts) -> f64 {
    let has_nulls = facts
        .columns
        .iter()
        .any(|(column, _)| column.null_fraction > 0.0);
    let bitmap = if has_nulls {
        (2.0 * facts.columns.len() as f64 / 8.0).ceil()
    } else {
        0.0
    };
    let mut end = max_align(5.0 + bitmap);
    for (column, summary) in &facts.columns {
        end = place(end, column, *summary, facts.pages_per_range);
    }
    max_align(end)
}

fn place(end: f64, column: &StoredColumn, summary: BrinSummary, pages_per_range: u32) -> f64 {
    match summary {
        BrinSummary::Minmax => value(value(end, column), column),
        BrinSummary::Inclusion => value(end, column) + 2.0,
        BrinSummary::MinmaxMulti => {
            let width = if column.type_length > 0 {
                f64::from(column.type_length)
            } else {
                column.average_width_bytes
            };
            let values = if width > 8.0 { 32.0 } else { MULTI_VALUES };
            varlena(end, MULTI_HEADER_BYTES + values * width)
        }
        BrinSummary::Bloom {
            distinct_per_range,
            distinct_values,
        } => varlena(
            end,
            bloom_bytes(distinct_per_range, distinct_values, pages_per_range),
        ),
    }
}

fn value(end: f64, column: &StoredColumn) -> f64 {
    if column.type_length > 0 {
        super::align(end, f64::from(column.alignment_bytes.max(1))) + f64::from(column.type_length)
    } else {
        varlena(end, column.average_width_bytes)
    }
}

fn varlena(end: f64, bytes: f64) -> f64 {
    if bytes > 127.0 {
        super::align(end, 4.0) + bytes
    } else {
        end + bytes
    }
}

/// brin_bloom.c, `bloom_init`: bits for the distinct values at 1 % false positives.
fn bloom_bytes(distinct_per_range: f64, distinct_values: f64, pages_per_range: u32) -> f64 {
    const MIN_DISTINCT: f64 = 16.0;
    const HASHES: f64 = 7.0;
    /// pglz on a sparse bitmap, measured: bytes for each bit that is set.
    const COMPRESSED_BYTES_PER_BIT: f64 = 1.75;
    /// `TOAST_INDEX_TARGET`: shorter values are not compressed.
    const MIN_TO_COMPRESS_BYTES: f64 = 508.0;
    let most = MAX_ROWS_PER_PAGE * f64::from(pages_per_range);
    let wanted = if distinct_per_range < 0.0 {
        -distinct_per_range * most
    } else {
        distinct_per_range
    };
    let wanted = wanted.clamp(MIN_DISTINCT, most.max(MIN_DISTINCT));
    let bits = (-(wanted * 0.01_f64.ln()) / std::f64::consts::LN_2.powi(2)).ceil();
    let whole = 16.0 + (bits / 8.0).ceil();
    let compressed = 16.0 + HASHES * distinct_values.max(1.0) * COMPRESSED_BYTES_PER_BIT;
    if whole > MIN_TO_COMPRESS_BYTES && compressed < 0.75 * whole {
        compressed
    } else {
        whole
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(pages_per_range: u32, columns: &[(StoredColumn, BrinSummary)]) -> u64 {
        size(&BrinFacts {
            rows: 6e5,
            heap_pages: 17_647,
            pages_per_range,
            columns: columns.to_vec(),
        })
        .pages
    }

    /// PostgreSQL 15, 17647 heap pages.
    #[test]
    fn summaries_take_what_they_take_on_a_server() {
        let text = StoredColumn::variable(4, 33.0, 0.0);
        let int8 = StoredColumn::fixed(8, 8);
        let uuid = StoredColumn::fixed(16, 1);
        let bloom = |distinct_values| BrinSummary::Bloom {
            distinct_per_range: -0.1,
            distinct_values,
        };
        assert_eq!(built(4, &[(int8.clone(), BrinSummary::Minmax)]), 21);
        assert_eq!(built(4, &[(text.clone(), BrinSummary::Minmax)]), 51);
        assert_eq!(
            built(
                4,
                &[
                    (int8.clone(), BrinSummary::Minmax),
                    (text.clone(), BrinSummary::Minmax)
                ]
            ),
            60
        );
        assert_eq!(built(4, &[(uuid.clone(), BrinSummary::Minmax)]), 29);
        assert_eq!(
            built(4, &[(StoredColumn::fixed(32, 8), BrinSummary::Inclusion)]),
            34
        );
        assert_eq!(built(4, &[(int8.clone(), bloom(1e6))]), 99);
        assert_eq!(built(128, &[(int8, BrinSummary::Minmax)]), 3);
        assert_eq!(built(128, &[(text, bloom(1e6))]), 140);
        assert_eq!(built(128, &[(StoredColumn::fixed(4, 4), bloom(97.0))]), 25);
        let multi = built(4, &[(uuid, BrinSummary::MinmaxMulti)]);
        assert!(multi.abs_diff(298) < 30, "{multi}");
    }

    #[test]
    fn the_range_map_grows() {
        let facts = |heap_pages| BrinFacts {
            rows: 1e9,
            heap_pages,
            pages_per_range: 1,
            columns: vec![(StoredColumn::fixed(8, 8), BrinSummary::Minmax)],
        };
        let revmap = |heap_pages| match size(&facts(heap_pages)).metapage {
            Some(Metapage::Brin {
                last_revmap_page, ..
            }) => last_revmap_page,
            _ => panic!("BRIN has a range map"),
        };
        assert_eq!((revmap(0), revmap(1360), revmap(1361)), (1, 1, 2));
    }
}
