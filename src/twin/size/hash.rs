//! Hash: buckets for the table's rows, and overflow pages (src/backend/access/hash/hashpage.c,
//! hash.c, hashutil.c).

use super::groups::{Groups, key_groups};
use super::{EqualKeys, IndexSize, StoredColumn, whole_pages};

/// `HASH_DEFAULT_FILLFACTOR`.
pub const DEFAULT_FILLFACTOR: u8 = 75;
/// An index tuple of a 4 byte hash value, aligned, and its line pointer (hashpage.c, `_hash_init`).
const ITEM_BYTES: u64 = 20;
/// Tuples on a page: 8192 bytes without the header (24) and the special space (16).
const TUPLES_PER_PAGE: f64 = 407.0;
/// The metapage and the first bitmap page.
const FIXED_PAGES: u64 = 2;
/// Groups of at least this many equal keys are counted separately in their bucket.
const LARGE_GROUP_ROWS: f64 = 64.0;

/// Facts about a hash index that is not built.
#[derive(Debug, Clone, PartialEq)]
pub struct HashFacts {
    /// Rows of the *table*: `hashbuild` makes buckets for all of them, even with a predicate.
    pub table_rows: f64,
    /// Rows that satisfy the predicate; all of them without one. NULLs are subtracted here, because
    /// a hash index does not store them.
    pub rows: f64,
    /// The column; its width does not matter.
    pub key: StoredColumn,
    /// Equal values among those rows; a sample should have no NULLs.
    pub equal_keys: EqualKeys,
    /// The storage parameter, in percent: [`DEFAULT_FILLFACTOR`].
    pub fillfactor: u8,
}

/// The size of a freshly built hash index.
pub fn size(facts: &HashFacts) -> IndexSize {
    let tuples = (facts.rows * (1.0 - facts.key.null_fraction))
        .max(0.0)
        .round();
    let per_bucket =
        (super::PAGE_BYTES * u64::from(facts.fillfactor) / 100 / ITEM_BYTES).max(10) as f64;
    let made = buckets(facts.table_rows.max(0.0) / per_bucket);
    // `_hash_expandtable` after the build's inserts; the file grows by whole phases.
    let needed = (tuples / per_bucket).ceil();
    let buckets = if needed > made { buckets(needed) } else { made };
    let overflow = overflow_pages(facts, tuples, buckets);
    let pages = buckets as u64 + FIXED_PAGES + whole_pages(overflow - 0.5, 0);
    IndexSize {
        pages,
        tuples,
        metapage: None,
    }
}

/// `_hash_get_totalbuckets(_hash_spareindex(wanted))`: powers of two, from 512 on in quarter steps.
fn buckets(wanted: f64) -> f64 {
    const FIRST_WITH_PHASES: f64 = 512.0;
    let wanted = wanted.floor().max(2.0);
    let mut half = 1.0;
    while half * 2.0 < wanted {
        half *= 2.0;
    }
    if half < FIRST_WITH_PHASES {
        return half * 2.0;
    }
    let quarter = half / 4.0;
    half + ((wanted - half) / quarter).ceil() * quarter
}

/// Pages beyond the first of each bucket.
///
/// Between powers of two some buckets are not split yet and have twice the rows of the others:
/// those from the number of new buckets on (hashutil.c, `_hash_hashkey2bucket`).
fn overflow_pages(facts: &HashFacts, tuples: f64, buckets: f64) -> f64 {
    let column = facts.key.clone().without_nulls();
    let groups = key_groups(tuples, &[column], &facts.equal_keys);
    let mut power = 1.0;
    while power < buckets {
        power *= 2.0;
    }
    let not_split = power - buckets;
    let split = buckets - not_split;
    let part = |number: f64, share: f64| -> f64 {
        let own: Vec<Groups> = groups
            .iter()
            .map(|group| Groups {
                count: group.count * share,
                ..*group
            })
            .collect();
        if number > 0.0 {
            overflow_of(&own, number)
        } else {
            0.0
        }
    };
    part(split, split / power) + part(not_split, 2.0 * not_split / power)
}

