//! What surrounds a plan in any of the four formats: prompts, lines of loggers, strings and values of
//! programs. Each gives the tree of the plan by itself.

use serde_json::Value;

use super::*;
use crate::plan::read::warning::WarningKind;

/// What surrounds a plan: its name, and what it makes of the plan.
type Wrapper = (&'static str, fn(&str) -> String);

/// Plans of a server in its four formats.
fn plans(extension: &str) -> Vec<String> {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/plans/corpus/16");
    ["anti-join", "lock-rows-analyze", "sort-desc-collate"]
        .iter()
        .map(|name| std::fs::read_to_string(format!("{directory}/{name}.{extension}")).unwrap())
        .collect()
}

fn each(text: &str, wrap: impl Fn(usize, &str) -> String) -> String {
    let lines = text.lines().enumerate();
    lines
        .map(|(index, line)| wrap(index, line) + "\n")
        .collect()
}

fn prefixed(text: &str, prefix: &str) -> String {
    each(text, |_, line| format!("{prefix}{line}"))
}

fn answered(text: &str, prompt: &str) -> String {
    let rows = prefixed(text, " ");
    let count = text.lines().count();
    format!(
        "{prompt}EXPLAIN (ANALYZE)\n{prompt}SELECT 1 FROM bale;\n  QUERY PLAN\n--------------\n{rows}({count} rows)\n\nTime: 3.250 ms\n{prompt}\n"
    )
}

fn string(text: &str) -> String {
    json!(text).to_string()
}

fn python(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
    format!("'{}'", escaped.replace('\n', "\\n"))
}

/// Around a plan in any format.
const OF_ALL: &[Wrapper] = &[
    ("user and database", |it| answered(it, "eva@mill=> ")),
    ("host", |it| answered(it, "[local] eva@mill=# ")),
    ("host and port", |it| answered(it, "eva@db1:5432/mill=# ")),
    ("process", |it| answered(it, "[40213] eva@mill=# ")),
    ("time in brackets", |it| {
        answered(it, "[08:15:01] eva@mill=> ")
    }),
    ("time", |it| answered(it, "2026-03-02 08:15:01 eva@mill=# ")),
    ("transaction", |it| answered(it, "mill=*# ")),
    ("failed transaction", |it| answered(it, "mill=!> ")),
    ("console of another client", |it| {
        answered(it, "pg:eva@localhost/mill=> ")
    }),
    ("prompt at once", |it| format!("mill=> {it}")),
    ("prompt with an arrow", |it| format!("mill ❯ {it}")),
    ("prompt of a console", |it| format!("mill.public> {it}")),
    ("connected", |it| {
        format!(
            "[2026-03-02 08:15:00] Connected\nmill.public> EXPLAIN SELECT 1\n[2026-03-02 08:15:01] 9 rows retrieved starting from 1 in 40 ms (execution: 30 ms, fetching: 10 ms)\n{it}"
        )
    }),
    ("completed", |it| {
        format!("{it}[2026-03-02 08:15:02] completed in 3 ms\n")
    }),
    ("rows with numbers", |it| {
        each(it, |index, line| format!("{}\t{line}", index + 1))
    }),
    ("aligned numbers", |it| {
        each(it, |index, line| format!("{index:<4} {line}"))
    }),
    ("numbers and bars", |it| {
        each(it, |index, line| format!("{}|{line}|", index + 1))
    }),
    ("numbers of a forge", |it| {
        each(it, |index, line| format!("L{}: {line}", index + 1))
    }),
    ("end of a pager", |it| format!("{it}(END)\n")),
    ("comment", |it| format!("/*\n{}*/\n", prefixed(it, " * "))),
    ("comment of SQL", |it| prefixed(it, "-- ")),
    ("comment of a program", |it| prefixed(it, "// ")),
    ("fence", |it| {
        format!("look\n```{}```\nthanks\n", it.trim_end())
    }),
    ("Jira", |it| format!("{{noformat}}{it}{{noformat}}\n")),
    ("Rails", |it| {
        prefixed(it, "D, [2026-03-02T08:15:01.250 #402] DEBUG -- : ")
    }),
    ("Java", |it| {
        prefixed(it, "2026-03-02 08:15:01,250 [main] DEBUG c.e.Db - ")
    }),
    ("Go", |it| prefixed(it, "2026/03/02 08:15:01 db.go:33: ")),
    ("tabs", |it| {
        prefixed(it, "2026-03-02T08:15:01.250Z\tINFO\tdb/plan.go:33\t")
    }),
    ("build", |it| prefixed(it, "2026-03-02T08:15:01.2501234Z ")),
    ("build in brackets", |it| {
        prefixed(it, "[2026-03-02T08:15:01.250Z] ")
    }),
    ("container", |it| prefixed(it, "mill-db-1  | ")),
    ("pod", |it| prefixed(it, "[pod/mill-0/postgres] ")),
    ("syslog", |it| {
        prefixed(it, "<134>Mar  2 08:15:01 db1 psql[33]: ")
    }),
    ("syslog of RFC 5424", |it| {
        prefixed(
            it,
            "<134>1 2026-03-02T08:15:01.250Z db1 psql 33 ID47 [ex@1 a=\"b\"] ",
        )
    }),
    ("bullets", |it| prefixed(it, "- ")),
    ("string", |it| string(it)),
    ("string in a string", |it| string(&string(it))),
    ("string in a string in a string", |it| {
        string(&string(&string(it)))
    }),
    ("bytes of Python", |it| format!("b{}\n", python(it))),
    ("tuple", |it| format!("[({},)]\n", python(it))),
    ("row of a driver", |it| {
        format!("[<Record QUERY PLAN={}>]\n", python(it))
    }),
    ("row with a name", |it| {
        format!("RealDictRow({{'QUERY PLAN': {}}})\n", python(it))
    }),
    ("member", |it| {
        json!({"data": {"explain": {"plan": it}}}).to_string()
    }),
    ("member over several lines", |it| {
        serde_json::to_string_pretty(&json!({"data": {"rows": [{"QUERY PLAN": it}]}})).unwrap()
    }),
    ("member in a string", |it| {
        json!({"body": json!({"plan": it}).to_string()}).to_string()
    }),
    ("Ruby", |it| {
        format!("[{{\"QUERY PLAN\" => {}}}]\n", string(it))
    }),
    ("Elixir", |it| {
        format!(
            "{{:ok, %Postgrex.Result{{columns: [\"QUERY PLAN\"], rows: [[{}]], num_rows: 1}}}}\n",
            string(it)
        )
    }),
    ("Go's maps", |it| {
        format!(
            "[]map[string]interface {{}}{{map[string]interface {{}}{{\"QUERY PLAN\":{}}}}}\n",
            string(it)
        )
    }),
    ("Rust", |it| {
        format!("[src/main.rs:10:5] plan = {}\n", string(it))
    }),
    ("Perl", |it| {
        format!(
            "$VAR1 = [\n  {{\n    'QUERY PLAN' => {}\n  }}\n];\n",
            string(it)
        )
    }),
    ("dump of PHP", |it| {
        format!(
            "array(1) {{\n  [\"QUERY PLAN\"]=>\n  string({}) \"{it}\"\n}}\n",
            it.len()
        )
    }),
    ("array of PHP", |it| {
        let text = it.replace('\\', "\\\\").replace('\'', "\\'");
        format!("array (\n  0 => \n  array (\n    'QUERY PLAN' => '{text}',\n  ),\n)\n")
    }),
    ("logger", |it| {
        format!(
            "ts=2026-03-02T08:15:01Z level=warn msg=\"slow query\" plan={} took=3ms\n",
            string(it)
        )
    }),
    ("logger in JSON", |it| {
        format!(
            "2026-03-02T08:15:01Z app {}\n",
            json!({"level": "info", "plan": it})
        )
    }),
    ("INSERT", |it| {
        format!(
            "INSERT INTO saved VALUES (1, '{}');\n",
            it.replace('\'', "''")
        )
    }),
    ("list of lines", |it| {
        json!({"frames": [{"values": [it.lines().collect::<Vec<_>>()]}]}).to_string()
    }),
    ("records of a service", |it| {
        let rows = it.lines().map(|line| json!([{ "stringValue": line }]));
        json!({"records": rows.collect::<Vec<_>>(), "numberOfRecordsUpdated": 0}).to_string()
    }),
    ("rows by number", |it| {
        let rows = it
            .lines()
            .enumerate()
            .map(|(index, line)| (index.to_string(), json!(line)));
        json!({"QUERY PLAN": rows.collect::<serde_json::Map<_, _>>()}).to_string()
    }),
    ("rows of Python", |it| {
        each(it, |_, line| format!("Row(QUERY_PLAN={})", python(line)))
    }),
    ("lines of R", |it| {
        each(it, |index, line| {
            format!("[{}] {}", index + 1, string(line))
        })
    }),
    ("lines of Go", |it| {
        let lines: Vec<String> = it.lines().map(string).collect();
        format!("[{}]\n", lines.join(" "))
    }),
];

#[test]
fn a_plan_of_each_format_comes_out_of_every_wrapper() {
    for extension in ["txt", "json", "yaml", "xml"] {
        for plan in plans(extension) {
            let expected = only(&plan).plan;
            for (name, wrap) in OF_ALL {
                let wrapped = wrap(&plan);
                let read = only(&wrapped);
                let found = read.plan;
                assert_eq!(found.nodes(), expected.nodes(), "{name}: {wrapped}");
                let (time, other) = (found.execution_time(), expected.execution_time());
                assert_eq!(time, other, "{name}: {wrapped}");
                assert_eq!(read.warnings, [], "{name}: {wrapped}");
            }
        }
    }
}

/// A value as a program prints it.
type Print = fn(&Value) -> String;

fn members(
    value: &Value,
    print: Print,
    [open, arrow, close]: [&str; 3],
    list: [&str; 2],
) -> String {
    match value {
        Value::Object(object) => {
            let members = object.iter();
            let members =
                members.map(|(name, value)| format!("{}{arrow}{}", string(name), print(value)));
            format!("{open}{}{close}", members.collect::<Vec<_>>().join(", "))
        }
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(print).collect();
            format!("{}{}{}", list[0], items.join(", "), list[1])
        }
        other => other.to_string(),
    }
}

