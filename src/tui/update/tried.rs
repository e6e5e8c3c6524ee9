//! What the worker answers to short requests: an own index, a combination of indexes, an edited
//! statement.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::navigation::show;
use super::refresh::{change_data, current_statement, refresh, session_data};
use super::{prompts, selecting};
use crate::index::NamedIndex;
use crate::model::printable;
use crate::planner::{Comparison, PlanOutcome, Refusal, RefusalCause};
use crate::sentences;
use crate::tui::cells::count;
use crate::tui::keymap::Screen;
use crate::tui::model::{Effect, Message, Model, Overlay, Pane};
use crate::tui::session_data::{OwnIndex, SessionData};
use crate::workload::Statement;

/// Why something could not be tested or built, in a sentence.
pub(super) fn refusal_text(refusal: &Refusal) -> String {
    printable(&sentences::refusal(&refusal.cause)).into_owned()
}

/// An index of the user was tested, or not.
pub(super) fn index_tried(
    model: &mut Model,
    number: u64,
    index: NamedIndex,
    compared: Result<Box<Comparison>, Refusal>,
) -> Vec<Effect> {
    match compared {
        Ok(compared) => {
            close_prompt(model, number);
            own_index(model, index, *compared)
        }
        Err(refusal) if refusal.cause == RefusalCause::NoTwin => {
            close_prompt(model, number);
            model.jobs.has_no_twin = true;
            untested_index(model, index)
        }
        Err(refusal) => {
            not_tried(model, number, refusal_text(&refusal));
            Vec::new()
        }
    }
}

/// Says why; the text that was typed stays, if it is still there.
pub(super) fn not_tried(model: &mut Model, number: u64, why: String) {
    if waits_for(model, number) {
        prompts::reject(model, why);
    } else {
        model.message = Message::error(why);
    }
}

fn waits_for(model: &Model, number: u64) -> bool {
    matches!(&model.navigation.overlay, Overlay::Prompt(prompt) if prompt.waits_for == Some(number))
}

fn close_prompt(model: &mut Model, number: u64) {
    if waits_for(model, number) {
        model.navigation.overlay = Overlay::Nothing;
    }
}

/// Adds the index to the others, switches it on where it helps, and shows the plans of the statement
/// that it helps most.
fn own_index(model: &mut Model, index: NamedIndex, compared: Comparison) -> Vec<Effect> {
    let Some(known) = session_data(model) else {
        return Vec::new();
    };
    let mut session_data = (*known).clone();
    let name = printable(&index.name).into_owned();
    model.own.indexes.push(OwnIndex {
        named: index.clone(),
        compared: compared.clone(),
    });
    model.own.is_unsaved = true;
    let position = session_data.add_user_defined(index, compared);
    let helps = session_data.helped(&session_data.indexes[position]);
    model.data = Pane::Has(Arc::new(session_data.clone()));
    let mut on = model.selection.indexes().clone();
    if helps > 0 {
        on.insert(position);
    }
    let mut effects = selecting::select(model, on);
    effects.extend(show_index(model, &session_data, position));
    model.message = match helps {
        0 => Message::info(format!("{name}: no statement gains enough from it")),
        _ => Message::success(format!(
            "{name}, alone, helps {}; it is on now (u undoes)",
            count(helps, "statement", "statements")
        )),
    };
    effects
}

/// Shows the plans of the current statement if it uses an index, else of the one that it helps most.
pub(super) fn show_index(
    model: &mut Model,
    session_data: &SessionData,
    position: usize,
) -> Vec<Effect> {
    let current = current_statement(model).filter(|current| {
        let known = session_data.statements.get(*current);
        let mut choices = known.iter().flat_map(|known| &known.choices);
        choices.any(|choice| choice.index == Some(position) && choice.used)
    });
    let statement = current.or_else(|| best_statement(session_data, position));
    let statement = statement.unwrap_or(0);
    let effects = show(model, Screen::Compare);
    let selected = model.selection.indexes().clone();
    model
        .compare
        .open_at(session_data, (statement, position), &selected);
    refresh(model);
    effects
}

/// Without a twin an index is only tested when it is built on the server.
fn untested_index(model: &mut Model, index: NamedIndex) -> Vec<Effect> {
    let Some(known) = session_data(model) else {
        return Vec::new();
    };
    let mut session_data = (*known).clone();
    let name = printable(&index.name).into_owned();
    let position = session_data.add_untested(index);
    change_data(model, session_data);
    let mut on = model.selection.indexes().clone();
    on.insert(position);
    let effects = selecting::select(model, on);
    let _ = show(model, Screen::Indexes);
    model.message = Message::info(format!(
        "There is no planner twin: R builds {name} on the server, and rolls back"
    ));
    effects
}

/// The twin has planned with a combination, or not.
pub(super) fn predicted(
    model: &mut Model,
    indexes: BTreeSet<usize>,
    compared: Option<Result<Box<Comparison>, Refusal>>,
) {
    match compared {
        Some(Ok(compared)) => {
            let Some(known) = session_data(model) else {
                return;
            };
            let mut session_data = (*known).clone();
            session_data.add_combination(indexes, std::slice::from_ref(&compared));
            change_data(model, session_data);
        }
        Some(Err(refusal)) if refusal.cause == RefusalCause::NoTwin => {
            model.jobs.has_no_twin = true;
        }
        // What each index does alone is known all the same.
        Some(Err(_)) | None => {}
    }
}

/// A statement that was edited has a plan, or none: it is shown beside the one that it was made
/// from.
pub(super) fn statement_planned(
    model: &mut Model,
    statement: Statement,
    outcome: &PlanOutcome,
) -> Vec<Effect> {
    let Some(known) = session_data(model) else {
        return Vec::new();
    };
    let mut session_data = (*known).clone();
    let id = statement.id.0.clone();
    let original = id.trim_end_matches(" (edited)").to_owned();
    let position = session_data.add_statement(statement, outcome);
    let view = session_data.statements[position].clone();
    model.own.statements.retain(|own| own.source.id.0 != id);
    model.own.statements.push(view.clone());
    model.own.is_unsaved = true;
    let mut statements = session_data.statements.iter();
    let original = statements.position(|statement| statement.source.id.0 == original);
    change_data(model, session_data.clone());
    if let Err(why) = &view.before {
        model.message = Message::error(printable(why).into_owned());
        return Vec::new();
    }
    let effects = show(model, Screen::Compare);
    let opened =
        original.map(|original| model.compare.open_two(&session_data, (original, position)));
    if !matches!(opened, Some(Ok(()))) {
        return show(model, Screen::Plan);
    }
    refresh(model);
    model.message = Message::success("The edited statement was planned, not executed");
    effects
}

/// The statement with the largest gain from the index, else one that was planned with it.
fn best_statement(session_data: &SessionData, index: usize) -> Option<usize> {
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
