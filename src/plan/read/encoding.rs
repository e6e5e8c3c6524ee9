//! Decodes bytes to text: UTF-8, UTF-16 as Windows editors and PowerShell's `>` write it, UTF-32, and
//! what is a plan in one of the encodings that have a byte for each letter of western Europe.

use std::borrow::Cow;

use super::error::{FilePosition, ReadError, Reason};

/// The text of a file, without its byte order mark.
pub(crate) fn decode(bytes: &[u8]) -> Result<Decoded<'_>, ReadError> {
    // Some programs fill a block of a file with zeros.
    let end = bytes.iter().rposition(|byte| *byte != 0);
    let bytes_of_text = bytes.get(..=end.unwrap_or(0)).unwrap_or_default();
    if !is_binary(bytes_of_text)
        && std::str::from_utf8(bytes_of_text).is_err()
        && let Some(text) = western(bytes_of_text)
    {
        return Ok(Decoded {
            text: Cow::Owned(text),
            is_guessed: true,
        });
    }
    // In UTF-16 and UTF-32 zeros are half of a character.
    let is_filled = bytes.len() - bytes_of_text.len() > 3 && !is_binary(bytes_of_text);
    let text = unicode(if is_filled { bytes_of_text } else { bytes })?;
    Ok(Decoded {
        text,
        is_guessed: false,
    })
}

/// The text of a file.
#[derive(Debug)]
pub(crate) struct Decoded<'b> {
    /// The text.
    pub(crate) text: Cow<'b, str>,
    /// Is its encoding a guess, so that letters which are not ASCII may be others?
    pub(crate) is_guessed: bool,
}

/// What the bytes from 0x80 to 0x9f are in Windows-1252, which has ISO 8859-1 for the rest. Those
/// without a character have none here either.
const WINDOWS_1252: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";

/// A plan in Windows-1252; none for a text in which no plan is seen.
fn western(bytes: &[u8]) -> Option<String> {
    let marks: [&[u8]; 5] = [
        b"(cost=",
        b"(actual ",
        b"\"Node Type\"",
        b"Node Type:",
        b"<Node-Type>",
    ];
    let has = |mark: &&[u8]| bytes.windows(mark.len()).any(|part| part == *mark);
    let high: Vec<char> = WINDOWS_1252.chars().collect();
    let character = |byte: &u8| match byte {
        0x80..=0x9f => high.get(usize::from(byte - 0x80)).copied(),
        byte => Some(char::from(*byte)),
    };
    marks
        .iter()
        .any(has)
        .then(|| bytes.iter().filter_map(character).collect())
}

fn unicode(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    match bytes {
        [0xff, 0xfe, 0, 0, rest @ ..] => utf32(rest, u32::from_le_bytes).map(Cow::Owned),
        [0, 0, 0xfe, 0xff, rest @ ..] => utf32(rest, u32::from_be_bytes).map(Cow::Owned),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes).map(Cow::Owned),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes).map(Cow::Owned),
        // Without a byte order mark: plans are mostly ASCII, where every second byte is zero.
        [low, 0, low2, 0, ..] if is_text(*low) && is_text(*low2) => {
            utf16(bytes, u16::from_le_bytes).map(Cow::Owned)
        }
        [0, high, 0, high2, ..] if is_text(*high) && is_text(*high2) => {
            utf16(bytes, u16::from_be_bytes).map(Cow::Owned)
        }
        _ if is_binary(bytes) => Err(ReadError::whole(Reason::Binary)),
        _ => utf8(bytes),
    }
}

fn is_text(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~')
}

/// Is there a zero byte in the first kilobytes? `git diff` and `grep` test the same.
fn is_binary(bytes: &[u8]) -> bool {
    const MAX_SEARCHED_BYTES: usize = 8000;
    bytes.iter().take(MAX_SEARCHED_BYTES).any(|byte| *byte == 0)
}

fn utf8(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(Cow::Borrowed(text.strip_prefix('\u{feff}').unwrap_or(text))),
        Err(error) => {
            let valid = bytes.get(..error.valid_up_to()).unwrap_or_default();
            let position = end_position(&String::from_utf8_lossy(valid));
            Err(ReadError {
                position: Some(position),
                reason: Reason::NotText,
            })
        }
    }
}

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, ReadError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let characters = char::decode_utf16(pairs.iter().map(|pair| unit(*pair)));
    of_units(characters.map(Result::ok), rest, "a UTF-16 character")
}

