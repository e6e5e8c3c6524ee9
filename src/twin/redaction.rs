//! `--redact`: a twin file with made-up data values and nearly the same plans.
//!
//! Statistics contain values of the tables: most common values, bounds of histograms, elements of
//! arrays, the ends of indexes. Others in the same order replace them, and the same value is
//! replaced by the same one everywhere (joins compare the lists of two columns). A text becomes
//! letters that give its rank, followed by random letters of about the same length. UUIDs, numbers
//! and times move by less than half the distance to their neighbours. The new values depend on a
//! key that is not in the file.
//!
//! **Values that statements or the schema mention do not change**: constants of the workload, of
//! predicates, CHECK constraints, bounds of partitions and views. They are in the file anyway. Only
//! if they stay, conditions find their value in the statistics, predicates imply each other, and
//! partitions are pruned. To hide them as well, use a workload with parameters (`$1`), as in
//! `pg_stat_statements`.
//!
//! Times are not shifted by a constant, although that would keep distances, because `now()` in a
//! statement, constants and the bounds of partitions would not shift with them.
//!
//! It does not hide: names, types and enum values; constants as above; whole numbers without a gap
//! to their neighbours (states, ages), and roughly how large numbers are and when times were;
//! shares of rows, the order of values, lengths of texts up to 200 letters; bodies of functions in
//! SQL, which the planner inlines; the name of the database. Snapshots never contain comments.
//!
//! It drops what it cannot replace, and the planner then lacks it: most common values of extended
//! statistics (their bytes contain the values), elements of `tsvector` (sorted by length),
//! statistics of types that are not known here (`inet`, `bytea`, `point`, composite types, …),
//! defaults with constants, bodies of functions in other languages. The planner estimates patterns
//! (`LIKE '%x%'`) and containment in JSON by evaluating them on the values of the histogram, and
//! the made-up ones do not match. `tests/twin/redaction.rs` measures the effect; docs/twin-files.md
//! has the figures.

use std::collections::{BTreeMap, BTreeSet};

use super::Snapshot;
use super::array_literal::ArrayLiteral;
use super::file::TwinFile;
use super::scalar::Scale;
use super::snapshot::{Extremes, Oid, Origin, Slot, Statistic};

mod constants;
mod key;
mod kinds;
mod mapping;
mod report;
mod schema;
mod uuid;

pub use key::RedactionKey;
pub use report::RedactionReport;

use kinds::{ValueKind, ValueKinds};
use mapping::Collected;

impl TwinFile {
    /// The file with its data values replaced, and a report of that in [`TwinFile::redacted`].
    pub fn redact(&self, key: &RedactionKey) -> TwinFile {
        let mut report = RedactionReport::default();
        let mut mentioned = BTreeSet::new();
        for statement in self.workload.statements() {
            match crate::sql::literals(&statement.sql) {
                Ok(literals) => mentioned.extend(literals),
                Err(_) => report.kept.push(format!(
                    "the statement {} as a whole, because its constants could not be parsed",
                    statement.id
                )),
            }
        }
        report
            .kept
            .push("the statements of the workload and their plans, with all constants".to_owned());
        let redaction = Redaction::of(&self.snapshot, mentioned, key);
        let snapshot = redaction.snapshot(&self.snapshot, &mut report);
        let mut catalog = self.catalog.clone();
        for table in &mut catalog.tables {
            for column in &mut table.columns {
                let Some(statistics) = &mut column.statistics else {
                    continue;
                };
                let place = (
                    table.name.schema.as_str(),
                    table.name.name.as_str(),
                    column.name.as_str(),
                );
                let key = redaction.kinds.columns_by_name.get(&place).copied();
                let known = key.and_then(|key| redaction.kinds.column(key));
                let new = |(value, share): &(String, f64)| {
                    let (type_oid, collation) = known?;
                    Some((redaction.value(value, type_oid, collation)?, *share))
                };
                statistics.most_common_values = statistics
                    .most_common_values
                    .iter()
                    .filter_map(new)
                    .collect();
                let bound = |value: &String| {
                    let (type_oid, collation) = known?;
                    redaction.value(value, type_oid, collation)
                };
                statistics.histogram = statistics.histogram.iter().filter_map(bound).collect();
            }
        }
        TwinFile {
            redacted: Some(report),
            workload: self.workload.without_observed(),
            catalog,
            snapshot,
            ..self.clone()
        }
    }
}

