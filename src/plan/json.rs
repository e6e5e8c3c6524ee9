//! Reads `EXPLAIN (FORMAT JSON)`: one object, or the list of objects that EXPLAIN prints.

use serde::Deserialize;
use serde_json::Value;

use super::{Plan, PlanError};

/// Nesting beyond this is refused before it is parsed; a plan level takes two levels of JSON.
const DEEPEST_JSON: usize = 2 * super::DEEPEST_PLAN + 16;

/// Why a text could not be read as plans.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// No JSON; the place is line and column, counted from 1.
    #[error("line {line}, column {column}: {reason}")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong there.
        reason: String,
    },
    /// JSON, but no plan.
    #[error("plan {number}: {reason}")]
    NoPlan {
        /// Which of the file's plans, from 1.
        number: usize,
        /// What is wrong with it.
        reason: PlanError,
    },
    /// An empty list.
    #[error("there is no plan in it")]
    Empty,
    /// Nested deeper than anything real.
    #[error("the JSON is nested more than {0} levels deep")]
    TooDeep(usize),
}

/// Reads all plans of a text.
///
/// # Errors
/// When the text is no JSON, holds no plan, or is nested too deeply.
pub fn read(text: &str) -> Result<Vec<Plan>, ReadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if deepest_nesting(text) > DEEPEST_JSON {
        return Err(ReadError::TooDeep(DEEPEST_JSON));
    }
    let plans = match parse(text)? {
        Value::Array(plans) => plans,
        single => vec![single],
    };
    if plans.is_empty() {
        return Err(ReadError::Empty);
    }
    let numbered = plans.into_iter().enumerate();
    numbered
        .map(|(index, plan)| Plan::from_json(plan).map_err(|reason| ReadError::NoPlan { number: index + 1, reason }))
        .collect()
}

/// `serde_json` refuses 128 levels by default; real plans have more. The stack grows with them.
fn parse(text: &str) -> Result<Value, ReadError> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer.disable_recursion_limit();
    let value =
        Value::deserialize(serde_stacker::Deserializer::new(&mut deserializer)).map_err(|error| not_json(&error))?;
    deserializer.end().map_err(|error| not_json(&error))?;
    Ok(value)
}

fn not_json(error: &serde_json::Error) -> ReadError {
    let full = error.to_string();
    let reason = full.split(" at line ").next().unwrap_or(&full).to_owned();
    ReadError::NotJson { line: error.line(), column: error.column(), reason }
}

fn deepest_nesting(text: &str) -> usize {
    let (mut depth, mut deepest) = (0usize, 0usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCAN: &str = r#"{"Plan": {"Node Type": "Seq Scan", "Total Cost": 1.5}}"#;

    #[test]
    fn reads_one_several_and_a_byte_order_mark() {
        assert_eq!(read(SCAN).unwrap().len(), 1);
        assert_eq!(read(&format!("[{SCAN},{SCAN}]")).unwrap().len(), 2);
        assert_eq!(read(&format!("\u{feff}[{SCAN}]")).unwrap().len(), 1);
    }

    #[test]
    fn errors_name_the_place() {
        assert_eq!(
            read("[\n {\"Plan\": oops}]"),
            Err(ReadError::NotJson { line: 2, column: 11, reason: "expected value".to_owned() })
        );
        assert!(matches!(read(&format!("[{SCAN}, 5]")), Err(ReadError::NoPlan { number: 2, .. })));
        assert_eq!(read("[]"), Err(ReadError::Empty));
        assert!(matches!(read(""), Err(ReadError::NotJson { .. })));
        assert!(matches!(read(&format!("{SCAN} trailing")), Err(ReadError::NotJson { .. })));
    }

    #[test]
    fn a_thousand_levels_are_read_and_a_million_refused() {
        let levels = 1_000;
        let mut text = r#"{"Plan":"#.to_owned();
        text += &r#"{"Node Type":"Append","Plans":["#.repeat(levels);
        text += r#"{"Node Type":"Result"}"#;
        text += &"]}".repeat(levels);
        text += "}";
        let plan = read(&text).unwrap().remove(0);
        assert_eq!(plan.nodes().len(), levels + 1);
        assert_eq!(plan.nodes().last().map(|node| node.depth), Some(levels));
        assert_eq!(read(&"[".repeat(1_000_000)), Err(ReadError::TooDeep(DEEPEST_JSON)));
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
            let _ = read(&text);
        }
    }
}
