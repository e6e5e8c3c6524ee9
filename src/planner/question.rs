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
    /// They are executed read-only, several times; the plans are those of the run of median time,
    /// with what it measured (`Actual Rows`, `Execution Time`, buffers).
    Execute,
    /// Nothing is planned or executed: the answer has only the statements that would not be
    /// executed, with the reason.
    Check,
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
    /// The step of the search that can go on without an answer: refused with
    /// [`RefusalCause::OutOfTime`](super::RefusalCause::OutOfTime) when the time for that is over.
    pub skippable: Option<SearchStep>,
}

/// A step of the search. `--search-time` is divided among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SearchStep {
    /// Testing each candidate by itself.
    Trials,
    /// Choosing a set of them.
    Choice,
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
            skippable: None,
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

    /// The same, but only whether the statements would be executed.
    #[must_use]
    pub fn checked(self) -> Question {
        Question {
            mode: Mode::Check,
            ..self
        }
    }

    /// The same, but it need not be answered once the time for this step is over.
    #[must_use]
    pub fn skippable(self, step: SearchStep) -> Question {
        Question {
            skippable: Some(step),
            ..self
        }
    }

    /// About nothing: only whether there is time left for this step of the search.
    pub fn is_there_time(step: SearchStep) -> Question {
        Question::plans(Target::Twin, &[]).skippable(step)
    }

    /// Is it [`Question::is_there_time`]?
    pub fn is_about_time(&self) -> bool {
        self.skippable.is_some() && self.statements.is_empty() && self.is_baseline()
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
            Mode::Check => formatter.write_str(", checked"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::hypothesis::Analyzed;
    use crate::planner::test_planner::{TestPlanner, index, seq_scan, table};

    fn statements() -> Vec<Statement> {
        let planner = TestPlanner::new([table("t", &["a bigint"])])
            .statement("one", "SELECT 1", seq_scan("t", 1.0))
            .statement("two", "SELECT 2", seq_scan("t", 1.0));
        planner.workload().statements().to_vec()
    }

    fn new_index() -> [NamedIndex; 1] {
        [NamedIndex {
            name: "t_a_idx".to_owned(),
            definition: index("t (a)"),
        }]
    }

    #[test]
    fn a_question_names_all_its_conditions() {
        let plain = Question::plans(Target::Twin, &statements());
        assert_eq!(plain.to_string(), "planner twin: plans of one, two");
        let setting = Hypothesis::Setting {
            name: "work_mem".to_owned(),
            value: "1GB".to_owned(),
        };
        let hidden = [QualifiedName::new("public", "old")];
        let all = plain
            .with_indexes(&new_index())
            .hiding(&hidden)
            .under(setting)
            .executed();
        assert_eq!(
            all.to_string(),
            "planner twin: plans of one, two with t_a_idx without old under the hypothesis work_mem = 1GB, executed"
        );
    }

    #[test]
    fn only_what_the_server_makes_takes_a_transaction() {
        let plans = |target| Question::plans(target, &statements());
        let analyzed = Hypothesis::Analyzed(Analyzed {
            table: QualifiedName::new("public", "t"),
            columns: vec!["a".to_owned()],
            statistics: Vec::new(),
        });
        let (server, twin) = (plans(Target::Server), plans(Target::Twin));
        assert!(
            server
                .clone()
                .with_indexes(&new_index())
                .takes_a_transaction()
        );
        assert!(server.clone().under(analyzed.clone()).takes_a_transaction());
        assert!(!server.clone().executed().takes_a_transaction());
        assert!(!server.under(Hypothesis::Rewritten).takes_a_transaction());
        assert!(
            !twin
                .clone()
                .with_indexes(&new_index())
                .takes_a_transaction()
        );
        assert!(!twin.under(analyzed).takes_a_transaction());
    }

    #[test]
    fn a_baseline_is_under_no_condition() {
        let plans = Question::plans(Target::Server, &statements());
        assert!(plans.is_baseline() && plans.clone().skippable(SearchStep::Choice).is_baseline());
        assert!(!plans.clone().with_indexes(&new_index()).is_baseline());
        assert!(plans.clone().with_indexes(&new_index()).is_plain());
        assert!(!plans.clone().executed().is_plain());
        assert!(!plans.under(Hypothesis::Rewritten).is_plain());
    }
}
