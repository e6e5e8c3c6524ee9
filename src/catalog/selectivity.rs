//! What share of a table's rows a condition keeps, from `pg_stats` alone: enough to decide whether
//! a partial index is worth a test (the planner decides in the rehearsal). After
//! src/backend/utils/adt/selfuncs.c, `var_eq_const`.

use super::tables::Column;
use crate::sql::literal_value;

impl Column {
    /// The share of rows where the column equals a constant. `literal` is as plans print it:
    /// `'PENDING'::text`, `5`, `true`.
    pub fn equality_share(&self, literal: &str, rows: f64) -> Option<f64> {
        let statistics = self.statistics.as_ref()?;
        if let Some((_, share)) = self.common_value(literal) {
            return Some(*share);
        }
        let common: f64 = statistics
            .most_common_values
            .iter()
            .map(|(_, share)| share)
            .sum();
        let others = self.distinct_values(rows)? - statistics.most_common_values.len() as f64;
        let left = (1.0 - common - statistics.null_fraction).max(0.0);
        Some(left / others.max(1.0))
    }

    /// The share of rows where the column is NULL.
    pub fn null_share(&self) -> Option<f64> {
        Some(self.statistics.as_ref()?.null_fraction)
    }

    /// The most common value that the literal stands for, with its share of the rows.
    pub fn common_value(&self, literal: &str) -> Option<&(String, f64)> {
        let value = literal_value(literal);
        self.statistics
            .as_ref()?
            .most_common_values
            .iter()
            .find(|(common, _)| same_value(common, &value))
    }

    /// How many equally frequent values would be as likely to be the same in two rows: one over the
    /// sum of the squared shares (Simpson, "Measurement of Diversity", Nature 163, 1949). Seven
    /// equal shares are seven; one value of 90 % and six others are not even one and a quarter.
    /// NULL counts as a value.
    pub fn effective_values(&self, rows: f64) -> Option<f64> {
        let statistics = self.statistics.as_ref()?;
        let shares = statistics
            .most_common_values
            .iter()
            .map(|(_, share)| *share)
            .chain([statistics.null_fraction]);
        let others = self.distinct_values(rows)? - statistics.most_common_values.len() as f64;
        let left = (1.0 - shares.clone().sum::<f64>()).max(0.0);
        let squares =
            shares.map(|share| share * share).sum::<f64>() + left * left / others.max(1.0);
        (squares > 0.0).then(|| 1.0 / squares)
    }
}

fn same_value(common: &str, value: &str) -> bool {
    let boolean = |text: &str| match text {
        "t" | "true" => Some(true),
        "f" | "false" => Some(false),
        _ => None,
    };
    common == value || boolean(common).is_some_and(|known| boolean(value) == Some(known))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ColumnStatistics;

    fn state() -> Column {
        let statistics = ColumnStatistics {
            null_fraction: 0.1,
            distinct: 4.0,
            most_common_values: vec![("DONE".to_owned(), 0.7), ("it's".to_owned(), 0.1)],
            ..ColumnStatistics::default()
        };
        Column {
            name: "state".to_owned(),
            type_name: "text".to_owned(),
            not_null: false,
            c_collation: false,
            names_partition: false,
            collation: None,
            statistics: Some(statistics),
        }
    }

    #[test]
    fn common_values_are_looked_up_and_the_rest_shared_out() {
        assert_eq!(state().equality_share("'DONE'::text", 1_000.0), Some(0.7));
        assert_eq!(state().equality_share("'it''s'::text", 1_000.0), Some(0.1));
        let other = state().equality_share("'NEW'::text", 1_000.0).unwrap();
        assert!((other - 0.05).abs() < 1e-9, "{other}");
    }

    #[test]
    fn even_values_count_and_rare_ones_hardly() {
        let of = |shares: &[f64], distinct: f64| {
            let most_common_values = shares
                .iter()
                .enumerate()
                .map(|(n, share)| (n.to_string(), *share))
                .collect();
            let statistics = ColumnStatistics {
                distinct,
                most_common_values,
                ..ColumnStatistics::default()
            };
            Column {
                statistics: Some(statistics),
                ..state()
            }
            .effective_values(1_000.0)
            .unwrap()
        };
        assert!((of(&[0.25; 4], 4.0) - 4.0).abs() < 1e-9);
        assert!(
            (of(&[], 50.0) - 50.0).abs() < 1e-9,
            "no value is more frequent than another"
        );
        assert!(of(&[0.9, 0.02, 0.02, 0.02, 0.02, 0.02], 6.0) < 1.25);
        assert!(of(&[0.02; 50], 50.0) > 49.0);
    }

    #[test]
    fn booleans_are_one_value_in_either_spelling() {
        assert!(same_value("t", "true"));
        assert!(!same_value("t", "false"));
    }

    #[test]
    fn varchar_is_relabelled_as_text_and_integers_are_not() {
        let varchar = Column {
            type_name: "character varying(20)".to_owned(),
            ..state()
        };
        assert!(varchar.is_relabelled_by("text"));
        let integer = Column {
            type_name: "integer".to_owned(),
            ..state()
        };
        assert!(!integer.is_relabelled_by("text"));
    }
}
