//! What a sample of rows shows about all rows.

/// Groups of equal keys in a random sample of a table's rows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SampledKeys {
    /// How many groups there are of each size: (rows of a group in the sample, such groups), as
    /// `SELECT size, count(*) FROM (SELECT count(*) AS size FROM sample GROUP BY keys) GROUP BY size`.
    /// NULL is a key here.
    pub groups: Vec<(u64, u64)>,
    /// Rows of the sample with the same key as the row before, in the table's order.
    pub as_before: u64,
    /// The rows were chosen from this share of the table's pages: 1 if they were chosen from all.
    pub page_share: f64,
}

/// Keys with at least this many rows in a sample are counted as they are; rarer ones are estimated
/// together.
const FREQUENT: u64 = 12;

impl SampledKeys {
    /// Rows in the sample.
    pub fn rows(&self) -> f64 {
        self.groups
            .iter()
            .map(|(size, count)| *size as f64 * *count as f64)
            .sum()
    }

    /// How many distinct keys a table of `table_rows` rows has.
    pub fn distinct_keys(&self, table_rows: f64) -> f64 {
        self.scaled(table_rows).iter().map(|(count, _)| count).sum()
    }

    /// The groups of a table of `table_rows` rows, as (groups, rows of each). Where equal keys are
    /// stored together (the lines of an order), a page that was read has all rows of a group, and
    /// the other pages have similar groups.
    pub(super) fn scaled(&self, table_rows: f64) -> Vec<(f64, f64)> {
        if !self.lie_together() {
            return self.spread_over(table_rows);
        }
        let on_these_pages = self.spread_over(table_rows * self.page_share);
        on_these_pages
            .into_iter()
            .map(|(count, size)| (count / self.page_share, size))
            .collect()
    }

    /// Are far more neighbours equal than in a random order?
    fn lie_together(&self) -> bool {
        let equal = |size: f64, count: f64| (size - 1.0) * count;
        let most: f64 = self
            .groups
            .iter()
            .map(|(size, count)| equal(*size as f64, *count as f64))
            .sum();
        let by_chance: f64 = self
            .groups
            .iter()
            .map(|(size, count)| *size as f64 * equal(*size as f64, *count as f64))
            .sum::<f64>()
            / self.rows().max(1.0);
        let page_share = 0.0..1.0;
        page_share.contains(&self.page_share)
            && self.page_share > 0.0
            && self.as_before as f64 > f64::midpoint(by_chance, most)
    }

    /// The groups of this number of rows if rows were sampled one by one: groups of frequent keys
    /// in proportion, the others by maximum likelihood.
    fn spread_over(&self, table_rows: f64) -> Vec<(f64, f64)> {
        let rows = self.rows();
        if rows < 1.0 {
            return vec![(table_rows, 1.0)];
        }
        let factor = (table_rows / rows).max(1.0);
        let (frequent, rare): (Vec<_>, Vec<_>) = self
            .groups
            .iter()
            .copied()
            .partition(|(size, _)| *size >= FREQUENT);
        let mut scaled: Vec<(f64, f64)> = frequent
            .into_iter()
            .map(|(size, count)| (count as f64, size as f64 * factor))
            .collect();
        if factor > 1.0 {
            scaled.extend(most_likely(&rare, factor));
        } else {
            scaled.extend(
                rare.into_iter()
                    .map(|(size, count)| (count as f64, size as f64)),
            );
        }
        scaled
    }
}

/// A possible size of groups in the table.
struct Size {
    rows: f64,
    /// The probability that the sample contains a group of this size.
    seen: f64,
    /// The probability of each number of sampled rows, from 1 on.
    sampled: Vec<f64>,
    /// The share of the groups seen in the sample that have this size.
    share: f64,
}

/// The groups of rare keys: the mixture of group sizes with the maximum likelihood of the sample
/// (expectation maximization over sizes in steps of 1.3). It starts half at the size that the
/// estimator of `ANALYZE` gives and half uniformly. That estimator alone assumes that all rare keys
/// are equally rare, and finds a third of those in skewed data.
fn most_likely(rare: &[(u64, u64)], factor: f64) -> Vec<(f64, f64)> {
    const ROUNDS: u32 = 300;
    let seen: f64 = rare.iter().map(|(_, count)| *count as f64).sum();
    let table_rows = factor
        * rare
            .iter()
            .map(|(size, count)| *size as f64 * *count as f64)
            .sum::<f64>();
    if seen < 1.0 {
        return Vec::new();
    }
    let once: f64 = rare
        .iter()
        .filter(|(size, _)| *size == 1)
        .map(|(_, count)| *count as f64)
        .sum();
    if once >= table_rows / factor {
        return vec![(table_rows, 1.0)];
    }
    let usual = table_rows / distinct_values(table_rows / factor, seen, once, table_rows);
    let mut sizes = possible_sizes(1.0 / factor, usual);
    for _ in 0..ROUNDS {
        let mut shares = vec![0.0; sizes.len()];
        for (size, count) in rare {
            let at = (*size as usize).saturating_sub(1);
            let likely =
                |one: &Size| one.share * one.sampled.get(at).copied().unwrap_or(0.0) / one.seen;
            let whole = sizes.iter().map(likely).sum::<f64>().max(1e-300);
            sizes
                .iter()
                .zip(&mut shares)
                .for_each(|(one, share)| *share += *count as f64 * likely(one) / whole);
        }
        let whole = shares.iter().sum::<f64>().max(1e-300);
        sizes
            .iter_mut()
            .zip(&shares)
            .for_each(|(one, share)| one.share = share / whole);
    }
    let groups: Vec<(f64, f64)> = sizes
        .iter()
        .map(|one| (one.share * seen / one.seen, one.rows))
        .collect();
    let covered: f64 = groups.iter().map(|(count, rows)| count * rows).sum();
    groups
        .into_iter()
        .map(|(count, rows)| (count * table_rows / covered, rows))
        .filter(|(count, _)| *count > 1e-6)
        .collect()
}

