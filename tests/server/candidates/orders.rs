//! What a btree is used for: equalities with a common prefix, orders of every kind, lists, pages,
//! extremes, parents of foreign keys. Each with a plan that uses the index.

use serde_json::Value;

use super::facts::{assert_one_for_all, nodes};
use super::{advise, is_tried, summary, tried};
use crate::live::{Database, recommended};

/// 60 000 visits, ordered only by their number.
const VISITS: &str = "CREATE TABLE visit (id bigint PRIMARY KEY, shop bigint NOT NULL, guest bigint NOT NULL, paid integer,
        at timestamptz NOT NULL, state text NOT NULL, deleted boolean NOT NULL, note text NOT NULL);
     INSERT INTO visit SELECT n, hashint8(n) & 1023, hashint8(n + 7) & 16383, CASE WHEN n % 9 > 0 THEN n * 7919 % 10007 END,
        '2024-01-01Z'::timestamptz + (n * 7919 % 60013) * interval '1 minute',
        CASE WHEN n % 100 < 2 THEN 'NEW' WHEN n % 100 < 5 THEN 'SENT' ELSE 'DONE' END, n % 40 <> 0, repeat('note', 30)
     FROM generate_series(1, 60000) AS n;
     ANALYZE visit;";

/// The types of the nodes of the one statement's plan after the advice.
fn after(report: &Value) -> Vec<&str> {
    let plan = &report["workload"]["statements"][0]["plan_after"]["Plan"];
    nodes(plan)
        .into_iter()
        .map(|node| node["Node Type"].as_str().unwrap())
        .collect()
}

fn is_sorted(report: &Value) -> bool {
    after(report).iter().any(|node| node.contains("Sort"))
}

