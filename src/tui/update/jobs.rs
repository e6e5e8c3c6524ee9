//! Requests to the worker and their responses. One search or verification goes on at a time; short
//! requests are answered meanwhile. What comes after a request was stopped is ignored.

use std::collections::BTreeSet;

use super::refresh::{change_data, replace_data, session_data};
use super::{actions, tried};
use crate::model::printable;
use crate::planner::{Comparison, Rollback};
use crate::tui::cells::count;
use crate::tui::model::{
    Connection, Effect, Job, Message, Model, Pane, Progress, Purpose, Question, Request, Response,
};
use crate::tui::session_data::SessionData;

/// Sends a request to the worker.
pub fn send(model: &mut Model, request: Request) -> Vec<Effect> {
    let number = model.jobs.last_number + 1;
    let progress = Progress {
        what: waiting_for(&request),
        ..Progress::default()
    };
    if request == Request::Advise && !matches!(model.data, Pane::Has(_)) {
        model.data = Pane::Loading(progress.clone());
    }
    model.jobs.last_number = number;
    let job = Job {
        number,
        began: model.jobs.now,
        phase_began: model.jobs.now,
        request: request.clone(),
        progress,
    };
    if request.is_short() {
        model.jobs.short.push(job);
    } else {
        model.jobs.failed = None;
        model.jobs.main = Some(job);
    }
    vec![Effect::Send(number, request)]
}

fn waiting_for(request: &Request) -> String {
    match request {
        Request::Advise => "waiting for the server".to_owned(),
        Request::Verify { indexes, .. } => format!(
            "building {} on the server, together",
            count(indexes.len(), "index", "indexes")
        ),
        Request::Predict { .. } => "planning with the selected indexes".to_owned(),
        Request::TryIndex { index, .. } => format!("testing {}", index.name),
        Request::Plan(statement) => format!("planning {}", statement.id),
        Request::Connect => "connecting".to_owned(),
    }
}

/// Stops the search, or the verification. What is known stays.
pub(super) fn stop(model: &mut Model) -> Vec<Effect> {
    let Some(job) = model.jobs.main.take() else {
        model.message = Message::info("Nothing is running");
        return Vec::new();
    };
    model.question = None;
    if matches!(model.data, Pane::Loading(_)) {
        model.data = Pane::Cancelled;
    }
    model.message = Message::info("Stopping; what is open on the server is rolled back …");
    model.jobs.failed = Some(job.request);
    vec![Effect::Cancel(job.number)]
}

/// Suspends to the shell: what runs is stopped and rolled back first, because nothing may stay open
/// on the server while the program stands still.
pub(super) fn suspend(model: &mut Model) -> Vec<Effect> {
    let mut effects = Vec::new();
    if let Some(job) = model.jobs.main.take() {
        model.jobs.suspended = Some(job.request);
        model.question = None;
        effects.push(Effect::Cancel(job.number));
    }
    effects.push(Effect::Suspend);
    effects
}

/// The program goes on: so does a search; nothing is built without being asked for again.
pub(super) fn resumed(model: &mut Model) -> Vec<Effect> {
    match model.jobs.suspended.take() {
        Some(Request::Advise) => send(model, Request::Advise),
        Some(request) => {
            model.jobs.failed = Some(request);
            model.message = Message::info("The build was rolled back before; r builds again");
            Vec::new()
        }
        None => Vec::new(),
    }
}

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
        match actions::would_be_lost(model) {
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
            model.message = Message::error(tried::refusal_text(&refusal));
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
