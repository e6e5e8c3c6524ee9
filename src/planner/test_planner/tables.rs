//! Tables of a [`super::TestPlanner`].

use super::index;
use crate::catalog::{Catalog, Column, ColumnStatistics, ExistingIndex, Server, Table, TableKind};
use crate::model::{Bytes, QualifiedName};

/// A table in the schema public. Of a hundred thousand rows, owned, analyzed and vacuumed, unless
/// the test says otherwise.
#[derive(Debug, Clone)]
pub(crate) struct TestTable(Table);

/// A table with these columns: `&["id bigint", "state text"]`.
pub(crate) fn table(name: &str, columns: &[&str]) -> TestTable {
    const PAGES: u64 = 1_000;
    TestTable(Table {
        name: QualifiedName::new("public", name),
        kind: TableKind::Plain,
        partition_of: None,
        partitions: Vec::new(),
        rows: Some(100_000.0),
        pages: PAGES,
        all_visible_pages: PAGES,
        owned: true,
        lockable: true,
        modified_rows: 0,
        row_security: false,
        policies_of_others: None,
        policies: Vec::new(),
        writes: None,
        columns: columns.iter().copied().map(column).collect(),
        indexes: Vec::new(),
    })
}

fn column(text: &str) -> Column {
    let (name, type_name) = text.split_once(' ').unwrap();
    Column {
        name: name.to_owned(),
        type_name: type_name.to_owned(),
        not_null: false,
        c_collation: false,
        names_partition: false,
        collation: None,
        statistics: Some(ColumnStatistics {
            distinct: 1_000.0,
            ..ColumnStatistics::default()
        }),
    }
}

impl TestTable {
    pub(crate) fn rows(self, rows: f64) -> TestTable {
        self.with(|table| table.rows = Some(rows))
    }

    /// An index that exists: `("orders_customer_idx", "(customer_id)")`.
    pub(crate) fn existing(self, name: &str, body: &str, size: Bytes) -> TestTable {
        self.with(|table| {
            let definition = index(&format!("{} {body}", table.name.name));
            table.indexes.push(ExistingIndex {
                name: QualifiedName::new("public", name),
                ddl: definition.create(name),
                index: Some(definition),
                valid: true,
                size,
                scans: 1,
                ..ExistingIndex::default()
            });
        })
    }

    /// Anything else.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut Table)) -> TestTable {
        change(&mut self.0);
        self
    }
}

impl From<TestTable> for Table {
    fn from(table: TestTable) -> Table {
        table.0
    }
}

pub(crate) fn catalog(tables: impl IntoIterator<Item = TestTable>) -> Catalog {
    let tables: Vec<Table> = tables.into_iter().map(Table::from).collect();
    let indexes = tables.iter().flat_map(|table| &table.indexes);
    let taken = indexes.map(|index| index.name.clone());
    let taken = taken.chain(tables.iter().map(|table| table.name.clone()));
    Catalog {
        server: Server {
            version_num: 160_000,
            version: "16.0".to_owned(),
            database: "shop".to_owned(),
            ..Server::default()
        },
        taken_names: taken.collect(),
        tables,
        ..Catalog::default()
    }
}
