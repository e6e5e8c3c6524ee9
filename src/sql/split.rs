//! Splitting a workload text into statements at its semicolons, as psql does
//! (src/fe_utils/psqlscan.l): literals, quoted identifiers, dollar quotes, nested comments and
//! parentheses are passed over; the text of a statement is never altered.

/// One statement of a text, with the comments directly above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece<'a> {
    /// The statement as written, without the semicolon and the `--` lines above it; empty for a
    /// lone semicolon.
    pub sql: &'a str,
    /// The `--` comment lines before it, without the dashes.
    pub comments: Vec<&'a str>,
    /// Where it begins in the text.
    pub start: usize,
    /// Line of its first character (of the semicolon when it is empty), counted from 1.
    pub line: usize,
}

/// The statements of the text in order. An unclosed quote or comment runs to the end: the server
/// will say what is wrong.
pub fn split(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = Scanner { text, position: 0 };
    loop {
        let comments = rest.leading_comments();
        let start = rest.position;
        let at_end = !rest.skip_to_semicolon();
        let sql = text[start..rest.position].trim_end();
        if !(at_end && sql.is_empty()) {
            pieces.push(Piece {
                sql,
                comments,
                start,
                line: 1 + text[..start].matches('\n').count(),
            });
        }
        if at_end {
            return pieces;
        }
        rest.position += 1;
    }
}

/// The highest `$n` outside literals and comments; 0 when the statement takes no parameters.
pub fn highest_parameter(sql: &str) -> usize {
    let mut highest = 0;
    let mut scanner = Scanner {
        text: sql,
        position: 0,
    };
    while let Some(byte) = scanner.peek() {
        let number = (byte == b'$' && !scanner.after_identifier())
            .then(|| digits_at(&sql[scanner.position + 1..]))
            .flatten();
        match number {
            Some((parameter, length)) => {
                highest = highest.max(parameter);
                scanner.position += 1 + length;
            }
            None => scanner.step(),
        }
    }
    highest
}

/// The characters of a text outside literals, quoted identifiers and comments, each with its place.
pub fn unquoted_characters(text: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut scanner = Scanner { text, position: 0 };
    std::iter::from_fn(move || {
        while let Some(character) = scanner.rest().chars().next() {
            let position = scanner.position;
            scanner.step();
            if scanner.position == position + character.len_utf8() {
                return Some((position, character));
            }
        }
        None
    })
}

fn digits_at(text: &str) -> Option<(usize, usize)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    Some((text[..length].parse().ok()?, length))
}

pub(super) struct Scanner<'a> {
    pub(super) text: &'a str,
    pub(super) position: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Scanner<'a> {
        Scanner { text, position: 0 }
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.position..]
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.position).copied()
    }

    /// Spaces and whole `--` lines before a statement.
    fn leading_comments(&mut self) -> Vec<&'a str> {
        let mut comments = Vec::new();
        loop {
            let blank = self.rest().len()
                - self
                    .rest()
                    .trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}')
                    .len();
            self.position += blank;
            let Some(comment) = self.rest().strip_prefix("--") else {
                return comments;
            };
            let comment = comment.split('\n').next().unwrap_or(comment);
            comments.push(comment.trim());
            self.position += 2 + comment.len();
        }
    }

    /// Moves to the next semicolon that ends a statement; false when the text ends first.
    fn skip_to_semicolon(&mut self) -> bool {
        let mut parentheses = 0usize;
        let mut body = Body::of(self.rest());
        while let Some(byte) = self.peek() {
            if byte.is_ascii_alphabetic() && !self.after_identifier() {
                body.word(self.rest());
            }
            match byte {
                b';' if parentheses == 0 && body.depth == 0 => return true,
                b'(' => parentheses += 1,
                b')' => parentheses = parentheses.saturating_sub(1),
                _ => {}
            }
            self.step();
        }
        false
    }

    /// One character, or one whole quoted thing.
    pub(super) fn step(&mut self) {
        let rest = self.rest();
        let length = match rest.as_bytes() {
            [b'\'', ..] => quoted_length(rest, '\'', self.after_escape_prefix()),
            [b'"', ..] => quoted_length(rest, '"', false),
            [b'-', b'-', ..] => rest.find('\n').unwrap_or(rest.len()),
            [b'/', b'*', ..] => block_comment_length(rest),
            [b'$', ..] if !self.after_identifier() => dollar_quote_length(rest).unwrap_or(1),
            _ => rest.chars().next().map_or(1, char::len_utf8),
        };
        self.position += length;
    }

    /// Is this quote the one of `E'…'`, where a backslash escapes?
    fn after_escape_prefix(&self) -> bool {
        let before = &self.text[..self.position];
        let mut characters = before.chars().rev();
        matches!(characters.next(), Some('e' | 'E'))
            && !characters.next().is_some_and(is_identifier_character)
    }

    /// `a$b$` is one identifier, no dollar quote.
    fn after_identifier(&self) -> bool {
        self.text[..self.position]
            .chars()
            .next_back()
            .is_some_and(is_identifier_character)
    }
}

/// The body of a function in SQL (`BEGIN ATOMIC … END`), in which semicolons end no statement.
struct Body {
    is_function: bool,
    depth: usize,
}

impl Body {
    fn of(statement: &str) -> Body {
        let mut words = statement.split_whitespace().map(str::to_ascii_lowercase);
        let is_create = words.next().is_some_and(|word| word == "create");
        let mut words = words.skip_while(|word| word == "or" || word == "replace");
        let is_function = words
            .next()
            .is_some_and(|word| matches!(word.as_str(), "function" | "procedure"));
        Body {
            is_function: is_create && is_function,
            depth: 0,
        }
    }

