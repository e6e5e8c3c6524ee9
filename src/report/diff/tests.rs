use super::*;

fn fixture(path: &str) -> Plan {
    let full = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fixtures")
        .join(path);
    crate::plan::read::plans(&std::fs::read_to_string(full).unwrap())
        .unwrap()
        .remove(0)
}

fn named<'p>(file: &'p str, plan: &'p Plan) -> NamedPlan<'p> {
    NamedPlan {
        file,
        query: None,
        plan,
    }
}

fn plain(text: &str) -> String {
    anstream::adapter::strip_str(text).to_string()
}

fn join_method() -> (Plan, Plan) {
    (
        fixture("findings/repeated-scan/bad.json"),
        fixture("findings/repeated-scan/good.json"),
    )
}

#[test]
fn another_join_method_is_told_in_80_columns() {
    let (before, after) = join_method();
    let text = Diff::new(named("before.json", &before), named("after.json", &after)).text(80);
    let widest = plain(&text)
        .lines()
        .map(crate::text_layout::display_width)
        .max();
    assert!(widest <= Some(80));
    assert!(
        plain(&text).lines().all(|line| line == line.trim_end()),
        "no line ends with blanks"
    );
    insta::assert_snapshot!(plain(&text));
}

#[test]
fn spilling_is_told_as_markdown() {
    let (before, after) = (
        fixture("findings/sort-spilled/bad.json"),
        fixture("findings/sort-spilled/good.json"),
    );
    let text = Diff::new(named("bad.json", &before), named("good.json", &after)).markdown(100);
    assert!(
        text.lines().all(|line| line == line.trim_end()),
        "no line ends with blanks"
    );
    insta::assert_snapshot!(text);
}

#[test]
fn json_names_the_kind_and_both_nodes() {
    let (before, after) = join_method();
    let diff = Diff::new(named("a", &before), named("b", &after));
    let join = diff
        .report()
        .changes
        .iter()
        .find(|change| change.kind == ChangeKind::JoinMethod)
        .unwrap();
    assert_eq!(
        join.before.as_ref().map(|side| side.title.as_str()),
        Some("Nested Loop")
    );
    assert_eq!(
        join.after.as_ref().map(|side| side.title.as_str()),
        Some("Hash Join")
    );
    assert!(
        write_json(&[diff], &Pairs::default())
            .unwrap()
            .contains("\"join_method\"")
    );
}

#[test]
fn a_plan_is_the_same_as_itself() {
    let (before, _) = join_method();
    let diff = Diff::new(named("a", &before), named("a", &before));
    assert!(diff.report().changes.is_empty() && diff.report().join_order.is_none());
}

fn plan_of(relation: &str, cost: f64, time: Option<f64>) -> Plan {
    let mut node = serde_json::json!({"Node Type": "Seq Scan", "Relation Name": relation, "Alias": relation, "Startup Cost": 0.0,
        "Total Cost": cost, "Plan Rows": 10, "Plan Width": 4});
    let mut explain = serde_json::json!({});
    if let Some(time) = time {
        node["Actual Startup Time"] = 0.0.into();
        node["Actual Total Time"] = time.into();
        node["Actual Rows"] = 500.into();
        node["Actual Loops"] = 1.into();
        explain["Execution Time"] = time.into();
    }
    explain["Plan"] = node;
    Plan::from_json(explain).unwrap()
}

#[test]
fn plans_are_paired_by_statement_and_not_by_position() {
    let (a, b, c) = (
        plan_of("a", 10.0, Some(4.0)),
        plan_of("b", 20.0, Some(5.0)),
        plan_of("c", 1.0, None),
    );
    let with = |query: &'static str, file: &'static str, plan| NamedPlan {
        file,
        query: Some(query),
        plan,
    };
    let before = [
        with("SELECT * FROM a WHERE x = 1", "before/1.json", &a),
        with("SELECT * FROM b;", "before/2.json", &b),
        named("before/same.txt", &c),
        with("SELECT 1 FROM gone", "before/3.json", &c),
    ];
    let (a2, b2) = (plan_of("a", 1.0, Some(1.0)), plan_of("b", 20.0, Some(50.0)));
    let after = [
        with("select * from b", "after/x.json", &b2),
        with("SELECT * FROM a WHERE x = 77", "after/y.json", &a2),
        named("after/same.txt", &c),
        with("SELECT 2 FROM new", "after/z.json", &c),
    ];
    let pairs = pair(&before, &after);
    let files: Vec<_> = pairs.pairs.iter().map(|(a, b)| (a.file, b.file)).collect();
    assert_eq!(
        files,
        [
            ("before/1.json", "after/y.json"),
            ("before/2.json", "after/x.json"),
            ("before/same.txt", "after/same.txt")
        ]
    );
    assert_eq!(pairs.only_before, [before[3]]);
    assert_eq!(pairs.only_after, [after[3]]);
    let diffs: Vec<Diff<'_>> = pairs.pairs.iter().map(|(a, b)| Diff::new(*a, *b)).collect();
    assert!(diffs.iter().all(|diff| diff.report().warnings.is_empty()));
    let text = plain(&write_text(&diffs, &pairs, 100));
    for part in [
        "only before (before/3.json): SELECT 1 FROM gone",
        "only after (after/z.json): SELECT 2 FROM new",
        "total cost 31.00 → 22.00 (1.41× lower) in 3 pairs: 1 lower, 0 higher",
        "total time 9.0 ms → 51 ms (5.67× higher) in 2 pairs: 1 lower, 1 higher",
    ] {
        assert!(text.contains(part), "{part:?} in\n{text}");
    }
    assert!(write_markdown(&diffs, &pairs, 100).contains("total cost"));
}

