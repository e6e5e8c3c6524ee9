//! What a sample of rows says about all of them.

/// Groups of equal keys in a uniform random sample of a table's rows.
///
/// The rows must be chosen one by one: a sample of whole pages (`TABLESAMPLE SYSTEM`) has neighbours, and so too many duplicates.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SampledKeys {
    /// How many groups there are of each size: (rows of a group in the sample, such groups), as
    /// `SELECT size, count(*) FROM (SELECT count(*) AS size FROM sample GROUP BY keys) GROUP BY size`. NULL is a key here.
    pub groups: Vec<(u64, u64)>,
}

/// Keys that a sample has at least so often are taken as they are; rarer ones are estimated together.
const FREQUENT: u64 = 12;

impl SampledKeys {
    /// Rows in the sample.
    pub fn rows(&self) -> f64 {
        self.groups.iter().map(|(size, count)| *size as f64 * *count as f64).sum()
    }

    /// How many distinct keys a table of `table_rows` rows has: the frequent ones of the sample, and for the others the estimator of
    /// `ANALYZE` (Haas and Stokes' Duj1, src/backend/commands/analyze.c, `compute_scalar_stats`).
    pub fn distinct_keys(&self, table_rows: f64) -> f64 {
        let (frequent, rare) = self.scaled(table_rows);
        frequent.iter().map(|(count, _)| count).sum::<f64>() + rare.1
    }

    /// The frequent keys as (number, rows of each in the table), and the rows and number of all others.
    pub(super) fn scaled(&self, table_rows: f64) -> (Vec<(f64, f64)>, (f64, f64)) {
        let rows = self.rows();
        if rows < 1.0 {
            return (Vec::new(), (table_rows, table_rows));
        }
        let factor = (table_rows / rows).max(1.0);
        let frequent: Vec<(f64, f64)> = self
            .groups
            .iter()
            .filter(|(size, _)| *size >= FREQUENT)
            .map(|(size, count)| (*count as f64, *size as f64 * factor))
            .collect();
        let rare = SampledKeys { groups: self.groups.iter().filter(|(size, _)| *size < FREQUENT).copied().collect() };
        let rare_rows = rare.rows();
        let count = |wanted: fn(u64) -> bool| -> f64 {
            rare.groups.iter().filter(|(size, _)| wanted(*size)).map(|(_, count)| *count as f64).sum()
        };
        let keys = distinct_values(rare_rows, count(|_| true), count(|size| size == 1), rare_rows * factor);
        (frequent, (rare_rows * factor, keys))
    }
}

/// Duj1: `distinct` distinct values in the sample, `once` of them with one row.
fn distinct_values(sample_rows: f64, distinct: f64, once: f64, table_rows: f64) -> f64 {
    if sample_rows < 1.0 || distinct < 1.0 {
        return 0.0;
    }
    if once >= sample_rows {
        return table_rows;
    }
    let estimate = sample_rows * distinct / (sample_rows - once + once * sample_rows / table_rows);
    estimate.clamp(distinct, table_rows)
}

/// Mean and standard deviation of the stored lengths of some values (`pg_column_size`), for
/// [`super::StoredColumn::average_width_bytes`] and `width_deviation_bytes`. `None` without values.
pub fn width_bytes(lengths: &[f64]) -> Option<(f64, f64)> {
    if lengths.is_empty() {
        return None;
    }
    let count = lengths.len() as f64;
    let mean = lengths.iter().sum::<f64>() / count;
    let variance = lengths.iter().map(|length| (length - mean).powi(2)).sum::<f64>() / count;
    Some((mean, variance.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distinct_keys_are_those_of_analyze() {
        let keys = |groups: &[(u64, u64)], rows: f64| SampledKeys { groups: groups.to_vec() }.distinct_keys(rows);
        assert!((keys(&[(1, 30_000)], 1e6) - 1e6).abs() < 1e-6);
        assert!((keys(&[(6_000, 5)], 1e6) - 5.0).abs() < 1e-6);
        // n d / (n - f1 + f1 n / N)
        assert!((keys(&[(1, 800), (2, 100)], 10_000.0) - 1_000.0 * 900.0 / 280.0).abs() < 1e-6);
        assert!((keys(&[], 100.0) - 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_frequent_key_does_not_make_the_others_look_repeated() {
        let keys = SampledKeys { groups: vec![(6_000, 2), (1, 8_000)] };
        assert!((keys.distinct_keys(200_000.0) - 80_002.0).abs() < 1e-6);
    }

    #[test]
    fn widths_have_a_mean_and_a_deviation() {
        assert_eq!(width_bytes(&[]), None);
        assert_eq!(width_bytes(&[2.0, 4.0]), Some((3.0, 1.0)));
    }
}
