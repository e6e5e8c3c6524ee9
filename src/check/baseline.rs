//! Plans as text, to be kept in a repository: what a statement is expected to do, with a cost that does
//! not change while data grow a little.
//!
//! ```text
//! -- jobs-queue
//! -- cost 150
//! Limit
//!   Index Scan using jobs_state on jobs
//! ```

use std::collections::BTreeMap;

use super::shape::{plan_of_shape, shape};
use crate::model::Cost;
use crate::plan::{Plan, PlanError};
use crate::workload::StatementId;

/// A plan as a file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct ExpectedPlan {
    /// The statement.
    pub id: StatementId,
    /// Its cost, rounded.
    pub cost: Cost,
    /// Its shape.
    pub shape: String,
}

/// Why a file is no expected plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: expected {expected}")]
pub struct BaselineError {
    /// The line, from 1.
    pub line: usize,
    /// What should be there.
    pub expected: &'static str,
}

impl ExpectedPlan {
    /// What is expected from now on.
    pub fn of(id: &StatementId, plan: &Plan) -> ExpectedPlan {
        ExpectedPlan {
            id: id.clone(),
            cost: rounded(plan.total_cost()),
            shape: shape(plan),
        }
    }

    /// The text of its file.
    pub fn text(&self) -> String {
        let Cost(cost) = self.cost;
        let name = crate::model::printable(&self.id.0);
        let shape = crate::model::printable::printable_lines(&self.shape);
        format!("-- {name}\n-- cost {cost}\n{}\n", shape.trim_end())
    }

    /// The plan, with what the text says of it. Where the cost is now less than a unit of the last
    /// digit away from the text's, it is taken to be the same: the text does not say more.
    ///
    /// # Errors
    /// When it is nested deeper than plans may be.
    pub fn plan(&self, now: Option<Cost>) -> Result<Plan, PlanError> {
        let is_same = |now: &Cost| (now.0 - self.cost.0).abs() < unit_of_last_digit(self.cost);
        let cost = now.filter(is_same).unwrap_or(self.cost);
        plan_of_shape(&self.shape, cost)
    }

    /// Reads the text of a file. What git does to the ends of lines is no difference.
    ///
    /// # Errors
    /// When its first two lines are not those that are written.
    pub fn read(text: &str) -> Result<ExpectedPlan, BaselineError> {
        let mut lines = text.lines();
        let expected = |line, expected| BaselineError { line, expected };
        let name = lines
            .next()
            .and_then(|line| line.strip_prefix("-- "))
            .ok_or(expected(1, "-- and the statement's name"))?;
        let cost = lines
            .next()
            .and_then(|line| line.strip_prefix("-- cost "))
            .and_then(|cost| cost.trim().parse().ok())
            .filter(|cost: &f64| cost.is_finite() && *cost >= 0.0)
            .ok_or(expected(2, "-- cost and a number"))?;
        let shape: String = lines.map(|line| format!("{}\n", line.trim_end())).collect();
        if shape.trim().is_empty() {
            return Err(expected(3, "the plan"));
        }
        Ok(ExpectedPlan {
            id: StatementId(name.to_owned()),
            cost: Cost(cost),
            shape,
        })
    }
}

/// Two significant digits: a change of the last one is one of 1 to 10 per cent.
fn rounded(cost: Cost) -> Cost {
    if cost.0 <= 0.0 || !cost.0.is_finite() {
        return Cost(0.0);
    }
    let unit = unit_of_last_digit(cost);
    let rounded = (cost.0 / unit).round() * unit;
    // Without the error of the division.
    Cost((rounded * 1000.0).round() / 1000.0)
}

/// What the second significant digit counts.
fn unit_of_last_digit(cost: Cost) -> f64 {
    if cost.0 <= 0.0 || !cost.0.is_finite() {
        return 0.0;
    }
    10f64.powi(cost.0.log10().floor() as i32 - 1)
}

/// The names of the files, by statement: the statement's name without what file systems do not like.
/// Where two would get the same, the later one gets a number.
pub fn file_names<'i>(ids: impl Iterator<Item = &'i StatementId>) -> BTreeMap<StatementId, String> {
    const MAX_CHARACTERS: usize = 100;
    let mut taken: BTreeMap<String, usize> = BTreeMap::new();
    let mut names = BTreeMap::new();
    for id in ids {
        let safe = |c: char| {
            let is_safe = c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if is_safe { c } else { '-' }
        };
        let name: String = id.0.chars().take(MAX_CHARACTERS).map(safe).collect();
        let name = name.trim_start_matches('.').to_lowercase();
        let number = taken.entry(name.clone()).or_default();
        *number += 1;
        let name = match *number {
            1 => format!("{name}.plan"),
            number => format!("{name}.{number}.plan"),
        };
        names.insert(id.clone(), name);
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan(cost: f64) -> Plan {
        let json =
            json!({"Plan": {"Node Type": "Seq Scan", "Relation Name": "t", "Total Cost": cost}});
        Plan::from_json(json).unwrap()
    }

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let expected = ExpectedPlan::of(&StatementId("a b".to_owned()), &plan(1234.5));
        assert_eq!(expected.text(), "-- a b\n-- cost 1200\nSeq Scan on t\n");
        assert_eq!(ExpectedPlan::read(&expected.text()).unwrap(), expected);
        let windows = expected.text().replace('\n', "\r\n");
        assert_eq!(ExpectedPlan::read(&windows).unwrap(), expected);
    }

    #[test]
    fn small_changes_of_the_cost_change_no_file() {
        let text = |cost| ExpectedPlan::of(&StatementId("s".to_owned()), &plan(cost)).text();
        assert_eq!(text(1201.0), text(1239.0));
        assert_ne!(text(1200.0), text(1300.0));
        assert_eq!(text(8.44), "-- s\n-- cost 8.4\nSeq Scan on t\n");
    }

    #[test]
    fn a_cost_is_another_from_the_last_digit_of_the_text_on() {
        let expected = ExpectedPlan::of(&StatementId("s".to_owned()), &plan(1234.5));
        let now = |cost| expected.plan(Some(Cost(cost))).unwrap().total_cost().0;
        for same in [1150.5, 1234.5, 1251.0, 1299.0] {
            assert!((now(same) - same).abs() < 1e-9, "{same}");
        }
        for other in [1100.0, 1300.0, 2500.0] {
            assert!((now(other) - 1200.0).abs() < 1e-9, "{other}");
        }
    }

    #[test]
    fn a_damaged_file_is_named_with_its_line() {
        for (text, line) in [
            ("", 1),
            ("-- a\ncost 5\nSeq Scan\n", 2),
            ("-- a\n-- cost x\nSeq\n", 2),
            ("-- a\n-- cost 1\n", 3),
        ] {
            assert_eq!(ExpectedPlan::read(text).unwrap_err().line, line, "{text:?}");
        }
    }

    #[test]
    fn each_statement_has_a_file() {
        let ids = ["a/b", "a-b", "..", "jobs:12"].map(|id| StatementId(id.to_owned()));
        let names = file_names(ids.iter());
        let all: Vec<&str> = ids.iter().map(|id| names[id].as_str()).collect();
        assert_eq!(all, ["a-b.plan", "a-b.2.plan", ".plan", "jobs-12.plan"]);
    }
}
