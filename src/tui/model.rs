//! The interface as a value: the data, the screen, the running request. Changed only by
//! [`super::update`], read by `view`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::keymap::{Key, Scope, Screen};
use super::pager::Pager;
use super::prompt::{Prompt, Typed};
use super::screen::{compare, indexes, plan, report, workload};
use super::selection::Selection;
use super::session_data::{BuildGroup, OwnIndex, SessionData, StatementView};
use super::theme::Theme;
use crate::planner::{Comparison, NamedIndex, PlanOutcome, Refusal, Rollback};
use crate::workload::Statement;

/// The terminal's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub columns: u16,
    /// Lines.
    pub lines: u16,
}

/// Data, or the reason why there is none yet.
#[derive(Debug, Clone)]
pub enum Pane<T> {
    /// It is being loaded.
    Loading(Progress),
    /// There is nothing to show, for this reason.
    Empty(String),
    /// The data.
    Has(T),
    /// Loading failed, for this reason.
    Failed(String),
    /// The user cancelled.
    Cancelled,
}

/// The progress of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// The phase.
    pub what: String,
    /// Steps begun.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// The statement or index of the step.
    pub about: String,
}

/// The interface.
#[derive(Debug, Clone)]
pub struct Model {
    /// What the screens show.
    pub data: Pane<Arc<SessionData>>,
    /// The screen that is shown, and the way back.
    pub navigation: Navigation,
    /// The statements.
    pub workload: workload::State,
    /// One plan.
    pub plan: plan::State,
    /// Two plans.
    pub compare: compare::State,
    /// The indexes.
    pub indexes: indexes::State,
    /// The report.
    pub report: report::State,
    /// The indexes that are on, on every screen.
    pub selection: Selection,
    /// What the user has made in this session.
    pub own: OwnWork,
    /// What was typed before.
    pub typed: Typed,
    /// Which parts of a screen are shown.
    pub zoom: Zoom,
    /// What the user is asked.
    pub question: Option<Question>,
    /// Does the next key say how many of the best indexes are switched on?
    pub awaits_count: bool,
    /// The requests to the worker.
    pub jobs: Jobs,
    /// The terminal.
    pub size: Size,
    /// Colours or none.
    pub theme: Theme,
    /// Does the locale have no Unicode? Then boxes and marks are drawn in ASCII.
    pub is_ascii: bool,
    /// Does the program take the mouse? Else the terminal marks text with it.
    pub takes_mouse: bool,
    /// The message in the status line.
    pub message: Option<Message>,
}

/// Which parts of a screen are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Zoom {
    /// The list or tree, and the details of what is selected.
    #[default]
    Both,
    /// Only the list or tree.
    List,
    /// Only the details.
    Details,
}

/// What the user has made in this session. It is kept when new data replaces the old.
#[derive(Debug, Clone, Default)]
pub struct OwnWork {
    /// Indexes, with the plans that they were tested with.
    pub indexes: Vec<OwnIndex>,
    /// Statements that were edited and planned again.
    pub statements: Vec<StatementView>,
    /// Is some of it nowhere but here?
    pub is_unsaved: bool,
}

/// A question that takes a yes or a no.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// In a few words, for the heading.
    pub title: &'static str,
    /// What happens.
    pub text: String,
    /// What a yes does.
    pub purpose: Purpose,
}

/// What a yes does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The indexes are built on the server.
    Build,
    /// The program ends.
    Quit,
    /// The search stops.
    Stop,
}

/// The screen that is shown, and the way back.
#[derive(Debug, Clone, PartialEq)]
pub struct Navigation {
    /// The screen.
    pub screen: Screen,
    /// Where Esc leads back to.
    pub back: Vec<Screen>,
    /// An overlay over the screen.
    pub overlay: Overlay,
}

/// An overlay over the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    /// Nothing.
    Nothing,
    /// A long text.
    Pager(Box<Pager>),
    /// Something is being typed.
    Prompt(Box<Prompt>),
}

