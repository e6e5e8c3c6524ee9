//! The result of a run in a sentence or two.

use std::fmt::Write as _;

use super::gains::{Basis, Gains};
use super::words::{count, no_index, percent};
use crate::advise::Advice;
use crate::model::{Bytes, factor_text, printable};

/// The result: what the indexes bring, and what is to be done elsewhere.
pub(super) fn headline(advice: &Advice, gains: &Gains<'_>) -> String {
    let elsewhere = elsewhere(advice);
    if advice.recommendations.is_empty() {
        return format!("{}{elsewhere}", no_index(advice));
    }
    let number = advice.recommendations.len();
    let indexes = count(number, "index", "indexes");
    let size: Bytes = advice.recommendations.iter().map(|index| index.size).sum();
    let (before, after) = gains.cost;
    let factor = factor_text(before.factor_to(after));
    let saved = percent(gains.saved);
    let (makes, saves) = match number {
        1 => ("makes", "saves"),
        _ => ("make", "save"),
    };
    let result = match gains.basis {
        Basis::Cost => {
            format!("{makes} the workload {factor} cheaper: {saved} of its cost is saved.")
        }
        Basis::Time => format!(
            "{saves} about {saved} of the workload's time, if it falls as the planner's cost does ({factor} lower)."
        ),
    };
    format!("{indexes} ({size}) {result}{elsewhere}")
}

/// A smaller gap would be printed as 0.0 %.
const LEAST_GAP_PERCENT: f64 = 0.05;

/// How far from the best set the recommended one can be, with a space before.
pub(super) fn optimality(advice: &Advice) -> String {
    advice.optimality.map_or_else(String::new, |optimality| {
        let candidates = count(optimality.candidates, "candidate", "candidates");
        let limits = if optimality.is_limited {
            " within the limits"
        } else {
            ""
        };
        let allow = if optimality.candidates == 1 {
            "allows"
        } else {
            "allow"
        };
        let gap = 100.0 * optimality.gap();
        if gap < LEAST_GAP_PERCENT {
            return format!(" That is the best that {candidates} {allow}{limits}.");
        }
        let plans = match optimality.distrusted {
            0 => String::new(),
            1 => ", with a cheaper plan of 1 statement that is not trusted: it reads an index in its order until a LIMIT is reached".to_owned(),
            more => format!(
                ", with cheaper plans of {more} statements that are not trusted: they read an index in its order until a LIMIT is reached"
            ),
        };
        format!(" That is at most {gap:.1} % above the best that {candidates} {allow}{limits}{plans}.")
    })
}

/// What is to be done elsewhere, with a space before.
fn elsewhere(advice: &Advice) -> String {
    let mut sentences = String::new();
    for server in &advice.foreign_servers {
        let (number, how) = match advice.followed(server) {
            Some(there) => (there.recommendations.len(), "recommended"),
            None => (server.to_try.len(), "to try, unproved"),
        };
        if number > 0 {
            let indexes = count(number, "index", "indexes");
            let _ = write!(
                sentences,
                " On {}: {indexes} {how}.",
                printable(&server.name)
            );
        }
    }
    sentences
}
