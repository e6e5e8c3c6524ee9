//! What a snapshot may contain. It may come from strangers: in a twin file, or from a server whose
//! catalogs a hostile role has filled. Whatever becomes a path, a catalog row or SQL text is parsed
//! here first; a [`Checked`] snapshot is the only one that a twin is made from.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use super::metapage::Metapage;
use super::snapshot::{Oid, RelationFile, Slot, Snapshot, Statistic, SystemTable};

mod catalogs;
mod fault;
mod references;
mod settings;

pub use fault::SnapshotFault;
pub use settings::is_planner_setting;

pub use references::names;

use fault::{FIRST_USER_OID, LAST_OID, fault, number, quoted};

/// 16 TB. A relation may have twice that, but then its number of pages is negative in `pg_class`.
const MAX_BLOCKS: u64 = i32::MAX as u64;

/// All files together: 64 TB in blocks of 8 kB. Each GB is a file, although an empty one.
const MAX_TOTAL_BLOCKS: u64 = 1 << 33;

/// A btree of this level has more leaves than a file has blocks, even with two entries a page.
const MAX_BTREE_LEVEL: u32 = 31;

/// `BRIN_MAX_PAGES_PER_RANGE` (src/include/access/brin.h).
const MAX_PAGES_PER_RANGE: u32 = 131_072;

/// An OID that a server gave to an object that is not built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectOid(Oid);

impl ObjectOid {
    /// Reads an OID as the server prints it: digits and nothing else.
    pub fn parse(text: &str) -> Option<ObjectOid> {
        let oid = number(text)?;
        (FIRST_USER_OID..LAST_OID)
            .contains(&oid)
            .then_some(ObjectOid(oid))
    }

    /// The number.
    pub fn get(self) -> Oid {
        self.0
    }
}

impl std::fmt::Display for ObjectOid {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A snapshot that a twin can be made from.
pub struct Checked<'s> {
    snapshot: &'s Snapshot,
    /// The tablespaces besides `pg_default`.
    pub tablespaces: Vec<ObjectOid>,
    /// The sequences: relations with a file that are not in the list of files.
    pub sequences: Vec<ObjectOid>,
}

impl<'s> Checked<'s> {
    /// Checks a snapshot.
    ///
    /// # Errors
    /// When it contains anything that a server does not have, or that could do harm.
    pub fn of(snapshot: &'s Snapshot) -> Result<Checked<'s>, SnapshotFault> {
        catalogs::check(snapshot)?;
        references::check(snapshot)?;
        check_files(snapshot)?;
        check_statistics(snapshot)?;
        check_samples(snapshot)?;
        let oids = |catalog: &str| snapshot.rows_of(catalog, ["oid"]);
        let tablespaces = oids("pg_tablespace");
        let tablespaces = tablespaces
            .into_iter()
            .filter_map(|[oid]| ObjectOid::parse(oid));
        let classes = snapshot.rows_of("pg_class", ["oid", "relkind"]);
        let sequences = classes.into_iter().filter(|[_, kind]| *kind == "S");
        Ok(Checked {
            snapshot,
            tablespaces: tablespaces.collect(),
            sequences: sequences
                .filter_map(|[oid, _]| ObjectOid::parse(oid))
                .collect(),
        })
    }

    /// The snapshot.
    pub fn snapshot(&self) -> &'s Snapshot {
        self.snapshot
    }

    /// The rows of a system catalog that are copied: not all are harmless.
    pub fn rows(&self, catalog: &str) -> Option<Cow<'s, SystemTable>> {
        let table = self.snapshot.system_table(catalog)?;
        Some(catalogs::copied_rows(table))
    }

    /// The settings that affect plans; others are ignored.
    pub fn settings(&self) -> impl Iterator<Item = (&'s String, &'s String)> {
        let of_applications = self.snapshot.application_settings.iter();
        let of_applications = of_applications.filter(|(name, _)| name.contains('.'));
        let settings = self.snapshot.settings.iter().chain(of_applications);
        settings.filter(|(name, _)| is_planner_setting(name))
    }
}

