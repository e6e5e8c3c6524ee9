//! JSON that is cut off: read as far as it goes.

use super::builder::Builder;
use super::json;
use crate::plan::Plan;

/// Ends after members that are tried, from the last one.
const MAX_TRIES: usize = 60;

/// The plans of a JSON text that ends too early, without the member it ends in. None when what is
/// left is no plan.
pub(super) fn cut_off_json(text: &str) -> Option<Vec<Plan>> {
    let mut ends = ends_of_members(text);
    while let Some((end, open)) = ends.pop() {
        let mut repaired = text.get(..end)?.to_owned();
        repaired.extend(open.iter().rev());
        let mut builder = Builder::default();
        if json::read_document(&repaired, 0, &mut builder).is_ok() {
            let plans = builder.finish();
            return (!plans.is_empty()).then_some(plans);
        }
    }
    None
}

/// Where the last members end, each with the brackets that would close what is open there.
fn ends_of_members(text: &str) -> Vec<(usize, Vec<char>)> {
    let mut ends: std::collections::VecDeque<(usize, Vec<char>)> =
        std::collections::VecDeque::new();
    let mut open: Vec<char> = Vec::new();
    let (mut in_string, mut escaped) = (false, false);
    for (at, character) in text.char_indices() {
        let end = match character {
            _ if escaped => {
                escaped = false;
                None
            }
            '\\' if in_string => {
                escaped = true;
                None
            }
            '"' => {
                in_string = !in_string;
                None
            }
            _ if in_string => None,
            '{' => {
                open.push('}');
                None
            }
            '[' => {
                open.push(']');
                None
            }
            '}' | ']' => {
                open.pop();
                Some(at + 1)
            }
            ',' => Some(at),
            _ => None,
        };
        if let Some(end) = end {
            ends.push_back((end, open.clone()));
            if ends.len() > MAX_TRIES {
                ends.pop_front();
            }
        }
    }
    ends.into()
}
