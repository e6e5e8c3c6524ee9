//! Each kind of index: a statement for which the planner uses it, and one for which no such index
//! may be proposed.

use serde_json::Value;

use crate::live::{Database, recommended};

#[path = "candidates/facts.rs"]
mod facts;
#[path = "candidates/orders.rs"]
mod orders;
#[path = "candidates/special.rs"]
mod special;

/// The DDL of all recommended and rejected candidates.
fn tried(report: &Value) -> Vec<String> {
    let ddl = |list: &str| {
        let entries = report[list].as_array().unwrap().iter();
        entries
            .map(|entry| entry["ddl"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    [ddl("recommendations"), ddl("rejected")].concat()
}

/// For messages: every index with its result.
fn summary(report: &Value) -> Vec<String> {
    let line = |entry: &Value| format!("{} {}: {}", entry["ddl"], entry["reason"], entry["detail"]);
    let list = |name: &str| {
        report[name]
            .as_array()
            .unwrap()
            .iter()
            .map(line)
            .collect::<Vec<_>>()
    };
    [list("recommendations"), list("rejected")].concat()
}

fn is_tried(report: &Value, text: &str) -> bool {
    tried(report).iter().any(|ddl| ddl.contains(text))
}

/// No candidate failed to build: what is proposed can be built.
fn assert_all_built(report: &Value) {
    let failed: Vec<&Value> = report["rejected"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["reason"] == "build_failed")
        .collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// With real builds: other tests cover the twin's sizes of indexes that are not btrees.
fn advise(database: &Database, workload: &str) -> Value {
    let report = database.advise(&["--rehearse", "transaction", "-c", workload]);
    assert_all_built(&report);
    report
}

fn notices(report: &Value) -> String {
    report["notices"]
        .as_array()
        .unwrap()
        .iter()
        .map(|notice| notice.as_str().unwrap())
        .collect::<Vec<_>>()
        .join("\n")
}

const DOCUMENTS: &str = "CREATE TABLE doc (id bigint PRIMARY KEY, tags text[] NOT NULL, body jsonb NOT NULL, words tsvector NOT NULL,
        title varchar(80) NOT NULL, key text NOT NULL);
     INSERT INTO doc SELECT n, ARRAY['t' || n % 5000, 'u' || n % 7], jsonb_build_object('number', n, 'kind', 'k' || n % 4000),
            to_tsvector('simple', 'word' || n % 3000 || ' common'), md5(n::text) || ' ' || md5((n * 7)::text), repeat(md5(n::text), 2)
     FROM generate_series(1, 40000) AS n;
     ANALYZE doc;";

#[test]
fn arrays_documents_and_texts_get_gin() {
    let database = Database::new("cand_gin", DOCUMENTS);
    let report = advise(
        &database,
        "SELECT id FROM doc WHERE tags @> ARRAY['t77']; SELECT id FROM doc WHERE ARRAY['t5', 't6'] && tags",
    );
    assert_eq!(
        recommended(&report, &["USING gin (tags)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
    let report = advise(
        &database,
        "SELECT id FROM doc WHERE body @> '{\"kind\": \"k5\"}'",
    );
    assert_eq!(
        recommended(&report, &["USING gin (body jsonb_path_ops)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
    let report = advise(&database, "SELECT id FROM doc WHERE body ? 'rare'");
    assert_eq!(
        recommended(&report, &["USING gin (body)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
    assert!(
        !is_tried(&report, "jsonb_path_ops"),
        "it does not know the operator ?"
    );
    let report = advise(
        &database,
        "SELECT id FROM doc WHERE words @@ to_tsquery('simple', 'word17')",
    );
    assert_eq!(
        recommended(&report, &["USING gin (words)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
    let report = advise(
        &database,
        "SELECT id FROM doc WHERE body ->> 'kind' = 'k5' AND id > 7",
    );
    assert!(
        !is_tried(&report, "gin") && !is_tried(&report, "gist"),
        "{:#?}",
        tried(&report)
    );
}

#[test]
fn substrings_get_trigrams_and_the_extension_is_created_first() {
    let database = Database::new("cand_trigram", DOCUMENTS);
    let before = database.catalog();
    let report = advise(&database, "SELECT id FROM doc WHERE title ILIKE '%abcde%'");
    assert_eq!(database.catalog(), before, "the extension is gone again");
    let recommendation = &report["recommendations"][0];
    let ddl = recommendation["ddl"].as_str().unwrap();
    assert!(ddl.contains("trgm_ops"), "{:#?}", summary(&report));
    let statements: Vec<&str> = recommendation["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s.as_str().unwrap())
        .collect();
    assert_eq!(
        statements.first(),
        Some(&"CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA public;"),
        "{statements:?}"
    );
    statements
        .iter()
        .for_each(|statement| database.run(statement));
    let again = advise(&database, "SELECT id FROM doc WHERE title ILIKE '%abcde%'");
    assert!(
        again["recommendations"].as_array().unwrap().is_empty(),
        "{:#?}",
        summary(&again)
    );
    let short = advise(&database, "SELECT id FROM doc WHERE title LIKE '%a%'");
    assert!(
        !is_tried(&short, "trgm"),
        "no trigram in it: {:#?}",
        tried(&short)
    );
}

#[test]
fn beginnings_get_a_class_that_compares_bytes() {
    let database = Database::new("cand_pattern", DOCUMENTS);
    database.run("CREATE TABLE plain (code text COLLATE \"C\" NOT NULL); INSERT INTO plain SELECT md5(n::text) FROM generate_series(1, 40000) AS n;
                  CREATE TABLE other (code text COLLATE \"en-x-icu\" NOT NULL); INSERT INTO other SELECT md5(n::text) FROM generate_series(1, 40000) AS n; ANALYZE;");
    let report = advise(&database, "SELECT * FROM plain WHERE code LIKE 'abc%'");
    assert_eq!(
        recommended(&report, &["(code)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
    assert!(!is_tried(&report, "text_pattern_ops"));
    let report = advise(&database, "SELECT * FROM other WHERE code LIKE 'abc%'");
    assert!(
        is_tried(&report, "(code text_pattern_ops)"),
        "{:#?}",
        tried(&report)
    );
    let best = report["recommendations"][0]["ddl"].as_str().unwrap();
    assert!(
        best.contains("(code text_pattern_ops)") || best.contains("USING spgist (code)"),
        "{:#?}",
        summary(&report)
    );
    let report = advise(&database, "SELECT * FROM other WHERE code LIKE '%abc'");
    assert!(
        !is_tried(&report, "text_pattern_ops"),
        "{:#?}",
        tried(&report)
    );
}

#[test]
fn ranges_points_and_addresses_get_trees() {
    let database = Database::new(
        "cand_trees",
        "CREATE TABLE booking (id bigint PRIMARY KEY, during int8range NOT NULL, place point NOT NULL, address inet NOT NULL);
         INSERT INTO booking SELECT n, int8range(n * 10, n * 10 + 5), point(n % 200, n / 200), '10.0.0.0'::inet + n
         FROM generate_series(1, 40000) AS n;
         ANALYZE booking;",
    );
    let report = advise(
        &database,
        "SELECT id FROM booking WHERE during && int8range(5000, 5100)",
    );
    assert!(is_tried(&report, "USING gist (during)") && is_tried(&report, "USING spgist (during)"));
    assert!(
        report["recommendations"][0]["ddl"]
            .as_str()
            .unwrap()
            .contains("gist (during)"),
        "{:#?}",
        summary(&report)
    );
    let report = advise(
        &database,
        "SELECT id FROM booking ORDER BY place <-> point(7, 7) LIMIT 5",
    );
    assert!(
        report["recommendations"][0]["ddl"]
            .as_str()
            .unwrap()
            .contains("gist (place)"),
        "{:#?}",
        summary(&report)
    );
    let report = advise(
        &database,
        "SELECT id FROM booking WHERE address <<= inet '10.0.1.0/24'",
    );
    assert!(
        is_tried(&report, "USING gist (address inet_ops)")
            && is_tried(&report, "USING spgist (address)"),
        "{:#?}",
        tried(&report)
    );
    let report = advise(&database, "SELECT id FROM booking ORDER BY id LIMIT 5");
    assert!(!is_tried(&report, "gist"), "{:#?}", tried(&report));
}

#[test]
fn extensions_classes_are_found_like_any_other() {
    let database = Database::new(
        "cand_extension",
        "CREATE SCHEMA ext; CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION ltree SCHEMA ext; CREATE EXTENSION btree_gist SCHEMA ext;
         CREATE TABLE item (id bigint PRIMARY KEY, facts ext.hstore NOT NULL, path ext.ltree NOT NULL, room bigint NOT NULL, during int8range NOT NULL);
         INSERT INTO item SELECT n, ext.hstore('k' || n % 4000, 'v'), ('a.b' || n % 300 || '.c' || n)::ext.ltree, n % 40, int8range(n, n + 3)
         FROM generate_series(1, 30000) AS n;
         ANALYZE item;",
    );
    let report = advise(
        &database,
        "SELECT id FROM item WHERE facts OPERATOR(ext.?) 'k77'",
    );
    assert!(
        report["recommendations"][0]["ddl"]
            .as_str()
            .unwrap()
            .contains("gin (facts"),
        "{:#?}",
        summary(&report)
    );
    let report = advise(
        &database,
        "SELECT id FROM item WHERE path OPERATOR(ext.<@) 'a.b7'::ext.ltree",
    );
    assert!(
        is_tried(&report, "USING gist (path"),
        "{:#?}",
        tried(&report)
    );
    let report = advise(
        &database,
        "SELECT id FROM item WHERE room = 7 AND during && int8range(500, 900)",
    );
    assert!(
        is_tried(&report, "USING gist (room") && is_tried(&report, "during)"),
        "{:#?}",
        tried(&report)
    );
}

#[test]
fn long_values_are_hashed_when_they_are_only_looked_up() {
    let database = Database::new("cand_hash", DOCUMENTS);
    let report = advise(
        &database,
        &format!("SELECT id FROM doc WHERE key = '{}'", "a".repeat(64)),
    );
    assert_eq!(
        recommended(&report, &["USING hash (key)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
    let report = advise(
        &database,
        "SELECT id FROM doc WHERE key = 'a' ORDER BY key; SELECT id FROM doc WHERE key > 'a'; SELECT id FROM doc WHERE id = 5",
    );
    assert!(
        !is_tried(&report, "hash (id)") && !is_tried(&report, "hash (title)"),
        "{:#?}",
        tried(&report)
    );
}

const ORDERS: &str = "CREATE TABLE orders (id bigint PRIMARY KEY, user_id bigint NOT NULL, state text NOT NULL, paid boolean NOT NULL,
        price integer NOT NULL, at timestamptz NOT NULL, day timestamp NOT NULL, note text);
     INSERT INTO orders SELECT n, n % 2000, CASE WHEN n % 100 < 2 THEN 'NEW' WHEN n % 100 < 5 THEN 'SENT' ELSE 'DONE' END, n % 50 <> 0,
            n * 7919 % 10007, '2024-01-01Z'::timestamptz + n * interval '1 minute', '2024-01-01'::timestamp + n * interval '1 minute',
            repeat('note', 30)
     FROM generate_series(1, 60000) AS n;";

#[test]
fn few_narrow_columns_are_carried_along() {
    let database = Database::new("cand_covering", ORDERS);
    database.run("VACUUM ANALYZE orders");
    let sum = "SELECT sum(price) FROM orders WHERE user_id BETWEEN 100 AND 160";
    let report = advise(&database, sum);
    let covering = recommended(&report, &["(user_id) INCLUDE (price)"]).len()
        + recommended(&report, &["(user_id, price)"]).len();
    assert_eq!(covering, 1, "{:#?}", summary(&report));
    let report = advise(
        &database,
        "SELECT * FROM orders WHERE user_id BETWEEN 100 AND 160",
    );
    assert!(!is_tried(&report, "INCLUDE"), "{:#?}", tried(&report));
    database.run("UPDATE orders SET price = price + 1; ANALYZE orders");
    let report = advise(&database, sum);
    assert!(
        !is_tried(&report, "INCLUDE"),
        "no page is all-visible: {:#?}",
        tried(&report)
    );
}

#[test]
fn kinds_become_predicates_and_users_do_not() {
    let database = Database::new("cand_partial", ORDERS);
    database.run("ANALYZE orders");
    let report = advise(
        &database,
        "SELECT id FROM orders WHERE state = 'NEW' AND user_id = 42 ORDER BY at; SELECT id FROM orders WHERE state IN ('NEW', 'SENT') AND user_id = 7;
         SELECT id FROM orders WHERE NOT paid ORDER BY at LIMIT 10; SELECT id FROM orders WHERE state <> 'DONE' AND user_id = 9",
    );
    assert!(
        !is_tried(&report, "WHERE (user_id") && !is_tried(&report, "WHERE user_id"),
        "{:#?}",
        tried(&report)
    );
    assert!(
        is_tried(&report, "WHERE (NOT paid)") || is_tried(&report, "WHERE NOT paid"),
        "{:#?}",
        tried(&report)
    );
    assert!(
        is_tried(
            &report,
            "(user_id, at) WHERE state = ANY ('{NEW,SENT}'::text[])"
        ),
        "the weaker predicate: {:#?}",
        tried(&report)
    );
    let one_each: Vec<String> = ["NEW", "SENT", "DONE", "LOST", "BACK"]
        .iter()
        .map(|state| format!("SELECT id FROM orders WHERE state = '{state}' ORDER BY at LIMIT 3"))
        .collect();
    let report = advise(&database, &one_each.join(";"));
    assert!(
        !is_tried(&report, "WHERE"),
        "another state in each call: {:#?}",
        tried(&report)
    );
}

#[test]
fn orders_extremes_and_pages_are_found_in_an_index() {
    let database = Database::new("cand_order", ORDERS);
    database.run("ANALYZE orders");
    let report = advise(&database, "SELECT max(at) FROM orders WHERE user_id = 7");
    assert_eq!(
        recommended(&report, &["(user_id, at)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
    let report = advise(
        &database,
        "SELECT * FROM orders WHERE (price, id) > (500, 7) ORDER BY price, id LIMIT 10",
    );
    assert_eq!(
        recommended(&report, &["(price, id)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
    let report = advise(
        &database,
        "SELECT * FROM orders ORDER BY price DESC NULLS LAST, id LIMIT 10",
    );
    assert!(
        is_tried(&report, "price NULLS FIRST, id DESC")
            || is_tried(&report, "price DESC NULLS LAST, id"),
        "{:#?}",
        tried(&report)
    );
    let report = advise(
        &database,
        "SELECT id FROM orders WHERE price < 9000 AND user_id > 5 ORDER BY at LIMIT 10",
    );
    assert!(
        is_tried(&report, "(at, price, user_id)"),
        "{:#?}",
        tried(&report)
    );
    let report = advise(
        &database,
        "SELECT id FROM orders WHERE user_id = 5 OR price = 77",
    );
    assert!(
        is_tried(&report, "(user_id)") && is_tried(&report, "(price)"),
        "{:#?}",
        tried(&report)
    );
}

#[test]
fn what_depends_on_the_time_zone_is_explained_and_not_tried() {
    let database = Database::new("cand_volatile", ORDERS);
    database.run("ANALYZE orders; CREATE FUNCTION own(text) RETURNS text LANGUAGE sql AS 'SELECT lower($1)'; ALTER FUNCTION own(text) VOLATILE");
    for (condition, expected) in [
        ("at::date = '2024-01-05'", "at >= "),
        ("date_trunc('day', at) = '2024-01-05'", "at >= "),
        ("to_char(at, 'YYYY') = '2024'", "at >= "),
        ("extract(year FROM at) = 2024", "at >= "),
    ] {
        let report = advise(
            &database,
            &format!("SELECT id FROM orders WHERE {condition}"),
        );
        assert!(
            tried(&report).is_empty(),
            "{condition}: {:#?}",
            tried(&report)
        );
        assert!(
            notices(&report).contains("not immutable") && notices(&report).contains(expected),
            "{condition}: {}",
            notices(&report)
        );
    }
    let report = advise(
        &database,
        "SELECT id FROM orders WHERE date_trunc('hour', day) = '2024-01-05'; SELECT id FROM orders WHERE (at AT TIME ZONE 'UTC')::date = '2024-01-05'",
    );
    assert_eq!(
        report["recommendations"].as_array().unwrap().len(),
        2,
        "{:#?}",
        summary(&report)
    );
    assert!(
        !notices(&report).contains("not immutable"),
        "{}",
        notices(&report)
    );
}

#[test]
fn rows_in_the_order_of_a_column_get_brin() {
    let database = Database::new(
        "cand_brin",
        "CREATE TABLE log (at bigint NOT NULL, late bigint NOT NULL, any_order bigint NOT NULL, during int8range NOT NULL, filler text NOT NULL);
         INSERT INTO log SELECT n, CASE WHEN n % 5 = 0 THEN n * 7919 % 60000 ELSE n END, n * 7919 % 60007, int8range(n, n + 5), repeat('x', 200)
         FROM generate_series(1, 60000) AS n;
         ANALYZE log;",
    );
    let report = advise(
        &database,
        "SELECT * FROM log WHERE at BETWEEN 5000 AND 5500",
    );
    for pages in [
        "USING brin (at);",
        "(pages_per_range = 32)",
        "(pages_per_range = 8)",
    ] {
        assert!(
            is_tried(&report, pages) || is_tried(&report, "pages_per_range='"),
            "{pages}: {:#?}",
            tried(&report)
        );
    }
    let report = advise(
        &database,
        "SELECT * FROM log WHERE late BETWEEN 5000 AND 5500",
    );
    assert!(
        is_tried(&report, "brin (late int8_minmax_multi_ops)"),
        "{:#?}",
        tried(&report)
    );
    let report = advise(
        &database,
        "SELECT * FROM log WHERE during && int8range(500, 600)",
    );
    assert!(is_tried(&report, "brin (during)"), "{:#?}", tried(&report));
    let report = advise(
        &database,
        "SELECT * FROM log WHERE any_order BETWEEN 5000 AND 5500; SELECT * FROM log WHERE any_order = 7",
    );
    assert!(!is_tried(&report, "brin"), "{:#?}", tried(&report));
}

#[test]
fn foreign_keys_get_an_index_where_their_parent_is_deleted_from() {
    let tables = "CREATE TABLE parent (id bigint PRIMARY KEY, name text);
         CREATE TABLE child (id bigint PRIMARY KEY, parent_id bigint REFERENCES parent ON DELETE CASCADE, other_id bigint REFERENCES parent);
         INSERT INTO parent SELECT n, 'n' || n FROM generate_series(1, 5000) AS n;
         INSERT INTO child SELECT n, n % 5000 + 1, n % 4999 + 1 FROM generate_series(1, 50000) AS n;
         CREATE INDEX child_other ON child (other_id); ANALYZE;";
    let database = Database::new("cand_referential", tables);
    let delete = "DELETE FROM parent WHERE id = 7";
    for mode in ["transaction", "auto"] {
        let report = database.advise(&["--rehearse", mode, "-c", delete]);
        assert_eq!(
            recommended(&report, &["public.child", "(parent_id)"]).len(),
            1,
            "{:#?}",
            summary(&report)
        );
        assert!(
            !is_tried(&report, "other_id"),
            "it has an index: {:#?}",
            tried(&report)
        );
    }
    let report = advise(
        &database,
        "UPDATE parent SET name = 'x' WHERE id = 7; SELECT * FROM parent WHERE id = 7",
    );
    assert!(
        !is_tried(&report, "child"),
        "the key stays as it is: {:#?}",
        tried(&report)
    );
}

#[test]
fn what_cannot_be_a_btree_key_is_none() {
    let database = Database::new(
        "cand_wide",
        "CREATE TABLE wide (id bigint PRIMARY KEY, long text NOT NULL, place point NOT NULL, facts json NOT NULL);
         ALTER TABLE wide ALTER COLUMN long SET STORAGE PLAIN;
         INSERT INTO wide SELECT n, repeat(md5(n::text), 100), point(n, n), '{}' FROM generate_series(1, 2000) AS n; ANALYZE wide;",
    );
    let report = advise(
        &database,
        "SELECT id FROM wide WHERE long > 'x'; SELECT id FROM wide WHERE place ~= point(1, 1); SELECT id FROM wide WHERE long = 'x'",
    );
    assert!(
        !tried(&report)
            .iter()
            .any(|ddl| ddl.contains("(long)") && !ddl.contains("hash")),
        "{:#?}",
        tried(&report)
    );
    let report = database.advise(&[
        "-c",
        "SELECT relname FROM pg_class WHERE relname = 'x'; SELECT id FROM wide WHERE place ~= point(1, 1)",
    ]);
    assert!(!is_tried(&report, "pg_class"), "{:#?}", tried(&report));
}
