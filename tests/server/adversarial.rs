//! Ten statements on which a naive advisor is wrong: the verdict, and its reason.

use serde_json::Value;

use crate::live::{Database, recommended, rejected, statement};

/// The recommendations as text.
fn ddl(report: &Value) -> Vec<&str> {
    let recommendations = report["recommendations"].as_array().unwrap();
    recommendations
        .iter()
        .map(|index| index["ddl"].as_str().unwrap())
        .collect()
}

/// The reasons of the rejected candidates whose DDL contains all of these texts; there must be
/// some.
fn reasons<'r>(report: &'r Value, texts: &[&str]) -> Vec<&'r str> {
    let candidates = rejected(report, texts);
    assert!(
        !candidates.is_empty(),
        "{texts:?} was not even thought of: {report:#}"
    );
    candidates
        .iter()
        .map(|candidate| candidate["reason"].as_str().unwrap())
        .collect()
}

fn factor(report: &Value, id: &str) -> f64 {
    let statement = statement(report, id);
    statement["cost_before"].as_f64().unwrap() / statement["cost_after"].as_f64().unwrap()
}

/// Advises on one statement, which is called `-c:1`, or on several.
fn advise(database: &Database, sql: &[&str]) -> Value {
    let arguments: Vec<&str> = sql.iter().flat_map(|sql| ["-c", sql]).collect();
    database.advise(&arguments)
}

fn only_id(report: &Value) -> &str {
    report["workload"]["statements"][0]["id"].as_str().unwrap()
}

/// 60 000 rows of about 110 bytes; `half` is true for every second row, in random order.
const THINGS: &str = "
    CREATE TABLE things (id bigint PRIMARY KEY, code text NOT NULL, half boolean NOT NULL, made timestamptz NOT NULL, note text);
    INSERT INTO things SELECT n, md5(n::text), hashint8(n) % 2 = 0, timestamptz '2024-01-01 00:00Z' + n * interval '1 minute',
        repeat('x', 40) FROM generate_series(1, 60000) AS n;
    VACUUM ANALYZE things";

fn things(name: &str) -> Database {
    let database = Database::new(name, "");
    THINGS
        .split(';')
        .for_each(|statement| database.run(statement));
    database
}

/// A condition that every second row satisfies reads the whole table anyway: each page holds such
/// rows.
#[test]
fn a_column_of_low_selectivity_gets_no_index() {
    let database = things("adversarial_low");
    let report = advise(&database, &["SELECT * FROM things WHERE half"]);
    assert_eq!(ddl(&report), [""; 0], "{report:#}");
    let reasons = reasons(&report, &["(half)"]);
    assert!(
        reasons.iter().all(|reason| *reason == "not_chosen"),
        "the planner was asked, and does not use it: {reasons:?}"
    );
}

/// Reading a table of one page is faster than reading an index of two.
#[test]
fn a_tiny_table_gets_no_index() {
    let database = Database::new(
        "adversarial_tiny",
        "CREATE TABLE currencies (id int PRIMARY KEY, code text NOT NULL, name text NOT NULL);
         INSERT INTO currencies SELECT n, 'C' || n, 'Currency ' || n FROM generate_series(1, 30) AS n;
         ANALYZE currencies",
    );
    let report = advise(
        &database,
        &["SELECT name FROM currencies WHERE code = 'C7'"],
    );
    assert_eq!(ddl(&report), [""; 0], "{report:#}");
    let reasons = reasons(&report, &["(code)"]);
    assert!(
        reasons.iter().all(|reason| *reason == "not_chosen"),
        "{reasons:?}"
    );
}

/// An index stores the result of an expression once, so an expression whose result changes or
/// depends on a setting cannot be indexed.
#[test]
fn a_volatile_expression_gets_no_index() {
    let database = things("adversarial_volatile");
    let report = advise(
        &database,
        &[
            "SELECT id FROM things WHERE md5(code || random()::text) = 'x'",
            "SELECT id FROM things WHERE made::date = '2024-01-09'",
        ],
    );
    assert_only_for_rewrites(&report);
    for candidate in rejected(&report, &["(made)::date"]) {
        let (ddl, reason) = (
            candidate["ddl"].as_str().unwrap(),
            candidate["reason"].as_str().unwrap(),
        );
        assert_eq!(reason, "build_failed", "{ddl}");
        assert!(
            candidate["detail"].as_str().unwrap().contains("IMMUTABLE"),
            "{candidate:#}"
        );
    }
}

