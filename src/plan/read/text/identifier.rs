//! Names as `quote_identifier` prints them: bare, or in double quotes with quotes doubled.

/// The first name of a text, without its quotes, and the text after it.
pub(super) fn take(text: &str) -> Option<(String, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        return take_quoted(quoted);
    }
    let end = text.find([' ', '.', '"']).unwrap_or(text.len());
    if end == 0 {
        return None;
    }
    Some((text.get(..end)?.to_owned(), text.get(end..)?))
}

fn take_quoted(text: &str) -> Option<(String, &str)> {
    let mut name = String::new();
    let mut rest = text;
    loop {
        let end = rest.find('"')?;
        name.push_str(rest.get(..end)?);
        rest = rest.get(end + 1..)?;
        match rest.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => return Some((name, rest)),
        }
    }
}

/// The offset of a word outside of quoted names.
pub(super) fn find_outside_quotes(text: &str, word: &str) -> Option<usize> {
    let mut in_quotes = false;
    for (at, byte) in text.bytes().enumerate() {
        if byte == b'"' {
            in_quotes = !in_quotes;
        } else if !in_quotes && text.get(at..).is_some_and(|rest| rest.starts_with(word)) {
            return Some(at);
        }
    }
    None
}

/// Splits at the commas outside of parentheses, brackets and quotes.
pub(super) fn split_list(text: &str) -> Vec<String> {
    let (mut items, mut from, mut depth) = (Vec::new(), 0, 0usize);
    let (mut in_quote, mut in_name) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'\'' if !in_name => in_quote = !in_quote,
            b'"' if !in_quote => in_name = !in_name,
            _ if in_quote || in_name => {}
            b'(' | b'[' => depth += 1,
            b')' | b']' => depth = depth.saturating_sub(1),
            b',' if depth == 0 => {
                items.push(text.get(from..at).unwrap_or_default().trim().to_owned());
                from = at + 1;
            }
            _ => {}
        }
    }
    items.push(text.get(from..).unwrap_or_default().trim().to_owned());
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_with_and_without_quotes() {
        assert_eq!(
            take("shop.orders o"),
            Some(("shop".to_owned(), ".orders o"))
        );
        assert_eq!(
            take("\"Odd \"\" Name\" x"),
            Some(("Odd \" Name".to_owned(), " x"))
        );
        assert_eq!(take("\"open"), None);
        assert_eq!(
            find_outside_quotes("Seq Scan \" on \" on t", " on "),
            Some(15)
        );
    }

    #[test]
    fn lists_split_at_their_own_commas() {
        assert_eq!(
            split_list("a, f(b, c), 'x, y'::text, \"p,q\""),
            ["a", "f(b, c)", "'x, y'::text", "\"p,q\""]
        );
    }
}