/// Old and new values, and their types.
struct Redaction<'s> {
    kinds: ValueKinds<'s>,
    new: BTreeMap<ValueKind, BTreeMap<String, String>>,
    all: BTreeMap<ValueKind, Collected>,
}

/// `STATISTIC_KIND_HISTOGRAM` and `STATISTIC_KIND_MCELEM`.
const HISTOGRAM: i16 = 2;
const ELEMENTS: i16 = 4;

/// `DEFAULT_COLLATION_OID`; and those that sort by bytes (src/include/catalog/pg_collation.dat).
const DEFAULT_COLLATION: Oid = 100;
const BYTE_COLLATIONS: [Oid; 2] = [950, 951];

impl<'s> Redaction<'s> {
    fn of(
        snapshot: &'s Snapshot,
        mut mentioned: BTreeSet<String>,
        key: &RedactionKey,
    ) -> Redaction<'s> {
        let mut redaction = Redaction {
            kinds: ValueKinds::of(snapshot),
            new: BTreeMap::new(),
            all: BTreeMap::new(),
        };
        for statistic in all_statistics(snapshot) {
            redaction.collect(statistic);
        }
        for ends in &snapshot.extremes {
            let Some((type_oid, collation)) =
                redaction.kinds.column((ends.relation, ends.attribute))
            else {
                continue;
            };
            for end in ends.smallest.iter().chain(&ends.largest) {
                redaction.note(end, type_oid, collation);
            }
        }
        mentioned.extend(schema::constants(snapshot));
        let elements: Vec<String> = mentioned
            .iter()
            .filter_map(|text| ArrayLiteral::parse(text))
            .flat_map(|array| {
                array
                    .elements()
                    .into_iter()
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            })
            .collect();
        mentioned.extend(elements);
        // A sign belongs to an operator, not to the constant.
        let negative: Vec<String> = mentioned
            .iter()
            .filter(|text| text.parse::<f64>().is_ok())
            .map(|text| format!("-{text}"))
            .collect();
        mentioned.extend(negative);
        for (kind, collected) in &mut redaction.all {
            collected.fixed.clone_from(&mentioned);
            let by_bytes = sorts_by_bytes(*kind, &snapshot.origin);
            let new = match kind {
                ValueKind::Text(_) => mapping::texts(collected, key, by_bytes),
                ValueKind::Json => {
                    collected.fixed.clear();
                    let texts = mapping::texts(collected, key, by_bytes);
                    texts
                        .into_iter()
                        .map(|(old, new)| (old, format!("{{\"r\": \"{new}\"}}")))
                        .collect()
                }
                ValueKind::Uuid => mapping::uuids(collected, key),
                ValueKind::Integer => mapping::numbers(collected, Scale::Integer(i64::MAX), key),
                ValueKind::OnScale(type_oid) => Scale::of(*type_oid)
                    .map(|line| mapping::numbers(collected, line, key))
                    .unwrap_or_default(),
                ValueKind::NotSensitive | ValueKind::Unknown => BTreeMap::new(),
            };
            redaction.new.insert(*kind, new);
        }
        redaction
    }

    fn collect(&mut self, statistic: &Statistic) {
        for slot in &statistic.slots {
            let Some(values) = &slot.values else { continue };
            let Some(array) = ArrayLiteral::parse(&values.literal) else {
                continue;
            };
            let elements = array.elements();
            for element in &elements {
                self.note(element, values.element_type, slot.collation);
            }
            if slot.kind == HISTOGRAM {
                let kind = self
                    .kinds
                    .kind(values.element_type, collation(slot.collation));
                let sorted = elements.into_iter().map(str::to_owned).collect();
                self.all.entry(kind).or_default().sorted.push(sorted);
            }
        }
    }

    fn note(&mut self, value: &str, type_oid: Oid, collation: Oid) {
        let mut found = Vec::new();
        let _ = rewrite(
            &self.kinds,
            value,
            type_oid,
            collation,
            &mut |kind, part| {
                found.push((kind, part.to_owned()));
                Some(part.to_owned())
            },
        );
        for (kind, part) in found {
            self.all.entry(kind).or_default().values.insert(part);
        }
    }

    /// The new value; none if the type is not known.
    fn value(&self, value: &str, type_oid: Oid, collation: Oid) -> Option<String> {
        rewrite(
            &self.kinds,
            value,
            type_oid,
            collation,
            &mut |kind, part| {
                let new = self
                    .new
                    .get(&kind)
                    .and_then(|new| new.get(part))
                    .map_or(part, String::as_str);
                let is_too_large = match self.kinds.base(type_oid) {
                    21 => new.parse::<i16>().is_err(),
                    23 => new.parse::<i32>().is_err(),
                    _ => false,
                };
                (kind != ValueKind::Unknown)
                    .then(|| if is_too_large { part } else { new }.to_owned())
            },
        )
    }

    fn snapshot(&self, old: &Snapshot, report: &mut RedactionReport) -> Snapshot {
        let mut new = old.clone();
        let mut dropped = BTreeMap::new();
        for statistic in &mut new.statistics {
            self.statistic(statistic, &mut dropped);
        }
        let mut without_lists = 0;
        for extended in &mut new.extended_statistics {
            without_lists += usize::from(extended.most_common.take().is_some());
            for statistic in &mut extended.expressions {
                self.statistic(statistic, &mut dropped);
            }
        }
        for ends in &mut new.extremes {
            self.ends(ends);
        }
        new.extremes.retain(|ends| ends.smallest.is_some());
        if !new.samples.is_empty() {
            report
                .dropped
                .push(format!("the sampled rows of {} tables", new.samples.len()));
            new.samples.clear();
        }
        if !new.application_settings.is_empty() {
            report.dropped.push(format!(
                "the values of {} settings that functions and policies read",
                new.application_settings.len()
            ));
            new.application_settings.clear();
        }
        self.account(report);
        for (what, count) in dropped {
            report
                .dropped
                .push(format!("{count} lists of {what} values"));
        }
        if without_lists > 0 {
            report.dropped.push(format!(
                "the most common values of {without_lists} extended statistics"
            ));
        }
        schema::redact(&mut new, &self.kinds, report);
        new
    }

    fn statistic(&self, statistic: &mut Statistic, dropped: &mut BTreeMap<String, usize>) {
        let is_text_search = self
            .kinds
            .is_text_search((statistic.relation, statistic.attribute));
        for slot in &mut statistic.slots {
            let Some(values) = &mut slot.values else {
                continue;
            };
            match self.literal(&values.literal, values.element_type, slot.collation) {
                Some(_) if is_text_search && slot.kind == ELEMENTS => {
                    *dropped.entry("tsvector".to_owned()).or_default() += 1;
                    *slot = Slot::default();
                }
                Some(new) => {
                    // A made-up value may violate a domain's CHECK; the base type has the same
                    // bytes.
                    values.element_type = self.kinds.base(values.element_type);
                    values.literal = new;
                }
                None => {
                    *dropped
                        .entry(self.kinds.type_name(values.element_type))
                        .or_default() += 1;
                    *slot = Slot::default();
                }
            }
        }
    }

    fn literal(&self, literal: &str, element_type: Oid, collation: Oid) -> Option<String> {
        let array = ArrayLiteral::parse(literal)?;
        let mut known = true;
        let new = array.map(&mut |element| {
            let new = self.value(element, element_type, collation);
            known &= new.is_some();
            new.unwrap_or_default()
        });
        known.then(|| new.to_string())
    }

    fn ends(&self, ends: &mut Extremes) {
        let known = self.kinds.column((ends.relation, ends.attribute));
        for end in [&mut ends.smallest, &mut ends.largest] {
            let old = end.take();
            *end = old.and_then(|old| {
                known.and_then(|(type_oid, collation)| self.value(&old, type_oid, collation))
            });
        }
    }

    /// How many values of each kind were replaced, and how many were kept.
    fn account(&self, report: &mut RedactionReport) {
        let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for (kind, collected) in &self.all {
            let Some(name) = name(*kind) else { continue };
            let new = self
                .new
                .get(kind)
                .map_or(0, |new| new.iter().filter(|(old, new)| old != new).count());
            let (replaced, kept) = counts.entry(name).or_default();
            *replaced += new;
            *kept += collected.values.len().saturating_sub(new);
        }
        for (name, (replaced, kept)) in counts {
            if replaced > 0 {
                report.replaced.push(format!("{replaced} {name}"));
            }
            if kept > 0 {
                report.kept.push(format!(
                    "{kept} {name} that statements or the schema mention, or that no other value fits between"
                ));
            }
        }
        report.kept.push("booleans and enum values".to_owned());
    }
}

