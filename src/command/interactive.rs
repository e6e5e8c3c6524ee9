//! The interactive interface on a server, on the demo's server, or on saved files.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::consent::{Consent, WithConsent};
use super::planners::{KeptTwin, LivePlanner, TwinMaker, check_pg_bin};
use super::time_limit::TimeLimit;
use super::watched::{Remembered, Watched};
use super::{CommandError, Outcome, advising, connection, workload, write};
use crate::advise::{Advice, advise as pipeline, build_refusal};
use crate::catalog::Catalog;
use crate::cli::{Cli, Color, RunArgs};
use crate::db::conninfo::Settings;
use crate::db::{DbError, Interrupt, InterruptTrigger, Safety, Session, SessionOptions, connect};
use crate::model::quote_identifier;
use crate::plan::read::ReadPlan;
use crate::planner::recording::{Recorder, Recording};
use crate::planner::{
    Answer, BuildPlan, NamedIndex, Planner, PlannerError, Question, RefusalCause, Rollback, Target,
};
use crate::report::review::Reviewed;
use crate::sentences;
use crate::terminal::Progress;
use crate::tui::backend::{Ask, Backend, CancelToken, During};
use crate::tui::session_data::{ChangedFrom, ComparedStatement, SessionData};
use crate::tui::theme::Theme;
use crate::tui::{self, SessionEnd, Start};
use crate::verdict::{Limits, Rehearse};
use crate::workload::Workload;

/// `pgrehearse` without a command.
pub(super) fn run(cli: &Cli, arguments: &RunArgs) -> Result<Outcome, CommandError> {
    if arguments.workload.is_empty() {
        return Err(CommandError::Usage(
            "no workload: give --file FILE.sql, --command SQL, --log FILE or --pg-stat-statements, or a command (see --help)"
                .to_owned(),
        ));
    }
    require_terminal(cli)?;
    check_pg_bin(&arguments.limits.pg_bin)?;
    workload::check(&arguments.workload)?;
    let limits = arguments.limits.limits();
    let safety = arguments.safety.safety(&limits);
    let signals = connection::interrupt()?;
    let settings = connection::settings(cli)?;
    let (raise, interrupt) = Interrupt::by_hand();
    // The twin is kept when something is stopped: its questions are short, and disturb nobody.
    interrupt.reports_what_is_known();
    raise_on_signal(&signals, &raise)?;
    let connector = Connector {
        settings,
        safety,
        interrupt,
        password: Arc::default(),
    };
    let session = connector.connect(&connect::prompt_on_terminal)?;
    let progress = Progress::new(&cli.output);
    let workload = workload::read(&arguments.workload, &session, &|event| {
        progress.observe(event)
    })?;
    workload::check_names(&limits.analyze_volatile, &workload)?;
    let pg_bin = arguments.limits.pg_bin.iter().cloned().collect();
    let may_sample = !arguments.limits.no_sample;
    let jobs = arguments.limits.jobs();
    let record = arguments.record.clone();
    let run = InteractiveRun {
        workload,
        limits,
        safety,
        record,
        pg_bin,
        may_sample,
        jobs,
        subject: String::new(),
    };
    let backend = LiveBackend {
        connector,
        session: Some(session),
        raise,
        run,
        is_agreed: arguments.yes,
        catalog: Catalog::default(),
        twin: None,
        remembered: Remembered::default(),
    };
    show(cli, Start::Live(Box::new(backend)), &signals)
}

/// Until the interface reads keys itself, Ctrl-C arrives as a signal, which must stop waiting for
/// the server.
fn raise_on_signal(signals: &Interrupt, raise: &InterruptTrigger) -> Result<(), CommandError> {
    const POLL_INTERVAL: Duration = Duration::from_millis(50);
    let (signals, raise) = (signals.clone(), raise.clone());
    let watch = move || {
        while !signals.is_raised() {
            std::thread::sleep(POLL_INTERVAL);
        }
        raise.raise();
    };
    let thread = std::thread::Builder::new()
        .name("signals to server".to_owned())
        .spawn(watch);
    thread
        .map(|_| ())
        .map_err(|error| CommandError::Other(format!("could not start a thread: {error}")))
}

