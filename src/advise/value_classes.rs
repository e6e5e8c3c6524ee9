//! Parameters are classes of values: a statement with `$1`, or with a literal that is one value of
//! many, is also planned with the most common value, with that of the row in the middle, with a rare
//! one and with one that no row has. An index is then judged by the expected cost over the classes,
//! with the shares that `pg_stats` gives them.
//!
//! Where a log has the values of enough executions, these are the classes, with their shares of the
//! executions (`observed`).
//!
//! Only where it can matter: where the most common value has many times the rows of a rare one, for
//! bounds of ranges, and for a LIMIT that is a parameter.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::Baseline;
use crate::candidate::names_a_kind;
use crate::catalog::{Catalog, Column, Table};
use crate::index::Key;
use crate::plan::Plan;
use crate::predicate::{Condition, ConditionKind, Operand, RelationUse, relation_uses};
use crate::sql::{
    ValuePlace, limit_place, literal_value, literals, literals_equal_to, parameters, with_values,
};
use crate::workload::{Frequency, Statement, ValueClass, Workload};

mod observed;
mod prefix;
mod slot;

use slot::{ABSENT, FREQUENCIES, Found, Kind, MIN_SKEW, Slot, Values};

/// How many statements are planned with classes of values: the most expensive ones.
const MAX_STATEMENTS: usize = 40;

/// In a smaller table every value has few rows.
const MIN_ROWS: f64 = 1_000.0;

/// How many rows the most common value has to have.
const MIN_COMMON_ROWS: f64 = 100.0;

/// The share of the calls that the statement as it is written stands for: for parameters, those that
/// use a generic plan.
const SHARE_OF_GENERIC: f64 = 0.25;
const SHARE_OF_LITERAL: f64 = 0.5;

/// No class has a smaller share: what is rare in the table is often what is asked for.
const MIN_SHARE: f64 = 0.1;
const SHARE_OF_ABSENT: f64 = 0.05;

/// Values of a LIMIT: a page, and everything that a program reads at once.
const SMALL_LIMIT: &str = "20";
const LARGE_LIMIT: &str = "1000";

/// The statements to plan besides those of the workload.
pub(super) fn of(workload: &Workload, baseline: &Baseline, catalog: &Catalog) -> Vec<Statement> {
    let planned = workload
        .statements()
        .iter()
        .filter_map(|statement| Some((statement, baseline.get(&statement.id)?.plan()?)));
    let mut with_slots: Vec<(&Statement, &Plan, Vec<Slot<'_>>)> = planned
        .map(|(statement, plan)| (statement, plan, slots(statement, plan, catalog)))
        .filter(|(_, _, slots)| !slots.is_empty())
        .collect();
    let weight = |(statement, plan, _): &(&Statement, &Plan, Vec<Slot<'_>>)| {
        statement.calls * plan.total_cost().0
    };
    with_slots.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    with_slots
        .into_iter()
        .take(MAX_STATEMENTS)
        .flat_map(|(statement, _, slots)| classes(statement, &slots))
        .collect()
}

/// The workload with those of these statements that could be planned; the calls are shared out.
pub(super) fn added(workload: &Workload, classes: Vec<Statement>, baseline: &Baseline) -> Workload {
    let is_planned = |statement: &Statement| {
        let outcome = baseline.get(&statement.id);
        outcome.is_some_and(|outcome| outcome.plan().is_some())
    };
    let classes: Vec<Statement> = classes.into_iter().filter(is_planned).collect();
    let taken = |statement: &Statement| -> f64 {
        let own = classes.iter().filter(|class| {
            let of = class.value_class.as_ref().map(|class| &class.of);
            of == Some(&statement.id)
        });
        own.map(|class| class.calls).sum()
    };
    let left: Vec<Statement> = workload
        .statements()
        .iter()
        .map(|statement| Statement {
            calls: statement.calls - taken(statement),
            calls_of_classes: taken(statement),
            ..statement.clone()
        })
        .collect();
    workload.with_replaced(&left).with(classes)
}

/// Where the statement has values that matter.
fn slots<'c>(statement: &Statement, plan: &Plan, catalog: &'c Catalog) -> Vec<Slot<'c>> {
    let mut found: Vec<Slot<'c>> = Vec::new();
    for relation in relation_uses(plan, catalog) {
        let Some(table) = catalog.table(&relation.table) else {
            continue;
        };
        if table.rows.unwrap_or(0.0) < MIN_ROWS {
            continue;
        }
        let in_arms = relation.alternatives.iter().flatten().flatten();
        for condition in relation.conditions.iter().chain(in_arms) {
            let slot = slot(statement, condition, (&relation, table), catalog);
            let is_new = |slot: &Slot<'_>| found.iter().all(|known| known.place != slot.place);
            found.extend(slot.filter(is_new));
        }
    }
    let limit = match limit_place(&statement.sql) {
        Some(ValuePlace::Literal(_)) if statement.observed.is_empty() => None,
        Some(place) => Some((place, label_of_limit(place))),
        None => None,
    };
    if let Some((place, label)) = limit {
        found.push(Slot {
            place,
            also: Vec::new(),
            label,
            values: [
                Some((SMALL_LIMIT.to_owned(), 0.0)),
                Some((LARGE_LIMIT.to_owned(), 0.0)),
                None,
                None,
            ],
            kind: Kind::Limit,
            column: None,
            rows: 0.0,
        });
    }
    found
}

