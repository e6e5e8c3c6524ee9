//! GIN: a tree of distinct items, each with a compressed list or tree of the rows that have it
//! (src/backend/access/gin/gininsert.c, ginentrypage.c, gindatapage.c, ginpostinglist.c).
//!
//! Entries are inserted in order and their pages split in the middle, so that a fresh index is
//! about half full. What cannot be derived from statistics is how many distinct items there are:
//! where the index was built on samples, [`extrapolate`] that.

use super::{GinPages, IndexSize, PAGE_BYTES, max_align, whole_pages};
use crate::twin::metapage::Metapage;

/// A GIN index that was built on a sample of the table's rows, and its metapage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GinSampleBuild {
    /// Rows of the sample that the index covers.
    pub rows: f64,
    /// Its pages, the metapage included.
    pub pages: u64,
    /// The metapage's numbers.
    pub contents: GinPages,
}

/// New items appear as a power of the rows; with each tripling of the rows, the distance of that
/// power from 1 grows by this factor. Measured on text, tags and documents of 3,000 to 300,000
/// rows; up to 3 where all items are equally frequent.
const USUAL_LOSS: f64 = 1.38;
/// Posting trees of a few pages are less full than long ones; measured.
const PACKING: f64 = 0.9;
/// A posting list longer than about a sixth of a page becomes a posting tree. With pages half full,
/// this is the maximum that entries can hold.
const MAX_ENTRY_BYTES: f64 = 1_900.0;

/// The size of a GIN index from indexes on samples of about a sixteenth, a quarter and all of the
/// sampled rows (two are enough, one hardly): pages are `a · entries + b · rows`, where the two
/// largest samples give `a` and `b`, and entries follow the curve through all samples. `None`
/// without a build.
pub fn extrapolate(rows: f64, builds: &[GinSampleBuild]) -> Option<IndexSize> {
    let mut builds: Vec<&GinSampleBuild> =
        builds.iter().filter(|build| build.rows >= 1.0).collect();
    builds.sort_by(|a, b| a.rows.total_cmp(&b.rows));
    let large = *builds.last()?;
    let small = builds
        .len()
        .checked_sub(2)
        .and_then(|at| builds.get(at).copied())
        .unwrap_or(large);
    if rows <= large.rows || small.rows >= large.rows {
        return Some(in_proportion(rows, large));
    }
    let entries = entries_at(rows, &builds);
    let (per_entry, per_row) = page_rates(small, large);
    let before = large.contents;
    let grown =
        per_entry * (entries - before.entries as f64) + PACKING * per_row * (rows - large.rows);
    let total = large.pages as f64 + grown.max(0.0);
    let data = data_pages_at(total, entries, small, large);
    Some(finished(rows, total, data, entries))
}

fn finished(rows: f64, total: f64, data: f64, entries: f64) -> IndexSize {
    let pages = whole_pages(total, 2);
    let data_pages = whole_pages(data, 0).min(pages - 2);
    let block = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
    IndexSize {
        pages,
        tuples: rows,
        metapage: Some(Metapage::Gin {
            total_pages: block(pages),
            entry_pages: block(pages - 1 - data_pages),
            data_pages: block(data_pages),
            entries: i64::try_from(whole_pages(entries, 0)).unwrap_or(i64::MAX),
            pending_pages: 0,
        }),
    }
}

/// The sample is (nearly) the whole table, or the only one.
fn in_proportion(rows: f64, large: &GinSampleBuild) -> IndexSize {
    let share = rows / large.rows;
    let contents = large.contents;
    finished(
        rows,
        large.pages as f64 * share,
        contents.data_pages as f64 * share,
        contents.entries as f64 * share,
    )
}

