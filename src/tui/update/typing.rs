//! Typing: a search, a command, a path, an index to test; and texts from the user's editor.

use super::navigation::search as go_to;
use super::prompts::{close, reject, set_search};
use super::refresh::session_data;
use super::{commands, requests, selecting, tried};
use crate::catalog::Table;
use crate::index::{Index, NamedIndex, WrittenIndex, naming, parse_written_index};
use crate::model::QualifiedName;
use crate::tui::command_line;
use crate::tui::keymap::Action;
use crate::tui::model::{EditedText, Effect, Message, Model, Overlay, Request};
use crate::tui::prompt::{Note, PromptPurpose};
use crate::tui::session_data::{IndexView, SessionData};

/// Inserts text into what is being typed.
pub(super) fn insert(model: &mut Model, text: &str) {
    if let Overlay::Prompt(prompt) = &mut model.navigation.overlay {
        prompt.input.insert(text);
        prompt.note = None;
        changed(model);
    }
}

/// A search is followed as it is typed.
fn changed(model: &mut Model) {
    let Overlay::Prompt(prompt) = &model.navigation.overlay else {
        return;
    };
    if prompt.purpose != PromptPurpose::Search {
        return;
    }
    let text = prompt.input.text().to_owned();
    set_search(model, &text);
    let is_found = text.is_empty() || go_to(model, true, true);
    if let Overlay::Prompt(prompt) = &mut model.navigation.overlay {
        prompt.note = (!is_found).then(|| Note::Hint("not found".to_owned()));
    }
}

/// Edits, accepts or cancels.
pub(super) fn act(model: &mut Model, action: Action) -> Vec<Effect> {
    let Overlay::Prompt(prompt) = &mut model.navigation.overlay else {
        return Vec::new();
    };
    match action {
        Action::AcceptInput => return accept(model),
        Action::CancelInput => {
            if prompt.purpose == PromptPurpose::Search {
                set_search(model, "");
            }
            let _ = close(model);
        }
        Action::Complete => complete(model),
        Action::Earlier | Action::Later => {
            let by = if action == Action::Earlier { 1 } else { -1 };
            prompt.step_back(model.typed.of(&prompt.purpose), by);
            changed(model);
        }
        Action::EditInput if prompt.purpose == PromptPurpose::Index => {
            let text = format!("{}\n", prompt.input.text());
            return vec![Effect::Edit(EditedText::Index, text)];
        }
        Action::EditInput => {
            prompt.note = Some(Note::Hint("only an index is edited in $EDITOR".to_owned()));
        }
        editing => {
            prompt.input.act(editing);
            prompt.note = None;
            changed(model);
        }
    }
    Vec::new()
}

fn accept(model: &mut Model) -> Vec<Effect> {
    let Overlay::Prompt(prompt) = &model.navigation.overlay else {
        return Vec::new();
    };
    let text = prompt.input.text().trim().to_owned();
    let purpose = prompt.purpose.clone();
    model.typed.remember(&purpose, &text);
    match purpose {
        PromptPurpose::Search => {
            let is_missing = prompt.note.is_some() && !text.is_empty();
            let _ = close(model);
            if is_missing {
                model.message = Message::info(format!("{text:?} is not here; Esc clears it"));
            }
        }
        PromptPurpose::Command if text.is_empty() => {
            let _ = close(model);
        }
        PromptPurpose::Command => match command_line::parse(&text) {
            Ok(command) => {
                let _ = close(model);
                return commands::perform(model, command);
            }
            Err(why) => reject(model, why),
        },
        PromptPurpose::Path(_) if text.is_empty() => reject(model, "Which file?".to_owned()),
        PromptPurpose::Path(export) => {
            let _ = close(model);
            return commands::write(model, export, text);
        }
        PromptPurpose::Index => return accept_index(model, &text),
    }
    Vec::new()
}

/// Completes tables and columns in an index, and names in a command.
fn complete(model: &mut Model) {
    let known = session_data(model);
    let Overlay::Prompt(prompt) = &mut model.navigation.overlay else {
        return;
    };
    let words = match prompt.purpose {
        PromptPurpose::Command => command_line::words(),
        PromptPurpose::Index => known.map_or_else(Vec::new, |data| {
            words_of_index(&data, prompt.input.before_cursor())
        }),
        PromptPurpose::Search | PromptPurpose::Path(_) => return,
    };
    prompt.complete(&words);
}

/// Tables, or the columns of the table that the text names; behind USING the access methods. The
/// text is a CREATE INDEX, or only what stands behind its ON.
fn words_of_index(session_data: &SessionData, text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    let tables = || session_data.catalog.tables.iter();
    let definition = lower
        .split_once(" on ")
        .map_or(lower.as_str(), |(_, rest)| rest);
    let Some((head, _)) = definition.split_once('(') else {
        let mut words = definition.split_whitespace().rev();
        let last = words.next().filter(|_| !definition.ends_with(' '));
        let before = if last.is_some() { words.next() } else { None };
        let behind_using = before == Some("using") || definition.ends_with("using ");
        if behind_using {
            return METHODS.map(str::to_owned).into();
        }
        let names = tables().flat_map(|table| {
            let Table { name, .. } = table;
            let full = format!("{}.{}", name.schema, name.name);
            match name.schema.as_str() {
                "public" => vec![name.name.clone(), full],
                _ => vec![full],
            }
        });
        let keywords = ["CREATE", "INDEX", "ON", "UNIQUE", "USING"];
        return names.chain(keywords.map(str::to_owned)).collect();
    };
    let head = head.trim_start_matches("only ");
    let name = head.split_whitespace().next().unwrap_or_default();
    let named = tables().find(|table| {
        let own = table.name.name.to_lowercase();
        name == own || name == format!("{}.{own}", table.name.schema.to_lowercase())
    });
    let columns = named.into_iter().flat_map(|table| &table.columns);
    columns.map(|column| column.name.clone()).collect()
}

