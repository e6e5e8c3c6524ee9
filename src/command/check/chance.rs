//! Which plans depend on the rows that ANALYZE happens to look at?

use std::collections::{BTreeMap, BTreeSet};

use super::advice;
use super::subject::{Plans, Subject, plan_of, plans};
use crate::check::comparison::{Assumed, Assumption, CheckedStatement, StatementChange};
use crate::check::outcome::CheckOutcome;
use crate::check::shape::{Renamed, serial_shape};
use crate::command::CommandError;
use crate::command::planners::TwinMaker;
use crate::db::Twin;
use crate::model::{QualifiedName, quote_identifier};
use crate::plan::Plan;
use crate::planner::{Answer, Event, PlanOutcome, Planner, Question, Target};
use crate::sql::{literals, literals_equal_to};
use crate::terminal::Progress;
use crate::twin::Snapshot;
use crate::twin::redraw::{Compared, Drawing, StatisticKey, Targets, default_target, redrawn};
use crate::twin::snapshot::{ColumnName, Statistic};
use crate::workload::{Statement, StatementId, Workload};

/// The same draws each time.
const SEED: u64 = 20_240_229;

/// The largest statistics target (`MAX_STATISTICS_TARGET`, src/include/statistics/statistics.h).
const LARGEST_TARGET: u32 = 10_000;

/// Larger statistics targets are these times the one that the column has.
const TIMES: [u32; 2] = [10, 100];

/// For so many statements an index is looked for, where no statistics target helps.
const MAX_ADVISED: usize = 20;

/// What another ANALYZE may find.
type Drawn = BTreeMap<StatisticKey, Statistic>;

/// For each statement the other plans that it gets, by draw.
type Flips = BTreeMap<StatementId, BTreeMap<usize, PlanOutcome>>;

/// Plans the statements with many draws of the statistics.
pub(super) fn analyze_risk(
    subject: &Subject,
    draws: usize,
    twin_maker: &TwinMaker,
    progress: &Progress,
) -> Result<CheckOutcome, CommandError> {
    progress.observe(Event::Begin {
        what: "drawing statistics anew",
        steps: 3,
    });
    progress.observe(Event::Step("planner twin"));
    let statements = subject.workload.statements();
    let mut twin = twin_maker.make(&subject.snapshot)?;
    let now = plans(&mut twin, Target::Twin, statements)?;
    progress.observe(Event::Step("plans with other statistics"));
    let names = subject.snapshot.columns();
    let drawing = Drawing {
        draws,
        seed: SEED,
        targets: Targets::new(),
        compared: compared(statements, &names),
    };
    let drawn = redrawn(&subject.snapshot, &drawing);
    let mut risk = Risk {
        twin,
        own: own(&subject.snapshot),
        names,
        now,
    };
    let renamed = Renamed::new();
    let one = |statement: &Statement| {
        let plan = plan_of(&risk.now, &statement.id);
        CheckedStatement::new(statement.clone(), plan.clone(), plan, &renamed)
    };
    let mut checked: Vec<CheckedStatement> = statements.iter().map(one).collect();
    let flips = risk.flips(statements, &drawn)?;
    progress.observe(Event::Step("columns and remedies"));
    risk.explain(&mut checked, &flips, &drawn, subject, &drawing)?;
    progress.observe(Event::End);
    Ok(subject.assuming("after another ANALYZE", checked))
}

/// The values that statements compare columns of these names with.
fn compared(statements: &[Statement], names: &BTreeMap<(u32, i16), ColumnName>) -> Compared {
    let mut compared = Compared::new();
    for statement in statements {
        let sql = &statement.sql;
        let Ok(values) = literals(sql) else { continue };
        let words = crate::sql::fingerprint::identifiers(sql);
        for (place, (_, column)) in names.iter().filter(|(_, (_, name))| words.contains(name)) {
            for number in literals_equal_to(sql, column) {
                let value = values.get(number).cloned();
                compared.entry(*place).or_default().extend(value);
            }
        }
    }
    for values in compared.values_mut() {
        values.sort_unstable();
        values.dedup();
    }
    compared
}

