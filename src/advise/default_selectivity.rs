//! A cost that rests on a default: of an expression the planner has no statistics, and takes it to
//! select 0.5 % of the rows (`DEFAULT_EQ_SEL`, src/include/utils/selfuncs.h). A `LIMIT 1` behind it
//! then seems to be found at once, however rare the value is, and no index seems to help.
//!
//! An index on the expression brings statistics of it. So such a statement is compared under these
//! statistics, without the index: in the twin, with a BRIN index on the expression whose only block
//! range is the whole table. It brings the same statistics (`examine_variable`,
//! src/backend/utils/adt/selfuncs.c) and is never cheaper than reading the table.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::Baseline;
use super::capture::Captured;
use super::restated::{AllRestated, Restated};
use super::run::Run;
use super::twin_view::TwinView;
use crate::candidate::{Candidate, Candidates};
use crate::index::{Index, IndexKey, Key, Method};
use crate::model::QualifiedName;
use crate::plan::Plan;
use crate::planner::{
    Answer, NamedIndex, PlanOutcome, PlannerError, Question, SearchStep, Target, TwinState,
};
use crate::workload::Statement;

/// How the names of indexes begin that only bring statistics: they are no candidates.
const PROBE: &str = "pgrehearse_statistics_";

/// Is it the name of an index that only brings statistics?
pub fn is_probe(name: &str) -> bool {
    name.starts_with(PROBE)
}

/// Below this many times the cost that the planner says today, that cost stands.
const MIN_MISESTIMATE: f64 = 2.0;

/// More than any table has (`BRIN_MAX_PAGES_PER_RANGE`, src/include/access/brin.h).
const WHOLE_TABLE_PAGES: u32 = 131_072;

/// Finds them, and has every later question about plans without new indexes answered accordingly.
pub(super) fn restate(
    run: &mut Run<'_>,
    captured: &mut Captured,
    candidates: &Candidates,
    twin: &mut TwinView,
) -> Result<(), PlannerError> {
    if twin.state != TwinState::Ready {
        return Ok(());
    }
    let wanted: Vec<(&Statement, Vec<Index>)> = captured
        .workload
        .statements()
        .iter()
        .map(|statement| (statement, with_statistics_of(statement, &candidates.to_try)))
        .filter(|(statement, indexes)| !indexes.is_empty() && twin.failure(&statement.id).is_none())
        .collect();
    if wanted.is_empty() {
        return Ok(());
    }
    run.begin("planning under statistics of expressions", wanted.len());
    let mut found = AllRestated::new();
    for (number, (statement, indexes)) in wanted.into_iter().enumerate() {
        run.step(&statement.id.0);
        let brings = named(number, &indexes);
        let today = twin.baseline_or(&captured.baseline).get(&statement.id);
        let today = today.and_then(PlanOutcome::plan).map(Plan::total_cost);
        if let (Some(today), Some(plan)) = (today, plan(run, statement, &brings)?)
            && plan.total_cost().0 >= MIN_MISESTIMATE * today.0
        {
            let expressions = indexes.iter().flat_map(|index| &index.keys);
            let expressions = expressions.map(|key| key.key.to_string()).collect();
            let restated = Restated {
                plan,
                today,
                expressions,
                brings,
            };
            found.insert(statement.id.clone(), restated);
        }
    }
    run.end();
    let plans = found.iter();
    let plans = plans.map(|(id, restated)| (id.clone(), PlanOutcome::Plan(restated.plan.clone())));
    let plans: Baseline = plans.collect();
    captured.baseline.extend(plans.clone());
    twin.restate(plans);
    run.restate(found);
    Ok(())
}

/// One index for each table, with the expressions on which candidates for the statement are.
fn with_statistics_of(statement: &Statement, candidates: &[Candidate]) -> Vec<Index> {
    let as_written = statement.value_class.as_ref();
    let as_written = as_written.map_or(&statement.id, |class| &class.of);
    let mut keys: BTreeMap<&QualifiedName, BTreeSet<&Key>> = BTreeMap::new();
    let own = candidates.iter().filter(|candidate| {
        candidate.asked_by.contains(as_written)
            && matches!(candidate.index.method, Method::Btree | Method::Hash)
    });
    for candidate in own {
        let expressions = candidate.index.keys.iter().map(|key| &key.key);
        let expressions = expressions.filter(|key| matches!(key, Key::Expression(_)));
        keys.entry(&candidate.index.table)
            .or_default()
            .extend(expressions);
    }
    let keys = keys.into_iter().filter(|(_, keys)| !keys.is_empty());
    keys.map(|(table, keys)| Index {
        method: Method::Brin,
        pages_per_range: Some(WHOLE_TABLE_PAGES),
        ..Index::btree(
            table.clone(),
            keys.into_iter()
                .map(|key| IndexKey::ascending(key.clone()))
                .collect(),
        )
    })
    .collect()
}

fn named(number: usize, indexes: &[Index]) -> Vec<NamedIndex> {
    let named = indexes.iter().enumerate().map(|(place, index)| NamedIndex {
        name: format!("{PROBE}{}_{}", number + 1, place + 1),
        definition: index.clone(),
    });
    named.collect()
}

fn plan(
    run: &mut Run<'_>,
    statement: &Statement,
    indexes: &[NamedIndex],
) -> Result<Option<Plan>, PlannerError> {
    let question = Question::plans(Target::Twin, std::slice::from_ref(statement));
    match run.ask(&question.with_indexes(indexes).skippable(SearchStep::Trials))? {
        Answer::Planned(planned) => {
            let outcome = planned.plans.get(&statement.id);
            Ok(outcome.and_then(PlanOutcome::plan).cloned())
        }
        // Of a type without an order, for instance.
        Answer::Refused(_) => Ok(None),
    }
}
