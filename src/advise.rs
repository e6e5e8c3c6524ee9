//! The pipeline: capture → suggest → rehearse → choose → prove → verdicts. Short enough to read as the picture in ARCHITECTURE.md.
//!
//! Pure but for what the [`Planners`] do; the same answers give the same advice, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use crate::candidate::{self, Candidate, StatementShape};
use crate::catalog::{Catalog, Table};
use crate::index::naming;
use crate::model::{Millis, QualifiedName};
use crate::plan::Plan;
use crate::predicate::relation_uses;
use crate::rehearsal::counting::Counting;
use crate::rehearsal::{
    Answer, Event, FreshSize, Hypothesis, NamedIndex, Observer, PlanOutcome, Planned, PlannerError,
    Planners, Refusal, Target, Trial, TrialOutcome,
};
use crate::sql::fingerprint::fingerprint;
use crate::sql::literals;
use crate::verdict::{Limits, Reason, Rehearse};
use crate::workload::{Statement, StatementId, Workload};

pub mod advice;
mod compare_timings;
pub mod drops;
mod existing;
mod explanation;
mod measure;
mod no_index_reason;
mod notices;
mod referential;
mod remedies;
mod selection;
mod superseded;
mod twin;
mod upkeep;
mod verification;
pub mod what_if;

use twin::TwinView;

pub use advice::{
    Advice, Benefit, Recommendation, RehearsalSummary, Rejected, StatementAdvice, StatementStatus,
};
pub use existing::{ExistingFinding, Fix};

/// Advises on a workload.
///
/// # Errors
/// When the planner cannot be asked any more, or the user interrupts; whatever was built is rolled back by then.
pub fn advise(
    workload: &Workload,
    limits: &Limits,
    planners: &mut dyn Planners,
    observer: Observer<'_>,
) -> Result<Advice, PlannerError> {
    let mut planners = Counting::new(planners);
    let seen = see(workload, limits, &mut planners, observer)?;
    let workload = &workload.with(seen.lookups);
    let summary = RehearsalSummary::default();
    let mut run = Run {
        workload,
        limits,
        planners: &mut planners,
        observer,
        summary,
    };
    let (baseline, catalog) = run.capture_rest(seen.baseline, seen.catalog)?;
    let tables = tables_of(&baseline);

    let candidates = suggest(&baseline, &catalog, workload);
    let wanted = !candidates.to_try.is_empty()
        || remedies::want_twin(workload, &baseline, &catalog)
        || !existing::bloated::candidates(&catalog).is_empty();
    let twin = TwinView::prepare(&mut run, &tables, &baseline, wanted)?;
    let trials = run.rehearse(&twin, &candidates.to_try, &baseline, &catalog)?;
    let baseline = run.capture_again(baseline)?;
    let known = verification::Known {
        baseline: &baseline,
        catalog: &catalog,
        twin: &twin,
    };
    let selection::Chosen {
        selection,
        verification,
        measured,
    } = selection::choose_and_verify(&mut run, &trials, known)?;
    let drop_effects = drops::judge(&mut run, &verification, &trials, &catalog, &twin)?;
    let fresh_sizes = run.fresh_sizes(&catalog, &twin)?;
    let lower_page_cost =
        no_index_reason::ask(&mut run, known, (&candidates, &trials), &verification)?;
    let remedies = remedies::test(&mut run, known, &verification, &trials)?;

    let upkeep = upkeep::of_trials(
        &trials,
        workload,
        verification::Known {
            baseline: &baseline,
            catalog: &catalog,
            twin: &twin,
        },
    );
    let mut summary = run.summary;
    summary.explained = planners.explained();
    Ok(advice::Parts {
        workload,
        limits,
        catalog,
        baseline,
        candidates,
        twin,
        trials,
        selection,
        verification,
        measured,
        drop_effects,
        fresh_sizes,
        lower_page_cost,
        remedies,
        upkeep,
        summary,
    }
    .into_advice())
}

/// What is seen of the workload as it was given.
struct Seen {
    baseline: Baseline,
    catalog: Catalog,
    /// What its foreign keys ask besides.
    lookups: Vec<Statement>,
}

fn see(
    workload: &Workload,
    limits: &Limits,
    planners: &mut dyn Planners,
    observer: Observer<'_>,
) -> Result<Seen, PlannerError> {
    let mut run = Run {
        workload,
        limits,
        planners,
        observer,
        summary: RehearsalSummary::default(),
    };
    let baseline = run.capture(workload.statements())?;
    let catalog = run.planners.catalog(&tables_of(&baseline))?;
    let lookups = referential::lookups(workload, &baseline, &catalog);
    Ok(Seen {
        baseline,
        catalog,
        lookups,
    })
}

