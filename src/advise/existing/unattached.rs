//! Indexes of partitioned tables that are not valid, because some partition has no index that is
//! attached to them: `CREATE INDEX ON ONLY` makes such an index, and it becomes valid with the last
//! `ALTER INDEX … ATTACH PARTITION`
//! (<https://www.postgresql.org/docs/current/ddl-partitioning.html>, "Partition Maintenance").

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{ExistingCause, ExistingFinding, Incomplete};
use crate::catalog::{Catalog, ExistingIndex, MissingPart, Table};
use crate::index::naming::names;
use crate::index::{Index, parse_index};
use crate::model::{QualifiedName, quote_identifier};

/// What a partitioned index lacks, and what completes it.
pub(super) fn unattached(
    index: &ExistingIndex,
    table: &Table,
    catalog: &Catalog,
) -> Option<ExistingFinding> {
    let missing = &index.missing_parts;
    if !index.partitioned || index.valid || missing.is_empty() || index.part_of.is_some() {
        return None;
    }
    let incomplete = if missing.iter().any(|part| part.partition.foreign) {
        Incomplete::Foreign
    } else if index.constraint {
        Incomplete::Constraint
    } else {
        let steps = steps(index, table, &catalog.taken_names);
        steps.map_or(Incomplete::Unknown, Incomplete::Steps)
    };
    let cause = ExistingCause::Unattached {
        partitions: missing
            .iter()
            .filter(|part| part.invalid.is_none())
            .map(|part| part.partition.name.clone())
            .collect(),
        invalid: missing
            .iter()
            .filter_map(|part| part.invalid.clone())
            .collect(),
        incomplete,
    };
    Some(ExistingFinding::new(index, cause))
}

/// The indexes of partitions that only have to be attached: they are not in vain.
pub(super) fn to_attach(catalog: &Catalog) -> BTreeSet<&QualifiedName> {
    let tables = catalog.tables.iter();
    let lacking = tables.flat_map(|table| table.indexes.iter().map(move |index| (table, index)));
    let parts = lacking.flat_map(|(table, index)| {
        let body = body(&index.ddl, &table.name).unwrap_or_default();
        let missing = index.missing_parts.iter();
        missing.filter_map(move |part| same(part, body, index.unique))
    });
    parts.collect()
}

/// The statements that complete it, to be run one after the other.
fn steps(
    index: &ExistingIndex,
    table: &Table,
    taken: &BTreeSet<QualifiedName>,
) -> Option<Vec<String>> {
    let body = body(&index.ddl, &table.name)?;
    // One statement and no more, also where the definition comes from a file.
    let definition = &parse_index(&index.ddl).ok()?;
    let unique = if index.unique { "UNIQUE " } else { "" };
    let mut taken = taken.clone();
    // The indexes that are made for partitions which are partitioned themselves.
    let mut made: BTreeMap<&QualifiedName, QualifiedName> = BTreeMap::new();
    let mut steps = Vec::new();
    for part in &index.missing_parts {
        let partition = &part.partition;
        if let Some(invalid) = &part.invalid {
            steps.push(format!("REINDEX INDEX CONCURRENTLY {invalid};"));
            continue;
        }
        let parent = part
            .attach_to
            .as_ref()
            .or_else(|| made.get(&partition.parent))?
            .clone();
        let name = if let Some(existing) = same(part, body, index.unique) {
            existing.clone()
        } else {
            let name = name_on(&partition.name, definition, &mut taken);
            let (how, only) = match partition.partitioned {
                true => ("", "ONLY "),
                false => ("CONCURRENTLY ", ""),
            };
            steps.push(format!(
                "CREATE {unique}INDEX {how}{} ON {only}{} {body};",
                quote_identifier(&name.name),
                partition.name
            ));
            name
        };
        if partition.partitioned {
            made.insert(&partition.name, name.clone());
        }
        steps.push(format!("ALTER INDEX {parent} ATTACH PARTITION {name};"));
    }
    Some(steps)
}

/// `USING btree (a)`: what stands behind the table's name.
fn body<'d>(ddl: &'d str, table: &QualifiedName) -> Option<&'d str> {
    let (_, rest) = ddl.split_once(" ON ")?;
    let rest = rest.strip_prefix("ONLY ").unwrap_or(rest);
    rest.strip_prefix(&table.to_string())?.strip_prefix(' ')
}

/// An index of the partition that need only be attached. Of a partition that is partitioned itself
/// only a new one is sure to have no parts of its own.
fn same<'p>(part: &'p MissingPart, wanted: &str, unique: bool) -> Option<&'p QualifiedName> {
    let is_same = |ddl: &str| {
        ddl.starts_with("CREATE UNIQUE ") == unique
            && body(ddl, &part.partition.name) == Some(wanted)
            && parse_index(ddl).is_ok()
    };
    let mut own = part.own.iter().filter(|_| !part.partition.partitioned);
    own.find(|(_, ddl)| is_same(ddl)).map(|(name, _)| name)
}

fn name_on(
    partition: &QualifiedName,
    definition: &Index,
    taken: &mut BTreeSet<QualifiedName>,
) -> QualifiedName {
    let on_partition = Index {
        table: partition.clone(),
        ..definition.clone()
    };
    let name = names([&on_partition], taken).concat();
    let name = QualifiedName::new(partition.schema.clone(), name);
    taken.insert(name.clone());
    name
}
