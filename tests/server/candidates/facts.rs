//! Partial indexes whose predicate is a fact about the row, each with a plan that uses it.

use serde_json::Value;

use super::special::assert_useful;
use super::{advise, is_tried, summary, tried};
use crate::live::{Database, recommended, rejected};

/// 60 000 parcels, one in forty of which was late, in random order.
const PARCELS: &str = "CREATE TABLE parcel (id bigint PRIMARY KEY, shop bigint NOT NULL, due date NOT NULL, came date NOT NULL,
        state text NOT NULL, size integer NOT NULL, mode text NOT NULL, held boolean, weighed numeric, billed numeric,
        facts jsonb NOT NULL, words tsvector NOT NULL, place point NOT NULL, during int8range NOT NULL, code text COLLATE \"en-x-icu\" NOT NULL,
        note text NOT NULL);
     INSERT INTO parcel SELECT n, n % 3000, '2024-01-10'::date + n % 300, '2024-01-10'::date + n % 300 + CASE WHEN n % 40 = 0 THEN 3 ELSE -2 END,
        CASE WHEN n % 100 < 2 THEN 'open' WHEN n % 100 < 5 THEN 'lost' ELSE 'done' END, n * 7919 % 50, (ARRAY['air', 'rail', 'ship', 'truck', 'mail', 'fob', 'foot'])[1 + n % 7],
        CASE WHEN n % 50 = 0 THEN true WHEN n % 60 = 0 THEN NULL ELSE false END, n % 977, CASE WHEN n % 45 = 0 THEN n % 977 + 1 ELSE n % 977 END,
        jsonb_build_object('kind', 'k' || n % 400), to_tsvector('simple', 'word' || n % 300), point(n % 200, n / 200),
        int8range(n * 10, n * 10 + 5), md5(n::text), repeat('note', 20)
     FROM generate_series(1, 60000) AS n;
     ANALYZE parcel;";

