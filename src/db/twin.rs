//! The planner twin: a throwaway server that has production's catalogs, statistics and file sizes, and none of its data.
//!
//! It is asked like a server ([`Planner`]), about any set of indexes, without a lock on anything real. Each candidate is created
//! once, over a handful of rows, given a file of its estimated size, and hidden (`pg_index.indisvalid = false`); a question makes
//! the set's indexes visible in a transaction that is rolled back.

use std::collections::{BTreeMap, BTreeSet};

use super::explain::Explained;
use super::{DbError, Session};
use crate::catalog::Catalog;
use crate::cluster::Cluster;
use crate::model::{Millis, QualifiedName, quote_identifier, quote_literal};
use crate::rehearsal::{Answer, NamedIndex, PlanOutcome, Planned, Planner, PlannerError};
use crate::twin::Snapshot;
use crate::twin::snapshot::{Gap, Oid};
use crate::workload::Statement;

mod attempts;
mod candidates;
mod estimate;
mod files;
mod libraries;
mod load;
mod rows;
mod statistics;

use candidates::Hypothetical;
use files::DataDirectory;

const OPERATION: &str = "building the planner twin";

/// A running twin.
pub struct Twin {
    session: Session,
    /// Its files.
    directory: DataDirectory,
    /// Tables with a file: the few rows it was made of, and the hole that the planner measures.
    heaps: BTreeMap<Oid, Heap>,
    /// What was asked about so far, by definition.
    known: BTreeMap<String, Hypothetical>,
    /// What it is missing.
    gaps: Vec<Gap>,
    /// Stops the server last.
    _cluster: Cluster,
}

/// The two files of a table, by `relfilenode`.
#[derive(Debug, Clone, Copy)]
struct Heap {
    /// A few rows: what an index is built over.
    short: Oid,
    /// As large as production's.
    long: Oid,
    /// What production's row of `pg_class` says; CREATE INDEX changes it.
    measures: Measures,
}

/// What the planner reads of a table in `pg_class`.
#[derive(Debug, Clone, Copy)]
struct Measures {
    pages: i32,
    tuples: f32,
    all_visible_pages: i32,
}

/// So that a set of plans can be compared with a server's, what could not be planned is an outcome, too.
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
    /// Fills a throwaway server of the same major version.
    ///
    /// # Errors
    /// When the server does not take what was copied.
    pub fn load(snapshot: &Snapshot, cluster: Cluster, session: Session) -> Result<Twin, DbError> {
        let directory = DataDirectory::of(&cluster, &session)?;
        let mut twin = Twin {
            session,
            directory,
            heaps: BTreeMap::new(),
            known: BTreeMap::new(),
            gaps: snapshot.gaps.clone(),
            _cluster: cluster,
        };
        twin.gaps.extend(twin.missing_libraries(snapshot)?);
        twin.fill(snapshot)?;
        twin.apply(&snapshot.settings)?;
        twin.act_as(&snapshot.origin.role)?;
        Ok(twin)
    }

    /// What it is missing, as far as these tables go.
    pub fn gaps(&self, tables: &BTreeSet<QualifiedName>) -> Vec<Gap> {
        self.gaps.iter().filter_map(|gap| gap.about(tables)).collect()
    }

    /// Something else that it is missing.
    pub fn add_gap(&mut self, gap: Gap) {
        self.gaps.push(gap);
    }

    /// `current_user`, and "$user" in `search_path`, have to mean the same as on the server.
    fn act_as(&self, role: &str) -> Result<(), DbError> {
        if role.is_empty() || role == "postgres" {
            return Ok(());
        }
        let role = quote_identifier(role);
        self.session.batch(OPERATION, &format!("CREATE ROLE {role} SUPERUSER; SET SESSION AUTHORIZATION {role}"))
    }

    /// Sets a planner setting for everything that is asked from now on.
    ///
    /// # Errors
    /// When there is no such setting or value.
    pub fn set(&self, name: &str, value: &str) -> Result<(), DbError> {
        self.session.set(name, value)
    }

    /// Settings that this server does not know are none of its planner's.
    fn apply(&self, settings: &BTreeMap<String, String>) -> Result<(), DbError> {
        for (name, value) in settings {
            match self.session.set(name, value) {
                Err(error) if !error.is_refusal() => return Err(error),
                _ => {}
            }
        }
        // Only says whether a plan would be compiled.
        self.session.set("jit", "off")
    }

    fn as_things_are(&self, statements: &[Statement]) -> Result<Planned, DbError> {
        let mut planned = Planned::default();
        for statement in statements {
            let outcome = PlanOutcome::from(self.session.capture(&statement.sql)?);
            planned.plans.insert(statement.id.clone(), outcome);
        }
        Ok(planned)
    }

    /// The plans if these existing indexes were gone and these new ones there.
    ///
    /// # Errors
    /// When the twin cannot be asked any more.
    pub fn plan_without(
        &mut self,
        hidden: &[QualifiedName],
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        Ok(self.with(indexes, hidden, statements)?)
    }

    fn with(
        &mut self,
        indexes: &[NamedIndex],
        hidden: &[QualifiedName],
        statements: &[Statement],
    ) -> Result<Answer, DbError> {
        for index in indexes {
            if let Err(refusal) = self.know(index)? {
                return Ok(Answer::Refused(refusal));
            }
        }
        let builds = indexes.iter().filter_map(|index| Some(self.hypothetical(index)?.build.clone())).collect();
        let oids: Vec<Oid> =
            indexes.iter().filter_map(|index| self.hypothetical(index)).flat_map(|known| known.oids.clone()).collect();
        let mut planned = Planned { builds, write_block: Millis::default(), ..Planned::default() };
        self.show(&oids, hidden)?;
        for statement in statements {
            let outcome = PlanOutcome::from(self.session.explain(&statement.sql)?);
            planned.plans.insert(statement.id.clone(), outcome);
        }
        self.session.rollback();
        Ok(Answer::Planned(planned))
    }

    /// Begins a transaction in which these new indexes are visible, and these existing ones, with all their partitions, are not.
    fn show(&self, oids: &[Oid], hidden: &[QualifiedName]) -> Result<(), DbError> {
        let mut sql = "BEGIN".to_owned();
        if !oids.is_empty() {
            let oids: Vec<String> = oids.iter().map(ToString::to_string).collect();
            let oids = oids.join(", ");
            sql += &format!("; UPDATE pg_catalog.pg_index SET indisvalid = true WHERE indexrelid IN ({oids})");
        }
        for index in hidden {
            let name = quote_literal(&index.to_string());
            sql += &format!(
                "; UPDATE pg_catalog.pg_index SET indisvalid = false WHERE indexrelid IN \
                 (SELECT to_regclass({name})::oid UNION SELECT relid::oid FROM pg_partition_tree(to_regclass({name})))"
            );
        }
        self.session.batch("asking the planner twin", &sql)
    }
}

impl Planner for Twin {
    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        Ok(self.session.catalog(tables)?)
    }

    fn plan(&mut self, indexes: &[NamedIndex], statements: &[Statement]) -> Result<Answer, PlannerError> {
        if indexes.is_empty() {
            return Ok(Answer::Planned(self.as_things_are(statements)?));
        }
        Ok(self.with(indexes, &[], statements)?)
    }
}
