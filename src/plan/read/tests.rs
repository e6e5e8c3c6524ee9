mod pastes;
mod random;
mod screens;
mod wrappers;

use serde_json::json;

use super::*;

const SCAN: &str = r#"{"Plan": {"Node Type": "Seq Scan", "Total Cost": 1.5}}"#;

/// As psql prints it with `\pset format unaligned` and `tuples_only`.
const TEXT: &str = r#"Limit  (cost=0.00..2.50 rows=1 width=40) (actual time=0.010..0.020 rows=1 loops=1)
  Output: id, "Odd", 'a, b'::text
  ->  Seq Scan on shop."Orders" o  (cost=0.00..25.00 rows=10 width=40) (actual time=0.005..0.010 rows=1 loops=1)
        Output: id, "Odd", 'a, b'::text
        Filter: (o."Odd" = 'x'::text)
        Rows Removed by Filter: 7
Planning Time: 0.100 ms
Execution Time: 0.200 ms
"#;

const NESTED: &str = r#"[
  {
    "Plan": {
      "Node Type": "Limit",
      "Plans": [
        {
          "Node Type": "Seq Scan",
          "Relation Name": "a | b + c",
          "Filter": "(x = '\"+'::text)"
        }
      ]
    }
  }
]
"#;

fn only(text: &str) -> ReadPlan {
    let mut plans = read_text(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    assert_eq!(plans.len(), 1, "{text}");
    plans.remove(0)
}

fn error(text: &str) -> String {
    read_text(text)
        .map(|plans| plans.len())
        .unwrap_err()
        .to_string()
}

/// psql's aligned output, as src/fe_utils/print.c writes it.
fn aligned(value: &str, [left, right, plus]: [&str; 3], border: bool) -> String {
    let width = value
        .lines()
        .map(|line| line.chars().count())
        .max()
        .unwrap_or(0)
        .max(10);
    let lines: Vec<&str> = value.lines().collect();
    let mut text = String::new();
    let ruler = "-".repeat(width + 2);
    if border {
        text += &format!("+{ruler}+\n");
    }
    text += &format!(
        "{left} {:^width$} {right}\n{}{ruler}{}\n",
        "QUERY PLAN",
        if border { "+" } else { "" },
        if border { "+" } else { "" }
    );
    for (number, line) in lines.iter().enumerate() {
        let mark = if number + 1 < lines.len() { plus } else { " " };
        text += &format!("{left} {line:<width$}{mark}{right}\n");
    }
    text
}

/// A row for each line, as TEXT comes.
fn rows(value: &str, borders: [&str; 2]) -> String {
    let [left, right] = borders;
    aligned(value, [left, right, " "], !left.is_empty()) + "(9 rows)\n\nTime: 1.5 ms\n"
}

fn csv(value: &str) -> String {
    value.lines().fold("QUERY PLAN\n".to_owned(), |csv, line| {
        if line.contains([',', '"']) {
            csv + &format!("\"{}\"\n", line.replace('"', "\"\""))
        } else {
            csv + line + "\n"
        }
    })
}

fn each_line(value: &str, change: impl Fn(&str) -> String) -> String {
    value.lines().map(|line| change(line) + "\n").collect()
}

fn expanded(value: &str, [dash, bar]: [&str; 2]) -> String {
    value
        .lines()
        .enumerate()
        .fold(String::new(), |text, (number, line)| {
            text + &format!(
                "{dash}[ RECORD {} ]{}\nQUERY PLAN {bar} {line}\n",
                number + 1,
                dash.repeat(20)
            )
        })
}

/// psql's `\pset format wrapped` in this many columns.
fn wrapped(value: &str, columns: usize, mark: char) -> String {
    let mut text = format!("{:^columns$}\n{}\n", "QUERY PLAN", "-".repeat(columns + 2));
    for line in value.lines() {
        let characters: Vec<char> = line.chars().collect();
        let pieces: Vec<String> = characters
            .chunks(columns)
            .map(|piece| piece.iter().collect())
            .collect();
        for (number, piece) in pieces.iter().enumerate() {
            let before = if number > 0 { mark } else { ' ' };
            let after = if number + 1 < pieces.len() { mark } else { ' ' };
            text += &format!("{before}{piece:<columns$}{after}\n");
        }
    }
    text
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn text_is_read_out_of_every_frame() {
    let expected = only(TEXT).plan;
    assert_eq!(expected.nodes().len(), 2);
    assert_eq!(expected.summary.get("Execution Time"), Some(&json!(0.2)));
    for (frame, text) in [
        ("aligned", rows(TEXT, ["", ""])),
        ("borders", rows(TEXT, ["|", "|"])),
        (
            "unicode borders",
            rows(TEXT, ["│", "│"]).replace('+', "┼").replace("--", "──"),
        ),
        ("unaligned", format!("QUERY PLAN\n{TEXT}(8 rows)\n")),
        ("expanded", expanded(TEXT, ["-", "|"])),
        ("expanded, unicode", expanded(TEXT, ["─", "│"])),
        ("wrapped", wrapped(TEXT, 40, '.')),
        ("wrapped, unicode", wrapped(TEXT, 33, '…')),
        ("one field", aligned(TEXT, ["", "", "+"], false)),
        ("csv", csv(TEXT)),
        (
            "csv, one field",
            format!("QUERY PLAN\n\"{}\"\n", TEXT.replace('"', "\"\"")),
        ),
        (
            "pgAdmin",
            each_line(TEXT, |line| format!("\"{}\"", line.replace('"', "\"\""))),
        ),
        (
            "pgAdmin, quotes not doubled",
            each_line(TEXT, |line| format!("\"{line}\"")),
        ),
        ("mail", each_line(TEXT, |line| format!("> {line}"))),
        (
            "mail, answered",
            each_line(&rows(TEXT, ["", ""]), |line| format!("> > {line}")),
        ),
        (
            "fence",
            format!("Why is this slow?\n\n```sql\n{TEXT}```\n\nThanks (a lot)\n"),
        ),
        (
            "Markdown table",
            format!(
                "| QUERY PLAN |\n|---|\n{}",
                each_line(TEXT, |line| format!("| {line} |"))
            ),
        ),
        ("indented", each_line(TEXT, |line| format!("      {line}"))),
        ("tab", each_line(TEXT, |line| format!("\t{line}"))),
        ("CRLF", TEXT.replace('\n', "\r\n")),
        (
            "first line's indentation lost",
            each_line(TEXT, |line| format!(" {line}"))
                .trim_start()
                .to_owned(),
        ),
        (
            "first line's larger indentation lost",
            each_line(TEXT, |line| format!("         {line}"))
                .trim_start()
                .to_owned(),
        ),
        ("double-spaced", TEXT.replace('\n', "\n\n")),
        ("heading", format!("Plan:\n{TEXT}")),
        (
            "prose",
            format!("Look, the plan (cost=high) is:\n\n{TEXT}\nIt's \"odd\". See [1].\n"),
        ),
    ] {
        assert_eq!(only(&text).plan, expected, "{frame}:\n{text}");
    }
}

#[test]
fn json_is_read_out_of_every_frame() {
    let expected = only(NESTED).plan;
    assert_eq!(
        expected.nodes()[1].text("Filter"),
        Some("(x = '\"+'::text)")
    );
    let csv_field = format!("\"{}\"", NESTED.trim_end().replace('"', "\"\""));
    for (frame, text) in [
        (
            "aligned",
            aligned(NESTED, ["", "", "+"], false) + "(1 row)\n",
        ),
        ("borders", aligned(NESTED, ["|", "|", "+"], true)),
        ("unicode", aligned(NESTED, ["│", "│", "↵"], false)),
        (
            "tuples only",
            each_line(NESTED, |line| format!(" {line:<60}+")),
        ),
        ("unaligned", format!("QUERY PLAN\n{NESTED}(1 row)\n")),
        ("csv", format!("QUERY PLAN\n{csv_field}\n")),
        ("pgAdmin", csv_field),
        ("mail", each_line(NESTED, |line| format!("> {line}"))),
        ("fence", format!("so:\n```json\n{NESTED}\n```\n")),
        (
            "prose",
            format!("The plan [see below] is\n{NESTED}\nBye {{me}}"),
        ),
        (
            "a client's object",
            format!("[{{\"QUERY PLAN\": {NESTED}}}]"),
        ),
    ] {
        assert_eq!(only(&text).plan, expected, "{frame}:\n{text}");
    }
}

#[test]
fn yaml_and_xml_are_read_out_of_frames() {
    for format in [SourceFormat::Yaml, SourceFormat::Xml] {
        let text = deep(format, 3).replace("><", ">\n<");
        let expected = only(&text).plan;
        let fenced = format!("see\n```\n{text}\n```\n");
        let quoted = format!(
            "QUERY PLAN\n\"{}\"\n(1 row)\n",
            text.trim_end().replace('"', "\"\"")
        );
        for framed in [
            aligned(&text, ["", "", "+"], false) + "(1 row)\n",
            aligned(&text, ["|", "|", "+"], true),
            each_line(&text, |line| format!("> {line}")),
            text.replace('\n', "\r\n"),
            fenced,
            quoted,
        ] {
            assert_eq!(only(&framed).plan, expected, "{framed}");
        }
    }
}

#[test]
fn a_summary_may_stand_right_below_a_single_node() {
    let plan = only("Result  (cost=0.00..1.00 rows=1 width=4)\n      Planning Time: 0.5 ms\n").plan;
    assert_eq!(plan.summary.get("Planning Time"), Some(&json!(0.5)));
}

#[test]
fn a_literal_may_end_in_a_plus() {
    let text =
        "Seq Scan on t  (cost=0.00..1.00 rows=1 width=4)\n  Filter: (a = 'x  +\n y'::text)\n";
    assert_eq!(
        only(text).plan.root().text("Filter"),
        Some("(a = 'x  +\n y'::text)")
    );
}

#[test]
fn json_comes_in_one_several_and_with_a_footer() {
    for (text, count) in [
        (SCAN.to_owned(), 1),
        (format!("[{SCAN},{SCAN}]"), 2),
        (format!("\u{feff}[{SCAN}]"), 1),
        (format!("[{SCAN}]\n(1 row)\n"), 1),
        (format!("[{SCAN}]\n\n[{SCAN}]"), 2),
        (format!("[\n{SCAN}\n]\n[\n{SCAN}\n]"), 2),
    ] {
        assert_eq!(
            read_text(&text).map(|plans| plans.len()),
            Ok(count),
            "{text}"
        );
    }
}

#[test]
fn several_plans_of_several_formats_stand_in_one_file() {
    let yaml = "- Plan: \n    Node Type: \"Result\"\n  Planning Time: 0.5";
    let xml = "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Query>\n    <Plan>\n      <Node-Type>Result</Node-Type>\n    </Plan>\n  </Query>\n</explain>";
    let text = format!(
        "-- one\nshop=# EXPLAIN SELECT 1;\n{TEXT}\n{NESTED}\n{yaml}\n\nand\n{xml}\n\n{TEXT}"
    );
    let plans = read_text(&text).unwrap();
    let formats: Vec<SourceFormat> = plans.iter().map(|plan| plan.format).collect();
    use SourceFormat::{Json, Text, Xml, Yaml};
    assert_eq!(formats, [Text, Json, Yaml, Xml, Text]);
    assert_eq!(plans[0].query.as_deref(), Some("SELECT 1"));
    assert_eq!(plans[1].query, None);
}

#[test]
fn the_statement_is_taken_from_the_plan_or_from_above_it() {
    let auto_explain = format!("Query Text: SELECT *\nFROM t\nWHERE a;\n{TEXT}");
    assert_eq!(
        only(&auto_explain).query.as_deref(),
        Some("SELECT *\nFROM t\nWHERE a;")
    );
    assert_eq!(
        only("{\"Query Text\": \"SELECT 2\", \"Plan\": {\"Node Type\": \"Result\"}}")
            .query
            .as_deref(),
        Some("SELECT 2")
    );
    assert_eq!(
        only("Query Text: \"SELECT 3\"\nPlan: \n  Node Type: \"Result\"")
            .query
            .as_deref(),
        Some("SELECT 3")
    );
}

#[test]
fn costs_off_plans_are_found() {
    let text = "explain (costs off) select 1;\n QUERY PLAN\n------------\n Limit\n   ->  Index Scan using i on t\n         Index Cond: (a = 1)\n(3 rows)\n";
    let plan = only(text).plan;
    assert_eq!(plan.nodes()[1].index_name(), Some("i"));
    assert_eq!(only("Result\n").plan.nodes().len(), 1);
    assert_eq!(only("Seq Scan on t").plan.root().alias(), Some("t"));
}

#[test]
fn older_and_unknown_things_are_kept() {
    let plan = only(
        "Custom Scan (Citus Adaptive)  (cost=0.00..0.00 rows=0 width=0)\n  Task Count: 4\n  Tasks Shown: One of 4\n  ->  Task\n        \
         Node: host=localhost port=5433\n        ->  Quantum Scan on t_1 t  (cost=0.00..1.00 rows=1 width=4)\n              \
         Spin: up\n              somewhere else\nTotal runtime: 0.5 ms\n",
    )
    .plan;
    let types: Vec<&str> = plan
        .nodes()
        .iter()
        .map(|node| node.node_type().name())
        .collect();
    assert_eq!(types, ["Custom Scan", "Task", "Quantum Scan"]);
    assert_eq!(
        plan.root().text("Custom Plan Provider"),
        Some("Citus Adaptive")
    );
    assert_eq!(plan.root().number("Task Count"), Some(4.0));
    let last = &plan.nodes()[2];
    assert_eq!(
        (last.text("Spin"), last.texts("Other Lines"), last.alias()),
        (Some("up"), vec!["somewhere else"], Some("t"))
    );
    assert_eq!(plan.summary.get("Total Runtime"), Some(&json!(0.5)));
}

#[test]
fn workers_and_their_lines_are_kept() {
    let plan = only(
        "Sort (cost=1.00..2.00 rows=1 width=4) (actual time=1.000..2.000 rows=3 loops=2)\n  Sort Key: a\n  \
         Sort Method: quicksort  Memory: 25kB\n  Worker 0:  actual time=1.000..2.000 rows=1 loops=1\n    \
         Sort Method: external merge  Disk: 100kB\n    JIT:\n      Functions: 3\n    Buffers: shared hit=5\n  \
         Worker 1:  Sort Method: quicksort  Memory: 27kB\nJIT:\n  Functions: 4\n  Options: Inlining false, Deforming true\n",
    )
    .plan;
    let workers = plan.root().nested("Workers");
    assert_eq!(
        workers,
        Some(&json!([
            {"Worker Number": 0, "Actual Startup Time": 1.0, "Actual Total Time": 2.0, "Actual Rows": 1, "Actual Loops": 1,
             "Sort Method": "external merge", "Sort Space Used": 100, "Sort Space Type": "Disk", "JIT": {"Functions": 3},
             "Shared Hit Blocks": 5},
            {"Worker Number": 1, "Sort Method": "quicksort", "Sort Space Used": 27, "Sort Space Type": "Memory"}]))
    );
    assert_eq!(plan.root().text("Sort Space Type"), Some("Memory"));
    let jit = plan.summary.get("JIT");
    assert_eq!(
        jit,
        Some(&json!({"Functions": 4, "Options": {"Inlining": false, "Deforming": true}}))
    );
}

#[test]
fn workers_printed_twice_before_13_are_one_list() {
    let text = r#"{"Plan": {"Node Type": "Sort", "Workers": [{"Worker Number": 0, "Sort Method": "quicksort"}],
                   "Workers": [{"Worker Number": 0, "Actual Rows": 5}, {"Worker Number": 1, "Actual Rows": 6}]}}"#;
    let expected = json!([{"Worker Number": 0, "Sort Method": "quicksort", "Actual Rows": 5}, {"Worker Number": 1, "Actual Rows": 6}]);
    assert_eq!(only(text).plan.root().nested("Workers"), Some(&expected));
}