/// A plan's nodes, each before its children.
pub(super) fn nodes(plan: &Value) -> Vec<&Value> {
    let below = plan["Plans"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(nodes);
    std::iter::once(plan).chain(below).collect()
}

/// The nodes that read an index in the plans after the advice.
fn used(report: &Value) -> Vec<&Value> {
    let statements = report["workload"]["statements"].as_array().unwrap().iter();
    statements
        .flat_map(|statement| nodes(&statement["plan_after"]["Plan"]))
        .filter(|node| node["Index Name"].is_string())
        .collect()
}

/// One recommendation with these texts, which every statement's plan uses.
pub(super) fn assert_one_for_all(report: &Value, texts: &[&str]) {
    assert_eq!(
        recommended(report, texts).len(),
        1,
        "{texts:?}: {:#?}",
        summary(report)
    );
    assert_eq!(
        report["recommendations"].as_array().unwrap().len(),
        1,
        "{:#?}",
        summary(report)
    );
    let statements = report["workload"]["statements"].as_array().unwrap().len();
    assert_eq!(used(report).len(), statements, "{:#?}", summary(report));
}

#[test]
fn columns_compared_with_each_other_become_a_predicate() {
    let database = Database::new("facts_columns", PARCELS);
    // Written in either direction: the planner derives one from the other.
    let report = advise(
        &database,
        "SELECT shop, count(*) FROM parcel WHERE came > due GROUP BY shop ORDER BY shop;
         SELECT shop FROM parcel WHERE due < came ORDER BY shop LIMIT 100",
    );
    assert_one_for_all(&report, &["(shop) WHERE (due < came)"]);
    for (condition, predicate) in [
        ("weighed <> billed", "(billed <> weighed)"),
        (
            "billed IS DISTINCT FROM weighed",
            "(billed IS DISTINCT FROM weighed)",
        ),
    ] {
        let sql =
            format!("SELECT id, shop FROM parcel WHERE {condition} ORDER BY shop, id LIMIT 100");
        let report = advise(&database, &sql);
        assert_one_for_all(&report, &[&format!("(shop, id) WHERE {predicate}")]);
    }
    let report = advise(
        &database,
        "SELECT shop FROM parcel WHERE came - due > 2 AND held IS NOT FALSE ORDER BY shop LIMIT 100",
    );
    assert!(
        is_tried(
            &report,
            "WHERE ((held IS NOT FALSE) AND ((came - due) > 2))"
        ),
        "{:#?}",
        tried(&report)
    );
    let report = advise(
        &database,
        "SELECT shop FROM parcel WHERE came > due + $1::integer ORDER BY shop LIMIT 100",
    );
    assert!(
        !is_tried(&report, "WHERE"),
        "another number in each call: {:#?}",
        tried(&report)
    );
}

#[test]
fn a_fact_about_the_inner_side_of_a_join_becomes_a_predicate() {
    let database = Database::new("facts_join", PARCELS);
    database.run(
        "CREATE TABLE shop (id bigint PRIMARY KEY, town text NOT NULL);
                  INSERT INTO shop SELECT n, 'town ' || n % 500 FROM generate_series(0, 2999) AS n; ANALYZE shop",
    );
    let sql = "SELECT s.id FROM shop s WHERE s.town = 'town 7' AND EXISTS (SELECT FROM parcel p WHERE p.shop = s.id AND p.due < p.came)";
    let report = advise(&database, sql);
    assert_eq!(
        recommended(&report, &["public.parcel", "(shop) WHERE (due < came)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
}

#[test]
fn truth_and_lists_of_what_is_not_wanted_become_predicates() {
    let database = Database::new("facts_truth", PARCELS);
    for (condition, predicate) in [
        ("held IS NOT FALSE", "held IS NOT FALSE"),
        ("held IS TRUE", "held IS TRUE"),
        ("held", "held"),
        ("held IS NULL", "held IS NULL"),
        ("state <> 'done'", "state <> 'done'::text"),
        (
            "state NOT IN ('done', 'lost')",
            "state <> ALL ('{done,lost}'::text[])",
        ),
        (
            "state IN ('open', 'lost')",
            "state = ANY ('{open,lost}'::text[])",
        ),
        (
            "state IS DISTINCT FROM 'done'",
            "state IS DISTINCT FROM 'done'::text",
        ),
        ("(state = 'open' OR held)", "(state = 'open'::text) OR held"),
    ] {
        let report = advise(
            &database,
            &format!("SELECT id, code FROM parcel WHERE {condition} ORDER BY code LIMIT 10"),
        );
        assert_useful(&report, &["(code) WHERE", predicate]);
        assert_eq!(
            used(&report).len(),
            1,
            "{condition}: {:#?}",
            summary(&report)
        );
    }
    let report = advise(
        &database,
        "SELECT id FROM parcel WHERE NOT held ORDER BY code LIMIT 10",
    );
    assert!(
        !is_tried(&report, "WHERE"),
        "nearly all: {:#?}",
        tried(&report)
    );
}

/// Seven modes and fifty sizes are equally frequent, so the next call probably asks for another
/// one; a state with few rows is a kind. One statement does not show which literals are parameters.
#[test]
fn evenly_spread_values_become_keys_and_rare_states_predicates() {
    let database = Database::new("facts_spread", PARCELS);
    let report = advise(
        &database,
        "SELECT id FROM parcel WHERE size IN (3, 14, 23) AND shop = 7; SELECT id FROM parcel WHERE mode IN ('mail', 'ship') ORDER BY code LIMIT 10;
         SELECT id FROM parcel WHERE size = 3 ORDER BY code LIMIT 10; SELECT id FROM parcel WHERE mode <> 'air' ORDER BY code LIMIT 10",
    );
    assert!(!is_tried(&report, "WHERE"), "{:#?}", tried(&report));
    assert!(is_tried(&report, "(size, code)"), "{:#?}", tried(&report));
    let report = advise(
        &database,
        "SELECT id FROM parcel WHERE state = 'open' ORDER BY code LIMIT 10",
    );
    assert_one_for_all(&report, &["(code) WHERE (state = 'open'::text)"]);
    let report = database.advise(&[
        "-c",
        "SELECT id FROM parcel WHERE state = $1 ORDER BY code LIMIT 10",
    ]);
    assert!(
        !is_tried(&report, "WHERE") && is_tried(&report, "(state, code)"),
        "{:#?}",
        tried(&report)
    );
}

/// A log has each execution with its literals; the workload has one of them.
#[test]
fn literals_that_a_log_shows_to_vary_are_no_predicates() {
    let database = Database::new("facts_log", PARCELS);
    let advise = |states: &[&str]| {
        let entry = |(number, state): (usize, &&str)| {
            let sql =
                format!("SELECT id FROM parcel WHERE state = '{state}' ORDER BY code LIMIT 10");
            format!(
                "2024-01-05 10:00:0{number} UTC [7] LOG:  duration: {number}.000 ms  statement: {sql}\n"
            )
        };
        let log: String = states.iter().enumerate().map(entry).collect();
        let file = crate::live::file(&log);
        let report = database.advise(&["--log", file.path().to_str().unwrap()]);
        let statements = report["workload"]["statements"].as_array().unwrap();
        let as_written = statements
            .iter()
            .filter(|statement| statement["value_class"].is_null());
        assert_eq!(as_written.count(), 1, "{report:#}");
        report
    };
    let report = advise(&["open", "open", "open", "open", "open"]);
    assert_eq!(
        recommended(&report, &["(code) WHERE (state = 'open'::text)"]).len(),
        1,
        "{:#?}",
        summary(&report)
    );
    let report = advise(&["lost", "done", "new", "back", "open"]);
    assert!(!is_tried(&report, "(state = "), "{:#?}", tried(&report));
    assert!(is_tried(&report, "(state, code)"), "{:#?}", tried(&report));
}

#[test]
#[expect(clippy::too_many_lines, reason = "one scenario, step by step")]
fn other_methods_index_only_the_rows_of_a_kind() {
    let database = Database::new("facts_methods", PARCELS);
    for (condition, index) in [
        (
            "facts @> '{\"kind\": \"k7\"}' AND state = 'open'",
            "USING gin (facts jsonb_path_ops) WHERE (state = 'open'::text)",
        ),
        (
            "words @@ to_tsquery('simple', 'word7') AND due < came",
            "USING gin (words) WHERE (due < came)",
        ),
        (
            "place <@ box(point(5, 5), point(25, 25)) AND state = 'open'",
            "USING gist (place) WHERE (state = 'open'::text)",
        ),
        (
            "code LIKE 'ab%' AND held",
            "(code text_pattern_ops) WHERE held",
        ),
    ] {
        let sql = format!("SELECT id, note FROM parcel WHERE {condition}");
        let report = advise(&database, &sql);
        assert!(is_tried(&report, index), "{index}: {:#?}", tried(&report));
        let gains = [recommended(&report, &[index]), rejected(&report, &[index])].concat();
        let used = gains.iter().any(|entry| {
            entry["benefits"]
                .as_array()
                .is_some_and(|benefits| !benefits.is_empty())
        });
        assert!(
            used,
            "the planner uses it: {index}: {:#?}",
            summary(&report)
        );
    }
    for mode in ["transaction", "auto"] {
        let sql =
            "SELECT id, note FROM parcel WHERE facts @> '{\"kind\": \"k7\"}' AND state = 'open'";
        let report = database.advise(&["--rehearse", mode, "-c", sql]);
        assert_one_for_all(
            &report,
            &["USING gin (facts jsonb_path_ops) WHERE (state = 'open'::text)"],
        );
    }
    let report = advise(
        &database,
        "SELECT id FROM parcel WHERE state = 'open' ORDER BY place <-> point(7, 7) LIMIT 5",
    );
    assert!(
        is_tried(&report, "gist (place) WHERE (state = 'open'::text)"),
        "{:#?}",
        tried(&report)
    );
    let report = advise(
        &database,
        "SELECT id FROM parcel WHERE during && int8range(5, 5000) AND came > due",
    );
    assert!(
        is_tried(&report, "gist (during) WHERE (due < came)"),
        "{:#?}",
        tried(&report)
    );
}
