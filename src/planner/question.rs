//! What a planner is asked.

use serde::{Deserialize, Serialize};

use super::{Hypothesis, NamedIndex};
use crate::model::QualifiedName;
use crate::workload::Statement;

/// Which planner is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// The server itself: indexes are built in a transaction that is rolled back.
    Server,
    /// Its planner twin: indexes exist only to the planner.
    Twin,
}

/// What happens to the statements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// They are planned.
    #[default]
    Plan,
    /// They are executed read-only, several times; the plans are those of the run of median time, with what it measured
    /// (`Actual Rows`, `Execution Time`, buffers).
    Execute,
}

/// One question: the plans of these statements under exactly these conditions.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// Which planner is asked.
    pub target: Target,
    /// New indexes: these exist, and no other new ones.
    pub indexes: Vec<NamedIndex>,
    /// Existing indexes that the planner does not see. Only a twin can hide indexes.
    pub hidden: Vec<QualifiedName>,
    /// What is assumed besides.
    pub hypothesis: Option<Hypothesis>,
    /// Plan or execute.
    pub mode: Mode,
    /// The statements.
    pub statements: Vec<Statement>,
    /// The search can go on without an answer: refused with [`RefusalCause::OutOfTime`](super::RefusalCause::OutOfTime) when the
    /// time for the search is over.
    pub skippable: bool,
}

impl Question {
    /// The plans of these statements without any new index.
    pub fn plans(target: Target, statements: &[Statement]) -> Question {
        Question {
            target,
            indexes: Vec::new(),
            hidden: Vec::new(),
            hypothesis: None,
            mode: Mode::Plan,
            statements: statements.to_vec(),
            skippable: false,
        }
    }

    /// The same with these new indexes.
    #[must_use]
    pub fn with_indexes(self, indexes: &[NamedIndex]) -> Question {
        Question {
            indexes: indexes.to_vec(),
            ..self
        }
    }

    /// The same without these existing indexes.
    #[must_use]
    pub fn hiding(self, hidden: &[QualifiedName]) -> Question {
        Question {
            hidden: hidden.to_vec(),
            ..self
        }
    }

    /// The same under a hypothesis.
    #[must_use]
    pub fn under(self, hypothesis: Hypothesis) -> Question {
        Question {
            hypothesis: Some(hypothesis),
            ..self
        }
    }

    /// The same, but the statements are executed.
    #[must_use]
    pub fn executed(self) -> Question {
        Question {
            mode: Mode::Execute,
            ..self
        }
    }

    /// The same, but it need not be answered once the time for the search is over.
    #[must_use]
    pub fn skippable(self) -> Question {
        Question {
            skippable: true,
            ..self
        }
    }

    /// Is it about statements as they are planned today?
    pub fn is_baseline(&self) -> bool {
        self.indexes.is_empty() && self.is_plain()
    }

    /// Is it about plans with new indexes, or without any, and nothing else?
    pub fn is_plain(&self) -> bool {
        self.hidden.is_empty() && self.hypothesis.is_none() && self.mode == Mode::Plan
    }

    /// Does the server open a transaction for it in which something is made and rolled back?
    pub fn takes_a_transaction(&self) -> bool {
        let makes_something = self
            .hypothesis
            .as_ref()
            .is_some_and(Hypothesis::takes_a_transaction);
        self.target == Target::Server && (!self.indexes.is_empty() || makes_something)
    }
}

impl std::fmt::Display for Question {
    /// `twin: s1 and s2 with t_a_idx`, for errors.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let target = match self.target {
            Target::Server => "server",
            Target::Twin => "planner twin",
        };
        let join = |names: Vec<&str>| names.join(", ");
        let ids = join(self.statements.iter().map(|s| s.id.0.as_str()).collect());
        write!(formatter, "{target}: plans of {ids}")?;
        if !self.indexes.is_empty() {
            let names = join(self.indexes.iter().map(|i| i.name.as_str()).collect());
            write!(formatter, " with {names}")?;
        }
        if !self.hidden.is_empty() {
            let names = join(self.hidden.iter().map(|name| name.name.as_str()).collect());
            write!(formatter, " without {names}")?;
        }
        if let Some(hypothesis) = &self.hypothesis {
            write!(formatter, " under the hypothesis {hypothesis}")?;
        }
        match self.mode {
            Mode::Plan => Ok(()),
            Mode::Execute => formatter.write_str(", executed"),
        }
    }
}
