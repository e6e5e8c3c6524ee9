//! Catalog rows with the columns of another version.

use std::collections::BTreeMap;

use crate::twin::Snapshot;
use crate::twin::snapshot::SystemTable;

/// A column of a catalog of the new server.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_name: String,
    /// What rows get that come from a version without it: what most of the new server's own rows have.
    /// None where NULL is possible, or no row tells.
    pub usual: Option<String>,
}

/// Columns that got another name: catalog, in the old version, in the new one.
const RENAMED: &[(&str, &str, &str)] = &[
    // PostgreSQL 17
    ("pg_collation", "colliculocale", "colllocale"),
];

/// Before PostgreSQL 15, collations of ICU had their locale where those of libc have it.
const ICU: &str = "i";

/// Rows get the new server's columns, and lose those that it does not have.
pub(super) fn fit(snapshot: &mut Snapshot, new: &BTreeMap<String, Vec<NewColumn>>) {
    for table in &mut snapshot.system_tables {
        let Some(columns) = new.get(&table.name) else {
            table.rows.clear();
            continue;
        };
        for (catalog, old, now) in RENAMED {
            let is_there = columns.iter().any(|column| column.name == *now);
            if table.name == *catalog && is_there {
                for name in table.columns.iter_mut().filter(|name| *name == old) {
                    (*now).clone_into(name);
                }
            }
        }
        let has_locale = table
            .position("colllocale")
            .or(table.position("colliculocale"));
        let move_locale = table.name == "pg_collation" && has_locale.is_none();
        let fitted = fitted(table, columns);
        *table = fitted;
        if move_locale {
            move_icu_locales(table);
        }
    }
}

fn fitted(table: &SystemTable, columns: &[NewColumn]) -> SystemTable {
    let kept: Vec<(&NewColumn, Option<usize>)> = columns
        .iter()
        .map(|column| (column, table.position(&column.name)))
        .filter(|(column, position)| {
            position.is_some() || column.usual.is_some() || is_locale(column)
        })
        .collect();
    let row = |row: &Vec<Option<String>>| {
        let value = |(column, position): &(&NewColumn, Option<usize>)| match position {
            Some(position) => row.get(*position).cloned().flatten(),
            None => column.usual.clone(),
        };
        kept.iter().map(value).collect()
    };
    SystemTable {
        name: table.name.clone(),
        columns: kept.iter().map(|(column, _)| column.name.clone()).collect(),
        rows: table.rows.iter().map(row).collect(),
    }
}

fn is_locale(column: &NewColumn) -> bool {
    matches!(column.name.as_str(), "colllocale" | "colliculocale")
}

fn move_icu_locales(table: &mut SystemTable) {
    let positions = (
        table.position("collprovider"),
        table.position("collcollate"),
        table.position("collctype"),
        table
            .position("colllocale")
            .or(table.position("colliculocale")),
    );
    let (Some(provider), Some(collate), Some(ctype), Some(locale)) = positions else {
        return;
    };
    for row in &mut table.rows {
        if row.get(provider).and_then(Option::as_deref) != Some(ICU) {
            continue;
        }
        let own = row.get_mut(collate).and_then(Option::take);
        if let Some(value) = row.get_mut(ctype) {
            *value = None;
        }
        if let Some(value) = row.get_mut(locale) {
            *value = own;
        }
    }
}
