//! Changes of what is on: everything that is shown follows.

use std::collections::BTreeSet;

use super::navigation::show;
use super::refresh::{refresh, refresh_totals, session_data};
use super::requests;
use crate::model::QualifiedName;
use crate::tui::cells::count;
use crate::tui::keymap::{Key, Screen};
use crate::tui::model::{Connection, Effect, Message, Model, Request};
use crate::tui::selection::Switches;
use crate::tui::session_data::SessionData;

/// Switches the selected index on or off.
pub(super) fn toggle(model: &mut Model, session_data: &SessionData) -> Vec<Effect> {
    match model.indexes.toggled(session_data, &model.selection) {
        Ok(switches) => {
            model.selection.change(switches);
            follow(model)
        }
        Err(reason) => {
            model.message = Message::error(reason);
            Vec::new()
        }
    }
}

/// Switches on exactly these indexes.
pub(super) fn select(model: &mut Model, indexes: BTreeSet<usize>) -> Vec<Effect> {
    model.selection.change_indexes(indexes);
    follow(model)
}

/// Switches everything off.
pub(super) fn select_nothing(model: &mut Model) -> Vec<Effect> {
    model.selection.change(Switches::default());
    follow(model)
}

/// Undoes the last change, or redoes it.
pub(super) fn step_back(model: &mut Model, is_undo: bool) -> Vec<Effect> {
    let stepped = match is_undo {
        true => model.selection.undo(),
        false => model.selection.redo(),
    };
    if !stepped {
        model.message = Message::info(match is_undo {
            true => "No change of the selection is left to undo",
            false => "Nothing was undone",
        });
        return Vec::new();
    }
    let effects = follow(model);
    let on = model.selection.indexes().len();
    model.message = Message::info(format!("{} on", are(on)));
    effects
}

fn are(indexes: usize) -> String {
    let verb = if indexes == 1 { "is" } else { "are" };
    format!("{} {verb}", count(indexes, "index", "indexes"))
}

/// Asks for the number of the best indexes: the next key says it.
pub(super) fn ask_for_count(model: &mut Model) {
    model.awaits_count = true;
    model.message = Message::info("How many of the best indexes? 1 to 9");
}

/// The key after that.
pub(super) fn count_typed(model: &mut Model, key: Key) -> Vec<Effect> {
    let digit = match key {
        Key::Char(character) => character.to_digit(10),
        _ => None,
    };
    match digit.and_then(|digit| usize::try_from(digit).ok()) {
        Some(wanted) if wanted > 0 => best(model, wanted),
        _ => {
            model.message = Message::info("Nothing changed: 1 to 9 was asked for");
            Vec::new()
        }
    }
}

/// Switches on so many of the recommended indexes: the report's order, the best first.
pub(super) fn best(model: &mut Model, wanted: usize) -> Vec<Effect> {
    let Some(session_data) = session_data(model) else {
        return Vec::new();
    };
    let best: BTreeSet<usize> = session_data
        .recommended()
        .into_iter()
        .take(wanted)
        .collect();
    if best.is_empty() {
        model.message = Message::info(match model.is_searching() {
            true => "The search goes on: nothing is recommended yet",
            false => "No index is recommended",
        });
        return Vec::new();
    }
    let on = best.len();
    let mut effects = select(model, best);
    // Where y copies their DDL.
    effects.extend(show(model, Screen::Indexes));
    model.message = Message::info(format!("The best {} on; y copies the DDL", are(on)));
    effects
}

/// Totals, plans and what is printed on exit follow the selection; the twin is asked about a
/// combination that is not known.
pub(super) fn follow(model: &mut Model) -> Vec<Effect> {
    let Some(session_data) = session_data(model) else {
        return Vec::new();
    };
    refresh_totals(model, &session_data);
    model.compare.follows = true;
    model
        .compare
        .reopen(&session_data, model.selection.indexes());
    model.report.forget();
    refresh(model);
    let mut effects = Vec::new();
    if model.indexes.print {
        let ddl = model.indexes.ddl(&session_data, &model.selection);
        effects.push(Effect::PrintOnExit(ddl));
    }
    effects.extend(predict(model, &session_data));
    effects
}

fn predict(model: &mut Model, session_data: &SessionData) -> Vec<Effect> {
    let indexes = model.selection.indexes().clone();
    let can_ask = model.jobs.connection != Connection::None && !model.jobs.has_no_twin;
    if !can_ask || session_data.is_known(&indexes) {
        return Vec::new();
    }
    let chosen = indexes
        .iter()
        .filter_map(|index| session_data.indexes.get(*index));
    let named: Vec<_> = chosen.map(|index| index.named.clone()).collect();
    let tables: BTreeSet<QualifiedName> = named
        .iter()
        .map(|index| index.definition.table.clone())
        .collect();
    let statements = session_data.touching(&tables);
    let request = Request::Predict {
        indexes,
        named,
        statements,
    };
    requests::send(model, request)
}
