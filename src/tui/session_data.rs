//! What the screens show: the advice, and the plans of every single rehearsal, which a recording of the run holds. A value: made
//! from a live run or from a saved one, and nobody downstream can tell which.

mod answers;
mod ddl;
mod shares;
mod together;
mod writers;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use together::{Estimate, Evidence, Group, Totals, total};
pub use writers::Writers;

use crate::advise::{Advice, Benefit, ExistingFinding, StatementAdvice};
use crate::catalog::Catalog;
use crate::catalog::entries_written::{EntriesWritten, entries_written};
use crate::finding::findings;
use crate::model::{Bytes, Cost, Millis};
use crate::plan::Plan;
use crate::rehearsal::Evidence as Tried;
use crate::rehearsal::costs::{Costs, Weighted};
use crate::rehearsal::recording::Recording;
use crate::rehearsal::{Answer, Build, Comparison, NamedIndex, PlanOutcome, Trial, uses};
use crate::verdict::{Limits, Reason};
use crate::workload::{Statement, StatementId};

/// Everything there is to look at.
#[derive(Debug, Clone, Default)]
pub struct SessionData {
    /// What it is about, for the headline: a database, a file.
    pub subject: String,
    /// The statements in the workload's order.
    pub cards: Vec<Card>,
    /// Every index that was thought of, the recommended first.
    pub entries: Vec<Entry>,
    /// What is wrong with indexes that exist.
    pub existing: Vec<ExistingFinding>,
    /// What the reader has to know.
    pub notices: Vec<String>,
    /// What the server knew.
    pub catalog: Catalog,
    /// Within which limits.
    pub limits: Limits,
    /// How many of the statements have a measured time, and with that, what [`Card::share`] is of.
    pub timed: Timed,
    /// Each statement's calls and cost as things are.
    weights: Costs,
    /// The rehearsals of one index each.
    trials: Vec<Trial>,
    /// Combinations that were asked about.
    proofs: together::Proofs,
}

/// How many statements have a measured time ([`Statement::mean_time_ms`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Timed {
    /// None: shares are of Σ calls × cost.
    #[default]
    Nowhere,
    /// Too few: shares are of Σ calls × cost.
    Partly,
    /// More than half of them: shares are of their Σ calls × mean time.
    Mostly,
}

/// One statement.
#[derive(Debug, Clone)]
pub struct Card {
    /// The statement.
    pub statement: Statement,
    /// Its plan as things are, or why there is none.
    pub before: Result<Arc<Plan>, String>,
    /// Its plan with all that is recommended.
    pub after: Option<Arc<Plan>>,
    /// Its share of the workload's time or cost ([`SessionData::timed`]), 0 to 1; none when its own is not known.
    pub share: Option<f64>,
    /// The ids of the recommendations that help it.
    pub helped_by: Vec<String>,
    /// Why no index helps it, in a sentence.
    pub no_index: Option<String>,
    /// What it can be compared with.
    pub choices: Vec<Choice>,
    /// How much is to be said about its plan.
    pub findings: usize,
    /// Name and text in lower case, to filter by.
    pub haystack: String,
}

/// A plan to compare a statement's present plan with.
#[derive(Debug, Clone)]
pub struct Choice {
    /// One index by itself; none: all that is recommended, together.
    pub entry: Option<usize>,
    /// The plan without it, of the same state of the server.
    pub before: Arc<Plan>,
    /// The plan with it.
    pub plan: Arc<Plan>,
    /// Does it use the index?
    pub used: bool,
}

/// An index that was thought of.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The index under its name.
    pub index: NamedIndex,
    /// The statements that create it for keeps, by itself; for several, see [`SessionData::ddl`].
    pub ddl: Vec<String>,
    /// What became of it.
    pub verdict: Verdict,
    /// Where it was tried, if it was.
    pub tried: Option<Tried>,
    /// Its size, if it was built, or as the planner twin has it.
    pub size: Option<Bytes>,
    /// How long building it took.
    pub build_time: Option<Millis>,
    /// How long writers waited for the transaction.
    pub write_block: Option<Millis>,
    /// The statements it helps.
    pub benefits: Vec<Benefit>,
    /// What writers pay for it by the server's counters, if they were read.
    pub entries_written: Option<EntriesWritten>,
    /// The statements of the workload that write to its table.
    pub writers: Writers,
    /// Its rehearsal by itself, if there was one.
    trial: Option<usize>,
}

