//! Statistics of columns after growth.

use super::factors::Growth;
use super::relations::{ColumnKey, Relations};
use crate::twin::Snapshot;
use crate::twin::array_literal::ArrayLiteral;
use crate::twin::scalar::{Position, Scale};
use crate::twin::snapshot::{Extremes, Oid, Slot, Statistic};

/// From this correlation on, a column's rows count as ordered by it.
pub const IN_ORDER: f32 = 0.99;

/// `STATISTIC_KIND_…` (src/include/catalog/pg_statistic.h).
const MOST_COMMON: i16 = 1;
const HISTOGRAM: i16 = 2;
const CORRELATION: i16 = 3;

/// From this share on, ANALYZE stores the number of distinct values as a share of the rows
/// (`compute_scalar_stats`, src/backend/commands/analyze.c).
const GROWING_SHARE: f64 = 0.1;

/// A column with this many rows for each value, on average, is taken for a set that stays: values
/// that come back in all parts of the table. ANALYZE's tenth says how a number is stored, not
/// whether it grows.
const ROWS_OF_A_KIND: f64 = 5.0;
/// With fewer than this many it is taken for a key, of which new rows bring new values.
const ROWS_OF_A_KEY: f64 = 2.0;

/// How one column grows.
#[derive(Debug, Clone, Copy, PartialEq)]
struct ColumnGrowth {
    /// The number of rows is multiplied by this.
    rows: f64,
    /// The number of values of an open set is multiplied by this.
    values: Option<f64>,
    /// How the range of values changes.
    value_shift: ValueShift,
}

/// How the range of a column's values changes with growth.
#[derive(Debug, Clone, Copy, PartialEq)]
enum ValueShift {
    /// The same range as before.
    Same,
    /// The old values stay, and similar new ones follow.
    Extended { factor: f64 },
    /// The values are spread over a range that is longer by this factor.
    Stretched { factor: f64 },
}

pub(super) fn grow(
    grown: &mut Snapshot,
    before: &Snapshot,
    relations: &Relations<'_>,
    growth: &Growth,
) {
    let extremes = |key: ColumnKey| {
        before
            .extremes
            .iter()
            .find(|found| (found.relation, found.attribute) == key)
    };
    let value_shift = |key: ColumnKey| value_shift(before, relations, growth, key);
    for statistic in &mut grown.statistics {
        let key = (statistic.relation, statistic.attribute);
        let table = relations.table_of(key.0).unwrap_or(key.0);
        let factor = if statistic.inherited {
            relations.factor_with_children(table, growth)
        } else {
            relations.factor(table, growth)
        };
        let rows = if statistic.inherited {
            relations.rows_with_children(table)
        } else {
            relations.rows(table)
        };
        let referenced = relations
            .referenced(key)
            .map(|(table, _)| relations.factor_with_children(table, growth));
        let change = ColumnGrowth {
            rows: factor,
            values: referenced,
            value_shift: value_shift(key),
        };
        if change
            != (ColumnGrowth {
                rows: 1.0,
                values: referenced.map(|_| 1.0),
                value_shift: ValueShift::Same,
            })
        {
            statistic.grow(change, rows, extremes(key));
        }
    }
    for ends in &mut grown.extremes {
        if let Some((line, smallest, largest)) = ends.line(before) {
            let factor = match value_shift((ends.relation, ends.attribute)) {
                ValueShift::Same => continue,
                ValueShift::Extended { factor } | ValueShift::Stretched { factor } => factor,
            };
            ends.largest = Some(line.write(largest.plus(largest.minus(smallest) * (factor - 1.0))));
        }
    }
}

/// How the range of a column's values grows.
fn value_shift(
    snapshot: &Snapshot,
    relations: &Relations<'_>,
    growth: &Growth,
    key: ColumnKey,
) -> ValueShift {
    if relations.is_partition_key(key) {
        return ValueShift::Same;
    }
    let in_order = |key: ColumnKey| {
        let own = snapshot
            .statistics
            .iter()
            .filter(|statistic| (statistic.relation, statistic.attribute) == key);
        own.min_by_key(|statistic| statistic.inherited)
            .is_some_and(Statistic::is_in_order)
    };
    match relations.referenced(key) {
        // A foreign key grows like the key it refers to.
        Some(referenced) if in_order(referenced) && !relations.is_partition_key(referenced) => {
            ValueShift::Stretched {
                factor: relations.factor_with_children(referenced.0, growth),
            }
        }
        Some(_) => ValueShift::Same,
        None if in_order(key) => ValueShift::Extended {
            factor: relations.factor(key.0, growth),
        },
        None => ValueShift::Same,
    }
}

impl Extremes {
    /// The scale of a column from its histogram, and the two ends of the histogram.
    fn line(&self, snapshot: &Snapshot) -> Option<(Scale, Position, Position)> {
        let own = |statistic: &&Statistic| {
            (statistic.relation, statistic.attribute) == (self.relation, self.attribute)
        };
        let line = snapshot
            .statistics
            .iter()
            .filter(own)
            .find_map(|statistic| statistic.line())?;
        Some((
            line,
            line.read(self.smallest.as_deref()?)?,
            line.read(self.largest.as_deref()?)?,
        ))
    }
}

