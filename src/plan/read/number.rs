//! Numbers as EXPLAIN writes them, kept as they are: whole ones stay whole.

use serde_json::{Number, Value};

/// The number in this text; none when it is not finite or not a number of JSON's grammar.
pub(crate) fn number(text: &str) -> Option<Value> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    if !digits.starts_with(|first: char| first.is_ascii_digit())
        || !digits.ends_with(|last: char| last.is_ascii_digit())
    {
        return None;
    }
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        if digits.len() > 1 && digits.starts_with('0') {
            return None;
        }
        if let Ok(whole) = text.parse::<i64>() {
            return Some(Value::Number(whole.into()));
        }
        if let Ok(whole) = text.parse::<u64>() {
            return Some(Value::Number(whole.into()));
        }
    }
    if !digits
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return None;
    }
    // f64's parser accepts "1.e5", which JSON's grammar does not; reading it does no harm.
    text.parse::<f64>()
        .ok()
        .and_then(Number::from_f64)
        .map(Value::Number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn whole_numbers_stay_whole_and_the_rest_is_refused() {
        assert_eq!(number("5"), Some(json!(5)));
        assert_eq!(
            number("-7912673676002710456"),
            Some(json!(-7_912_673_676_002_710_456_i64))
        );
        assert_eq!(number("18446744073709551615"), Some(json!(u64::MAX)));
        assert_eq!(number("0.00"), Some(json!(0.0)));
        assert_eq!(number("1e3"), Some(json!(1000.0)));
        assert_eq!(number("100000000000000000000000"), Some(json!(1e23)));
        for bad in [
            "", "-", "NaN", "Infinity", "1e400", "1.", ".5", "0x10", "12kB", "1 2", "007",
        ] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }
}