/// All tables that the plans read.
fn tables_of(baseline: &Baseline) -> BTreeSet<QualifiedName> {
    baseline
        .values()
        .filter_map(PlanOutcome::plan)
        .flat_map(Plan::tables)
        .collect()
}

/// The plan of each statement without any new index.
pub type Baseline = BTreeMap<StatementId, PlanOutcome>;

/// One run of the pipeline while it talks to the planner.
struct Run<'a> {
    workload: &'a Workload,
    limits: &'a Limits,
    planners: &'a mut dyn Planners,
    observer: Observer<'a>,
    summary: RehearsalSummary,
}

impl Run<'_> {
    fn capture(&mut self, statements: &[Statement]) -> Result<Baseline, PlannerError> {
        (self.observer)(Event::Begin {
            what: "planning",
            steps: statements.len(),
        });
        let mut baseline = Baseline::new();
        for statement in statements {
            (self.observer)(Event::Step(&statement.id.0));
            baseline.extend(self.plan_baseline(Target::Server, std::slice::from_ref(statement))?);
        }
        (self.observer)(Event::End);
        Ok(baseline)
    }

    /// What joined the workload since, and what its tables are like.
    fn capture_rest(
        &mut self,
        baseline: Baseline,
        catalog: Catalog,
    ) -> Result<(Baseline, Catalog), PlannerError> {
        let is_new = |statement: &&Statement| !baseline.contains_key(&statement.id);
        let rest: Vec<Statement> = self
            .workload
            .statements()
            .iter()
            .filter(is_new)
            .cloned()
            .collect();
        if rest.is_empty() {
            return Ok((baseline, catalog));
        }
        let mut baseline = baseline;
        baseline.extend(self.capture(&rest)?);
        let catalog = self.planners.catalog(&tables_of(&baseline))?;
        Ok((baseline, catalog))
    }

    fn plan_baseline(
        &mut self,
        target: Target,
        statements: &[Statement],
    ) -> Result<Baseline, PlannerError> {
        match self.planners.plan(target, &[], statements)? {
            Answer::Planned(planned) => Ok(planned.plans),
            Answer::Refused(refusal) => Ok(statements
                .iter()
                .map(|s| (s.id.clone(), PlanOutcome::Failed(refusal.detail.clone())))
                .collect()),
        }
    }

    /// CREATE INDEX has refreshed row counts in place: what is compared with the trials has to rest on the same ones.
    fn capture_again(&mut self, baseline: Baseline) -> Result<Baseline, PlannerError> {
        if self.summary.indexes_built == 0 {
            return Ok(baseline);
        }
        let planned = |statement: &&Statement| {
            baseline
                .get(&statement.id)
                .is_some_and(|outcome| outcome.plan().is_some())
        };
        let statements: Vec<Statement> = self
            .workload
            .statements()
            .iter()
            .filter(planned)
            .cloned()
            .collect();
        let mut again = self.plan_baseline(Target::Server, &statements)?;
        again.retain(|_, outcome| outcome.plan().is_some());
        Ok(baseline
            .into_iter()
            .map(|(id, outcome)| (id.clone(), again.remove(&id).unwrap_or(outcome)))
            .collect())
    }

    /// What existing indexes would take if they were built anew, as far as a twin can tell.
    fn fresh_sizes(
        &mut self,
        catalog: &Catalog,
        twin: &TwinView,
    ) -> Result<Vec<FreshSize>, PlannerError> {
        let indexes = existing::bloated::candidates(catalog);
        if twin.target() == Target::Server || indexes.is_empty() {
            return Ok(Vec::new());
        }
        self.planners.fresh_sizes(&indexes)
    }

    /// Every candidate by itself.
    fn rehearse(
        &mut self,
        twin: &TwinView,
        candidates: &[Candidate],
        baseline: &Baseline,
        catalog: &Catalog,
    ) -> Result<Vec<Trial>, PlannerError> {
        let names = naming::names(
            candidates.iter().map(|candidate| &candidate.index),
            &catalog.taken_names,
        );
        let named = names
            .into_iter()
            .zip(candidates)
            .map(|(name, candidate)| NamedIndex {
                name,
                definition: candidate.index.clone(),
            });
        let mut named: Vec<(usize, NamedIndex)> = named.enumerate().collect();
        let trial_order = trial_order(candidates, self.workload, baseline);
        named.sort_by_key(|(position, _)| trial_order[*position]);
        (self.observer)(Event::Begin {
            what: "rehearsing",
            steps: candidates.len(),
        });
        let mut trials = Vec::with_capacity(candidates.len());
        let mut busy: BTreeSet<QualifiedName> = BTreeSet::new();
        for (position, index) in named {
            (self.observer)(Event::Step(&index.name));
            let trial = if !self.planners.time_left() {
                self.summary.out_of_time = true;
                Trial {
                    index,
                    outcome: TrialOutcome::Refused(out_of_time()),
                }
            } else if busy.contains(&index.definition.table) {
                Trial {
                    index,
                    outcome: TrialOutcome::Refused(still_busy()),
                }
            } else {
                self.rehearse_one(twin, index, baseline, catalog)?
            };
            if matches!(&trial.outcome, TrialOutcome::Refused(refusal) if refusal.reason == Reason::LockTimeout)
            {
                busy.insert(trial.index.definition.table.clone());
            }
            trials.push((position, trial));
        }
        (self.observer)(Event::End);
        trials.sort_by_key(|(position, _)| *position);
        Ok(trials.into_iter().map(|(_, trial)| trial).collect())
    }

    fn rehearse_one(
        &mut self,
        twin: &TwinView,
        index: NamedIndex,
        baseline: &Baseline,
        catalog: &Catalog,
    ) -> Result<Trial, PlannerError> {
        let touching = touching(
            self.workload,
            baseline,
            catalog,
            &BTreeSet::from([index.definition.table.clone()]),
        );
        let failure = touching
            .iter()
            .find_map(|statement| Some((statement, twin.failure(&statement.id)?)));
        let answer = match (twin.target(), failure) {
            (Target::Server, _) => self.build(&index, &touching, catalog)?,
            (Target::Twin, None) => {
                self.ask(Target::Twin, std::slice::from_ref(&index), &touching)?
            }
            (Target::Twin, Some((statement, message))) => {
                match self.build(&index, &touching, catalog)? {
                    Answer::Refused(refusal)
                        if touching
                            .iter()
                            .all(|other| twin.failure(&other.id).is_some()) =>
                    {
                        let detail = format!(
                            "{}; the planner twin cannot plan {}: {message}",
                            refusal.detail, statement.id
                        );
                        Answer::Refused(Refusal { detail, ..refusal })
                    }
                    Answer::Refused(_) => {
                        self.ask(Target::Twin, std::slice::from_ref(&index), &touching)?
                    }
                    built => built,
                }
            }
        };
        Ok(Trial::from_answer(index, answer))
    }

    /// On the server, if that is allowed.
    fn build(
        &mut self,
        index: &NamedIndex,
        statements: &[Statement],
        catalog: &Catalog,
    ) -> Result<Answer, PlannerError> {
        let table = catalog.table(&index.definition.table);
        match table.and_then(|table| build_refusal(table, catalog, self.limits)) {
            Some(refusal) => Ok(Answer::Refused(refusal)),
            None => self.ask(Target::Server, std::slice::from_ref(index), statements),
        }
    }

    /// Asks about indexes and keeps the books of what it took.
    fn ask(
        &mut self,
        target: Target,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let answer = self.planners.plan(target, indexes, statements)?;
        if target == Target::Twin {
            self.summary.twin_questions += 1;
            return Ok(answer);
        }
        self.count(&answer);
        Ok(answer)
    }

    /// As [`Run::ask`], with statements that are executed.
    fn execute(
        &mut self,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let answer = self.planners.execute(indexes, statements)?;
        self.count(&answer);
        Ok(answer)
    }

    /// As [`Run::ask`], with something supposed besides.
    fn suppose(
        &mut self,
        target: Target,
        hypothesis: &Hypothesis,
        indexes: &[NamedIndex],
        statements: &[Statement],
    ) -> Result<Answer, PlannerError> {
        let answer = self
            .planners
            .suppose(target, hypothesis, indexes, statements)?;
        match target {
            Target::Twin => self.summary.twin_questions += 1,
            Target::Server if hypothesis.takes_a_transaction() => self.count(&answer),
            Target::Server => {}
        }
        Ok(answer)
    }

    fn count(&mut self, answer: &Answer) {
        if matches!(answer, Answer::Refused(refusal) if refusal.reason == Reason::Offline) {
            return;
        }
        let (built, write_block) = match answer {
            Answer::Planned(Planned {
                builds,
                write_block,
                ..
            }) => (builds.len(), *write_block),
            Answer::Refused(refusal) => (refusal.built, refusal.write_block),
        };
        self.summary.transactions += 1;
        self.summary.indexes_built += built;
        self.summary.total_write_block.0 += write_block.0;
        if write_block > self.summary.longest_write_block {
            self.summary.longest_write_block = write_block;
        }
    }
}