/// What became of an index.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// Proved.
    Recommended {
        /// `r1`, …
        id: String,
        /// In two sentences.
        explanation: String,
    },
    /// Not recommended.
    Rejected {
        /// Why.
        reason: Reason,
        /// In a sentence.
        detail: String,
    },
    /// Rehearsed by hand.
    ByHand,
}

impl Card {
    /// The plan's cost as things are.
    pub fn cost(&self) -> Option<Cost> {
        Some(self.before.as_ref().ok()?.total_cost())
    }

    /// Its cost with all that is recommended.
    pub fn cost_after(&self) -> Option<Cost> {
        self.after
            .as_ref()
            .map(|plan| plan.total_cost())
            .or_else(|| self.cost())
    }

    /// How many times lower its cost is with all that is recommended.
    pub fn factor(&self) -> f64 {
        self.cost()
            .zip(self.cost_after())
            .map_or(1.0, |(before, after)| before.factor_to(after))
    }
}

/// Not only thought of by a planner.
fn was_built(tried: Tried) -> bool {
    tried == Tried::RolledBackTransaction
}

impl Entry {
    /// Has only the planner twin seen it?
    pub fn is_foreseen(&self) -> bool {
        self.tried == Some(Tried::PlannerTwin)
    }

    /// Its size for a column: `≈` before one that is estimated.
    pub fn size_text(&self) -> Option<String> {
        let about = if self.is_foreseen() { "≈" } else { "" };
        self.size.map(|size| format!("{about}{size}"))
    }

    /// `r1`, `–` or `✎`: a word for its column.
    pub fn id(&self) -> &str {
        match &self.verdict {
            Verdict::Recommended { id, .. } => id,
            Verdict::Rejected { .. } => "–",
            Verdict::ByHand => "new",
        }
    }

    /// Is it among what is recommended?
    pub fn is_recommended(&self) -> bool {
        matches!(self.verdict, Verdict::Recommended { .. })
    }

    /// Was it built, so that its effect is known?
    pub fn is_built(&self) -> bool {
        self.trial.is_some()
    }
}

impl SessionData {
    /// Of a run and the recording of what it was answered.
    pub fn new(subject: String, advice: Advice, recording: &Recording) -> SessionData {
        let mut session_data = SessionData {
            subject,
            cards: cards(&advice.statements),
            existing: advice.existing,
            notices: advice.notices,
            limits: recording.limits.clone(),
            catalog: advice.catalog,
            ..SessionData::default()
        };
        session_data.weights = session_data.cards.iter().filter_map(weight).collect();
        session_data.timed = shares::set_shares(&mut session_data.cards);
        for recommendation in advice.recommendations {
            session_data.entries.push(Entry {
                verdict: Verdict::Recommended {
                    id: recommendation.id,
                    explanation: recommendation.explanation,
                },
                ddl: recommendation.creation.statements().cloned().collect(),
                tried: Some(recommendation.evidence),
                size: Some(recommendation.size),
                build_time: Some(recommendation.build_time)
                    .filter(|_| was_built(recommendation.evidence)),
                write_block: Some(recommendation.write_block)
                    .filter(|_| was_built(recommendation.evidence)),
                benefits: recommendation.benefits,
                entries_written: entries_written(
                    &recommendation.index.definition,
                    &session_data.catalog,
                ),
                writers: session_data.writers(&recommendation.index.definition.table),
                index: recommendation.index,
                trial: None,
            });
        }
        for rejected in advice.rejected {
            session_data.entries.push(Entry {
                verdict: Verdict::Rejected {
                    reason: rejected.reason,
                    detail: rejected.detail,
                },
                ddl: vec![rejected.ddl],
                tried: rejected.evidence,
                size: rejected.size,
                build_time: rejected.build_time,
                write_block: None,
                benefits: rejected.benefits,
                entries_written: entries_written(&rejected.index.definition, &session_data.catalog),
                writers: session_data.writers(&rejected.index.definition.table),
                index: rejected.index,
                trial: None,
            });
        }
        session_data.add_trials(recording);
        session_data.sort_choices();
        session_data.count_findings();
        session_data
    }