/// What an existing index already does is not recommended again: not a part of its work, and in
/// neither direction.
#[test]
fn what_an_existing_index_covers_gets_no_second_one() {
    let database = things("adversarial_covered");
    database.run("CREATE INDEX things_code_made ON things (code, made)");
    let code = "'c4ca4238a0b923820dcc509a6f75849b'";
    let report = advise(
        &database,
        &[
            &format!("SELECT id FROM things WHERE code = {code}"),
            &format!("SELECT id FROM things WHERE code = {code} ORDER BY made DESC LIMIT 5"),
            &format!(
                "SELECT id FROM things WHERE code = {code} AND made >= '2024-01-31' AND made < '2024-01-31 01:00Z'"
            ),
        ],
    );
    assert_eq!(ddl(&report), [""; 0], "{report:#}");
    for keys in ["(code)", "(code, made)"] {
        assert!(
            reasons(&report, &[keys])
                .iter()
                .all(|reason| *reason == "redundant"),
            "{report:#}"
        );
        let detail = rejected(&report, &[keys])[0]["detail"].as_str().unwrap();
        assert!(detail.contains("things_code_made"), "{detail}");
    }
}

/// The planner takes the correlation of an index's first column, times 0.75, as that of an index of
/// several columns and knows nothing about the others. So it expects 30 pages for 30 rows that are
/// on one page, and estimates `(made)` as eleven times cheaper than the index that already finds
/// the same rows. Executed, both take the same time.
#[test]
fn an_index_that_only_seems_to_be_cheaper_than_an_existing_one_is_not_recommended() {
    let database = things("adversarial_seeming");
    database.run("CREATE INDEX things_half_made ON things (half, made)");
    let report = advise(
        &database,
        &[
            "SELECT id FROM things WHERE half AND made >= '2024-01-31' AND made < '2024-01-31 01:00Z'",
        ],
    );
    assert_eq!(ddl(&report), [""; 0], "{report:#}");
}

fn orders_without_a_reason(name: &str) -> Value {
    let database = Database::new(
        name,
        "CREATE TABLE orders (id int PRIMARY KEY, customer int NOT NULL, note text);
         CREATE TABLE refunds (id int PRIMARY KEY, order_id int NOT NULL, reason text, note text);
         INSERT INTO orders SELECT n, n % 6000, repeat('x', 60) FROM generate_series(1, 60000) AS n;
         INSERT INTO refunds SELECT n, n * 2, CASE WHEN n % 100 > 0 THEN 'r' || n % 7 END, repeat('y', 60)
             FROM generate_series(1, 30000) AS n;
         ANALYZE orders, refunds",
    );
    let sql = "SELECT o.note, r.note FROM orders o LEFT JOIN refunds r ON r.order_id = o.id \
               WHERE o.customer = 77 AND r.reason IS NULL";
    advise(&database, &[sql])
}

/// `r.reason IS NULL` above the outer join is mostly true for rows that the join added, which no
/// index contains, and an index on the few refunds without a reason would miss those with one. What
/// helps is an index to find the orders, and from them their refunds.
#[test]
fn a_predicate_on_the_nullable_side_of_an_outer_join_gets_no_index() {
    let report = orders_without_a_reason("adversarial_outer");
    assert!(
        ddl(&report)
            .iter()
            .all(|ddl| !ddl.contains("(reason") && !ddl.contains("WHERE")),
        "{:#?}",
        ddl(&report)
    );
    // From 18 on a scan may skip `reason` and use the columns after it, as well as an index on
    // these columns alone.
    let may_skip = report["server"]["version_num"].as_u64().unwrap() >= 180_000;
    for candidate in [["refunds", "(reason"], ["refunds", "WHERE reason IS NULL"]] {
        let expected =
            |reason: &&str| *reason == "not_chosen" || (may_skip && *reason == "redundant");
        assert!(
            reasons(&report, &candidate).iter().all(expected),
            "{candidate:?}: {report:#}"
        );
    }
    assert_eq!(
        recommended(&report, &["orders", "(customer"]).len(),
        1,
        "{:#?}",
        ddl(&report)
    );
    assert_eq!(
        recommended(&report, &["refunds", "(order_id"]).len(),
        1,
        "{:#?}",
        ddl(&report)
    );
    assert!(factor(&report, only_id(&report)) > 10.0);
}

/// The condition above the join must also not become a key of the index that serves the join.
#[test]
fn columns_that_serve_nothing_are_not_appended() {
    let report = orders_without_a_reason("adversarial_appended");
    assert_eq!(
        recommended(&report, &["orders", "(customer)"]).len(),
        1,
        "{:#?}",
        ddl(&report)
    );
    assert_eq!(
        recommended(&report, &["refunds", "(order_id)"]).len(),
        1,
        "{:#?}",
        ddl(&report)
    );
}

/// Ten rows of a condition that is often true are on the first page.
#[test]
fn a_limit_without_an_order_gets_no_index() {
    let database = things("adversarial_limit");
    let report = advise(
        &database,
        &["SELECT id, code FROM things WHERE half LIMIT 10"],
    );
    assert_eq!(ddl(&report), [""; 0], "{report:#}");
    let reasons = reasons(&report, &["things"]);
    assert!(
        reasons
            .iter()
            .all(|reason| matches!(*reason, "not_chosen" | "gain_too_small")),
        "{reasons:?}"
    );
}