#[test]
fn equalities_begin_with_what_most_statements_look_up() {
    let database = Database::new("orders_prefix", VISITS);
    let report = advise(
        &database,
        "SELECT * FROM visit WHERE shop = 7 AND guest = 99; SELECT * FROM visit WHERE shop = 8",
    );
    assert_one_for_all(&report, &["(shop"]);
    let report = advise(
        &database,
        "SELECT * FROM visit WHERE guest = 99 AND shop = 7 ORDER BY at; SELECT max(at) FROM visit WHERE shop = 8;
         SELECT * FROM visit WHERE shop = 8 AND at > '2024-02-09'",
    );
    assert!(
        !is_tried(&report, "(guest, shop"),
        "shop is looked up by more: {:#?}",
        tried(&report)
    );
    assert_eq!(
        recommended(&report, &["(shop, at)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
}

#[test]
fn groups_distinct_rows_and_windows_come_in_an_index_s_order() {
    let database = Database::new("orders_groups", VISITS);
    for (sql, keys) in [
        (
            "SELECT shop, guest, count(*) FROM visit GROUP BY shop, guest LIMIT 10",
            "(shop, guest",
        ),
        (
            "SELECT DISTINCT shop, guest FROM visit ORDER BY shop, guest LIMIT 10",
            "(shop, guest",
        ),
        (
            "SELECT DISTINCT ON (shop) * FROM visit ORDER BY shop, at DESC LIMIT 10",
            "(shop, at DESC)",
        ),
        (
            "SELECT *, row_number() OVER (PARTITION BY shop ORDER BY at) FROM visit LIMIT 10",
            "(shop, at)",
        ),
        (
            "SELECT *, lag(paid) OVER (PARTITION BY shop ORDER BY at DESC NULLS LAST, id) FROM visit LIMIT 10",
            "(shop, at DESC NULLS LAST, id)",
        ),
    ] {
        let report = advise(&database, sql);
        assert_one_for_all(&report, &[keys]);
        assert!(!is_sorted(&report), "{sql}: {:?}", after(&report));
    }
}

#[test]
fn orders_of_mixed_directions_are_delivered() {
    let database = Database::new("orders_mixed", VISITS);
    for (order, keys) in [
        ("shop DESC, at", "(shop, at DESC)"),
        ("paid DESC NULLS LAST, id", "(paid NULLS FIRST, id DESC)"),
        ("paid NULLS FIRST, id DESC", "(paid NULLS FIRST, id DESC)"),
        ("paid DESC, id DESC", "(paid, id)"),
    ] {
        let report = advise(
            &database,
            &format!("SELECT * FROM visit ORDER BY {order} LIMIT 10"),
        );
        assert_one_for_all(&report, &[keys]);
        assert!(!is_sorted(&report), "{order}: {:?}", after(&report));
    }
}

#[test]
fn a_merge_join_reads_both_sides_in_order() {
    let database = Database::new("orders_merge", VISITS);
    database.run(
        "CREATE TABLE bill AS SELECT id, guest, note FROM visit; ANALYZE bill;
         ALTER DATABASE orders_merge SET enable_hashjoin = off; ALTER DATABASE orders_merge SET enable_nestloop = off",
    );
    // Both together: with one of them alone the other side is still sorted.
    let sql = "SELECT v.note, b.note FROM visit v JOIN bill b ON b.guest = v.guest LIMIT 10";
    let report = database.advise(&["-c", sql]);
    assert!(
        after(&report).contains(&"Merge Join") && !is_sorted(&report),
        "{:#?}",
        summary(&report)
    );
    for table in ["public.visit", "public.bill"] {
        assert_eq!(
            recommended(&report, &[table, "(guest)"]).len(),
            1,
            "{:#?}",
            summary(&report)
        );
    }
}

#[test]
fn lists_are_looked_up_one_by_one() {
    let database = Database::new("orders_lists", VISITS);
    for condition in [
        "guest IN (5, 77, 999)",
        "guest = ANY ('{5,77,999}')",
        "guest = ANY ($1::bigint[])",
    ] {
        let report = database.advise(&["-c", &format!("SELECT * FROM visit WHERE {condition}")]);
        assert_one_for_all(&report, &["(guest)"]);
    }
    let report = advise(
        &database,
        "SELECT * FROM visit WHERE shop IN (5, 6) AND at > '2024-02-09'",
    );
    assert_one_for_all(&report, &["(shop, at"]);
}

#[test]
fn pages_and_extremes_are_read_from_an_end() {
    let database = Database::new("orders_pages", VISITS);
    for (sql, keys) in [
        (
            "SELECT * FROM visit WHERE (at, id) < ('2024-02-01', 500) ORDER BY at DESC, id DESC LIMIT 20",
            "(at, id)",
        ),
        ("SELECT min(at) FROM visit", "(at)"),
        (
            "SELECT max(at) FROM visit WHERE state = 'NEW'",
            "(at) WHERE (state = 'NEW'::text)",
        ),
    ] {
        let report = advise(&database, sql);
        assert_one_for_all(&report, &[keys]);
        assert!(!is_sorted(&report), "{sql}: {:?}", after(&report));
    }
    // Of a shop's few visits hardly two are at the same time, so the last column hardly matters:
    // whether it is worth a sort depends on the sample that ANALYZE takes.
    let report = advise(
        &database,
        "SELECT * FROM visit WHERE shop = 7 AND (at, id) > ('2024-02-01', 500) ORDER BY at, id LIMIT 20",
    );
    assert_one_for_all(&report, &["(shop, at"]);
    assert!(is_tried(&report, "(shop, at, id)"), "{:#?}", tried(&report));
}

#[test]
fn one_partial_index_serves_what_implies_its_predicate() {
    let database = Database::new("orders_shared", VISITS);
    let report = database.advise(&[
        "--rehearse",
        "transaction",
        "--max-indexes",
        "1",
        "-c",
        "SELECT * FROM visit WHERE state IN ('NEW', 'SENT') ORDER BY at LIMIT 10; SELECT * FROM visit WHERE state = 'NEW' ORDER BY at LIMIT 10",
    ]);
    assert_one_for_all(
        &report,
        &["(at", "WHERE (state = ANY ('{NEW,SENT}'::text[]))"],
    );
    let report = advise(
        &database,
        "SELECT * FROM visit WHERE NOT deleted ORDER BY at LIMIT 10",
    );
    assert_one_for_all(&report, &["(at) WHERE (NOT deleted)"]);
}

#[test]
fn a_change_of_a_parent_s_key_looks_for_its_children() {
    let database = Database::new(
        "orders_parent",
        "CREATE TABLE town (id bigint PRIMARY KEY, code text UNIQUE, name text);
         CREATE TABLE house (id bigint PRIMARY KEY, code text REFERENCES town (code) ON UPDATE CASCADE, town bigint REFERENCES town);
         INSERT INTO town SELECT n, 'c' || n, 'n' || n FROM generate_series(1, 5000) AS n;
         INSERT INTO house SELECT n, 'c' || 1 + n % 5000, 1 + n % 5000 FROM generate_series(1, 50000) AS n; ANALYZE",
    );
    let report = database.advise(&["-c", "UPDATE town SET code = 'new' WHERE id = 7"]);
    assert_eq!(
        recommended(&report, &["public.house", "(code)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
    assert!(
        !is_tried(&report, "(town)"),
        "its key stays: {:#?}",
        tried(&report)
    );
}

/// What is searched for is another value in the next call: an expression with it is no key.
#[test]
fn a_distance_to_a_value_that_is_searched_for_is_no_key() {
    let database = Database::new("orders_searched",
        "CREATE TABLE offer (id bigint PRIMARY KEY, title text NOT NULL, price integer NOT NULL, mood text NOT NULL, words tsvector NOT NULL);
         INSERT INTO offer SELECT n, md5(n::text), n * 7919 % 100003, (ARRAY['loud', 'calm', 'odd'])[1 + n % 3], to_tsvector('simple', 'w' || n % 500 || ' all')
         FROM generate_series(1, 40000) AS n;
         ANALYZE offer;",
    );
    let report = advise(
        &database,
        "-- name: ranked
         SELECT id FROM offer, to_tsquery('simple', 'w7 | w8') AS q WHERE words @@ q ORDER BY ts_rank(words, q) DESC LIMIT 10;
         -- name: near
         SELECT id FROM offer ORDER BY abs(price - 4711) LIMIT 5;
         -- name: exact-first
         SELECT id FROM offer ORDER BY (title = 'a87ff679a2f3e71d9181a67b7542122c') DESC, id LIMIT 5;
         -- name: kind-first
         SELECT id FROM offer ORDER BY (mood = 'odd') DESC, id LIMIT 5;",
    );
    for searched in ["ts_rank", "abs(", "a87ff"] {
        assert!(
            !is_tried(&report, searched),
            "{searched}: {:#?}",
            summary(&report)
        );
    }
    assert_eq!(
        recommended(&report, &["gin (words)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
    assert!(is_tried(&report, "mood = 'odd'"), "{:#?}", summary(&report));
}
