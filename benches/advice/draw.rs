//! Other values of the same statement, drawn from the rows of its tables: always the same ones.

use std::collections::BTreeMap;
use std::ops::Range;

use postgres::{Client, SimpleQueryMessage};

use super::comparisons::{Comparison, Comparisons, Kind, Literal, comparisons, quoted, replaced};

/// A statement with other values.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Which values these are.
    pub label: String,
    pub sql: String,
    /// The values, by those that the statement had.
    pub values: BTreeMap<String, String>,
}

/// Values by how many rows have them, each with a condition on their ranks: `r` of `c` distinct
/// ones, beginning with the most common, where `s` of all `t` rows have these and more common ones.
const CLASSES: [(&str, &str); 4] = [
    ("most common", "r = 1"),
    ("middle row", "s >= t / 2.0 AND s - n < t / 2.0"),
    ("middle value", "r = (c + 1) / 2"),
    ("rarest", "r = c"),
];
const ABSENT: &str = "absent";

/// Where ranges begin, among all rows.
const BEGINNINGS: [(&str, f64); 3] = [("early", 0.1), ("middle", 0.5), ("late", 0.9)];

/// Where a column has fewer values than this and than three times those in a list, the list is a
/// group of states, and stays.
const FEW: usize = 20;

/// The statement as it is, and with other values. `is_fixed` tells what keeps its value.
pub fn variants(
    client: &mut Client,
    sql: &str,
    is_fixed: &dyn Fn(&Literal) -> bool,
) -> Vec<Variant> {
    let mut found = vec![Variant {
        label: "as written".to_owned(),
        sql: sql.to_owned(),
        values: BTreeMap::new(),
    }];
    let Some(all) = comparisons(sql) else {
        return found;
    };
    let mut drawer = Drawer {
        client,
        places: Vec::new(),
    };
    drawer.locate(&all, is_fixed);
    let classes = CLASSES.iter().map(|(name, _)| *name).chain([ABSENT]);
    let combinations = classes
        .map(|class| (class, None))
        .chain(BEGINNINGS.map(|(name, share)| ("", Some((name, share)))));
    for (class, beginning) in combinations {
        let values = drawer.values(class, beginning.map_or(0.5, |(_, share)| share));
        let variant = variant(sql, (class, beginning.map(|(name, _)| name)), &values);
        if !found.iter().any(|known| known.sql == variant.sql) {
            found.push(variant);
        }
    }
    found
}

type Values = Vec<(Literal, String)>;

fn variant(sql: &str, (class, beginning): (&str, Option<&str>), values: &Values) -> Variant {
    let places: Vec<(Range<usize>, String)> = values
        .iter()
        .map(|(literal, value)| (literal.place.clone(), quoted(value)))
        .collect();
    let pairs = values.iter();
    Variant {
        label: beginning.map_or_else(
            || class.to_owned(),
            |beginning| format!("range {beginning}"),
        ),
        sql: replaced(sql, &places),
        values: pairs
            .map(|(literal, value)| (written(literal, &literal.value), value.clone()))
            .collect(),
    }
}

/// A value with the wildcards of the pattern.
fn written(literal: &Literal, value: &str) -> String {
    let (before, behind) = literal.around;
    if before.is_empty() && behind.is_empty() {
        return value.to_owned();
    }
    let escaped = value
        .replace('\\', "\\\\")
        .replace('%', "\\%")
        .replace('_', "\\_");
    format!("{before}{escaped}{behind}")
}

/// The comparisons of one table.
struct Place {
    table: String,
    /// Conditions of literals that keep their values.
    fixed: Vec<String>,
    equalities: Vec<Comparison>,
    lists: Vec<Comparison>,
    /// Lower and upper bounds.
    ranges: BTreeMap<String, [Option<Literal>; 2]>,
    /// Literals that are the same value as that of an equality, by its position.
    linked: Vec<(usize, Literal)>,
}

struct Drawer<'c> {
    client: &'c mut Client,
    places: Vec<Place>,
}

