//! Scripts of psql (<https://www.postgresql.org/docs/current/app-psql.html>) as plain SQL: backslash
//! commands are executed as far as they decide which SQL there is (`\set`, `\if`, `\g`), variables
//! are replaced (`:name`, `:'name'`, `:"name"`, `:{?name}`), and data of COPY … FROM STDIN is left out.
//! All branches of an `\if` are taken whose condition only a server knows (`\gset`).
//!
//! Lines keep their numbers. Nothing is read or executed: `\i` and the rest are only counted.

use std::collections::BTreeMap;
use std::ops::Range;

use super::split::Scanner;
use crate::model::quote_literal;

/// Variables of psql by name.
pub type Variables = BTreeMap<String, String>;

/// What is left of a script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plain {
    /// SQL, with the line feeds of the script.
    pub sql: String,
    /// Commands that were skipped, with their lines.
    pub skipped: Vec<(usize, String)>,
    /// How many blocks of data were left out.
    pub data_blocks: usize,
    /// Where `sql` has values of variables.
    pub values: Vec<Range<usize>>,
}

/// The SQL of a script.
pub fn plain(text: &str, variables: &Variables) -> Plain {
    let mut reader = Reader {
        scanner: Scanner::new(text),
        variables: variables.clone(),
        branches: Vec::new(),
        begins: 0,
        plain: Plain::default(),
    };
    while let Some(character) = reader.scanner.rest().chars().next() {
        match character {
            '\\' => reader.command(),
            ':' if reader.is_active() => reader.variable(),
            ';' => reader.semicolon(),
            _ => reader.copy(),
        }
    }
    reader.plain
}

/// A branch of `\if`.
#[derive(Debug, Clone, Copy)]
struct Branch {
    is_active: bool,
    /// One of its branches was active.
    was_active: bool,
    /// What is around it is active.
    is_within_active: bool,
}

struct Reader<'t> {
    scanner: Scanner<'t>,
    variables: Variables,
    branches: Vec<Branch>,
    /// Where the current statement begins in what is left.
    begins: usize,
    plain: Plain,
}

/// Commands that execute the statement before them.
const EXECUTES: &[&str] = &[
    "g",
    "gx",
    "gset",
    "gexec",
    "gdesc",
    "crosstabview",
    "watch",
    "bind",
    "bind_named",
    "parse",
];

