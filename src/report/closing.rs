//! What the run did to the server, in a few sentences.

use super::run_measurements::RunMeasurements;
use super::words::count;
use crate::advise::Advice;
use crate::planner::counted::Tally;
use crate::sentences;

/// What was asked and built, what is left of it, and how long it took.
pub(super) fn closing(advice: &Advice, measured: &RunMeasurements) -> String {
    let parts = [
        twin_sentence(advice),
        Some(built_sentence(advice, measured.left_behind)),
        Some(sentences::checked_tables(&advice.checked)),
        measured.total.map(|total| format!("The run took {total}.")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn twin_sentence(advice: &Advice) -> Option<String> {
    let sets = advice.rehearsal.tally.twin_questions;
    (sets > 0).then(|| {
        format!(
            "The planner twin planned with {}.",
            count(sets, "set of indexes", "sets of indexes")
        )
    })
}

/// What was built, and what is left of it; a replay has no catalog to check.
fn built_sentence(advice: &Advice, left_behind: Option<usize>) -> String {
    let tally = &advice.rehearsal.tally;
    let silent = advice.rehearsal.server_silent;
    let unseen = silent.filter(|silence| !silence.rollback_seen).map(
        |_| "A transaction was open when the server stopped answering, and its end was not seen.",
    );
    if tally.transactions == 0 {
        return unseen.unwrap_or("Nothing was built.").to_owned();
    }
    let unseen = unseen.map_or_else(String::new, |unseen| format!(" {unseen}"));
    let left = left_behind.map_or_else(String::new, |left| format!("; {left} left behind"));
    let built = match tally.indexes_built {
        0 => "No index was built;".to_owned(),
        built => format!("{} built in", count(built, "index", "indexes")),
    };
    let locked = locked_sentence(tally);
    let waits = match locked.is_empty() && tally.indexes_built == 0 {
        true => String::new(),
        false => waits_sentence(tally),
    };
    format!(
        "{built} {}{}, all rolled back{left}.{locked}{waits}{unseen}",
        count(tally.transactions, "transaction", "transactions"),
        built_again(tally),
    )
}

/// Why indexes were built more than once.
fn built_again(tally: &Tally) -> String {
    let times = |number: usize, why: &str| {
        (number > 0).then(|| format!("{} again to {why}", count(number, "build", "builds")))
    };
    let reasons = [
        times(tally.built_again_to_plan, "plan with another set"),
        times(tally.built_again_to_execute, "execute statements"),
    ];
    let reasons: Vec<String> = reasons.into_iter().flatten().collect();
    if reasons.is_empty() {
        String::new()
    } else {
        format!(" ({})", reasons.join(", "))
    }
}

fn locked_sentence(tally: &Tally) -> String {
    let locked = tally.longest_write_block.zip(tally.total_write_block);
    let sentence = locked.map(|(longest, total)| {
        format!(" Tables were locked for writes at most {longest} at a time, {total} in total.")
    });
    sentence.unwrap_or_default()
}

/// How long others really waited, where that is known.
fn waits_sentence(tally: &Tally) -> String {
    match tally.longest_wait.zip(tally.total_wait) {
        None => String::new(),
        Some((_, total)) if total.0 <= 0.0 => " Nobody was seen waiting for that.".to_owned(),
        Some((longest, total)) => {
            format!(
                " Other sessions waited for that at most {longest} at a time, {total} in total."
            )
        }
    }
}
