//! What the screens show: the advice, and the plans of every tested index from the recording of the
//! run. A value, made from a live or a saved run; the screens do not know which.

mod changed_from;
mod combinations;
mod comparison;
mod ddl;
mod finding_notes;
mod index_view;
mod report_text;
mod selected_advice;
mod shares;
mod so_far;
mod statement_view;
mod writers;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub use changed_from::ChangedFrom;
pub use combinations::{BuildGroup, Estimate, TotalBasis, Totals, total};
pub use comparison::ComparedStatement;
pub use index_view::{IndexStatus, IndexView, Writers};
pub use report_text::plan_text;
pub use so_far::OwnIndex;
pub use statement_view::{Choice, StatementView, TimeCoverage};

use crate::advise::{Advice, Benefit, ExistingFinding, StatementAdvice};
use crate::catalog::Catalog;
use crate::catalog::entries_written::entries_written;
use crate::finding::findings;
use crate::plan::Plan;
use crate::plan::read::ReadPlan;
use crate::planner::recording::Recording;
use crate::planner::{Answer, Comparison, NamedIndex, PlanOutcome, TestedIndex, uses};
use crate::search::costs::{Costs, Weighted};
use crate::search::{Trial, TrialId, Trials};
use crate::sentences;
use crate::verdict::Limits;
use crate::workload::{Statement, StatementId};

/// Combinations of indexes that were planned with together.
type Combinations = BTreeMap<BTreeSet<usize>, Combination>;

/// Indexes that were planned with together: the plans of the statements on their tables without and
/// with them.
#[derive(Debug, Clone, Default)]
struct Combination {
    /// Were they built on the server? Else the twin planned with them.
    is_built: bool,
    /// In how many transactions they were built, or planned with.
    transactions: usize,
    /// The indexes as they were built, or as the twin has them.
    tested: Vec<TestedIndex>,
    plans: BTreeMap<StatementId, Pair>,
}

/// The plans of a statement without and with some indexes.
type Pair = (Arc<Plan>, Arc<Plan>);

/// How far a run has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stage {
    /// The search goes on: gains are those of the indexes tested by now.
    Searching,
    /// All is known.
    #[default]
    Complete,
}

/// Everything the screens show.
#[derive(Debug, Clone, Default)]
pub struct SessionData {
    /// The subject in the headline: a database, a file.
    pub subject: String,
    /// The statements in the workload's order.
    pub statements: Vec<StatementView>,
    /// Every candidate, the recommended indexes first, and the indexes of the user.
    pub indexes: Vec<IndexView>,
    /// Problems of existing indexes.
    pub existing: Vec<ExistingFinding>,
    /// What the reader has to know to trust the numbers.
    pub notices: Vec<String>,
    /// The catalog of the server.
    pub catalog: Catalog,
    /// The limits of the run.
    pub limits: Limits,
    /// How many of the statements have a measured time, and with that, what
    /// [`StatementView::share`] is of.
    pub time_coverage: TimeCoverage,
    /// Each statement's calls and cost without new indexes.
    weights: Costs,
    /// The tests of one index each.
    trials: Trials,
    /// Combinations that were planned with.
    combinations: Combinations,
    /// What the statements are compared over, where this is a comparison.
    pub changed: Option<ChangedFrom>,
    /// How far the run has come.
    pub stage: Stage,
    /// The advice, for reports.
    pub advice: Option<Arc<Advice>>,
    /// The recording of the run, where one is kept.
    pub recording: Option<Arc<Recording>>,
}

impl SessionData {
    /// The number of statements of the workload, each counted once whatever values it was planned
    /// with.
    pub fn listed(&self) -> usize {
        let listed = self.statements.iter().filter(|view| view.is_listed());
        listed.count()
    }