    /// The catalog, when there is one: saved plans come without.
    pub fn known_catalog(&self) -> Option<&Catalog> {
        Some(&self.catalog).filter(|catalog| !catalog.tables.is_empty())
    }

    /// Were the writes to the tables of the indexes counted?
    pub fn counts_writes(&self) -> bool {
        self.entries
            .iter()
            .any(|entry| entry.entries_written.is_some())
    }

    fn count_findings(&mut self) {
        let catalog = Some(&self.catalog).filter(|catalog| !catalog.tables.is_empty());
        for card in &mut self.cards {
            card.findings = card
                .before
                .as_ref()
                .map_or(0, |plan| findings(plan, catalog).len());
        }
    }

    /// Of plans alone: nothing was rehearsed.
    pub fn of_plans(subject: String, plans: Vec<(String, Result<Plan, String>)>) -> SessionData {
        let advice = |(name, plan): (String, Result<Plan, String>)| {
            let said = |what: &str| plan.as_ref().ok().and_then(|plan| plan.summary.get(what));
            let statement = Statement {
                id: StatementId(name),
                sql: said("Query Text")
                    .and_then(|text| text.as_str())
                    .unwrap_or_default()
                    .to_owned(),
                calls: 1.0,
                mean_time_ms: said("Execution Time").and_then(serde_json::Value::as_f64),
                place: String::new(),
                varying_literals: std::collections::BTreeSet::new(),
            };
            Card {
                haystack: haystack(&statement),
                statement,
                before: plan.map(Arc::new),
                after: None,
                share: None,
                findings: 0,
                helped_by: Vec::new(),
                no_index: None,
                choices: Vec::new(),
            }
        };
        let mut cards: Vec<Card> = plans.into_iter().map(advice).collect();
        let timed = shares::set_shares(&mut cards);
        let weights = cards.iter().filter_map(weight).collect();
        let mut session_data = SessionData {
            subject,
            cards,
            weights,
            timed,
            ..SessionData::default()
        };
        session_data.count_findings();
        session_data
    }

    /// The first rehearsal of each index by itself gives its trial, and plans to compare with.
    fn add_trials(&mut self, recording: &Recording) {
        for exchange in recording.trials() {
            let [index] = exchange.indexes.as_slice() else {
                continue;
            };
            let known = self
                .entries
                .iter()
                .position(|entry| entry.index == *index && entry.trial.is_none());
            if let Some(entry) = known {
                self.add_trial(entry, exchange.answer.clone(), &BTreeMap::new());
            }
        }
    }

    /// The plans of an index by itself; what they are to be compared with, where that is not the plan of the run.
    fn add_trial(
        &mut self,
        entry: usize,
        answer: Answer,
        before: &BTreeMap<StatementId, PlanOutcome>,
    ) {
        let Answer::Planned(planned) = &answer else {
            return;
        };
        let Some(build) = planned.builds.first().cloned() else {
            return;
        };
        let plan_of = |plans: &BTreeMap<StatementId, PlanOutcome>, id: &StatementId| {
            plans
                .get(id)
                .and_then(PlanOutcome::plan)
                .cloned()
                .map(Arc::new)
        };
        for card in &mut self.cards {
            let id = &card.statement.id;
            let before = plan_of(before, id).or_else(|| card.before.as_ref().ok().cloned());
            if let (Some(before), Some(plan)) = (before, plan_of(&planned.plans, id)) {
                let used = uses(&plan, &build);
                card.choices.push(Choice {
                    entry: Some(entry),
                    before,
                    plan,
                    used,
                });
            }
        }
        let write_block = planned.write_block;
        let target = &mut self.entries[entry];
        target.trial = Some(self.trials.len());
        if target.tried.is_none_or(was_built) {
            target.write_block.get_or_insert(write_block);
        }
        self.trials
            .push(Trial::from_answer(target.index.clone(), answer));
        if let Some(ddl) = self
            .ddl_alone(entry)
            .filter(|_| !self.entries[entry].is_recommended())
        {
            self.entries[entry].ddl = ddl;
        }
    }

