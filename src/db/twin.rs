//! The planner twin: a throwaway server that has production's catalogs, statistics and file sizes,
//! and none of its data.
//!
//! It is asked like a server ([`Planner`]), about any set of indexes, without a lock on any real
//! table. Each candidate is created once, over a few rows, gets a file of its estimated size, and
//! is hidden (`pg_index.indisvalid = false`). A question makes the indexes of its set visible in a
//! transaction that is rolled back.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::explain::{Explained, Preamble};
use super::row::field;
use super::server::DEFINITION;
use super::session::OWN_PATH;
use super::settle::Settled;
use super::{DbError, Session};
use crate::catalog::Catalog;
use crate::cluster::Cluster;
use crate::model::{Bytes, Gap, GapCause, QualifiedName, quote_literal};
use crate::planner::{
    Answer, Mode, NamedIndex, PlanOutcome, Planned, Planner, PlannerError, Question, RefusalCause,
};
use crate::sql::{StatementKind, statement_kind};
use crate::twin::Snapshot;
use crate::twin::checks::Checked;
use crate::twin::representatives::{MAX_REPRESENTATIVES, PartitionSize, representatives};
use crate::twin::snapshot::Oid;
use crate::workload::{Statement, StatementId};

mod attempts;
mod candidates;
mod estimate;
mod existing;
mod expressions;
mod facts;
mod files;
mod hypothesis;
mod index_part;
mod libraries;
mod load;
mod long_keys;
mod migration;
mod observed;
mod policies;
mod rights;
mod rows;
mod samples;
mod sound;
mod statistics;
mod upgrade;

use candidates::{Hypothetical, SharedEstimates};
use facts::TableFacts;
use files::DataDirectory;
use observed::Observed;
use policies::Policies;
use rights::PlanningRole;
use samples::Samples;

pub use upgrade::PlannerSettings;

const OPERATION: &str = "building the planner twin";

/// Time limit once the twin is loaded: it plans statements and evaluates small samples. A slow
/// expression is not waited for.
const PATIENCE: &str = "3s";

/// PostgreSQL's own default, for snapshots that have no `search_path`.
const DEFAULT_PATH: &str = "\"$user\", public";

/// The first OID for candidates; the twin's server does not reach it by itself.
const MIN_OID: Oid = 1 << 31;

/// A running twin.
pub struct Twin {
    /// The session of the role that plans, without rights. Functions that were copied can run only
    /// here, so what it answers is not trusted to name a file.
    session: Session,
    /// The superuser's session. It evaluates nothing that was copied.
    admin: Session,
    /// The role that plans.
    role: PlanningRole,
    /// The `search_path` of statements and of the definitions of indexes; everything else looks
    /// names up in `pg_catalog`.
    search_path: RefCell<String>,
    /// Its files.
    directory: DataDirectory,
    /// Tables with a file: the file with a few rows, and the sparse one that the planner measures.
    heaps: BTreeMap<Oid, Heap>,
    /// The tables with files that make up a table (its partitions).
    leaves: BTreeMap<QualifiedName, Vec<Leaf>>,
    /// Facts about the tables of candidates.
    facts: BTreeMap<Oid, TableFacts>,
    /// Sampled rows of production.
    samples: Samples,
    /// What samples showed, by table and question.
    observed: BTreeMap<(Oid, String), Option<Observed>>,
    /// The estimated sizes of candidates.
    estimates: SharedEstimates,
    /// The candidates that exist in the twin, by definition.
    known: BTreeMap<String, Hypothetical>,
    /// The sizes of candidates that the server built, by definition.
    real_sizes: BTreeMap<String, Bytes>,
    /// How long it has planned statements with new indexes.
    planned_for: Duration,
    /// The last OID that a candidate got.
    last_oid: Oid,
    /// The first OID of candidates, by definition, and how many each has.
    reserved: BTreeMap<String, Reserved>,
    /// For each table the number of relations that an index on it has a part for: itself and its
    /// partitions.
    relations: BTreeMap<QualifiedName, u32>,
    /// The tables with row-level security.
    policies: Policies,
    /// What the twin lacks.
    gaps: Vec<Gap>,
    /// The server; the last field, so that it stops last.
    _cluster: Cluster,
}

/// The OIDs of a candidate and its parts.
///
/// Among indexes with the same cost, the planner takes the one with the greatest OID, because it
/// considers them in that order. Several twins answer alike only if the order is the same in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserved {
    first: Oid,
    number: u32,
}

/// The two files of a table, by `relfilenode`.
#[derive(Debug, Clone, Copy)]
struct Heap {
    /// The file with a few rows, over which indexes are built.
    short: Oid,
    /// The sparse file of production's size.
    long: Oid,
    /// Its size.
    pages: u64,
    /// The counts in production's row of `pg_class`, which CREATE INDEX changes.
    measures: Measures,
}