fn label_of_limit(place: ValuePlace) -> String {
    match place {
        ValuePlace::Parameter(number) => format!("${number}"),
        ValuePlace::Literal(_) => "LIMIT".to_owned(),
    }
}

fn slot<'c>(
    statement: &Statement,
    condition: &Condition,
    (relation, table): (&RelationUse, &'c Table),
    catalog: &Catalog,
) -> Option<Slot<'c>> {
    let searched = prefix::column(condition, table);
    let column = match &condition.key {
        Key::Column(name) => table.column(name)?,
        Key::Expression(_) => searched?,
    };
    let (places, label) = places(statement, condition, (relation, table), catalog)?;
    let (place, also) = places.split_first()?;
    let place = *place;
    let (values, kind) = match condition.kind {
        ConditionKind::Equality => {
            let values = equality_values(column, table.rows?);
            let reads_until_found = relation.limited && !relation.orders.is_empty();
            let absent = || only_absent(column).filter(|_| reads_until_found);
            (values.or_else(absent)?, Kind::Value)
        }
        ConditionKind::Membership if condition.operand == Operand::RunTime => {
            (equality_values(column, table.rows?)?, Kind::Value)
        }
        ConditionKind::Range
            if matches!(place, ValuePlace::Parameter(_)) || !statement.observed.is_empty() =>
        {
            let kind = if condition.operator.starts_with('>') {
                Kind::LowerBound
            } else {
                Kind::UpperBound
            };
            (bounds(column, condition, relation)?, kind)
        }
        ConditionKind::Other => (prefix::values(searched?)?, Kind::Beginning),
        _ => return None,
    };
    let written = |(value, share): (String, f64)| {
        let value = literal(&value, column, place);
        match condition.kind {
            ConditionKind::Membership if !is_list(condition) => {
                (format!("ARRAY[{value}]::{}[]", column.type_name), share)
            }
            _ => (value, share),
        }
    };
    Some(Slot {
        place,
        also: also.to_vec(),
        label,
        values: values.map(|value| value.map(written)),
        kind,
        column: Some(column),
        rows: table.rows?,
    })
}