impl Drawer<'_> {
    /// Sorts the comparisons by tables. What belongs to none keeps its value.
    fn locate(&mut self, all: &Comparisons, is_fixed: &dyn Fn(&Literal) -> bool) {
        for one in &all.all {
            let own = |table: &&String| {
                self.client
                    .simple_query(&format!("SELECT {} FROM {table} LIMIT 0", one.key))
                    .is_ok()
            };
            let Some(table) = all.tables.iter().find(own).cloned() else {
                continue;
            };
            let position = self.places.iter().position(|place| place.table == table);
            let position = position.unwrap_or_else(|| {
                self.places.push(Place {
                    table,
                    fixed: Vec::new(),
                    equalities: Vec::new(),
                    lists: Vec::new(),
                    ranges: BTreeMap::new(),
                    linked: Vec::new(),
                });
                self.places.len() - 1
            });
            self.add(position, one, one.literals.iter().any(is_fixed));
        }
    }

    fn add(&mut self, position: usize, one: &Comparison, is_fixed: bool) {
        let literal = &one.literals[0];
        if is_fixed {
            if one.kind == Kind::Equality && !one.key.starts_with("unnest(") {
                let condition = format!("({})::text = {}", one.key, quoted(&literal.value));
                self.places[position].fixed.push(condition);
            }
            return;
        }
        match one.kind {
            Kind::Equality => {
                for place in &mut self.places {
                    let mut known = place.equalities.iter();
                    if let Some(number) =
                        known.position(|known| known.literals[0].value == literal.value)
                    {
                        place.linked.push((number, literal.clone()));
                        return;
                    }
                }
                self.places[position].equalities.push(one.clone());
            }
            Kind::Membership => self.places[position].lists.push(one.clone()),
            Kind::Lower | Kind::Upper => {
                let bounds = self.places[position].ranges.entry(one.key.clone());
                let side = usize::from(one.kind == Kind::Upper);
                bounds.or_default()[side].get_or_insert_with(|| literal.clone());
            }
        }
    }

    /// Those of a class for equalities, and ranges that begin at this share of the rows. Without a
    /// class only ranges change.
    fn values(&mut self, class: &str, beginning: f64) -> Values {
        let mut values = Vec::new();
        for place in std::mem::take(&mut self.places) {
            if class.is_empty() {
                values.extend(self.bounds(&place, beginning));
            } else {
                values.extend(self.equal(&place, class));
                for list in &place.lists {
                    values.extend(self.listed(&place, list, class));
                }
            }
            self.places.push(place);
        }
        values
    }

    fn equal(&mut self, place: &Place, class: &str) -> Values {
        let keys: Vec<&str> = place
            .equalities
            .iter()
            .map(|one| one.key.as_str())
            .collect();
        if keys.is_empty() {
            return Vec::new();
        }
        let absent = class == ABSENT;
        let (class, _) = CLASSES
            .iter()
            .find(|(name, _)| *name == class)
            .unwrap_or(&CLASSES[0]);
        let Some(mut drawn) = self.tuple(place, &keys, class) else {
            return Vec::new();
        };
        if absent {
            let Some((number, value)) = self.absent(place, &keys) else {
                return Vec::new();
            };
            drawn[number] = value;
        }
        let value_of =
            |literal: &Literal, number: usize| (literal.clone(), written(literal, &drawn[number]));
        let own = place.equalities.iter().enumerate();
        let own = own.map(|(number, one)| value_of(&one.literals[0], number));
        let linked = place.linked.iter();
        own.chain(linked.map(|(number, literal)| value_of(literal, *number)))
            .collect()
    }

    /// Values that rows have together.
    fn tuple(&mut self, place: &Place, keys: &[&str], class: &str) -> Option<Vec<String>> {
        let condition = CLASSES.iter().find(|(name, _)| *name == class)?.1;
        let sql = format!(
            "{} SELECT {} FROM o WHERE {condition} ORDER BY r LIMIT 1",
            ranked(place, keys),
            names(keys)
        );
        self.rows(&sql)?.into_iter().next()
    }

    /// A value that no row has, of the key with the most values.
    fn absent(&mut self, place: &Place, keys: &[&str]) -> Option<(usize, String)> {
        let table = &place.table;
        let mut distinct = Vec::new();
        for (number, key) in keys.iter().enumerate() {
            let sql =
                format!("SELECT count(DISTINCT k) FROM (SELECT ({key})::text FROM {table}) x(k)");
            let count: usize = self.rows(&sql)?.first()?[0].parse().ok()?;
            distinct.push((count, number));
        }
        let number = distinct.iter().max()?.1;
        let key = keys[number];
        let later = ["k + 1", "k + interval '1 day'", "k::text || '~'"];
        let mut asked = later.iter().filter_map(|later| {
            let sql = format!("SELECT ({later})::text FROM (SELECT max({key}) FROM {table}) x(k)");
            self.rows(&sql)?.into_iter().next()?.into_iter().next()
        });
        Some((number, asked.next()?))
    }

    fn listed(&mut self, place: &Place, list: &Comparison, class: &str) -> Values {
        let keys = [list.key.as_str()];
        let sql = format!("{} SELECT k1 FROM o ORDER BY r", ranked(place, &keys));
        let Some(all) = self.rows(&sql) else {
            return Vec::new();
        };
        let wanted = list.literals.len();
        if all.len() < FEW.max(3 * wanted) {
            return Vec::new();
        }
        let first = match class {
            "most common" => 0,
            "rarest" | ABSENT => all.len() - wanted,
            _ => (all.len() - wanted) / 2,
        };
        let drawn = all[first..].iter().map(|row| row[0].clone());
        list.literals.iter().cloned().zip(drawn).collect()
    }

    /// A range of the same width.
    fn bounds(&mut self, place: &Place, beginning: f64) -> Values {
        let mut values = Vec::new();
        for (key, bounds) in &place.ranges {
            let at = format!("percentile_disc({beginning}) WITHIN GROUP (ORDER BY {key})");
            let from = |what: &str| {
                let fixed = conditions(place);
                format!(
                    "SELECT {what} FROM (SELECT {at} FROM {} {fixed}) x(k)",
                    place.table
                )
            };
            let sql = match bounds {
                [Some(low), Some(high)] => from(&format!(
                    "k::text, (k + ((ARRAY[{high}, k])[1] - (ARRAY[{low}, k])[1]))::text",
                    low = quoted(&low.value),
                    high = quoted(&high.value)
                )),
                _ => from("k::text"),
            };
            let Some(drawn) = self.rows(&sql).and_then(|rows| rows.into_iter().next()) else {
                continue;
            };
            values.extend(bounds.iter().flatten().cloned().zip(drawn));
        }
        values
    }

    /// None when the server refuses, or a value is NULL.
    fn rows(&mut self, sql: &str) -> Option<Vec<Vec<String>>> {
        let messages = self.client.simple_query(sql).ok()?;
        let rows = messages.into_iter().filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => Some(
                (0..row.len())
                    .map(|number| row.get(number).map(str::to_owned))
                    .collect(),
            ),
            _ => None,
        });
        rows.collect()
    }
}

