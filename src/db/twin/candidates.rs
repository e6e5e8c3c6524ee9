//! Candidate indexes in the twin: created over its few rows, given a file of the estimated size,
//! and hidden.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_postgres::types::Type;

use super::index_part::{IndexPart, part};
use super::{Heap, Leaf, Reserved, Twin};
use crate::db::DbError;
use crate::db::row::field;
use crate::db::transaction::body;
use crate::model::{Bytes, QualifiedName, quote_literal};
use crate::planner::{NamedIndex, Refusal, TestedIndex};
use crate::twin::page::{self, BLOCK_BYTES};
use crate::twin::representatives::{PartitionSize, scaled};
use crate::twin::size::IndexSize;
use crate::twin::snapshot::Oid;
use crate::verdict::Reason;

const OPERATION: &str = "creating an index in the planner twin";

/// A candidate that exists in the twin and is hidden.
#[derive(Debug, Clone)]
pub(super) struct Hypothetical {
    /// Its name, qualified.
    name: String,
    /// Itself and, on a partitioned table, its partitions' indexes.
    pub(super) oids: Vec<Oid>,
    /// The OIDs with which they were created, in the same order.
    created_as: Vec<Oid>,
    /// As an answer describes it: its size is an estimate.
    pub(super) index: TestedIndex,
}

/// Estimates are made in a transaction that is rolled back, and every name in them is qualified.
pub(super) const BEGIN_ESTIMATES: &str = "BEGIN; SET LOCAL max_parallel_workers_per_gather = 0; SET LOCAL search_path = pg_catalog, pg_temp";

/// The longest name (`NAMEDATALEN` less the final zero).
const MAX_NAME_BYTES: usize = 63;

/// Which rows the table has while an index is created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rows {
    /// The two rows with the smallest and the largest values.
    Ends,
    /// None: these two rows combine values that never were in one row, and an expression may fail
    /// on them.
    None,
}

impl Twin {
    /// The facts about this index.
    pub(super) fn hypothetical(&self, index: &NamedIndex) -> Option<&Hypothetical> {
        self.known.get(&index.definition.create(&index.name))
    }

    /// The server built this index: from now on it has that size here, too. The parts of a
    /// partitioned index keep their estimates.
    pub fn keep_real_size(&mut self, index: &NamedIndex, size: Bytes) -> Result<(), DbError> {
        let definition = index.definition.create(&index.name);
        let is_partitioned = self.number_of_relations(&index.definition.table)? > 1;
        self.real_sizes.insert(definition.clone(), size);
        let known = self.known.get(&definition);
        if known.is_some_and(|known| known.index.size != size) && !is_partitioned {
            self.drop_known(&definition)?;
        }
        Ok(())
    }

    /// Drops a candidate. It gets back the OIDs with which it was created: by these the server's
    /// cumulative statistics know it, and a second drop by one OID would be an error there
    /// (`pgstat_drop_entry_internal`, src/backend/utils/activity/pgstat_shmem.c), which a candidate
    /// that is created again would come to.
    fn drop_known(&mut self, definition: &str) -> Result<(), DbError> {
        let Some(known) = self.known.remove(definition) else {
            return Ok(());
        };
        let oids = known.oids.iter().copied();
        let lowered: Vec<(Oid, Oid)> = oids.zip(known.created_as.iter().copied()).collect();
        let script = format!("{}; DROP INDEX {}", raise_oids(&lowered, &[]), known.name);
        self.admin.batch(OPERATION, &script)
    }

    /// Creates an index that the twin does not have yet.
    pub(in crate::db) fn know(
        &mut self,
        index: &NamedIndex,
    ) -> Result<Result<(), Refusal>, DbError> {
        if self.hypothetical(index).is_some() {
            return Ok(Ok(()));
        }
        let leaves = self.looked_at(&index.definition.table)?;
        if let Some(refusal) = self.too_long(&index.definition, &leaves)? {
            return Ok(Err(refusal));
        }
        self.forget(index)?;
        let mut created = self.create(index, Rows::Ends);
        if created.as_ref().is_err_and(DbError::is_data_error) {
            self.session.rollback();
            created = self.create(index, Rows::None);
        }
        match created {
            Ok(known) => {
                self.known
                    .insert(index.definition.create(&index.name), known);
                Ok(Ok(()))
            }
            Err(refused) if refused.is_refusal() => {
                self.session.rollback();
                let message = refused.to_string();
                Ok(Err(Refusal::server(Reason::BuildFailed, message)))
            }
            Err(error) => Err(error),
        }
    }