/// The parameter of a condition, or its literal where that is one value of many; and the other
/// places where the literal stands, if the statement compares columns of the same name with it, or
/// other ones of the same OR: `sender = 4 OR recipient = 4` asks about one person.
fn places(
    statement: &Statement,
    condition: &Condition,
    (relation, table): (&RelationUse, &Table),
    catalog: &Catalog,
) -> Option<(Vec<ValuePlace>, String)> {
    match &condition.operand {
        Operand::Join => None,
        Operand::RunTime => match parameters(&condition.expression.text).as_slice() {
            [number] => Some((vec![ValuePlace::Parameter(*number)], format!("${number}"))),
            [first, .., last] if is_list(condition) => {
                let numbers = parameters(&condition.expression.text).into_iter();
                let places = numbers.map(ValuePlace::Parameter).collect();
                Some((places, format!("${first} to ${last}")))
            }
            _ => None,
        },
        Operand::Constant(text) => {
            let value = literal_value(text);
            let all = literals(&statement.sql).ok()?;
            let places = all.iter().enumerate().filter(|(_, other)| **other == value);
            let mut places: Vec<usize> = places.map(|(place, _)| place).collect();
            if places.len() > 1 {
                let columns = columns_of_same_value(condition, relation, table);
                let compared: BTreeSet<usize> = columns
                    .into_iter()
                    .flat_map(|column| literals_equal_to(&statement.sql, column))
                    .collect();
                places.retain(|place| compared.contains(place));
            }
            let any_of = |those: &BTreeSet<usize>| places.iter().any(|place| those.contains(place));
            let varies =
                any_of(&statement.varying_literals) || !names_a_kind(condition, table, catalog);
            let is_fixed = any_of(&statement.fixed_literals);
            let label = condition.key.to_string();
            let places = places.into_iter().map(ValuePlace::Literal).collect();
            (varies && !is_fixed).then_some((places, label))
        }
    }
}

/// The column of a condition, and others of its type that are compared with the same value in another
/// arm of the same OR.
fn columns_of_same_value<'r>(
    condition: &'r Condition,
    relation: &'r RelationUse,
    table: &Table,
) -> BTreeSet<&'r str> {
    let own = condition.key.column();
    let type_of = |column: &str| table.column(column).map(|column| &column.type_name);
    let of_same = |arms: &'r Vec<Vec<Condition>>| {
        let conditions = arms.iter().flatten();
        let equal = conditions.filter(|other| {
            other.kind == ConditionKind::Equality && other.operand == condition.operand
        });
        equal.filter_map(|other| other.key.column())
    };
    let ors = relation.alternatives.iter().map(of_same);
    let ors = ors.map(|columns| columns.collect::<BTreeSet<_>>());
    let of_same = ors.filter(|columns| own.is_some_and(|own| columns.contains(own)));
    let of_type = of_same
        .flatten()
        .filter(|column| own.is_some_and(|own| type_of(column) == type_of(own)));
    own.into_iter().chain(of_type).collect()
}

/// `state IN ($1, $2)`, which plans show as `state = ANY (ARRAY[$1, $2])`, and not `state = ANY ($1)`.
fn is_list(condition: &Condition) -> bool {
    condition.kind == ConditionKind::Membership && condition.expression.text.contains("ARRAY[")
}

/// None where all values have about as many rows.
fn equality_values(column: &Column, rows: f64) -> Option<Values> {
    let statistics = column.statistics.as_ref()?;
    let common = &statistics.most_common_values;
    let (most_common, share) = common.first()?;
    let listed: f64 = common.iter().map(|(_, share)| share).sum();
    let rest = (1.0 - listed - statistics.null_fraction).max(0.0);
    let others = column.distinct_values(rows)? - common.len() as f64;
    let middle = statistics.histogram.get(statistics.histogram.len() / 2);
    let (rare, of_one, of_all) = match middle {
        Some(value) if others >= 1.0 => (value.clone(), rest / others, rest),
        _ => {
            let (value, share) = common.last()?;
            (value.clone(), *share, *share)
        }
    };
    if share * rows < MIN_COMMON_ROWS || *share < MIN_SKEW * of_one {
        return None;
    }
    let mut sum = 0.0;
    let median = common.iter().find(|(_, share)| {
        sum += share;
        sum >= 0.5 * (1.0 - statistics.null_fraction)
    });
    let median = median.filter(|(value, _)| value != most_common && *value != rare);
    let absent = middle.is_none().then(|| absent_value(column)).flatten();
    Some([
        Some((most_common.clone(), *share)),
        median.map(|(value, _)| (value.clone(), listed - share)),
        Some((rare, of_all)),
        absent.map(|value| (value, SHARE_OF_ABSENT)),
    ])
}

