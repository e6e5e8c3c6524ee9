//! The statements that create an index in production, without blocking writers during the build
//! where that is possible.

use std::collections::{BTreeMap, BTreeSet};

use super::tables::{Catalog, Partition, Table};
use crate::index::naming::names;
use crate::index::{Index, NamedIndex};
use crate::model::{QualifiedName, quote_identifier};

/// What creates an index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Creation {
    /// The statements that create it, to be run one after the other and outside a transaction.
    pub create: Vec<String>,
    /// What has to run after them: an expression has no statistics before ANALYZE.
    pub afterwards: Vec<String>,
}

impl Creation {
    /// All of it, in order.
    pub fn statements(&self) -> impl Iterator<Item = &String> {
        self.create.iter().chain(&self.afterwards)
    }
}

/// How to create these indexes; `body` is what follows the table's name in the server's own
/// definition of each, which does not depend on the search_path.
///
/// For a plain table it is one `CREATE INDEX CONCURRENTLY`. A partitioned table does not take that:
/// there, an index on nothing but the parent is made first, then one on each partition, and
/// attached (<https://www.postgresql.org/docs/current/ddl-partitioning.html>, "Partition
/// Maintenance"). With a foreign table among the partitions that does not work either, and only a
/// CREATE INDEX that blocks writers is left.
pub fn creations(indexes: &[(&NamedIndex, &str)], catalog: &Catalog) -> Vec<Creation> {
    let mut taken = catalog.taken_names.clone();
    taken.extend(indexes.iter().map(|(index, _)| {
        QualifiedName::new(index.definition.table.schema.clone(), index.name.clone())
    }));
    indexes
        .iter()
        .map(|(index, body)| creation(index, body, catalog, &mut taken))
        .collect()
}

/// The statement for an index that was not built, so that there is no definition from the server.
pub fn creation_of_candidate(index: &NamedIndex, catalog: &Catalog) -> String {
    let definition = index.definition.definition();
    let extension = extension(index)
        .map(|statement| statement + " ")
        .unwrap_or_default();
    match catalog
        .table(&index.definition.table)
        .filter(|table| !table.partitions.is_empty())
    {
        Some(_) => format!(
            "{extension}CREATE INDEX {} ON {definition};",
            quote_identifier(&index.name)
        ),
        None => format!(
            "{extension}CREATE INDEX CONCURRENTLY {} ON {definition};",
            quote_identifier(&index.name)
        ),
    }
}

fn extension(index: &NamedIndex) -> Option<String> {
    index
        .definition
        .extension
        .as_ref()
        .map(|extension| extension.create() + ";")
}

fn creation(
    index: &NamedIndex,
    body: &str,
    catalog: &Catalog,
    taken: &mut BTreeSet<QualifiedName>,
) -> Creation {
    let table = &index.definition.table;
    let name = quote_identifier(&index.name);
    let create = match catalog
        .table(table)
        .filter(|table| !table.partitions.is_empty())
    {
        None => vec![format!(
            "CREATE INDEX CONCURRENTLY {name} ON {table} {body};"
        )],
        Some(table) if table.partitions.iter().any(|partition| partition.foreign) => {
            vec![format!("CREATE INDEX {name} ON {} {body};", table.name)]
        }
        Some(table) => partition_by_partition(index, body, table, taken),
    };
    let create = extension(index).into_iter().chain(create).collect();
    let afterwards = if index.definition.has_expression() {
        vec![format!("ANALYZE {table};")]
    } else {
        Vec::new()
    };
    Creation { create, afterwards }
}

fn partition_by_partition(
    index: &NamedIndex,
    body: &str,
    table: &Table,
    taken: &mut BTreeSet<QualifiedName>,
) -> Vec<String> {
    let mut index_of: BTreeMap<&QualifiedName, QualifiedName> = BTreeMap::new();
    index_of.insert(
        &table.name,
        QualifiedName::new(table.name.schema.clone(), index.name.clone()),
    );
    let mut statements = vec![format!(
        "CREATE INDEX {} ON ONLY {} {body};",
        quote_identifier(&index.name),
        table.name
    )];
    for partition in &table.partitions {
        let name = partition_index_name(index, partition, taken);
        let how = if partition.partitioned {
            ("", "ONLY ")
        } else {
            ("CONCURRENTLY ", "")
        };
        let quoted = quote_identifier(&name.name);
        statements.push(format!(
            "CREATE INDEX {}{quoted} ON {}{} {body};",
            how.0, how.1, partition.name
        ));
        if let Some(parent) = index_of.get(&partition.parent) {
            statements.push(format!("ALTER INDEX {parent} ATTACH PARTITION {name};"));
        }
        index_of.insert(&partition.name, name);
    }
    statements
}

fn partition_index_name(
    index: &NamedIndex,
    partition: &Partition,
    taken: &mut BTreeSet<QualifiedName>,
) -> QualifiedName {
    let on_partition = Index {
        table: partition.name.clone(),
        ..index.definition.clone()
    };
    let name = names([&on_partition], taken).concat();
    let name = QualifiedName::new(partition.name.schema.clone(), name);
    taken.insert(name.clone());
    name
}
