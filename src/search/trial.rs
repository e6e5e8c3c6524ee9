//! Candidates, each tested by itself.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Index;

use super::unpriced::{RowsOf, Unpriced};
use crate::model::{Bytes, Cost, QualifiedName};
use crate::plan::Plan;
use crate::planner::{
    Answer, NamedIndex, PlanOutcome, Planned, Refusal, RefusalCause, TestedIndex, uses,
};
use crate::verdict::Reason;
use crate::workload::StatementId;

/// A candidate's identity in a run: its position in the list of trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TrialId(pub usize);

/// A set of candidates.
pub type TrialSet = BTreeSet<TrialId>;

/// One candidate, tested by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The candidate under its name.
    pub index: NamedIndex,
    /// The statements that it was generated for.
    pub asked_by: BTreeSet<StatementId>,
    /// The result.
    pub outcome: TrialOutcome,
}

/// The result of a trial.
#[derive(Debug, Clone, PartialEq)]
pub enum TrialOutcome {
    /// Statements were planned with it.
    Tested {
        /// As it was built, or simulated: [`TestedIndex::evidence`] says which.
        index: TestedIndex,
        /// The cost of each statement on its table, and whether the plan used it.
        costs: BTreeMap<StatementId, TrialCost>,
    },
    /// It was not tested.
    Refused(Refusal),
}

/// A statement's cost with one new index.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrialCost {
    /// The plan's total cost.
    pub cost: Cost,
    /// Does the plan use the index?
    pub used: bool,
    /// What the cost says too little about.
    pub unpriced: Unpriced,
}

impl Trial {
    /// The answer about one index, as a search needs it.
    pub fn from_answer(
        index: NamedIndex,
        asked_by: BTreeSet<StatementId>,
        answer: Answer,
        rows_of: RowsOf<'_>,
    ) -> Trial {
        let outcome = match answer {
            Answer::Refused(refusal) => TrialOutcome::Refused(refusal),
            Answer::Planned(planned) => tested(&planned, rows_of).unwrap_or_else(|| {
                let message = "the answer does not hold the index";
                TrialOutcome::Refused(Refusal::server(Reason::BuildFailed, message))
            }),
        };
        Trial {
            index,
            asked_by,
            outcome,
        }
    }

    /// Adds what the same index does for further statements.
    pub fn add(&mut self, answer: Answer, rows_of: RowsOf<'_>) {
        let further = match answer {
            Answer::Planned(planned) => tested(&planned, rows_of),
            Answer::Refused(_) => None,
        };
        if let (
            TrialOutcome::Tested { costs, .. },
            Some(TrialOutcome::Tested { costs: more, .. }),
        ) = (&mut self.outcome, further)
        {
            costs.extend(more);
        }
    }

    /// The table that the index is on.
    pub fn table(&self) -> &QualifiedName {
        &self.index.definition.table
    }

    /// The index as it was tested.
    pub fn tested(&self) -> Option<&TestedIndex> {
        match &self.outcome {
            TrialOutcome::Tested { index, .. } => Some(index),
            TrialOutcome::Refused(_) => None,
        }
    }

    /// The costs of the statements on its table, if it was tested.
    pub fn costs(&self) -> Option<&BTreeMap<StatementId, TrialCost>> {
        match &self.outcome {
            TrialOutcome::Tested { costs, .. } => Some(costs),
            TrialOutcome::Refused(_) => None,
        }
    }

    /// Its size as it was tested.
    pub fn size(&self) -> Option<Bytes> {
        self.tested().map(|index| index.size)
    }

    /// Was it built on the server?
    pub fn was_built(&self) -> bool {
        self.tested()
            .is_some_and(|index| index.build_time.is_some())
    }

    /// Rejects it: the server's plans do not use it.
    pub fn refuse(&mut self, cause: RefusalCause) {
        self.outcome = TrialOutcome::Refused(cause.into());
    }
}

fn tested(planned: &Planned, rows_of: RowsOf<'_>) -> Option<TrialOutcome> {
    let new = planned.indexes.get(..1)?;
    let index = new.first()?;
    let cost = |plan: &Plan| TrialCost {
        cost: plan.total_cost(),
        used: uses(plan, index),
        unpriced: Unpriced::of(plan, new, rows_of),
    };
    let costs = planned
        .plans
        .iter()
        .filter_map(|(id, outcome): (&StatementId, &PlanOutcome)| {
            Some((id.clone(), cost(outcome.plan()?)))
        })
        .collect();
    Some(TrialOutcome::Tested {
        index: index.clone(),
        costs,
    })
}

/// All candidates of a run, by identity.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Trials(Vec<Trial>);

