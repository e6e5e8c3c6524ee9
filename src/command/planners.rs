//! The planner of a live run: the server, and the twin that is made of it when the pipeline wants one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::catalog::Catalog;
use crate::cluster::binaries::WhenMissing;
use crate::cluster::locale::{ClusterLocale, LocaleProvider};
use crate::cluster::{Binaries, Cluster, ClusterError, ClusterOptions, Starting};
use crate::db::conninfo::{Environment, OsFiles, Typed, resolve};
use crate::db::{DbError, Interrupt, Safety, Scope, Server, Session, SessionOptions, Twin};
use crate::model::{Millis, QualifiedName};
use crate::planner::{
    Answer, Hypothesis, NamedIndex, PlanOutcome, Planned, Planner, PlannerError, Preparation,
    Question, RefusalCause, Rollback, Target, TwinState,
};
use crate::sql::fingerprint::identifiers;
use crate::twin::Snapshot;
use crate::twin::snapshot::{Gap, Origin};
use crate::verdict::Rehearse;
use crate::workload::{Statement, StatementId, Workload};

/// A server, and its planner twin once it was wanted.
pub(super) struct LivePlanner<'s> {
    session: &'s Session,
    server: Server<'s>,
    maker: TwinMaker,
    /// Words of the statements that could be names of tables and views.
    words: BTreeSet<String>,
    twin: Option<Twin>,
    snapshot: Option<Snapshot>,
}

/// What it takes to make a twin.
#[derive(Clone)]
pub(super) struct TwinMaker {
    /// Whether one is wanted, and needed.
    pub(super) rehearse: Rehearse,
    /// May rows be read, for what statistics do not know?
    pub(super) samples: bool,
    /// Where the server programs are, if that was said.
    pub(super) pg_bin: Option<PathBuf>,
    /// Ends what is running.
    pub(super) interrupt: Interrupt,
}

/// The twin's own limits: nobody else is on it.
const TWIN_SAFETY: Safety = Safety {
    lock_timeout: Millis(60_000.0),
    statement_timeout: Millis(60_000.0),
    max_write_block: Millis(600_000.0),
};

/// A server that holds little and never writes for keeps; holes are not worth a cache.
const TWIN_SETTINGS: &str = "\
shared_buffers = 32MB
max_connections = 10
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
";

impl<'s> LivePlanner<'s> {
    /// Asks over this session.
    pub(super) fn new(session: &'s Session, workload: &Workload, maker: TwinMaker) -> Self {
        let words = words(workload);
        LivePlanner {
            session,
            server: Server::new(session),
            maker,
            words,
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
        let starting = self.maker.begin(&origin)?;
        let snapshot = self.session.snapshot(&scope(tables, &self.words))?;
        let twin = self.maker.finish(&snapshot, starting)?;
        self.snapshot = Some(snapshot);
        Ok(twin)
    }

    /// Fetches the rows that the twin's estimates of these indexes need, where they may be read.
    fn sample(&mut self, indexes: &[NamedIndex]) -> Result<(), DbError> {
        let Some(twin) = self.twin.as_mut().filter(|_| self.maker.samples) else {
            return Ok(());
        };
        let samples = twin.fetch_samples(indexes, &self.words, self.session)?;
        if let Some(snapshot) = &mut self.snapshot {
            snapshot.keep_samples(samples);
        }
        Ok(())
    }

    /// What the twin was made of; read now, if none was made.
    pub(super) fn into_snapshot(self, catalog: &Catalog) -> Result<Snapshot, DbError> {
        let tables = catalog
            .tables
            .iter()
            .map(|table| table.name.clone())
            .collect();
        self.snapshot
            .map_or_else(|| self.session.snapshot(&scope(&tables, &self.words)), Ok)
    }
}

/// These tables, and all that the statements may name.
pub(super) fn scope(tables: &BTreeSet<QualifiedName>, words: &BTreeSet<String>) -> Scope {
    Scope::Named(
        tables
            .iter()
            .map(|table| table.name.clone())
            .chain(words.iter().cloned())
            .collect(),
    )
}

/// Words of the statements that could be names of tables and views.
pub(super) fn words(workload: &Workload) -> BTreeSet<String> {
    workload
        .statements()
        .iter()
        .flat_map(|statement| identifiers(&statement.sql))
        .collect()
}

/// A twin without the server it is a copy of: of a twin file, or of data that has grown.
pub(super) struct TwinPlanner {
    twin: Twin,
    /// What the server knew and planned, if somebody kept it.
    kept: Option<Kept>,
}

/// What a server said before the twin was made.
pub(super) struct Kept {
    pub(super) catalog: Catalog,
    pub(super) plans: BTreeMap<StatementId, PlanOutcome>,
}

impl TwinPlanner {
    /// Asks this twin; for the server's part, what was kept of it speaks, or else the twin, too.
    pub(super) fn new(twin: Twin, kept: Option<Kept>) -> TwinPlanner {
        TwinPlanner { twin, kept }
    }