#[test]
fn plans_of_different_statements_are_compared_with_a_warning() {
    let (a, b) = (plan_of("a", 10.0, None), plan_of("b", 20.0, None));
    let statements = ("SELECT 1 FROM a", "SELECT 2, 3 FROM a");
    let with = |query| NamedPlan {
        file: "f",
        query: Some(query),
        plan: &a,
    };
    for (one, other) in [
        (named("x", &a), named("y", &b)),
        (with(statements.0), with(statements.1)),
    ] {
        let diff = Diff::new(one, other);
        assert!(diff.report().warnings[0].contains("two different statements"));
        assert!(plain(&diff.text(80)).contains("! these are plans of two different"));
        assert!(diff.markdown(80).contains("two different statements"));
    }
    let same = Diff::new(with(statements.0), with("select 7 from a;"));
    assert!(same.report().warnings.is_empty());
}

#[test]
fn what_one_plan_only_measured_is_not_compared() {
    let (before, after) = (plan_of("a", 10.0, Some(4.0)), plan_of("a", 10.0, None));
    let diff = Diff::new(named("x", &before), named("y", &after));
    let report = diff.report();
    assert_eq!(report.warnings.len(), 1);
    assert!(report.warnings[0].contains("only the plan of x was run"));
    assert_eq!(
        (report.before.numbers.rows, report.after.numbers.rows),
        (Some(10.0), Some(10.0))
    );
    assert!(report.changes.is_empty(), "{:?}", report.changes);
}

#[test]
fn json_has_the_sums_of_costs_and_of_the_times_that_both_have() {
    let run = |cost: f64, ms: f64| {
        let text = format!(
            "Result  (cost=0.00..{cost:.2} rows=1 width=4) (actual time=0.010..{ms} rows=1 loops=1)\nExecution Time: {ms} ms\n"
        );
        crate::plan::read::plans(&text).unwrap().remove(0)
    };
    let estimated = crate::plan::read::plans("Result  (cost=0.00..7.00 rows=1 width=4)\n")
        .unwrap()
        .remove(0);
    let (a, b, c) = (run(10.0, 5.0), run(4.0, 2.0), run(100.0, 50.0));
    let sides = [(&a, &b), (&c, &c), (&estimated, &a)];
    let pairs = Pairs {
        pairs: sides.map(|(x, y)| (named("x", x), named("y", y))).to_vec(),
        only_before: vec![named("gone.txt", &a)],
        only_after: Vec::new(),
    };
    let compared = pairs.pairs.iter().map(|(x, y)| Diff::new(*x, *y));
    let diffs: Vec<Diff<'_>> = compared.collect();
    let json: serde_json::Value =
        serde_json::from_str(&write_json(&diffs, &pairs).unwrap()).unwrap();
    assert_eq!(json.as_array().unwrap().len(), 3);
    let totals = serde_json::json!({
        "cost": {"pairs": 3, "before": 117.0, "after": 114.0, "lower": 1, "higher": 1},
        "time_ms": {"pairs": 2, "before": 55.0, "after": 52.0, "lower": 1, "higher": 0},
        "only_before": ["gone.txt"], "only_after": [],
    });
    for one in json.as_array().unwrap() {
        assert_eq!(one["totals"], totals);
    }
    assert_eq!(
        json[0]["before"]["execution_time_ms"],
        serde_json::json!(5.0)
    );
}
