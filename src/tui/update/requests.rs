//! Requests to the worker: sending, stopping, suspending. One search or verification goes on at a
//! time; short requests are answered meanwhile.

use crate::tui::cells::count;
use crate::tui::model::{Effect, Job, Message, Model, Pane, Progress, Request};

/// Sends a request to the worker.
pub(super) fn send(model: &mut Model, request: Request) -> Vec<Effect> {
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
