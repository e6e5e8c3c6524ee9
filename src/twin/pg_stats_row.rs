//! Rows of `pg_statistic` rebuilt from the view `pg_stats`, which shows the columns that the role
//! can read.
//!
//! The view omits the operators and collations of slots, and shows the kinds of slots only by which
//! of its columns are not NULL. ANALYZE takes both from the type (`std_typanalyze` in
//! src/backend/commands/analyze.c and the `typanalyze` functions of src/backend/utils/adt and
//! src/backend/tsearch), and so does this module.

use std::collections::BTreeMap;

use super::snapshot::{Oid, Slot, Statistic, Values};

/// `STATISTIC_NUM_SLOTS`, and the kinds of slots (src/include/catalog/pg_statistic.h).
const SLOTS: usize = 5;
const MOST_COMMON: i16 = 1;
const HISTOGRAM: i16 = 2;
const CORRELATION: i16 = 3;
const MOST_COMMON_ELEMENTS: i16 = 4;
const ELEMENT_COUNTS: i16 = 5;
const RANGE_LENGTHS: i16 = 6;
const RANGE_BOUNDS: i16 = 7;

/// `Float8LessOperator`, which lengths of ranges are sorted with
/// (src/backend/utils/adt/rangetypes_typanalyze.c).
const FLOAT8_LESS: Oid = 672;
/// `TEXTOID` and `DEFAULT_COLLATION_OID`: the lexemes of a `tsvector`
/// (src/backend/tsearch/ts_typanalyze.c).
const TEXT: Oid = 25;
const DEFAULT_COLLATION: Oid = 100;

/// The operators by which ANALYZE compares the values of a type (`lookup_type_cache`); 0 if there
/// is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Operators {
    /// Equality.
    pub equal: Oid,
    /// Less than.
    pub less: Oid,
}

/// A row of `pg_stats`, with what the catalog contains about the column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PgStatsRow {
    /// The table or the index.
    pub relation: Oid,
    /// The column's number.
    pub attribute: i16,
    /// `inherited`.
    pub inherited: bool,
    /// `null_frac`.
    pub null_fraction: f32,
    /// `avg_width`.
    pub width_bytes: i32,
    /// `n_distinct`.
    pub distinct: f32,
    /// The column's type.
    pub type_oid: Oid,
    /// The column's collation.
    pub collation: Oid,
    /// `most_common_vals`.
    pub common: Option<Values>,
    /// `most_common_freqs`.
    pub common_shares: Option<Vec<f32>>,
    /// `histogram_bounds`.
    pub bounds: Option<Values>,
    /// `correlation`.
    pub correlation: Option<f32>,
    /// `most_common_elems`.
    pub elements: Option<Values>,
    /// `most_common_elem_freqs`.
    pub element_shares: Option<Vec<f32>>,
    /// `elem_count_histogram`.
    pub element_counts: Option<Vec<f32>>,
    /// `range_bounds_histogram` (PostgreSQL 17 and later).
    pub range_bounds: Option<Values>,
    /// `range_length_histogram`.
    pub range_lengths: Option<Values>,
    /// `range_empty_frac`.
    pub range_empty: Option<f32>,
}

impl PgStatsRow {
    /// The type that ANALYZE used: for an expression its type, not the type that the index stores.
    fn analyzed_type(&self) -> Oid {
        let values = self.common.as_ref().or(self.bounds.as_ref());
        values.map_or(self.type_oid, |values| values.element_type)
    }

    /// The types whose operators [`PgStatsRow::rebuilt`] needs.
    pub fn types(&self) -> impl Iterator<Item = Oid> {
        let elements = self.elements.as_ref().map(|values| values.element_type);
        std::iter::once(self.analyzed_type()).chain(elements)
    }

    /// The row as ANALYZE wrote it, slots in its order.
    pub fn rebuilt(&self, operators: &BTreeMap<Oid, Operators>) -> Statistic {
        let of = |type_oid: Oid| operators.get(&type_oid).copied().unwrap_or_default();
        let mut slots: Vec<Slot> = Vec::with_capacity(SLOTS);
        self.add_ranges(&mut slots);
        self.add_scalars(of(self.analyzed_type()), &mut slots);
        self.add_elements(of, &mut slots);
        slots.resize(SLOTS, Slot::default());
        Statistic {
            relation: self.relation,
            attribute: self.attribute,
            inherited: self.inherited,
            null_fraction: self.null_fraction,
            width_bytes: self.width_bytes,
            distinct: self.distinct,
            slots,
        }
    }