/// A table or partition that gets a part of an index.
#[derive(Debug, Clone, PartialEq)]
struct Leaf {
    table: Oid,
    name: QualifiedName,
}

/// What the planner reads of a table in `pg_class`.
#[derive(Debug, Clone, Copy)]
struct Measures {
    pages: i32,
    tuples: f32,
    all_visible_pages: i32,
}

/// A statement that could not be planned is an outcome, too, so that all plans can be compared with
/// the server's.
impl From<Explained> for PlanOutcome {
    fn from(explained: Explained) -> PlanOutcome {
        match explained {
            Explained::Plan { plan, .. } => PlanOutcome::Plan(plan),
            Explained::Refused { message, .. } => PlanOutcome::Failed(message),
            Explained::Empty => PlanOutcome::Empty,
        }
    }
}

impl Twin {
    /// Fills a throwaway server of the same major version, which nobody may enter without a
    /// password. `admin` is its superuser's session.
    ///
    /// # Errors
    /// When the server refuses something that was copied.
    pub fn load(snapshot: &Snapshot, cluster: Cluster, admin: Session) -> Result<Twin, DbError> {
        let checked = Checked::of(snapshot)?;
        if !cluster.needs_password() {
            let message = "the planner twin's server lets everybody in";
            return Err(DbError::Missing(message.to_owned()));
        }
        let admin = admin.into_own()?;
        // Names in our own statements never mean something that was copied.
        admin.set("search_path", OWN_PATH)?;
        let role = PlanningRole::create(&admin, &snapshot.origin.role)?;
        let session = role.connect(&cluster, &admin)?;
        session.set("search_path", OWN_PATH)?;
        let directory = DataDirectory::of(&cluster, &admin)?;
        let mut twin = Twin {
            session,
            admin,
            role,
            search_path: RefCell::new(DEFAULT_PATH.to_owned()),
            directory,
            heaps: BTreeMap::new(),
            leaves: BTreeMap::new(),
            facts: BTreeMap::new(),
            samples: Samples::default(),
            observed: BTreeMap::new(),
            estimates: SharedEstimates::default(),
            known: BTreeMap::new(),
            real_sizes: BTreeMap::new(),
            planned_for: Duration::ZERO,
            last_oid: snapshot
                .files
                .iter()
                .map(|file| file.oid)
                .fold(MIN_OID, Oid::max),
            reserved: BTreeMap::new(),
            relations: BTreeMap::new(),
            policies: Policies::of(snapshot),
            gaps: snapshot.gaps.clone(),
            _cluster: cluster,
        };
        twin.gaps.extend(twin.missing_libraries(snapshot)?);
        twin.fill(&checked)?;
        twin.add_many_partitions()?;
        twin.add_missing_policies()?;
        twin.apply(&checked)?;
        twin.session.set("statement_timeout", PATIENCE)?;
        twin.prepare_parts()?;
        for sample in &snapshot.samples {
            twin.add_sample(sample)?;
        }
        // Its statements are short, and what the twin has would be wrong without some of them.
        twin.admin.ignore_interrupts();
        Ok(twin)
    }

    /// Says of which tables not all partitions are looked at.
    fn add_many_partitions(&mut self) -> Result<(), DbError> {
        let sql = "SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, \
                   (SELECT count(*) FROM pg_partition_tree(c.oid) AS tree WHERE tree.isleaf) AS leaves \
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                   WHERE c.relkind = 'p' AND NOT c.relispartition ORDER BY 1, 2";
        for row in self.admin.query(OPERATION, sql, &[])? {
            let partitions = usize::try_from(field::<i64>(&row, "leaves")?).unwrap_or(0);
            if partitions > MAX_REPRESENTATIVES {
                self.gaps.push(Gap {
                    tables: BTreeSet::new(),
                    cause: GapCause::ManyPartitions {
                        table: QualifiedName::new(
                            field::<String>(&row, "schema_name")?,
                            field::<String>(&row, "table_name")?,
                        ),
                        partitions,
                        looked_at: MAX_REPRESENTATIVES,
                    },
                });
            }
        }
        Ok(())
    }

    /// Uses the estimated sizes of another twin of the same server, and that one those of this twin.
    pub fn share_estimates(&mut self, other: &Twin) {
        self.estimates = other.estimates.clone();
    }

    /// How long it has planned statements with new indexes.
    pub fn planned_for(&self) -> Duration {
        self.planned_for
    }

