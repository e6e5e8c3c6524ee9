//! What the catalog alone says about the indexes that are there: invalid leftovers, duplicates, prefixes of others.
//! Indexes that enforce something are never proposed for dropping.

use super::{ExistingFinding, ExistingKind};
use crate::catalog::{Catalog, ExistingIndex, Table};

/// The findings on all tables of the workload, in their order.
pub(super) fn findings(catalog: &Catalog) -> Vec<ExistingFinding> {
    catalog.tables.iter().filter(|table| table.partition_of.is_none()).flat_map(of_table).collect()
}

fn of_table(table: &Table) -> Vec<ExistingFinding> {
    table.indexes.iter().filter(|index| may_be_dropped(index)).filter_map(|index| of_index(index, table)).collect()
}

/// Nothing depends on it but speed, and nobody is building it at the moment. An index of a partitioned table cannot be dropped
/// without blocking everybody, and may be waiting for its partitions' indexes: hands off.
pub(super) fn may_be_dropped(index: &ExistingIndex) -> bool {
    !index.unique && !index.constraint && !index.being_built && !index.partitioned
}

fn of_index(index: &ExistingIndex, table: &Table) -> Option<ExistingFinding> {
    let finding = |kind, detail| Some(ExistingFinding { index: index.name.clone(), kind, size: index.size, detail });
    if !index.valid {
        let detail =
            "left behind by a CREATE INDEX CONCURRENTLY that failed: it is kept up to date and never used".to_owned();
        return finding(ExistingKind::Invalid, detail);
    }
    let known = index.index.as_ref()?;
    let others = table.indexes.iter().filter(|other| other.valid && other.name != index.name);
    let (twins, longer): (Vec<_>, Vec<_>) = others
        .filter(|other| other.index.as_ref().is_some_and(|other| other.subsumes(known)))
        .partition(|other| other.index.as_ref() == Some(known));
    // Of two equal ones, the one that enforces something or comes first by name stays.
    if let Some(twin) = twins.iter().find(|twin| !may_be_dropped(twin) || twin.name < index.name) {
        return finding(ExistingKind::Duplicate, format!("the same as {}", twin.name));
    }
    let longer = longer.first()?;
    finding(ExistingKind::Redundant, format!("its columns are the first of {}", longer.name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::TableKind;
    use crate::model::{Bytes, QualifiedName};
    use crate::sql::parse_index;

    fn index(name: &str, columns: &str) -> ExistingIndex {
        let ddl = format!("CREATE INDEX {name} ON public.t USING btree ({columns})");
        let index = parse_index(&ddl).ok();
        let name = QualifiedName::new("public", name);
        ExistingIndex {
            name,
            ddl,
            index,
            unique: false,
            constraint: false,
            valid: true,
            being_built: false,
            partitioned: false,
            size: Bytes(8192),
            scans: 0,
        }
    }

    fn found(indexes: Vec<ExistingIndex>) -> Vec<(String, ExistingKind)> {
        let table = Table {
            name: QualifiedName::new("public", "t"),
            kind: TableKind::Plain,
            partition_of: None,
            partitions: Vec::new(),
            rows: None,
            pages: 1,
            all_visible_pages: 0,
            owned: true,
            lockable: true,
            modified_rows: 0,
            writes: None,
            columns: Vec::new(),
            indexes,
        };
        let catalog = Catalog { tables: vec![table], ..Catalog::default() };
        findings(&catalog).into_iter().map(|finding| (finding.index.name, finding.kind)).collect()
    }

    #[test]
    fn duplicates_prefixes_and_leftovers_are_found() {
        let primary_key = ExistingIndex { unique: true, constraint: true, ..index("pk", "id") };
        let invalid = ExistingIndex { valid: false, ..index("broken", "z") };
        let indexes = vec![
            primary_key,
            index("twin_of_pk", "id"),
            index("a", "x"),
            index("b", "x, y"),
            index("c", "x, y"),
            invalid,
        ];
        assert_eq!(
            found(indexes),
            [
                ("twin_of_pk".to_owned(), ExistingKind::Duplicate),
                ("a".to_owned(), ExistingKind::Redundant),
                ("c".to_owned(), ExistingKind::Duplicate),
                ("broken".to_owned(), ExistingKind::Invalid),
            ]
        );
    }

    #[test]
    fn what_enforces_something_stays() {
        let unique = ExistingIndex { unique: true, ..index("u", "x") };
        assert_eq!(found(vec![unique, index("long", "x, y")]), []);
    }
}
