//! Random bytes, random pieces of plans, and random trees that are printed and read back.

use proptest::collection::vec;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::plan::Plan;
use crate::plan::read::{read, read_text};

/// Pieces of which plans, frames and their damage are made.
const PIECES: &[&str] = &[
    "Seq Scan on t",
    "  (cost=0.00..1.00 rows=1 width=4)",
    " (actual time=0.1..0.2 rows=1 loops=1)",
    "(never executed)",
    "\n",
    "\n  ",
    "->  ",
    "\n  ->  ",
    "Filter: (a = 'x",
    "')",
    "\"",
    "'",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ": ",
    "- ",
    "- Plan: \n",
    "    Node Type: \"Limit\"\n",
    "    Plans: \n",
    "      - ",
    "\"Plan\": ",
    "\"Node Type\": \"Sort\"",
    "\"Plans\": [",
    "<explain>",
    "<Query>",
    "<Plan>",
    "<Node-Type>Sort</Node-Type>",
    "</Plan>",
    "</Query>",
    "</explain>",
    "<Item>",
    "&lt;",
    "&#x41;",
    "&x;",
    "<!DOCTYPE x>",
    "QUERY PLAN",
    "-----\n",
    "| ",
    " |",
    "+\n",
    "…\n…",
    ".\n.",
    "> ",
    "```\n",
    "(1 row)\n",
    "-[ RECORD 1 ]--\n",
    "Worker 0:  ",
    "JIT:\n",
    "Planning:\n",
    "Buffers: shared hit=1",
    "CTE x\n",
    "InitPlan 1\n",
    "Group Key: a",
    "Hash Key: ()",
    "Sort Method: quicksort  Memory: 25kB",
    "Update on p\n",
    "1e400",
    "NaN",
    "\\u12",
    "\\",
    "\u{feff}",
    "é",
    "\t",
    "\r\n",
    "0",
    "-1.5",
    "true",
];

fn fragment() -> impl Strategy<Value = String> {
    prop_oneof![8 => proptest::sample::select(PIECES).prop_map(str::to_owned), 1 => "\\PC{0,6}"]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_pieces_of_plans_are_read_or_refused(pieces in vec(fragment(), 0..40)) {
        let _ = read_text(&pieces.concat());
    }
}

/// A node as it is before it is printed: its headline's parts, a filter, and how many of the
/// following are its children.
#[derive(Debug, Clone)]
struct Seed {
    table: String,
    alias: String,
    filter: Option<String>,
    rows: u32,
    up: usize,
}

fn seed() -> impl Strategy<Value = Seed> {
    let name = "[a-z_][a-z0-9_]{0,5}|[A-Z][a-zA-Z \"().]{0,6}";
    let filter = proptest::option::of("\\(a = '[a-zA-Z0-9 ,;:()<>&|\"-]{0,12}'::text\\)");
    (name, name, filter, 0..100_000u32, 0..4usize).prop_map(|(table, alias, filter, rows, up)| {
        Seed {
            table,
            alias,
            filter,
            rows,
            up,
        }
    })
}

fn quoted(name: &str) -> String {
    let bare = name
        .chars()
        .all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit());
    if bare {
        name.to_owned()
    } else {
        format!("\"{}\"", name.replace('"', "\"\""))
    }
}

/// The tree as EXPLAIN's two formats print it.
fn printed(seeds: &[Seed]) -> (Value, String) {
    let mut nodes: Vec<(usize, Map<String, Value>)> = Vec::new();
    let mut text = String::new();
    for seed in seeds {
        let level = match nodes.last() {
            None => 0,
            Some((last, _)) => (last + 1).saturating_sub(seed.up).max(1),
        };
        let mut node = json!({"Node Type": "Append"})
            .as_object()
            .cloned()
            .unwrap_or_default();
        if level > 0 {
            node.insert("Parent Relationship".to_owned(), json!("Member"));
        }
        let target = match seed.alias == seed.table {
            true => quoted(&seed.table),
            false => format!("{} {}", quoted(&seed.table), quoted(&seed.alias)),
        };
        node.extend(
            json!({"Relation Name": seed.table, "Alias": seed.alias, "Startup Cost": 0.25, "Total Cost": 1.5,
                           "Plan Rows": seed.rows, "Plan Width": 4})
            .as_object()
            .cloned()
            .unwrap_or_default(),
        );
        let (arrow, detail) = if level == 0 {
            (String::new(), 2)
        } else {
            (" ".repeat(level * 6 - 4) + "->  ", level * 6 + 2)
        };
        text += &format!(
            "{arrow}Append on {target}  (cost=0.25..1.50 rows={} width=4)\n",
            seed.rows
        );
        if let Some(filter) = &seed.filter {
            text += &format!("{}Filter: {filter}\n", " ".repeat(detail));
            node.insert("Filter".to_owned(), json!(filter));
        }
        nodes.push((level, node));
    }
    (json!({"Plan": nested(nodes)}), text)
}

/// Puts each node into the last one above it that is one level higher.
fn nested(mut nodes: Vec<(usize, Map<String, Value>)>) -> Value {
    while nodes.len() > 1 {
        let Some((level, node)) = nodes.pop() else {
            break;
        };
        let parent = nodes
            .iter_mut()
            .rev()
            .find(|(above, _)| *above + 1 == level);
        if let Some((_, parent)) = parent
            && let Some(children) = parent
                .entry("Plans")
                .or_insert_with(|| json!([]))
                .as_array_mut()
        {
            children.insert(0, Value::Object(node));
        }
    }
    nodes
        .pop()
        .map(|(_, root)| Value::Object(root))
        .unwrap_or_default()
}

proptest! {
    #[test]
    fn a_printed_tree_is_read_back(seeds in vec(seed(), 1..12)) {
        let (tree, text) = printed(&seeds);
        let expected = Plan::from_json(tree.clone());
        for printed in [text, tree.to_string(), serde_json::to_string_pretty(&[tree]).unwrap()] {
            let plans = read_text(&printed).map_err(|error| TestCaseError::fail(format!("{error}\n{printed}")))?;
            prop_assert_eq!(plans.len(), 1);
            prop_assert_eq!(Ok(&plans[0].plan), expected.as_ref(), "{}", printed);
        }
    }
}