    /// Drops another candidate that has the same name.
    fn forget(&mut self, index: &NamedIndex) -> Result<(), DbError> {
        let name = index.qualified_name().to_string();
        let other = self
            .known
            .iter()
            .find(|(_, known)| known.name == name)
            .map(|(definition, _)| definition.clone());
        match other {
            Some(definition) => self.drop_known(&definition),
            None => Ok(()),
        }
    }

    fn create(&mut self, index: &NamedIndex, rows: Rows) -> Result<Hypothetical, DbError> {
        if let Some(extension) = &index.definition.extension {
            self.admin.batch(OPERATION, &extension.create())?;
        }
        let leaves = self.leaves(&index.definition.table)?;
        for leaf in &self.looked_at(&index.definition.table)? {
            self.learn(leaf)?;
            if matches!(index.definition.method.name(), "gin" | "gist" | "spgist") {
                self.divide_sample(leaf.table)?;
            }
        }
        let empty = match rows {
            Rows::Ends => None,
            Rows::None => Some(self.directory.create(&[], 0)?),
        };
        self.build(index, &leaves, empty)?;
        let finished = self.finish(index);
        if finished.is_err() {
            self.session.rollback();
            let name = index.qualified_name();
            self.admin
                .batch(OPERATION, &format!("DROP INDEX IF EXISTS {name}"))?;
        }
        finished
    }

    /// Creates an index over the files with a few rows and hides it.
    fn build(
        &self,
        index: &NamedIndex,
        leaves: &[Leaf],
        empty: Option<Oid>,
    ) -> Result<(), DbError> {
        let few_rows = self.use_files(leaves, |heap| empty.unwrap_or(heap.short));
        self.admin.batch(OPERATION, &few_rows)?;
        let create = format!(
            "BEGIN; {}; SET LOCAL max_parallel_workers_per_gather = 0; {}; COMMIT",
            self.users_names(),
            index.definition.create(&index.name)
        );
        let created = self.session.batch(OPERATION, &create);
        if created.is_err() {
            self.session.rollback();
        }
        let mut after = self.use_files(leaves, |heap| heap.long);
        if created.is_ok() {
            after = format!("{}; {after}", hide(index));
        }
        self.admin.batch(OPERATION, &after)?;
        created
    }

    /// Gives a new index a file of the estimated size, and its lasting OID.
    fn finish(&mut self, index: &NamedIndex) -> Result<Hypothetical, DbError> {
        let mut parts = self.parts(index)?;
        name_parts(index, &mut parts);
        let leaves = self.leaves(&index.definition.table)?;
        let standing = self.standing(&leaves);
        let with_expressions = parts
            .iter()
            .filter(|part| part.has_expression() && part.path.is_some());
        for part in with_expressions.filter(|part| stands_for_itself(&standing, part)) {
            self.add_expression_statistics(part)?;
        }
        self.copy_expression_statistics(&parts, &standing)?;
        self.session.batch(OPERATION, BEGIN_ESTIMATES)?;
        let files = self.files(index, &parts, &standing)?;
        self.session.rollback();
        let raised = self.raise(index, &parts)?;
        self.admin.batch(OPERATION, &give_files(&files))?;
        self.admin
            .batch(OPERATION, &raise_script(&raised, &parts))?;
        let bytes = files
            .iter()
            .map(|(_, _, size)| size.pages * BLOCK_BYTES as u64);
        Ok(hypothetical(index, &parts, raised, bytes.sum()))
    }

    /// The estimated sizes of the parts on tables that stand for others, by table.
    fn estimates(
        &mut self,
        index: &NamedIndex,
        parts: &[IndexPart],
        standing: &BTreeMap<Oid, PartitionSize>,
    ) -> Result<PartSizes, DbError> {
        let mut sizes = BTreeMap::new();
        let represented = parts
            .iter()
            .filter(|part| stands_for_itself(standing, part));
        for mut part in represented.cloned() {
            let Some(path) = &part.path else { continue };
            let built = self.directory.read(path, 2 * BLOCK_BYTES)?;
            part.deduplicates = part.method == "btree" && page::deduplicates(&built);
            let size = self.estimate(&index.definition, &part)?;
            if let Some(of) = standing.get(&part.table) {
                sizes.insert(part.table, (size, *of));
            }
        }
        Ok(sizes)
    }

