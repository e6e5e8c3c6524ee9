//! What the worker says: progress, what a run knows so far, responses. What comes after a request was
//! stopped is ignored.

use std::collections::BTreeSet;

use super::lost_work::would_be_lost;
use super::refresh::{change_data, replace_data, session_data};
use super::tried;
use crate::model::{Millis, printable};
use crate::planner::{Comparison, LockHolders, Refusal, RefusalCause, Rollback};
use crate::tui::cells::count;
use crate::tui::model::{
    Connection, Effect, Job, Message, Model, Pane, Progress, Purpose, Question, Request, Response,
};
use crate::tui::session_data::SessionData;

/// Shows the question of the running request.
pub(super) fn asked(model: &mut Model, number: u64, text: String) {
    if is_main(model, number) {
        model.question = Some(Question {
            title: "Build on the server?",
            text,
            purpose: Purpose::Build,
        });
    }
}

fn is_main(model: &Model, number: u64) -> bool {
    let main = model.jobs.main.as_ref();
    main.is_some_and(|job| job.number == number)
}

/// Updates the progress of the running request.
pub(super) fn progress(model: &mut Model, number: u64, progress: Progress) {
    let now = model.jobs.now;
    let Some(job) = model.jobs.main.as_mut().filter(|job| job.number == number) else {
        return;
    };
    if job.progress.what != progress.what {
        job.phase_began = now;
    }
    job.progress = progress.clone();
    if let Pane::Loading(shown) = &mut model.data {
        *shown = progress;
    }
}

/// Shows what a run knows so far.
pub(super) fn known(model: &mut Model, number: u64, session_data: SessionData) {
    if is_main(model, number) {
        replace_data(model, session_data);
    }
}

/// The connection was lost while nothing was asked.
pub(super) fn lost(model: &mut Model, why: &str) {
    model.jobs.connection = Connection::Lost(printable(why).into_owned());
}

/// Handles the response to a request.
pub(super) fn responded(model: &mut Model, number: u64, response: Response) -> Vec<Effect> {
    let job = if is_main(model, number) {
        model.jobs.main.take()
    } else {
        let mut short = model.jobs.short.iter();
        let place = short.position(|job| job.number == number);
        place.map(|place| model.jobs.short.remove(place))
    };
    let Some(job) = job else {
        if let Response::Cancelled(rollback) = response {
            stopped(model, rollback);
        }
        return Vec::new();
    };
    if !matches!(response, Response::Failed(_) | Response::Cancelled(_)) {
        model.jobs.connection = Connection::Live;
    }
    let effects = handle(model, job, response);
    settle_question(model);
    effects
}

/// A question about work that has ended meanwhile is no question any more.
fn settle_question(model: &mut Model) {
    let Some(question) = &mut model.question else {
        return;
    };
    let is_over = match question.purpose {
        Purpose::Build | Purpose::Stop => model.jobs.main.is_none(),
        Purpose::Quit => false,
    };
    if question.purpose == Purpose::Quit {
        match would_be_lost(model) {
            Some(text) => {
                if let Some(question) = &mut model.question {
                    question.text = text;
                }
            }
            None => model.question = None,
        }
    } else if is_over {
        model.question = None;
    }
}

fn handle(model: &mut Model, job: Job, response: Response) -> Vec<Effect> {
    match response {
        Response::Advised(session_data) => advised(model, *session_data),
        Response::Verified(indexes, Ok(compared)) => verified(model, indexes, &compared),
        Response::Verified(_, Err(refusal)) => {
            model.message = Message::error(not_built(&job.request, &refusal));
        }
        Response::Tried(index, compared) => {
            return tried::index_tried(model, job.number, *index, compared);
        }
        Response::Predicted(indexes, compared) => tried::predicted(model, indexes, compared),
        Response::Planned(statement, outcome) => {
            return tried::statement_planned(model, *statement, &outcome);
        }
        Response::Connected => model.message = Message::success("Connected again"),
        Response::Cancelled(rollback) => {
            if !job.request.is_short() {
                model.jobs.failed = Some(job.request);
            }
            stopped(model, rollback);
        }
        Response::Failed(why) => failed(model, job, &why),
    }
    Vec::new()
}