/// The statistics as they are.
fn own(snapshot: &Snapshot) -> Drawn {
    let statistics = snapshot.statistics.iter();
    statistics
        .map(|one| ((one.relation, one.attribute, one.inherited), one.clone()))
        .collect()
}

/// A twin whose statistics are exchanged.
struct Risk {
    twin: Twin,
    own: Drawn,
    names: BTreeMap<(u32, i16), ColumnName>,
    now: Plans,
}

impl Risk {
    /// The plans with these statistics in place of the twin's own.
    fn with(&mut self, statements: &[Statement], drawn: &Drawn) -> Result<Plans, CommandError> {
        self.under(drawn, |twin| plans(twin, Target::Twin, statements))
    }

    /// Asks the twin while it has these statistics.
    fn under<T>(
        &mut self,
        drawn: &Drawn,
        ask: impl FnOnce(&mut Twin) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let new: Vec<Statistic> = drawn.values().cloned().collect();
        self.twin.exchange_statistics(&new)?;
        let answer = ask(&mut self.twin)?;
        let old: Vec<Statistic> = drawn
            .keys()
            .filter_map(|key| self.own.get(key))
            .cloned()
            .collect();
        self.twin.exchange_statistics(&old)?;
        Ok(answer)
    }

    fn is_other(&self, id: &StatementId, plan: &PlanOutcome) -> bool {
        let shape = |plan: &Plan| serial_shape(plan);
        match (plan_of(&self.now, id).plan(), plan.plan()) {
            (Some(now), Some(other)) => shape(now) != shape(other),
            _ => false,
        }
    }

    /// Notes the other plans, the columns that make the difference, and what helps.
    fn explain(
        &mut self,
        checked: &mut [CheckedStatement],
        flips: &Flips,
        drawn: &[Drawn],
        subject: &Subject,
        drawing: &Drawing,
    ) -> Result<(), CommandError> {
        let mut of_columns: BTreeMap<Vec<StatisticKey>, Vec<usize>> = BTreeMap::new();
        for (number, checked) in checked.iter_mut().enumerate() {
            let own = flips.get(&checked.statement.id);
            let Some((own, (first, plan))) = own.and_then(|own| Some((own, own.iter().next()?)))
            else {
                continue;
            };
            checked.assumed.push(Assumed {
                assumption: Assumption::Redrawn {
                    times: own.len(),
                    draws: drawing.draws,
                },
                change: StatementChange::Flipped,
                after: plan.clone(),
            });
            let draw = drawn.get(*first).cloned().unwrap_or_default();
            let columns = self.responsible(&checked.statement, &draw)?;
            checked.responsible = self.names_of(&columns);
            of_columns.entry(columns).or_default().push(number);
        }
        for (columns, numbers) in of_columns {
            let all = numbers.iter().filter_map(|number| checked.get(*number));
            let of_group: Vec<Statement> = all.map(|one| one.statement.clone()).collect();
            let remedies = self.targets(&of_group, &columns, &subject.snapshot, drawing)?;
            for checked in checked.iter_mut() {
                let own = remedies.get(&checked.statement.id);
                checked.remedies.extend(own.into_iter().flatten().cloned());
            }
        }
        let without = |one: &&mut CheckedStatement| {
            one.remedies.is_empty() && flips.contains_key(&one.statement.id)
        };
        for checked in checked.iter_mut().filter(without).take(MAX_ADVISED) {
            let flips = flips.get(&checked.statement.id);
            let first = flips.and_then(|flips| flips.keys().next());
            let Some(draw) = first.and_then(|number| drawn.get(*number)) else {
                continue;
            };
            checked.remedies = self.index(&checked.statement, draw, drawn)?;
        }
        Ok(())
    }

    /// For each statement the draws with which it gets another plan.
    fn flips(&mut self, statements: &[Statement], drawn: &[Drawn]) -> Result<Flips, CommandError> {
        let mut flips = Flips::new();
        for (number, draw) in drawn
            .iter()
            .enumerate()
            .filter(|(_, draw)| !draw.is_empty())
        {
            for (id, plan) in self.with(statements, draw)? {
                if self.is_other(&id, &plan) {
                    flips.entry(id).or_default().insert(number, plan);
                }
            }
        }
        Ok(flips)
    }