/// When each candidate's turn is, so that little time goes to what matters most: each statement's first candidate, the most
/// expensive statement first, then each one's second.
fn trial_order(
    candidates: &[Candidate],
    workload: &Workload,
    baseline: &Baseline,
) -> Vec<(usize, usize)> {
    let weight = |statement: &Statement| {
        let cost = baseline
            .get(&statement.id)
            .and_then(PlanOutcome::plan)
            .map_or(0.0, |plan| plan.total_cost().0);
        statement.calls * cost
    };
    let mut statements: Vec<&Statement> = workload.statements().iter().collect();
    statements.sort_by(|a, b| weight(b).total_cmp(&weight(a)));
    let mut trial_order = vec![(usize::MAX, 0); candidates.len()];
    for (place, statement) in statements.into_iter().enumerate() {
        let own = (0..candidates.len())
            .filter(|position| candidates[*position].asked_by.contains(&statement.id));
        for (round, position) in own.enumerate() {
            trial_order[position] = trial_order[position].min((round, place));
        }
    }
    trial_order
}

fn out_of_time() -> Refusal {
    let detail = "--search-time ran out before it was tried".to_owned();
    Refusal {
        reason: Reason::OutOfTime,
        detail,
        write_block: Millis::default(),
        built: 0,
    }
}

