//! The planners of a run: a server with its planner twin, and a twin without a server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::catalog::Catalog;
use crate::cluster::binaries::WhenMissing;
use crate::cluster::locale::{ClusterLocale, LocaleProvider};
use crate::cluster::{Binaries, Cluster, ClusterError, ClusterOptions, Starting};
use crate::db::conninfo::{Environment, OsFiles, Typed, resolve};
use crate::db::{DbError, Interrupt, Safety, Scope, Server, Session, SessionOptions, Twin};
use crate::model::Gap;
use crate::model::{Millis, QualifiedName};
use crate::planner::{
    Answer, Hypothesis, NamedIndex, PlanOutcome, Planned, Planner, PlannerError, Preparation,
    Question, RefusalCause, Rollback, Target, TwinState,
};
use crate::sql::fingerprint::identifiers;
use crate::twin::Snapshot;
use crate::twin::snapshot::Origin;
use crate::verdict::Rehearse;
use crate::workload::{Statement, StatementId, Workload};

/// A server and its planner twin, which is made when the pipeline prepares it.
pub(super) struct LivePlanner<'s> {
    session: &'s Session,
    server: Server<'s>,
    twin_maker: TwinMaker,
    /// Identifiers in the statements: they may name tables and views.
    identifiers: BTreeSet<String>,
    twin: Option<Twin>,
    snapshot: Option<Snapshot>,
}

/// Makes planner twins.
#[derive(Clone)]
pub(super) struct TwinMaker {
    /// How indexes are tested.
    pub(super) rehearse: Rehearse,
    /// May rows be read, for sizes that statistics do not tell?
    pub(super) may_sample: bool,
    /// The directory of the server programs, if it was given.
    pub(super) pg_bin: Option<PathBuf>,
    /// Stops what is running.
    pub(super) interrupt: Interrupt,
}

/// Limits for statements on the twin, which no other session uses.
const TWIN_SAFETY: Safety = Safety {
    lock_timeout: Millis(60_000.0),
    statement_timeout: Millis(60_000.0),
    build_timeout: None,
    max_write_block: Millis(600_000.0),
    max_total_write_block: Millis(600_000.0),
};

/// Settings for a server with almost no data, whose data need not survive a crash.
const TWIN_SETTINGS: &str = "\
shared_buffers = 32MB
max_connections = 10
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
";

impl<'s> LivePlanner<'s> {
    /// Sends questions over this session.
    pub(super) fn new(session: &'s Session, workload: &Workload, twin_maker: TwinMaker) -> Self {
        LivePlanner {
            session,
            server: Server::new(session),
            twin_maker,
            identifiers: identifiers_of(workload),
            twin: None,
            snapshot: None,
        }
    }

    /// The server alone.
    pub(super) fn server(&self) -> &Server<'s> {
        &self.server
    }

    fn make_twin(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Twin, TwinError> {
        let origin = self.session.origin()?;
        let starting = self.twin_maker.start(&origin)?;
        let snapshot = self.session.snapshot(&scope(tables, &self.identifiers))?;
        let twin = self.twin_maker.fill(&snapshot, starting)?;
        self.snapshot = Some(snapshot);
        Ok(twin)
    }

    /// Fetches the rows that the twin's estimates of these indexes need, where they may be read.
    fn sample(&mut self, indexes: &[NamedIndex]) -> Result<(), DbError> {
        let Some(twin) = self.twin.as_mut().filter(|_| self.twin_maker.may_sample) else {
            return Ok(());
        };
        let samples = twin.fetch_samples(indexes, &self.identifiers, self.session)?;
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.keep_samples(samples);
        }
        Ok(())
    }

    /// What was really built has its real size in the twin, too.
    fn keep_real_sizes(&mut self, question: &Question, answer: &Answer) -> Result<(), DbError> {
        if let (Some(twin), Answer::Planned(planned)) = (&mut self.twin, answer) {
            for (index, built) in question.indexes.iter().zip(&planned.indexes) {
                twin.keep_real_size(index, built.size)?;
            }
        }
        Ok(())
    }

    /// The snapshot that the twin was made from; reads one if there is no twin.
    pub(super) fn into_snapshot(self, catalog: &Catalog) -> Result<Snapshot, DbError> {
        let tables = catalog
            .tables
            .iter()
            .map(|table| table.name.clone())
            .collect();
        self.snapshot.map_or_else(
            || self.session.snapshot(&scope(&tables, &self.identifiers)),
            Ok,
        )
    }
}

