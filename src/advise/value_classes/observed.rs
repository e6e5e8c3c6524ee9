//! Values that a log has: the classes are those that were seen, with the shares of the executions.
//! `pg_stats` says which class a value belongs to.

use std::collections::BTreeMap;

use super::slot::{Found, Kind, MIN_SKEW, Slot};
use crate::catalog::Column;
use crate::sql::{ValuePlace, literal_texts, literal_value};
use crate::workload::{Frequency, ObservedValues, Seen, Statement};

/// More rows than a page.
const MANY_ROWS: f64 = 100.0;

/// Bounds within which this share of the rows is are wide.
const WIDE: f64 = 0.5;
/// And less than this, narrow.
const NARROW: f64 = 0.1;

/// Each class with the values that were seen most often. The class of the statement as it is written
/// is not among them: the statement stands for it.
pub(super) fn texts(statement: &Statement, slots: &[Slot<'_>]) -> Vec<Found> {
    let class = |sql: &str| class_of(&literal_texts(sql)?, slots);
    let mut classes: BTreeMap<Frequency, (u64, &ObservedValues)> = BTreeMap::new();
    let mut all = 0;
    for observed in &statement.observed {
        let Some(class) = class(&observed.sql) else {
            continue;
        };
        all += observed.executions;
        let (executions, first) = classes.entry(class).or_insert((0, observed));
        *executions += observed.executions;
        let by = |one: &ObservedValues| (one.executions, std::cmp::Reverse(one.sql.clone()));
        if by(observed) > by(first) {
            *first = observed;
        }
    }
    if let Some(own) = class(&statement.sql) {
        classes.remove(&own);
    }
    let found = classes.into_iter().map(|(frequency, (executions, text))| {
        let seen = Seen {
            executions,
            of: all,
        };
        Found {
            frequency,
            share: executions as f64 / all as f64,
            sql: text.sql.clone(),
            values: named(&text.sql, slots),
            seen: Some(seen),
        }
    });
    found.collect()
}

/// What has which value in this text.
fn named(sql: &str, slots: &[Slot<'_>]) -> Vec<(String, String)> {
    let literals = literal_texts(sql).unwrap_or_default();
    let named = slots
        .iter()
        .filter_map(|slot| Some((slot.label.clone(), at(&literals, slot)?.clone())));
    let mut named: Vec<(String, String)> = named.collect();
    named.sort();
    named
}

fn at<'l>(literals: &'l [String], slot: &Slot<'_>) -> Option<&'l String> {
    match slot.place {
        ValuePlace::Literal(position) => literals.get(position),
        ValuePlace::Parameter(_) => None,
    }
}

/// By the first value that a column is compared with; without one by the rows within the bounds,
/// and without these by LIMIT.
fn class_of(literals: &[String], slots: &[Slot<'_>]) -> Option<Frequency> {
    let value = |slot: &Slot<'_>| at(literals, slot).map(|text| literal_value(text));
    let first = slots.iter().find(|slot| slot.kind == Kind::Value);
    if let Some(slot) = first {
        return Some(frequency(&value(slot)?, slot.column?, slot.rows));
    }
    let mut within = slots
        .iter()
        .filter_map(|slot| Some((slot, share_below(slot.column?, &value(slot)?)?)))
        .peekable();
    if within.peek().is_some() {
        let (mut low, mut high) = (0.0_f64, 1.0_f64);
        for (slot, below) in within {
            match slot.kind {
                Kind::LowerBound => low = low.max(below),
                _ => high = high.min(below),
            }
        }
        return Some(match high - low {
            share if share >= WIDE => Frequency::WideRange,
            share if share >= NARROW => Frequency::MediumRange,
            _ => Frequency::NarrowRange,
        });
    }
    let limit = slots.iter().find(|slot| slot.kind == Kind::Limit)?;
    let rows: f64 = value(limit)?.parse().ok()?;
    Some(if rows > MANY_ROWS {
        Frequency::LargeLimit
    } else {
        Frequency::SmallLimit
    })
}

/// How common a value is among those of the column.
fn frequency(value: &str, column: &Column, rows: f64) -> Frequency {
    let Some(statistics) = &column.statistics else {
        return Frequency::Rare;
    };
    let common = &statistics.most_common_values;
    let most = common.first().map_or(0.0, |(_, share)| *share);
    let listed: f64 = common.iter().map(|(_, share)| share).sum();
    let others = column.distinct_values(rows).unwrap_or(1.0) - common.len() as f64;
    let of_rare = if statistics.histogram.is_empty() {
        common.last().map_or(0.0, |(_, share)| *share)
    } else {
        (1.0 - listed - statistics.null_fraction).max(0.0) / others.max(1.0)
    };
    match common.iter().find(|(known, _)| known == value) {
        Some((_, share)) if *share * MIN_SKEW > most => Frequency::MostCommon,
        Some((_, share)) if *share > of_rare * MIN_SKEW => Frequency::Median,
        Some(_) => Frequency::Rare,
        None if statistics.histogram.is_empty() => Frequency::Absent,
        None => Frequency::Rare,
    }
}

/// The share of rows with a smaller value, by the histogram.
fn share_below(column: &Column, value: &str) -> Option<f64> {
    let histogram = &column.statistics.as_ref()?.histogram;
    let last = histogram.len().checked_sub(1).filter(|last| *last > 0)?;
    let is_smaller = |bound: &&String| match (bound.parse::<f64>(), value.parse::<f64>()) {
        (Ok(bound), Ok(value)) => bound < value,
        // Dates and times in ISO's order of parts sort like their texts.
        _ => bound.as_str() < value,
    };
    let smaller = histogram.iter().filter(is_smaller).count();
    Some((smaller as f64 / last as f64).min(1.0))
}
