//! Decodes bytes to text: UTF-8, or UTF-16 as Windows editors and PowerShell's `>` write it.

use std::borrow::Cow;

use super::error::{FilePosition, ReadError, Reason};

/// The text of a file, without its byte order mark.
pub(crate) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, ReadError> {
    match bytes {
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
    let mut text = String::with_capacity(bytes.len() / 2);
    for character in char::decode_utf16(pairs.iter().map(|pair| unit(*pair))) {
        match character {
            Ok(character) => text.push(character),
            Err(_) => {
                return Err(ReadError {
                    position: Some(end_position(&text)),
                    reason: Reason::NotText,
                });
            }
        }
    }
    if !rest.is_empty() {
        return Err(ReadError {
            position: Some(end_position(&text)),
            reason: Reason::Truncated("a UTF-16 character"),
        });
    }
    Ok(text)
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
        assert_eq!(decode(text.as_bytes()).unwrap(), text);
        assert_eq!(decode(format!("\u{feff}{text}").as_bytes()).unwrap(), text);
        for mark in [true, false] {
            assert_eq!(
                decode(&utf16_bytes(text, mark, u16::to_le_bytes)).unwrap(),
                text
            );
            assert_eq!(
                decode(&utf16_bytes(text, mark, u16::to_be_bytes)).unwrap(),
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
}