/// Waiting for the same lock again and again would keep writers queueing behind us each time.
fn still_busy() -> Refusal {
    let detail = "not tried: the table's lock was not to be had for another candidate".to_owned();
    Refusal {
        reason: Reason::LockTimeout,
        detail,
        write_block: Millis::default(),
        built: 0,
    }
}

/// The rules that keep hands off a table, in the order in which they are told.
pub(crate) fn build_refusal(table: &Table, catalog: &Catalog, limits: &Limits) -> Option<Refusal> {
    let refusal = |reason, detail| {
        Some(Refusal {
            reason,
            detail,
            write_block: Millis::default(),
            built: 0,
        })
    };
    match limits.rehearse {
        Rehearse::Off => {
            return refusal(
                Reason::NotRehearsed,
                "--rehearse=off: nothing was built".to_owned(),
            );
        }
        Rehearse::Twin => {
            return refusal(
                Reason::NotRehearsed,
                "--rehearse=twin: nothing was built".to_owned(),
            );
        }
        Rehearse::Auto | Rehearse::Transaction => {}
    }
    if catalog.server.in_recovery {
        return refusal(
            Reason::ReadOnlyServer,
            "the server is a standby: nothing can be built on it".to_owned(),
        );
    }
    if !table.owned {
        return refusal(
            Reason::NotOwner,
            format!("only the owner of {} may build an index on it", table.name),
        );
    }
    if table.size() > limits.max_table_size {
        let detail = format!(
            "{} has {}, more than --max-table-size {}",
            table.name,
            table.size(),
            limits.max_table_size
        );
        return refusal(Reason::TableTooLarge, detail);
    }
    None
}

/// What the plans ask of their tables, as candidates.
fn suggest(baseline: &Baseline, catalog: &Catalog, workload: &Workload) -> candidate::Candidates {
    let planned = workload
        .statements()
        .iter()
        .filter_map(|statement| Some((&statement.id, baseline.get(&statement.id)?.plan()?)));
    let uses: Vec<_> = planned
        .flat_map(|(id, plan)| {
            relation_uses(plan, catalog)
                .into_iter()
                .map(move |relation| (id.clone(), relation))
        })
        .collect();
    let shapes = workload
        .statements()
        .iter()
        .map(|statement| (statement.id.clone(), shape(statement)));
    candidate::generate(&uses, &shapes.collect(), catalog)
}

fn shape(statement: &Statement) -> StatementShape {
    let literals = literals(&statement.sql)
        .unwrap_or_default()
        .into_iter()
        .enumerate();
    let varying = literals.filter(|(position, _)| statement.varying_literals.contains(position));
    StatementShape {
        shape: fingerprint(&statement.sql),
        varying: varying.map(|(_, literal)| literal).collect(),
    }
}

/// The statements whose plan touches one of these tables (or a partition of it).
fn touching(
    workload: &Workload,
    baseline: &Baseline,
    catalog: &Catalog,
    tables: &BTreeSet<QualifiedName>,
) -> Vec<Statement> {
    let touches = |statement: &&Statement| {
        let plan = baseline.get(&statement.id).and_then(PlanOutcome::plan);
        plan.is_some_and(|plan| {
            index_tables(plan, catalog)
                .iter()
                .any(|table| tables.contains(table))
        })
    };
    workload
        .statements()
        .iter()
        .filter(touches)
        .cloned()
        .collect()
}

/// The tables a new index for this plan would be on.
fn index_tables(plan: &Plan, catalog: &Catalog) -> BTreeSet<QualifiedName> {
    plan.tables()
        .iter()
        .filter_map(|table| Some(catalog.index_owner(table)?.name.clone()))
        .collect()
}
