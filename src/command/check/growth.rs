//! At which size does a plan flip? The same statements on twins with more and more rows.

use super::subject::{Subject, plan_of, plans};
use crate::check::comparison::{Assumption, CheckedStatement};
use crate::check::growth::Factors;
use crate::check::outcome::CheckOutcome;
use crate::check::shape::Renamed;
use crate::command::CommandError;
use crate::command::planners::TwinMaker;
use crate::planner::{Event, Target};
use crate::terminal::Progress;
use crate::twin::growth::Growth;

/// Plans the statements at each of these sizes; a statement keeps the first at which its plan is another
/// one.
pub(super) fn grow(
    subject: &Subject,
    factors: Factors,
    twin_maker: &TwinMaker,
    progress: &Progress,
) -> Result<CheckOutcome, CommandError> {
    let factors = factors.steps();
    progress.observe(Event::Begin {
        what: "growing the data",
        steps: factors.len() + 1,
    });
    progress.observe(Event::Step("as it is"));
    let statements = subject.workload.statements();
    let mut twin = twin_maker.make(&subject.snapshot)?;
    let now = plans(&mut twin, Target::Twin, statements)?;
    drop(twin);
    let renamed = Renamed::new();
    let mut checked: Vec<CheckedStatement> = statements
        .iter()
        .map(|statement| {
            let plan = plan_of(&now, &statement.id);
            CheckedStatement::new(statement.clone(), plan.clone(), plan, &renamed)
        })
        .collect();
    let mut last = 1;
    for factor in factors {
        progress.observe(Event::Step(&format!("{factor} times the rows")));
        let mut growth = Growth::default();
        growth
            .add(&factor.to_string())
            .map_err(CommandError::Usage)?;
        let mut twin = twin_maker.make(&subject.snapshot.grown(&growth))?;
        let grown = plans(&mut twin, Target::Twin, statements)?;
        for one in checked.iter_mut().filter(|one| !one.may_flip()) {
            let plan = plan_of(&grown, &one.statement.id);
            one.assume_growth(Assumption::Grown { last, factor }, plan);
        }
        last = factor;
    }
    progress.observe(Event::End);
    Ok(subject.assuming(&format!("with up to {last} times the rows"), checked))
}