/// These tables, and whatever the statements may name.
pub(super) fn scope(tables: &BTreeSet<QualifiedName>, identifiers: &BTreeSet<String>) -> Scope {
    Scope::Named(
        tables
            .iter()
            .map(|table| table.name.clone())
            .chain(identifiers.iter().cloned())
            .collect(),
    )
}

/// Identifiers in the statements: they may name tables and views.
pub(super) fn identifiers_of(workload: &Workload) -> BTreeSet<String> {
    workload
        .statements()
        .iter()
        .flat_map(|statement| identifiers(&statement.sql))
        .collect()
}

/// A twin without its server: made from a twin file, or for data that has grown.
pub(super) struct TwinPlanner {
    twin: Twin,
    /// The server's own catalog and plans, from a twin file.
    captured: Option<CapturedServer>,
}

/// The catalog and the plans of a server, captured with the snapshot.
pub(super) struct CapturedServer {
    pub(super) catalog: Catalog,
    pub(super) plans: BTreeMap<StatementId, PlanOutcome>,
}

impl TwinPlanner {
    /// A planner that answers for the server, too: with what was captured of it, or else from the
    /// twin.
    pub(super) fn new(twin: Twin, captured: Option<CapturedServer>) -> TwinPlanner {
        TwinPlanner { twin, captured }
    }

    /// The server's plans without new indexes: captured ones, and the twin's for other statements.
    fn baseline(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        let Some(CapturedServer { plans, .. }) = &self.captured else {
            return self.twin.ask(question);
        };
        let (captured, others): (Vec<&Statement>, Vec<&Statement>) = question
            .statements
            .iter()
            .partition(|statement| plans.contains_key(&statement.id));
        let captured = captured
            .into_iter()
            .filter_map(|statement| plans.get_key_value(&statement.id))
            .map(|(id, plan)| (id.clone(), plan.clone()));
        let mut planned = Planned {
            plans: captured.collect(),
            ..Planned::default()
        };
        let others: Vec<Statement> = others.into_iter().cloned().collect();
        let others = self.twin.ask(&Question::plans(Target::Twin, &others))?;
        planned.plans.extend(others.into_plans());
        Ok(Answer::Planned(planned))
    }
}

impl Planner for TwinPlanner {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        match question.target {
            Target::Twin => self.twin.ask(question),
            Target::Server if question.is_baseline() => self.baseline(question),
            Target::Server if question.hypothesis.is_some() => self.twin.ask(question),
            Target::Server => Ok(Answer::Refused(RefusalCause::NoServer.into())),
        }
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        match &self.captured {
            Some(captured) => Ok(captured.catalog.clone()),
            None => self.twin.catalog(tables),
        }
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        Ok(Preparation {
            state: TwinState::Ready,
            gaps: self.twin.gaps(tables),
        })
    }
}

/// Why there is no twin.
#[derive(Debug, thiserror::Error)]
pub enum TwinError {
    /// No server programs of that version.
    #[error(transparent)]
    Binaries(#[from] crate::cluster::BinariesError),
    /// The throwaway server does not start.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// One of the servers failed.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The server has another block size than the twin's programs.
    #[error("the server's block size is {0} bytes, and the planner twin supports only 8192")]
    BlockSize(u32),
}

impl TwinMaker {
    /// Starts a server of the same version, without waiting for it. Where the locale is not
    /// available, it uses C.
    pub(super) fn start(&self, origin: &Origin) -> Result<Starting, TwinError> {
        match self.start_with(origin, locale(origin)) {
            Err(TwinError::Cluster(ClusterError::Locale(_))) => {
                self.start_with(origin, c_locale(origin))
            }
            other => other,
        }
    }

    fn start_with(&self, origin: &Origin, locale: ClusterLocale) -> Result<Starting, TwinError> {
        if origin.block_size_bytes as usize != crate::twin::page::BLOCK_BYTES {
            return Err(TwinError::BlockSize(origin.block_size_bytes));
        }
        let binaries =
            Binaries::find_major(origin.major(), self.pg_bin.as_deref(), WhenMissing::Explain)?;
        let options = ClusterOptions {
            settings: TWIN_SETTINGS.to_owned(),
            locale,
            without_checksums: true,
        };
        Ok(Cluster::begin(&binaries, &options)?)
    }