#[test]
fn lines_broken_by_mail_are_put_together() {
    let text = "Seq Scan on t  (cost=0.00..25.00 rows=10\nwidth=40)\n  Filter: ((a = 1) AND\n(b = 2))\n  Output: a\n";
    let plan = only(text).plan;
    assert_eq!(plan.root().text("Filter"), Some("((a = 1) AND (b = 2))"));
    assert_eq!(plan.root().number("Plan Width"), Some(40.0));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn damaged_json_is_refused_with_place_and_reason() {
    for (text, message) in [
        (
            "[\n {\"Plan\": oops}]",
            "line 2, column 11: not JSON: expected a value",
        ),
        (
            "[{\"Plan\": {\"Node Type\": \"Resu",
            "line 1, column 25: truncated: the text ends inside a JSON string",
        ),
        (
            "[{\"Plan\": {\"Parallel Aware\": false, \"No",
            "line 1, column 37: truncated: the text ends inside a JSON string",
        ),
        (
            "{\"Plan\": {\"Total Cost\": NaN}}",
            "line 1, column 25: \"NaN\" is not a finite number",
        ),
        (
            "{\"Plan\": {\"Total Cost\": 1e400}}",
            "line 1, column 25: \"1e400\" is not a finite number",
        ),
        (
            "{\"Plan\": {\"Total Cost\": \"cheap\"}}",
            "line 1, column 25: \"Total Cost\" is not a number",
        ),
        (
            "{\"Plan\": {\"Node Type\": 5}}",
            "line 1, column 24: \"Node Type\" is not a text",
        ),
        (
            "{\"Plan\": {\"Node Type\": \"x\", \"Plans\": 3}}",
            "line 1, column 38: \"Plans\" is not a list of objects",
        ),
        (
            "{\"Plan\": {\"Node Type\": \"x\",\n\"Alias\": \"a\", \"Alias\": \"b\"}}",
            "line 2, column 24: duplicate key \"Alias\"",
        ),
        (
            "{\"Plan\": {}}",
            "line 1, column 11: a node has no \"Node Type\"",
        ),
        (
            "{\"Plan\": 1}",
            "line 1, column 10: \"Plan\" is not an object",
        ),
        (
            "[5]",
            "line 1, column 2: no \"Plan\" object: this is not the output of EXPLAIN (FORMAT JSON)",
        ),
        (
            "[\"CREATE TABLE AS\"]",
            "line 1, column 2: EXPLAIN printed no plan but \"CREATE TABLE AS\": utility statements have none",
        ),
        (
            "{\"a\": \"\\ud800\"}",
            "line 1, column 8: not JSON: a lone surrogate is not a character",
        ),
        (
            "{\"query_block\": {\"select_id\": 1}}",
            "line 1, column 33: this looks like a plan of MySQL or MariaDB; only PostgreSQL's are read",
        ),
    ] {
        assert_eq!(error(text), message, "{text}");
    }
    assert_eq!(error("[]"), "there is no plan in it");
    assert_eq!(error(""), "there is no plan in it");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn damaged_text_yaml_and_xml_are_refused_with_place_and_reason() {
    for (text, message) in [
        (
            "Limit  (cost=0.00..1.0",
            "line 1: truncated: the text ends inside the parentheses after a node",
        ),
        (
            "Limit  (cost=0.00..NaN rows=1 width=1)",
            "line 1: \"NaN\" is not a finite number",
        ),
        (
            "Limit  (cost=0.00..1e400 rows=1 width=1)",
            "line 1: \"1e400\" is not a finite number",
        ),
        (
            "Hash Join  (cost=0.00..1.00 rows=1 width=1)\n->  Result\n",
            "line 2: the indentation is lost: the parent of this node is unknown",
        ),
        (
            "-> Table scan on t  (cost=0.35 rows=1)",
            "line 1: this looks like a plan of MySQL or MariaDB; only PostgreSQL's are read",
        ),
        (
            "- Plan: \n    Node Type: \"Resu",
            "line 2: truncated: the text ends inside a YAML string",
        ),
        (
            "- Plan: \n    Node Type: \"Result\"\n    Node Type: \"Limit\"",
            "line 3: duplicate key \"Node Type\"",
        ),
        (
            "- Plan: \n    Node Type: &a \"Result\"",
            "line 2: not EXPLAIN's YAML: anchors, aliases and tags are refused",
        ),
        (
            "- Plan: \n    Total Cost: .nan",
            "line 2: \".nan\" is not a finite number",
        ),
        (
            "- Plan: \n    Strategy: \"x\"",
            "line 2: a node has no \"Node Type\"",
        ),
        (
            "- \"CREATE TABLE AS\"",
            "line 1: EXPLAIN printed no plan but \"CREATE TABLE AS\": utility statements have none",
        ),
        (
            "<explain><CREATE-TABLE-AS /></explain>",
            "line 1: EXPLAIN printed no plan but \"CREATE TABLE AS\": utility statements have none",
        ),
        (
            "<explain><Query><Plan><Total-Cost>1",
            "line 1: truncated: the text ends inside the XML",
        ),
        (
            "<explain><Query><Plan><Total-Cost>x</Total-Cost></Plan></Query></explain>",
            "line 1: \"Total Cost\" is not a number",
        ),
        (
            "<!DOCTYPE lolz [<!ENTITY lol \"lol\">]><explain>&lol;</explain>",
            "line 1: XML document types and entities are refused",
        ),
        (
            "<explain><Query><Plan><Filter>&lol;</Filter></Plan></Query></explain>",
            "line 1: XML document types and entities are refused",
        ),
        (
            "<!DOCTYPE html><html><body>Seq Scan</body></html>",
            "an HTML page, not a plan; save the plan's text itself",
        ),
        (
            "Utility statements have no plan structure\n",
            "EXPLAIN printed no plan but \"Utility statements have no plan structure\": utility statements have none",
        ),
        ("hello there", "there is no plan in it"),
    ] {
        let found = error(text);
        // The column is not what these are about.
        let found = match found.split_once(", column ") {
            Some((line, rest)) => format!(
                "{line}{}",
                rest.trim_start_matches(|c: char| c.is_ascii_digit())
            ),
            None => found,
        };
        assert_eq!(found, message, "{text}");
    }
}

#[test]
fn errors_name_the_line_of_the_file_with_its_frame() {
    assert_eq!(
        error("> hi\n>\n> [\n>  {\"Plan\": oops}]"),
        "line 4: not JSON: expected a value"
    );
}

fn deep(format: SourceFormat, levels: usize) -> String {
    match format {
        SourceFormat::Json => {
            let open = r#"{"Node Type":"Append","Plans":["#.repeat(levels);
            format!(
                "{{\"Plan\":{open}{{\"Node Type\":\"Result\"}}{}}}",
                "]}".repeat(levels)
            )
        }
        SourceFormat::Text => (0..=levels).fold(String::new(), |text, level| match level {
            0 => "Append  (cost=0.00..1.00 rows=1 width=4)\n".to_owned(),
            _ => {
                text + &" ".repeat(6 * level - 4) + "->  Append  (cost=0.00..1.00 rows=1 width=4)\n"
            }
        }),
        SourceFormat::Yaml => (0..levels).fold(
            "- Plan: \n    Node Type: \"Append\"\n".to_owned(),
            |text, level| {
                let indent = " ".repeat(4 * level + 4);
                text + &format!("{indent}Plans: \n{indent}  - Node Type: \"Append\"\n")
            },
        ),
        SourceFormat::Xml => {
            let open = "<Plan><Node-Type>Append</Node-Type><Plans>".repeat(levels);
            let close = "</Plans></Plan>".repeat(levels);
            format!(
                "<explain><Query>{open}<Plan><Node-Type>Result</Node-Type></Plan>{close}</Query></explain>"
            )
        }
    }
}

#[test]
fn a_thousand_levels_are_read_and_more_than_the_limit_refused() {
    for format in [
        SourceFormat::Json,
        SourceFormat::Text,
        SourceFormat::Yaml,
        SourceFormat::Xml,
    ] {
        let plan = only(&deep(format, 1_000)).plan;
        assert_eq!(
            plan.nodes().last().map(|node| node.depth),
            Some(1_000),
            "{format:?}"
        );
        let refused = read_text(&deep(format, super::super::MAX_PLAN_DEPTH + 1)).unwrap_err();
        assert_eq!(
            refused.reason,
            Reason::TooDeep(super::super::MAX_PLAN_DEPTH),
            "{format:?}"
        );
    }
    assert!(matches!(
        read_text(&"[".repeat(1_000_000)).unwrap_err().reason,
        Reason::TooDeep(_)
    ));
    assert!(matches!(
        read_text(&"{\"a\":".repeat(1_000_000)).unwrap_err().reason,
        Reason::TooDeep(_)
    ));
    assert!(read_text(&"<a>".repeat(1_000_000)).is_err());
}

#[test]
fn ten_thousand_children_are_read() {
    let children = "{\"Node Type\":\"Result\"},".repeat(9_999);
    let json = format!(
        "{{\"Plan\":{{\"Node Type\":\"Append\",\"Plans\":[{children}{{\"Node Type\":\"Result\"}}]}}}}"
    );
    let text = format!(
        "Append  (cost=0.00..1.00 rows=1 width=4)\n{}",
        "  ->  Result  (cost=0.00..1.00 rows=1 width=4)\n".repeat(10_000)
    );
    for text in [json, text] {
        let plan = only(&text).plan;
        assert_eq!(plan.root().children.len(), 10_000);
        assert_eq!(Plan::from_json(Value::from(plan.clone())), Ok(plan));
    }
}
