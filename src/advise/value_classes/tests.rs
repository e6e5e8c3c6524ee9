use super::*;
use crate::catalog::ColumnStatistics;
use crate::planner::PlanOutcome;
use crate::planner::test_planner::{self, TestPlan, id, seq_scan, table};
use crate::workload::{ObservedValues, Usage};

/// `orders`: nearly all are sent, few failed; half a dozen customers of a thousand have many.
fn catalog() -> Catalog {
    let orders = table(
        "orders",
        &[
            "id bigint",
            "state text",
            "customer integer",
            "payer integer",
            "at bigint",
            "name text",
        ],
    );
    let common = |values: &[(&str, f64)]| {
        let owned = values
            .iter()
            .map(|(value, share)| ((*value).to_owned(), *share));
        owned.collect::<Vec<_>>()
    };
    let tenths = || (0..=10).map(|tenth| (tenth * 100).to_string()).collect();
    let orders = orders.with(|table| {
        for column in &mut table.columns {
            column.statistics = Some(match column.name.as_str() {
                "state" => ColumnStatistics {
                    distinct: 2.0,
                    most_common_values: common(&[("sent", 0.99), ("failed", 0.01)]),
                    ..ColumnStatistics::default()
                },
                "customer" | "payer" => ColumnStatistics {
                    distinct: 1_000.0,
                    most_common_values: common(&[("1", 0.3), ("2", 0.2), ("3", 0.1)]),
                    histogram: tenths(),
                    ..ColumnStatistics::default()
                },
                "at" => ColumnStatistics {
                    distinct: -1.0,
                    histogram: tenths(),
                    ..ColumnStatistics::default()
                },
                "name" => ColumnStatistics {
                    distinct: -1.0,
                    histogram: (0..=10).map(|tenth| format!("nr-{tenth}0000x")).collect(),
                    ..ColumnStatistics::default()
                },
                _ => ColumnStatistics {
                    distinct: -1.0,
                    ..ColumnStatistics::default()
                },
            });
        }
    });
    test_planner::catalog([orders])
}

fn workload(sql: &str) -> Workload {
    let mut workload = Workload::default();
    let usage = Usage {
        calls: 100.0,
        mean_time_ms: None,
    };
    workload.add("s", sql, usage, String::new());
    workload
}

fn baseline(ids: &[&str], plan: &TestPlan) -> Baseline {
    let outcome = |name: &&str| (id(name), PlanOutcome::Plan(plan.plan()));
    ids.iter().map(outcome).collect()
}

/// The statements that are planned besides one with this condition.
fn classes_of(sql: &str, filter: &str) -> Vec<Statement> {
    let plan = seq_scan("orders", 1_000.0).filter(filter);
    of(&workload(sql), &baseline(&["s"], &plan), &catalog())
}

fn texts(found: &[Statement]) -> Vec<(&str, &str)> {
    found
        .iter()
        .map(|statement| (statement.id.0.as_str(), statement.sql.as_str()))
        .collect()
}

#[test]
fn a_parameter_gets_common_rare_and_absent_values_of_its_column() {
    let found = classes_of(
        "SELECT * FROM orders WHERE state = $1",
        "(orders.state = $1)",
    );
    assert_eq!(
        texts(&found),
        [
            (
                "s[most common]",
                "SELECT * FROM orders WHERE state = 'sent'::text"
            ),
            (
                "s[rare]",
                "SELECT * FROM orders WHERE state = 'failed'::text"
            ),
            ("s[absent]", "SELECT * FROM orders WHERE state = ''::text"),
        ]
    );
    let rare = found[1].value_class.as_ref().unwrap();
    assert_eq!(
        rare.values,
        [("$1".to_owned(), "'failed'::text".to_owned())]
    );
    let calls: f64 = found.iter().map(|statement| statement.calls).sum();
    assert!(
        (calls - 75.0).abs() < 1e-9,
        "a quarter is for the generic plan: {calls}"
    );
    assert!(found[0].calls > 4.0 * found[1].calls, "{found:?}");
}