    /// Counts as psql does: BEGIN, CASE within it, and END.
    fn word(&mut self, text: &str) {
        if !self.is_function {
            return;
        }
        let end = text
            .find(|c| !is_identifier_character(c))
            .unwrap_or(text.len());
        let word = &text[..end];
        if word.eq_ignore_ascii_case("begin") || self.depth > 0 && word.eq_ignore_ascii_case("case")
        {
            self.depth += 1;
        } else if word.eq_ignore_ascii_case("end") {
            self.depth = self.depth.saturating_sub(1);
        }
    }
}

fn is_identifier_character(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == '$' || !character.is_ascii()
}

/// A doubled quote needs no rule of its own: it ends one literal and starts the next.
fn quoted_length(rest: &str, quote: char, backslash_escapes: bool) -> usize {
    let mut escaped = false;
    for (position, character) in rest.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' if backslash_escapes => escaped = true,
            end if end == quote => return position + 1,
            _ => {}
        }
    }
    rest.len()
}

fn block_comment_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let (mut position, mut depth) = (2, 1usize);
    while position < bytes.len() && depth > 0 {
        match bytes[position..] {
            [b'/', b'*', ..] => (position, depth) = (position + 2, depth + 1),
            [b'*', b'/', ..] => (position, depth) = (position + 2, depth - 1),
            _ => position += 1,
        }
    }
    position
}

fn dollar_quote_length(rest: &str) -> Option<usize> {
    let tag_end = 1 + rest[1..].find('$')?;
    let tag = &rest[1..tag_end];
    let valid = tag.chars().all(|c| c.is_alphanumeric() || c == '_')
        && !tag.starts_with(|c: char| c.is_ascii_digit());
    if !valid {
        return None;
    }
    let delimiter = &rest[..=tag_end];
    let body = &rest[delimiter.len()..];
    Some(
        body.find(delimiter)
            .map_or(rest.len(), |end| end + 2 * delimiter.len()),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statements(text: &str) -> Vec<&str> {
        split(text).into_iter().map(|piece| piece.sql).collect()
    }

    #[test]
    fn semicolons_inside_quotes_and_comments_do_not_split() {
        for whole in [
            "select ';'",
            "select 'it''s; fine'",
            "select E'a\\';b'",
            "select \"a;b\"",
            "select $$a;b$$",
            "select $x$ $$;$$ ; $x$",
            "select 1 /* ; /* ; */ ; */ + 1",
            "select 1 -- ;\n + 1",
            "create rule r as on insert to t do also (select 1; select 2)",
            "select a$b$c",
            "create or replace function f() returns int begin atomic select case when a then 1 end from t; select 2; end",
        ] {
            assert_eq!(
                statements(&format!("{whole};select 2")),
                [whole, "select 2"],
                "{whole}"
            );
        }
        assert_eq!(
            statements(r"select 'a\';select 2"),
            [r"select 'a\'", "select 2"],
            "no backslash escapes outside E''"
        );
        assert_eq!(statements("select nameE';'"), ["select nameE';'"]);
    }

    #[test]
    fn text_is_never_altered() {
        let text = "SELECT  'A  b' ,\n\tX -- tail\n FROM T";
        assert_eq!(statements(text), [text]);
    }

    #[test]
    fn comments_and_lines_belong_to_the_statement_below() {
        let text =
            "-- name: one\n-- calls: 3\nselect 1;\n\n-- name: two\n\nselect 2\n;\n-- the end\n";
        let pieces = split(text);
        assert_eq!(pieces.len(), 2);
        assert_eq!(
            pieces[0],
            Piece {
                sql: "select 1",
                comments: vec!["name: one", "calls: 3"],
                start: text.find("select 1").unwrap(),
                line: 3
            }
        );
        assert_eq!(
            pieces[1],
            Piece {
                sql: "select 2",
                comments: vec!["name: two"],
                start: text.find("select 2").unwrap(),
                line: 7
            }
        );
    }

    #[test]
    fn empty_statements_are_kept_and_unclosed_quotes_run_to_the_end() {
        assert_eq!(
            statements("select 1;;select 2"),
            ["select 1", "", "select 2"]
        );
        assert_eq!(statements("select 'a; select 2"), ["select 'a; select 2"]);
        assert_eq!(statements("select 1 /* open ;"), ["select 1 /* open ;"]);
        assert_eq!(statements("\u{feff}select 1"), ["select 1"]);
        assert_eq!(statements("  \n -- nothing\n"), [""; 0]);
        assert_eq!(
            statements("/*+ SeqScan(t) */ select 1"),
            ["/*+ SeqScan(t) */ select 1"]
        );
    }

    #[test]
    fn parameters_are_counted_outside_quotes() {
        assert_eq!(
            highest_parameter("select $1, $12 from t where a = '$40' -- $50\n and b = $$ $60 $$"),
            12
        );
        assert_eq!(highest_parameter("select a$1 from t"), 0);
    }

    proptest::proptest! {
        #[test]
        fn any_text_splits_into_parts_of_itself(text in "[a-z'\"$;/*\\-\n E(]{0,60}") {
            let mut from = 0;
            for piece in split(&text) {
                let found = text[from..].find(piece.sql);
                proptest::prop_assert!(found.is_some());
                from += found.unwrap() + piece.sql.len();
            }
        }
    }
}