/// The requests to the worker, if there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Jobs {
    /// Whether there is a server.
    pub connection: Connection,
    /// The search, or a verification: one at a time, and it can be stopped.
    pub main: Option<Job>,
    /// Short requests, which are answered meanwhile.
    pub short: Vec<Job>,
    /// What was stopped because the program was suspended to the shell.
    pub suspended: Option<Request>,
    /// The number of the last request.
    pub last_number: u64,
    /// The request to repeat on retry: it failed or was stopped.
    pub failed: Option<Request>,
    /// Is there no planner twin? Then nothing more is asked of it.
    pub has_no_twin: bool,
    /// Time since the start.
    pub now: Duration,
}

/// Whether there is a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// No server: everything is from a file.
    None,
    /// Yes.
    Live,
    /// The connection was lost, with this error.
    Lost(String),
}

/// A request that is running.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its number.
    pub number: u64,
    /// When it was sent.
    pub began: Duration,
    /// When its phase began.
    pub phase_began: Duration,
    /// The request.
    pub request: Request,
    /// Its progress.
    pub progress: Progress,
}

/// A request to the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// The whole run. It goes on where an earlier one stopped.
    Advise,
    /// Build these indexes on the server, together, and roll back.
    Verify {
        /// Their positions.
        indexes: BTreeSet<usize>,
        /// A transaction each.
        groups: Vec<BuildGroup>,
    },
    /// Plan with these indexes together in the planner twin.
    Predict {
        /// Their positions.
        indexes: BTreeSet<usize>,
        /// The indexes.
        named: Vec<NamedIndex>,
        /// The statements on their tables.
        statements: Vec<Statement>,
    },
    /// Test one index that the user wrote, in the planner twin.
    TryIndex {
        /// The index.
        index: Box<NamedIndex>,
        /// The statements on its table.
        statements: Vec<Statement>,
    },
    /// Plan a statement that the user edited; it is not executed.
    Plan(Box<Statement>),
    /// Connect again.
    Connect,
}

impl Request {
    /// Is it answered while a search goes on?
    pub fn is_short(&self) -> bool {
        match self {
            Request::Advise | Request::Verify { .. } => false,
            Request::Predict { .. }
            | Request::TryIndex { .. }
            | Request::Plan(_)
            | Request::Connect => true,
        }
    }
}

/// A message in the status line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Whether it reports a success or an error.
    pub level: MessageLevel,
    /// The text.
    pub text: String,
}

/// The kind of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageLevel {
    /// For information.
    Info,
    /// Done.
    Success,
    /// Not done.
    Error,
}

/// An event: input, or a response of the worker.
#[derive(Debug)]
pub enum Msg {
    /// A key.
    Key(Key),
    /// Text that was pasted.
    Paste(String),
    /// The mouse wheel, by this many lines.
    Wheel(isize),
    /// The left button, at a column and a line.
    Click(u16, u16),
    /// The terminal was resized.
    Resize(Size),
    /// Time passed since the start.
    Tick(Duration),
    /// Progress of a request.
    Progress(u64, Progress),
    /// The response to a request.
    Response(u64, Response),
    /// A request is about to build indexes: may it?
    Asked(u64, String),
    /// What a run knows so far.
    Known(u64, Box<SessionData>),
    /// The connection was lost while nothing was asked.
    Lost(String),
    /// The result of writing or copying something.
    Exported(Result<String, String>),
    /// What the user's editor left of a text.
    Edited(EditedText, Result<String, String>),
    /// The program was suspended to the shell and goes on.
    Resumed,
}

/// What is edited in the user's own editor.
#[derive(Debug, Clone, PartialEq)]
pub enum EditedText {
    /// The SQL of a statement, which is planned again.
    Statement(Box<Statement>),
    /// The index that is being typed.
    Index,
}

/// The response to a request.
#[derive(Debug)]
pub enum Response {
    /// The run's result.
    Advised(Box<SessionData>),
    /// The plans with the index in the twin, or why it could not be tested.
    Tried(Box<NamedIndex>, Result<Box<Comparison>, Refusal>),
    /// The plans with the combination in the twin; none where there is a newer question.
    Predicted(BTreeSet<usize>, Option<Result<Box<Comparison>, Refusal>>),
    /// The plans with the combination, one comparison for each transaction, or why it could not be
    /// built.
    Verified(BTreeSet<usize>, Result<Vec<Comparison>, Refusal>),
    /// The plan of an edited statement.
    Planned(Box<Statement>, Box<PlanOutcome>),
    /// The server answers again.
    Connected,
    /// It was cancelled; whether the rollback is confirmed.
    Cancelled(Rollback),
    /// The request failed.
    Failed(String),
}

