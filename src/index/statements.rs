//! The statements that create an index for keeps without blocking writers for the time of the build.

use std::collections::BTreeMap;

use super::naming::names;
use super::{Index, NamedIndex};
use crate::catalog::{Catalog, Partition, Table};
use crate::model::{QualifiedName, quote_identifier};

/// The statements, to be run one after the other and outside a transaction. For a plain table it is one
/// `CREATE INDEX CONCURRENTLY`. A partitioned table does not take that: there, an index on nothing but the parent is made first,
/// then one on each partition, and attached
/// (<https://www.postgresql.org/docs/current/ddl-partitioning.html>, "Partition Maintenance").
pub fn creation(index: &NamedIndex, catalog: &Catalog) -> Vec<String> {
    match catalog.table(&index.index.table).filter(|table| !table.partitions.is_empty()) {
        None => vec![index.index.create_concurrently(&index.name)],
        Some(table) => partition_by_partition(index, table, catalog),
    }
}

fn partition_by_partition(index: &NamedIndex, table: &Table, catalog: &Catalog) -> Vec<String> {
    let on = |partition: &Partition| Index { table: partition.name.clone(), ..index.index.clone() };
    let indexes: Vec<Index> = table.partitions.iter().map(on).collect();
    let own_names = names(&indexes, &catalog.taken_names);
    let mut index_of: BTreeMap<&QualifiedName, QualifiedName> = BTreeMap::new();
    index_of.insert(&table.name, QualifiedName::new(table.name.schema.clone(), index.name.clone()));
    let mut statements = vec![index.index.create_on_only(&index.name)];
    for ((partition, own), name) in table.partitions.iter().zip(&indexes).zip(own_names) {
        statements.push(if partition.partitioned { own.create_on_only(&name) } else { own.create_concurrently(&name) });
        let own_index = QualifiedName::new(partition.name.schema.clone(), name);
        if let Some(parent) = index_of.get(&partition.parent) {
            statements.push(format!("ALTER INDEX {parent} ATTACH PARTITION {own_index};"));
        }
        index_of.insert(&partition.name, own_index);
    }
    statements
}

impl Index {
    /// An index on a partitioned table alone: not valid before every partition has one attached.
    fn create_on_only(&self, name: &str) -> String {
        format!("CREATE INDEX {} ON ONLY {};", quote_identifier(name), self.definition())
    }
}