impl Statistic {
    fn slot(&self, kind: i16) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.kind == kind)
    }

    fn line(&self) -> Option<Scale> {
        let type_oid: Oid = self.slot(HISTOGRAM)?.values.as_ref()?.element_type;
        Scale::of(type_oid)
    }

    /// Are the rows in the order of this column, and do its values look like a time or a counter? A
    /// few values with many rows each do not.
    fn is_in_order(&self) -> bool {
        let correlation = self
            .slot(CORRELATION)
            .and_then(|slot| slot.numbers.as_ref()?.first().copied());
        let is_open = self
            .line()
            .is_some_and(|line| line.is_time() || self.distinct < 0.0);
        is_open && correlation.is_some_and(|correlation| correlation > IN_ORDER)
    }

    /// How far new rows bring new values: 0, the set stays; 1, it grows as the rows do. Between a set
    /// and a key nothing is known, and the number grows with a power of the rows, so that it is not
    /// far from either.
    fn openness(&self, number: f64, rows: f64) -> f64 {
        let correlation = self
            .slot(CORRELATION)
            .and_then(|slot| slot.numbers.as_ref()?.first().copied());
        let is_in_order = correlation.is_some_and(|correlation| correlation.abs() > IN_ORDER);
        let share = number / rows;
        if is_in_order && share > GROWING_SHARE {
            // Each value has its place in the table.
            return 1.0;
        }
        let (kind, key) = (1.0 / ROWS_OF_A_KIND, 1.0 / ROWS_OF_A_KEY);
        ((share - kind) / (key - kind)).clamp(0.0, 1.0)
    }

    /// Does the list of most common values contain all values?
    fn is_complete(&self) -> bool {
        self.slot(MOST_COMMON).is_some() && self.slot(HISTOGRAM).is_none()
    }

    fn grow(&mut self, change: ColumnGrowth, rows: f64, extremes: Option<&Extremes>) {
        let complete = self.is_complete();
        let distinct = f64::from(self.distinct);
        let number = if distinct < 0.0 {
            -distinct * rows
        } else {
            distinct
        };
        let values = change.values.unwrap_or(match change.value_shift {
            ValueShift::Extended { factor } | ValueShift::Stretched { factor } => factor,
            ValueShift::Same => change.rows.powf(self.openness(number, rows)),
        });
        let grows_alike = (values - change.rows).abs() < 1e-9;
        let is_key = distinct < 0.0 && !complete && change.values.is_none() && grows_alike;
        if number <= 0.0 || rows <= 0.0 || is_key {
            // Unknown, or a share of the rows as before.
        } else if complete && change.values.is_none() {
            self.set_distinct(number, rows * change.rows, distinct > 0.0);
        } else {
            self.set_distinct(number * values, rows * change.rows, false);
            self.make_rarer(values.max(1.0));
        }
        if change.value_shift != ValueShift::Same {
            self.extend_histogram(change.value_shift, extremes);
        }
    }

    /// In the form that ANALYZE stores.
    fn set_distinct(&mut self, number: f64, rows: f64, as_number: bool) {
        let share = (number / rows).min(1.0);
        let is_share = share > GROWING_SHARE && !as_number;
        self.distinct = if is_share {
            -share as f32
        } else {
            number.min(rows).round() as f32
        };
    }

    /// Each of the most common values keeps its number of rows, and there are more values.
    fn make_rarer(&mut self, factor: f64) {
        for slot in self
            .slots
            .iter_mut()
            .filter(|slot| slot.kind == MOST_COMMON)
        {
            for share in slot.numbers.iter_mut().flatten() {
                *share = (f64::from(*share) / factor) as f32;
            }
        }
    }

    fn extend_histogram(&mut self, value_shift: ValueShift, extremes: Option<&Extremes>) {
        let Some(line) = self.line() else { return };
        let slot = self.slots.iter_mut().find(|slot| slot.kind == HISTOGRAM);
        let Some(values) = slot.and_then(|slot| slot.values.as_mut()) else {
            return;
        };
        let Some(array) = ArrayLiteral::parse(&values.literal) else {
            return;
        };
        let bounds: Option<Vec<Position>> = array
            .elements()
            .into_iter()
            .map(|text| line.read(text))
            .collect();
        let Some(bounds) = bounds.filter(|bounds| bounds.len() > 1) else {
            return;
        };
        let ends = extremes.and_then(|ends| {
            Some((
                line.read(ends.smallest.as_deref()?)?,
                line.read(ends.largest.as_deref()?)?,
            ))
        });
        let extended = extend(&bounds, value_shift, ends);
        values.literal =
            ArrayLiteral::of(extended.into_iter().map(|bound| line.write(bound))).to_string();
    }
}

/// The same number of bounds, over the range with what was added.
fn extend(
    bounds: &[Position],
    value_shift: ValueShift,
    ends: Option<(Position, Position)>,
) -> Vec<Position> {
    let (Some(first), Some(last)) = (bounds.first().copied(), bounds.last().copied()) else {
        return Vec::new();
    };
    let (start, end) = ends.unwrap_or((first, last));
    let period = end.minus(start).max(last.minus(first));
    let steps = (bounds.len() - 1) as f64;
    let bound = |number: usize| match value_shift {
        ValueShift::Same => bounds.get(number).copied().unwrap_or(last),
        ValueShift::Stretched { factor } => {
            let old = bounds.get(number).copied().unwrap_or(last);
            start.plus(old.minus(start) * factor)
        }
        ValueShift::Extended { factor } => {
            let place = number as f64 / steps * factor;
            // The last bound is the end of the last repetition, not the beginning of the next one.
            let rounds = if number as f64 == steps {
                (place.ceil() - 1.0).max(0.0)
            } else {
                place.floor()
            };
            within(bounds, (place - rounds) * steps).plus(rounds * period)
        }
    };
    (0..bounds.len()).map(bound).collect()
}

/// A value between two bounds.
fn within(bounds: &[Position], place: f64) -> Position {
    let at = (place.max(0.0) as usize).min(bounds.len().saturating_sub(1));
    match (bounds.get(at), bounds.get(at + 1)) {
        (Some(one), Some(next)) => one.plus(next.minus(*one) * (place - at as f64)),
        (Some(one), None) => *one,
        _ => Position::Whole(0),
    }
}
