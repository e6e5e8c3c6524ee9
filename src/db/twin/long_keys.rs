//! Values that are too long for a btree. Statistics do not show them: ANALYZE leaves out long values,
//! and counts a value that is stored out of line as a short one. The sample has them.

use super::{Leaf, OPERATION, Twin};
use crate::db::DbError;
use crate::db::row::field;
use crate::index::{Index, Method};
use crate::model::{group_thousands, quote_identifier};
use crate::planner::Refusal;
use crate::verdict::Reason;

/// `BTMaxItemSize` with pages of 8 kB (src/include/access/nbtree.h): a third of a page.
const MAX_ENTRY_BYTES: i64 = 2704;

/// The header of an entry (`IndexTupleData`).
const HEADER_BYTES: i64 = 8;

/// Types whose values have no limit.
const UNLIMITED: &[&str] = &[
    "text",
    "character varying",
    "citext",
    "bytea",
    "jsonb",
    "numeric",
    "bit varying",
];

impl Twin {
    /// Has a btree a column whose values may be longer than it can hold?
    pub(super) fn may_have_long_keys(
        &mut self,
        index: &Index,
        leaf: &Leaf,
    ) -> Result<bool, DbError> {
        if index.method != Method::Btree {
            return Ok(false);
        }
        self.learn(leaf)?;
        let Some(facts) = self.facts.get(&leaf.table) else {
            return Ok(false);
        };
        let columns = columns(index).unwrap_or_default();
        let mut named = facts
            .columns
            .values()
            .filter(|column| columns.contains(&column.name.as_str()));
        Ok(named.any(|column| {
            let type_name = column.type_name.as_str();
            UNLIMITED.contains(&type_name) || type_name.ends_with("[]")
        }))
    }

    /// Why the server could not build a btree: a sampled row is too long for it.
    pub(super) fn too_long(
        &self,
        index: &Index,
        leaves: &[Leaf],
    ) -> Result<Option<Refusal>, DbError> {
        let columns =
            columns(index).filter(|_| index.method == Method::Btree && index.predicate.is_none());
        let Some(columns) = columns else {
            return Ok(None);
        };
        let sizes: Vec<String> = columns
            .iter()
            .map(|column| {
                format!(
                    "coalesce(pg_column_size({}), 0)::int8",
                    quote_identifier(column)
                )
            })
            .collect();
        for side in leaves.iter().filter_map(|leaf| self.side(leaf.table)) {
            let sql = format!(
                "SELECT coalesce(max({}), 0) AS longest FROM {}",
                sizes.join(" + "),
                side.name
            );
            // The sample need not have all columns.
            let rows = match self.session.query(OPERATION, &sql, &[]) {
                Err(refused) if refused.is_refusal() => continue,
                other => other?,
            };
            let longest = rows
                .first()
                .map_or(Ok(0), |row| field::<i64>(row, "longest"))?;
            if longest + HEADER_BYTES > MAX_ENTRY_BYTES {
                let message = format!(
                    "a row needs {} bytes in it, and a row of a btree has at most {}",
                    group_thousands((longest + HEADER_BYTES) as f64, 0),
                    group_thousands(MAX_ENTRY_BYTES as f64, 0)
                );
                return Ok(Some(Refusal::server(Reason::BuildFailed, message)));
            }
        }
        Ok(None)
    }
}

/// The columns of an index, those that it only carries included; none where a key is an expression.
fn columns(index: &Index) -> Option<Vec<&str>> {
    let keys = index.keys.iter().map(|key| key.key.column());
    let carried = index.include.iter().map(|name| Some(name.as_str()));
    keys.chain(carried).collect()
}
