//! The shape of a statement: its text with `0` for each number and string, without comments, and
//! with lists of constants cut short. Texts of one shape have one [`fingerprint`], and the shape is
//! found without reading tokens: a log has few shapes and many texts.
//!
//! [`fingerprint`]: super::fingerprint::fingerprint

use super::fingerprint::MAX_TEXT_BYTES;

/// Writes the shape of a text. False where a text has more than that: several statements, nested
/// comments, quotes of other kinds; `shape` then holds nothing of use.
pub fn write_shape(sql: &str, shape: &mut Vec<u8>) -> bool {
    shape.clear();
    if sql.len() > MAX_TEXT_BYTES {
        return false;
    }
    let mut reader = Reader {
        bytes: sql.as_bytes(),
        at: 0,
        in_word: false,
        shape,
    };
    while reader.at < reader.bytes.len() {
        if reader.step().is_none() {
            return false;
        }
    }
    shape.truncate(shape.trim_ascii_end().len());
    true
}

struct Reader<'t> {
    bytes: &'t [u8],
    at: usize,
    /// Is the byte before a part of a word or number?
    in_word: bool,
    shape: &'t mut Vec<u8>,
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || byte >= 0x80
}

/// What operators are made of: a comment does not begin within one.
fn is_operator(byte: u8) -> bool {
    b"+-*/<>=~!@#%^&|`?".contains(&byte)
}

impl Reader<'_> {
    /// Takes a token, or a part of one; none where the text has no shape.
    fn step(&mut self) -> Option<()> {
        let byte = *self.bytes.get(self.at)?;
        let next = self.bytes.get(self.at + 1).copied();
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' | 0x80.. => self.word(),
            b'0'..=b'9' => self.number(),
            b'$' if self.in_word || !next.is_some_and(|next| next.is_ascii_digit()) => return None,
            b'$' => {
                self.shape.push(b'$');
                self.at += 1;
                self.number();
            }
            b'\'' => self.string()?,
            b'"' => self.quoted_name()?,
            b'-' if next == Some(b'-') => self.line_comment()?,
            b'/' if next == Some(b'*') => self.block_comment()?,
            b';' => return None,
            byte if byte.is_ascii_whitespace() => {
                self.blank();
                self.at += 1;
            }
            byte => {
                self.shape.push(byte);
                self.at += 1;
                self.in_word = false;
                if byte == b')' {
                    shorten_list(self.shape);
                }
            }
        }
        Some(())
    }

    fn blank(&mut self) {
        if !matches!(self.shape.last(), None | Some(b' ')) {
            self.shape.push(b' ');
        }
        self.in_word = false;
    }

    fn word(&mut self) {
        let rest = &self.bytes[self.at..];
        let is_part = |byte: &u8| is_word(*byte) && *byte != b'$';
        let length = rest.iter().take_while(|byte| is_part(byte)).count();
        self.shape.extend_from_slice(&rest[..length]);
        self.at += length;
        self.in_word = true;
    }

    fn number(&mut self) {
        if self.in_word {
            self.word();
            return;
        }
        let rest = &self.bytes[self.at..];
        let is_digit = |byte: &u8| byte.is_ascii_digit() || *byte == b'.';
        self.at += rest.iter().take_while(|byte| is_digit(byte)).count();
        self.shape.push(b'0');
        self.in_word = true;
    }

    fn string(&mut self) -> Option<()> {
        if self.in_word {
            return None;
        }
        let mut end = self.at + 1;
        loop {
            end += 1 + self
                .bytes
                .get(end..)?
                .iter()
                .position(|byte| *byte == b'\'')?;
            if self.bytes.get(end) != Some(&b'\'') {
                break;
            }
            end += 1;
        }
        self.at = end;
        self.shape.push(b'0');
        Some(())
    }

    fn quoted_name(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.at + 1..)?;
        let end = self.at + 2 + rest.iter().position(|byte| *byte == b'"')?;
        self.shape.extend_from_slice(&self.bytes[self.at..end]);
        self.at = end;
        self.in_word = false;
        Some(())
    }

    fn line_comment(&mut self) -> Option<()> {
        self.comment_may_begin()?;
        let rest = &self.bytes[self.at..];
        let length = rest.iter().position(|byte| *byte == b'\n');
        let length = length.unwrap_or(rest.len());
        if rest[..length].contains(&b'\r') {
            return None;
        }
        self.at += length;
        self.blank();
        Some(())
    }

    fn block_comment(&mut self) -> Option<()> {
        self.comment_may_begin()?;
        let inside = self.bytes.get(self.at + 2..)?;
        let length = inside.windows(2).position(|pair| pair == b"*/")?;
        // `/*/` opens a second comment.
        if inside[..=length].windows(2).any(|pair| pair == b"/*") {
            return None;
        }
        self.at += length + 4;
        self.blank();
        Some(())
    }

    fn comment_may_begin(&self) -> Option<()> {
        let before = self.shape.last();
        (!before.is_some_and(|before| is_operator(*before))).then_some(())
    }
}

