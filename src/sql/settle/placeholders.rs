//! Placeholders of drivers as the server's own (`$1`): `?` (JDBC, MySQL's style), `?1` (JPA), `%s` and
//! `%(name)s` (psycopg), `:name` and `:1` (SQLAlchemy, Hibernate), `@p1` and `@name` (Npgsql).
//!
//! `?` is an operator of jsonb and hstore, too: it is one between two operands, and in `?|`, `?&`,
//! `@?` and `??` (JDBC's way to write it).

use crate::sql::split::{highest_parameter, unquoted_characters};

/// A text with the server's own parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placeholders {
    /// The text.
    pub sql: String,
    /// What each parameter was, from `$1` on: its name, or none where it had only a position.
    pub names: Vec<Option<String>>,
}

/// The protocol's limit.
const MAX_PARAMETERS: usize = 65_535;

/// The text with `$1`, `$2`, … where it has placeholders of drivers. None where it has none.
pub fn numbered(sql: &str) -> Option<Placeholders> {
    let known = highest_parameter(sql);
    if known > MAX_PARAMETERS {
        return None;
    }
    let mut reader = Reader {
        sql,
        names: vec![None; known],
        brackets: 0,
        replaced: Vec::new(),
    };
    let mut done = 0;
    for (position, character) in unquoted_characters(sql) {
        if position < done {
            continue;
        }
        match character {
            '[' => reader.brackets += 1,
            ']' => reader.brackets = reader.brackets.saturating_sub(1),
            _ => {}
        }
        if is_in_operator(&sql[..position]) {
            continue;
        }
        let found = match character {
            '?' => reader.question_mark(position),
            '%' => reader.percent(position),
            ':' => reader.colon(position),
            '@' => reader.at_sign(position),
            _ => None,
        };
        if let Some((end, mut text)) = found {
            // Drivers that put a list in its place bring its parentheses: `IN %s`, `IN :ids`.
            if text.starts_with('$') && ends_with_in(&sql[..position]) {
                text = format!("({text})");
            }
            reader.replaced.push((position, end, text));
            done = end;
        }
    }
    reader.finish()
}

struct Reader<'s> {
    sql: &'s str,
    names: Vec<Option<String>>,
    /// How many square brackets are open: `a[1:n]` is a slice.
    brackets: usize,
    replaced: Vec<(usize, usize, String)>,
}

type Found = Option<(usize, String)>;

impl Reader<'_> {
    fn finish(self) -> Option<Placeholders> {
        if self.names.is_empty() || self.replaced.is_empty() {
            return None;
        }
        let mut text = String::with_capacity(self.sql.len());
        let mut done = 0;
        for (start, end, new) in &self.replaced {
            text += self.sql.get(done..*start)?;
            text += new;
            // `?and` is a placeholder and a word, `$1and` is not.
            if self.sql[*end..].starts_with(is_word_character) && new.starts_with('$') {
                text.push(' ');
            }
            done = *end;
        }
        text += self.sql.get(done..)?;
        Some(Placeholders {
            sql: text,
            names: self.names,
        })
    }

    fn unnamed(&mut self) -> String {
        self.names.push(None);
        format!("${}", self.names.len())
    }

    fn named(&mut self, name: &str) -> String {
        let known = self
            .names
            .iter()
            .position(|known| known.as_deref() == Some(name));
        let number = known.unwrap_or_else(|| {
            self.names.push(Some(name.to_owned()));
            self.names.len() - 1
        });
        format!("${}", number + 1)
    }

    fn before(&self, position: usize) -> &str {
        &self.sql[..position]
    }

    fn question_mark(&mut self, position: usize) -> Found {
        let rest = &self.sql[position + 1..];
        if rest.starts_with('?') {
            return Some((position + 2, "?".to_owned()));
        }
        let is_concatenated = rest.starts_with("||");
        let is_operator = self.before(position).ends_with(['@', '#'])
            || rest.starts_with(['|', '&']) && !is_concatenated
            || ends_with_operand(self.before(position)) && begins_operand(rest);
        if is_operator {
            return None;
        }
        let digits = digits(rest);
        let text = if digits.is_empty() {
            self.unnamed()
        } else {
            self.named(digits)
        };
        Some((position + 1 + digits.len(), text))
    }

    fn percent(&mut self, position: usize) -> Found {
        let rest = &self.sql[position + 1..];
        if rest.starts_with('%') {
            return Some((position + 2, "%".to_owned()));
        }
        if let Some(after) = rest.strip_prefix('s') {
            let text = (!after.starts_with(is_word_character)).then(|| self.unnamed());
            return text.map(|text| (position + 2, text));
        }
        let (name, after) = rest.strip_prefix('(')?.split_once(')')?;
        let is_name = !name.is_empty() && name.chars().all(is_word_character);
        (is_name && after.starts_with('s')).then_some(())?;
        let text = self.named(name);
        Some((position + 4 + name.len(), text))
    }

    fn colon(&mut self, position: usize) -> Found {
        let is_cast = self.before(position).ends_with(':')
            || self.sql[position + 1..].starts_with([':', '=']);
        if is_cast || self.brackets > 0 {
            return None;
        }
        self.of_name(position)
    }

    fn at_sign(&mut self, position: usize) -> Found {
        let before = self.before(position);
        let is_alone = before.ends_with(|c: char| c.is_whitespace() || "(,=<>".contains(c));
        if !is_alone || before.ends_with("<@") {
            return None;
        }
        self.of_name(position)
    }

    /// A placeholder of one character and a name.
    fn of_name(&mut self, position: usize) -> Found {
        let rest = &self.sql[position + 1..];
        let length = rest.find(|c| !is_word_character(c)).unwrap_or(rest.len());
        let name = rest.get(..length).filter(|name| !name.is_empty())?;
        let text = self.named(name);
        Some((position + 1 + length, text))
    }
}

