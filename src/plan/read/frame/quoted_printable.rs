//! Mails as they are sent (quoted-printable, RFC 2045 section 6.7): `=3D` for `=`, and `=` at the end
//! of a line that goes on.

use std::borrow::Cow;

use super::line::FramedLine;

pub(super) fn strip(lines: &mut Vec<FramedLine<'_>>) -> bool {
    let is_encoded = lines.iter().any(|line| {
        ["(cost=3D", "time=3D", "rows=3D", " =3D "]
            .iter()
            .any(|mark| line.text.contains(mark))
    });
    if !is_encoded {
        return false;
    }
    let mut decoded: Vec<FramedLine<'_>> = Vec::with_capacity(lines.len());
    let mut goes_on = false;
    for line in lines.iter() {
        let trimmed = line.text.trim_end();
        let (text, continues) = match trimmed.strip_suffix('=') {
            Some(text) => (text, true),
            None => (trimmed, false),
        };
        match decoded.last_mut() {
            Some(last) if goes_on => last.text.to_mut().push_str(text),
            _ => decoded.push(FramedLine {
                number: line.number,
                text: Cow::Owned(text.to_owned()),
            }),
        }
        goes_on = continues;
    }
    for line in &mut decoded {
        line.text = Cow::Owned(plain(&line.text));
    }
    *lines = decoded;
    true
}

fn plain(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind
            .get(..2)
            .filter(|_| *first == b'=')
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
