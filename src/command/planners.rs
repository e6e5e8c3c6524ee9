//! The planners of a run: a server with its planner twin, and a twin without a server.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::CommandError;
use super::twin_error::TwinError;
use crate::catalog::{Catalog, CountersElsewhere};
use crate::cluster::binaries::WhenMissing;
use crate::cluster::locale::{ClusterLocale, LocaleProvider};
use crate::cluster::{
    Access, Binaries, BinariesError, Cluster, ClusterError, ClusterOptions, Confinement, Starting,
};
use crate::db::conninfo::{Environment, OsFiles, Typed, resolve};
use crate::db::{
    DbError, Interrupt, MakeTwin, Named, NamedColumns, Safety, Scope, Server, Session,
    SessionOptions, Twin, Twins,
};
use crate::model::{Gap, GapCause, Millis, QualifiedName, Unprotected};
use crate::planner::{
    Answer, Hypothesis, NamedIndex, OtherTables, PlanOutcome, Planned, Planner, PlannerError,
    Preparation, Question, RefusalCause, Rollback, Target, TwinState, one_by_one,
};
use crate::sql::fingerprint::identifiers;
use crate::sql::{RelationName, quoted_relation_names, relation_names};
use crate::twin::Snapshot;
use crate::twin::snapshot::{Origin, TableSample};
use crate::verdict::{Limits, Rehearse};
use crate::workload::{Statement, StatementId, Workload};

/// A server and its planner twin, which is made when the pipeline prepares it.
pub(super) struct LivePlanner<'s> {
    session: &'s Session,
    server: Server<'s>,
    twin_maker: TwinMaker,
    /// Relations that the statements name.
    relations: BTreeSet<RelationName>,
    /// What else they name.
    named: Named,
    /// What may be columns of the tables.
    columns: NamedColumns,
    twin: Option<Twins>,
    /// How long the server took to plan the statements without new indexes.
    planned_once: Duration,
    snapshot: Option<Arc<Snapshot>>,
    /// Is another twin made of the snapshot later?
    keeps_samples: bool,
    /// The catalog that was read last.
    catalog: Option<Catalog>,
    /// What other servers of the cluster have counted.
    elsewhere: Vec<CountersElsewhere>,
    /// A twin was wanted and could not be made: nothing is built on the server instead.
    builds_nothing: bool,
}

/// A planner twin that outlives a connection to its server.
pub(super) struct KeptTwin {
    twin: Twins,
    snapshot: Arc<Snapshot>,
}

impl KeptTwin {
    /// Answers without the server: sizes are estimated from the rows that were read by now.
    pub(super) fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        self.twin.ask(question)
    }
}

/// Makes planner twins.
#[derive(Clone)]
pub(super) struct TwinMaker {
    /// How indexes are tested.
    pub(super) rehearse: Rehearse,
    /// May rows be read, for sizes that statistics do not tell?
    pub(super) may_sample: bool,
    /// How many twins may answer at the same time.
    pub(super) jobs: usize,
    /// The directories of server programs that were given.
    pub(super) pg_bin: Vec<PathBuf>,
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

/// Settings for a server with almost no data, whose data need not survive a crash. A statement may
/// lock thousands of partitions with their indexes; memory for locks is only taken when it is used.
const TWIN_SETTINGS: &str = "\
shared_buffers = 32MB
max_connections = 10
max_locks_per_transaction = 4096
synchronous_commit = off
wal_level = minimal
max_wal_senders = 0
dynamic_shared_memory_type = mmap
temp_file_limit = 1GB
";

impl<'s> LivePlanner<'s> {
    /// Sends questions over this session.
    pub(super) fn new(session: &'s Session, workload: &Workload, twin_maker: TwinMaker) -> Self {
        LivePlanner {
            session,
            server: Server::new(session),
            twin_maker,
            relations: names_of(workload),
            named: named_besides(workload),
            columns: columns_of(workload),
            twin: None,
            planned_once: Duration::ZERO,
            snapshot: None,
            keeps_samples: false,
            catalog: None,
            elsewhere: Vec::new(),
            builds_nothing: false,
        }
    }

