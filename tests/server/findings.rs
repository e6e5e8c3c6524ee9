//! The SQL of findings is accepted by a server, and the indexes for conditions that no plain index
//! serves are used for them.

use std::fs;
use std::path::Path;

use pgrehearse::internals::finding::findings;
use pgrehearse::internals::plan::read::plans;

use crate::live::Database;

const FINDINGS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/findings");

/// Every plan of `fixtures/findings`, with its name and the actions of its findings.
fn actions() -> Vec<(String, Vec<String>)> {
    let mut actions = Vec::new();
    for rule in fs::read_dir(FINDINGS)
        .unwrap()
        .map(|entry| entry.unwrap().path())
    {
        if !rule.is_dir() {
            continue;
        }
        for file in fs::read_dir(&rule)
            .unwrap()
            .map(|entry| entry.unwrap().path())
        {
            let name = file.file_name().unwrap().to_string_lossy().into_owned();
            if !is_plan(&file) || name.ends_with(".expected.json") {
                continue;
            }
            let plan = plans(&fs::read_to_string(&file).unwrap())
                .unwrap()
                .remove(0);
            let of_plan = findings(&plan, None)
                .into_iter()
                .filter_map(|finding| finding.action);
            let rule = rule.file_name().unwrap().to_string_lossy().into_owned();
            actions.push((format!("{rule}/{name}"), of_plan.collect()));
        }
    }
    actions
}

fn is_plan(file: &Path) -> bool {
    file.extension()
        .is_some_and(|extension| extension == "json")
}

/// The server parses the body of a function in PL/pgSQL, statement by statement, without looking up
/// tables.
#[test]
fn the_server_parses_every_action() {
    let database = Database::new("finding_actions", "");
    let mut client = database.client();
    let mut parsed = 0;
    for (name, actions) in actions() {
        for action in actions {
            let function = format!(
                "CREATE OR REPLACE FUNCTION parsed() RETURNS void LANGUAGE plpgsql AS $body$ BEGIN {action} END $body$"
            );
            if let Err(error) = client.batch_execute(&function) {
                panic!("{name}: {action}: {error}");
            }
            parsed += 1;
        }
    }
    assert!(parsed > 40, "{parsed}");
}

const PERSON: &str = "
    CREATE EXTENSION pg_trgm;
    CREATE TABLE person (id int, labels text[], data jsonb, valid daterange, surname text, left_at timestamptz, active boolean, born date,
        seen timestamptz, notes text, words tsvector, amount int, paid int, address inet);
    INSERT INTO person SELECT n, ARRAY['l' || n], jsonb_build_object('kind', n), daterange('2026-01-01', '2026-01-02'), 'name' || n,
        CASE WHEN n % 1000 = 0 THEN now() END, CASE WHEN n % 1000 > 0 THEN true END, date '1950-01-01' + n % 9000, now() - n * interval '1 hour',
        'note ' || n, to_tsvector('simple', 'word' || n), n, n / 2, '192.168.0.1' FROM generate_series(1, 20000) n;
    ANALYZE person;";

/// For each fixture: the condition as the finding says it should be written.
const CONDITIONS: &[(&str, &str)] = &[
    ("array", "labels @> '{red}'::text[]"),
    ("any-of-column", "labels @> ARRAY['red'::text]"),
    ("jsonb", "data @> '{\"kind\": 4}'::jsonb"),
    ("jsonb-field", "data ->> 'kind' = 'four'"),
    ("range", "valid && '[2026-03-01,2026-04-01)'::daterange"),
    ("prefix", "surname LIKE 'Schm%'"),
    ("ilike", "surname ILIKE 'schm%'"),
    ("regex", "surname ~ 'abcd.*yzyz'"),
    ("regex-prefix", "surname ~ '^Schm'"),
    ("not-null", "left_at IS NOT NULL"),
    ("not-true", "active IS NOT TRUE"),
    ("extract", "born >= '1950-03-01' AND born < '1950-04-01'"),
    (
        "time-zone",
        "seen < '2020-01-01'::timestamp AT TIME ZONE 'UTC'",
    ),
    (
        "text-search",
        "to_tsvector('english'::regconfig, notes) @@ to_tsquery('oak')",
    ),
    ("tsvector", "words @@ to_tsquery('oak')"),
    ("similarity", "surname % 'Schmit'"),
    ("arithmetic", "amount - paid = 70"),
    ("network", "address <<= '10.0.0.0/8'::inet"),
];

#[test]
fn the_index_for_a_condition_that_no_plain_index_serves_is_used() {
    let database = Database::new("finding_indexes", PERSON);
    let mut client = database.client();
    client.batch_execute("SET enable_seqscan = off").unwrap();
    let actions = actions();
    for (name, condition) in CONDITIONS {
        let fixture = format!("unserved-filter/bad-{name}.json");
        let (_, of_fixture) = actions.iter().find(|(file, _)| *file == fixture).unwrap();
        let action = of_fixture
            .first()
            .unwrap_or_else(|| panic!("{fixture} has no action"));
        let create = action.replace("CONCURRENTLY ON", "proposed ON");
        client
            .batch_execute(&create)
            .unwrap_or_else(|error| panic!("{create}: {error}"));
        let explain = format!("EXPLAIN SELECT * FROM person WHERE {condition}");
        let rows = client.query(&explain, &[]).unwrap();
        let plan: Vec<String> = rows.iter().map(|row| row.get(0)).collect();
        assert!(
            plan.join("\n").contains("proposed"),
            "{create}\n{}",
            plan.join("\n")
        );
        client.batch_execute("DROP INDEX proposed").unwrap();
    }
}