/// As a sentence; none if nothing was replaced.
fn name(kind: ValueKind) -> Option<&'static str> {
    match kind {
        ValueKind::Text(_) => Some("texts"),
        ValueKind::Json => Some("JSON values"),
        ValueKind::Uuid => Some("UUIDs"),
        ValueKind::Integer => Some("whole numbers"),
        ValueKind::OnScale(1082 | 1114 | 1184) => Some("dates and times"),
        ValueKind::OnScale(_) => Some("numbers"),
        ValueKind::NotSensitive | ValueKind::Unknown => None,
    }
}

fn all_statistics(snapshot: &Snapshot) -> impl Iterator<Item = &Statistic> {
    let extended = snapshot
        .extended_statistics
        .iter()
        .flat_map(|extended| &extended.expressions);
    snapshot.statistics.iter().chain(extended)
}

/// Zero means "no collation" and is treated as the default collation.
fn collation(oid: Oid) -> Oid {
    if oid == 0 { DEFAULT_COLLATION } else { oid }
}

fn sorts_by_bytes(kind: ValueKind, origin: &Origin) -> bool {
    let default_is = || {
        let locale = origin.provider_locale.as_deref().unwrap_or(&origin.collate);
        origin.locale_provider == "b" || matches!(locale, "C" | "POSIX" | "C.UTF-8" | "C.utf8")
    };
    match kind {
        ValueKind::Text(DEFAULT_COLLATION) | ValueKind::Json => default_is(),
        ValueKind::Text(collation) => BYTE_COLLATIONS.contains(&collation),
        _ => true,
    }
}