/// 60 000 addresses; the postcode determines the city.
const ADDRESSES: &str = "
    CREATE TABLE addresses (id int PRIMARY KEY, city text NOT NULL, postcode text NOT NULL, note text);
    INSERT INTO addresses SELECT n, 'city ' || n % 600 / 10, 'postcode ' || n % 600, repeat('x', 60) FROM generate_series(1, 60000) AS n;
    CREATE STATISTICS addresses_place (dependencies) ON city, postcode FROM addresses;
    ANALYZE addresses";
const ADDRESSES_OF_A_PLACE: &str =
    "SELECT id, note FROM addresses WHERE city = 'city 7' AND postcode = 'postcode 77'";

/// The second column of an index filters nothing if the first one determines it.
#[test]
fn of_correlated_columns_the_determining_one_is_enough() {
    let database = Database::new("adversarial_correlated", ADDRESSES);
    let report = advise(&database, &[ADDRESSES_OF_A_PLACE]);
    assert_eq!(ddl(&report).len(), 1, "{:#?}", ddl(&report));
    assert_eq!(
        recommended(&report, &["(postcode)"]).len(),
        1,
        "{:#?}",
        ddl(&report)
    );
    let reasons = reasons(&report, &["(postcode, city)"]);
    assert!(
        reasons
            .iter()
            .all(|reason| matches!(*reason, "redundant" | "gain_too_small")),
        "{reasons:?}"
    );
}

/// The same column has a value that nearly every row has and one that few have. An index helps for
/// the second one only, and a partial one does not store the others.
#[test]
fn of_skewed_values_only_the_rare_one_gets_an_index() {
    let database = Database::new(
        "adversarial_skewed",
        "CREATE TABLE tasks (id int PRIMARY KEY, state text NOT NULL, note text);
         INSERT INTO tasks SELECT n, CASE WHEN n % 1000 = 0 THEN 'failed' WHEN n % 50 = 0 THEN 'waiting' ELSE 'done' END,
             repeat('x', 80) FROM generate_series(1, 60000) AS n;
         ANALYZE tasks",
    );
    let common = "SELECT id, note FROM tasks WHERE state = 'done'";
    let rare = "SELECT id, note FROM tasks WHERE state = 'failed'";
    let report = advise(&database, &[common, rare]);
    assert_eq!(ddl(&report).len(), 1, "{:#?}", ddl(&report));
    let index = recommended(&report, &["WHERE (state = 'failed'"]);
    assert_eq!(index.len(), 1, "{:#?}", ddl(&report));
    assert!(
        index[0]["size_bytes"].as_u64().unwrap() <= 16 * 1024,
        "{:#}",
        index[0]
    );
    let statements = report["workload"]["statements"].as_array().unwrap();
    assert_eq!(statements[0]["change"], "same");
    assert_eq!(statements[1]["change"], "better");
}

/// A row may qualify by either table, so neither table's index finds all rows: both tables are read
/// in any case. Written as a UNION ALL of both halves, each half has its index.
#[test]
fn an_or_across_tables_gets_no_index() {
    let database = Database::new(
        "adversarial_or",
        "CREATE TABLE authors (id int PRIMARY KEY, name text NOT NULL, note text);
         CREATE TABLE books (id int PRIMARY KEY, author int NOT NULL, title text NOT NULL, note text);
         INSERT INTO authors SELECT n, 'name ' || n, repeat('x', 60) FROM generate_series(1, 20000) AS n;
         INSERT INTO books SELECT n, 1 + n % 20000, 'title ' || n, repeat('y', 60) FROM generate_series(1, 60000) AS n;
         ANALYZE authors, books",
    );
    let sql = "SELECT b.id FROM books b JOIN authors a ON a.id = b.author WHERE b.title = 'title 9' OR a.name = 'name 9'";
    let report = advise(&database, &[sql]);
    assert_only_for_rewrites(&report);
    assert_eq!(report["remedies"][0]["kind"], "rewrite", "{report:#}");
}

/// As it is written no statement gains by an index; one that is written another way may.
fn assert_only_for_rewrites(report: &Value) {
    let recommendations = report["recommendations"].as_array().unwrap();
    for index in recommendations {
        assert!(
            !index["rewrites"].as_array().unwrap().is_empty(),
            "{index:#}"
        );
    }
}

/// The statement names a column of the view; the index is on the view's expression over the table's
/// column.
#[test]
fn a_function_in_a_view_is_indexed_on_the_table() {
    let database = things("adversarial_view");
    database
        .run("CREATE VIEW codes AS SELECT id, upper(substr(code, 1, 12)) AS short FROM things WHERE note IS NOT NULL");
    let report = advise(
        &database,
        &["SELECT id FROM codes WHERE short = 'C4CA4238A0B9'"],
    );
    let index = recommended(&report, &["public.things", "upper(substr(code, 1, 12))"]);
    assert_eq!(index.len(), 1, "{:#?}", ddl(&report));
    assert_eq!(ddl(&report).len(), 1, "{:#?}", ddl(&report));
    assert!(factor(&report, only_id(&report)) > 50.0);
}