/// Has a list of most common values a number for each? The planner reads as many numbers as there
/// are values, and does not look whether they are there.
pub fn has_a_number_for_each_value(slot: &Slot) -> bool {
    /// `STATISTIC_KIND_MCV`
    const MOST_COMMON: i16 = 1;
    let numbers = slot.numbers.as_ref().map_or(0, Vec::len);
    let values = slot.values.as_ref().map(|values| elements(&values.literal));
    match values {
        Some(Some(values)) if slot.kind == MOST_COMMON => values == numbers,
        _ => true,
    }
}

/// The number of elements of an array of one dimension; none for other literals.
fn elements(literal: &str) -> Option<usize> {
    let array = super::array_literal::ArrayLiteral::parse(literal)?;
    Some(array.items.len())
}

fn check_files(snapshot: &Snapshot) -> Result<(), SnapshotFault> {
    let names = references::names(snapshot);
    let mut seen = BTreeSet::new();
    let mut total: u64 = 0;
    for file in &snapshot.files {
        let name = quoted(&file.name.to_string());
        let known = names.get(&file.oid);
        let is_known =
            known.is_some_and(|(kind, name)| *kind == file.kind.as_str() && *name == file.name);
        if !is_known || !matches!(file.kind.as_str(), "r" | "m" | "i") {
            return fault(format!("{name} is not the relation that pg_class says"));
        }
        if !seen.insert(file.oid) {
            return fault(format!("{name} is there twice"));
        }
        check_size(file, &name)?;
        total = total.saturating_add(file.blocks);
    }
    if total > MAX_TOTAL_BLOCKS {
        return fault("its tables and indexes have more than 64 TB");
    }
    Ok(())
}

fn check_size(file: &RelationFile, name: &str) -> Result<(), SnapshotFault> {
    if file.blocks > MAX_BLOCKS {
        return fault(format!("{name} has {} blocks", file.blocks));
    }
    let is_sound = match file.metapage {
        Some(Metapage::Btree { level }) => level <= MAX_BTREE_LEVEL,
        Some(Metapage::Brin {
            pages_per_range, ..
        }) => (1..=MAX_PAGES_PER_RANGE).contains(&pages_per_range),
        Some(Metapage::Gin { .. } | Metapage::Spgist) | None => true,
    };
    if !is_sound {
        return fault(format!("the first page of {name} is invalid"));
    }
    Ok(())
}

fn check_statistics(snapshot: &Snapshot) -> Result<(), SnapshotFault> {
    let names = references::names(snapshot);
    let is_known = |statistic: &&Statistic| names.contains_key(&statistic.relation);
    if !snapshot.statistics.iter().all(|row| is_known(&row)) {
        return fault("it has statistics of a relation that it does not have");
    }
    let objects = snapshot.rows_of("pg_statistic_ext", ["oid"]);
    let objects: BTreeSet<Oid> = objects.iter().filter_map(|[oid]| number(oid)).collect();
    let is_hexadecimal = |digits: &Option<String>| {
        let digits = digits.as_deref().unwrap_or_default();
        digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    for extended in &snapshot.extended_statistics {
        let bytes = [
            &extended.ndistinct,
            &extended.dependencies,
            &extended.most_common,
        ];
        if !objects.contains(&extended.oid) || !bytes.into_iter().all(is_hexadecimal) {
            return fault("its extended statistics are invalid");
        }
    }
    Ok(())
}

fn check_samples(snapshot: &Snapshot) -> Result<(), SnapshotFault> {
    let files: BTreeMap<Oid, &str> = snapshot
        .files
        .iter()
        .map(|file| (file.oid, file.kind.as_str()))
        .collect();
    for sample in &snapshot.samples {
        let mut lengths = sample.values.iter().map(Vec::len);
        let rows = lengths.next();
        let is_even = lengths.all(|length| Some(length) == rows);
        let share = sample.page_share.unwrap_or(1.0);
        let is_table = matches!(files.get(&sample.relation), Some(&"r" | &"m"));
        let is_full = sample.columns.len() == sample.values.len();
        if !(is_table && is_even && is_full && share > 0.0 && share <= 1.0) {
            return fault("a sample of rows is invalid");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
