//! A long text over the screen, to scroll and to search in: the SQL of a statement, an index
//! definition.

use std::sync::Arc;

use super::find::{Find, found_in};
use super::list::{ListState, Movement};
use super::sql_text::{SqlLine, SqlToken, lines};
use crate::model::printable;
use crate::text_layout::wrap_anywhere;

/// What kind of text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextKind {
    /// SQL, which is shown in its colours.
    Sql,
    /// Anything else, which is not wrapped at words.
    Plain,
}

/// The pager's text and position.
#[derive(Debug, Clone, PartialEq)]
pub struct Pager {
    /// The heading.
    pub title: String,
    /// The whole text, as it is copied and written.
    pub text: Arc<str>,
    kind: TextKind,
    /// The text in lines.
    pub lines: Vec<SqlLine>,
    /// The first visible line, and the line of the match.
    pub list: ListState,
    /// What is searched for in it.
    pub find: Find,
}

impl Pager {
    /// A pager at the beginning of its text.
    pub fn new(title: String, text: &str, kind: TextKind, columns: usize) -> Pager {
        let mut pager = Pager {
            title,
            text: text.into(),
            kind,
            lines: Vec::new(),
            list: ListState::default(),
            find: Find::default(),
        };
        pager.wrap(columns);
        pager
    }

    /// Wraps the text for this width.
    pub fn wrap(&mut self, columns: usize) {
        let columns = columns.max(8);
        self.lines = match self.kind {
            TextKind::Sql => lines(&self.text, columns),
            TextKind::Plain => {
                let wrapped = self.text.lines().flat_map(|line| {
                    let line = printable(line);
                    match line.is_empty() {
                        true => vec![String::new()],
                        false => wrap_anywhere(&line, columns),
                    }
                });
                wrapped.map(|line| vec![(SqlToken::Plain, line)]).collect()
            }
        };
    }

    /// Scrolls.
    pub fn scroll(&mut self, movement: Movement, height: usize) {
        self.list.scroll(movement, self.lines.len(), height);
    }

    /// Goes to the next line with the text that is searched for; false if there is none.
    pub fn next_match(&mut self, forward: bool, from_here: bool, height: usize) -> bool {
        let texts = |line: usize| -> String {
            let pieces = self.lines[line].iter();
            pieces.map(|(_, text)| text.as_str()).collect()
        };
        let at = self.list.selected;
        let found = found_in(
            &self.find,
            self.lines.len(),
            at,
            (forward, from_here),
            texts,
        );
        if let Some(line) = found {
            self.list
                .select(Movement::To(line), self.lines.len(), height);
        }
        found.is_some()
    }
}
