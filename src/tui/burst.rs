//! Keys that come together. A terminal that does not bracket what is pasted sends it as keys: text
//! that goes on after a newline belongs to what is being typed, and runs no commands.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::keymap::{Key, Scope};
use super::model::{Model, Msg, Overlay};
use super::prompt::PromptPurpose;

/// Within so much time after a newline more text belongs to an index: nobody types as fast.
pub const PASTE_GAP: Duration = Duration::from_millis(60);

/// So many keys together, outside of a prompt, are text: nobody holds down different keys.
const MIN_PASTED: usize = 16;

/// Of these, so many are different.
const MIN_DIFFERENT: usize = 6;

/// So many keys after a newline go on with a text.
const MIN_CONTINUED: usize = 2;

/// So many go on with a search, after which other keys are soon pressed.
const MIN_CONTINUED_SEARCH: usize = 8;

/// Messages that came together, in order.
#[derive(Debug, Default)]
pub struct Burst(VecDeque<Msg>);

impl Burst {
    /// One more.
    pub fn push(&mut self, msg: Msg) {
        self.0.push_back(msg);
    }

    /// May it be in the middle of a text that is pasted into a prompt for an index?
    pub fn may_go_on(&self, model: &Model) -> bool {
        let ends = self.0.back().is_some_and(|msg| text_of(msg) == Some('\n'));
        ends && (prompt(model) == Some(&PromptPurpose::Index) || self.text().chars().count() > 1)
    }

    /// The next message: keys that are pasted text are one.
    pub fn next(&mut self, model: &Model) -> Option<Msg> {
        let text = self.text();
        let is_pasted = match (model.scope(), prompt(model)) {
            (Scope::Typing, Some(purpose)) => {
                let least = match purpose {
                    PromptPurpose::Search => MIN_CONTINUED_SEARCH,
                    _ => MIN_CONTINUED,
                };
                let after = text.split_once('\n').map_or("", |(_, after)| after);
                after.chars().count() >= least && !after.trim().is_empty()
            }
            _ => is_text(&text),
        };
        if is_pasted {
            self.0.drain(..text.chars().count());
            return Some(Msg::Paste(text));
        }
        self.0.pop_front()
    }

    /// The text at the beginning.
    fn text(&self) -> String {
        self.0.iter().map_while(text_of).collect()
    }
}

fn prompt(model: &Model) -> Option<&PromptPurpose> {
    match &model.navigation.overlay {
        Overlay::Prompt(prompt) => Some(&prompt.purpose),
        _ => None,
    }
}

/// The character that a key stands for in a text.
fn text_of(msg: &Msg) -> Option<char> {
    match msg {
        Msg::Key(Key::Char(character)) => Some(*character),
        // What ends a line is sent as either.
        Msg::Key(Key::Enter | Key::Ctrl('j')) => Some('\n'),
        Msg::Key(Key::Tab) => Some('\t'),
        _ => None,
    }
}

/// Is it a text, and no keys that open a prompt and what is typed there?
fn is_text(keys: &str) -> bool {
    let different: BTreeSet<char> = keys.chars().collect();
    keys.chars().count() >= MIN_PASTED
        && different.len() >= MIN_DIFFERENT
        && keys.contains(char::is_whitespace)
        && !keys.starts_with(['/', ':', 'n', 'e'])
}