/// Why indexes were not built; a lock that was not free is of these tables.
fn not_built(request: &Request, refusal: &Refusal) -> String {
    let (RefusalCause::LockTimeout(limit), Request::Verify { groups, .. }) =
        (&refusal.cause, request)
    else {
        return match &refusal.locked_by {
            Some(by) => format!("{}: {}", tried::refusal_text(refusal), holders(by)),
            None => tried::refusal_text(refusal),
        };
    };
    if let Some(by) = &refusal.locked_by {
        let (table, limit) = (in_public(&by.table.to_string()), seconds(*limit));
        let text = format!("Could not lock {table} within {limit}: {}", holders(by));
        return printable(&text).into_owned();
    }
    let indexes = groups.iter().flat_map(|group| &group.indexes);
    let tables: BTreeSet<String> = indexes
        .map(|index| index.definition.table.to_string())
        .collect();
    let tables: Vec<String> = tables.iter().map(|table| in_public(table)).collect();
    // One that is locked is enough, and the server does not say which one.
    let which = if tables.len() > 1 { "one of " } else { "" };
    let limit = seconds(*limit);
    let tables = tables.join(", ");
    let text = format!("Could not lock {which}{tables} within {limit}: another session has it");
    printable(&text).into_owned()
}

/// Without the schema that most tables are in.
fn in_public(table: &str) -> String {
    table.strip_prefix("public.").unwrap_or(table).to_owned()
}

/// `1 s`, where it is a whole number of them.
fn seconds(limit: Millis) -> String {
    match limit.0 {
        whole if whole >= 1_000.0 && whole % 1_000.0 == 0.0 => format!("{} s", whole / 1_000.0),
        _ => limit.to_string(),
    }
}

/// `process 4711 has it`.
fn holders(by: &LockHolders) -> String {
    let pids: Vec<String> = by.pids.iter().map(ToString::to_string).collect();
    match pids.len() {
        1 => format!("process {} has it", pids.join(", ")),
        _ => format!("processes {} have it", pids.join(", ")),
    }
}

fn stopped(model: &mut Model, rollback: Rollback) {
    if matches!(model.data, Pane::Loading(_)) {
        model.data = Pane::Cancelled;
    }
    model.message = match rollback {
        Rollback::Confirmed => Message::info("Stopped; r goes on"),
        Rollback::Unconfirmed => Message::error(format!("Stopped; {rollback}")),
    };
}

fn failed(model: &mut Model, job: Job, why: &str) {
    let why = printable(why).into_owned();
    if job.request == Request::Advise && !matches!(model.data, Pane::Has(_)) {
        model.data = Pane::Failed(why.clone());
    }
    if matches!(job.request, Request::TryIndex { .. }) {
        tried::not_tried(model, job.number, why.clone());
    }
    if !matches!(job.request, Request::Predict { .. } | Request::Connect) {
        model.jobs.failed = Some(job.request);
    }
    model.jobs.connection = Connection::Lost(why);
}

fn advised(model: &mut Model, session_data: SessionData) {
    let is_first = !matches!(model.data, Pane::Has(_));
    replace_data(model, session_data);
    if is_first {
        return;
    }
    let Some(session_data) = self::session_data(model) else {
        return;
    };
    let recommended = session_data.recommended().len();
    model.message = Message::success(match recommended {
        0 => "The search has ended: no index is recommended".to_owned(),
        _ => format!(
            "The search has ended: {} recommended",
            count(recommended, "index is", "indexes are")
        ),
    });
}

/// Stores the verified plans.
fn verified(model: &mut Model, indexes: BTreeSet<usize>, compared: &[Comparison]) {
    let Some(known) = session_data(model) else {
        return;
    };
    let mut session_data = (*known).clone();
    session_data.add_combination(indexes, compared);
    change_data(model, session_data);
    model.message = Message::success("Built together, planned and rolled back");
}