    /// What it lacks for these tables.
    pub fn gaps(&self, tables: &BTreeSet<QualifiedName>) -> Vec<Gap> {
        self.gaps
            .iter()
            .filter_map(|gap| gap.about(tables))
            .collect()
    }

    /// Adds something that it lacks.
    pub fn add_gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }

    /// Changes a planner setting for all later questions.
    ///
    /// # Errors
    /// When there is no such setting or value.
    pub fn set(&self, name: &str, value: &str) -> Result<(), DbError> {
        if !name.eq_ignore_ascii_case("search_path") {
            return self.session.set(name, value);
        }
        // The server says whether it is one.
        self.session.set(name, value)?;
        self.session.set(name, OWN_PATH)?;
        self.search_path.replace(value.to_owned());
        Ok(())
    }

    /// Sets the `search_path` of statements for the current transaction.
    fn users_names(&self) -> String {
        let path = quote_literal(&self.search_path.borrow());
        format!("SELECT pg_catalog.set_config('search_path', {path}, true)")
    }

    /// Settings that this server does not know do not affect its planner.
    fn apply(&self, checked: &Checked<'_>) -> Result<(), DbError> {
        for (name, value) in checked.settings() {
            match self.set(name, value) {
                Err(error) if !error.is_refusal() => return Err(error),
                _ => {}
            }
        }
        // This setting only decides whether a plan would be compiled.
        self.session.set("jit", "off")
    }

    fn plan_baseline(&self, statements: &[Statement]) -> Result<Planned, DbError> {
        let begin = if self.policies.is_empty() {
            "BEGIN READ ONLY"
        } else {
            "BEGIN"
        };
        let begin = format!("{begin}; {}", self.users_names());
        let opening: Preamble = begin.as_str().into();
        let mut plans = self.plans(&opening, statements)?;
        let settled = self.settle(&begin, statements, &mut plans)?;
        let with_texts: Vec<Statement> = statements
            .iter()
            .filter_map(|statement| {
                let sql = settled.get(&statement.id)?.clone();
                Some(Statement {
                    sql,
                    ..statement.clone()
                })
            })
            .collect();
        plans.extend(self.plans(&opening, &with_texts)?);
        for statement in statements {
            if statement_kind(&statement.sql) == StatementKind::Definition {
                let refused = PlanOutcome::Failed(DEFINITION.to_owned());
                plans.insert(statement.id.clone(), refused);
            }
        }
        Ok(Planned {
            plans,
            settled,
            ..Planned::default()
        })
    }

    /// The texts with types for their parameters of those statements that were refused; notes what
    /// is missing for others.
    fn settle(
        &self,
        begin: &str,
        statements: &[Statement],
        plans: &mut BTreeMap<StatementId, PlanOutcome>,
    ) -> Result<BTreeMap<StatementId, String>, DbError> {
        let mut settled = BTreeMap::new();
        for statement in statements {
            let Some(PlanOutcome::Failed(message)) = plans.get_mut(&statement.id) else {
                continue;
            };
            self.session.batch(OPERATION, begin)?;
            let found = self.session.settle_here(statement);
            self.session.batch(OPERATION, "ROLLBACK")?;
            match found? {
                Settled::To(text) => {
                    settled.insert(statement.id.clone(), text);
                }
                Settled::Missing(missing, _) => *message = missing,
                Settled::No => {}
            }
        }
        Ok(settled)
    }

    fn with(
        &mut self,
        indexes: &[NamedIndex],
        hidden: &[QualifiedName],
        besides: Preamble,
        statements: &[Statement],
    ) -> Result<Answer, DbError> {
        for index in indexes {
            if let Err(refusal) = self.know(index)? {
                return Ok(Answer::Refused(refusal));
            }
        }
        let known: Vec<&Hypothetical> = indexes
            .iter()
            .filter_map(|index| self.hypothetical(index))
            .collect();
        let oids: Vec<Oid> = known
            .iter()
            .flat_map(|known| known.oids.iter().copied())
            .collect();
        let opening = Preamble {
            script: format!(
                "BEGIN; {}{}{}",
                self.users_names(),
                show(&oids, hidden),
                besides.script
            ),
            ..besides
        };
        let indexes = known.iter().map(|known| known.index.clone()).collect();
        let began = Instant::now();
        let plans = self.plans(&opening, statements)?;
        self.planned_for += began.elapsed();
        Ok(Answer::Planned(Planned {
            plans,
            indexes,
            ..Planned::default()
        }))
    }

    /// The plans in a transaction that begins with this preamble.
    fn plans(
        &self,
        opening: &Preamble,
        statements: &[Statement],
    ) -> Result<BTreeMap<StatementId, PlanOutcome>, DbError> {
        let mut plans = BTreeMap::new();
        for (others, statements) in policies::together(statements) {
            let opening = Preamble {
                script: format!("{}{}", opening.script, self.policies.applied(others)),
                statements: opening.statements.clone(),
            };
            let texts = statements.iter().map(|statement| statement.sql.as_str());
            let texts: Vec<&str> = texts.collect();
            let explained = self.session.explain_together(&opening, &texts)?;
            let ids = statements.iter().map(|statement| statement.id.clone());
            plans.extend(ids.zip(explained.into_iter().map(PlanOutcome::from)));
        }
        Ok(plans)
    }

    /// The tables with files that an index on this table covers: itself or its partitions.
    fn leaves(&mut self, table: &QualifiedName) -> Result<Vec<Leaf>, DbError> {
        if let Some(known) = self.leaves.get(table) {
            return Ok(known.clone());
        }
        let sql = "SELECT c.oid, n.nspname::text AS schema_name, c.relname::text AS table_name \
                   FROM (SELECT to_regclass($1)::oid UNION SELECT relid::oid FROM pg_partition_tree(to_regclass($1))) AS tree (oid) \
                   JOIN pg_class c USING (oid) JOIN pg_namespace n ON n.oid = c.relnamespace \
                   WHERE c.relkind IN ('r', 'm') ORDER BY c.oid";
        let rows = self
            .admin
            .query(OPERATION, sql, &[(&table.to_string(), Type::TEXT)])?;
        let leaves: Vec<Leaf> = rows.iter().map(leaf).collect::<Result<_, DbError>>()?;
        self.leaves.insert(table.clone(), leaves.clone());
        Ok(leaves)
    }

    /// For each of these tables the one that stands for it: itself, unless there are many.
    fn standing(&self, leaves: &[Leaf]) -> BTreeMap<Oid, PartitionSize> {
        let size = |leaf: &Leaf| PartitionSize {
            table: leaf.table,
            blocks: self.heaps.get(&leaf.table).map_or(0, |heap| heap.pages),
        };
        representatives(&leaves.iter().map(size).collect::<Vec<_>>())
    }

    /// Of the tables that an index on this table covers, those that stand for all of them.
    fn looked_at(&mut self, table: &QualifiedName) -> Result<Vec<Leaf>, DbError> {
        let mut leaves = self.leaves(table)?;
        let standing = self.standing(&leaves);
        let is_one = |leaf: &Leaf| {
            standing
                .get(&leaf.table)
                .is_some_and(|of| of.table == leaf.table)
        };
        leaves.retain(is_one);
        Ok(leaves)
    }

    /// Has an index of this candidate's table a part on this table?
    pub(super) fn is_on(&mut self, index: &NamedIndex, table: Oid) -> Result<bool, DbError> {
        let leaves = self.leaves(&index.definition.table)?;
        Ok(leaves.iter().any(|leaf| leaf.table == table))
    }

    /// The table with this OID.
    fn leaf(&self, table: Oid) -> Result<Option<Leaf>, DbError> {
        let sql = "SELECT c.oid, n.nspname::text AS schema_name, c.relname::text AS table_name \
                   FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                   WHERE c.oid = $1 AND c.relkind IN ('r', 'm')";
        let rows = self.admin.query(OPERATION, sql, &[(&table, Type::OID)])?;
        rows.first().map(leaf).transpose()
    }
}