/// The interface on a server that this program started.
pub(super) fn on_own_server(
    cli: &Cli,
    conninfo: String,
    run: InteractiveRun,
    signals: &Interrupt,
) -> Result<Outcome, CommandError> {
    let (raise, interrupt) = Interrupt::by_hand();
    interrupt.reports_what_is_known();
    let settings = connection::settings_of(conninfo)?;
    raise_on_signal(signals, &raise)?;
    let connector = Connector {
        settings,
        safety: run.safety,
        interrupt,
        password: Arc::default(),
    };
    let session = connector.connect(&connect::prompt_on_terminal)?;
    let backend = LiveBackend {
        connector,
        session: Some(session),
        raise,
        run,
        // The server is our own.
        is_agreed: true,
        catalog: Catalog::default(),
        twin: None,
        remembered: Remembered::default(),
    };
    show(cli, Start::Live(Box::new(backend)), signals)
}

/// The workload and the options of an interactive session.
pub(super) struct InteractiveRun {
    pub(super) workload: Workload,
    pub(super) limits: Limits,
    pub(super) safety: Safety,
    pub(super) record: Option<PathBuf>,
    /// The directory of the programs for the planner twin.
    pub(super) pg_bin: Vec<PathBuf>,
    /// May the twin's estimates read rows?
    pub(super) may_sample: bool,
    pub(super) jobs: usize,
    /// The headline; empty for the server's version and database.
    pub(super) subject: String,
}

/// The interface on a recorded run.
pub(super) fn on_recording(
    cli: &Cli,
    file: String,
    advice: Advice,
    recording: &Recording,
) -> Result<Outcome, CommandError> {
    let session_data = SessionData::new(file, advice, recording);
    show(
        cli,
        Start::SessionData(Box::new(session_data)),
        &connection::interrupt()?,
    )
}

/// The interface on saved plans.
pub(super) fn on_plans(
    cli: &Cli,
    subject: &str,
    files: Vec<Reviewed>,
) -> Result<Outcome, CommandError> {
    let plans = files.into_iter().flat_map(named_plans).collect();
    let session_data = SessionData::of_plans(subject.to_owned(), plans);
    show(
        cli,
        Start::SessionData(Box::new(session_data)),
        &connection::interrupt()?,
    )
}

/// The interface on statements before and after a change.
pub(super) fn on_comparison(
    cli: &Cli,
    subject: String,
    compared: Vec<ComparedStatement>,
    changed: ChangedFrom,
) -> Result<Outcome, CommandError> {
    let session_data = SessionData::of_comparison(subject, compared, changed);
    show(
        cli,
        Start::SessionData(Box::new(session_data)),
        &connection::interrupt()?,
    )
}

/// The plans of a file under the file's name, numbered when there are several.
fn named_plans(reviewed: Reviewed) -> Vec<(String, Result<ReadPlan, String>)> {
    let Reviewed { file, plans } = reviewed;
    match plans {
        Err(error) => vec![(file, Err(error))],
        Ok(plans) if plans.len() == 1 => plans
            .into_iter()
            .map(|plan| {
                let of = plan.of.as_ref();
                (of.map_or(file.clone(), |of| of.name.clone()), Ok(plan))
            })
            .collect(),
        Ok(plans) => {
            let numbered = plans.into_iter().enumerate();
            let name = |(number, plan): (usize, ReadPlan)| {
                let name = match &plan.of {
                    Some(of) => of.name.clone(),
                    None => format!("{file} #{}", number + 1),
                };
                (name, Ok(plan))
            };
            numbered.map(name).collect()
        }
    }
}

/// Does the user want the interface: is there a terminal, and no option for a report?
pub(super) fn is_requested(cli: &Cli) -> bool {
    let wants_report = cli.output.format_given || cli.output.output.is_some();
    if cli.output.accessible {
        return !wants_report;
    }
    let is_dumb = std::env::var("TERM").is_ok_and(|terminal| terminal == "dumb");
    !wants_report && !is_dumb && std::io::stdout().is_terminal()
}

/// An error where the interface cannot be shown.
pub(super) fn require_terminal(cli: &Cli) -> Result<(), CommandError> {
    if is_requested(cli) {
        return Ok(());
    }
    let message = "the interactive session needs a terminal and does not take --format or --output; for a report use pgrehearse advise";
    Err(CommandError::Usage(message.to_owned()))
}

fn show(cli: &Cli, start: Start, signals: &Interrupt) -> Result<Outcome, CommandError> {
    signals.ends_by_itself();
    let ended = match cli.output.accessible {
        true => tui::run_linear(start, &|| signals.is_raised()),
        false => tui::run(start, theme(cli), &|| signals.is_raised()),
    };
    let SessionEnd { print, rollback } =
        ended.map_err(|error| CommandError::Other(format!("the terminal: {error}")))?;
    if signals.is_raised() || rollback == Rollback::Unconfirmed {
        return Err(CommandError::Interrupted(rollback));
    }
    match print {
        Some(ddl) => write(cli, &ddl),
        None => Ok(Outcome::Done),
    }
}