/// Where all values have about as many rows the one that none has is a class of its own: an index
/// that is read in its order until a page of rows is found is then read to its end.
fn only_absent(column: &Column) -> Option<Values> {
    let statistics = column.statistics.as_ref()?;
    let is_listed = statistics.histogram.is_empty();
    let absent = absent_value(column).filter(|_| is_listed)?;
    Some([None, None, None, Some((absent, SHARE_OF_ABSENT))])
}

/// A value that no row has, where all values of the column are known.
pub(super) fn absent_value(column: &Column) -> Option<String> {
    let values = &column.statistics.as_ref()?.most_common_values;
    let numbers: Option<Vec<i64>> = values.iter().map(|(value, _)| value.parse().ok()).collect();
    match column.type_name.as_str() {
        "smallint" | "integer" | "bigint" => numbers?
            .into_iter()
            .max()
            .map(|value| (value + 1).to_string()),
        "text" => {
            Some(String::new()).filter(|empty| values.iter().all(|(value, _)| value != empty))
        }
        _ => None,
    }
}

/// Bounds within which most rows are, half of them, and few; of a pair of bounds the two ends of a
/// wide, a narrow and an empty period.
fn bounds(column: &Column, condition: &Condition, relation: &RelationUse) -> Option<Values> {
    let histogram = &column.statistics.as_ref()?.histogram;
    let of_column = relation.conditions.iter().filter(|other| {
        other.kind == ConditionKind::Range && other.key == condition.key && !other.is_join()
    });
    let tenths = if of_column.count() > 1 {
        [1, 4, 5]
    } else {
        [1, 5, 9]
    };
    let is_lower = condition.operator.starts_with('>');
    let last = histogram.len().checked_sub(1).filter(|last| *last > 0)?;
    let at = |tenth: usize| {
        let tenth = if is_lower { tenth } else { 10 - tenth };
        let value = histogram.get((tenth * last + 5) / 10)?;
        Some((value.clone(), 0.0))
    };
    let [wide, half, narrow] = tenths.map(at);
    Some([wide, half, narrow, None])
}

/// A value as SQL: of a parameter with its type, because nothing else may show it.
fn literal(value: &str, column: &Column, place: ValuePlace) -> String {
    let is_number = matches!(
        column.type_name.as_str(),
        "smallint" | "integer" | "bigint" | "real" | "double precision"
    ) || column.type_name.starts_with("numeric");
    let is_plain = is_number && value.parse::<f64>().is_ok_and(|number| number >= 0.0);
    let quoted = format!("'{}'", value.replace('\'', "''"));
    match place {
        _ if is_plain => value.to_owned(),
        ValuePlace::Literal(_) => quoted,
        ValuePlace::Parameter(_) => format!("{quoted}::{}", column.type_name),
    }
}

/// The slot that gets the absent value: one alone, because with two an index on the other column
/// would find nothing as fast. Of more values, more are absent.
fn most_values(slots: &[Slot<'_>]) -> Option<usize> {
    let with_absent = slots
        .iter()
        .enumerate()
        .filter(|(_, slot)| slot.values[ABSENT].is_some());
    let distinct = |slot: &Slot<'_>| {
        let values = slot
            .column
            .and_then(|column| column.distinct_values(slot.rows));
        values.unwrap_or_default()
    };
    let most = with_absent.max_by(|(at, a), (other, b)| {
        let by_values = distinct(a).total_cmp(&distinct(b));
        by_values.then(other.cmp(at))
    });
    most.map(|(position, _)| position)
}