    /// With what other servers of the cluster have counted.
    pub(super) fn with_counters(self, elsewhere: Vec<CountersElsewhere>) -> Self {
        LivePlanner { elsewhere, ..self }
    }

    fn add_counters(&self, catalog: &mut Catalog) {
        for other in &self.elsewhere {
            catalog.add_counters(other);
        }
    }

    /// With these limits for statements that are executed.
    pub(super) fn within(self, limits: &Limits) -> Self {
        self.session.limit_executions(limits.max_analyze_time);
        let names = limits.analyze_volatile.iter();
        let named = names.map(|name| StatementId(name.clone())).collect();
        LivePlanner {
            server: self.server.executing_anyway(named),
            ..self
        }
    }

    /// Keeps the rows that are fetched, for [`LivePlanner::into_snapshot`].
    pub(super) fn keeping_samples(self, keeps_samples: bool) -> Self {
        LivePlanner {
            keeps_samples,
            ..self
        }
    }

    /// With what an earlier planner of the session has read of the tables.
    pub(super) fn knowing(mut self, catalog: &Catalog) -> Self {
        self.server.know(catalog);
        self
    }

    /// With a twin that was made before, of this server.
    pub(super) fn with_twin(self, kept: Option<KeptTwin>) -> Self {
        match kept {
            Some(KeptTwin { twin, snapshot }) => LivePlanner {
                twin: Some(twin),
                snapshot: Some(snapshot),
                ..self
            },
            None => self,
        }
    }

    /// Takes the twin out, to keep it for a later planner.
    pub(super) fn take_twin(&mut self) -> Option<KeptTwin> {
        Some(KeptTwin {
            snapshot: self.snapshot.take()?,
            twin: self.twin.take()?,
        })
    }

    /// Has the twin all these tables?
    fn twin_has(&self, tables: &BTreeSet<QualifiedName>) -> bool {
        let Some(snapshot) = self.snapshot.as_ref().filter(|_| self.twin.is_some()) else {
            return false;
        };
        let mut copied: BTreeSet<&QualifiedName> =
            snapshot.files.iter().map(|file| &file.name).collect();
        let foreign = snapshot.foreign_tables();
        copied.extend(&foreign);
        tables.iter().all(|table| copied.contains(table))
    }

    /// The server alone.
    pub(super) fn server(&self) -> &Server<'s> {
        &self.server
    }

    fn make_twin(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Twins, TwinError> {
        let origin = self.session.origin()?;
        let starting = self.twin_maker.start(&origin)?;
        let scope = scope(tables, &self.relations);
        let mut snapshot = self.session.snapshot_naming(&scope, &self.named)?;
        if self.twin_maker.may_sample {
            let rows = self.session.small_tables_of_functions(&snapshot)?;
            snapshot.keep_samples(rows);
        }
        let first = self.twin_maker.fill(&snapshot, starting)?;
        let snapshot = Arc::new(snapshot);
        self.snapshot = Some(Arc::clone(&snapshot));
        let twins = self.twin_maker.several(first, snapshot);
        Ok(twins.expecting(self.planned_once))
    }

    /// Fetches the rows that the twin's estimates of these indexes need, where they may be read.
    fn sample<'i>(
        &mut self,
        indexes: impl IntoIterator<Item = &'i NamedIndex>,
    ) -> Result<(), DbError> {
        let Some(twin) = self.twin.as_mut().filter(|_| self.twin_maker.may_sample) else {
            return Ok(());
        };
        let snapshot = self.snapshot.as_mut().filter(|_| self.keeps_samples);
        let mut kept = snapshot.map(Arc::make_mut);
        let mut keep = |sample: &TableSample| {
            if let Some(snapshot) = &mut kept {
                snapshot.keep_samples(vec![sample.clone()]);
            }
        };
        match twin.fetch_samples(indexes, &self.columns, self.session, &mut keep) {
            // The twin estimates without them.
            Err(DbError::Silent { .. }) if self.session.is_lost() => Ok(()),
            other => other,
        }
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
        let scope = scope(&tables, &self.relations);
        match self.snapshot {
            Some(snapshot) => Ok(Arc::unwrap_or_clone(snapshot)),
            None => self.session.snapshot_naming(&scope, &self.named),
        }
    }
}

