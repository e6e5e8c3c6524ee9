//! Typing: the filter, and an index to be rehearsed.

use super::{height, jobs, refresh, session_data};
use crate::advise::build_refusal;
use crate::index::parse_index;
use crate::index::{Index, NamedIndex, naming};
use crate::tui::editor::Line;
use crate::tui::keymap::Action;
use crate::tui::model::{Ask, Effect, IndexEditor, Message, Model, Overlay, Server};
use crate::tui::session_data::SessionData;

/// Adds text where something is being typed.
pub(super) fn insert(model: &mut Model, text: &str) {
    match &mut model.place.overlay {
        Overlay::Filter => {
            model.workload.filter.insert(text);
            filter_changed(model);
        }
        Overlay::Index(editor) => {
            editor.line.insert(text);
            editor.error = None;
        }
        Overlay::Nothing | Overlay::Help(_) => {}
    }
}

/// Moves, deletes, ends.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match (&mut model.place.overlay, action) {
        (Overlay::Filter, Action::Accept) => model.place.overlay = Overlay::Nothing,
        (Overlay::Filter, Action::Abandon) => clear_filter(model),
        (Overlay::Filter, _) => {
            model.workload.filter.act(action);
            filter_changed(model);
        }
        (Overlay::Index(editor), Action::Accept) => {
            let text = editor.line.text();
            return accept_index(model, &text);
        }
        (Overlay::Index(_), Action::Abandon) => {
            model.place.overlay = Overlay::Nothing;
            refresh(model);
        }
        (Overlay::Index(editor), _) => {
            editor.line.act(action);
            editor.error = None;
        }
        _ => {}
    }
    Vec::new()
}

/// Shows all statements again.
pub(super) fn clear_filter(model: &mut Model) {
    model.place.overlay = Overlay::Nothing;
    model.workload.filter = Line::default();
    filter_changed(model);
}

fn filter_changed(model: &mut Model) {
    if let Some(session_data) = session_data(model) {
        model.workload.arrange(&session_data, height(model));
    }
}

/// Opens the editor with an index, or with the beginning of one.
pub(super) fn edit_index(model: &mut Model, session_data: &SessionData, entry: Option<usize>) {
    if model.desk.server == Server::None {
        model.message = Message::info("there is no server to build it on: this is a recording");
        return;
    }
    let text = match entry.and_then(|entry| session_data.entries.get(entry)) {
        Some(entry) => format!("CREATE INDEX ON {}", entry.index.definition.definition()),
        None => "CREATE INDEX ON ".to_owned(),
    };
    model.place.overlay = Overlay::Index(IndexEditor {
        line: Line::new(&text),
        error: None,
    });
    refresh(model);
}

fn accept_index(model: &mut Model, text: &str) -> Vec<Effect> {
    let Some(session_data) = session_data(model) else {
        return Vec::new();
    };
    match checked(text, &session_data) {
        Ok(index) => {
            let statements = session_data.touching(&[index.definition.table.clone()].into());
            model.place.overlay = Overlay::Nothing;
            refresh(model);
            jobs::ask(model, Ask::Rehearse { index, statements })
        }
        Err(error) => {
            if let Overlay::Index(editor) = &mut model.place.overlay {
                editor.error = Some(error);
            }
            Vec::new()
        }
    }
}

/// The index of a text, under a name that is free, if it may be built: the same rules hold as for the program's own candidates.
fn checked(text: &str, session_data: &SessionData) -> Result<NamedIndex, String> {
    let index = with_schema(
        parse_index(text).map_err(|error| error.to_string())?,
        session_data,
    );
    let table = session_data
        .catalog
        .table(&index.table)
        .ok_or_else(|| format!("no statement reads {}", index.table))?;
    if let Some(root) = &table.partition_of {
        return Err(format!(
            "{} is a partition: write the index on {root}",
            table.name
        ));
    }
    if let Some(refusal) = build_refusal(table, &session_data.catalog, &session_data.limits) {
        return Err(refusal.detail);
    }
    if let Some(known) = session_data
        .entries
        .iter()
        .find(|entry| entry.index.definition == index && entry.is_built())
    {
        return Err(format!("it was rehearsed already: {}", known.index.name));
    }
    let mut taken = session_data.catalog.taken_names.clone();
    let given = session_data.entries.iter().map(|entry| &entry.index);
    taken.extend(given.map(|index| {
        crate::model::QualifiedName::new(&index.definition.table.schema, &index.name)
    }));
    let name = naming::names([&index], &taken).pop().unwrap_or_default();
    Ok(NamedIndex {
        name,
        definition: index,
    })
}

/// A table that is in another schema than `public` may be written without it, when only one schema has it.
fn with_schema(index: Index, session_data: &SessionData) -> Index {
    if session_data.catalog.table(&index.table).is_some() {
        return index;
    }
    let mut named = session_data
        .catalog
        .tables
        .iter()
        .filter(|table| table.name.name == index.table.name);
    match (named.next(), named.next()) {
        (Some(only), None) => Index {
            table: only.name.clone(),
            ..index
        },
        _ => index,
    }
}