    /// The columns of which one alone, drawn so, makes the difference.
    fn responsible(
        &mut self,
        statement: &Statement,
        draw: &Drawn,
    ) -> Result<Vec<StatisticKey>, CommandError> {
        let mut responsible = Vec::new();
        for (key, statistic) in draw {
            let alone = Drawn::from([(*key, statistic.clone())]);
            let planned = self.with(std::slice::from_ref(statement), &alone)?;
            if self.is_other(&statement.id, &plan_of(&planned, &statement.id)) {
                responsible.push(*key);
            }
        }
        Ok(responsible)
    }

    /// An index with which the statement has one plan in all draws, and today: one that helps with the
    /// statistics of a draw that makes another plan.
    fn index(
        &mut self,
        statement: &Statement,
        draw: &Drawn,
        drawn: &[Drawn],
    ) -> Result<Vec<String>, CommandError> {
        let workload = Workload::default().with(vec![statement.clone()]);
        let advice = self.under(draw, |twin| advice::advised(twin, &workload))?;
        for recommendation in &advice.recommendations {
            let index = std::slice::from_ref(&recommendation.index);
            let question = Question::plans(Target::Twin, std::slice::from_ref(statement));
            let question = question.with_indexes(index);
            let mut shapes = BTreeSet::new();
            for draw in std::iter::once(&Drawn::new()).chain(drawn) {
                let answer = self.under(draw, |twin| Ok(twin.ask(&question)?))?;
                let Answer::Planned(planned) = answer else {
                    shapes.clear();
                    break;
                };
                let plan = plan_of(&planned.plans, &statement.id);
                shapes.insert(plan.plan().map(serial_shape));
                if shapes.len() > 1 {
                    break;
                }
            }
            if shapes.len() == 1 {
                return Ok(recommendation.creation.statements().cloned().collect());
            }
        }
        Ok(Vec::new())
    }

    fn names_of(&self, columns: &[StatisticKey]) -> Vec<String> {
        let names = self.columns(columns);
        names
            .into_iter()
            .map(|(table, column)| format!("{table}.{column}"))
            .collect()
    }

    fn columns(&self, columns: &[StatisticKey]) -> BTreeSet<&ColumnName> {
        let name =
            |(relation, attribute, _): &StatisticKey| self.names.get(&(*relation, *attribute));
        columns.iter().filter_map(name).collect()
    }

    /// For each statement the smallest of some larger statistics targets of these columns with which the
    /// plan is the same in all draws.
    fn targets(
        &mut self,
        statements: &[Statement],
        columns: &[StatisticKey],
        snapshot: &Snapshot,
        drawing: &Drawing,
    ) -> Result<BTreeMap<StatementId, Vec<String>>, CommandError> {
        let mut remedies = BTreeMap::new();
        let mut left = statements.to_vec();
        for times in TIMES {
            if columns.is_empty() || left.is_empty() {
                break;
            }
            let target = (default_target(snapshot) * times).min(LARGEST_TARGET);
            let places = columns
                .iter()
                .map(|(relation, attribute, _)| (*relation, *attribute));
            let drawing = Drawing {
                targets: places.map(|place| (place, target)).collect(),
                ..drawing.clone()
            };
            let drawn = redrawn(snapshot, &drawing);
            let flips = self.flips(&left, &drawn)?;
            let names = self.columns(columns);
            let sql: Vec<String> = names
                .into_iter()
                .flat_map(|(table, column)| remedy(table, column, target))
                .collect();
            let helped = left.iter().filter(|one| !flips.contains_key(&one.id));
            remedies.extend(helped.map(|one| (one.id.clone(), sql.clone())));
            left.retain(|one| flips.contains_key(&one.id));
        }
        Ok(remedies)
    }
}

fn remedy(table: &QualifiedName, column: &str, target: u32) -> Vec<String> {
    let column = quote_identifier(column);
    vec![
        format!("ALTER TABLE {table} ALTER COLUMN {column} SET STATISTICS {target};"),
        format!("ANALYZE {table} ({column});"),
    ]
}
