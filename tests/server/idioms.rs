//! The idioms of web applications: soft deletion, newest first, optimistic locks, values that vary,
//! expressions behind LIMIT, patterns within a tenant, periods in two columns, policies. Each with
//! the index that an experienced administrator would create, and the reason.

use serde_json::Value;

use crate::live::{Database, file, recommended, statement};

/// Tickets of forty workspaces, one of which has a third of them, with half of them deleted; notes
/// without statistics of their expressions; files below paths that all storages have; bookings.
const APPLICATION: &str = "
    CREATE TABLE tickets (id bigint PRIMARY KEY, workspace_id int NOT NULL, owner_type text NOT NULL, owner_id int NOT NULL, state text NOT NULL,
        priority int NOT NULL, lock_version int NOT NULL, provider text NOT NULL, deleted_at timestamptz, created_at timestamptz NOT NULL, body text NOT NULL);
    INSERT INTO tickets SELECT n, CASE WHEN n % 3 = 0 THEN 1 ELSE 2 + n % 40 END, (ARRAY['Order', 'User', 'Cart'])[1 + n % 3], n % 9000,
        CASE WHEN n % 400 = 0 THEN 'failed' ELSE 'done' END, n % 5, n % 7, (ARRAY['stripe', 'adyen', 'paypal'])[1 + n / 7 % 3],
        CASE WHEN n % 2 = 0 THEN timestamptz '2024-01-01' + n * interval '1 minute' END, timestamptz '2024-01-01' + n * 7919 % 90000 * interval '1 minute', repeat('b', 80)
    FROM generate_series(1, 90000) AS n;
    CREATE TABLE notes (id bigint PRIMARY KEY, title text NOT NULL, data jsonb NOT NULL);
    INSERT INTO notes SELECT n, 'Title ' || n, jsonb_build_object('ref', 'r' || n) FROM generate_series(1, 60000) AS n;
    CREATE TABLE files (id bigint PRIMARY KEY, storage int NOT NULL, path text COLLATE \"en-x-icu\" NOT NULL);
    INSERT INTO files SELECT n, n % 100, 'files/p' || n / 100 % 30 || '/' || n FROM generate_series(1, 60000) AS n;
    CREATE TABLE bookings (id bigint PRIMARY KEY, starts timestamp NOT NULL, ends timestamp NOT NULL);
    INSERT INTO bookings SELECT n, timestamp '2024-01-01' + n * interval '10 minutes', timestamp '2024-01-01' + n * interval '10 minutes' + interval '1 hour'
    FROM generate_series(1, 60000) AS n;
    CREATE TABLE documents (id bigint PRIMARY KEY, tenant int NOT NULL); ALTER TABLE documents ENABLE ROW LEVEL SECURITY;
    CREATE POLICY own ON documents USING (tenant = 1);
    INSERT INTO documents SELECT n, n % 10 FROM generate_series(1, 20000) AS n;
    ANALYZE";

fn advise(database: &Database, workload: &str) -> Value {
    let file = file(workload);
    database.advise(&["-f", file.path().to_str().unwrap()])
}

/// What the recommendations create: `(workspace_id, created_at) WHERE (deleted_at IS NULL)`.
fn created(report: &Value) -> Vec<String> {
    let recommendations = report["recommendations"].as_array().unwrap().iter();
    let mut found: Vec<String> = recommendations
        .map(|index| {
            let ddl = index["ddl"].as_str().unwrap();
            let body = ddl
                .split_once(" USING btree ")
                .map_or(ddl, |(_, body)| body);
            body.trim_end_matches(';').to_owned()
        })
        .collect();
    found.sort();
    found
}

/// Every predicate that was tried.
fn predicates(report: &Value) -> Vec<String> {
    let lists = ["recommendations", "rejected"].map(|list| report[list].as_array().unwrap());
    let ddl = lists
        .into_iter()
        .flatten()
        .map(|index| index["ddl"].as_str().unwrap());
    ddl.filter_map(|ddl| Some(ddl.split_once(" WHERE ")?.1.to_owned()))
        .collect()
}

#[test]
fn the_newest_of_a_tenant_come_in_their_order() {
    let database = Database::new("idioms_order", APPLICATION);
    let of = |condition: &str| {
        let report = advise(
            &database,
            &format!("SELECT * FROM tickets WHERE {condition} ORDER BY created_at DESC LIMIT 25;"),
        );
        created(&report)
    };
    assert_eq!(
        of("workspace_id = 17 AND deleted_at IS NULL"),
        ["(workspace_id, created_at) WHERE (deleted_at IS NULL)"],
        "IS NULL is no constant to the planner's order"
    );
    assert_eq!(
        of("owner_type = 'Order' AND owner_id = 4502"),
        ["(owner_id, owner_type, created_at)"],
        "the next owner has more rows than these"
    );
    let several = of("workspace_id = 1 AND priority IN (2, 3)");
    assert!(
        several.len() == 1 && several[0].starts_with("(workspace_id, created_at"),
        "IN ahead of the order breaks it: {several:?}"
    );
}

#[test]
fn a_literal_is_a_sample() {
    let database = Database::new("idioms_literals", APPLICATION);
    let report = advise(
        &database,
        "UPDATE tickets SET body = '' WHERE id = 77 AND lock_version = 3;
         SELECT * FROM tickets WHERE provider = 'stripe' AND owner_id = 4502;
         SELECT * FROM tickets WHERE starts_with(body, 'user77') AND owner_id = 4502;",
    );
    assert_eq!(predicates(&report), [""; 0], "{report:#}");
    let of_state = "SELECT id FROM tickets WHERE state = 'failed' ORDER BY created_at LIMIT 10;";
    let report = advise(&database, of_state);
    let of_kind = predicates(&report);
    assert!(
        of_kind
            .iter()
            .any(|kind| kind.contains("state = 'failed'::text")),
        "a rare state is a kind: {of_kind:?}"
    );
    let report = advise(&database, &format!("-- parameters: 'failed'\n{of_state}"));
    assert_eq!(
        predicates(&report),
        [""; 0],
        "and not where its author says so"
    );
    let of_provider =
        "SELECT id FROM tickets WHERE provider = 'stripe' ORDER BY created_at LIMIT 10;";
    let report = advise(&database, &format!("-- fixed: 'stripe'\n{of_provider}"));
    assert!(
        !predicates(&report).is_empty(),
        "and any value is one where its author says so"
    );
}

#[test]
fn a_parameter_is_judged_under_several_values() {
    let database = Database::new("idioms_parameters", APPLICATION);
    let report = advise(
        &database,
        "-- name: page\n-- calls: 100\nSELECT * FROM tickets WHERE state = $1 ORDER BY created_at LIMIT $2;",
    );
    assert_eq!(created(&report), ["(state, created_at)"], "{report:#}");
    let rare = &statement(&report, "page[rare]")["value_class"];
    assert_eq!(rare["of"], "page");
    assert_eq!(rare["values"][0]["name"], "$1");
    assert_eq!(rare["values"][0]["value"], "'failed'::text");
    let statements = report["workload"]["statements"].as_array().unwrap();
    let counted: f64 = statements
        .iter()
        .map(|statement| statement["calls_counted_here"].as_f64().unwrap())
        .sum();
    assert!((counted - 100.0).abs() < 1e-6, "the calls are shared out");
    assert_eq!(statement(&report, "page")["calls"], 100.0);
}

#[test]
fn a_cost_that_is_a_guess_does_not_hide_an_index() {
    let database = Database::new("idioms_guess", APPLICATION);
    let report = advise(
        &database,
        "-- name: by-ref\nSELECT * FROM notes WHERE data->>'ref' = 'r59000' LIMIT 1;",
    );
    assert_eq!(
        created(&report),
        ["(((data ->> 'ref'::text)))"],
        "{report:#}"
    );
    let by_ref = statement(&report, "by-ref");
    let cost = |name: &str| by_ref[name].as_f64().unwrap();
    assert!(
        cost("cost_today") < 10.0 && cost("cost_before") > 1_000.0 && cost("cost_after") < 10.0
    );
    let kinds = report["remedies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|remedy| &remedy["kind"]);
    assert!(
        kinds.into_iter().all(|kind| kind != "create_statistics"),
        "{report:#}"
    );
}

#[test]
fn equal_costs_are_decided_by_what_a_cost_does_not_say() {
    let database = Database::new("idioms_equal", APPLICATION);
    let report = advise(
        &database,
        "SELECT id FROM files WHERE storage = 7 AND path LIKE 'files/p12/%';",
    );
    assert_eq!(
        created(&report),
        ["(storage, path text_pattern_ops)"],
        "{report:#}"
    );
    let report = advise(
        &database,
        "SELECT * FROM bookings WHERE tsrange(starts, ends) && tsrange('2024-03-01 10:00', '2024-03-01 12:00');",
    );
    assert_eq!(
        recommended(&report, &["USING gist (tsrange(starts, ends))"]).len(),
        1,
        "{report:#}"
    );
}

#[test]
fn policies_for_other_roles_are_named() {
    let database = Database::new("idioms_policies", APPLICATION);
    let report = advise(
        &database,
        "SELECT count(*) FROM documents WHERE tenant = 3;",
    );
    let mut notices = report["notices"].as_array().unwrap().iter();
    assert!(
        notices.any(|notice| notice
            .as_str()
            .unwrap()
            .contains("public.documents has row-level security")),
        "{report:#}"
    );
}

/// Bills of a table where one of sixteen is not paid, with all the others paid at the same moment;
/// imports from five sources and of two kinds; photos of albums.
const IMPORTS: &str = "
    CREATE TABLE bill (id bigint PRIMARY KEY, due date NOT NULL, paid_at timestamptz, ref text NOT NULL);
    INSERT INTO bill SELECT n, date '2022-01-01' + n * 7919 % 1000, CASE WHEN n % 16 > 0 THEN timestamptz '2024-05-05' END, md5(n::text)
    FROM generate_series(1, 90000) AS n;
    CREATE TABLE import (id bigint PRIMARY KEY, source text NOT NULL, kind text NOT NULL, at timestamptz NOT NULL, body text NOT NULL);
    INSERT INTO import SELECT n, (ARRAY['sap', 'excel', 'datev', 'lexware', 'navision'])[1 + n % 5], (ARRAY['a', 'b'])[1 + n % 2],
        timestamptz '2025-01-01' + n * interval '30 seconds', md5(n::text)
    FROM generate_series(1, 90000) AS n;
    CREATE TABLE album (id int PRIMARY KEY, owner int NOT NULL);
    INSERT INTO album SELECT n, n % 900 FROM generate_series(1, 3000) AS n;
    CREATE TABLE photo (id bigint PRIMARY KEY, album int NOT NULL, taken_at timestamptz NOT NULL, path text NOT NULL);
    INSERT INTO photo SELECT n, 1 + n * 7919 % 3000, timestamptz '2020-01-01' + n * interval '9 minutes', md5(n::text)
    FROM generate_series(1, 90000) AS n;
    ANALYZE";

#[test]
fn null_beside_other_conditions_is_a_predicate_and_no_key_alone() {
    let database = Database::new("idioms_null", IMPORTS);
    let report = advise(
        &database,
        "SELECT * FROM bill WHERE paid_at IS NULL AND due < '2022-02-01' ORDER BY due;",
    );
    let tried = ["recommendations", "rejected"].map(|list| report[list].as_array().unwrap());
    let tried = tried.into_iter().flatten();
    let tried: Vec<&str> = tried.map(|one| one["ddl"].as_str().unwrap()).collect();
    // Its cost is low because all times that are there are the same, which says nothing of NULLs.
    assert!(
        !tried.iter().any(|ddl| ddl.ends_with("(paid_at);")),
        "{tried:#?}"
    );
    let wanted = ["(due) WHERE", "(paid_at, due)"];
    let found = created(&report);
    assert!(
        matches!(found.as_slice(), [only] if wanted.iter().any(|part| only.contains(part))),
        "{found:?}"
    );
}

#[test]
fn of_two_values_one_alone_is_absent() {
    let database = Database::new("idioms_absent", IMPORTS);
    let workload = "-- name: newest\n-- calls: 500\n-- parameters: 'sap', 'a'\n\
                    SELECT * FROM import WHERE source = 'sap' AND kind = 'a' ORDER BY at DESC LIMIT 20;";
    let report = advise(&database, workload);
    let absent = statement(&report, "newest[absent]");
    assert!(
        absent["sql"]
            .as_str()
            .unwrap()
            .contains("source = '' AND kind = 'a'"),
        "{absent:#}"
    );
    // Behind the kind alone half of the table is read for a source that no row has.
    let found = created(&report);
    assert!(
        matches!(found.as_slice(), [only] if only.starts_with("(source")),
        "{found:?}"
    );
}

#[test]
fn the_newest_of_each_row_is_looked_up_behind_its_key() {
    let database = Database::new("idioms_extreme", IMPORTS);
    let report = advise(
        &database,
        "SELECT a.id, (SELECT max(p.taken_at) FROM photo p WHERE p.album = a.id) FROM album a WHERE a.owner = 17;",
    );
    let found = created(&report);
    assert!(
        found.iter().any(|index| index == "(album, taken_at)"),
        "{found:?}"
    );
}