/// Sizes from 1 to three times the size from which a key is frequent, if a `fraction` of the rows
/// is sampled.
fn possible_sizes(fraction: f64, usual: f64) -> Vec<Size> {
    let most = 3.0 * FREQUENT as f64 / fraction;
    let mut sizes = Vec::new();
    let mut rows: f64 = 1.0;
    while rows <= most {
        let none = (1.0 - fraction).powf(rows);
        let mut probability = none;
        let sampled = (0..FREQUENT - 1)
            .map(|before| {
                let before = before as f64;
                probability *=
                    (rows - before).max(0.0) / (before + 1.0) * fraction / (1.0 - fraction);
                probability
            })
            .collect();
        sizes.push(Size {
            rows,
            seen: 1.0 - none,
            sampled,
            share: 0.0,
        });
        rows = (rows + 1.0).max((rows * 1.3).floor());
    }
    let near = |one: &Size| (one.rows / usual).ln().abs();
    let everywhere = 0.5 / sizes.len() as f64;
    sizes.iter_mut().for_each(|one| one.share = everywhere);
    if let Some(nearest) = sizes.iter_mut().min_by(|a, b| near(a).total_cmp(&near(b))) {
        nearest.share += 0.5;
    }
    sizes
}

/// Duj1: `distinct` distinct values in the sample, `once` of them with one row.
fn distinct_values(sample_rows: f64, distinct: f64, once: f64, table_rows: f64) -> f64 {
    if sample_rows < 1.0 || distinct < 1.0 {
        return 0.0;
    }
    let estimate = sample_rows * distinct / (sample_rows - once + once * sample_rows / table_rows);
    estimate.clamp(distinct, table_rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(groups: &[(u64, u64)], rows: f64) -> f64 {
        SampledKeys {
            groups: groups.to_vec(),
            as_before: 0,
            page_share: 1.0,
        }
        .distinct_keys(rows)
    }

    fn near(estimate: f64, truth: f64, by: f64) {
        assert!(
            (estimate / truth - 1.0).abs() <= by,
            "{estimate} is not {truth}"
        );
    }

    #[test]
    fn all_different_and_few_values_are_recognized() {
        near(keys(&[(1, 30_000)], 1e6), 1e6, 0.01);
        near(keys(&[(1, 1_000)], 1e8), 1e8, 0.01);
        near(keys(&[(6_000, 5)], 1e6), 5.0, 1e-9);
        near(keys(&[(1, 10), (2, 20)], 50.0), 30.0, 1e-9);
        near(keys(&[], 100.0), 100.0, 1e-9);
    }

    /// A fifth of the rows of a tenth of the pages of a table of 50 000 orders with four lines
    /// each: of an order on these pages, 4 · 0.2 · 0.8³ have one line in the sample, and so on.
    #[test]
    fn what_lies_together_is_counted_where_it_lies() {
        let groups = vec![(1, 2_048), (2, 768), (3, 128), (4, 8)];
        let sample = |as_before| SampledKeys {
            groups: groups.clone(),
            as_before,
            page_share: 0.1,
        };
        near(sample(1_048).distinct_keys(200_000.0), 50_000.0, 0.1);
        assert!(
            sample(3).distinct_keys(200_000.0) < 10_000.0,
            "in no order, so few keys are not many"
        );
    }

    #[test]
    fn a_frequent_key_does_not_make_the_others_look_repeated() {
        near(keys(&[(6_000, 2), (1, 8_000)], 200_000.0), 80_002.0, 0.01);
    }

    /// A tenth of the rows of 60 000 keys of 5 rows each: 5 · 0.1 · 0.9⁴ of the groups are seen
    /// once, and so on.
    #[test]
    fn groups_of_one_size_are_counted() {
        near(
            keys(&[(1, 19_683), (2, 4_374), (3, 486), (4, 27)], 300_000.0),
            60_000.0,
            0.15,
        );
    }

    /// A tenth of 100 000 single rows and 2 000 groups of 50; ANALYZE assumes groups of one size.
    #[test]
    fn a_mixture_is_taken_apart() {
        let groups = [
            (1, 10_057),
            (2, 156),
            (3, 277),
            (4, 362),
            (5, 370),
            (6, 308),
            (7, 215),
            (8, 129),
            (9, 67),
            (10, 30),
            (11, 12),
            (12, 6),
        ];
        let estimate = keys(&groups, 200_000.0);
        near(estimate, 102_000.0, 0.1);
    }
}