fn names(keys: &[&str]) -> String {
    let names: Vec<String> = (1..=keys.len())
        .map(|number| format!("k{number}"))
        .collect();
    names.join(", ")
}

fn conditions(place: &Place) -> String {
    if place.fixed.is_empty() {
        return String::new();
    }
    format!("WHERE {}", place.fixed.join(" AND "))
}

/// `o`: the values that rows have together, by how many rows have them.
fn ranked(place: &Place, keys: &[&str]) -> String {
    let columns: Vec<String> = keys
        .iter()
        .enumerate()
        .map(|(number, key)| format!("({key})::text AS k{}", number + 1))
        .collect();
    let names = names(keys);
    let not_null: Vec<String> = (1..=keys.len())
        .map(|number| format!("k{number} IS NOT NULL"))
        .collect();
    format!(
        "WITH v AS (SELECT {columns} FROM {table} {fixed}), \
         g AS (SELECT {names}, count(*) AS n FROM v WHERE {not_null} GROUP BY {names}), \
         o AS (SELECT *, row_number() OVER w AS r, count(*) OVER () AS c, sum(n) OVER w AS s, sum(n) OVER () AS t \
         FROM g WINDOW w AS (ORDER BY n DESC, {names}))",
        columns = columns.join(", "),
        table = place.table,
        fixed = conditions(place),
        not_null = not_null.join(" AND "),
    )
}