/// These tables, and what the statements name: a plan need not read all of that.
pub(super) fn scope(tables: &BTreeSet<QualifiedName>, named: &BTreeSet<RelationName>) -> Scope {
    let planned = tables.iter().map(|table| RelationName {
        schema: Some(table.schema.clone()),
        name: table.name.clone(),
    });
    Scope::Named(planned.chain(named.iter().cloned()).collect())
}

/// The relations that the statements name.
pub(super) fn names_of(workload: &Workload) -> BTreeSet<RelationName> {
    workload
        .statements()
        .iter()
        .flat_map(|statement| relation_names(&statement.sql))
        .collect()
}

/// Identifiers in the statements: they may name columns.
pub(super) fn identifiers_of(workload: &Workload) -> BTreeSet<String> {
    workload
        .statements()
        .iter()
        .flat_map(|statement| identifiers(&statement.sql))
        .collect()
}

/// What may be columns of the tables that the statements name.
fn columns_of(workload: &Workload) -> NamedColumns {
    let mut columns = NamedColumns::default();
    for statement in workload.statements() {
        columns.add(
            &relation_names(&statement.sql),
            &identifiers(&statement.sql),
        );
    }
    columns
}

/// What the statements name besides relations.
pub(super) fn named_besides(workload: &Workload) -> Named {
    let statements = workload.statements().iter();
    Named {
        sequences: statements
            .flat_map(|statement| quoted_relation_names(&statement.sql))
            .collect(),
        words: identifiers_of(workload),
    }
}

/// A twin without its server: made from a twin file, or for data that has grown.
pub(super) struct TwinPlanner {
    twin: Twins,
    /// The server's own catalog and plans, from a twin file.
    captured: Option<CapturedServer>,
}

/// The catalog and the plans of a server, captured with the snapshot.
pub(super) struct CapturedServer {
    pub(super) catalog: Catalog,
    pub(super) plans: BTreeMap<StatementId, PlanOutcome>,
    /// The other tables of the database, if they were captured.
    pub(super) others: Option<OtherTables>,
}

impl TwinPlanner {
    /// A planner that answers for the server, too: with what was captured of it, or else from the
    /// twin.
    pub(super) fn new(twin: Twins, captured: Option<CapturedServer>) -> TwinPlanner {
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

    fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        if are_for_the_twin(questions) {
            return self.twin.ask_all(questions);
        }
        one_by_one(self, questions)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        match &self.captured {
            Some(captured) => Ok(captured.catalog.clone()),
            None => self.twin.catalog(tables),
        }
    }