fn theme(cli: &Cli) -> Theme {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    match cli.output.color {
        Color::Never => Theme::Plain,
        Color::Auto if no_color => Theme::Plain,
        Color::Auto | Color::Always => Theme::Colours,
    }
}

/// Connects to the server, and again after the connection was lost; remembers a password that was
/// typed.
struct Connector {
    settings: Settings,
    safety: Safety,
    interrupt: Interrupt,
    password: Arc<Mutex<Option<String>>>,
}

impl Connector {
    fn connect(&self, prompt: connect::Prompt<'_>) -> Result<Session, DbError> {
        let remembered = |text: &str| {
            let mut password = self
                .password
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            match password.as_ref() {
                Some(known) => Ok(known.clone()),
                None => Ok(password.insert(prompt(text)?).clone()),
            }
        };
        let options = SessionOptions {
            safety: self.safety,
            interrupt: self.interrupt.clone(),
            trace: None,
        };
        Session::connect(&self.settings, &remembered, options)
    }

    /// Connects without a prompt: the interface has the terminal.
    fn reconnect(&self) -> Result<Session, DbError> {
        self.connect(&|_| {
            Err(std::io::Error::other(
                "the server requires a password; quit and start again",
            ))
        })
    }
}

/// The server behind the interface.
struct LiveBackend {
    connector: Connector,
    session: Option<Session>,
    raise: InterruptTrigger,
    run: InteractiveRun,
    /// May indexes be built without asking (`--yes`)?
    is_agreed: bool,
    /// The catalog of the last run.
    catalog: Catalog,
    /// The twin of the last run; it also answers what is asked afterwards.
    twin: Option<KeptTwin>,
    /// The answers of a run that was stopped.
    remembered: Remembered,
}

impl LiveBackend {
    /// Calls a function with the session and the twin; reconnects if the session was lost. A session
    /// that failed is not used again.
    fn with_session<T>(
        &mut self,
        call: impl FnOnce(&Session, &InteractiveRun, &mut Option<KeptTwin>) -> Result<T, PlannerError>,
    ) -> Result<T, PlannerError> {
        let known = self.session.take().filter(|session| !session.is_closed());
        let session = match known {
            Some(session) => session,
            None => self.connector.reconnect()?,
        };
        let result = call(&session, &self.run, &mut self.twin);
        let is_broken = matches!(
            result,
            Err(PlannerError::Server { .. } | PlannerError::Silent { .. })
        );
        if !is_broken && !session.is_lost() {
            self.session = Some(session);
        }
        result
    }

    fn twin_maker(&self) -> TwinMaker {
        TwinMaker {
            rehearse: self.run.limits.rehearse,
            may_sample: self.run.may_sample,
            jobs: self.run.jobs,
            pg_bin: self.run.pg_bin.clone(),
            interrupt: self.connector.interrupt.clone(),
        }
    }
}

/// The limits of a run that builds nothing: a set is verified in the twin.
fn reading_only(limits: &Limits) -> Limits {
    Limits {
        rehearse: match limits.rehearse {
            Rehearse::Auto => Rehearse::Twin,
            other => other,
        },
        ..limits.clone()
    }
}

impl Backend for LiveBackend {
    fn advise(&mut self, during: &During<'_>) -> Result<SessionData, PlannerError> {
        let (advised, recording) = self.run_pipeline(during)?;
        let advice = match advised {
            Ok(advice) => advice,
            Err(rollback) => {
                self.remembered = Remembered::of(recording.exchanges);
                self.catalog = recording.catalog;
                return Err(PlannerError::Interrupted { rollback });
            }
        };
        if let Some(file) = &self.run.record {
            let failed = |error: CommandError| PlannerError::Server {
                operation: "writing the recording".to_owned(),
                message: error.to_string(),
            };
            advising::save(&recording, file).map_err(failed)?;
        }
        let headline = subject(&self.run, &advice.catalog);
        let mut session_data = SessionData::new(headline, advice, &recording);
        session_data.limits.clone_from(&self.run.limits);
        session_data.recording = Some(Arc::new(recording));
        self.catalog = session_data.catalog.clone();
        Ok(session_data)
    }