    /// A file of the estimated size for each part.
    fn files(
        &mut self,
        index: &NamedIndex,
        parts: &[IndexPart],
        standing: &BTreeMap<Oid, PartitionSize>,
    ) -> Result<Vec<(Oid, Oid, IndexSize)>, DbError> {
        let definition = index.definition.create(&index.name);
        let estimates = match self.estimates.get(&definition) {
            Some(known) => known,
            None => {
                let sizes = self.estimates(index, parts, standing)?;
                self.estimates.keep(definition, sizes)
            }
        };
        let mut files = Vec::with_capacity(parts.len());
        for part in parts {
            let Some(path) = part.path.clone() else {
                continue;
            };
            let built = self.directory.read(&path, 2 * BLOCK_BYTES)?;
            let of = standing
                .get(&part.table)
                .and_then(|of| estimates.get(&of.table));
            let Some((size, of)) = of else { continue };
            let own = PartitionSize {
                table: part.table,
                blocks: self.heaps.get(&part.table).map_or(0, |heap| heap.pages),
            };
            let mut size = scaled(*size, *of, own);
            let real = self.real_sizes.get(&index.definition.create(&index.name));
            if let (Some(real), [_]) = (real, parts) {
                size.pages = (real.0 / BLOCK_BYTES as u64).clamp(1, u64::from(u32::MAX));
            }
            let beginning = match size.metapage {
                Some(metapage) => page::first_blocks(&metapage, size.pages, &built),
                None => Vec::new(),
            };
            let file = self.directory.create(&beginning, size.pages)?;
            files.push((part.oid, file, size));
        }
        Ok(files)
    }

    /// New OIDs, greater than those of all of production's indexes: a new index on the server would
    /// have the greatest.
    fn raise(
        &mut self,
        index: &NamedIndex,
        parts: &[IndexPart],
    ) -> Result<Vec<(Oid, Oid)>, DbError> {
        let mut old: Vec<Oid> = parts.iter().map(|part| part.oid).collect();
        old.sort_unstable();
        let mut reserved = self.reserve(index)?;
        if (reserved.number as usize) < old.len() {
            reserved = self.reserve_next(u32::try_from(old.len()).unwrap_or(u32::MAX));
        }
        Ok(old.into_iter().zip(reserved.first..).collect())
    }

    /// The OIDs that this candidate has or will have. Candidates get theirs in the order in which
    /// they are first named here.
    ///
    /// # Errors
    /// When the connection is lost.
    pub fn reserve(&mut self, index: &NamedIndex) -> Result<Reserved, DbError> {
        let definition = index.definition.create(&index.name);
        if let Some(reserved) = self.reserved.get(&definition) {
            return Ok(*reserved);
        }
        let number = self.number_of_relations(&index.definition.table)?;
        let reserved = self.reserve_next(number);
        self.reserved.insert(definition, reserved);
        Ok(reserved)
    }

    /// This candidate has these OIDs in another twin of the same server.
    pub fn keep_reserved(&mut self, index: &NamedIndex, reserved: Reserved) {
        self.last_oid = self.last_oid.max(reserved.first + (reserved.number - 1));
        let definition = index.definition.create(&index.name);
        self.reserved.insert(definition, reserved);
    }

    /// The first of so many OIDs that nothing else has.
    pub(super) fn reserve_oids(&mut self, number: u32) -> Oid {
        self.reserve_next(number).first
    }

    fn reserve_next(&mut self, number: u32) -> Reserved {
        let first = self.last_oid + 1;
        self.last_oid += number;
        Reserved { first, number }
    }

    fn number_of_relations(&mut self, table: &QualifiedName) -> Result<u32, DbError> {
        if let Some(number) = self.relations.get(table) {
            return Ok(*number);
        }
        let sql = "SELECT pg_catalog.count(*) AS relations FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1))";
        let rows = self
            .admin
            .query(OPERATION, sql, &[(&table.to_string(), Type::TEXT)])?;
        let counted = rows.first().map(|row| field::<i64>(row, "relations"));
        let number = u32::try_from(counted.transpose()?.unwrap_or(1).max(1)).unwrap_or(u32::MAX);
        self.relations.insert(table.clone(), number);
        Ok(number)
    }

