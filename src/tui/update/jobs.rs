//! Questions to the worker and their answers. The latest question wins: what comes back for an older one is not listened to.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{refresh, refresh_all, session_data};
use crate::index::NamedIndex;
use crate::model::printable;
use crate::planner::{Comparison, Refusal};
use crate::sentences;
use crate::tui::cells::count;
use crate::tui::keymap::Screen;
use crate::tui::model::{Ask, Effect, Job, Message, Model, Pane, Progress, Reply, Server};

/// Asks the worker; a question that is still open is given up.
pub fn ask(model: &mut Model, ask: Ask) -> Vec<Effect> {
    let mut effects = cancel(model).unwrap_or_default();
    let number = model.desk.last_job + 1;
    let progress = Progress {
        what: waiting_for(&ask),
        ..Progress::default()
    };
    if ask == Ask::Advise {
        model.data = Pane::Loading(progress.clone());
    }
    model.desk.last_job = number;
    model.desk.failed = None;
    model.desk.job = Some(Job {
        number,
        began: model.desk.now,
        ask: ask.clone(),
        progress,
    });
    model.message = None;
    effects.push(Effect::Ask(number, ask));
    effects
}

fn waiting_for(ask: &Ask) -> String {
    match ask {
        Ask::Advise => "asking the server".to_owned(),
        Ask::Prove { entries, .. } => format!(
            "building {} together",
            count(entries.len(), "index", "indexes")
        ),
        Ask::Rehearse { index, .. } => format!("rehearsing {}", index.name),
    }
}

/// Gives up what runs; none when nothing does.
pub(super) fn cancel(model: &mut Model) -> Option<Vec<Effect>> {
    let job = model.desk.job.take()?;
    if job.ask == Ask::Advise {
        model.data = Pane::Cancelled;
    }
    model.message = Message::info("cancelling on the server …");
    model.desk.failed = Some(job.ask);
    Some(vec![Effect::Cancel(job.number)])
}

/// The job goes on.
pub(super) fn progress(model: &mut Model, number: u64, progress: Progress) {
    let Some(job) = model.desk.job.as_mut().filter(|job| job.number == number) else {
        return;
    };
    job.progress = progress.clone();
    if let Pane::Loading(shown) = &mut model.data {
        *shown = progress;
    }
}

/// The job is done.
pub(super) fn answered(model: &mut Model, number: u64, reply: Reply) {
    if model
        .desk
        .job
        .as_ref()
        .is_none_or(|job| job.number != number)
    {
        if let (Reply::Cancelled(rollback), None) = (reply, &model.desk.job) {
            model.message = Message::info(format!("cancelled on the server; {rollback}"));
        }
        return;
    }
    let Some(job) = model.desk.job.take() else {
        return;
    };
    if !matches!(reply, Reply::Lost(_) | Reply::Cancelled(_)) {
        model.desk.server = Server::Live;
    }
    match reply {
        Reply::Advised(session_data) => {
            model.data = if session_data.cards.is_empty() {
                Pane::Empty("there is no statement in the workload".to_owned())
            } else {
                Pane::Has(Arc::new(*session_data))
            };
            refresh_all(model);
        }
        Reply::Proved(entries, Ok(compared)) => proved(model, entries, &compared),
        Reply::Proved(_, Err(refusal)) => refused(model, &refusal),
        Reply::Rehearsed(index, Ok(compared)) => rehearsed(model, index, *compared),
        Reply::Rehearsed(_, Err(refusal)) => refused(model, &refusal),
        Reply::Cancelled(rollback) => {
            model.message = Message::info(format!("interrupted; {rollback}"));
            model.desk.failed = Some(job.ask.clone());
            if job.ask == Ask::Advise {
                model.data = Pane::Cancelled;
            }
        }
        Reply::Lost(why) => {
            let why = printable(&why).into_owned();
            if job.ask == Ask::Advise {
                model.data = Pane::Failed(why.clone());
            }
            model.desk.failed = Some(job.ask);
            model.desk.server = Server::Lost(why);
        }
    }
}

fn refused(model: &mut Model, refusal: &Refusal) {
    model.message = Message::bad(format!(
        "{}: {}",
        refusal.reason().name(),
        printable(&sentences::refusal(&refusal.cause))
    ));
}

/// The total is known for certain now.
fn proved(model: &mut Model, entries: BTreeSet<usize>, compared: &[Comparison]) {
    let Some(known) = session_data(model) else {
        return;
    };
    let mut session_data = (*known).clone();
    session_data.add_proof(entries, compared);
    super::add_up(model, &session_data);
    model.data = Pane::Has(Arc::new(session_data));
    model.message = Message::good("built together, planned and rolled back");
}

/// The index joins the others, and what it does for the statement it helps most is shown.
fn rehearsed(model: &mut Model, index: NamedIndex, compared: Comparison) {
    let Some(known) = session_data(model) else {
        return;
    };
    let mut session_data = (*known).clone();
    let name = index.name.clone();
    let entry = session_data.add_by_hand(index, compared);
    let card = best_card(&session_data, entry).unwrap_or(0);
    let helps = session_data.entries[entry].benefits.len();
    let session_data = Arc::new(session_data);
    model.data = Pane::Has(session_data.clone());
    model.indexes.list_rows(&session_data);
    super::actions::show(model, Screen::Compare);
    model.compare.open_at(&session_data, card, entry);
    refresh(model);
    let found = if helps == 0 {
        "no statement gains enough by it".to_owned()
    } else {
        format!("it helps {}", count(helps, "statement", "statements"))
    };
    model.message = Message::good(format!("{name}: built, planned and rolled back; {found}"));
}

/// The statement that the index makes cheapest, or one that was planned with it.
fn best_card(session_data: &crate::tui::session_data::SessionData, entry: usize) -> Option<usize> {
    let cost_with = |card: &crate::tui::session_data::Card| {
        let choice = card
            .choices
            .iter()
            .find(|choice| choice.entry == Some(entry))?;
        Some((
            choice.used,
            choice
                .before
                .total_cost()
                .factor_to(choice.plan.total_cost()),
        ))
    };
    let known = session_data
        .cards
        .iter()
        .enumerate()
        .filter_map(|(position, card)| Some((position, cost_with(card)?)));
    known
        .max_by(|(_, a), (_, b)| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)))
        .map(|(position, _)| position)
}
