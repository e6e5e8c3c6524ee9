//! The size of an index that is not built, from facts about its table: pages, tuples and the
//! numbers in its metapage.
//!
//! The planner costs an index by these numbers (src/backend/optimizer/util/plancat.c,
//! `get_relation_info`, and src/backend/utils/adt/selfuncs.c, `btcostestimate`, `gincostestimate`,
//! `brincostestimate`). Each access method has a file that follows the code which builds it:
//! [`btree`], [`hash`], [`brin`], [`gin`], and [`tree`] for GiST, SP-GiST and bloom. A size is that
//! of a *freshly built* index, without the bloat of later changes. Everything here is arithmetic on
//! numbers: no I/O, no chance.

pub mod brin;
pub mod btree;
pub mod gin;
mod groups;
pub mod hash;
pub mod sample;
pub mod tree;
mod tuple;

use super::metapage::Metapage;
use sample::SampledKeys;

/// Bytes of a page, PostgreSQL's `BLCKSZ`, which hardly any installation changes.
pub const PAGE_BYTES: u64 = 8192;
/// `SizeOfPageHeaderData` (src/include/storage/bufpage.h).
const PAGE_HEADER_BYTES: f64 = 24.0;
/// `sizeof(ItemIdData)`: the line pointer of each item of a page.
const LINE_POINTER_BYTES: f64 = 4.0;

/// The size of an index, as the planner sees it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct IndexSize {
    /// Blocks of 8192 bytes in the main fork, metapage included (`pg_class.relpages`).
    pub pages: u64,
    /// Rows the index covers (`pg_class.reltuples`): posting lists count each of their rows.
    pub tuples: f64,
    /// What the planner reads from the index's metapage; none if it reads nothing.
    pub metapage: Option<Metapage>,
}

/// The numbers of a GIN metapage right after a build (`GinMetaPageData`): the pending list is
/// empty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GinPages {
    /// Pages of the tree of entries (`nEntryPages`).
    pub entry_pages: u64,
    /// Pages of posting trees (`nDataPages`).
    pub data_pages: u64,
    /// Distinct items (`nEntries`).
    pub entries: u64,
}

/// One column of an index, as `pg_type` and `pg_stats` know it.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredColumn {
    /// `pg_type.typlen` of what the index stores: bytes, -1 for a varlena, -2 for a C string (such
    /// as `name` in a B-tree).
    pub type_length: i16,
    /// `pg_type.typalign` in bytes: 1, 2, 4 or 8.
    pub alignment_bytes: u8,
    /// Mean bytes of values that are not NULL, the varlena header included, as stored
    /// (`pg_stats.avg_width`). Of no meaning for fixed lengths. `ANALYZE` cuts the fraction off:
    /// see [`StoredColumn::variable`].
    pub average_width_bytes: f64,
    /// Standard deviation of those bytes: 0 when all values are equally long. Rounding to 8 bytes
    /// makes it matter.
    pub width_deviation_bytes: f64,
    /// The share of NULLs, 0 to 1 (`pg_stats.null_frac`).
    pub null_fraction: f64,
    /// Does the B-tree operator class promise that equal values are equal bytes (support function
    /// 4, `equalimage`, which also asks whether the collation is deterministic)?
    pub deduplicates: bool,
    /// Distinct values among the index's rows, NULL not counted; `None` if unknown, as for an
    /// expression.
    pub distinct_values: Option<f64>,
    /// The shares of all rows, 0 to 1, that the most common values have
    /// (`pg_stats.most_common_freqs`), in any order.
    pub common_fractions: Vec<f64>,
}

/// Facts about equal keys: how many rows share their key decides about posting lists and overflow
/// pages.
#[derive(Debug, Clone, PartialEq)]
pub enum EqualKeys {
    /// The number of distinct keys among the index's rows, NULL not counted when there is one
    /// column: the planner's estimate of `SELECT DISTINCT`. The common values and NULLs of the
    /// columns are used beside it. The planner takes columns as independent (unless it has extended
    /// statistics), so that of composite keys a sample knows more.
    Distinct(f64),
    /// A sample of the index's rows; the columns' most common values are then not used.
    Sampled(SampledKeys),
}

impl EqualKeys {
    /// Distinct keys among `rows` rows.
    fn distinct(&self, rows: f64) -> f64 {
        match self {
            EqualKeys::Distinct(distinct) => distinct.clamp(1.0, rows.max(1.0)),
            EqualKeys::Sampled(sample) => sample.distinct_keys(rows).clamp(1.0, rows.max(1.0)),
        }
    }
}

impl StoredColumn {
    /// A column of a fixed-length type without statistics and NULLs.
    pub fn fixed(type_length: i16, alignment_bytes: u8) -> StoredColumn {
        StoredColumn {
            type_length,
            alignment_bytes,
            average_width_bytes: f64::from(type_length),
            width_deviation_bytes: 0.0,
            null_fraction: 0.0,
            deduplicates: true,
            distinct_values: None,
            common_fractions: Vec::new(),
        }
    }

    /// A column of a varlena type by its `pg_stats.avg_width` and the standard deviation of its
    /// values' lengths, both in bytes. Half a byte is added to widths that vary because `ANALYZE`
    /// stores the mean's whole part (`pg_statistic.stawidth`).
    pub fn variable(
        alignment_bytes: u8,
        stated_width_bytes: f64,
        width_deviation_bytes: f64,
    ) -> StoredColumn {
        let cut_off = if width_deviation_bytes > 0.0 {
            0.5
        } else {
            0.0
        };
        StoredColumn {
            average_width_bytes: stated_width_bytes + cut_off,
            width_deviation_bytes,
            ..StoredColumn::fixed(-1, alignment_bytes)
        }
    }

    /// The column in a partial index whose predicate excludes its NULLs and does not restrict its
    /// values otherwise.
    pub fn without_nulls(self) -> StoredColumn {
        let left = 1.0 - self.null_fraction;
        let common_fractions = if left > 0.0 {
            self.common_fractions
                .iter()
                .map(|share| share / left)
                .collect()
        } else {
            Vec::new()
        };
        StoredColumn {
            null_fraction: 0.0,
            common_fractions,
            ..self
        }
    }
}

/// `MAXALIGN`: the next multiple of 8 bytes.
fn max_align(bytes: f64) -> f64 {
    align(bytes, 8.0)
}

fn align(bytes: f64, alignment: f64) -> f64 {
    (bytes / alignment).ceil() * alignment
}

/// A number of pages from an estimate, at least `least`.
fn whole_pages(estimate: f64, least: u64) -> u64 {
    if estimate.is_finite() {
        (estimate.ceil().max(0.0) as u64).max(least)
    } else {
        least
    }
}
