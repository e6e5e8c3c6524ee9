//! Lists in parentheses, as in CREATE TABLE: quotes and parentheses within are passed over.

/// The text before the first parenthesis, in it, and behind it.
pub(super) fn enclosed(sql: &str) -> Option<(&str, &str, &str)> {
    let open = sql.find('(')?;
    let mut scan = Scan::default();
    let close = sql
        .char_indices()
        .skip_while(|(place, _)| *place < open)
        .find(|(_, c)| {
            scan.pass(*c);
            scan.depth == 0
        })?
        .0;
    Some((
        sql.get(..open)?,
        sql.get(open + 1..close)?,
        sql.get(close + 1..)?,
    ))
}

/// The parts between commas that are in no parentheses and no quotes.
pub(super) fn parts(list: &str) -> Vec<String> {
    let mut scan = Scan::default();
    let mut parts = vec![String::new()];
    for c in list.chars() {
        scan.pass(c);
        match parts.last_mut() {
            Some(part) if c != ',' || !scan.is_outside() => part.push(c),
            _ => parts.push(String::new()),
        }
    }
    let parts = parts.into_iter().map(|part| part.trim().to_owned());
    parts.filter(|part| !part.is_empty()).collect()
}

/// Where a scan is.
#[derive(Default)]
struct Scan {
    depth: usize,
    quote: Option<char>,
}

impl Scan {
    fn pass(&mut self, c: char) {
        match (self.quote, c) {
            (Some(quote), c) if quote == c => self.quote = None,
            (None, '\'' | '"') => self.quote = Some(c),
            (None, '(' | '[') => self.depth += 1,
            (None, ')' | ']') => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }

    fn is_outside(&self) -> bool {
        self.depth == 0 && self.quote.is_none()
    }
}