/// Overflow pages of buckets over which these groups are spread. Small groups of equal keys fill
/// buckets evenly, up to random variation (normal); each large one is added to one bucket.
fn overflow_of(groups: &[Groups], buckets: f64) -> f64 {
    let (large, small): (Vec<Groups>, Vec<Groups>) = groups
        .iter()
        .copied()
        .partition(|group| group.rows >= LARGE_GROUP_ROWS);
    let rows = |groups: &[Groups]| {
        groups
            .iter()
            .map(|group| group.count * group.rows)
            .sum::<f64>()
    };
    let squares = |groups: &[Groups]| {
        groups
            .iter()
            .map(|group| group.count * group.rows * group.rows)
            .sum::<f64>()
    };
    let (load, variance) = (rows(&small) / buckets, squares(&small) / buckets);
    let large_groups: f64 = large.iter().map(|group| group.count).sum();
    if large_groups > buckets / 4.0 {
        // Many large groups share buckets, so their load varies at random, too.
        return buckets
            * skewed_overflow(
                load + rows(&large) / buckets,
                variance + squares(&large) / buckets,
            );
    }
    let on_top = large
        .iter()
        .map(|group| group.count * expected_overflow(load, variance, group.rows))
        .sum::<f64>();
    (buckets - large_groups) * expected_overflow(load, variance, 0.0) + on_top
}

/// Overflow pages of a bucket with a normal load and `extra` rows more.
fn expected_overflow(mean: f64, variance: f64, extra: f64) -> f64 {
    let deviation = variance.sqrt();
    let (mut sum, mut weights) = (0.0, 0.0);
    for step in -40..=40 {
        let z = f64::from(step) / 10.0;
        let weight = (-z * z / 2.0).exp();
        let load = (mean + z * deviation).max(0.0) + extra;
        sum += weight * ((load / TUPLES_PER_PAGE).ceil() - 1.0).max(0.0);
        weights += weight;
    }
    sum / weights
}

/// Overflow pages of a bucket whose load is a few large groups: a gamma-like load, approximated by
/// the number of groups in it.
fn skewed_overflow(mean: f64, variance: f64) -> f64 {
    // Groups of one size g with Poisson numbers have this mean and variance.
    let size = (variance / mean.max(1e-9)).max(1.0);
    let expected = mean / size;
    let mut probability = (-expected).exp();
    let (mut sum, mut number) = (0.0, 0.0);
    while number < expected + 10.0 * expected.sqrt() + 10.0 {
        sum += probability * ((number * size / TUPLES_PER_PAGE).ceil() - 1.0).max(0.0);
        number += 1.0;
        probability *= expected / number;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn built(rows: f64, distinct: f64) -> f64 {
        let key = StoredColumn {
            distinct_values: Some(distinct),
            ..StoredColumn::fixed(4, 4)
        };
        let equal_keys = EqualKeys::Distinct(distinct);
        size(&HashFacts {
            table_rows: rows,
            rows,
            key,
            equal_keys,
            fillfactor: DEFAULT_FILLFACTOR,
        })
        .pages as f64
    }

    /// PostgreSQL 15, a million rows.
    #[test]
    fn buckets_come_in_quarter_steps_and_equal_values_overflow() {
        assert!(
            (built(1e6, 1e6) - 4098.0).abs() < 3.0,
            "{}",
            built(1e6, 1e6)
        );
        assert!(
            (built(1e6, 10.0) / 6036.0 - 1.0).abs() < 0.1,
            "{}",
            built(1e6, 10.0)
        );
        assert!(
            (built(700.0, 700.0) - 6.0).abs() < 0.5,
            "{}",
            built(700.0, 700.0)
        );
    }
}