    /// What the server would answer without new indexes: the plans that were kept, and the twin's for other statements.
    fn baseline(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        let Some(Kept { plans, .. }) = &self.kept else {
            return self.twin.ask(question);
        };
        let (kept, others): (Vec<&Statement>, Vec<&Statement>) = question
            .statements
            .iter()
            .partition(|statement| plans.contains_key(&statement.id));
        let kept = kept
            .into_iter()
            .filter_map(|statement| plans.get_key_value(&statement.id))
            .map(|(id, plan)| (id.clone(), plan.clone()));
        let mut planned = Planned {
            plans: kept.collect(),
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
        match &self.kept {
            Some(kept) => Ok(kept.catalog.clone()),
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
    /// It does not start.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// A server refused something, or cannot be asked.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Made with another block size, which the files would have to have.
    #[error("the server has blocks of {0} bytes, and the twin's programs only read those of 8192")]
    BlockSize(u32),
}

impl TwinMaker {
    /// Starts a server like the snapshot's; it runs initdb while we go on. Where the locale is not to be had, it is C.
    pub(super) fn begin(&self, origin: &Origin) -> Result<Starting, TwinError> {
        match self.begin_with(origin, locale(origin)) {
            Err(TwinError::Cluster(ClusterError::Locale(_))) => {
                self.begin_with(origin, plain_locale(origin))
            }
            other => other,
        }
    }

    fn begin_with(&self, origin: &Origin, locale: ClusterLocale) -> Result<Starting, TwinError> {
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

    /// Starts one and fills it.
    pub(super) fn make(&self, snapshot: &Snapshot) -> Result<Twin, TwinError> {
        let starting = self.begin(&snapshot.origin)?;
        self.finish(snapshot, starting)
    }

    /// Fills it.
    pub(super) fn finish(
        &self,
        snapshot: &Snapshot,
        starting: Starting,
    ) -> Result<Twin, TwinError> {
        let should_stop = || self.interrupt.is_raised();
        let cluster = match starting.wait(&should_stop) {
            Err(ClusterError::Locale(_)) => self
                .begin_with(&snapshot.origin, plain_locale(&snapshot.origin))?
                .wait(&should_stop)?,
            other => other?,
        };
        let other_locale =
            (*cluster.locale() != locale(&snapshot.origin)).then(|| other_locale(&snapshot.origin));
        let typed = Typed {
            dbname: Some(cluster.conninfo()),
            ..Typed::default()
        };
        let no_variables: [(&str, &str); 0] = [];
        let unresolved = |message: String| DbError::Missing(message);
        let settings = resolve(&typed, &Environment::new(no_variables, None), &OsFiles)
            .map_err(|error| unresolved(error.to_string()))?;
        let options = SessionOptions {
            safety: TWIN_SAFETY,
            interrupt: self.interrupt.clone(),
            trace: None,
        };
        let no_password = |_: &str| Err(std::io::Error::other("the twin asks for no password"));
        let session = Session::connect(&settings, &no_password, options)?;
        let mut twin = Twin::load(snapshot, cluster, session)?;
        other_locale.into_iter().for_each(|gap| twin.add_gap(gap));
        Ok(twin)
    }
}

/// C, which is there on every machine, in the same encoding.
fn plain_locale(origin: &Origin) -> ClusterLocale {
    ClusterLocale::libc(&origin.encoding, "C")
}

fn other_locale(origin: &Origin) -> Gap {
    let what = format!(
        "the locale {} of the server cannot be had on this machine, so the planner twin compares texts as the locale C does: conditions on texts \
         and their order may be planned differently",
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

/// Without a twin the run goes on where it may; where it may not, and when the user asked to stop, it ends.
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
            return self.server.ask(question);
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
            Err(error) => without_twin(error, self.maker.rehearse).map(Preparation::from),
        }
    }
}

#[cfg(test)]
mod tests;
