//! A rewritten statement with the values that are written in it and with those of its classes: what
//! brings nothing for the value of a sample may bring much for the others, and the other way round.

use super::chosen::Chosen;
use crate::catalog::Catalog;
use crate::model::Cost;
use crate::plan::{Node, NodeType, Plan};
use crate::planner::TestedIndex;
use crate::remedy::Effect;
use crate::remedy::rewrite::Proposal;
use crate::search::Unpriced;
use crate::workload::Statement;

/// The rewritten statement and what it costs as it was.
pub(super) struct Written<'a> {
    pub(super) proposal: &'a Proposal<'a>,
    /// Rewritten: as the workload has it, and then with values of each class.
    pub(super) statements: Vec<Statement>,
    /// What each costs as it was, with the recommended indexes.
    before: Vec<Cost>,
    /// What these plans' costs say too little about.
    unpriced_before: Vec<Unpriced>,
    catalog: &'a Catalog,
    recommended: Vec<TestedIndex>,
}

impl<'a> Written<'a> {
    pub(super) fn new(chosen: Chosen<'a>, proposal: &'a Proposal<'a>) -> Written<'a> {
        let context = chosen.context;
        let own = proposal.statement;
        let mut statements = vec![rewritten(own, proposal.rewriting.sql.clone())];
        let now = |statement: &Statement, plan: &'a Plan| {
            let after = chosen.verification.after.get(&statement.id);
            after.unwrap_or(plan)
        };
        let mut before = vec![now(own, proposal.plan)];
        for class in context.workload.statements() {
            let is_own = class
                .value_class
                .as_ref()
                .is_some_and(|value| value.of == own.id);
            let Some(plan) = context.plan(&class.id).filter(|_| is_own) else {
                continue;
            };
            if let Some(rewriting) = proposal.of_class(class, context.catalog) {
                statements.push(rewritten(class, rewriting.sql));
                before.push(now(class, plan));
            }
        }
        let catalog = context.catalog;
        let verified = chosen.verification.verified.iter();
        let recommended: Vec<_> = verified.map(|verified| verified.index.clone()).collect();
        let unpriced = |plan: &&Plan| unpriced(plan, &recommended, catalog);
        Written {
            proposal,
            statements,
            before: before.iter().map(|plan| plan.total_cost()).collect(),
            unpriced_before: before.iter().map(unpriced).collect(),
            catalog,
            recommended,
        }
    }

    /// Its calls, with whatever values.
    pub(super) fn calls(&self) -> f64 {
        self.statements.iter().map(|one| one.calls).sum()
    }

    /// What a call costs as it was: the mean over the classes.
    pub(super) fn expected_before(&self) -> Cost {
        self.mean(self.before.iter().copied())
    }

    /// The same with what the search adds to a cost.
    pub(super) fn priced_before(&self) -> Cost {
        let costs = self.before.iter().zip(&self.unpriced_before);
        self.mean(costs.map(|(cost, unpriced)| unpriced.priced(*cost)))
    }

    /// What one of them costs at most as it was, if it reads an index in its order until enough rows
    /// are found.
    pub(super) fn to_its_end(&self) -> Option<Cost> {
        let costs = self.before.iter().zip(&self.unpriced_before);
        let walks = costs.filter(|(_, unpriced)| unpriced.to_its_end.0 > 0.0);
        let ends = walks.map(|(cost, unpriced)| cost.0 + unpriced.to_its_end.0);
        ends.max_by(f64::total_cmp).map(Cost)
    }

    /// What a call costs by these plans, which are in the order of the statements.
    pub(super) fn expected(&self, plans: &[Plan]) -> Cost {
        self.mean(plans.iter().map(|plan| self.cost(plan)))
    }

    /// The same with what the search adds to a cost.
    pub(super) fn priced(&self, plans: &[Plan]) -> Cost {
        self.mean(
            plans.iter().map(|plan| {
                unpriced(plan, &self.recommended, self.catalog).priced(self.cost(plan))
            }),
        )
    }

    fn mean(&self, costs: impl Iterator<Item = Cost>) -> Cost {
        let weighed = self.statements.iter().zip(costs);
        let sum: f64 = weighed.map(|(one, cost)| one.calls * cost.0).sum();
        Cost(sum / self.calls().max(f64::MIN_POSITIVE))
    }

    /// A recursion costs what its repetitions cost, of which the planner knows nothing.
    fn cost(&self, plan: &Plan) -> Cost {
        let expected = plan
            .nodes()
            .iter()
            .find(|node| *node.node_type() == NodeType::RecursiveUnion)
            .and_then(Node::plan_rows);
        let cost = plan.total_cost();
        match (self.proposal.repeated, expected) {
            (Some(repeated), Some(expected)) => {
                Cost(cost.0 * (repeated as f64 / expected.max(1.0)).max(1.0))
            }
            _ => cost,
        }
    }

    /// Of the statement as the workload has it, and then of each class.
    pub(super) fn effects(&self, plans: &[Plan]) -> Vec<Effect> {
        let costs = self.before.iter().zip(plans);
        let effects = self.statements.iter().zip(costs);
        effects
            .map(|(statement, (before, plan))| Effect {
                statement: statement.id.clone(),
                cost: (*before, self.cost(plan)),
                rows: None,
                plan_changed: true,
            })
            .collect()
    }
}

fn unpriced(plan: &Plan, recommended: &[TestedIndex], catalog: &Catalog) -> Unpriced {
    Unpriced::of(plan, recommended, &|table, index| {
        catalog.rows_indexed(table, index)
    })
}

/// Which of its literals vary is known of the statement as it was.
fn rewritten(statement: &Statement, sql: String) -> Statement {
    Statement {
        sql,
        varying_literals: Default::default(),
        fixed_literals: Default::default(),
        ..statement.clone()
    }
}
