//! The interface as a value: the data, the screen, the running request. Changed only by
//! [`super::update`], read by `view`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::editor::TextInput;
use super::keymap::{Key, Scope, Screen};
use super::screen::{compare, indexes, plan, workload};
use super::session_data::{BuildGroup, SessionData};
use super::theme::Theme;
use crate::planner::{Comparison, NamedIndex, Refusal, Rollback};
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
    /// The requests to the worker.
    pub jobs: Jobs,
    /// The terminal.
    pub size: Size,
    /// Colours or none.
    pub theme: Theme,
    /// The message in the status line.
    pub message: Option<Message>,
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
    /// The help, scrolled by this many lines.
    Help(usize),
    /// The filter is being typed.
    Filter,
    /// An index is being typed.
    Index(IndexEditor),
}

/// An index that is being typed.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexEditor {
    /// The CREATE INDEX statement.
    pub input: TextInput,
    /// Why it was rejected.
    pub error: Option<String>,
}

/// The requests to the worker, if there is one.
#[derive(Debug, Clone, PartialEq)]
pub struct Jobs {
    /// Whether there is a server.
    pub connection: Connection,
    /// The request that is running.
    pub current: Option<Job>,
    /// The number of the last request.
    pub last_number: u64,
    /// The request to repeat on retry.
    pub failed: Option<Request>,
    /// What is about to be built, while the user is asked about it.
    pub asked: Option<String>,
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
    /// The request.
    pub request: Request,
    /// Its progress.
    pub progress: Progress,
}

/// A request to the worker.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// The whole run.
    Advise,
    /// Verify a combination of indexes: build them together.
    Verify {
        /// Their positions.
        indexes: BTreeSet<usize>,
        /// A transaction each.
        groups: Vec<BuildGroup>,
    },
    /// Test one index that the user wrote.
    Rehearse {
        /// The index.
        index: Box<NamedIndex>,
        /// The statements on its table.
        statements: Vec<Statement>,
    },
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
    /// The result of writing or copying DDL.
    Exported(Result<String, String>),
}

/// The response to a request.
#[derive(Debug)]
pub enum Response {
    /// The run's result.
    Advised(Box<SessionData>),
    /// The plans with the index, or why it could not be built.
    Rehearsed(Box<NamedIndex>, Result<Box<Comparison>, Refusal>),
    /// The plans with the combination, one comparison for each transaction, or why it could not be
    /// built.
    Verified(BTreeSet<usize>, Result<Vec<Comparison>, Refusal>),
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
    /// Suspend to the shell, and resume.
    Suspend,
    /// Request the worker; a question before it is given up.
    Send(u64, Request),
    /// Cancel on the server at once.
    Cancel(u64),
    /// Answer the worker's question.
    Answer(bool),
    /// Write this to a new file.
    WriteFile(String),
    /// Put this on the clipboard.
    Copy(String),
    /// Print this on exit; `None` prints nothing.
    PrintOnExit(Option<String>),
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
            jobs: Jobs {
                connection,
                current: None,
                last_number: 0,
                failed: None,
                asked: None,
                now: Duration::ZERO,
            },
            size,
            theme,
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
        if self.jobs.asked.is_some() {
            return Scope::Asked;
        }
        match self.navigation.overlay {
            Overlay::Filter | Overlay::Index(_) => Scope::Typing,
            Overlay::Nothing | Overlay::Help(_) => Scope::On(self.navigation.screen),
        }
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