    /// `compute_scalar_stats` and `compute_distinct_stats`.
    fn add_scalars(&self, Operators { equal, less }: Operators, slots: &mut Vec<Slot>) {
        let slot = |kind, operator, numbers, values| Slot {
            kind,
            operator,
            collation: self.collation,
            numbers,
            values,
        };
        if self.common.is_some() {
            slots.push(slot(
                MOST_COMMON,
                equal,
                self.common_shares.clone(),
                self.common.clone(),
            ));
        }
        if self.bounds.is_some() {
            slots.push(slot(HISTOGRAM, less, None, self.bounds.clone()));
        }
        if let Some(correlation) = self.correlation {
            slots.push(slot(CORRELATION, less, Some(vec![correlation]), None));
        }
    }

    /// `compute_array_stats` and `compute_tsvector_stats`.
    fn add_elements(&self, of: impl Fn(Oid) -> Operators, slots: &mut Vec<Slot>) {
        let Some(elements) = &self.elements else {
            return;
        };
        let equal = of(elements.element_type).equal;
        let lexemes = self.collation == 0 && elements.element_type == TEXT;
        let collation = if lexemes {
            DEFAULT_COLLATION
        } else {
            self.collation
        };
        let slot = |kind, numbers, values| Slot {
            kind,
            operator: equal,
            collation,
            numbers,
            values,
        };
        slots.push(slot(
            MOST_COMMON_ELEMENTS,
            self.element_shares.clone(),
            Some(elements.clone()),
        ));
        if let Some(counts) = &self.element_counts {
            slots.push(slot(ELEMENT_COUNTS, Some(counts.clone()), None));
        }
    }

    /// `compute_range_stats`.
    fn add_ranges(&self, slots: &mut Vec<Slot>) {
        if let Some(bounds) = &self.range_bounds {
            slots.push(Slot {
                kind: RANGE_BOUNDS,
                values: Some(bounds.clone()),
                ..Slot::default()
            });
        }
        if let Some(empty) = self.range_empty {
            slots.push(Slot {
                kind: RANGE_LENGTHS,
                operator: FLOAT8_LESS,
                collation: 0,
                numbers: Some(vec![empty]),
                values: self.range_lengths.clone(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(element_type: Oid, literal: &str) -> Option<Values> {
        Some(Values {
            element_type,
            literal: literal.to_owned(),
        })
    }

    #[test]
    fn slots_come_in_the_order_of_analyze() {
        let shown = PgStatsRow {
            type_oid: 1009,
            collation: 950,
            common: values(1009, "{\"{a}\"}"),
            common_shares: Some(vec![0.5]),
            correlation: Some(0.25),
            elements: values(TEXT, "{a}"),
            element_shares: Some(vec![0.5, 0.1, 0.9]),
            element_counts: Some(vec![1.0, 1.0, 1.0]),
            ..PgStatsRow::default()
        };
        assert_eq!(shown.types().collect::<Vec<_>>(), [1009, TEXT]);
        let operators = BTreeMap::from([
            (
                1009,
                Operators {
                    equal: 1070,
                    less: 1072,
                },
            ),
            (
                TEXT,
                Operators {
                    equal: 98,
                    less: 664,
                },
            ),
        ]);
        let slots: Vec<_> = shown
            .rebuilt(&operators)
            .slots
            .iter()
            .map(|slot| {
                (
                    slot.kind,
                    slot.operator,
                    slot.collation,
                    slot.numbers.is_some(),
                    slot.values.is_some(),
                )
            })
            .collect();
        let expected = [
            (MOST_COMMON, 1070, 950, true, true),
            (CORRELATION, 1072, 950, true, false),
            (MOST_COMMON_ELEMENTS, 98, 950, true, true),
            (ELEMENT_COUNTS, 98, 950, true, false),
            (0, 0, 0, false, false),
        ];
        assert_eq!(slots, expected);
    }

    #[test]
    fn lexemes_are_texts_and_lengths_of_ranges_are_numbers() {
        let lexemes = PgStatsRow {
            type_oid: 3614,
            elements: values(TEXT, "{a}"),
            ..PgStatsRow::default()
        };
        let [first, second, ..] = &lexemes.rebuilt(&BTreeMap::new()).slots[..] else {
            panic!()
        };
        assert_eq!(
            (first.kind, first.collation, second.kind),
            (MOST_COMMON_ELEMENTS, DEFAULT_COLLATION, 0)
        );
        let ranges = PgStatsRow {
            range_empty: Some(0.5),
            range_bounds: values(3904, "{[1,2)}"),
            ..PgStatsRow::default()
        };
        let [first, second, ..] = &ranges.rebuilt(&BTreeMap::new()).slots[..] else {
            panic!()
        };
        assert_eq!(
            (first.kind, second.kind, second.operator),
            (RANGE_BOUNDS, RANGE_LENGTHS, FLOAT8_LESS)
        );
    }
}
