//! Why a candidate is not recommended.

use super::refusal;
use crate::advise::Benefit;
use crate::advise::rejection::{OtherIndex, Rejection};
use crate::model::{Cost, QualifiedName};
use crate::verdict::Reason;
use crate::workload::StatementId;

/// From this factor on, another index serves a statement clearly better.
const CLEARLY_BETTER: f64 = 1.05;

/// Why a candidate is not recommended, in a sentence.
pub fn rejection(rejection: &Rejection) -> String {
    match rejection {
        Rejection::Refused(cause) => refusal(cause),
        Rejection::NotUsed => "no plan used it".to_owned(),
        Rejection::NotUsableNow => {
            "rows were updated in place while another session holds an older snapshot, so the planner may not use a new index yet".to_owned()
        }
        Rejection::NotUsedBesideOthers => {
            "no plan used it beside the other recommended indexes".to_owned()
        }
        Rejection::GainTooSmallBesideOthers => {
            "it gains too little beside the other recommended indexes".to_owned()
        }
        Rejection::Slower {
            statement,
            before,
            after,
        } => format!("{statement}, executed, took {before} without it and {after} with it"),
        Rejection::SlowerThan(slower) => slower.to_string(),
        Rejection::GainTooSmall {
            best,
            min_improvement,
        } => format!(
            "{}, {:.1} % lower; a gain is {:.0} % or more",
            gain(best),
            best.before.saved_share(best.after) * 100.0,
            min_improvement.0 * 100.0
        ),
        Rejection::WriteCostTooHigh {
            best,
            gained,
            write_cost,
            lost_hot_cost,
        } => write_cost_too_high(best, *gained, *write_cost, *lost_hot_cost),
        Rejection::OverLimit { best, reason } => over_limit(best, *reason),
        Rejection::Redundant { best, other } => {
            let other = other.as_ref().map(|other| other_index(best, other));
            format!("{}{}", gain(best), other.unwrap_or_default())
        }
        Rejection::OnlyAsWritten {
            statements,
            benefits,
            remedies,
        } => only_as_written(statements, benefits, remedies),
        Rejection::CoveredByExisting(index) => format!("{index} exists and does the same"),
        Rejection::Incomplete(index) => incomplete(index),
        Rejection::BeingBuilt(index) => being_built(index),
    }
}

fn incomplete(index: &QualifiedName) -> String {
    format!("{index} does the same once it is complete: it lacks parts, see the existing indexes")
}

fn being_built(index: &QualifiedName) -> String {
    format!(
        "{index} is being built now and does the same, or begins in the same way: advise again once it is valid"
    )
}

fn write_cost_too_high(
    best: &Benefit,
    gained: Cost,
    write_cost: Cost,
    lost_hot_cost: Cost,
) -> String {
    let hot = if lost_hot_cost.0 > 0.0 {
        format!(
            ", {lost_hot_cost} of it because updates that are HOT now would make entries in all indexes"
        )
    } else {
        String::new()
    };
    format!(
        "{}; all calls together gain {gained}, and writes would pay {write_cost} to keep it up to date{hot}",
        gain(best)
    )
}

fn over_limit(best: &Benefit, reason: Reason) -> String {
    let gain = gain(best);
    match reason {
        Reason::Negligible => format!(
            "{gain}; beside the recommended indexes it would save at most 0.1 % of the workload's cost (--max-indexes or --budget: as many as wanted)"
        ),
        _ => gain,
    }
}

/// `queue: 120 → 8.3`
fn gain(benefit: &Benefit) -> String {
    let Benefit {
        statement,
        before,
        after,
    } = benefit;
    format!("{statement}: {before} → {after}")
}

/// `only year uses it, which is better written another way (m1); for the statement as it is: …`
fn only_as_written(
    statements: &[StatementId],
    benefits: &[Benefit],
    remedies: &[String],
) -> String {
    let statements: Vec<&str> = statements.iter().map(|one| one.0.as_str()).collect();
    let gains: Vec<String> = benefits.iter().map(gain).collect();
    let uses = match statements.len() {
        1 => "uses it, which is",
        _ => "use it, which are",
    };
    let remedies = match remedies {
        [] => String::new(),
        some => format!(" ({})", some.join(" and ")),
    };
    let gains = match gains.as_slice() {
        [] => String::new(),
        some => format!("; as written now, {}", some.join(", ")),
    };
    format!(
        "only {} {uses} better written another way{remedies}; it is idle then{gains}",
        statements.join(" and "),
    )
}

/// What the recommended index does for the same statement.
fn other_index(rejected: &Benefit, other: &OtherIndex) -> String {
    let OtherIndex { id, size, after } = other;
    if rejected.after.factor_to(*after) >= CLEARLY_BETTER {
        format!("; {id} → {after}")
    } else if after.factor_to(rejected.after) >= CLEARLY_BETTER {
        format!("; beside {id} ({size}, {after}) that is too small a gain for one more index")
    } else {
        format!("; {id} does the same with {size} ({after})")
    }
}