fn of_ruby(value: &Value) -> String {
    members(value, of_ruby, ["{", "=>", "}"], ["[", "]"])
}

fn of_elixir(value: &Value) -> String {
    members(value, of_elixir, ["%{", " => ", "}"], ["[", "]"])
}

fn of_go(value: &Value) -> String {
    members(
        value,
        of_go,
        ["map[string]interface {}{", ":", "}"],
        ["[]interface {}{", "}"],
    )
}

fn of_php(value: &Value) -> String {
    members(value, of_php, ["[", " => ", "]"], ["[", "]"])
}

fn of_rust(value: &Value) -> String {
    match value {
        Value::String(text) => format!("String({})", string(text)),
        Value::Number(number) => format!("Number({number})"),
        Value::Bool(flag) => format!("Bool({flag})"),
        _ => members(value, of_rust, ["Object {", ": ", "}"], ["Array [", "]"]),
    }
}

fn of_python(value: &Value) -> String {
    match value {
        Value::String(text) if text.contains('\'') => string(text),
        Value::String(text) => python(text),
        Value::Bool(true) => "True".to_owned(),
        Value::Bool(false) => "False".to_owned(),
        Value::Number(number) if number.is_f64() => format!("Decimal('{number}')"),
        Value::Object(object) => {
            let members = object.iter();
            let members = members.map(|(name, value)| format!("'{name}': {}", of_python(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        _ => members(value, of_python, ["", "", ""], ["[", "]"]),
    }
}

/// `print_r`.
fn printed(value: &Value, indent: usize) -> String {
    let blanks = " ".repeat(indent);
    let of_members = |members: Vec<(String, &Value)>| {
        let members: String = members
            .iter()
            .map(|(name, value)| {
                format!("{blanks}    [{name}] => {}\n", printed(value, indent + 8))
            })
            .collect();
        format!("Array\n{blanks}(\n{members}{blanks})\n")
    };
    match value {
        Value::Object(object) => {
            of_members(object.iter().map(|(name, it)| (name.clone(), it)).collect())
        }
        Value::Array(items) => of_members(
            items
                .iter()
                .enumerate()
                .map(|(index, it)| (index.to_string(), it))
                .collect(),
        ),
        Value::Bool(true) => "1".to_owned(),
        Value::Bool(false) | Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
    }
}

const PRINTS: &[(&str, Print)] = &[
    ("JSON", Value::to_string),
    ("string", |it| string(&it.to_string())),
    ("string in a string", |it| string(&string(&it.to_string()))),
    ("escaped, without quotes", |it| {
        let pretty = serde_json::to_string_pretty(it).unwrap();
        string(&pretty).trim_matches('"').to_owned()
    }),
    ("Ruby", of_ruby),
    ("Elixir", of_elixir),
    ("Go", of_go),
    ("PHP", of_php),
    ("Rust", of_rust),
    ("Python", of_python),
    ("tuple", |it| format!("[({},)]", of_python(it))),
    ("assignment", |it| format!("plan = {}", of_python(it))),
    ("console", |it| {
        format!("In [4]: row\nOut[4]: {}", of_python(it))
    }),
    ("logger", |it| {
        format!("2026-03-02 08:15:01 INFO plan: {it}")
    }),
    ("script", |it| format!("<script>var plan = {it};</script>")),
    ("literal of SQL", |it| {
        format!("SELECT '{}'::jsonb;", it.to_string().replace('\'', "''"))
    }),
    ("column of CSV", |it| {
        format!("id,plan\n1,\"{}\"\n", it.to_string().replace('"', "\"\""))
    }),
    ("column of a file", |it| format!("17\t{it}")),
    ("print_r", |it| printed(it, 0)),
];

/// Where a plan is in a value: its name, and what puts it there.
type Place = (&'static str, fn(Value) -> Value);

/// Objects that services put around a plan, or less than EXPLAIN's object.
const PLACES: &[Place] = &[
    ("list", |plan| plan),
    ("object", |plan| plan[0].clone()),
    (
        "explain",
        |plan| json!({"data": {"explain": plan, "took": 3}}),
    ),
    ("plan", |plan| json!({"name": "slow", "plan": plan[0]})),
    ("Plan", |plan| json!({"name": "slow", "Plan": plan[0]})),
    ("row", |plan| json!({"rows": [{"QUERY PLAN": plan}]})),
    (
        "text of a row",
        |plan| json!([{"QUERY PLAN": plan.to_string()}]),
    ),
    (
        "text of a text",
        |plan| json!({"body": {"plan": string(&plan.to_string())}}),
    ),
    (
        "definition",
        |plan| json!({"db": {"plan": {"definition": plan[0].to_string(), "cost": 7}}}),
    ),
    ("deep", |plan| json!({"a": [null, {"b": {"c": [[plan]]}}]})),
];

#[test]
fn a_plan_in_json_comes_out_of_every_value() {
    for plan in plans("json") {
        let expected = only(&plan).plan;
        let value: Value = serde_json::from_str(&plan).unwrap();
        for (place, put) in PLACES {
            for (name, print) in PRINTS {
                let wrapped = print(&put(value.clone()));
                let read = only(&wrapped);
                assert_eq!(
                    read.plan.nodes(),
                    expected.nodes(),
                    "{place}, {name}: {wrapped}"
                );
                let (time, other) = (read.plan.execution_time(), expected.execution_time());
                assert_eq!(time, other, "{place}, {name}: {wrapped}");
                assert_eq!(read.warnings, [], "{place}, {name}: {wrapped}");
            }
        }
    }
}

/// What was cut off of a value is no plan of its own: its last nodes would be.
#[test]
fn a_value_that_is_cut_off_is_not_read_from_within() {
    let plan = &plans("json")[0];
    let value: Value = serde_json::from_str(plan).unwrap();
    let expected = only(plan).plan;
    for (name, print) in PRINTS {
        let wrapped = print(&json!({"data": {"explain": value}}));
        let mut ends = wrapped.char_indices().map(|(at, _)| at).step_by(97);
        ends.next();
        for cut in ends.map(|end| &wrapped[..end]) {
            if let Ok(plans) = read_text(cut) {
                for read in &plans {
                    let is_whole = read.plan.nodes() == expected.nodes();
                    let is_told = read
                        .warnings
                        .iter()
                        .any(|it| it.kind == WarningKind::CutOff);
                    assert!(is_whole || is_told, "{name}: {cut}");
                }
            }
        }
    }
}

#[test]
fn a_headline_that_is_cut_off_is_told() {
    let lines = [
        "Hash Join  (cost=1.00..9.00 rows=5 width=8)",
        "  Hash Cond: (b.mill = m.id)",
        "  ->  Seq Scan on bale b  (cost=0.00..4.00 rows=50 width=8)",
        "  ->  Hash  (cost=2.00..2.00 rows=6 width=4)",
        "        ->  Seq Scan on mill m",
    ];
    let text = lines.join("\n");
    for end in [
        "",
        "  (c",
        "  (cost",
        "  (cost=",
        "  (cost=0.00..2",
        " (a",
        " (never exe",
    ] {
        let read = only(&format!("{text}{end}"));
        assert_eq!(read.warnings.len(), 1, "{end}: {:?}", read.warnings);
        assert_eq!(
            (read.warnings[0].line, &read.warnings[0].kind),
            (5, &WarningKind::CutOff),
            "{end}"
        );
        assert_eq!(
            read.plan.nodes().last().unwrap().title(),
            "Seq Scan on mill m",
            "{end}"
        );
    }
    let within = text.replace("  (cost=2.00..2.00 rows=6 width=4)", "  (cost=2.00..2");
    let whole = format!("{within}  (cost=0.00..2.00 rows=6 width=4)\n");
    let read = only(&whole);
    assert_eq!(read.plan.nodes().len(), 4);
    assert_eq!(
        (read.warnings[0].line, &read.warnings[0].kind),
        (4, &WarningKind::NumbersMissing)
    );
}

#[test]
fn quotes_within_literals_are_not_cut_off() {
    for filter in [
        "(kind = '6\" x'::text)",
        "(kind = 'it''s'::text)",
        "(\"a'b\" = 1)",
        "(kind = '(:'::text)",
    ] {
        let text =
            format!("Seq Scan on bale  (cost=0.00..4.00 rows=50 width=8)\n  Filter: {filter}\n");
        assert_eq!(only(&text).warnings, [], "{text}");
        let cut = &text[..text.len() - 2];
        let kinds: Vec<_> = only(cut).warnings.into_iter().map(|it| it.kind).collect();
        assert_eq!(kinds, [WarningKind::CutOff], "{cut}");
    }
}

#[test]
fn a_literal_of_several_lines_at_the_end_is_not_cut_off() {
    let text = "Seq Scan on bale  (cost=0.00..4.00 rows=50 width=8)\n  Filter: (kind = 'a: ''\n\", b: c'::text)\n";
    assert_eq!(only(text).warnings, []);
}

#[test]
fn text_between_the_elements_of_xml_is_refused() {
    let xml = "<explain xmlns=\"http://www.postgresql.org/2009/explain\"><Query><Plan><Node-Type>Result</Node-Type></Plan>\
        <Triggers>, </Triggers></Query></explain>";
    assert!(error(xml).contains("between elements"), "{}", error(xml));
    assert!(error(&xml.replace("<Query>", "<Query>, ")).contains("between elements"));
    assert_eq!(only(&xml.replace(", ", " ")).plan.nodes().len(), 1);
}

#[test]
fn hostile_values_take_no_quadratic_time() {
    let many = 20_000;
    let started = std::time::Instant::now();
    for text in [
        "x [\"Plan\" {\n".repeat(many),
        "x {\"a\":[[{\n".repeat(many),
        format!("{}(cost=", "['".repeat(many)),
        "plan = {\"Plan\": '\n".repeat(many),
        "\"Plan\": \"\\n\n".repeat(many),
        "Array\n(\n    [0] => Plan:\n".repeat(many),
    ] {
        let _ = read_text(&text);
    }
    assert!(started.elapsed().as_secs() < 30, "{:?}", started.elapsed());
}

#[test]
fn plans_of_other_databases_are_named() {
    for (database, text) in [
        (
            "MySQL",
            "*** 1. row ***\n           id: 1\n  select_type: SIMPLE\n        table: bale\n",
        ),
        (
            "TiDB",
            "| id          | estRows | task |\n| TableScan_5 | 10.00   | root |\n",
        ),
        (
            "Oracle",
            "   0      SELECT STATEMENT Optimizer=ALL_ROWS (Cost=3 Card=1)\n",
        ),
        (
            "SQL Server",
            "  |--Clustered Index Seek(OBJECT:([m].[dbo].[bale].[PK]))\n",
        ),
        (
            "SQL Server",
            "<?xml version=\"1.0\"?>\n<ShowPlanXML Version=\"1.5\"></ShowPlanXML>\n",
        ),
        (
            "SQLite",
            "id  parent  notused  detail\n2   0       0        SCAN bale\n",
        ),
        (
            "DuckDB",
            "│         SEQ_SCAN          │\n│   ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─   │\n",
        ),
        (
            "DuckDB",
            "[{\"name\": \"SEQ_SCAN\", \"extra_info\": {\"Estimated Cardinality\": \"9\"}}]",
        ),
        ("Snowflake", "{\"GlobalStats\": {\"partitionsTotal\": 2}}"),
        (
            "BigQuery",
            "[{\"name\": \"S00: Input\", \"shuffleOutputBytes\": \"90\"}]",
        ),
        (
            "MongoDB",
            "{\n  queryPlanner: { winningPlan: { stage: 'COLLSCAN' } }\n}\n",
        ),
        ("Spark", "== Physical Plan ==\n+- FileScan parquet [id#1]\n"),
        ("ClickHouse", "Expression\n  ReadFromMergeTree (m.bale)\n"),
        (
            "Trino",
            "Fragment 0 [SINGLE]\n    Output partitioning: SINGLE []\n",
        ),
    ] {
        assert!(
            error(text).contains(&format!("a plan of {database}")),
            "{text}: {}",
            error(text)
        );
    }
    // Names of tables say nothing about a plan that is read.
    let own = "Seq Scan on \"winningPlan\"  (cost=0.00..1.00 rows=1 width=4)\n";
    assert_eq!(only(own).plan.nodes().len(), 1);
}

#[test]
fn a_name_with_the_rest_of_a_frame_is_told() {
    let text = "note; Limit  (cost=0.00..1.00 rows=1 width=4)\n  ->  Seq Scan on bale  (cost=0.00..1.00 rows=1 width=4)\n";
    let kinds: Vec<_> = only(text)
        .warnings
        .into_iter()
        .map(|it| (it.line, it.kind))
        .collect();
    assert_eq!(kinds, [(1, WarningKind::OddName)]);
    for name in [
        "Gather Motion 3:1",
        "XN Limit",
        "Custom Scan (ChunkAppend) on bale",
        "Vectorized Limit",
    ] {
        let text = text.replace("note; Limit", name);
        assert_eq!(only(&text).warnings, [], "{name}");
    }
}

/// What a condition compares with may look like a plan's numbers, and hold every kind of quote.
#[test]
fn a_literal_within_a_plan_is_no_plan_of_its_own() {
    for numbers in [
        " (actual rows=0 loops=1)",
        "  (cost=0.00..9.00 rows=1 width=8)",
        "  (cost=0.00..9.00 rows=1 width=8) (actual time=0.1..0.2 rows=0 loops=1)",
    ] {
        for literal in [
            r#"'  (cost=1.00..2.00 rows=3 width=4)'::text) AND (name = ANY ('{"it''s \"quoted\"","a"}'::text[])"#,
            r#"'Sort  (cost=1.00..2.00 rows=3 width=4)'::text) AND (name = '{"a": "\"b\""}'::text"#,
            r#"'[{"QUERY PLAN": "x"}]'::text"#,
        ] {
            let text = format!(
                "Seq Scan on shelf{numbers}\n  Filter: ((name <> {literal}))\n  Rows Removed by Filter: 200\n"
            );
            let read = crate::plan::read::read_text(&text).unwrap();
            assert_eq!(read.len(), 1, "{text}");
            let root = read[0].plan.root();
            assert_eq!(root.title(), "Seq Scan on shelf", "{text}");
            let filter = format!("((name <> {literal}))");
            assert_eq!(root.text("Filter"), Some(filter.as_str()), "{text}");
        }
    }
}
