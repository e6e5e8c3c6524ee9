//! Typing: the filter, and an index to test.

use super::jobs;
use super::refresh::{height, refresh, session_data};
use crate::advise::build_refusal;
use crate::index::parse_index;
use crate::index::{Index, NamedIndex, naming};
use crate::sentences;
use crate::tui::editor::TextInput;
use crate::tui::keymap::Action;
use crate::tui::model::{Connection, Effect, IndexEditor, Message, Model, Overlay, Request};
use crate::tui::session_data::SessionData;

/// Inserts text into what is being typed.
pub(super) fn insert(model: &mut Model, text: &str) {
    match &mut model.navigation.overlay {
        Overlay::Filter => {
            model.workload.filter.insert(text);
            filter_changed(model);
        }
        Overlay::Index(editor) => {
            editor.input.insert(text);
            editor.error = None;
        }
        Overlay::Nothing | Overlay::Help(_) => {}
    }
}

/// Edits, accepts or cancels.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    match (&mut model.navigation.overlay, action) {
        (Overlay::Filter, Action::AcceptInput) => model.navigation.overlay = Overlay::Nothing,
        (Overlay::Filter, Action::CancelInput) => clear_filter(model),
        (Overlay::Filter, _) => {
            model.workload.filter.act(action);
            filter_changed(model);
        }
        (Overlay::Index(editor), Action::AcceptInput) => {
            let text = editor.input.text().to_owned();
            return accept_index(model, &text);
        }
        (Overlay::Index(_), Action::CancelInput) => {
            model.navigation.overlay = Overlay::Nothing;
            refresh(model);
        }
        (Overlay::Index(editor), _) => {
            editor.input.act(action);
            editor.error = None;
        }
        _ => {}
    }
    Vec::new()
}

/// Shows all statements again.
pub(super) fn clear_filter(model: &mut Model) {
    model.navigation.overlay = Overlay::Nothing;
    model.workload.filter = TextInput::default();
    filter_changed(model);
}

fn filter_changed(model: &mut Model) {
    if let Some(session_data) = session_data(model) {
        model.workload.arrange(&session_data, height(model));
    }
}

/// Opens the editor with an index, or with `CREATE INDEX ON`.
pub(super) fn edit_index(model: &mut Model, session_data: &SessionData, index: Option<usize>) {
    if model.jobs.connection == Connection::None {
        model.message = Message::info("there is no server to build on: this is a recording");
        return;
    }
    let text = match index.and_then(|index| session_data.indexes.get(index)) {
        Some(index) => format!("CREATE INDEX ON {}", index.named.definition.definition()),
        None => "CREATE INDEX ON ".to_owned(),
    };
    model.navigation.overlay = Overlay::Index(IndexEditor {
        input: TextInput::new(&text),
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
            model.navigation.overlay = Overlay::Nothing;
            refresh(model);
            jobs::send(
                model,
                Request::Rehearse {
                    index: Box::new(index),
                    statements,
                },
            )
        }
        Err(error) => {
            if let Overlay::Index(editor) = &mut model.navigation.overlay {
                editor.error = Some(error);
            }
            Vec::new()
        }
    }
}

/// The index of a text with a free name, if it may be built: the rules are those for candidates.
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
            "{} is a partition: create the index on {root}",
            table.name
        ));
    }
    if let Some(refusal) = build_refusal(table, &session_data.catalog, &session_data.limits) {
        return Err(sentences::refusal(&refusal));
    }
    if let Some(known) = session_data
        .indexes
        .iter()
        .find(|known| known.named.definition == index && known.is_tested())
    {
        return Err(format!(
            "this index was already tested: {}",
            known.named.name
        ));
    }
    let mut taken = session_data.catalog.taken_names.clone();
    let given = session_data.indexes.iter().map(|known| &known.named);
    taken.extend(given.map(|index| {
        crate::model::QualifiedName::new(&index.definition.table.schema, &index.name)
    }));
    let name = naming::names([&index], &taken).pop().unwrap_or_default();
    Ok(NamedIndex {
        name,
        definition: index,
    })
}

/// A table that is in another schema than `public` may be written without it, when only one schema
/// has it.
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
