//! A statement before and after.

use super::shape::{Renamed, serial_shape, shape, shape_before_renaming};
use crate::model::Cost;
use crate::plan::Plan;
use crate::planner::PlanOutcome;
use crate::workload::Statement;

/// A cost counts as changed from this share on. What rounding and a slightly different size of a file
/// do is smaller.
pub const MIN_CHANGE: f64 = 0.05;

/// What happened to a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StatementChange {
    /// The same plan at the same cost.
    Same,
    /// The same plan, cheaper.
    Cheaper,
    /// The same plan, dearer.
    Dearer,
    /// Another plan; the costs say whether it is cheaper.
    Flipped,
    /// It could be planned before, and cannot be any more.
    CannotRun,
}

impl StatementChange {
    /// All of them, in the order of reports: what matters most comes first.
    pub const ALL: [StatementChange; 5] = [
        StatementChange::CannotRun,
        StatementChange::Flipped,
        StatementChange::Dearer,
        StatementChange::Cheaper,
        StatementChange::Same,
    ];

    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            StatementChange::Same => "same",
            StatementChange::Cheaper => "cheaper",
            StatementChange::Dearer => "dearer",
            StatementChange::Flipped => "flipped",
            StatementChange::CannotRun => "cannot_run",
        }
    }
}

/// Why a statement changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Tables, columns, indexes, functions.
    Schema,
    /// What ANALYZE found.
    Statistics,
    /// How large tables and indexes are.
    Size,
    /// Settings of the planner.
    Settings,
    /// The version of PostgreSQL.
    Version,
}

impl Cause {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Schema => "schema",
            Cause::Statistics => "statistics",
            Cause::Size => "size",
            Cause::Settings => "settings",
            Cause::Version => "version",
        }
    }
}

/// A plan under an assumption about what nobody knows yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Assumed {
    /// The assumption.
    pub assumption: Assumption,
    /// What happened to the statement under it.
    pub change: StatementChange,
    /// The plan.
    pub after: PlanOutcome,
}

/// An assumption about new tables, new columns, and statistics that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Assumption {
    /// Columns that lost their statistics have none, as until the next ANALYZE.
    NotAnalyzed,
    /// New columns have another value in each row.
    DistinctColumns,
    /// New columns have one value in all rows.
    ConstantColumns,
    /// New tables are as large as the largest table.
    LargeTables,
    /// All tables have so many times the rows.
    Grown {
        /// The largest factor without a change.
        last: u32,
        /// The factor.
        factor: u32,
    },
    /// ANALYZE looked at other rows.
    Redrawn {
        /// How often the statement got another plan.
        times: usize,
        /// Of so many draws.
        draws: usize,
    },
}

impl Assumption {
    /// Its name in reports.
    pub fn name(self) -> &'static str {
        match self {
            Assumption::NotAnalyzed => "not_analyzed",
            Assumption::DistinctColumns => "distinct_columns",
            Assumption::ConstantColumns => "constant_columns",
            Assumption::LargeTables => "large_tables",
            Assumption::Grown { .. } => "grown",
            Assumption::Redrawn { .. } => "redrawn",
        }
    }
}

/// A statement before and after.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedStatement {
    /// The statement.
    pub statement: Statement,
    /// What happened to it; none if it could not be planned before, either.
    pub change: Option<StatementChange>,
    /// Its plan before, or why there is none.
    pub before: PlanOutcome,
    /// Its plan after, or why there is none.
    pub after: PlanOutcome,
    /// Why it changed; empty where it did not.
    pub causes: Vec<Cause>,
    /// What alone makes the difference: settings of the planner, or columns.
    pub responsible: Vec<String>,
    /// Statements of SQL with which its plan does not depend on chance any more, tried in the twin.
    pub remedies: Vec<String>,
    /// Other plans that it gets under assumptions.
    pub assumed: Vec<Assumed>,
}

impl CheckedStatement {
    /// Compares two outcomes.
    pub fn new(
        statement: Statement,
        before: PlanOutcome,
        after: PlanOutcome,
        renamed: &Renamed,
    ) -> CheckedStatement {
        CheckedStatement {
            statement,
            change: change(&before, &after, renamed),
            before,
            after,
            causes: Vec::new(),
            responsible: Vec::new(),
            remedies: Vec::new(),
            assumed: Vec::new(),
        }
    }

    /// The cost before.
    pub fn cost_before(&self) -> Option<Cost> {
        self.before.plan().map(Plan::total_cost)
    }

    /// The cost after.
    pub fn cost_after(&self) -> Option<Cost> {
        self.after.plan().map(Plan::total_cost)
    }

    /// Adds the plan under an assumption, if it is another one than that without.
    pub fn assume(&mut self, assumption: Assumption, after: PlanOutcome, renamed: &Renamed) {
        let none = Renamed::new();
        let other = change(&self.after, &after, &none).filter(|it| *it != StatementChange::Same);
        // A statement that is possible only now is compared with how it is planned now.
        let change = match self.before.plan() {
            Some(_) => change(&self.before, &after, renamed),
            None => other,
        };
        if let (Some(_), Some(change)) = (other, change) {
            self.assumed.push(Assumed {
                assumption,
                change,
                after,
            });
        }
    }

