//! The interface as a value: what is known, where we are, what runs. Changed only by [`super::update`], read by `view`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::editor::TextInput;
use super::keymap::{Key, Scope, Screen};
use super::screen::{compare, indexes, plan, workload};
use super::session_data::{BuildGroup, SessionData};
use super::theme::Theme;
use crate::rehearsal::{Comparison, NamedIndex, Refusal, Rollback};
use crate::workload::Statement;

/// The terminal, in columns and lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub columns: u16,
    /// Lines.
    pub lines: u16,
}

/// Something that is there, or the reason why it is not.
#[derive(Debug, Clone)]
pub enum Pane<T> {
    /// Being made.
    Loading(Progress),
    /// There is nothing to show, and why.
    Empty(String),
    /// Here it is.
    Has(T),
    /// It could not be had.
    Failed(String),
    /// The user did not want to wait.
    Cancelled,
}

/// How far the work is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Progress {
    /// What is being done.
    pub what: String,
    /// Steps begun.
    pub step: usize,
    /// Steps in all.
    pub steps: usize,
    /// What the step is about: a statement, an index.
    pub about: String,
}

/// The interface.
#[derive(Debug, Clone)]
pub struct Model {
    /// What the screens show.
    pub data: Pane<Arc<SessionData>>,
    /// Where we are.
    pub navigation: Navigation,
    /// The statements.
    pub workload: workload::State,
    /// One plan.
    pub plan: plan::State,
    /// Two plans.
    pub compare: compare::State,
    /// What to create.
    pub indexes: indexes::State,
    /// The other side.
    pub jobs: Jobs,
    /// The terminal.
    pub size: Size,
    /// How it looks.
    pub theme: Theme,
    /// What is to be said in the status line.
    pub message: Option<Message>,
}

/// Where we are.
#[derive(Debug, Clone, PartialEq)]
pub struct Navigation {
    /// The screen.
    pub screen: Screen,
    /// Where Esc leads back to.
    pub back: Vec<Screen>,
    /// What lies over the screen.
    pub overlay: Overlay,
}

/// What lies over the screen.
#[derive(Debug, Clone, PartialEq)]
pub enum Overlay {
    /// Nothing.
    Nothing,
    /// The help, scrolled by so many lines.
    Help(usize),
    /// The filter is being typed.
    Filter,
    /// An index is being written.
    Index(IndexEditor),
}

/// An index being written.
#[derive(Debug, Clone, PartialEq)]
pub struct IndexEditor {
    /// The CREATE INDEX statement.
    pub input: TextInput,
    /// Why it was not taken.
    pub error: Option<String>,
}

/// Who answers: a worker with a server, or nobody.
#[derive(Debug, Clone, PartialEq)]
pub struct Jobs {
    /// Is there a server?
    pub connection: Connection,
    /// What was asked and is not answered yet.
    pub current: Option<Job>,
    /// The number of the last question.
    pub last_number: u64,
    /// What to ask again on retry.
    pub failed: Option<Request>,
    /// Time since the start.
    pub now: Duration,
}

/// Is there a server?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Connection {
    /// No: everything is from a file.
    None,
    /// Yes.
    Live,
    /// It was lost, with its last words.
    Lost(String),
}

/// A question that is not answered yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Job {
    /// Its number.
    pub number: u64,
    /// When it was asked.
    pub began: Duration,
    /// What was asked.
    pub request: Request,
    /// How far it is.
    pub progress: Progress,
}

/// What a worker can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    /// The whole run.
    Advise,
    /// A combination of indexes.
    Verify {
        /// Their positions.
        indexes: BTreeSet<usize>,
        /// A transaction each.
        groups: Vec<BuildGroup>,
    },
    /// One index, written by hand.
    Rehearse {
        /// The index.
        index: NamedIndex,
        /// The statements on its table.
        statements: Vec<Statement>,
    },
}

/// A line for the reader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Good or bad.
    pub level: MessageLevel,
    /// The text; nothing raw is in it.
    pub text: String,
}

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MessageLevel {
    /// For information.
    Info,
    /// Done.
    Success,
    /// Not done.
    Error,
}

/// What happened.
#[derive(Debug)]
pub enum Msg {
    /// A key.
    Key(Key),
    /// Text that was pasted.
    Paste(String),
    /// The wheel, by so many lines.
    Wheel(isize),
    /// The left button, at a column and a line.
    Click(u16, u16),
    /// The terminal has another size.
    Resize(Size),
    /// Time passed since the start.
    Tick(Duration),
    /// A job goes on.
    Progress(u64, Progress),
    /// A job is done.
    Response(u64, Response),
    /// DDL was written, copied, or not.
    Exported(Result<String, String>),
}

/// What became of a job.
#[derive(Debug)]
pub enum Response {
    /// The run's result.
    Advised(Box<SessionData>),
    /// What the index did, or why it could not be built.
    Rehearsed(NamedIndex, Result<Box<Comparison>, Refusal>),
    /// What the combination did, a transaction each, or why it could not be built.
    Verified(BTreeSet<usize>, Result<Vec<Comparison>, Refusal>),
    /// It was cancelled; what became of the transaction.
    Cancelled(Rollback),
    /// The server could not be asked.
    Failed(String),
}

/// What is to be done, by whoever may do it.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Leave the program.
    Quit,
    /// To the shell and back.
    Suspend,
    /// Request the worker; a question before it is given up.
    Send(u64, Request),
    /// Cancel on the server at once.
    Cancel(u64),
    /// Write this to a new file.
    WriteFile(String),
    /// Put this on the clipboard.
    Copy(String),
    /// Print this when leaving; nothing to print takes it back.
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
                now: Duration::ZERO,
            },
            size,
            theme,
            message: None,
        }
    }

    /// The session data, when it is there.
    pub fn session_data(&self) -> Option<&Arc<SessionData>> {
        match &self.data {
            Pane::Has(session_data) => Some(session_data),
            _ => None,
        }
    }

    /// Whose keys are meant.
    pub fn scope(&self) -> Scope {
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