/// Without a value the planner makes no range of the beginning of a text, and no index was a
/// candidate.
#[test]
fn the_beginning_of_a_text_gets_short_and_long_values() {
    let of_filter = |sql: &str, filter: &str| {
        let found = classes_of(sql, filter);
        let owned = found.into_iter();
        owned
            .map(|class| (class.id.0, class.sql))
            .collect::<Vec<_>>()
    };
    let classes = |start: &str, end: &str| {
        let class = |(name, value): (&str, &str)| {
            (format!("s[{name}]"), format!("{start}'{value}'::text{end}"))
        };
        let values = [
            ("wide range", "nr-5"),
            ("medium range", "nr-50"),
            ("narrow range", "nr-5001"),
        ];
        values.map(class).to_vec()
    };
    assert_eq!(
        of_filter(
            "SELECT id FROM orders WHERE name LIKE $1 || '%'",
            "(orders.name ~~ ($1 || '%'::text))"
        ),
        classes("SELECT id FROM orders WHERE name LIKE ", " || '%'")
    );
    assert_eq!(
        of_filter(
            "SELECT id FROM orders WHERE lower(name) LIKE lower($1) || '%'",
            "(lower(orders.name) ~~ (lower($1) || '%'::text))"
        ),
        classes(
            "SELECT id FROM orders WHERE lower(name) LIKE lower(",
            ") || '%'"
        )
    );
    for (sql, filter) in [
        ("name LIKE $1", "(orders.name ~~ $1)"),
        (
            "name LIKE '%' || $1 || '%'",
            "(orders.name ~~ (('%'::text || $1) || '%'::text))",
        ),
        (
            "name LIKE $1 || 'x%'",
            "(orders.name ~~ ($1 || 'x%'::text))",
        ),
    ] {
        let sql = format!("SELECT id FROM orders WHERE {sql}");
        assert_eq!(of_filter(&sql, filter), [], "{sql}");
    }
}

#[test]
fn a_literal_that_is_one_value_of_many_gets_others_and_a_kind_does_not() {
    let found = classes_of(
        "SELECT * FROM orders WHERE customer = 17",
        "(orders.customer = 17)",
    );
    assert_eq!(
        texts(&found),
        [
            ("s[most common]", "SELECT * FROM orders WHERE customer = 1"),
            ("s[median]", "SELECT * FROM orders WHERE customer = 2"),
            ("s[rare]", "SELECT * FROM orders WHERE customer = 500"),
        ]
    );
    let kind = "SELECT * FROM orders WHERE state = 'failed'";
    assert!(classes_of(kind, "(orders.state = 'failed'::text)").is_empty());
    let unique = "SELECT * FROM orders WHERE id = 17";
    assert!(
        classes_of(unique, "(orders.id = 17)").is_empty(),
        "all values are alike"
    );
}

#[test]
fn a_literal_that_stands_twice_is_one_value_where_it_is_compared_with_the_same_column() {
    let found = classes_of(
        "SELECT * FROM orders WHERE customer = 17 AND at > 17 AND EXISTS (SELECT FROM c WHERE c.customer = 17)",
        "(orders.customer = 17)",
    );
    assert_eq!(
        texts(&found)[0],
        (
            "s[most common]",
            "SELECT * FROM orders WHERE customer = 1 AND at > 17 AND EXISTS (SELECT FROM c WHERE c.customer = 1)"
        )
    );
    let elsewhere = "SELECT 17, 17 FROM orders WHERE customer IN (17)";
    assert!(classes_of(elsewhere, "(orders.customer = 17)").is_empty());
}

#[test]
fn who_is_asked_for_in_two_columns_is_one_value() {
    let found = classes_of(
        "SELECT * FROM orders WHERE customer = 17 OR payer = 17",
        "((orders.customer = 17) OR (orders.payer = 17))",
    );
    assert_eq!(
        texts(&found)[0],
        (
            "s[most common]",
            "SELECT * FROM orders WHERE customer = 1 OR payer = 1"
        )
    );
    // Another type is another kind of thing, and beside it by AND may be chance.
    for (sql, filter, wanted) in [
        (
            "SELECT * FROM orders WHERE customer = 17 OR at = 17",
            "((orders.customer = 17) OR (orders.at = 17))",
            "SELECT * FROM orders WHERE customer = 1 OR at = 17",
        ),
        (
            "SELECT * FROM orders WHERE customer = 17 AND payer = 17",
            "((orders.customer = 17) AND (orders.payer = 17))",
            "SELECT * FROM orders WHERE customer = 1 AND payer = 1",
        ),
    ] {
        let found = classes_of(sql, filter);
        let [(_, first), ..] = texts(&found)[..] else {
            panic!("{sql}");
        };
        assert_eq!(first, wanted);
    }
}

