//! Plans a rewritten statement: on the server with the existing indexes, and in the planner twin
//! with the recommended indexes and those that the rewritten statement could use.

use super::chosen::Chosen;
use super::written::Written;
use crate::advise::candidates::shape;
use crate::advise::run::Run;
use crate::advise::write_cost;
use crate::candidate;
use crate::catalog::create_index::creation_of_candidate;
use crate::index::{Index, naming};
use crate::model::Cost;
use crate::plan::Plan;
use crate::planner::{
    Answer, Evidence, Hypothesis, NamedIndex, PlanOutcome, PlannerError, Question, Target,
    TestedIndex, uses,
};
use crate::predicate::relation_uses;
use crate::remedy::rewrite::{Proposal, propose};
use crate::remedy::{Kind, NeededIndex, Remedy, RemedyInput, RemedyReason};
use crate::search::{Trial, TrialOutcome, Trials, is_gain};

pub(super) fn test(
    run: &mut Run<'_>,
    chosen: Chosen<'_>,
    input: RemedyInput<'_>,
) -> Result<Vec<Remedy>, PlannerError> {
    let proposals = propose(input);
    run.begin("testing other ways of writing", proposals.len());
    let mut remedies: Vec<Remedy> = Vec::new();
    let mut named = Vec::new();
    for proposal in proposals {
        run.step(&proposal.statement.id.0);
        let Some(found) = test_one(run, chosen, &proposal, &mut named)? else {
            continue;
        };
        let of_same = |remedy: &&mut Remedy| {
            let of = |remedy: &Remedy| {
                remedy
                    .benefits
                    .first()
                    .map(|effect| effect.statement.clone())
            };
            of(remedy) == of(&found)
        };
        match remedies.iter_mut().find(of_same) {
            Some(other) if gained(&found) > gained(other) => *other = found,
            Some(_) => {}
            None => remedies.push(found),
        }
    }
    run.end();
    Ok(remedies)
}

/// What its statement costs less with it.
fn gained(remedy: &Remedy) -> f64 {
    let effects = remedy.expected().into_iter();
    effects
        .map(|effect| effect.cost.0.0 - effect.cost.1.0)
        .sum()
}

/// Plans of the rewritten statement.
struct Rewritten {
    /// As it is written, and then with values of each class.
    plans: Vec<Plan>,
    /// The expected cost of a call, by the planner.
    cost: Cost,
    /// The same with what the search adds to a cost.
    priced: Cost,
    /// The new indexes that they use, besides those that are recommended.
    indexes: Vec<NeededIndex>,
    /// Of those that are recommended, the ones that they use.
    beside: Vec<NamedIndex>,
    evidence: Evidence,
}

fn test_one(
    run: &mut Run<'_>,
    chosen: Chosen<'_>,
    proposal: &Proposal<'_>,
    named: &mut Vec<NeededIndex>,
) -> Result<Option<Remedy>, PlannerError> {
    let written = Written::new(chosen, proposal);
    let Some((plans, _)) = planned(run, Target::Server, &[], &written)? else {
        return Ok(None);
    };
    let indexed = match chosen.context.twin.target() {
        Target::Twin => with_indexes(run, chosen, &written, &plans, named)?,
        Target::Server => None,
    };
    let as_is = Rewritten {
        cost: written.expected(&plans),
        priced: written.priced(&plans),
        plans,
        indexes: Vec::new(),
        beside: Vec::new(),
        evidence: Evidence::RolledBackTransaction,
    };
    let gains = |rewritten: &Rewritten, than: Cost| {
        chosen
            .context
            .limits
            .min_improvement
            .reached(than, rewritten.priced)
    };
    let best = indexed
        .filter(|indexed| gains(indexed, as_is.priced))
        .unwrap_or(as_is);
    if !gains(&best, written.priced_before()) {
        return Ok(None);
    }
    for needed in &best.indexes {
        if !named.iter().any(|named| named.index == needed.index) {
            named.push(needed.clone());
        }
    }
    Ok(Some(remedy(&written, &best)))
}

/// Another way of writing that needs new indexes must bring a statement below this share of its
/// cost.
const MUCH: f64 = 0.5;

