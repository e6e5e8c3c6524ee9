//! Requests to the worker and their responses. The latest request wins: responses to older ones are
//! ignored.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::navigation::show;
use super::refresh::{refresh, refresh_all, refresh_totals, session_data};
use crate::index::NamedIndex;
use crate::model::printable;
use crate::planner::{Comparison, Refusal};
use crate::sentences;
use crate::tui::cells::count;
use crate::tui::keymap::Screen;
use crate::tui::model::{
    Connection, Effect, Job, Message, Model, Pane, Progress, Request, Response,
};

/// Sends a request to the worker; a running one is cancelled.
pub fn send(model: &mut Model, request: Request) -> Vec<Effect> {
    let mut effects = cancel(model).unwrap_or_default();
    let number = model.jobs.last_number + 1;
    let progress = Progress {
        what: waiting_for(&request),
        ..Progress::default()
    };
    if request == Request::Advise {
        model.data = Pane::Loading(progress.clone());
    }
    model.jobs.last_number = number;
    model.jobs.failed = None;
    model.jobs.current = Some(Job {
        number,
        began: model.jobs.now,
        request: request.clone(),
        progress,
    });
    model.message = None;
    effects.push(Effect::Send(number, request));
    effects
}

fn waiting_for(request: &Request) -> String {
    match request {
        Request::Advise => "waiting for the server".to_owned(),
        Request::Verify { indexes, .. } => format!(
            "building {} together",
            count(indexes.len(), "index", "indexes")
        ),
        Request::Rehearse { index, .. } => format!("testing {}", index.name),
    }
}

/// Cancels the running request; `None` if there is none.
pub(super) fn cancel(model: &mut Model) -> Option<Vec<Effect>> {
    let job = model.jobs.current.take()?;
    model.jobs.asked = None;
    if job.request == Request::Advise {
        model.data = Pane::Cancelled;
    }
    model.message = Message::info("cancelling on the server …");
    model.jobs.failed = Some(job.request);
    Some(vec![Effect::Cancel(job.number)])
}

/// Shows the question of the running request.
pub(super) fn asked(model: &mut Model, number: u64, question: String) {
    if is_running(model, number) {
        model.jobs.asked = Some(question);
    }
}

/// Answers the question of the running request.
pub(super) fn answer(model: &mut Model, is_yes: bool) -> Vec<Effect> {
    let asked = model.jobs.asked.take();
    asked.map(|_| Effect::Answer(is_yes)).into_iter().collect()
}

fn is_running(model: &Model, number: u64) -> bool {
    let current = model.jobs.current.as_ref();
    current.is_some_and(|job| job.number == number)
}

/// Updates the progress of the running request.
pub(super) fn progress(model: &mut Model, number: u64, progress: Progress) {
    let Some(job) = model
        .jobs
        .current
        .as_mut()
        .filter(|job| job.number == number)
    else {
        return;
    };
    job.progress = progress.clone();
    if let Pane::Loading(shown) = &mut model.data {
        *shown = progress;
    }
}

/// Handles the response to a request.
pub(super) fn responded(model: &mut Model, number: u64, response: Response) {
    if model
        .jobs
        .current
        .as_ref()
        .is_none_or(|job| job.number != number)
    {
        if let (Response::Cancelled(rollback), None) = (response, &model.jobs.current) {
            model.message = Message::info(format!("cancelled on the server; {rollback}"));
        }
        return;
    }
    let Some(job) = model.jobs.current.take() else {
        return;
    };
    model.jobs.asked = None;
    if !matches!(response, Response::Failed(_) | Response::Cancelled(_)) {
        model.jobs.connection = Connection::Live;
    }
    match response {
        Response::Advised(session_data) => {
            model.data = if session_data.statements.is_empty() {
                Pane::Empty("The workload contains no statements.".to_owned())
            } else {
                Pane::Has(Arc::new(*session_data))
            };
            refresh_all(model);
        }
        Response::Verified(indexes, Ok(compared)) => verified(model, indexes, &compared),
        Response::Verified(_, Err(refusal)) => refused(model, &refusal),
        Response::Rehearsed(index, Ok(compared)) => rehearsed(model, *index, *compared),
        Response::Rehearsed(_, Err(refusal)) => refused(model, &refusal),
        Response::Cancelled(rollback) => {
            model.message = Message::info(format!("interrupted; {rollback}"));
            model.jobs.failed = Some(job.request.clone());
            if job.request == Request::Advise {
                model.data = Pane::Cancelled;
            }
        }
        Response::Failed(why) => {
            let why = printable(&why).into_owned();
            if job.request == Request::Advise {
                model.data = Pane::Failed(why.clone());
            }
            model.jobs.failed = Some(job.request);
            model.jobs.connection = Connection::Lost(why);
        }
    }
}

fn refused(model: &mut Model, refusal: &Refusal) {
    model.message = Message::error(format!(
        "{}: {}",
        refusal.reason().name(),
        printable(&sentences::refusal(&refusal.cause))
    ));
}

/// Stores the verified total.
fn verified(model: &mut Model, indexes: BTreeSet<usize>, compared: &[Comparison]) {
    let Some(known) = session_data(model) else {
        return;
    };
    let mut session_data = (*known).clone();
    session_data.add_verification(indexes, compared);
    refresh_totals(model, &session_data);
    model.data = Pane::Has(Arc::new(session_data));
    model.message = Message::success("built together, planned and rolled back");
}

/// Adds the index to the others and shows the plans of the statement that it helps most.
fn rehearsed(model: &mut Model, index: NamedIndex, compared: Comparison) {
    let Some(known) = session_data(model) else {
        return;
    };
    let mut session_data = (*known).clone();
    let name = index.name.clone();
    let position = session_data.add_user_defined(index, compared);
    let statement = best_statement(&session_data, position).unwrap_or(0);
    let helps = session_data.helped(&session_data.indexes[position]);
    let session_data = Arc::new(session_data);
    model.data = Pane::Has(session_data.clone());
    model.indexes.rebuild_rows(&session_data);
    show(model, Screen::Compare);
    model.compare.open_at(&session_data, statement, position);
    refresh(model);
    let found = if helps == 0 {
        "no statement gains enough from it".to_owned()
    } else {
        format!("it helps {}", count(helps, "statement", "statements"))
    };
    model.message = Message::success(format!("{name}: built, planned and rolled back; {found}"));
}

/// The statement with the largest gain from the index, else one that was planned with it.
fn best_statement(
    session_data: &crate::tui::session_data::SessionData,
    index: usize,
) -> Option<usize> {
    let cost_with = |statement: &crate::tui::session_data::StatementView| {
        let choice = statement
            .choices
            .iter()
            .find(|choice| choice.index == Some(index))?;
        Some((
            choice.used,
            choice
                .before
                .total_cost()
                .factor_to(choice.plan.total_cost()),
        ))
    };
    let known = session_data
        .statements
        .iter()
        .enumerate()
        .filter_map(|(position, statement)| Some((position, cost_with(statement)?)));
    known
        .max_by(|(_, a), (_, b)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)))
        .map(|(position, _)| position)
}
