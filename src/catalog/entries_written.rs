//! How many entries writers would have made in an index, from the server's counters.
//!
//! An INSERT makes an entry. An UPDATE makes one unless it is HOT, that is, unless it changes no
//! indexed column and finds room on the row's page
//! (<https://www.postgresql.org/docs/current/storage-hot.html>). A DELETE leaves the entry to
//! VACUUM. Two things are not counted: which of the HOT updates would change a column that only the
//! new index has, and how many of the rows satisfy a predicate. So the result is a minimum and a
//! maximum.

use std::collections::BTreeSet;

use super::tables::{Catalog, Table, Writes};
use crate::index::{Index, columns_that_block_hot};

/// The entries that writers would have made in an index.
#[derive(Debug, Clone, PartialEq)]
pub struct EntriesWritten {
    /// The table's counters it is made of.
    pub writes: Writes,
    /// The minimum.
    pub min: u64,
    /// The maximum.
    pub max: u64,
    /// The columns of it that no index has so far: an update of one of them cannot be HOT with it.
    /// None when not all of its columns are known.
    pub newly_indexed: Option<BTreeSet<String>>,
}

/// The entries of an index that does not exist yet; none when its table's writes were not counted.
pub fn entries_written(index: &Index, catalog: &Catalog) -> Option<EntriesWritten> {
    let table = catalog.table(&index.table)?;
    let writes = table.writes?;
    let newly_indexed = newly_indexed(index, table, catalog.server.version_num);
    let cold = writes.n_tup_upd.saturating_sub(writes.n_tup_hot_upd);
    let stays_hot = newly_indexed.as_ref().is_some_and(BTreeSet::is_empty);
    let max = writes.n_tup_ins + if stays_hot { cold } else { writes.n_tup_upd };
    let min = if index.predicate.is_some() {
        0
    } else {
        writes.n_tup_ins + cold
    };
    Some(EntriesWritten {
        writes,
        min,
        max,
        newly_indexed,
    })
}

fn newly_indexed(index: &Index, table: &Table, version_num: u32) -> Option<BTreeSet<String>> {
    let mut columns = columns_that_block_hot(index, version_num)?;
    for existing in table
        .indexes
        .iter()
        .filter_map(|existing| existing.index.as_ref())
    {
        let known = columns_that_block_hot(existing, version_num).unwrap_or_default();
        columns.retain(|column| !known.contains(column));
    }
    Some(columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{ExistingIndex, Server, TableKind};
    use crate::index::parse_index;
    use crate::model::{Bytes, QualifiedName};

    const WRITES: Writes = Writes {
        n_tup_ins: 100,
        n_tup_upd: 50,
        n_tup_hot_upd: 40,
        n_tup_del: 7,
        counted_for_s: Some(86_400.0),
        by_functions: None,
    };

    fn catalog(writes: Option<Writes>) -> Catalog {
        let primary_key = parse_index("CREATE UNIQUE INDEX k ON public.jobs (id)").unwrap();
        let existing = ExistingIndex {
            name: QualifiedName::new("public", "k"),
            ddl: String::new(),
            index: Some(primary_key),
            unique: true,
            constraint: true,
            valid: true,
            being_built: false,
            partitioned: false,
            size: Bytes(8192),
            scans: 0,
            ..ExistingIndex::default()
        };
        let jobs = Table {
            name: QualifiedName::new("public", "jobs"),
            kind: TableKind::Plain,
            partition_of: None,
            partitions: Vec::new(),
            rows: None,
            pages: 1,
            all_visible_pages: 0,
            owned: true,
            lockable: true,
            modified_rows: 0,
            row_security: false,
            policies_of_others: None,
            policies: Vec::new(),
            writes,
            columns: Vec::new(),
            indexes: vec![existing],
        };
        let server = Server {
            version_num: 150_000,
            ..Server::default()
        };
        Catalog {
            server,
            tables: vec![jobs],
            ..Catalog::default()
        }
    }

    fn of(definition: &str, version_num: u32) -> (u64, u64, Vec<String>) {
        let mut catalog = catalog(Some(WRITES));
        catalog.server.version_num = version_num;
        let index = parse_index(&format!("CREATE INDEX x ON public.jobs {definition}")).unwrap();
        let entries = entries_written(&index, &catalog).unwrap();
        (
            entries.min,
            entries.max,
            entries.newly_indexed.unwrap().into_iter().collect(),
        )
    }

    #[test]
    fn inserts_and_updates_that_are_not_hot_make_an_entry() {
        assert_eq!(
            of("(id)", 150_000),
            (110, 110, vec![]),
            "what is HOT stays so: no new column is indexed"
        );
        let state = || vec!["state".to_owned()];
        assert_eq!(
            of("(state, id)", 150_000),
            (110, 150, state()),
            "any HOT update may have changed it"
        );
        assert_eq!(of("(lower(state))", 150_000), (110, 150, state()));
        assert_eq!(of("(id) INCLUDE (state)", 150_000), (110, 150, state()));
    }

    #[test]
    fn of_the_rows_of_a_predicate_only_the_maximum_is_known() {
        assert_eq!(of("(id) WHERE id > 5", 150_000), (0, 110, vec![]));
        assert_eq!(
            of("(id) WHERE state = 'x'", 150_000),
            (0, 150, vec!["state".to_owned()])
        );
    }

    #[test]
    fn brin_leaves_updates_hot_from_16_on() {
        assert_eq!(
            of("USING brin (at)", 150_000),
            (110, 150, vec!["at".to_owned()])
        );
        assert_eq!(of("USING brin (at)", 160_000), (110, 110, vec![]));
        assert_eq!(
            of("USING brin (at) WHERE state = 'x'", 160_000),
            (0, 150, vec!["state".to_owned()])
        );
    }

    #[test]
    fn what_was_not_counted_is_not_known() {
        let index = parse_index("CREATE INDEX x ON public.jobs (id)").unwrap();
        assert_eq!(entries_written(&index, &catalog(None)), None);
    }
}