/// With what is recommended, and with what a generator makes of the rewritten statement; and of
/// that, with those alone without which it costs more.
fn with_indexes(
    run: &mut Run<'_>,
    chosen: Chosen<'_>,
    written: &Written<'_>,
    plain: &[Plan],
    named: &[NeededIndex],
) -> Result<Option<Rewritten>, PlannerError> {
    let recommended = chosen.indexes();
    let mut new = candidates(chosen, written, plain, named);
    new.retain(|index| !recommended.contains(index));
    let with = |new: &[NamedIndex]| [recommended.as_slice(), new].concat();
    let Some((mut plans, mut used)) = planned(run, Target::Twin, &with(&new), written)? else {
        return Ok(None);
    };
    let all = new.len();
    new.retain(|index| used.iter().any(|(used, _)| used == index));
    if new.len() < all
        && let Some(again) = planned(run, Target::Twin, &with(&new), written)?
    {
        (plans, used) = again;
    }
    let before = written.priced_before();
    // The narrowest stays, if it is as good; another one beside it by the rule of the search.
    let limits = chosen.context.limits;
    for index in new.clone().iter().rev() {
        let others: Vec<NamedIndex> = new
            .iter()
            .filter(|other| *other != index)
            .cloned()
            .collect();
        let without = planned(run, Target::Twin, &with(&others), written)?;
        let Some((without, used_then)) = without else {
            continue;
        };
        let (dear, cheap) = (written.priced(&without), written.priced(&plans));
        if !is_gain(before, dear, cheap, limits) {
            (new, plans, used) = (others, without, used_then);
        }
    }
    let (used, others): (Used, Used) = used.into_iter().partition(|(index, _)| new.contains(index));
    let indexes = needed(chosen, used);
    let cost = written.priced(&plans);
    let upkeep: f64 = indexes.iter().map(|needed| needed.upkeep.0).sum();
    let saved = written.calls() * (before.0 - cost.0);
    let pays = cost.0 < MUCH * before.0 && upkeep < saved && fits(chosen, named, &indexes);
    if !indexes.is_empty() && !pays {
        let recommended = planned(run, Target::Twin, &recommended, written)?;
        return Ok(recommended.map(|(plans, used)| Rewritten {
            cost: written.expected(&plans),
            priced: written.priced(&plans),
            plans,
            indexes: Vec::new(),
            beside: names(used),
            evidence: Evidence::PlannerTwin,
        }));
    }
    Ok(Some(Rewritten {
        cost: written.expected(&plans),
        priced: cost,
        plans,
        indexes,
        beside: names(others),
        evidence: Evidence::PlannerTwin,
    }))
}

fn names(used: Used) -> Vec<NamedIndex> {
    used.into_iter().map(|(index, _)| index).collect()
}

/// With what writes pay for each.
fn needed(chosen: Chosen<'_>, used: Used) -> Vec<NeededIndex> {
    let mut trials = Trials::default();
    for (index, tested) in &used {
        trials.push(Trial {
            index: index.clone(),
            asked_by: Default::default(),
            outcome: TrialOutcome::Tested {
                index: tested.clone(),
                costs: Default::default(),
            },
        });
    }
    let write_costs = write_cost::of_trials(&trials, chosen.context);
    let trials = trials.ids().zip(used);
    trials
        .map(|(id, (index, tested))| NeededIndex {
            ddl: creation_of_candidate(&index, chosen.context.catalog),
            index,
            size: tested.size,
            upkeep: Cost(write_costs.of(&[id])),
        })
        .collect()
}

/// Within the limits, with what is recommended and what other rewritten statements need.
fn fits(chosen: Chosen<'_>, named: &[NeededIndex], new: &[NeededIndex]) -> bool {
    let more = new
        .iter()
        .filter(|new| !named.iter().any(|named| named.index == new.index));
    let verified = &chosen.verification.verified;
    let sizes: Vec<u64> = verified
        .iter()
        .map(|verified| verified.index.size.0)
        .chain(named.iter().chain(more).map(|needed| needed.size.0))
        .collect();
    let limits = &chosen.context.limits;
    let in_budget = limits
        .budget
        .is_none_or(|budget| sizes.iter().sum::<u64>() <= budget.0);
    let in_number = limits.max_indexes.is_none_or(|max| sizes.len() <= max);
    in_budget && in_number
}