/// The access methods of indexes.
const METHODS: [&str; 6] = ["btree", "hash", "gin", "gist", "spgist", "brin"];

/// Takes what the user's editor left.
pub(super) fn edited(
    model: &mut Model,
    what: EditedText,
    text: Result<String, String>,
) -> Vec<Effect> {
    let text = match text {
        Ok(text) => text,
        Err(why) => {
            model.message = Message::error(why);
            return Vec::new();
        }
    };
    match what {
        EditedText::Index => {
            if let Overlay::Prompt(prompt) = &mut model.navigation.overlay {
                prompt.input.act(Action::EraseAll);
                prompt.input.insert(text.trim());
                prompt.note = None;
            }
            Vec::new()
        }
        EditedText::Statement(statement) if statement.sql.trim() == text.trim() => {
            model.message = Message::info("The statement was not changed");
            Vec::new()
        }
        EditedText::Statement(statement) => {
            let mut changed = *statement;
            if !changed.id.0.ends_with(EDITED) {
                changed.id.0.push_str(EDITED);
            }
            text.trim()
                .trim_end_matches(';')
                .clone_into(&mut changed.sql);
            changed.written = None;
            requests::send(model, Request::Plan(Box::new(changed)))
        }
    }
}

/// What stands behind the name of a statement that was edited.
const EDITED: &str = " (edited)";

fn accept_index(model: &mut Model, text: &str) -> Vec<Effect> {
    let Some(session_data) = session_data(model) else {
        return Vec::new();
    };
    match checked(text, &session_data) {
        Ok(Checked::Known(position)) => {
            let _ = close(model);
            let known = &session_data.indexes[position];
            let mut on = model.selection.indexes().clone();
            let is_on = !on.insert(position);
            let helps = session_data.helped(known) > 0;
            let mut effects = match helps && !is_on {
                true => selecting::select(model, on),
                false => Vec::new(),
            };
            effects.extend(tried::show_index(model, &session_data, position));
            let state = match (is_on, helps) {
                (true, _) => "it is on",
                (false, true) => "it is on now (u undoes)",
                (false, false) => "no statement gains enough from it",
            };
            let name = &known.named.name;
            model.message = Message::info(format!("It was tested already, as {name}; {state}"));
            effects
        }
        Ok(Checked::New(index)) => {
            let statements = session_data.touching(&[index.definition.table.clone()].into());
            let request = Request::TryIndex { index, statements };
            let effects = requests::send(model, request);
            let number = model.jobs.last_number;
            if let Overlay::Prompt(prompt) = &mut model.navigation.overlay {
                prompt.waits_for = Some(number);
                prompt.note = Some(Note::Hint("testing it in the planner twin …".to_owned()));
            }
            effects
        }
        Err(error) => {
            reject(model, error);
            Vec::new()
        }
    }
}

/// An index that the user wrote.
enum Checked {
    /// It is to be tested.
    New(Box<NamedIndex>),
    /// It was tested already.
    Known(usize),
}

/// The index of a text, under its own name if it has one that is free.
fn checked(text: &str, session_data: &SessionData) -> Result<Checked, String> {
    let WrittenIndex {
        name: written,
        index,
        beyond,
    } = parse_written_index(text).map_err(|error| error.to_string())?;
    if let Some(clause) = beyond.first() {
        return Err(format!(
            "{clause} changes no plan here: test the index without it"
        ));
    }
    let index = with_schema(index, session_data);
    let table = session_data
        .catalog
        .table(&index.table)
        .ok_or_else(|| format!("No statement reads {}", index.table))?;
    if let Some(root) = &table.partition_of {
        return Err(format!(
            "{} is a partition: create the index on {root}",
            table.name
        ));
    }
    let mut indexes = session_data.indexes.iter();
    let is_same = |known: &IndexView| known.named.definition == index && known.is_tested();
    if let Some(position) = indexes.position(is_same) {
        return Ok(Checked::Known(position));
    }
    let mut taken = session_data.catalog.taken_names.clone();
    let given = session_data.indexes.iter().map(|known| &known.named);
    taken
        .extend(given.map(|index| QualifiedName::new(&index.definition.table.schema, &index.name)));
    if let Some(name) = written {
        let full = QualifiedName::new(&index.table.schema, &name);
        if taken.contains(&full) {
            return Err(format!("The name {name} is taken"));
        }
        let definition = index;
        return Ok(Checked::New(Box::new(NamedIndex { name, definition })));
    }
    let name = naming::names([&index], &taken).pop().unwrap_or_default();
    let definition = index;
    Ok(Checked::New(Box::new(NamedIndex { name, definition })))
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
