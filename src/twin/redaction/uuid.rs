//! UUIDs as numbers, which sort like the UUIDs.

/// Reads a UUID as PostgreSQL writes it.
pub(super) fn read(text: &str) -> Option<u128> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    (digits.len() == 32).then(|| u128::from_str_radix(&digits, 16).ok())?
}

/// Writes it as PostgreSQL does.
pub(super) fn write(value: u128) -> String {
    let digits = format!("{value:032x}");
    let mut text = String::with_capacity(36);
    for (at, digit) in digits.chars().enumerate() {
        if matches!(at, 8 | 12 | 16 | 20) {
            text.push('-');
        }
        text.push(digit);
    }
    text
}