/// Does a text end with the word IN?
fn ends_with_in(text: &str) -> bool {
    let text = text.trim_end();
    let start = text.len().saturating_sub("in".len());
    let (before, word) = text.split_at_checked(start).unwrap_or_default();
    word.eq_ignore_ascii_case("in") && !before.ends_with(is_word_character)
}

/// Is the text followed by an operator's name: `OPERATOR(ext.`?
fn is_in_operator(text: &str) -> bool {
    let Some((before, name)) = text.rsplit_once('(') else {
        return false;
    };
    let is_name = |c: char| is_word_character(c) || "\". +-*/<>=~!@#%^&|`?".contains(c);
    let before = before.trim_end();
    let start = before.len().checked_sub("operator".len());
    let word = start.and_then(|start| before.get(start..));
    word.is_some_and(|word| word.eq_ignore_ascii_case("operator")) && name.chars().all(is_name)
}

fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn digits(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    &text[..end]
}

/// Words that are no operand.
#[rustfmt::skip]
const KEYWORDS: &[&str] = &[
    "all", "and", "any", "as", "asc", "between", "both", "by", "case", "collate", "cross", "desc", "distinct", "do", "else", "end", "escape",
    "except", "fetch", "first", "for", "from", "full", "group", "having", "ilike", "in", "inner", "intersect", "interval", "is", "join",
    "leading", "left", "like", "limit", "natural", "next", "not", "offset", "on", "or", "order", "over", "returning", "right", "row", "rows",
    "select", "set", "similar", "symmetric", "then", "to", "trailing", "union", "using", "values", "when", "where", "window", "with", "date",
    "timestamp", "timestamptz", "time",
];

fn is_keyword(word: &str) -> bool {
    KEYWORDS
        .iter()
        .any(|keyword| keyword.eq_ignore_ascii_case(word))
}

fn ends_with_operand(text: &str) -> bool {
    let text = text.trim_end();
    if text.ends_with([')', ']', '"', '\'']) {
        return true;
    }
    let start = text.rfind(|c| !is_word_character(c)).map_or(0, |at| {
        at + text[at..].chars().next().map_or(1, char::len_utf8)
    });
    let word = &text[start..];
    !word.is_empty() && !is_keyword(word)
}

fn begins_operand(text: &str) -> bool {
    let text = text.trim_start();
    if text.starts_with(['\'', '"', '(', '$', ':', '?', '%', '@']) {
        return true;
    }
    let end = text.find(|c| !is_word_character(c)).unwrap_or(text.len());
    let word = &text[..end];
    !word.is_empty() && !is_keyword(word)
}
