//! How the tables of a snapshot are related: partitions, indexes, foreign keys.

use std::collections::{BTreeMap, BTreeSet};

use super::factors::{Growth, matches};
use crate::model::QualifiedName;
use crate::twin::Snapshot;
use crate::twin::snapshot::Oid;

/// A column, by its table and its number.
pub(super) type ColumnKey = (Oid, i16);

/// What the catalogs contain about tables.
#[derive(Default)]
pub(super) struct Relations<'s> {
    names: BTreeMap<Oid, QualifiedName>,
    /// `reltuples`.
    rows: BTreeMap<Oid, f64>,
    tables_of_indexes: BTreeMap<Oid, Oid>,
    parents: BTreeMap<Oid, Oid>,
    children: BTreeMap<Oid, Vec<Oid>>,
    foreign_keys: BTreeMap<ColumnKey, ColumnKey>,
    column_names: BTreeMap<ColumnKey, &'s str>,
    /// Tables without rows of their own.
    partitioned: BTreeSet<Oid>,
    /// By list or by range.
    partition_keys: BTreeSet<(Oid, &'s str)>,
}

fn number<T: std::str::FromStr + Default>(text: &str) -> T {
    text.parse().unwrap_or_default()
}

impl<'s> Relations<'s> {
    pub(super) fn of(snapshot: &'s Snapshot) -> Relations<'s> {
        let mut found = Relations::default();
        let schemas: BTreeMap<&str, &str> = snapshot
            .rows_of("pg_namespace", ["oid", "nspname"])
            .into_iter()
            .map(|[oid, name]| (oid, name))
            .collect();
        for [oid, name, schema, tuples] in
            snapshot.rows_of("pg_class", ["oid", "relname", "relnamespace", "reltuples"])
        {
            let schema = schemas.get(schema).copied().unwrap_or_default();
            found
                .names
                .insert(number(oid), QualifiedName::new(schema, name));
            found
                .rows
                .insert(number(oid), number::<f64>(tuples).max(0.0));
        }
        for [index, table] in snapshot.rows_of("pg_index", ["indexrelid", "indrelid"]) {
            found.tables_of_indexes.insert(number(index), number(table));
        }
        for [child, parent] in snapshot.rows_of("pg_inherits", ["inhrelid", "inhparent"]) {
            found.parents.insert(number(child), number(parent));
            found
                .children
                .entry(number(parent))
                .or_default()
                .push(number(child));
        }
        for [relation, column, name] in
            snapshot.rows_of("pg_attribute", ["attrelid", "attnum", "attname"])
        {
            found
                .column_names
                .insert((number(relation), number(column)), name);
        }
        found.add_keys(snapshot);
        found
    }

    fn add_keys(&mut self, snapshot: &'s Snapshot) {
        let columns = ["contype", "conrelid", "conkey", "confrelid", "confkey"];
        for [kind, table, key, referenced, referenced_key] in
            snapshot.rows_of("pg_constraint", columns)
        {
            let one = |key: &str| key.trim_matches(['{', '}']).parse::<i16>().ok();
            if let ("f", Some(key), Some(referenced_key)) = (kind, one(key), one(referenced_key)) {
                self.foreign_keys
                    .insert((number(table), key), (number(referenced), referenced_key));
            }
        }
        for [table, strategy, keys] in snapshot.rows_of(
            "pg_partitioned_table",
            ["partrelid", "partstrat", "partattrs"],
        ) {
            let table = number(table);
            self.partitioned.insert(table);
            for key in keys.split_whitespace().filter(|_| strategy != "h") {
                let name = self.column_names.get(&(table, number(key))).copied();
                self.partition_keys.extend(name.map(|name| (table, name)));
            }
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &QualifiedName> {
        self.names.values()
    }

    /// The table of an index; none for tables.
    pub(super) fn table_of(&self, index: Oid) -> Option<Oid> {
        self.tables_of_indexes.get(&index).copied()
    }

    pub(super) fn rows(&self, relation: Oid) -> f64 {
        self.rows.get(&relation).copied().unwrap_or(0.0)
    }

    /// The rows of a table and of all its partitions.
    pub(super) fn rows_with_children(&self, relation: Oid) -> f64 {
        self.family(relation)
            .into_iter()
            .map(|member| self.rows(member))
            .sum()
    }

    /// A table's own factor, or that of the table it is a partition of.
    pub(super) fn factor(&self, table: Oid, growth: &Growth) -> f64 {
        let named = self
            .ancestry(table)
            .into_iter()
            .find_map(|oid| growth.named(self.names.get(&oid)?));
        named.unwrap_or(growth.all)
    }

    /// The factor of a table together with its partitions.
    pub(super) fn factor_with_children(&self, table: Oid, growth: &Growth) -> f64 {
        let family: Vec<Oid> = self.family(table);
        let before: f64 = family.iter().map(|oid| self.rows(*oid)).sum();
        if family.len() < 2 || before <= 0.0 {
            return self.factor(table, growth);
        }
        family
            .iter()
            .map(|oid| self.rows(*oid) * self.factor(*oid, growth))
            .sum::<f64>()
            / before
    }

    /// A table and the tables it is a partition of, from the bottom up.
    fn ancestry(&self, table: Oid) -> Vec<Oid> {
        let mut all = vec![table];
        while let Some(parent) = all
            .last()
            .and_then(|last| self.parents.get(last))
            .filter(|oid| !all.contains(oid))
        {
            all.push(*parent);
        }
        all
    }

    /// A table and those of its partitions that have rows of their own; a partitioned table has
    /// only the sum.
    fn family(&self, table: Oid) -> Vec<Oid> {
        let mut all = vec![table];
        let mut next = 0;
        while let Some(member) = all.get(next).copied() {
            let new = self
                .children
                .get(&member)
                .into_iter()
                .flatten()
                .filter(|oid| !all.contains(oid));
            let new: Vec<Oid> = new.copied().collect();
            all.extend(new);
            next += 1;
        }
        if all.len() > 1 {
            all.retain(|oid| !self.partitioned.contains(oid));
        }
        all
    }

    /// The column that this column alone refers to.
    pub(super) fn referenced(&self, column: ColumnKey) -> Option<ColumnKey> {
        self.foreign_keys.get(&column).copied()
    }

    /// Is the table, or a table that it is a partition of, partitioned by this column?
    pub(super) fn is_partition_key(&self, (table, column): ColumnKey) -> bool {
        let Some(name) = self.column_names.get(&(table, column)) else {
            return false;
        };
        self.ancestry(table)
            .into_iter()
            .any(|oid| self.partition_keys.contains(&(oid, *name)))
    }
}

impl Growth {
    /// Names that no table of the snapshot has: typing errors.
    pub fn unknown(&self, snapshot: &Snapshot) -> Vec<QualifiedName> {
        let relations = Relations::of(snapshot);
        self.tables
            .keys()
            .filter(|name| !relations.names().any(|known| matches(name, known)))
            .cloned()
            .collect()
    }
}