    /// All that is recommended first, then what is used, the cheapest first, then what is not.
    fn sort_choices(&mut self) {
        for card in &mut self.cards {
            card.choices.sort_by(|a, b| {
                let first = |choice: &Choice| (choice.entry.is_some(), !choice.used);
                first(a)
                    .cmp(&first(b))
                    .then(a.plan.total_cost().0.total_cmp(&b.plan.total_cost().0))
            });
        }
    }

    /// An index that was rehearsed by hand joins the others; its position.
    pub fn add_by_hand(&mut self, index: NamedIndex, compared: Comparison) -> usize {
        let build = compared.after.builds.first();
        let entry = self.entries.len();
        self.entries.push(Entry {
            ddl: Vec::new(),
            verdict: Verdict::ByHand,
            tried: Some(Tried::RolledBackTransaction),
            size: build.map(|build| build.size),
            build_time: build.map(|build| build.build_time),
            write_block: Some(compared.after.write_block),
            benefits: build.map_or_else(Vec::new, |build| self.benefits(build, &compared)),
            entries_written: entries_written(&index.definition, &self.catalog),
            writers: self.writers(&index.definition.table),
            index,
            trial: None,
        });
        self.add_proof([entry].into(), std::slice::from_ref(&compared));
        self.add_trial(entry, Answer::Planned(compared.after), &compared.before);
        self.sort_choices();
        entry
    }

    fn benefits(&self, build: &Build, compared: &Comparison) -> Vec<Benefit> {
        let benefit = |(id, outcome): (&StatementId, &PlanOutcome)| {
            let after = outcome
                .plan()
                .filter(|plan| uses(plan, build))?
                .total_cost();
            let before = compared.before.get(id)?.plan()?.total_cost();
            let gained = self.limits.min_improvement.reached(before, after);
            gained.then(|| Benefit {
                statement: id.clone(),
                before,
                after,
            })
        };
        compared.after.plans.iter().filter_map(benefit).collect()
    }

    /// The statement of that name.
    pub fn position(&self, id: &StatementId) -> Option<usize> {
        self.cards.iter().position(|card| card.statement.id == *id)
    }
}

fn cards(statements: &[StatementAdvice]) -> Vec<Card> {
    let card = |advice: &StatementAdvice| {
        let before = match &advice.before {
            Some(plan) => Ok(Arc::new(plan.clone())),
            None => Err(advice
                .error
                .clone()
                .unwrap_or_else(|| "there is nothing to plan".to_owned())),
        };
        let after = advice.after.clone().map(Arc::new);
        let proved = after
            .iter()
            .zip(&before)
            .filter(|_| !advice.recommendations.is_empty());
        let all_recommended = |(plan, before): (&Arc<Plan>, &Arc<Plan>)| Choice {
            entry: None,
            before: before.clone(),
            plan: plan.clone(),
            used: true,
        };
        Card {
            choices: proved.map(all_recommended).collect(),
            haystack: haystack(&advice.statement),
            statement: advice.statement.clone(),
            helped_by: advice.recommendations.clone(),
            no_index: advice
                .no_index
                .as_ref()
                .map(|no_index| no_index.detail.clone()),
            share: None,
            findings: 0,
            before,
            after,
        }
    };
    statements.iter().map(card).collect()
}

fn haystack(statement: &Statement) -> String {
    format!("{} {}", statement.id, statement.sql).to_lowercase()
}

fn weight(card: &Card) -> Option<(StatementId, Weighted)> {
    Some((
        card.statement.id.clone(),
        Weighted {
            calls: card.statement.calls,
            cost: card.cost()?,
        },
    ))
}
