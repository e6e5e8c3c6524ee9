//! Indexes for the statements that a migration made worse, from the advice on the migrated twin.

use std::collections::BTreeSet;

use crate::advise::{Advice, advise};
use crate::catalog::Catalog;
use crate::check::comparison::CheckedStatement;
use crate::check::outcome::Fix;
use crate::command::CommandError;
use crate::db::Twin;
use crate::model::QualifiedName;
use crate::planner::{Answer, Planner, PlannerError, Preparation, Question, TwinState};
use crate::sql::leading_words;
use crate::verdict::{Limits, Rehearse};
use crate::workload::{Statement, Workload};

/// A statement is worth an index if it got dearer by so many per cent.
const MIN_REGRESSION_PERCENT: f64 = 10.0;

/// A twin that answers for the server, too: there is none after the migration.
struct OnlyTwin<'t>(&'t mut Twin);

impl Planner for OnlyTwin<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        self.0.ask(question)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        self.0.catalog(tables)
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        Ok(Preparation {
            state: TwinState::Ready,
            gaps: self.0.gaps(tables),
        })
    }
}

/// Indexes that help statements that got worse; what the workload writes counts against them.
pub(super) fn fixes(
    twin: &mut Twin,
    checked: &[CheckedStatement],
) -> Result<Vec<Fix>, CommandError> {
    let is_worse =
        |one: &&CheckedStatement| one.regression_after_percent() >= MIN_REGRESSION_PERCENT;
    let worse: Vec<&CheckedStatement> = checked.iter().filter(is_worse).collect();
    if worse.is_empty() {
        return Ok(Vec::new());
    }
    let writes = |statement: &Statement| {
        let words = leading_words(&statement.sql, 1);
        words.first().is_some_and(|word| word != "select")
    };
    let statements = checked
        .iter()
        .filter(|one| is_worse(one) || writes(&one.statement))
        .map(|one| one.statement.clone());
    let workload = Workload::default().with(statements.collect());
    let advice = advised(twin, &workload)?;
    let mut fixes = Vec::new();
    for recommendation in &advice.recommendations {
        let helped: Vec<_> = worse
            .iter()
            .filter_map(|one| {
                let id = &one.statement.id;
                let mut benefits = recommendation.benefits.iter();
                let benefit = benefits.find(|benefit| benefit.statement == *id)?;
                Some((id.clone(), benefit.after))
            })
            .collect();
        if !helped.is_empty() {
            fixes.push(Fix {
                id: format!("i{}", fixes.len() + 1),
                ddl: recommendation.creation.statements().cloned().collect(),
                table: recommendation.index.definition.table.clone(),
                size: recommendation.size,
                helped,
            });
        }
    }
    Ok(fixes)
}

/// The advice of a twin alone.
pub(super) fn advised(twin: &mut Twin, workload: &Workload) -> Result<Advice, CommandError> {
    let limits = Limits {
        rehearse: Rehearse::Twin,
        ..Limits::default()
    };
    Ok(advise(workload, &limits, &mut OnlyTwin(twin), &|_| {})?)
}