#[test]
fn only_one_of_two_values_is_absent() {
    // Values that are as frequent as each other: of these only the absent one is a class.
    let even = |name: &str, values: &[&str]| {
        let share = 1.0 / values.len() as f64;
        let common = values.iter().map(|value| ((*value).to_owned(), share));
        let statistics = ColumnStatistics {
            distinct: values.len() as f64,
            most_common_values: common.collect(),
            ..ColumnStatistics::default()
        };
        (name.to_owned(), statistics)
    };
    let columns = [
        even("source", &["a", "b", "c", "d", "e"]),
        even("kind", &["x", "y"]),
    ];
    let imports = table("imports", &["source text", "kind text", "at bigint"]).with(|table| {
        for (name, statistics) in &columns {
            let mut own = table.columns.iter_mut();
            own.find(|column| column.name == *name).unwrap().statistics = Some(statistics.clone());
        }
    });
    let sql = "SELECT * FROM imports WHERE kind = 'x' AND source = 'a' ORDER BY at LIMIT 20";
    let scan = seq_scan("imports", 1_000.0)
        .filter("((imports.kind = 'x'::text) AND (imports.source = 'a'::text))");
    let plan = scan.sorted_by(&["imports.at"]).limited(20.0);
    let mut workload = workload(sql);
    workload.note_varying_literals([0, 1].into());
    let found = of(
        &workload,
        &baseline(&["s"], &plan),
        &test_planner::catalog([imports]),
    );
    assert_eq!(
        texts(&found),
        [(
            "s[absent]",
            "SELECT * FROM imports WHERE kind = 'x' AND source = '' ORDER BY at LIMIT 20"
        )]
    );
}

#[test]
fn what_its_author_says_of_a_literal_decides() {
    let plan = seq_scan("orders", 1_000.0).filter("(orders.customer = 17)");
    let mut fixed = workload("SELECT * FROM orders WHERE customer = 17");
    fixed.note_fixed_literals([0].into());
    assert!(of(&fixed, &baseline(&["s"], &plan), &catalog()).is_empty());
    let plan = seq_scan("orders", 1_000.0).filter("(orders.state = 'failed'::text)");
    let mut varying = workload("SELECT * FROM orders WHERE state = 'failed'");
    varying.note_varying_literals([0].into());
    let found = of(&varying, &baseline(&["s"], &plan), &catalog());
    assert_eq!(
        texts(&found)[0],
        (
            "s[most common]",
            "SELECT * FROM orders WHERE state = 'sent'"
        )
    );
}

#[test]
fn bounds_and_limits_are_wide_and_narrow() {
    let found = classes_of(
        "SELECT * FROM orders WHERE at > $1 LIMIT $2",
        "(orders.at > $1)",
    );
    assert_eq!(
        texts(&found),
        [
            (
                "s[wide range]",
                "SELECT * FROM orders WHERE at > 100 LIMIT 20"
            ),
            (
                "s[medium range]",
                "SELECT * FROM orders WHERE at > 500 LIMIT 1000"
            ),
            (
                "s[narrow range]",
                "SELECT * FROM orders WHERE at > 900 LIMIT 20"
            ),
        ]
    );
    let found = classes_of(
        "SELECT * FROM orders WHERE at >= $1 AND at < $2",
        "((orders.at >= $1) AND (orders.at < $2))",
    );
    assert_eq!(
        texts(&found)[0].1,
        "SELECT * FROM orders WHERE at >= 100 AND at < 900"
    );
}