impl Reader<'_> {
    fn is_active(&self) -> bool {
        self.branches.last().is_none_or(|branch| branch.is_active)
    }

    /// Copies one character, or one whole quoted thing.
    fn copy(&mut self) {
        let start = self.scanner.position;
        self.scanner.step();
        let piece = &self.scanner.text[start..self.scanner.position];
        if self.is_active() {
            self.plain.sql += piece;
        } else {
            self.keep_lines(piece);
        }
    }

    fn keep_lines(&mut self, text: &str) {
        let lines = text.matches('\n').count();
        self.plain.sql.extend(std::iter::repeat_n('\n', lines));
    }

    fn semicolon(&mut self) {
        self.copy();
        if !self.is_active() {
            return;
        }
        let statement = self.plain.sql.get(self.begins..).unwrap_or_default();
        if copies_from_stdin(statement) {
            self.skip_data();
        }
        self.begins = self.plain.sql.len();
    }

    /// Skips the rest of the line, and lines up to `\.`.
    fn skip_data(&mut self) {
        self.plain.data_blocks += 1;
        let rest = self.scanner.rest();
        let mut length = rest.find('\n').map_or(rest.len(), |at| at + 1);
        for line in rest.get(length..).unwrap_or_default().split_inclusive('\n') {
            length += line.len();
            if line.trim_end() == "\\." {
                break;
            }
        }
        let data = &rest[..length];
        self.keep_lines(data);
        self.scanner.position += length;
    }

    fn variable(&mut self) {
        let rest = self.scanner.rest();
        let is_cast = self.plain.sql.ends_with(':') || rest.starts_with("::");
        match reference(rest).filter(|_| !is_cast) {
            Some((length, Form::Defined, name)) => {
                let defined = self.variables.contains_key(name);
                self.plain.sql += if defined { "TRUE" } else { "FALSE" };
                self.scanner.position += length;
            }
            Some((length, form, name)) => match self.variables.get(name) {
                Some(value) => {
                    let start = self.plain.sql.len();
                    self.plain.sql += &form.of(value);
                    if form != Form::Identifier {
                        self.plain.values.push(start..self.plain.sql.len());
                    }
                    self.scanner.position += length;
                }
                // A parameter, as an unknown `:name` is.
                None if form == Form::Literal => {
                    self.plain.sql += &format!(":{name}");
                    self.scanner.position += length;
                }
                None => self.copy(),
            },
            None => self.copy(),
        }
    }

    fn command(&mut self) {
        let line = 1 + self.scanner.text[..self.scanner.position]
            .matches('\n')
            .count();
        let rest = self.scanner.rest();
        if rest.starts_with("\\;") {
            self.scanner.position += 2;
            self.plain
                .sql
                .push(if self.is_active() { ';' } else { ' ' });
            return;
        }
        let of_line = rest.split('\n').next().unwrap_or(rest);
        let text = of_line.trim_end_matches('\r');
        // `\bind 1 2 \g` and `\x \\ SELECT 1` go on in the same line.
        let end = text[1..].find('\\').map_or(text.len(), |at| at + 1);
        let end = if text[end..].starts_with("\\\\") {
            end + 2
        } else {
            end
        };
        let command = text[..end].trim_end_matches('\\').trim_end();
        self.scanner.position += end;
        let (name, arguments) = split_name(command);
        match name {
            "if" | "elif" | "else" | "endif" => {
                if self.branch(name, arguments) == Condition::Unknown {
                    self.plain.skipped.push((line, command.to_owned()));
                }
            }
            _ if !self.is_active() => {}
            "q" | "quit" => {
                // psql reads no further.
                self.plain.skipped.push((line, command.to_owned()));
                self.keep_lines(self.scanner.rest());
                self.scanner.position = self.scanner.text.len();
            }
            "set" => self.set(arguments),
            "unset" => {
                self.variables.remove(arguments.trim());
            }
            name if EXECUTES.contains(&name) => {
                let is_pending = !self.plain.sql[self.begins..].trim().is_empty();
                if is_pending {
                    self.plain.sql.push(';');
                }
                self.begins = self.plain.sql.len();
            }
            _ => {
                self.plain.skipped.push((line, command.to_owned()));
                if name == "copy" && is_from_stdin(&lower_words(arguments)) {
                    self.skip_data();
                }
            }
        }
    }

    fn set(&mut self, arguments: &str) {
        let mut words = words(arguments, &self.variables).into_iter();
        if let Some(name) = words.next() {
            self.variables.insert(name, words.collect());
        }
    }

    fn condition(&self, text: &str) -> Condition {
        let words = words(text, &self.variables);
        let word = words
            .first()
            .map(|word| word.to_lowercase())
            .unwrap_or_default();
        match word.as_str() {
            "true" | "t" | "1" | "on" | "yes" | "y" => Condition::True,
            // No such variable: a query sets it (`\gset`).
            word if word.starts_with(':') && reference(word).is_some() => Condition::Unknown,
            _ => Condition::False,
        }
    }

    /// Takes a branch whose condition is unknown, and the ones after it, too. Returns the condition as
    /// far as it decides.
    fn branch(&mut self, name: &str, condition: &str) -> Condition {
        let mut decides = Condition::False;
        match (name, self.branches.last().copied()) {
            ("if", _) => {
                let is_within_active = self.is_active();
                if is_within_active {
                    decides = self.condition(condition);
                }
                self.branches.push(Branch {
                    is_active: decides != Condition::False,
                    was_active: decides == Condition::True,
                    is_within_active,
                });
            }
            ("endif", _) => {
                self.branches.pop();
            }
            (_, Some(branch)) => {
                let is_next = branch.is_within_active && !branch.was_active;
                if is_next {
                    decides = match name {
                        "else" => Condition::True,
                        _ => self.condition(condition),
                    };
                }
                self.branches.pop();
                self.branches.push(Branch {
                    is_active: decides != Condition::False,
                    was_active: branch.was_active || decides == Condition::True,
                    ..branch
                });
            }
            (_, None) => {}
        }
        decides
    }
}