    fn other_tables(
        &mut self,
        _known: &BTreeSet<QualifiedName>,
    ) -> Result<OtherTables, PlannerError> {
        let captured = self.captured.as_ref();
        let others = captured.and_then(|captured| captured.others.clone());
        Ok(others.unwrap_or_default())
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

/// Fails if `--pg-bin` names something that is no directory of server programs.
pub(super) fn check_pg_bin<'d>(
    pg_bin: impl IntoIterator<Item = &'d PathBuf>,
) -> Result<(), CommandError> {
    for directory in pg_bin {
        Binaries::in_directory(directory)
            .map_err(|error| CommandError::Usage(format!("--pg-bin: {error}")))?;
    }
    Ok(())
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

    /// The server programs of this version: of the directories that were given, the one that has it.
    pub(super) fn binaries(&self, major: u32) -> Result<Binaries, BinariesError> {
        let has_it = |directory: &&PathBuf| {
            Binaries::in_directory(directory).is_ok_and(|found| found.major == major)
        };
        let given = self.pg_bin.iter().find(has_it).or(self.pg_bin.first());
        Binaries::find_major(major, given.map(PathBuf::as_path), WhenMissing::Explain)
    }

    fn start_with(&self, origin: &Origin, locale: ClusterLocale) -> Result<Starting, TwinError> {
        if origin.block_size_bytes as usize != crate::twin::page::BLOCK_BYTES {
            return Err(TwinError::BlockSize(origin.block_size_bytes));
        }
        let binaries = self.binaries(origin.major())?;
        let options = ClusterOptions {
            settings: TWIN_SETTINGS.to_owned(),
            locale,
            without_checksums: true,
            access: Access::Password,
        };
        Ok(Cluster::begin(&binaries, &options)?)
    }

    /// Starts a twin and loads this snapshot.
    pub(super) fn make(&self, snapshot: &Snapshot) -> Result<Twin, TwinError> {
        let starting = self.start(&snapshot.origin)?;
        self.fill(snapshot, starting)
    }

    /// This twin, and others of this snapshot when there is enough to ask.
    pub(super) fn several(&self, first: Twin, snapshot: Arc<Snapshot>) -> Twins {
        let maker = self.clone();
        let another: MakeTwin = Arc::new(move || maker.make(&snapshot).ok());
        Twins::new(first, self.jobs, another)
    }

    /// Loads this snapshot into a server that is starting.
    pub(super) fn fill(&self, snapshot: &Snapshot, starting: Starting) -> Result<Twin, TwinError> {
        self.enter(&snapshot.origin, starting)?.load(snapshot)
    }

    /// A server of this origin's version, for which the caller makes the snapshot.
    pub(super) fn empty(&self, origin: &Origin) -> Result<EmptyTwin, TwinError> {
        self.enter(origin, self.start(origin)?)
    }

    /// Waits for a server and connects to it.
    fn enter(&self, origin: &Origin, starting: Starting) -> Result<EmptyTwin, TwinError> {
        let should_stop = || self.interrupt.is_raised();
        let cluster = match starting.wait(&should_stop) {
            Err(ClusterError::Locale(_)) => self
                .start_with(origin, c_locale(origin))?
                .wait(&should_stop)?,
            other => other?,
        };
        let unconfined = unconfined(cluster.confinement());
        let locale_gap = (*cluster.locale() != locale(origin)).then(|| locale_gap(origin));
        let typed = Typed {
            dbname: Some(cluster.conninfo()),
            ..Typed::default()
        };
        let no_variables: [(&str, &str); 0] = [];
        let settings = resolve(&typed, &Environment::new(no_variables, None), &OsFiles)
            .map_err(|error| DbError::Missing(error.to_string()))?;
        let options = SessionOptions {
            safety: TWIN_SAFETY,
            interrupt: self.interrupt.sparing_reports(),
            trace: None,
        };
        let no_password = |_: &str| Err(std::io::Error::other("the twin asks for no password"));
        Ok(EmptyTwin {
            session: Session::connect(&settings, &no_password, options)?,
            cluster,
            gaps: unconfined.into_iter().chain(locale_gap).collect(),
        })
    }
}

/// A server of a twin that has nothing yet.
pub(super) struct EmptyTwin {
    /// The superuser's session.
    pub(super) session: Session,
    cluster: Cluster,
    gaps: Vec<Gap>,
}

impl EmptyTwin {
    /// The twin of this snapshot, which is of the server's version.
    pub(super) fn load(self, snapshot: &Snapshot) -> Result<Twin, TwinError> {
        let mut twin = Twin::load(snapshot, self.cluster, self.session)?;
        self.gaps.into_iter().for_each(|gap| twin.add_gap(gap));
        Ok(twin)
    }
}

fn are_for_the_twin(questions: &[Question]) -> bool {
    let is_plain = |question: &Question| question.target == Target::Twin && question.is_plain();
    questions.iter().all(is_plain)
}

/// What the operating system does not forbid the twin's processes.
fn unconfined(confinement: Confinement) -> Option<Gap> {
    let Confinement { files, network } = confinement;
    let unprotected = match (files, network) {
        (true, true) => return None,
        (true, false) => Unprotected::Network,
        (false, true) => Unprotected::Files,
        (false, false) => Unprotected::FilesAndNetwork,
    };
    Some(Gap {
        tables: BTreeSet::new(),
        cause: GapCause::Unconfined(unprotected),
    })
}

/// The locale C, which every machine has, in the same encoding.
fn c_locale(origin: &Origin) -> ClusterLocale {
    ClusterLocale::libc(&origin.encoding, "C")
}

/// What the plans of a twin in the locale C lack.
fn locale_gap(origin: &Origin) -> Gap {
    Gap {
        tables: BTreeSet::new(),
        cause: GapCause::LocaleMissing {
            locale: locale(origin).to_string(),
        },
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
        silent @ TwinError::Db(DbError::Silent { .. }) => {
            Ok(TwinState::Unavailable(silent.to_string()))
        }
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
            if self.builds_nothing && question.takes_a_transaction() {
                return Ok(Answer::Refused(RefusalCause::NoTwin.into()));
            }
            let began = Instant::now();
            let answer = match self.server.ask(question) {
                // What is known by now is enough for a report.
                Err(PlannerError::Silent { silence, .. }) if self.catalog.is_some() => {
                    return Ok(Answer::Refused(RefusalCause::ServerSilent(silence).into()));
                }
                other => other?,
            };
            if question.is_baseline() {
                self.planned_once += began.elapsed();
            }
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

    fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        if !are_for_the_twin(questions) {
            return one_by_one(self, questions);
        }
        self.sample(questions.iter().flat_map(|question| &question.indexes))?;
        let twin = self.twin.as_mut().ok_or(PlannerError::NoTwin)?;
        twin.ask_all(questions)
    }

    fn expect(&mut self, indexes: &[&NamedIndex]) -> Result<(), PlannerError> {
        Ok(self.sample(indexes.iter().copied())?)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        match (self.server.catalog(tables), &self.catalog) {
            (Err(PlannerError::Silent { .. }), Some(known)) => Ok(known.clone()),
            (catalog, _) => {
                let mut catalog = catalog?;
                self.add_counters(&mut catalog);
                Ok(self.catalog.insert(catalog).clone())
            }
        }
    }

    fn other_tables(
        &mut self,
        known: &BTreeSet<QualifiedName>,
    ) -> Result<OtherTables, PlannerError> {
        match self.server.other_tables(known) {
            Err(PlannerError::Silent { .. }) => Ok(OtherTables::default()),
            other => {
                let mut other = other?;
                self.add_counters(&mut other.catalog);
                Ok(other)
            }
        }
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        if let Some(twin) = self.twin.as_ref().filter(|_| self.twin_has(tables)) {
            return Ok(Preparation {
                state: TwinState::Ready,
                gaps: twin.gaps(tables),
            });
        }
        match self.make_twin(tables) {
            Ok(twin) => {
                let gaps = twin.gaps(tables);
                self.twin = Some(twin);
                Ok(Preparation {
                    state: TwinState::Ready,
                    gaps,
                })
            }
            Err(error) => {
                self.builds_nothing = self.twin_maker.rehearse == Rehearse::Auto;
                without_twin(error, self.twin_maker.rehearse).map(Preparation::from)
            }
        }
    }
}

#[cfg(test)]
mod tests;