fn utf32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Result<String, ReadError> {
    let (units, rest) = bytes.as_chunks::<4>();
    let characters = units.iter().map(|bytes| char::from_u32(unit(*bytes)));
    of_units(characters, rest, "a UTF-32 character")
}

/// The text of these characters, up to one that is none, and what is left of an incomplete one.
fn of_units(
    characters: impl Iterator<Item = Option<char>>,
    rest: &[u8],
    unit: &'static str,
) -> Result<String, ReadError> {
    let mut text = String::new();
    let error = |text: &str, reason| ReadError {
        position: Some(end_position(text)),
        reason,
    };
    for character in characters {
        match character {
            Some(character) => text.push(character),
            None => return Err(error(&text, Reason::NotText)),
        }
    }
    if rest.is_empty() {
        Ok(text)
    } else {
        Err(error(&text, Reason::Truncated(unit)))
    }
}

/// The position after the last character of a text.
pub(crate) fn end_position(text: &str) -> FilePosition {
    let line_start = text.rfind('\n').map_or(0, |newline| newline + 1);
    let column = text.get(line_start..).unwrap_or_default().chars().count() + 1;
    FilePosition {
        line: 1 + text.bytes().filter(|byte| *byte == b'\n').count(),
        column: Some(column),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn utf16_bytes(text: &str, mark: bool, encode: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let marked = format!("{}{text}", if mark { "\u{feff}" } else { "" });
        marked.encode_utf16().flat_map(encode).collect()
    }

    #[test]
    fn every_encoding_gives_the_same_text() {
        let text = "Seq Scan on größe ☃";
        assert_eq!(decode(text.as_bytes()).unwrap().text, text);
        assert_eq!(
            decode(format!("\u{feff}{text}").as_bytes()).unwrap().text,
            text
        );
        for mark in [true, false] {
            assert_eq!(
                decode(&utf16_bytes(text, mark, u16::to_le_bytes))
                    .unwrap()
                    .text,
                text
            );
            assert_eq!(
                decode(&utf16_bytes(text, mark, u16::to_be_bytes))
                    .unwrap()
                    .text,
                text
            );
        }
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_place() {
        let error = decode(b"one\ntw\xff\xfeo").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2, column 3: neither UTF-8 nor UTF-16"
        );
        assert_eq!(
            decode(b"PGDMP\0\x01\0\x0e").unwrap_err().reason,
            Reason::Binary
        );
        assert!(decode(b"\xff\xfea\0b").is_err());
        assert!(decode(b"\xff\xfe\x00\xd8a\0").is_err());
    }

    #[test]
    fn utf32_is_read_by_its_mark() {
        let text = "Seq Scan on größe ☃";
        let marked = || format!("\u{feff}{text}");
        let little: Vec<u8> = marked()
            .chars()
            .flat_map(|c| u32::from(c).to_le_bytes())
            .collect();
        let big: Vec<u8> = marked()
            .chars()
            .flat_map(|c| u32::from(c).to_be_bytes())
            .collect();
        assert_eq!(decode(&little).unwrap().text, text);
        assert_eq!(decode(&big).unwrap().text, text);
        assert!(decode(&little[..little.len() - 1]).is_err());
    }

    #[test]
    fn a_plan_in_an_older_encoding_is_read_and_that_is_known() {
        let bytes = b"Seq Scan on gr\xf6\xdfe  (cost=0.00..1.00 rows=1 width=4) \x96 slow";
        let decoded = decode(bytes).unwrap();
        assert!(decoded.is_guessed);
        assert_eq!(
            decoded.text,
            "Seq Scan on größe  (cost=0.00..1.00 rows=1 width=4) – slow"
        );
        assert!(decode(b"no plan: gr\xf6\xdfe").is_err());
    }

    #[test]
    fn zeros_behind_a_text_are_no_part_of_it() {
        let mut bytes = b"Result  (cost=0.00..0.01 rows=1 width=4)\n".to_vec();
        let text = String::from_utf8(bytes.clone()).unwrap();
        bytes.extend([0; 16]);
        assert_eq!(decode(&bytes).unwrap().text, text);
    }
}