/// Each class with another text of the statement.
fn texts(statement: &Statement, slots: &[Slot<'_>]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for (number, frequency) in FREQUENCIES.into_iter().enumerate() {
        if slots.iter().all(|slot| slot.values[number].is_none()) {
            continue;
        }
        let absent = (number == ABSENT).then(|| most_values(slots)).flatten();
        let values = slots.iter().enumerate().filter_map(|(position, slot)| {
            let is_own = number != ABSENT || absent == Some(position);
            let own = slot.values[number].as_ref().filter(|_| is_own);
            let (value, _) = own.or_else(|| slot.values[..ABSENT].iter().flatten().next())?;
            Some((slot, value.clone()))
        });
        let values: Vec<(&Slot<'_>, String)> = values.collect();
        let places: BTreeMap<ValuePlace, String> = values
            .iter()
            .flat_map(|(slot, value)| {
                let places = slot.also.iter().chain([&slot.place]);
                places.map(|place| (*place, value.clone()))
            })
            .collect();
        let Some(sql) = with_values(&statement.sql, &places) else {
            continue;
        };
        let is_known = sql == statement.sql || found.iter().any(|known| known.sql == sql);
        if !is_known {
            let named = values.into_iter();
            let mut named: Vec<(String, String)> = named
                .map(|(slot, value)| (slot.label.clone(), value))
                .collect();
            named.sort();
            found.push(Found {
                frequency: named_after(frequency, slots),
                share: share(slots, number),
                sql,
                values: named,
                seen: None,
            });
        }
    }
    found
}

/// What the class is called: bounds and LIMIT have no frequency.
fn named_after(frequency: Frequency, slots: &[Slot<'_>]) -> Frequency {
    let has = |kinds: &[Kind]| slots.iter().any(|slot| kinds.contains(&slot.kind));
    if has(&[Kind::Value]) {
        return frequency;
    }
    match frequency {
        _ if !has(&[Kind::LowerBound, Kind::UpperBound, Kind::Beginning]) => match frequency {
            Frequency::MostCommon => Frequency::SmallLimit,
            _ => Frequency::LargeLimit,
        },
        Frequency::MostCommon => Frequency::WideRange,
        Frequency::Median => Frequency::MediumRange,
        _ => Frequency::NarrowRange,
    }
}

/// The statement with the values of each class.
fn classes(statement: &Statement, slots: &[Slot<'_>]) -> Vec<Statement> {
    if !statement.observed.is_empty() {
        let seen = observed::texts(statement, slots).into_iter();
        return seen.map(|found| with_class(statement, found)).collect();
    }
    let of_literals = slots
        .iter()
        .all(|slot| matches!(slot.place, ValuePlace::Literal(_)));
    let as_written = if of_literals {
        SHARE_OF_LITERAL
    } else {
        SHARE_OF_GENERIC
    };
    let found = texts(statement, slots);
    let sum: f64 = found.iter().map(|class| class.share).sum();
    let is_absent = |class: &Found| class.frequency == Frequency::Absent;
    let sum = if found.iter().all(is_absent) {
        1.0
    } else {
        sum
    };
    let shared = |found: Found| Found {
        share: (1.0 - as_written) * found.share / sum,
        ..found
    };
    found
        .into_iter()
        .map(|found| with_class(statement, shared(found)))
        .collect()
}

fn with_class(statement: &Statement, found: Found) -> Statement {
    let class = ValueClass {
        of: statement.id.clone(),
        frequency: found.frequency,
        share: found.share,
        values: found.values,
        seen: found.seen,
    };
    Statement {
        sql: found.sql,
        written: None,
        ..statement.of_class(class)
    }
}

/// The share of a class: that of the first value of a column; classes of bounds alone are alike.
fn share(slots: &[Slot<'_>], number: usize) -> f64 {
    let mut values = slots.iter().filter(|slot| slot.kind == Kind::Value);
    let first = values.find_map(|slot| slot.values[number].as_ref());
    match first {
        Some((_, share)) if number == ABSENT => *share,
        Some((_, share)) => share.max(MIN_SHARE),
        None => MIN_SHARE,
    }
}

#[cfg(test)]
mod tests;