    /// The session data of a run and its recording.
    pub fn new(subject: String, advice: Advice, recording: &Recording) -> SessionData {
        let mut session_data = SessionData {
            advice: Some(Arc::new(advice.clone())),
            subject,
            statements: statement_views(&advice.statements),
            existing: advice.existing,
            notices: advice.notices.iter().map(sentences::notice).collect(),
            limits: recording.limits.clone(),
            catalog: advice.catalog,
            ..SessionData::default()
        };
        session_data.weights = session_data.statements.iter().filter_map(weight).collect();
        session_data.time_coverage = shares::set_shares(&mut session_data.statements);
        for recommendation in advice.recommendations {
            session_data.indexes.push(IndexView {
                status: IndexStatus::Recommended {
                    id: recommendation.id,
                    explanation: sentences::explanation(&recommendation.explanation),
                },
                ddl: recommendation.creation.statements().cloned().collect(),
                evidence: Some(recommendation.evidence),
                size: Some(recommendation.size),
                build_time: recommendation.build_time,
                write_block: recommendation.write_block,
                benefits: recommendation.benefits,
                entries_written: entries_written(
                    &recommendation.index.definition,
                    &session_data.catalog,
                ),
                writers: session_data.writers(&recommendation.index.definition.table),
                named: recommendation.index,
                trial: None,
            });
        }
        for rejected in advice.rejected {
            session_data.indexes.push(IndexView {
                status: IndexStatus::Rejected {
                    reason: rejected.reason(),
                    detail: sentences::rejection(&rejected.rejection),
                },
                ddl: vec![rejected.ddl],
                evidence: rejected.evidence,
                size: rejected.size,
                build_time: rejected.build_time,
                write_block: None,
                benefits: rejected.benefits,
                entries_written: entries_written(&rejected.index.definition, &session_data.catalog),
                writers: session_data.writers(&rejected.index.definition.table),
                named: rejected.index,
                trial: None,
            });
        }
        session_data.add_trials(recording);
        session_data.sort_choices();
        session_data.count_findings();
        session_data
    }

    /// The catalog; none for saved plans.
    pub fn known_catalog(&self) -> Option<&Catalog> {
        Some(&self.catalog).filter(|catalog| !catalog.tables.is_empty())
    }

    /// Were the writes to the tables of the indexes counted?
    pub fn counts_writes(&self) -> bool {
        self.indexes
            .iter()
            .any(|index| index.entries_written.is_some())
    }

    fn count_findings(&mut self) {
        let catalog = Some(&self.catalog).filter(|catalog| !catalog.tables.is_empty());
        for statement in &mut self.statements {
            statement.finding_count = statement
                .before
                .as_ref()
                .map_or(0, |plan| findings(plan, catalog).len());
        }
    }

    /// The session data of saved plans: no index was tested.
    pub fn of_plans(
        subject: String,
        plans: Vec<(String, Result<ReadPlan, String>)>,
    ) -> SessionData {
        let view_of = |(name, read): (String, Result<ReadPlan, String>)| {
            let warnings = read.as_ref().map_or_else(
                |_| Vec::new(),
                |read| read.warnings.iter().map(ToString::to_string).collect(),
            );
            let of = read.as_ref().ok().and_then(|read| read.of.clone());
            let plan = read.map(|read| match &read.query {
                Some(query) => read.plan.with_query(query),
                None => read.plan,
            });
            let said = |what: &str| plan.as_ref().ok().and_then(|plan| plan.summary.get(what));
            let source = Statement {
                id: StatementId(name),
                sql: said("Query Text")
                    .and_then(|text| text.as_str())
                    .unwrap_or_default()
                    .to_owned(),
                written: None,
                calls: of.as_ref().map_or(1.0, |of| of.calls),
                mean_time_ms: match &of {
                    Some(of) => of.mean_time_ms,
                    None => said("Execution Time").and_then(serde_json::Value::as_f64),
                },
                place: String::new(),
                varying_literals: std::collections::BTreeSet::new(),
                observed: Vec::new(),
                fixed_literals: std::collections::BTreeSet::new(),
                value_class: None,
                calls_of_classes: 0.0,
                authors: std::collections::BTreeSet::new(),
                search_path: None,
                within_function: false,
                rows_per_call: None,
            };
            StatementView {
                before: plan.map(Arc::new),
                warnings,
                ..StatementView::unplanned(source)
            }
        };
        SessionData::of_statements(subject, plans.into_iter().map(view_of).collect())
    }

    /// The session data of statements for which no index was tested.
    fn of_statements(subject: String, mut statements: Vec<StatementView>) -> SessionData {
        let time_coverage = shares::set_shares(&mut statements);
        let weights = statements.iter().filter_map(weight).collect();
        let mut session_data = SessionData {
            subject,
            statements,
            weights,
            time_coverage,
            ..SessionData::default()
        };
        session_data.count_findings();
        session_data
    }

    /// The first test of each index alone gives its trial and plans to compare with.
    fn add_trials(&mut self, recording: &Recording) {
        for exchange in recording.trials() {
            let [built] = exchange.indexes.as_slice() else {
                continue;
            };
            let position = self
                .indexes
                .iter()
                .position(|known| known.named == *built && known.trial.is_none());
            if let Some(position) = position {
                self.add_trial(position, exchange.answer.clone(), &BTreeMap::new());
            }
        }
    }