/// Entries of `rows` rows: the power law between the samples, flattening as it does between them.
fn entries_at(rows: f64, builds: &[&GinSampleBuild]) -> f64 {
    let powers: Vec<f64> = builds.windows(2).filter_map(power).collect();
    let (Some(last), Some(large)) = (powers.last().copied(), builds.last()) else {
        return 0.0;
    };
    let small = builds
        .len()
        .checked_sub(2)
        .and_then(|at| builds.get(at))
        .unwrap_or(large);
    let step = (large.rows / small.rows).ln().max(0.1);
    let usual = USUAL_LOSS.powf(step / 3.0_f64.ln());
    let measured = powers
        .len()
        .checked_sub(2)
        .and_then(|at| powers.get(at))
        .map(|before| loss(*before, last));
    let loss = measured.map_or(usual, |measured| (measured * usual * usual).cbrt());
    let mut left = (rows / large.rows).ln().max(0.0);
    let (mut power, mut growth) = (last, 0.0);
    while left > 0.0 && power > 0.0 {
        power = (1.0 - (1.0 - power) * loss).max(0.0);
        let part = left.min(step);
        growth += power * part;
        left -= part;
    }
    large.contents.entries as f64 * growth.exp()
}

/// The power of the rows with which entries grow from one sample to the next.
fn power(pair: &[&GinSampleBuild]) -> Option<f64> {
    let [small, large] = pair else { return None };
    let (few, many) = (
        small.contents.entries.max(1) as f64,
        large.contents.entries.max(1) as f64,
    );
    let step = (large.rows / small.rows).ln();
    (step > 0.1).then(|| ((many / few).ln() / step).clamp(0.0, 1.0))
}

/// The factor by which the power's distance from 1 grew.
fn loss(before: f64, after: f64) -> f64 {
    const MOST: f64 = 4.0;
    if before > 0.999 {
        1.0
    } else {
        ((1.0 - after) / (1.0 - before)).clamp(1.0, MOST)
    }
}

/// Pages for each entry and for each row: the solution of the two samples' equations, neither below
/// 0.
fn page_rates(small: &GinSampleBuild, large: &GinSampleBuild) -> (f64, f64) {
    let (e1, e2) = (small.contents.entries as f64, large.contents.entries as f64);
    let (n1, n2) = (small.rows, large.rows);
    let (p1, p2) = (small.pages as f64 - 1.0, large.pages as f64 - 1.0);
    let determinant = e1 * n2 - e2 * n1;
    let proportional = p2 / n2.max(1.0);
    // Entries are proportional to rows, so the two equations are the same.
    if determinant.abs() < 1e-3 * (e2 * n2).max(1.0) {
        return (0.0, proportional);
    }
    let per_entry = (p1 * n2 - p2 * n1) / determinant;
    let per_row = (e1 * p2 - e2 * p1) / determinant;
    if per_entry < 0.0 {
        (0.0, proportional)
    } else if per_row < 0.0 {
        (p2 / e2.max(1.0), 0.0)
    } else {
        (per_entry, per_row)
    }
}

/// Posting trees: their growth between the samples continues, and they hold everything that entries
/// cannot.
fn data_pages_at(total: f64, entries: f64, small: &GinSampleBuild, large: &GinSampleBuild) -> f64 {
    let data = large.contents.data_pages as f64;
    let grown = (large.pages as f64 - small.pages as f64).max(1.0);
    let share = ((data - small.contents.data_pages as f64) / grown).clamp(0.0, 1.0);
    let going_on = data + share * (total - large.pages as f64);
    let most_entry_pages = 1.0 + entries * MAX_ENTRY_BYTES / PAGE_BYTES as f64;
    going_on.max(total - 1.0 - most_entry_pages).max(0.0)
}

/// Facts about a GIN index without a sample.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GinFacts {
    /// Rows in the index.
    pub rows: f64,
    /// Distinct items of a row, on average: elements, lexemes, keys and values, trigrams
    /// (`pg_stats.elem_count_histogram`'s last number for arrays and tsvector).
    pub items_per_row: f64,
    /// Distinct items of all rows; `None`: guessed from the total number of items.
    pub distinct_items: Option<f64>,
    /// Mean bytes of an item as the index stores it: 4 for trigrams, hashes and `int4`.
    pub item_bytes: f64,
}