/// What `\if` and `\elif` decide by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Condition {
    True,
    False,
    /// Only a server knows it.
    Unknown,
}

/// How a variable is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain,
    Literal,
    Identifier,
    /// `:{?name}`: is it set?
    Defined,
}

impl Form {
    fn of(self, value: &str) -> String {
        match self {
            Form::Literal => quote_literal(value),
            // psql quotes it always.
            Form::Identifier => format!("\"{}\"", value.replace('"', "\"\"")),
            Form::Plain | Form::Defined => value.to_owned(),
        }
    }
}

/// A reference to a variable at the beginning of a text: its length, its form, and the name.
fn reference(text: &str) -> Option<(usize, Form, &str)> {
    let rest = text.strip_prefix(':')?;
    let (form, opening, closing) = match rest.chars().next()? {
        '\'' => (Form::Literal, "'", "'"),
        '"' => (Form::Identifier, "\"", "\""),
        '{' => (Form::Defined, "{?", "}"),
        _ => (Form::Plain, "", ""),
    };
    let rest = rest.strip_prefix(opening)?;
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let name = rest.get(..length).filter(|name| !name.is_empty())?;
    rest[length..].starts_with(closing).then_some(())?;
    Some((1 + opening.len() + length + closing.len(), form, name))
}

fn split_name(command: &str) -> (&str, &str) {
    let command = command.strip_prefix('\\').unwrap_or(command);
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let end = command.find(|c| !is_name(c)).unwrap_or(command.len());
    (&command[..end], command[end..].trim())
}

/// The arguments of a command: words, or `'quoted'` ones, with their variables replaced.
fn words(text: &str, variables: &Variables) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let mut word = String::new();
        while let Some(first) = rest.chars().next().filter(|first| !first.is_whitespace()) {
            if let Some((length, form, name)) = reference(rest) {
                word += &match (form, variables.get(name)) {
                    (Form::Defined, value) => {
                        if value.is_some() { "TRUE" } else { "FALSE" }.to_owned()
                    }
                    (form, Some(value)) => form.of(value),
                    (_, None) => rest[..length].to_owned(),
                };
                rest = &rest[length..];
            } else if first == '\'' {
                let (quoted, after) = quoted(&rest[1..]);
                word += &quoted;
                rest = after;
            } else {
                word.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
        words.push(word);
        rest = rest.trim_start();
    }
    words
}

/// The text within quotes, and what is behind them.
fn quoted(text: &str) -> (String, &str) {
    let mut value = String::new();
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\'' if characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                characters.next();
                value.push('\'');
            }
            '\'' => return (value, &text[at + 1..]),
            '\\' => match characters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, other)) => value.push(other),
                None => {}
            },
            other => value.push(other),
        }
    }
    (value, "")
}

/// `COPY t FROM stdin …`: lines of data follow.
fn copies_from_stdin(statement: &str) -> bool {
    let words = lower_words(statement);
    words.first().is_some_and(|first| first == "copy") && is_from_stdin(&words)
}

fn lower_words(statement: &str) -> Vec<String> {
    let code = statement
        .lines()
        .filter(|line| !line.trim_start().starts_with("--"));
    let words = code.flat_map(str::split_whitespace);
    words
        .map(|word| word.trim_end_matches(';').to_lowercase())
        .collect()
}