    /// Switches these tables to their short or sparse files, with production's counts.
    fn use_files(&self, leaves: &[Leaf], which: impl Fn(&Heap) -> Oid) -> String {
        let tables: Vec<Oid> = leaves.iter().map(|leaf| leaf.table).collect();
        self.use_files_of(&tables, which)
    }

    /// The statement that switches tables to one of their files, with production's counts; empty where
    /// there is none to switch.
    pub(super) fn use_files_of(&self, tables: &[Oid], which: impl Fn(&Heap) -> Oid) -> String {
        let rows: Vec<String> = tables
            .iter()
            .filter_map(|table| Some((table, self.heaps.get(table)?)))
            .map(|(table, heap)| {
                let measures = heap.measures;
                format!(
                    "({table}, {}, {}, '{}'::float4, {})",
                    which(heap),
                    measures.pages,
                    measures.tuples,
                    measures.all_visible_pages
                )
            })
            .collect();
        if rows.is_empty() {
            return String::new();
        }
        format!(
            "UPDATE pg_catalog.pg_class c SET relfilenode = f.number, relpages = f.pages, reltuples = f.tuples, \
             relallvisible = f.all_visible FROM (VALUES {}) AS f (oid, number, pages, tuples, all_visible) \
             WHERE c.oid = f.oid::oid",
            rows.join(", ")
        )
    }

    /// The parts of a candidate, the index on the table itself first.
    pub(super) fn parts(&self, index: &NamedIndex) -> Result<Vec<IndexPart>, DbError> {
        let sql = format!(
            "EXECUTE pgrehearse_parts({})",
            quote_literal(&index.qualified_name().to_string())
        );
        let rows = self.admin.query(OPERATION, &sql, &[])?;
        rows.iter().map(part).collect()
    }

    /// A prepared statement, because planning this query takes longer than everything else.
    pub(super) fn prepare_parts(&self) -> Result<(), DbError> {
        self.admin.batch(
            OPERATION,
            concat!(
                "PREPARE pgrehearse_parts(text) AS ",
                include_str!("parts.sql")
            ),
        )
    }
}

/// The estimated sizes of an index's parts, each with the size of its table, by table.
type PartSizes = BTreeMap<Oid, (IndexSize, PartitionSize)>;

/// The sizes of candidates, by definition, as they were estimated first: the twins of one server
/// have the same rows, so each would come to the same sizes.
#[derive(Debug, Clone, Default)]
pub(super) struct SharedEstimates(Arc<Mutex<BTreeMap<String, PartSizes>>>);

impl SharedEstimates {
    fn get(&self, definition: &str) -> Option<PartSizes> {
        self.lock().get(definition).cloned()
    }

    fn keep(&self, definition: String, sizes: PartSizes) -> PartSizes {
        self.lock().entry(definition).or_insert(sizes).clone()
    }