    /// Of a migration, only the schema changes: what it does to sizes and statistics follows from that.
    pub fn note_cause_of_migration(&mut self) {
        let is_changed = self
            .change
            .is_some_and(|change| change != StatementChange::Same);
        if is_changed {
            self.causes = vec![Cause::Schema];
        }
    }

    /// Adds the plan with more rows, if it is another one. That it costs more is no change, and neither
    /// are workers.
    pub fn assume_growth(&mut self, assumption: Assumption, after: PlanOutcome) {
        let (Some(before), Some(grown)) = (self.before.plan(), after.plan()) else {
            return;
        };
        if serial_shape(before) != serial_shape(grown) {
            self.assumed.push(Assumed {
                assumption,
                change: StatementChange::Flipped,
                after,
            });
        }
    }

    /// By how many per cent it is dearer after the change. Zero if it is cheaper.
    pub fn regression_after_percent(&self) -> f64 {
        match (self.cost_before(), self.cost_after()) {
            (Some(before), Some(after)) => (-before.saved_share(after) * 100.0).max(0.0),
            _ => 0.0,
        }
    }

    /// By how many per cent it is dearer, at worst: after the change, or under an assumption about it.
    /// Zero if it is cheaper.
    pub fn regression_percent(&self) -> f64 {
        let Some(before) = self.cost_before() else {
            return 0.0;
        };
        // What costs more there is estimated otherwise, and not another plan for the same.
        let is_other = |assumed: &&Assumed| {
            matches!(
                assumed.assumption,
                Assumption::Grown { .. } | Assumption::Redrawn { .. }
            )
        };
        let assumed = self.assumed.iter().filter(|assumed| !is_other(assumed));
        let assumed = assumed.map(|assumed| &assumed.after);
        let plans = assumed.chain([&self.after]).filter_map(PlanOutcome::plan);
        let shares = plans.map(|plan| -before.saved_share(plan.total_cost()) * 100.0);
        shares.fold(0.0, f64::max)
    }

    /// Does it get another plan, after the change or under an assumption?
    pub fn may_flip(&self) -> bool {
        let assumed = self.assumed.iter().map(|assumed| Some(assumed.change));
        assumed
            .chain([self.change])
            .any(|change| change == Some(StatementChange::Flipped))
    }
}

/// What happened between two outcomes; none where there was no plan before.
pub fn change(
    before: &PlanOutcome,
    after: &PlanOutcome,
    renamed: &Renamed,
) -> Option<StatementChange> {
    let before = before.plan()?;
    let Some(after) = after.plan() else {
        return Some(StatementChange::CannotRun);
    };
    if shape(before) != shape_before_renaming(after, renamed) {
        return Some(StatementChange::Flipped);
    }
    let saved = before.total_cost().saved_share(after.total_cost());
    Some(if saved >= MIN_CHANGE {
        StatementChange::Cheaper
    } else if saved <= -MIN_CHANGE {
        StatementChange::Dearer
    } else {
        StatementChange::Same
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn outcome(node: &str, cost: f64) -> PlanOutcome {
        let plan = json!({"Plan": {"Node Type": node, "Relation Name": "t", "Total Cost": cost}});
        PlanOutcome::Plan(Plan::from_json(plan).unwrap())
    }

    fn between(before: &PlanOutcome, after: &PlanOutcome) -> Option<StatementChange> {
        change(before, after, &Renamed::new())
    }

    #[test]
    fn another_shape_is_a_flip_whatever_it_costs() {
        let seq = outcome("Seq Scan", 100.0);
        assert_eq!(
            between(&seq, &outcome("Index Scan", 100.0)),
            Some(StatementChange::Flipped)
        );
        assert_eq!(
            between(&seq, &outcome("Seq Scan", 104.0)),
            Some(StatementChange::Same)
        );
        assert_eq!(
            between(&seq, &outcome("Seq Scan", 105.0)),
            Some(StatementChange::Dearer)
        );
        assert_eq!(
            between(&seq, &outcome("Seq Scan", 95.0)),
            Some(StatementChange::Cheaper)
        );
    }

    #[test]
    fn what_could_not_be_planned_before_has_no_change() {
        let failed = PlanOutcome::Failed("ERROR: no".to_owned());
        let seq = outcome("Seq Scan", 1.0);
        assert_eq!(between(&failed, &seq), None);
        assert_eq!(between(&seq, &failed), Some(StatementChange::CannotRun));
    }

    #[test]
    fn the_worst_assumption_decides() {
        let mut workload = crate::workload::Workload::default();
        let usage = crate::workload::Usage {
            calls: 1.0,
            mean_time_ms: None,
        };
        workload.add("s", "SELECT 1", usage, "s.sql:1".to_owned());
        let renamed = Renamed::new();
        let mut checked = CheckedStatement::new(
            workload.statements()[0].clone(),
            outcome("Seq Scan", 100.0),
            outcome("Seq Scan", 110.0),
            &renamed,
        );
        assert!((checked.regression_percent() - 10.0).abs() < 1e-9);
        assert!(!checked.may_flip());
        checked.assume(
            Assumption::NotAnalyzed,
            outcome("Seq Scan", 110.0),
            &renamed,
        );
        assert_eq!(checked.assumed, []);
        checked.assume(
            Assumption::NotAnalyzed,
            outcome("Index Scan", 300.0),
            &renamed,
        );
        assert!((checked.regression_percent() - 200.0).abs() < 1e-9);
        assert!(checked.may_flip());
    }
}
