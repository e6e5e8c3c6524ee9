//! The conditions of `--fail-on`.

use super::comparison::StatementChange;
use super::lock::LockMode;
use super::outcome::CheckOutcome;
use crate::model::Millis;

/// A condition under which the check fails.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Gate {
    /// A statement is dearer by at least this many per cent.
    Regression(f64),
    /// A statement gets another plan.
    Flip,
    /// A statement cannot be planned any more, or the migration fails.
    CannotRun,
    /// A lock of at least this mode may be held longer than this.
    Lock(LockMode, Millis),
    /// An index is added that no statement uses.
    UnusedIndex,
}

/// A condition, and what meets it.
#[derive(Debug, Clone, PartialEq)]
pub struct JudgedGate {
    /// The condition.
    pub gate: Gate,
    /// Statements by name, indexes by name, statements of the migration by file and line.
    pub by: Vec<String>,
}

impl Gate {
    /// Reads `regression=50`, `flip`, `cannot-run`, `lock=AccessExclusive>1s` or `unused-index`.
    ///
    /// # Errors
    /// A sentence that says what is expected.
    pub fn parse(text: &str) -> Result<Gate, String> {
        let (name, value) = match text.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (text.trim(), None),
        };
        match (name, value) {
            ("regression", Some(value)) => regression(value),
            ("flip", None) => Ok(Gate::Flip),
            ("cannot-run", None) => Ok(Gate::CannotRun),
            ("unused-index", None) => Ok(Gate::UnusedIndex),
            ("lock", Some(value)) => lock(value),
            ("regression", None) => Err("expected a percentage: regression=50".to_owned()),
            ("lock", None) => Err("expected a mode and a time: lock=AccessExclusive>1s".to_owned()),
            _ => Err(
                "expected regression=PCT, flip, cannot-run, lock=MODE>TIME or unused-index"
                    .to_owned(),
            ),
        }
    }

    /// As it is written in an option.
    pub fn text(self) -> String {
        match self {
            Gate::Regression(percent) => format!("regression={percent}"),
            Gate::Flip => "flip".to_owned(),
            Gate::CannotRun => "cannot-run".to_owned(),
            Gate::Lock(mode, time) => {
                let name = mode.name();
                let short = name.strip_suffix("Lock").unwrap_or(name);
                format!("lock={short}>{}ms", time.0)
            }
            Gate::UnusedIndex => "unused-index".to_owned(),
        }
    }

    /// What meets the condition.
    pub fn judge(self, outcome: &CheckOutcome) -> JudgedGate {
        let statements = |is_one: &dyn Fn(&super::comparison::CheckedStatement) -> bool| {
            let found = outcome.statements.iter().filter(|checked| is_one(checked));
            found
                .map(|checked| checked.statement.id.0.clone())
                .collect::<Vec<_>>()
        };
        let by = match self {
            Gate::Regression(percent) => {
                statements(&|checked| checked.regression_percent() >= percent)
            }
            Gate::Flip => statements(&super::comparison::CheckedStatement::may_flip),
            Gate::CannotRun => {
                let mut by = outcome.failed_steps();
                by.extend(outcome.steps_that_will_fail());
                let refused = outcome.upgrade.refused.iter();
                by.extend(refused.map(|(object, _)| object.clone()));
                by.extend(statements(&|checked| {
                    checked.change == Some(StatementChange::CannotRun)
                }));
                by
            }
            Gate::Lock(mode, time) => outcome.steps_with_lock(mode, time),
            Gate::UnusedIndex => outcome.unused_indexes(),
        };
        JudgedGate { gate: self, by }
    }
}

impl JudgedGate {
    /// Does the check fail?
    pub fn is_met(&self) -> bool {
        !self.by.is_empty()
    }
}

fn regression(value: &str) -> Result<Gate, String> {
    let number = value.trim_end_matches('%').trim().parse::<f64>().ok();
    number
        .filter(|percent| percent.is_finite() && *percent > 0.0)
        .map(Gate::Regression)
        .ok_or_else(|| format!("expected a percentage above 0, not {value:?}"))
}

fn lock(value: &str) -> Result<Gate, String> {
    let (mode, time) = value
        .split_once('>')
        .ok_or("expected a mode and a time: lock=AccessExclusive>1s")?;
    let mode = LockMode::parse(mode.trim()).ok_or_else(|| {
        format!(
            "{:?} is no mode of a lock; AccessExclusive, Exclusive, ShareRowExclusive and Share block writers",
            mode.trim()
        )
    })?;
    Ok(Gate::Lock(mode, Millis::parse(time.trim())?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gates_are_read_as_they_are_written() {
        for text in [
            "regression=50",
            "flip",
            "cannot-run",
            "unused-index",
            "lock=AccessExclusive>1000ms",
        ] {
            assert_eq!(Gate::parse(text).unwrap().text(), text);
        }
        assert_eq!(
            Gate::parse("lock = ShareLock > 1s").unwrap(),
            Gate::Lock(LockMode::Share, Millis(1000.0))
        );
    }

    #[test]
    fn what_is_no_gate_is_refused_with_what_is_expected() {
        for text in [
            "",
            "flips",
            "regression",
            "regression=0",
            "regression=-5",
            "regression=NaN",
            "lock=AccessExclusive",
            "lock=Row>1s",
            "flip=1",
        ] {
            assert!(Gate::parse(text).unwrap_err().contains(' '), "{text}");
        }
    }
}