#[test]
fn classes_that_cannot_be_planned_leave_their_calls_to_the_statement() {
    let sql = "SELECT * FROM orders WHERE state = $1";
    let plan = seq_scan("orders", 1_000.0).filter("(orders.state = $1)");
    let workload = workload(sql);
    let classes = of(&workload, &baseline(&["s"], &plan), &catalog());
    let rare = classes[1].calls;
    let all = added(&workload, classes, &baseline(&["s", "s[rare]"], &plan));
    let calls: Vec<(&str, f64)> = all
        .statements()
        .iter()
        .map(|statement| (statement.id.0.as_str(), statement.calls))
        .collect();
    assert_eq!(calls, [("s", 100.0 - rare), ("s[rare]", rare)]);
}

/// The frequency, the share, and what has which value.
type Class = (Frequency, f64, Vec<(String, String)>);

/// The classes of a statement that a log has with these texts.
fn seen(filter: &str, texts: &[(&str, u64)]) -> Vec<Class> {
    let mut workload = workload(texts[0].0);
    let observed = texts.iter().map(|(sql, executions)| ObservedValues {
        sql: (*sql).to_owned(),
        executions: *executions,
    });
    workload.note_observed(observed.collect());
    workload.note_varying_literals((0..5).collect());
    let plan = seq_scan("orders", 1_000.0).filter(filter);
    let found = of(&workload, &baseline(&["s"], &plan), &catalog());
    let classes = found.into_iter().map(|one| one.value_class.unwrap());
    classes
        .map(|class| (class.frequency, class.share, class.values))
        .collect()
}

fn named(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect()
}

#[test]
fn values_of_a_log_are_classes_with_their_shares_of_the_executions() {
    let text = |state: &str| format!("SELECT * FROM orders WHERE state = '{state}'");
    let found = seen(
        "(orders.state = 'sent'::text)",
        &[
            (&text("sent"), 10),
            (&text("failed"), 25),
            (&text("lost"), 3),
            (&text("gone"), 2),
        ],
    );
    assert_eq!(
        found,
        [
            (Frequency::Rare, 0.625, named(&[("state", "'failed'")])),
            (Frequency::Absent, 0.125, named(&[("state", "'lost'")])),
        ],
        "the common value is that of the statement, and none is made up"
    );
}

#[test]
fn bounds_and_limits_of_a_log_are_sorted_by_the_rows_within() {
    let text =
        |from: u32, limit: u32| format!("SELECT * FROM orders WHERE at > {from} LIMIT {limit}");
    let found = seen(
        "(orders.at > 990)",
        &[
            (&text(990, 7), 30),
            (&text(20, 7), 8),
            (&text(800, 5000), 2),
        ],
    );
    assert_eq!(
        found,
        [
            (
                Frequency::WideRange,
                0.2,
                named(&[("LIMIT", "7"), ("at", "20")])
            ),
            (
                Frequency::MediumRange,
                0.05,
                named(&[("LIMIT", "5000"), ("at", "800")])
            ),
        ]
    );
    let only_limit = |limit: u32| format!("SELECT * FROM orders ORDER BY id LIMIT {limit}");
    let found = seen(
        "(orders.id > orders.customer)",
        &[(&only_limit(20), 10), (&only_limit(2000), 10)],
    );
    assert_eq!(
        found,
        [(Frequency::LargeLimit, 0.5, named(&[("LIMIT", "2000")]))]
    );
}

#[test]
fn a_list_that_is_a_parameter_gets_one_value_of_each_class() {
    let of_array = classes_of(
        "SELECT * FROM orders WHERE state = ANY ($1)",
        "(orders.state = ANY ($1))",
    );
    assert_eq!(
        texts(&of_array)[..2],
        [
            (
                "s[most common]",
                "SELECT * FROM orders WHERE state = ANY (ARRAY['sent'::text]::text[])"
            ),
            (
                "s[rare]",
                "SELECT * FROM orders WHERE state = ANY (ARRAY['failed'::text]::text[])"
            ),
        ]
    );
    let of_places = classes_of(
        "SELECT * FROM orders WHERE customer IN ($1, $2)",
        "(orders.customer = ANY (ARRAY[$1, $2]))",
    );
    let sql: Vec<_> = texts(&of_places).into_iter().map(|(_, sql)| sql).collect();
    assert!(
        sql.contains(&"SELECT * FROM orders WHERE customer IN (1, 1)"),
        "{sql:?}"
    );
}
