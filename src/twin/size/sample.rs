//! What a sample of rows says about all of them.

/// How many distinct values a table has, by a uniform random sample of its rows: the estimator of `ANALYZE` (Haas and Stokes' Duj1,
/// src/backend/commands/analyze.c, `compute_scalar_stats`).
///
/// `distinct_in_sample` counts the sample's distinct values and `once_in_sample` those of them that it has only once. The rows must
/// be chosen one by one: a sample of whole pages (`TABLESAMPLE SYSTEM`) has neighbours, and so too many duplicates.
pub fn distinct_values(sample_rows: f64, distinct_in_sample: f64, once_in_sample: f64, table_rows: f64) -> f64 {
    if sample_rows < 1.0 || distinct_in_sample < 1.0 {
        return 0.0;
    }
    let table_rows = table_rows.max(sample_rows);
    if once_in_sample >= sample_rows {
        return table_rows;
    }
    let estimate =
        sample_rows * distinct_in_sample / (sample_rows - once_in_sample + once_in_sample * sample_rows / table_rows);
    estimate.clamp(distinct_in_sample, table_rows)
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
    fn distinct_values_are_those_of_analyze() {
        assert!((distinct_values(30_000.0, 30_000.0, 30_000.0, 1e6) - 1e6).abs() < 1e-6);
        assert!((distinct_values(30_000.0, 5.0, 0.0, 1e6) - 5.0).abs() < 1e-6);
        // n d / (n - f1 + f1 n / N)
        assert!((distinct_values(1_000.0, 900.0, 800.0, 10_000.0) - 1_000.0 * 900.0 / 280.0).abs() < 1e-6);
        assert!(distinct_values(0.0, 0.0, 0.0, 100.0).abs() < 1e-9);
    }

    #[test]
    fn widths_have_a_mean_and_a_deviation() {
        assert_eq!(width_bytes(&[]), None);
        assert_eq!(width_bytes(&[2.0, 4.0]), Some((3.0, 1.0)));
    }
}