/// `in (0, 0, 0)` becomes `in (0)`, and `values (0, 0), (0, 0)` becomes `values (0, 0)`, as in a
/// fingerprint. The shape ends with the list.
fn shorten_list(shape: &mut Vec<u8>) {
    let Some(start) = list_start(shape) else {
        return;
    };
    if ends_with_word(&shape[..start], b"in") {
        shape.truncate(start + 1);
        shape.extend_from_slice(b"0)");
        return;
    }
    let (before, row) = shape.split_at(start);
    let rows = before.trim_ascii_end().strip_suffix(b",");
    let rows = rows.map(<[u8]>::trim_ascii_end);
    let Some(first) = rows.and_then(|rows| rows.strip_suffix(row)) else {
        return;
    };
    if ends_with_word(first, b"values") {
        let length = first.len() + row.len();
        shape.truncate(length);
    }
}

/// Where a list of constants that ends the shape begins; none where it has something else.
fn list_start(shape: &[u8]) -> Option<usize> {
    let inside = shape.strip_suffix(b")")?;
    let is_constant = |byte: &u8| matches!(byte, b'0' | b',' | b' ' | b'$');
    let length = inside.iter().rev().take_while(|byte| is_constant(byte));
    let length = length.count();
    let start = (inside.len() - length).checked_sub(1)?;
    let has_any = inside[start + 1..].iter().any(|byte| *byte != b' ');
    (inside[start] == b'(' && has_any).then_some(start)
}

fn ends_with_word(text: &[u8], word: &[u8]) -> bool {
    let text = text.trim_ascii_end();
    let Some(start) = text.len().checked_sub(word.len()) else {
        return false;
    };
    let before = start.checked_sub(1).map(|before| text[before]);
    text[start..].eq_ignore_ascii_case(word)
        && !before.is_some_and(|before| is_word(before) || before == b'"')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::fingerprint::fingerprint;

    fn shape(sql: &str) -> Option<String> {
        let mut shape = Vec::new();
        write_shape(sql, &mut shape).then(|| String::from_utf8(shape).unwrap())
    }

    #[test]
    fn texts_of_one_shape_have_one_fingerprint() {
        for texts in [
            [
                "select t1.a from t1 where b = 12 and c = 'it''s' limit $2",
                "select t1.a from t1 where b = 'x' and c = 1.5  limit $13",
            ],
            [
                "select a -- of all\nfrom t where b in (1, 'x\\', $3) /* trace=17 */",
                "select a from t where b in ($1) -- trace=18",
            ],
            [
                "insert into t values (1, 'a'), (2, 'b'), (3, 'c')",
                "insert into t values (7, 'b')",
            ],
        ] {
            let shapes = texts.map(|text| shape(text).unwrap());
            assert_eq!(shapes[0], shapes[1]);
            assert_eq!(fingerprint(texts[0]), fingerprint(texts[1]));
        }
    }

    #[test]
    fn other_texts_have_another_shape_or_none() {
        for [one, other] in [
            ["select t1.a", "select t2.a"],
            ["select \"a1\"", "select \"a2\""],
            ["select f(1)", "select f(1, 2)"],
            ["select within(1)", "select within(1, 2)"],
            ["select \"in\"(1)", "select \"in\"(1, 2)"],
            ["select (1, 2), (1, 2)", "select (1, 2)"],
        ] {
            assert_ne!(shape(one), shape(other), "{one}");
        }
        for text in [
            "select 1; select 2",
            "select /* x /* y */ */ 1",
            "select /* x",
            "select a <--x\n b",
            "select E'a'",
            "select $$x$$",
            "select a$1",
            "select 'a",
        ] {
            assert_eq!(shape(text), None, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn equal_shapes_are_equal_statements(
            one in "([a-z1-9'\"$ .,=()\\\\/*\n-]| in ?\\(| values ?\\(|--|/\\*|\\*/|, ?1|\\), ?\\(){0,24}",
            other in "([a-z1-9'\"$ .,=()\\\\/*\n-]| in ?\\(| values ?\\(|--|/\\*|\\*/|, ?1|\\), ?\\(){0,24}",
        ) {
            // Texts that differ in their constants, comments and lists only.
            let with = |number: &str| one.replace('1', number);
            let others = [
                other, with("2"), with("37"), with("'x'"), with("1, 2"), one.replace(')', ", 1)"),
                one.replace(' ', "/* x */"), one.replace('\n', "-- x\n"), one.replace(')', "), (1)"),
            ];
            for other in others {
                let (a, b) = (shape(&one), shape(&other));
                if a.is_some() && a == b {
                    proptest::prop_assert_eq!(fingerprint(&one), fingerprint(&other), "{} {}", one, other);
                }
            }
        }
    }
}