impl Trials {
    /// Every identity, in order.
    pub fn ids(&self) -> impl Iterator<Item = TrialId> + use<> {
        (0..self.0.len()).map(TrialId)
    }

    /// Every trial with its identity, in order.
    pub fn iter(&self) -> impl Iterator<Item = (TrialId, &Trial)> {
        self.0
            .iter()
            .enumerate()
            .map(|(position, trial)| (TrialId(position), trial))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A trial that may change.
    pub fn trial_mut(&mut self, id: TrialId) -> Option<&mut Trial> {
        self.0.get_mut(id.0)
    }

    /// Adds one.
    pub fn push(&mut self, trial: Trial) {
        self.0.push(trial);
    }

    /// The indexes of these trials under their names.
    pub fn indexes<'i>(&self, ids: impl IntoIterator<Item = &'i TrialId>) -> Vec<NamedIndex> {
        ids.into_iter().map(|id| self[*id].index.clone()).collect()
    }

    /// The trial of this definition.
    pub fn find(&self, definition: &crate::index::Index) -> Option<&Trial> {
        self.0
            .iter()
            .find(|trial| trial.index.definition == *definition)
    }
}

impl Index<TrialId> for Trials {
    type Output = Trial;

    fn index(&self, id: TrialId) -> &Trial {
        &self.0[id.0]
    }
}

impl FromIterator<Trial> for Trials {
    fn from_iter<I: IntoIterator<Item = Trial>>(trials: I) -> Trials {
        Trials(trials.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planner::test_planner::{self, index, seq_scan};

    fn named() -> NamedIndex {
        NamedIndex {
            name: "new".to_owned(),
            definition: index("orders (a)"),
        }
    }

    fn trial(answer: Answer) -> Trial {
        Trial::from_answer(named(), BTreeSet::new(), answer, &|_, _| None)
    }

    /// The plans of two statements, of which one uses the index.
    fn answer() -> Planned {
        let scan = seq_scan("orders", 100.0);
        let by_index = scan.by_indexes(&[(&index("orders (a)"), "new")], 5.0);
        match test_planner::planned(&[("uses", &by_index), ("scans", &scan)]) {
            Answer::Planned(planned) => planned,
            Answer::Refused(refusal) => panic!("{refusal:?}"),
        }
    }

    fn tested_index() -> TestedIndex {
        TestedIndex {
            names: ["new".to_owned()].into(),
            body: String::new(),
            size: Bytes(8192),
            build_time: None,
            usable: true,
        }
    }

    #[test]
    fn a_trial_knows_each_statements_cost_and_whether_it_uses_the_index() {
        let mut planned = answer();
        planned.indexes.push(tested_index());
        let failed = PlanOutcome::Failed("no such function".to_owned());
        planned.plans.insert(test_planner::id("fails"), failed);
        let trial = trial(Answer::Planned(planned));
        let cost = |cost, used| TrialCost {
            cost: Cost(cost),
            used,
            unpriced: Unpriced::default(),
        };
        let expected = [
            (test_planner::id("scans"), cost(100.0, false)),
            (test_planner::id("uses"), cost(5.0, true)),
        ];
        assert_eq!(trial.costs(), Some(&expected.into()));
        assert_eq!(trial.size(), Some(Bytes(8192)));
        assert!(!trial.was_built(), "in the twin");
    }

    #[test]
    fn an_answer_without_the_index_is_a_failure() {
        let trial = trial(Answer::Planned(answer()));
        let TrialOutcome::Refused(refusal) = &trial.outcome else {
            panic!("{trial:?}");
        };
        assert_eq!(refusal.reason(), Reason::BuildFailed);
        assert_eq!((trial.costs(), trial.size()), (None, None));
    }

    #[test]
    fn trials_are_found_by_identity_and_by_definition() {
        let refused = || Answer::Refused(RefusalCause::NoServer.into());
        let other = NamedIndex {
            name: "other".to_owned(),
            definition: index("orders (b)"),
        };
        let other = Trial::from_answer(other, BTreeSet::new(), refused(), &|_, _| None);
        let trials = Trials::from_iter([trial(refused()), other]);
        let names = |ids: &[TrialId]| -> Vec<String> {
            let indexes = trials.indexes(ids).into_iter();
            indexes.map(|index| index.name).collect()
        };
        assert_eq!(names(&[TrialId(1), TrialId(0)]), ["other", "new"]);
        let found = trials.find(&index("orders (b)"));
        assert_eq!(found.map(|trial| trial.index.name.as_str()), Some("other"));
        assert_eq!(trials.find(&index("orders (c)")), None);
    }
}