/// GIN by a rule of thumb: within a factor of two at best, because the distribution of items is
/// unknown.
pub fn without_sample(facts: &GinFacts) -> IndexSize {
    /// Bytes of a row in a posting list or tree, with pages half full.
    const POSTING_BYTES: f64 = 4.0;
    /// How full pages of entries are after a build.
    const ENTRY_FILL: f64 = 0.48;
    let postings = facts.rows.max(0.0) * facts.items_per_row.max(0.0);
    let entries = facts
        .distinct_items
        .unwrap_or_else(|| 3.0 * postings.powf(0.7))
        .clamp(0.0, postings);
    let key = max_align(8.0 + facts.item_bytes + 8.0) + 4.0;
    let entry_bytes = entries * key / ENTRY_FILL;
    let posting_bytes = (postings - entries).max(0.0) * POSTING_BYTES;
    let total = 2.0 + (entry_bytes + posting_bytes) / PAGE_BYTES as f64;
    let most_entry_pages = 1.0 + entries * MAX_ENTRY_BYTES / PAGE_BYTES as f64;
    finished(
        facts.rows,
        total,
        (total - 1.0 - most_entry_pages).max(0.0),
        entries,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn build(
        rows: f64,
        pages: u64,
        entry_pages: u64,
        data_pages: u64,
        entries: u64,
    ) -> GinSampleBuild {
        GinSampleBuild {
            rows,
            pages,
            contents: GinPages {
                entry_pages,
                data_pages,
                entries,
            },
        }
    }

    fn near(builds: &[GinSampleBuild], rows: f64, pages: f64) {
        let estimate = extrapolate(rows, builds).unwrap();
        let ratio = estimate.pages as f64 / pages;
        assert!((0.75..=1.25).contains(&ratio), "{ratio}: {estimate:?}");
        let Some(Metapage::Gin {
            total_pages,
            entry_pages,
            data_pages,
            ..
        }) = estimate.metapage
        else {
            panic!("GIN has a metapage")
        };
        assert_eq!(total_pages, 1 + entry_pages + data_pages);
        assert_eq!(estimate.pages, u64::from(total_pages));
    }

    /// PostgreSQL 15: indexes on 3,333, 10,000 and 30,000 of 300,000 rows, and on all.
    #[test]
    fn ten_times_the_sample_is_predicted() {
        near(
            &[
                build(3333.0, 8, 7, 0, 201),
                build(1e4, 18, 16, 1, 201),
                build(3e4, 44, 33, 10, 201),
            ],
            3e5,
            391.0,
        );
        let jsonb = [
            build(3333.0, 61, 55, 5, 6724),
            build(1e4, 169, 148, 20, 18246),
            build(3e4, 435, 382, 52, 46246),
        ];
        near(&jsonb, 3e5, 3192.0);
        let numbers = [
            build(3333.0, 51, 50, 0, 6223),
            build(1e4, 119, 117, 1, 13838),
            build(3e4, 268, 257, 10, 27487),
        ];
        near(&numbers, 3e5, 1256.0);
        let text = [
            build(3333.0, 86, 85, 0, 10214),
            build(1e4, 192, 187, 4, 20468),
            build(3e4, 405, 380, 24, 35225),
        ];
        near(&text, 3e5, 1965.0);
        let trigrams = [
            build(3333.0, 140, 138, 1, 4624),
            build(1e4, 349, 302, 46, 4624),
            build(3e4, 935, 649, 285, 4624),
        ];
        near(&trigrams, 3e5, 9549.0);
    }

    #[test]
    fn one_sample_or_none_is_answered_too() {
        assert_eq!(extrapolate(10.0, &[]), None);
        let alone = extrapolate(3e5, &[build(3e4, 935, 649, 285, 4624)]).unwrap();
        assert_eq!(alone.pages, 9350);
        assert_eq!(
            extrapolate(3e4, &[build(3e4, 935, 649, 285, 4624)])
                .unwrap()
                .pages,
            935
        );
    }

    #[test]
    fn a_rule_of_thumb_is_within_a_factor_of_two() {
        let facts = GinFacts {
            rows: 3e5,
            items_per_row: 32.0,
            distinct_items: Some(4624.0),
            item_bytes: 4.0,
        };
        let ratio = without_sample(&facts).pages as f64 / 4916.0;
        assert!((0.5..2.0).contains(&ratio), "{ratio}");
    }
}