/// Built-in range types and their subtypes.
const RANGES: [(Oid, Oid); 6] = [
    (3904, 23),
    (3926, 20),
    (3906, 1700),
    (3912, 1082),
    (3908, 1114),
    (3910, 1184),
];

/// A value with all its parts (elements of an array, bounds of a range) replaced; none if one part
/// is refused.
fn rewrite(
    kinds: &ValueKinds<'_>,
    value: &str,
    type_oid: Oid,
    of_collation: Oid,
    with: &mut dyn FnMut(ValueKind, &str) -> Option<String>,
) -> Option<String> {
    if let Some(element) = kinds.element(type_oid) {
        // An array of a domain with a CHECK may not be readable again.
        let mut known = kinds.base(element) == element;
        let new = ArrayLiteral::parse(value)?.map(&mut |text| {
            let new = rewrite(kinds, text, element, of_collation, with);
            known &= new.is_some();
            new.unwrap_or_default()
        });
        return known.then(|| new.to_string());
    }
    let base = kinds.base(type_oid);
    match RANGES.iter().find(|(range, _)| *range == base) {
        Some(_) if value == "empty" => Some(value.to_owned()),
        Some((_, bound)) => {
            let inner = value.strip_prefix(['[', '('])?.strip_suffix([']', ')'])?;
            let (lower, upper) = inner.split_once(',')?;
            let mut end = |text: &str| match text.trim_matches('"') {
                "" => Some(String::new()),
                text => with(kinds.kind(*bound, 0), text).map(|new| {
                    if new.contains(' ') {
                        format!("\"{new}\"")
                    } else {
                        new
                    }
                }),
            };
            let (lower, upper) = (end(lower)?, end(upper)?);
            let (first, last) = (value.get(..1)?, value.get(value.len() - 1..)?);
            Some(format!("{first}{lower},{upper}{last}"))
        }
        None => with(kinds.kind(type_oid, collation(of_collation)), value),
    }
}

#[cfg(test)]
mod tests;