    /// Starts a twin and loads this snapshot.
    pub(super) fn make(&self, snapshot: &Snapshot) -> Result<Twin, TwinError> {
        let starting = self.start(&snapshot.origin)?;
        self.fill(snapshot, starting)
    }

    /// Loads this snapshot into a server that is starting.
    pub(super) fn fill(&self, snapshot: &Snapshot, starting: Starting) -> Result<Twin, TwinError> {
        let should_stop = || self.interrupt.is_raised();
        let cluster = match starting.wait(&should_stop) {
            Err(ClusterError::Locale(_)) => self
                .start_with(&snapshot.origin, c_locale(&snapshot.origin))?
                .wait(&should_stop)?,
            other => other?,
        };
        let locale_gap =
            (*cluster.locale() != locale(&snapshot.origin)).then(|| locale_gap(&snapshot.origin));
        let typed = Typed {
            dbname: Some(cluster.conninfo()),
            ..Typed::default()
        };
        let no_variables: [(&str, &str); 0] = [];
        let settings = resolve(&typed, &Environment::new(no_variables, None), &OsFiles)
            .map_err(|error| DbError::Missing(error.to_string()))?;
        let options = SessionOptions {
            safety: TWIN_SAFETY,
            interrupt: self.interrupt.clone(),
            trace: None,
        };
        let no_password = |_: &str| Err(std::io::Error::other("the twin asks for no password"));
        let session = Session::connect(&settings, &no_password, options)?;
        let mut twin = Twin::load(snapshot, cluster, session)?;
        locale_gap.into_iter().for_each(|gap| twin.add_gap(gap));
        Ok(twin)
    }
}

/// The locale C, which every machine has, in the same encoding.
fn c_locale(origin: &Origin) -> ClusterLocale {
    ClusterLocale::libc(&origin.encoding, "C")
}

/// What the plans of a twin in the locale C lack.
fn locale_gap(origin: &Origin) -> Gap {
    let what = format!(
        "the server's locale {} is not available on this machine, so the planner twin compares texts as the locale C does: conditions on \
         texts and their order may be planned differently",
        locale(origin)
    );
    let remedy = Some("install that locale here".to_owned());
    Gap {
        tables: BTreeSet::new(),
        what,
        remedy,
    }
}

fn locale(origin: &Origin) -> ClusterLocale {
    ClusterLocale {
        encoding: origin.encoding.clone(),
        provider: match origin.locale_provider.as_str() {
            "i" => LocaleProvider::Icu,
            "b" => LocaleProvider::Builtin,
            _ => LocaleProvider::Libc,
        },
        collate: origin.collate.clone(),
        ctype: origin.ctype.clone(),
        provider_locale: origin.provider_locale.clone(),
        icu_rules: origin.icu_rules.clone(),
    }
}

/// What a missing twin means: an error if the run needs a twin or the user interrupted it,
/// otherwise a run without one.
fn without_twin(error: TwinError, rehearse: Rehearse) -> Result<TwinState, PlannerError> {
    match error {
        TwinError::Db(DbError::Interrupted { rollback }) => {
            Err(PlannerError::Interrupted { rollback })
        }
        TwinError::Cluster(ClusterError::Interrupted) => Err(PlannerError::Interrupted {
            rollback: Rollback::Confirmed,
        }),
        other if rehearse == Rehearse::Twin => Err(PlannerError::Server {
            operation: "building the planner twin".to_owned(),
            message: other.to_string(),
        }),
        other => Ok(TwinState::Unavailable(other.to_string())),
    }
}

impl Planner for LivePlanner<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        if question.target == Target::Server {
            let answer = self.server.ask(question)?;
            self.keep_real_sizes(question, &answer)?;
            return Ok(answer);
        }
        self.sample(&question.indexes)?;
        if let Some(Hypothesis::Reindexed(indexes)) = &question.hypothesis {
            self.sample(indexes)?;
        }
        let twin = self.twin.as_mut().ok_or(PlannerError::NoTwin)?;
        twin.ask(question)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        self.server.catalog(tables)
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        match self.make_twin(tables) {
            Ok(twin) => {
                let gaps = twin.gaps(tables);
                self.twin = Some(twin);
                Ok(Preparation {
                    state: TwinState::Ready,
                    gaps,
                })
            }
            Err(error) => without_twin(error, self.twin_maker.rehearse).map(Preparation::from),
        }
    }
}

#[cfg(test)]
mod tests;