fn is_from_stdin(words: &[String]) -> bool {
    let mut pairs = words.windows(2);
    pairs.any(|pair| pair[0] == "from" && matches!(pair[1].as_str(), "stdin" | "pstdin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sql(text: &str) -> String {
        plain(text, &Variables::new()).sql
    }

    #[test]
    fn variables_are_replaced_in_all_forms() {
        let variables = Variables::from([
            ("id".to_owned(), "7".to_owned()),
            ("who".to_owned(), "it's".to_owned()),
        ]);
        let read = plain(
            "select :id::int, :'who', :\"who\", ':id', a[1:2], :unset -- :id\n",
            &variables,
        );
        assert_eq!(
            read.sql,
            "select 7::int, 'it''s', \"it's\", ':id', a[1:2], :unset -- :id\n"
        );
        let values = read.values.iter().map(|place| &read.sql[place.clone()]);
        assert_eq!(values.collect::<Vec<_>>(), ["7", "'it''s'"]);
        assert_eq!(
            sql("\\set a 'x y' 'z'\n\\set b :a\nselect :'b', :{?a};\n\\unset a\nselect :{?a}"),
            "\n\nselect 'x yz', TRUE;\n\nselect FALSE"
        );
    }

    #[test]
    fn commands_are_skipped_and_statements_executed() {
        let read = plain(
            "\\timing on\nselect 1 \\g out.txt\nselect 2 \\gset p_\n\\d t\nselect $1 \\bind 5 \\g\nselect 3\\; select 4;\n\\x \\\\ select 5;",
            &Variables::new(),
        );
        assert_eq!(
            read.sql,
            "\nselect 1 ;\nselect 2 ;\n\nselect $1 ;\nselect 3; select 4;\n select 5;"
        );
        let skipped = [
            (1, "\\timing on".to_owned()),
            (4, "\\d t".to_owned()),
            (7, "\\x".to_owned()),
        ];
        assert_eq!(read.skipped, skipped);
        let read = sql("select 1;\n\\if false\n\\q\n\\endif\nselect 2;\n\\q\nselect 3;");
        assert_eq!(read.trim_end(), "select 1;\n\n\n\nselect 2;");
        assert_eq!(
            sql("select E'\\'', '\\d', \"\\x\" -- \\d\n"),
            "select E'\\'', '\\d', \"\\x\" -- \\d\n"
        );
    }

    #[test]
    fn a_branch_that_only_a_server_can_decide_is_taken() {
        let read = plain(
            "select 7 > 5 as big \\gset\n\\if :big\nselect 1;\n\\elif false\nselect 2;\n\\else\nselect 3;\n\\endif\n\\if :{?big}\nselect 4;\n\\endif\n\\if nonsense\nselect 5;\n\\endif",
            &Variables::new(),
        );
        let left: Vec<&str> = read.sql.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(left, ["select 7 > 5 as big ;", "select 1;", "select 3;"]);
        assert_eq!(read.skipped, [(2, "\\if :big".to_owned())]);
    }

    #[test]
    fn an_unknown_variable_is_a_parameter_with_and_without_quotes() {
        assert_eq!(
            sql("select 1 from t where a = :x and b = :'y' and c = ':z'"),
            "select 1 from t where a = :x and b = :y and c = ':z'"
        );
    }

    #[test]
    fn only_the_branch_that_is_taken_is_left() {
        let text = "\\set n 1\n\\if :n\nselect 1;\n\\if false\nselect 2;\n\\else\nselect 3;\n\\endif\n\\elif true\nselect 4;\n\\else\nselect 5;\n\\endif\nselect 6;";
        let read = sql(text);
        let left: Vec<&str> = read.lines().filter(|line| !line.is_empty()).collect();
        assert_eq!(left, ["select 1;", "select 3;", "select 6;"]);
        assert_eq!(read.lines().count(), text.lines().count());
    }

    #[test]
    fn data_is_left_out() {
        let read = plain(
            "-- dump\nCOPY t (a, b) FROM stdin WITH (FORMAT text);\n1\ta;'b\n\\.\nselect 1;\n\\copy t from stdin\n2\n\\.\ncopy t to stdout;\nselect 2;",
            &Variables::new(),
        );
        assert_eq!(
            read.sql,
            "-- dump\nCOPY t (a, b) FROM stdin WITH (FORMAT text);\n\n\nselect 1;\n\n\n\ncopy t to stdout;\nselect 2;"
        );
        assert_eq!(read.data_blocks, 2);
    }

    proptest::proptest! {
        #[test]
        fn lines_keep_their_numbers(text in "[a-z'\"$;:{?}/*\\\\ \n]{0,60}") {
            let read = plain(&text, &Variables::new());
            proptest::prop_assert_eq!(read.sql.matches('\n').count(), text.matches('\n').count());
        }
    }
}
