//! A statement written another way, planned: on the server as things are, and in the planner twin with the recommended indexes and
//! those that it could use then.

use super::Seen;
use crate::advise::{Run, shape};
use crate::candidate;
use crate::catalog::create_index::creation_of_candidate;
use crate::index::naming;
use crate::model::{Cost, factor_text};
use crate::plan::Plan;
use crate::predicate::relation_uses;
use crate::rehearsal::{
    Answer, Event, Evidence, Hypothesis, NamedIndex, PlanOutcome, Planned, PlannerError, Target,
    uses,
};
use crate::remedy::rewrite::{Proposal, propose};
use crate::remedy::{Ask, Effect, Kind, Remedy};
use crate::workload::Statement;

pub(super) fn test(
    run: &mut Run<'_>,
    seen: Seen<'_>,
    ask: Ask<'_>,
) -> Result<Vec<Remedy>, PlannerError> {
    let proposals = propose(ask);
    (run.observer)(Event::Begin {
        what: "trying other ways of writing",
        steps: proposals.len(),
    });
    let mut remedies = Vec::new();
    for proposal in proposals {
        (run.observer)(Event::Step(&proposal.statement.id.0));
        remedies.extend(test_one(run, seen, &proposal)?);
    }
    (run.observer)(Event::End);
    Ok(remedies)
}

/// A plan of the rewritten statement.
struct Rewritten {
    plan: Plan,
    /// The new indexes that it uses, besides those that are recommended.
    indexes: Vec<NamedIndex>,
    evidence: Evidence,
}

fn test_one(
    run: &mut Run<'_>,
    seen: Seen<'_>,
    proposal: &Proposal<'_>,
) -> Result<Option<Remedy>, PlannerError> {
    // Which of its literals vary is known of the statement as it was.
    let (sql, varying_literals) = (proposal.rewriting.sql.clone(), Default::default());
    let statement = Statement {
        sql,
        varying_literals,
        ..proposal.statement.clone()
    };
    let Some((plain, _)) = planned(run, Target::Server, &[], &statement)? else {
        return Ok(None);
    };
    let indexed = match seen.known.twin.target() {
        Target::Twin => with_indexes(run, seen, (proposal, &statement), &plain)?,
        Target::Server => None,
    };
    let as_is = Rewritten {
        plan: plain,
        indexes: Vec::new(),
        evidence: Evidence::RolledBackTransaction,
    };
    let gains = |rewritten: &Rewritten, than: Cost| {
        run.limits
            .min_improvement
            .reached(than, rewritten.plan.total_cost())
    };
    let best = indexed
        .filter(|indexed| gains(indexed, as_is.plan.total_cost()))
        .unwrap_or(as_is);
    let before = seen
        .verification
        .after
        .get(&statement.id)
        .unwrap_or(proposal.plan);
    Ok(gains(&best, before.total_cost())
        .then(|| remedy(proposal, before.total_cost(), &best, seen)))
}

/// With what is recommended, and with what a generator makes of the rewritten statement; and if some of that is used, with that alone.
fn with_indexes(
    run: &mut Run<'_>,
    seen: Seen<'_>,
    (proposal, statement): (&Proposal<'_>, &Statement),
    plain: &Plan,
) -> Result<Option<Rewritten>, PlannerError> {
    let catalog = seen.known.catalog;
    let recommended: Vec<NamedIndex> = seen
        .verification
        .verified
        .iter()
        .map(|verified| seen.trials[verified.trial].index.clone())
        .collect();
    let asked: Vec<_> = relation_uses(plain, catalog)
        .into_iter()
        .map(|asked| (statement.id.clone(), asked))
        .collect();
    let shapes = [(statement.id.clone(), shape(proposal.statement))].into();
    let new = candidate::generate(&asked, &shapes, catalog).to_try;
    let known = |index: &crate::index::Index| {
        seen.trials
            .iter()
            .find(|trial| trial.index.definition == *index)
    };
    let unknown = new
        .iter()
        .map(|new| &new.index)
        .filter(|index| known(index).is_none());
    let mut taken = catalog.taken_names.clone();
    taken.extend(seen.trials.iter().map(|trial| {
        crate::model::QualifiedName::new(
            trial.index.definition.table.schema.clone(),
            trial.index.name.clone(),
        )
    }));
    let mut names = naming::names(unknown, &taken).into_iter();
    let named = new.iter().filter_map(|new| match known(&new.index) {
        Some(trial) => Some(trial.index.clone()),
        None => Some(NamedIndex {
            name: names.next()?,
            definition: new.index.clone(),
        }),
    });
    let new: Vec<NamedIndex> = named.filter(|index| !recommended.contains(index)).collect();
    let all = [recommended.as_slice(), new.as_slice()].concat();
    let Some((plan, used)) = planned(run, Target::Twin, &all, statement)? else {
        return Ok(None);
    };
    let indexes: Vec<NamedIndex> = new
        .into_iter()
        .filter(|index| used.contains(index))
        .collect();
    let few = [recommended.as_slice(), indexes.as_slice()].concat();
    let plan = match few.len() < all.len() {
        true => planned(run, Target::Twin, &few, statement)?.map_or(plan, |(plan, _)| plan),
        false => plan,
    };
    Ok(Some(Rewritten {
        plan,
        indexes,
        evidence: Evidence::PlannerTwin,
    }))
}

/// Its plan with these indexes, and which of them it uses.
fn planned(
    run: &mut Run<'_>,
    target: Target,
    indexes: &[NamedIndex],
    statement: &Statement,
) -> Result<Option<(Plan, Vec<NamedIndex>)>, PlannerError> {
    let answer = run.suppose(
        target,
        &Hypothesis::Rewritten,
        indexes,
        std::slice::from_ref(statement),
    )?;
    let Answer::Planned(Planned {
        mut plans, builds, ..
    }) = answer
    else {
        return Ok(None);
    };
    let Some(PlanOutcome::Plan(plan)) = plans.remove(&statement.id) else {
        return Ok(None);
    };
    let used = indexes
        .iter()
        .zip(&builds)
        .filter(|(_, build)| uses(&plan, build))
        .map(|(index, _)| index.clone());
    let used = used.collect();
    Ok(Some((plan, used)))
}

fn remedy(proposal: &Proposal<'_>, before: Cost, best: &Rewritten, seen: Seen<'_>) -> Remedy {
    let after = best.plan.total_cost();
    let with = match best.indexes.len() {
        0 => "",
        1 => " with this index",
        _ => " with these indexes",
    };
    let gain = factor_text(before.factor_to(after));
    let ddl = best
        .indexes
        .iter()
        .map(|index| creation_of_candidate(index, seen.known.catalog));
    // A comment at its end must not take in the semicolon.
    let end = if proposal.rewriting.sql.contains("--") {
        "\n;"
    } else {
        ";"
    };
    let statements = ddl
        .chain([format!("{}{end}", proposal.rewriting.sql)])
        .collect();
    let tables = best.plan.tables();
    Remedy {
        id: String::new(),
        kind: Kind::Rewrite,
        table: tables
            .into_iter()
            .next()
            .unwrap_or_else(|| crate::model::QualifiedName::new("", "")),
        statements,
        benefits: vec![Effect {
            statement: proposal.statement.id.clone(),
            cost: (before, after),
            rows: None,
            plan_changed: true,
        }],
        size: None,
        evidence: best.evidence,
        explanation: format!(
            "Written like this it costs {after} instead of {before}{with}, {gain} lower. {}",
            proposal.because
        ),
    }
}