    /// Nothing panics while it is locked.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, PartSizes>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Is this part looked at itself?
fn stands_for_itself(standing: &BTreeMap<Oid, PartitionSize>, part: &IndexPart) -> bool {
    let of = standing.get(&part.table);
    of.is_some_and(|of| of.table == part.table)
}

/// Hides a new index and its partitions.
fn hide(index: &NamedIndex) -> String {
    let name = quote_literal(&index.qualified_name().to_string());
    format!(
        "UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid IN \
         (SELECT to_regclass({name})::oid UNION SELECT relid::oid FROM pg_partition_tree(to_regclass({name})))"
    )
}

/// Gives a new index and its parts other OIDs, and names.
fn raise_script(raised: &[(Oid, Oid)], parts: &[IndexPart]) -> String {
    let tables: Vec<Oid> = parts.iter().map(|part| part.table).collect();
    let new: BTreeMap<Oid, Oid> = raised.iter().copied().collect();
    let names: Vec<String> = parts
        .iter()
        .skip(1)
        .map(|part| {
            let oid = new.get(&part.oid).copied().unwrap_or(part.oid);
            format!("({oid}::oid, {}::name)", quote_literal(&part.index_name))
        })
        .collect();
    let renamed = if names.is_empty() {
        String::new()
    } else {
        format!(
            "; UPDATE pg_catalog.pg_class c SET relname = v.name FROM (VALUES {}) AS v (oid, name) WHERE c.oid = v.oid",
            names.join(", ")
        )
    };
    raise_oids_and(raised, &tables, &renamed)
}

/// Gives indexes on these tables other OIDs, in a transaction of its own: in the transaction that
/// creates a relation, the server keeps its cache entry.
pub(super) fn raise_oids(raised: &[(Oid, Oid)], tables: &[Oid]) -> String {
    raise_oids_and(raised, tables, "")
}

fn raise_oids_and(raised: &[(Oid, Oid)], tables: &[Oid], besides: &str) -> String {
    let pairs: Vec<String> = raised
        .iter()
        .map(|(old, new)| format!("({old}::oid, {new}::oid)"))
        .collect();
    let tables: Vec<String> = tables.iter().map(ToString::to_string).collect();
    let update = |(catalog, column, extra): &(&str, &str, &str)| {
        format!(
            "UPDATE pg_catalog.{catalog} c SET {column} = v.new FROM (VALUES {}) AS v (old, new) WHERE c.{column} = v.old{extra}",
            pairs.join(", ")
        )
    };
    let of_class = " AND c.classid = 'pg_catalog.pg_class'::regclass";
    let of_other_class = " AND c.refclassid = 'pg_catalog.pg_class'::regclass";
    let updates: Vec<String> = [
        ("pg_class", "oid", ""),
        ("pg_index", "indexrelid", ""),
        ("pg_attribute", "attrelid", ""),
        ("pg_statistic", "starelid", ""),
        ("pg_depend", "objid", of_class),
        ("pg_depend", "refobjid", of_other_class),
        ("pg_inherits", "inhrelid", ""),
        ("pg_inherits", "inhparent", ""),
        ("pg_constraint", "conindid", ""),
    ]
    .iter()
    .map(update)
    .collect();
    // Makes the server read the tables' lists of indexes again; a DROP does so by itself.
    let noticed = if tables.is_empty() {
        String::new()
    } else {
        format!(
            "; UPDATE pg_catalog.pg_class SET relhasindex = true WHERE oid IN ({})",
            tables.join(", ")
        )
    };
    format!("BEGIN; {}{besides}{noticed}; COMMIT", updates.join("; "))
}

/// Names the parts of a partitioned index after it: the server's own names for them depend on which
/// indexes there are.
fn name_parts(index: &NamedIndex, parts: &mut [IndexPart]) {
    for (number, part) in parts.iter_mut().enumerate().skip(1) {
        let suffix = format!("_part{number}");
        let longest = MAX_NAME_BYTES.saturating_sub(suffix.len());
        part.index_name = format!(
            "{}{suffix}",
            crate::index::naming::cut(&index.name, longest)
        );
    }
}

fn hypothetical(
    index: &NamedIndex,
    parts: &[IndexPart],
    raised: Vec<(Oid, Oid)>,
    bytes: u64,
) -> Hypothetical {
    let (created_as, oids) = raised.into_iter().unzip();
    let definition = parts
        .first()
        .map(|part| part.definition.as_str())
        .unwrap_or_default();
    let names: BTreeSet<String> = parts.iter().map(|part| part.index_name.clone()).collect();
    let tested = TestedIndex {
        names,
        body: body(definition, index),
        size: Bytes(bytes),
        build_time: None,
        usable: true,
    };
    Hypothetical {
        name: index.qualified_name().to_string(),
        oids,
        created_as,
        index: tested,
    }
}

pub(super) fn give_files(files: &[(Oid, Oid, IndexSize)]) -> String {
    let row = |(oid, number, size): &(Oid, Oid, IndexSize)| {
        let pages = i32::try_from(size.pages).unwrap_or(i32::MAX);
        format!(
            "({oid}, {number}, {pages}, '{}'::float4)",
            size.tuples.round() as f32
        )
    };
    let rows: Vec<String> = files.iter().map(row).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!(
        "UPDATE pg_catalog.pg_class c SET relfilenode = f.number, relpages = f.pages, reltuples = f.tuples \
         FROM (VALUES {}) AS f (oid, number, pages, tuples) WHERE c.oid = f.oid::oid",
        rows.join(", ")
    )
}