    /// Adds the plans with an index alone, and the plans to compare them with if these are not the
    /// plans of the run.
    fn add_trial(
        &mut self,
        position: usize,
        answer: Answer,
        before: &BTreeMap<StatementId, PlanOutcome>,
    ) {
        let Answer::Planned(planned) = &answer else {
            return;
        };
        let Some(build) = planned.indexes.first().cloned() else {
            return;
        };
        let plan_of = |plans: &BTreeMap<StatementId, PlanOutcome>, id: &StatementId| {
            plans
                .get(id)
                .and_then(PlanOutcome::plan)
                .cloned()
                .map(Arc::new)
        };
        for statement in &mut self.statements {
            let id = &statement.source.id;
            let before = plan_of(before, id).or_else(|| statement.before.as_ref().ok().cloned());
            if let (Some(before), Some(plan)) = (before, plan_of(&planned.plans, id)) {
                let used = uses(&plan, &build);
                statement.choices.push(Choice {
                    index: Some(position),
                    before,
                    plan,
                    used,
                });
            }
        }
        let write_block = planned.write_block;
        let target = &mut self.indexes[position];
        target.trial = Some(TrialId(self.trials.len()));
        target.write_block = target.write_block.or(write_block);
        self.trials.push(Trial::from_answer(
            target.named.clone(),
            BTreeSet::new(),
            answer,
            &|_, _| None,
        ));
        if let Some(statements) = self
            .ddl_alone(position)
            .filter(|_| !self.indexes[position].is_recommended())
        {
            self.indexes[position].ddl = statements;
        }
    }

    /// The recommended set first, then indexes that are used, the cheapest first, then the others.
    fn sort_choices(&mut self) {
        for statement in &mut self.statements {
            statement.choices.sort_by(|a, b| {
                let first = |choice: &Choice| (choice.index.is_some(), !choice.used);
                first(a)
                    .cmp(&first(b))
                    .then(a.plan.total_cost().0.total_cmp(&b.plan.total_cost().0))
            });
        }
    }

    /// Adds an index that the user wrote and tested; returns its position.
    pub fn add_user_defined(&mut self, named: NamedIndex, compared: Comparison) -> usize {
        let build = compared.after.indexes.first();
        let position = self.indexes.len();
        self.indexes.push(IndexView {
            ddl: Vec::new(),
            status: IndexStatus::UserDefined,
            evidence: build.map(TestedIndex::evidence),
            size: build.map(|build| build.size),
            build_time: build.and_then(|build| build.build_time),
            write_block: compared.after.write_block,
            benefits: build.map_or_else(Vec::new, |build| self.benefits(build, &compared)),
            entries_written: entries_written(&named.definition, &self.catalog),
            writers: self.writers(&named.definition.table),
            named,
            trial: None,
        });
        self.add_combination([position].into(), std::slice::from_ref(&compared));
        self.add_trial(position, Answer::Planned(compared.after), &compared.before);
        self.sort_choices();
        position
    }

    fn benefits(&self, build: &TestedIndex, compared: &Comparison) -> Vec<Benefit> {
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
        self.statements
            .iter()
            .position(|statement| statement.source.id == *id)
    }
}

fn statement_views(advices: &[StatementAdvice]) -> Vec<StatementView> {
    let view_of = |advice: &StatementAdvice| {
        let before = match &advice.before {
            Some(plan) => Ok(Arc::new(plan.clone())),
            None => Err(sentences::error(advice).unwrap_or_else(|| "nothing to plan".to_owned())),
        };
        let after = advice.after.clone().map(Arc::new);
        let verified = after
            .iter()
            .zip(&before)
            .filter(|_| !advice.recommendations.is_empty());
        let all_recommended = |(plan, before): (&Arc<Plan>, &Arc<Plan>)| Choice {
            index: None,
            before: before.clone(),
            plan: plan.clone(),
            used: true,
        };
        StatementView {
            choices: verified.map(all_recommended).collect(),
            search_text: search_text(&advice.statement),
            source: advice.statement.clone(),
            helped_by: advice.recommendations.clone(),
            no_index: advice.no_index.as_ref().map(sentences::no_index),
            not_executed: advice.not_executed.as_ref().map(sentences::not_executed),
            share: None,
            finding_count: 0,
            before,
            warnings: Vec::new(),
            after,
            is_edited: false,
        }
    };
    advices.iter().map(view_of).collect()
}

fn search_text(statement: &Statement) -> String {
    format!("{} {}", statement.id, statement.sql).to_lowercase()
}

fn weight(statement: &StatementView) -> Option<(StatementId, Weighted)> {
    if statement.is_edited {
        return None;
    }
    Some((
        statement.source.id.clone(),
        Weighted {
            calls: statement.source.calls,
            cost: statement.cost()?,
            unpriced: crate::search::Unpriced::default(),
        },
    ))
}
