//! What the planner reads from the first page of an index. Where it cannot be read,
//! [`Snapshot::metapage`] computes it.
//!
//! [`Snapshot::metapage`]: crate::twin::Snapshot::metapage

use std::collections::BTreeMap;

use tokio_postgres::types::{Oid, Type};

use super::{OPERATION, RelationFile};
use crate::db::explain::Explained;
use crate::db::row::field;
use crate::db::{DbError, Session};
use crate::model::QualifiedName;
use crate::plan::Plan;
use crate::twin::metapage::Metapage;
use crate::twin::page::read_metapage;

/// Maximum number of indexes in one query.
const INDEXES_AT_ONCE: usize = 50;

/// Makes the planner's cost of descending a btree visible in the startup cost: `(level + 1) * 50 *
/// cpu_operator_cost`, and at most 64 operators for the comparisons (`btcostestimate`,
/// src/backend/utils/adt/selfuncs.c).
const PRICES: &[&str] = &[
    "SET LOCAL cpu_operator_cost = 100",
    "SET LOCAL enable_seqscan = off",
    "SET LOCAL enable_bitmapscan = off",
    "SET LOCAL enable_sort = off",
    "SET LOCAL max_parallel_workers_per_gather = 0",
];
const PRICE_OF_A_LEVEL: f64 = 50.0 * 100.0;

struct Btree {
    oid: Oid,
    /// The table.
    relation: Oid,
    name: QualifiedName,
    query: String,
}

impl Session {
    /// The levels of btrees, computed from the planner's costs. A btree of two pages has a single
    /// leaf. Those of tables that must not be read keep what is estimated.
    pub(super) fn add_btree_levels(
        &self,
        files: &mut [RelationFile],
        untrusted: &[Oid],
    ) -> Result<(), DbError> {
        let wanted: Vec<Oid> = files
            .iter()
            .filter(|file| file.blocks > 2 && file.method.as_deref() == Some("btree"))
            .map(|file| file.oid)
            .collect();
        let btrees = self.btrees(&wanted, untrusted)?;
        self.query(OPERATION, "SAVEPOINT levels", &[])?;
        for setting in PRICES {
            self.query(OPERATION, setting, &[])?;
        }
        let mut levels: BTreeMap<Oid, u32> = BTreeMap::new();
        for some in btrees.chunks(INDEXES_AT_ONCE) {
            match self.startup_costs(some)? {
                Some(plan) => levels.extend(
                    some.iter()
                        .filter_map(|btree| Some((btree.oid, level(btree, &plan)?))),
                ),
                None => {
                    for btree in some {
                        let plan = self.startup_costs(std::slice::from_ref(btree))?;
                        levels
                            .extend(plan.and_then(|plan| Some((btree.oid, level(btree, &plan)?))));
                    }
                }
            }
        }
        self.query(OPERATION, "ROLLBACK TO SAVEPOINT levels", &[])?;
        let blocks: BTreeMap<Oid, u64> = files.iter().map(|file| (file.oid, file.blocks)).collect();
        for file in files {
            let level = levels.get(&file.oid).copied();
            if let Some(level) = level.or_else(|| of_its_like(file, &btrees, &levels, &blocks)) {
                file.metapage = Some(Metapage::Btree { level });
            }
        }
        Ok(())
    }

    fn btrees(&self, wanted: &[Oid], untrusted: &[Oid]) -> Result<Vec<Btree>, DbError> {
        let rows = self.query(
            OPERATION,
            include_str!("btrees.sql"),
            &[(&wanted, Type::OID_ARRAY), (&untrusted, Type::OID_ARRAY)],
        )?;
        let btree = |row| {
            let name = QualifiedName::new(
                field::<String>(row, "schema_name")?,
                field::<String>(row, "index_name")?,
            );
            Ok(Btree {
                oid: field(row, "oid")?,
                relation: field(row, "relation")?,
                name,
                query: field(row, "query")?,
            })
        };
        rows.iter().map(btree).collect()
    }

    /// A plan that reads each of these indexes as a whole; none if the role may not read a table.
    fn startup_costs(&self, btrees: &[Btree]) -> Result<Option<Plan>, DbError> {
        let queries: Vec<String> = btrees
            .iter()
            .map(|btree| format!("({})", btree.query))
            .collect();
        self.query(OPERATION, "SAVEPOINT level", &[])?;
        match self.explain(&queries.join(" UNION ALL "))? {
            Explained::Plan { plan, .. } => Ok(Some(plan)),
            _ => {
                self.query(OPERATION, "ROLLBACK TO SAVEPOINT level", &[])?;
                Ok(None)
            }
        }
    }

    /// Superusers and roles that are granted `pg_read_server_files` and the function can read the
    /// pages of GIN and BRIN.
    pub(super) fn add_metapages(&self, files: &mut [RelationFile]) -> Result<(), DbError> {
        let wanted: Vec<Oid> = files
            .iter()
            .filter(|file| {
                file.blocks > 0 && matches!(file.method.as_deref(), Some("gin" | "brin"))
            })
            .map(|file| file.oid)
            .collect();
        if wanted.is_empty() {
            return Ok(());
        }
        self.query(OPERATION, "SAVEPOINT metapages", &[])?;
        let sql = "/* pgrehearse: the first page of indexes */ \
                   SELECT oid, pg_read_binary_file(pg_relation_filepath(oid), 0, 8192, true) AS block \
                   FROM unnest($1::oid[]) AS oid";
        match self.query(OPERATION, sql, &[(&wanted, Type::OID_ARRAY)]) {
            Ok(rows) => {
                for row in &rows {
                    let (oid, block): (Oid, Option<Vec<u8>>) =
                        (field(row, "oid")?, field(row, "block")?);
                    if let Some(file) = files.iter_mut().find(|file| file.oid == oid) {
                        file.metapage = file
                            .method
                            .as_deref()
                            .and_then(|method| read_metapage(method, &block.unwrap_or_default()));
                    }
                }
            }
            Err(refused) if refused.is_refusal() => {
                self.query(OPERATION, "ROLLBACK TO SAVEPOINT metapages", &[])?;
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }
}

/// Of two indexes that differ in nothing but the direction the planner reads only one. The other one is
/// as high: an index on the same table that has about as many pages.
fn of_its_like(
    file: &RelationFile,
    btrees: &[Btree],
    levels: &BTreeMap<Oid, u32>,
    blocks: &BTreeMap<Oid, u64>,
) -> Option<u32> {
    let own = btrees.iter().find(|btree| btree.oid == file.oid)?;
    let mut others = btrees.iter().filter(|other| {
        let other_blocks = blocks.get(&other.oid).copied().unwrap_or(0);
        let (fewer, more) = (file.blocks.min(other_blocks), file.blocks.max(other_blocks));
        other.relation == own.relation && 4 * more <= 5 * fewer && levels.contains_key(&other.oid)
    });
    levels.get(&others.next()?.oid).copied()
}

/// The level of the root of an index that the plan reads.
fn level(btree: &Btree, plan: &Plan) -> Option<u32> {
    let reads = |node: &&crate::plan::Node| {
        node.index_name() == Some(&btree.name.name)
            && node
                .text("Schema")
                .is_none_or(|schema| schema == btree.name.schema)
    };
    let startup = plan.nodes().iter().find(reads)?.startup_cost()?;
    let levels = (startup / PRICE_OF_A_LEVEL).floor() - 1.0;
    (0.0..64.0).contains(&levels).then_some(levels as u32)
}
