//! The interface as a value: what is known, where we are, what runs. Changed only by [`super::update`], read by `view`.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::editor::Line;
use super::keymap::{Key, Scope, Screen};
use super::look::Look;
use super::screen::{compare, indexes, plan, workload};
use super::session_data::{Group, SessionData};
use crate::planner::{Comparison, NamedIndex, Refusal, Rollback};
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
    pub place: Place,
    /// The statements.
    pub workload: workload::State,
    /// One plan.
    pub plan: plan::State,
    /// Two plans.
    pub compare: compare::State,
    /// What to create.
    pub indexes: indexes::State,
    /// The other side.
    pub desk: Desk,
    /// The terminal.
    pub size: Size,
    /// How it may look.
    pub look: Look,
    /// What is to be said in the status line.
    pub message: Option<Message>,
}

/// Where we are.
#[derive(Debug, Clone, PartialEq)]
pub struct Place {
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
    pub line: Line,
    /// Why it was not taken.
    pub error: Option<String>,
}

/// Who answers: a worker with a server, or nobody.
#[derive(Debug, Clone, PartialEq)]
pub struct Desk {
    /// Is there a server?
    pub server: Server,
    /// What was asked and is not answered yet.
    pub job: Option<Job>,
    /// The number of the last question.
    pub last_job: u64,
    /// What to ask again on retry.
    pub failed: Option<Ask>,
    /// Time since the start.
    pub now: Duration,
}

/// Is there a server?
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Server {
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
    pub ask: Ask,
    /// How far it is.
    pub progress: Progress,
}

/// What a worker can be asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Ask {
    /// The whole run.
    Advise,
    /// A combination of indexes.
    Prove {
        /// Their positions.
        entries: BTreeSet<usize>,
        /// A transaction each.
        groups: Vec<Group>,
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
    pub tone: Tone,
    /// The text; nothing raw is in it.
    pub text: String,
}

/// How a message is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// For information.
    Info,
    /// Done.
    Good,
    /// Not done.
    Bad,
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
    Answered(u64, Reply),
    /// DDL was written, copied, or not.
    Exported(Result<String, String>),
}

/// What became of a job.
#[derive(Debug)]
pub enum Reply {
    /// The run's result.
    Advised(Box<SessionData>),
    /// What the index did, or why it could not be built.
    Rehearsed(NamedIndex, Result<Box<Comparison>, Refusal>),
    /// What the combination did, a transaction each, or why it could not be built.
    Proved(BTreeSet<usize>, Result<Vec<Comparison>, Refusal>),
    /// It was cancelled; what became of the transaction.
    Cancelled(Rollback),
    /// The server could not be asked.
    Lost(String),
}

/// What is to be done, by whoever may do it.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Leave the program.
    Quit,
    /// To the shell and back.
    Suspend,
    /// Ask the worker; a question before it is given up.
    Ask(u64, Ask),
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
    /// With everything there: from a file.
    pub fn offline(session_data: SessionData, size: Size, look: Look) -> Model {
        let mut model = Model::empty(Server::None, size, look);
        model.data = if session_data.cards.is_empty() {
            Pane::Empty("there is no statement in it".to_owned())
        } else {
            Pane::Has(Arc::new(session_data))
        };
        super::update::refresh_all(&mut model);
        model
    }

    /// Before the first answer of a server; the effect asks for it.
    pub fn live(size: Size, look: Look) -> (Model, Vec<Effect>) {
        let mut model = Model::empty(Server::Live, size, look);
        let effects = super::update::ask(&mut model, Ask::Advise);
        (model, effects)
    }

    fn empty(server: Server, size: Size, look: Look) -> Model {
        Model {
            data: Pane::Loading(Progress::default()),
            place: Place {
                screen: Screen::Workload,
                back: Vec::new(),
                overlay: Overlay::Nothing,
            },
            workload: workload::State::default(),
            plan: plan::State::default(),
            compare: compare::State::default(),
            indexes: indexes::State::default(),
            desk: Desk {
                server,
                job: None,
                last_job: 0,
                failed: None,
                now: Duration::ZERO,
            },
            size,
            look,
            message: None,
        }
    }

    /// The dossier, when it is there.
    pub fn session_data(&self) -> Option<&Arc<SessionData>> {
        match &self.data {
            Pane::Has(session_data) => Some(session_data),
            _ => None,
        }
    }

    /// Whose keys are meant.
    pub fn scope(&self) -> Scope {
        match self.place.overlay {
            Overlay::Filter | Overlay::Index(_) => Scope::Typing,
            Overlay::Nothing | Overlay::Help(_) => Scope::On(self.place.screen),
        }
    }
}

impl Message {
    /// For information.
    pub fn info(text: impl Into<String>) -> Option<Message> {
        Some(Message {
            tone: Tone::Info,
            text: text.into(),
        })
    }

    /// Done.
    pub fn good(text: impl Into<String>) -> Option<Message> {
        Some(Message {
            tone: Tone::Good,
            text: text.into(),
        })
    }

    /// Not done.
    pub fn bad(text: impl Into<String>) -> Option<Message> {
        Some(Message {
            tone: Tone::Bad,
            text: text.into(),
        })
    }
}