/// An action for the event loop to perform.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Quit the program.
    Quit,
    /// Suspend to the shell once everything is rolled back, and resume.
    Suspend,
    /// Request the worker; a question before it is given up.
    Send(u64, Request),
    /// Cancel on the server at once.
    Cancel(u64),
    /// Answer the worker's question.
    Answer(bool),
    /// Write this text to a new file.
    WriteFile {
        /// Where.
        path: String,
        /// What.
        text: String,
    },
    /// Put this on the clipboard.
    Copy(String),
    /// Print this on exit; `None` prints nothing.
    PrintOnExit(Option<String>),
    /// Edit this text in the user's editor.
    Edit(EditedText, String),
    /// Take the mouse, or leave it to the terminal.
    TakeMouse(bool),
}

impl Model {
    /// A model with nothing loaded yet.
    pub(super) fn empty(connection: Connection, size: Size, theme: Theme) -> Model {
        Model {
            data: Pane::Loading(Progress::default()),
            navigation: Navigation {
                screen: Screen::Workload,
                back: Vec::new(),
                overlay: Overlay::Nothing,
            },
            workload: workload::State::default(),
            plan: plan::State::default(),
            compare: compare::State::default(),
            indexes: indexes::State::default(),
            report: report::State::default(),
            selection: Selection::default(),
            own: OwnWork::default(),
            typed: Typed::default(),
            zoom: Zoom::Both,
            question: None,
            awaits_count: false,
            jobs: Jobs {
                connection,
                main: None,
                short: Vec::new(),
                suspended: None,
                last_number: 0,
                failed: None,
                has_no_twin: false,
                now: Duration::ZERO,
            },
            size,
            theme,
            is_ascii: false,
            takes_mouse: true,
            message: None,
        }
    }

    /// The session data, once it is loaded.
    pub fn session_data(&self) -> Option<&Arc<SessionData>> {
        match &self.data {
            Pane::Has(session_data) => Some(session_data),
            _ => None,
        }
    }

    /// The scope in which keys are looked up.
    pub fn scope(&self) -> Scope {
        if self.question.is_some() {
            return Scope::Asked;
        }
        match &self.navigation.overlay {
            Overlay::Prompt(_) => Scope::Typing,
            Overlay::Pager(_) => Scope::Reading,
            Overlay::Nothing => Scope::On(self.navigation.screen),
        }
    }

    /// The text over the screen, also while something is typed over it.
    pub fn pager(&self) -> Option<&Pager> {
        match &self.navigation.overlay {
            Overlay::Pager(pager) => Some(pager),
            Overlay::Prompt(prompt) => prompt.under.as_deref(),
            Overlay::Nothing => None,
        }
    }

    /// As [`Model::pager`].
    pub(super) fn pager_mut(&mut self) -> Option<&mut Pager> {
        match &mut self.navigation.overlay {
            Overlay::Pager(pager) => Some(pager),
            Overlay::Prompt(prompt) => prompt.under.as_deref_mut(),
            Overlay::Nothing => None,
        }
    }

    /// Is the search still going on?
    pub fn is_searching(&self) -> bool {
        let main = self.jobs.main.as_ref();
        main.is_some_and(|job| job.request == Request::Advise)
    }
}

impl Message {
    /// For information.
    pub fn info(text: impl Into<String>) -> Option<Message> {
        Some(Message {
            level: MessageLevel::Info,
            text: text.into(),
        })
    }

    /// Done.
    pub fn success(text: impl Into<String>) -> Option<Message> {
        Some(Message {
            level: MessageLevel::Success,
            text: text.into(),
        })
    }

    /// Not done.
    pub fn error(text: impl Into<String>) -> Option<Message> {
        Some(Message {
            level: MessageLevel::Error,
            text: text.into(),
        })
    }
}