/// Candidates for the rewritten statement, under names of their own; those that are trials already,
/// or that another rewritten statement needs, keep their names.
fn candidates(
    chosen: Chosen<'_>,
    written: &Written<'_>,
    plain: &[Plan],
    named: &[NeededIndex],
) -> Vec<NamedIndex> {
    let catalog = chosen.context.catalog;
    let statement = written.proposal.statement;
    // The classes differ in values only.
    let uses: Vec<_> = plain
        .iter()
        .take(1)
        .flat_map(|plan| relation_uses(plan, catalog))
        .map(|relation| (statement.id.clone(), relation))
        .collect();
    let shapes = [(statement.id.clone(), shape(statement))].into();
    let new = candidate::generate(&uses, &shapes, catalog).to_try;
    let known = |index: &Index| {
        let trial = chosen.trials.find(index).map(|trial| &trial.index);
        let earlier = || {
            let mut named = named.iter().map(|named| &named.index);
            named.find(|named| named.definition == *index)
        };
        trial.or_else(earlier)
    };
    let unknown = new
        .iter()
        .map(|new| &new.index)
        .filter(|index| known(index).is_none());
    let mut taken = catalog.taken_names.clone();
    let trials = chosen.trials.iter();
    taken.extend(trials.map(|(_, trial)| trial.index.qualified_name()));
    taken.extend(named.iter().map(|named| named.index.qualified_name()));
    let mut names = naming::names(unknown, &taken).into_iter();
    let named = |new: &candidate::Candidate| match known(&new.index) {
        Some(known) => Some(known.clone()),
        None => Some(NamedIndex {
            name: names.next()?,
            definition: new.index.clone(),
        }),
    };
    new.iter().filter_map(named).collect()
}

/// The indexes that a plan uses.
type Used = Vec<(NamedIndex, TestedIndex)>;

/// The plans with these indexes, and which of them they use.
fn planned(
    run: &mut Run<'_>,
    target: Target,
    indexes: &[NamedIndex],
    written: &Written<'_>,
) -> Result<Option<(Vec<Plan>, Used)>, PlannerError> {
    let question = Question::plans(target, &written.statements)
        .with_indexes(indexes)
        .under(Hypothesis::Rewritten);
    let Answer::Planned(mut planned) = run.ask(&question)? else {
        return Ok(None);
    };
    let mut plans = Vec::with_capacity(written.statements.len());
    for statement in &written.statements {
        let Some(PlanOutcome::Plan(plan)) = planned.plans.remove(&statement.id) else {
            return Ok(None);
        };
        plans.push(plan);
    }
    let tested = indexes.iter().zip(&planned.indexes);
    let used = tested.filter(|(_, tested)| plans.iter().any(|plan| uses(plan, tested)));
    let used = used
        .map(|(index, tested)| (index.clone(), tested.clone()))
        .collect();
    Ok(Some((plans, used)))
}

fn remedy(written: &Written<'_>, best: &Rewritten) -> Remedy {
    let proposal = written.proposal;
    let benefits = written.effects(&best.plans);
    let (before, after) = (written.expected_before(), best.cost);
    let ddl = best.indexes.iter().map(|needed| needed.ddl.clone());
    // The semicolon must not become part of a comment at the end.
    let end = if proposal.rewriting.sql.contains("--") {
        "\n;"
    } else {
        ";"
    };
    let statements = ddl
        .chain([format!("{}{end}", proposal.rewriting.sql)])
        .collect();
    let tables = best.plans.first().map(Plan::tables).unwrap_or_default();
    Remedy {
        id: String::new(),
        kind: Kind::Rewrite,
        table: tables
            .into_iter()
            .next()
            .unwrap_or_else(|| crate::model::QualifiedName::new("", "")),
        statements,
        indexes: best.indexes.clone(),
        beside: best.beside.clone(),
        instead: Vec::new(),
        benefits,
        size: None,
        evidence: best.evidence,
        reason: RemedyReason::WrittenAnotherWay {
            before,
            after,
            to_its_end: written.to_its_end(),
            indexes: best.indexes.len(),
            because: proposal.because.clone(),
        },
    }
}