    fn may_build(&mut self, indexes: &[NamedIndex], ask: Ask<'_>) -> bool {
        let definitions = indexes.iter().map(|index| &index.definition);
        let plan = BuildPlan::of(definitions, &self.catalog);
        // A yes holds for what it was asked about, and for nothing else.
        self.is_agreed || ask(sentences::build_plan(&plan, &self.run.limits))
    }

    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        if question.target == Target::Server
            && let Some(refusal) = self.build_refusal(question)
        {
            return Ok(Answer::Refused(refusal.into()));
        }
        // What the twin knows it also answers when the server is gone.
        if question.target == Target::Twin && self.session.is_none() {
            let twin = self.twin.as_mut().ok_or(PlannerError::NoTwin)?;
            return twin.ask(question);
        }
        let twin_maker = self.twin_maker();
        let catalog = match (question.target, question.indexes.is_empty()) {
            (Target::Server, false) => self.catalog.clone(),
            _ => Catalog::default(),
        };
        self.with_session(|session, run, twin| {
            let planner = LivePlanner::new(session, &run.workload, twin_maker);
            let mut planner = planner.knowing(&catalog).with_twin(twin.take());
            let answer = planner.ask(question);
            *twin = planner.take_twin();
            answer
        })
    }

    fn connect(&mut self) -> Result<(), PlannerError> {
        self.with_session(|session, _, _| Ok(session.database().map(drop)?))
    }

    fn lost(&mut self) -> Option<String> {
        let session = self.session.take_if(|session| session.is_closed())?;
        drop(session);
        Some("the server closed it".to_owned())
    }

    fn cancel_token(&self) -> Arc<dyn CancelToken> {
        Arc::new(RaiseOnCancel(self.raise.clone()))
    }
}

impl LiveBackend {
    /// The advice, or that it was stopped; and all that was asked.
    fn run_pipeline(
        &mut self,
        during: &During<'_>,
    ) -> Result<(Result<Advice, Rollback>, Recording), PlannerError> {
        let interrupt = self.connector.interrupt.clone();
        let is_agreed = self.is_agreed;
        let wanted = self.run.limits.clone();
        let limits = match is_agreed {
            true => wanted.clone(),
            false => reading_only(&wanted),
        };
        let twin_maker = self.twin_maker();
        let consent =
            Consent::by(|plan| is_agreed || (during.ask)(sentences::build_plan(plan, &wanted)));
        let mut remembered = std::mem::take(&mut self.remembered);
        self.with_session(|session, run, twin| {
            let planner = LivePlanner::new(session, &run.workload, twin_maker);
            let mut planner = planner.within(&limits).with_twin(twin.take());
            let begun = SessionData::begun(run.subject.clone(), &run.workload, &wanted);
            let headline = |catalog: &Catalog| subject(run, catalog);
            let mut asking = WithConsent::new(&mut planner, &consent);
            let mut limited = TimeLimit::new(&mut asking, limits.search_time);
            let watching = (during, interrupt, &mut remembered);
            let mut watched = Watched::new(&mut limited, watching, begun, &headline);
            let mut recorder = Recorder::new(&mut watched);
            let advised = pipeline(&run.workload, &limits, &mut recorder, &|event| {
                consent.observe(event);
                (during.observer)(event);
            });
            let recording = recorder.finish(run.workload.clone(), limits.clone());
            *twin = planner.take_twin();
            match advised {
                Err(PlannerError::Interrupted { rollback }) => Ok((Err(rollback), recording)),
                other => Ok((Ok(other?), recording)),
            }
        })
    }

    /// Why indexes may not be built on the server: the first rule that forbids it.
    fn build_refusal(&self, question: &Question) -> Option<RefusalCause> {
        let tables = question.indexes.iter().map(|index| &index.definition.table);
        let known = tables.filter_map(|table| self.catalog.table(table));
        let mut refusals =
            known.filter_map(|table| build_refusal(table, &self.catalog, &self.run.limits));
        refusals.next()
    }
}

fn subject(run: &InteractiveRun, catalog: &Catalog) -> String {
    if !run.subject.is_empty() {
        return run.subject.clone();
    }
    let server = &catalog.server;
    let version = server.version.split(' ').next().unwrap_or_default();
    format!(
        "PostgreSQL {version} · {}",
        quote_identifier(&server.database)
    )
}

/// Cancels by raising the session's interrupt.
struct RaiseOnCancel(InterruptTrigger);

impl CancelToken for RaiseOnCancel {
    fn cancel(&self) {
        self.0.raise();
    }

    fn reset(&self) {
        self.0.lower();
    }
}