/// In the current transaction these new indexes are visible, and these existing ones, with all their
/// partitions, are hidden.
fn show(oids: &[Oid], hidden: &[QualifiedName]) -> String {
    let mut sql = String::new();
    if !oids.is_empty() {
        let oids: Vec<String> = oids.iter().map(ToString::to_string).collect();
        sql += &format!("; SELECT pgrehearse_twin.show('{{{}}}')", oids.join(","));
    }
    if !hidden.is_empty() {
        let names: Vec<String> = hidden
            .iter()
            .map(|index| quote_literal(&index.to_string()))
            .collect();
        sql += &format!("; SELECT pgrehearse_twin.hide(ARRAY[{}])", names.join(", "));
    }
    sql
}

fn leaf(row: &Row) -> Result<Leaf, DbError> {
    let name = QualifiedName::new(
        field::<String>(row, "schema_name")?,
        field::<String>(row, "table_name")?,
    );
    Ok(Leaf {
        table: field(row, "oid")?,
        name,
    })
}

impl Planner for Twin {
    /// Ignores the target of a question: there is only the twin.
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        match question.mode {
            Mode::Plan => Ok(self.answer(question)?),
            Mode::Execute | Mode::Check => Ok(Answer::Refused(RefusalCause::NoServer.into())),
        }
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        let path = self.search_path.borrow();
        Ok(self.session.catalog_as_shown_in(Some(&path), tables)?)
    }
}
