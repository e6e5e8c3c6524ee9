//! Migrations that are really applied: every statement of the workload gets the plan that was
//! predicted, and every statement of the migration the locks, rewrites and refusals.

use std::collections::BTreeMap;

use pgrehearse::Plan;
use pgrehearse::internals::check::shape::shape;
use postgres::Client;
use serde_json::Value;

use crate::live::Database;
use crate::shop::{QUERIES, Shop, shop};

/// Costs may differ by so much: the sizes of new indexes are estimates.
const MAX_DEVIATION: f64 = 0.10;

/// Migrations by name, each with its statements.
const MIGRATIONS: &[(&str, &[&str])] = &[
    (
        "add_index",
        &["CREATE INDEX orders_state ON orders (state)"],
    ),
    (
        "add_index_concurrently",
        &["CREATE INDEX CONCURRENTLY orders_note ON orders (note)"],
    ),
    (
        "add_partial_index",
        &["CREATE INDEX orders_new ON orders (created) WHERE state = 'new'"],
    ),
    (
        "add_covering_index",
        &["CREATE INDEX orders_cover ON orders (customer_id, created DESC) INCLUDE (total)"],
    ),
    (
        "add_unused_index",
        &["CREATE INDEX item_quantity ON item (quantity)"],
    ),
    ("drop_index", &["DROP INDEX orders_customer"]),
    (
        "drop_index_concurrently",
        &["DROP INDEX CONCURRENTLY item_sku"],
    ),
    (
        "replace_index",
        &[
            "CREATE INDEX CONCURRENTLY orders_customer_2 ON orders (customer_id)",
            "DROP INDEX CONCURRENTLY orders_customer",
        ],
    ),
    (
        "rename_index",
        &["ALTER INDEX orders_customer RENAME TO orders_customer_idx"],
    ),
    ("drop_column", &["ALTER TABLE orders DROP COLUMN note"]),
    (
        "drop_unread_column",
        &["ALTER TABLE item DROP COLUMN quantity"],
    ),
    (
        "add_column",
        &["ALTER TABLE orders ADD COLUMN weight integer"],
    ),
    (
        "add_column_default",
        &["ALTER TABLE orders ADD COLUMN weight integer NOT NULL DEFAULT 0"],
    ),
    (
        "add_column_volatile",
        &["ALTER TABLE customer ADD COLUMN token uuid DEFAULT gen_random_uuid()"],
    ),
    (
        "add_generated",
        &["ALTER TABLE orders ADD COLUMN gross numeric GENERATED ALWAYS AS (total * 1.19) STORED"],
    ),
    (
        "widen_key",
        &["ALTER TABLE orders ALTER COLUMN id TYPE bigint"],
    ),
    (
        "widen_varchar",
        &["ALTER TABLE customer ALTER COLUMN nickname TYPE varchar(80)"],
    ),
    (
        "varchar_to_text",
        &["ALTER TABLE customer ALTER COLUMN nickname TYPE text"],
    ),
    (
        "text_to_integer",
        &["ALTER TABLE orders ALTER COLUMN code TYPE integer USING code::integer"],
    ),
    (
        "rename_column",
        &["ALTER TABLE customer RENAME COLUMN score TO points"],
    ),
    ("rename_table", &["ALTER TABLE item RENAME TO order_item"]),
    (
        "set_not_null",
        &["ALTER TABLE customer ALTER COLUMN score SET NOT NULL"],
    ),
    (
        "set_not_null_proved",
        &[
            "ALTER TABLE customer ADD CONSTRAINT c CHECK (score IS NOT NULL) NOT VALID",
            "ALTER TABLE customer VALIDATE CONSTRAINT c",
            "ALTER TABLE customer ALTER COLUMN score SET NOT NULL",
            "ALTER TABLE customer DROP CONSTRAINT c",
        ],
    ),
    (
        "add_check",
        &["ALTER TABLE orders ADD CONSTRAINT positive CHECK (total >= 0)"],
    ),
    (
        "add_check_not_valid",
        &["ALTER TABLE orders ADD CONSTRAINT positive CHECK (total >= 0) NOT VALID"],
    ),
    (
        "add_foreign_key",
        &["ALTER TABLE orders ADD FOREIGN KEY (customer_id) REFERENCES customer (id)"],
    ),
    (
        "add_foreign_key_to_integer",
        &["ALTER TABLE item ADD CONSTRAINT item_order FOREIGN KEY (order_id) REFERENCES orders"],
    ),
    (
        "add_unique",
        &["ALTER TABLE customer ADD CONSTRAINT email_key UNIQUE (email)"],
    ),
    (
        "change_primary_key",
        &[
            "ALTER TABLE item DROP CONSTRAINT item_pkey",
            "ALTER TABLE item ADD PRIMARY KEY (line, order_id)",
        ],
    ),
    (
        "extend_enum",
        &["ALTER TYPE order_state ADD VALUE 'lost' AFTER 'shipped'"],
    ),
    (
        "replace_view",
        &[
            "CREATE OR REPLACE VIEW big_orders AS SELECT id, customer_id, total FROM orders WHERE total > 10",
        ],
    ),
    ("drop_view", &["DROP VIEW big_orders"]),
    ("drop_table", &["DROP TABLE item"]),
    (
        "statistics_target",
        &["ALTER TABLE orders ALTER COLUMN state SET STATISTICS 500"],
    ),
    (
        "set_default",
        &["ALTER TABLE orders ALTER COLUMN total SET DEFAULT 0"],
    ),
    (
        "new_table",
        &[
            "CREATE TABLE refund (id bigint PRIMARY KEY, order_id integer REFERENCES orders (id), total numeric)",
        ],
    ),
    ("comment", &["COMMENT ON TABLE orders IS 'orders'"]),
    (
        "expression_index",
        &["CREATE INDEX customer_lower ON customer (lower(email))"],
    ),
    (
        "hash_index",
        &["CREATE INDEX orders_note_hash ON orders USING hash (note)"],
    ),
    (
        "brin_index",
        &["CREATE INDEX orders_created_brin ON orders USING brin (created)"],
    ),
    ("fillfactor", &["ALTER TABLE orders SET (fillfactor = 70)"]),
    (
        "in_one_transaction",
        &[
            "BEGIN",
            "ALTER TABLE customer ADD COLUMN vip boolean",
            "CREATE INDEX customer_country ON customer (country)",
            "COMMIT",
        ],
    ),
    (
        "drop_indexed_column",
        &["ALTER TABLE orders DROP COLUMN created"],
    ),
    (
        "drop_viewed_column",
        &["ALTER TABLE orders DROP COLUMN total CASCADE"],
    ),
    (
        "retype_indexed_column",
        &["ALTER TABLE orders ALTER COLUMN created TYPE timestamp"],
    ),
    (
        "make_table_anew",
        &[
            "DROP TABLE item",
            "CREATE TABLE item (order_id integer, line integer, sku text, quantity integer, PRIMARY KEY (order_id, line))",
        ],
    ),
    (
        "move_to_schema",
        &[
            "CREATE SCHEMA archive",
            "ALTER TABLE item SET SCHEMA archive",
        ],
    ),
    ("fails_on_type_in_use", &["DROP TYPE order_state"]),
    ("fails", &["ALTER TABLE orders ADD COLUMN total numeric"]),
    ("fails_on_missing_table", &["CREATE INDEX i ON basket (id)"]),
    (
        "concurrently_in_transaction",
        &[
            "BEGIN",
            "CREATE INDEX CONCURRENTLY i ON item (quantity)",
            "COMMIT",
        ],
    ),
];

/// What a statement does on a real server.
#[derive(Debug, Default, PartialEq)]
struct Real {
    /// The strongest lock on each table and view that was there before; none of what cannot run in a
    /// transaction.
    locks: Option<BTreeMap<String, String>>,
    rewrites: Vec<String>,
    refused: bool,
}

#[test]
fn what_is_predicted_happens() {
    let shop = shop();
    let mut wrong = Vec::new();
    let (mut plans, mut flips) = (0, 0);
    for (name, migration) in MIGRATIONS {
        let script = migration.join(";\n") + ";\n";
        let report = shop.report(name, &script);
        let copy = shop.copy(name);
        let real = apply(&copy, migration);
        compare_steps(name, &report, &real, &mut wrong);
        let counted = compare_plans(name, &report, &copy, &mut wrong);
        plans += counted.0;
        flips += counted.1;
    }
    println!(
        "{} migrations, {plans} plans, {flips} flips",
        MIGRATIONS.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(flips > 5, "only {flips} flips: nothing was tried");
}

/// Applies a migration statement by statement, up to the first that is refused.
fn apply(copy: &Database, migration: &[&str]) -> Vec<Real> {
    let mut client = copy.client();
    let mut in_block = false;
    let mut done = Vec::new();
    for sql in migration {
        let is_control = matches!(*sql, "BEGIN" | "COMMIT");
        if is_control {
            in_block = *sql == "BEGIN";
            client.batch_execute(sql).unwrap();
            done.push(Real::default());
            continue;
        }
        let real = apply_one(&mut client, sql, in_block);
        let refused = real.refused;
        done.push(real);
        if refused {
            break;
        }
    }
    done
}

fn apply_one(client: &mut Client, sql: &str, in_block: bool) -> Real {
    let alone = sql.contains("CONCURRENTLY") && !in_block;
    let files = |client: &mut Client| -> BTreeMap<u32, (String, u32)> {
        let sql = "SELECT c.oid, c.relname::text, coalesce(pg_relation_filenode(c.oid), 0) FROM pg_class c \
                   WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v')";
        let rows = client.query(sql, &[]).unwrap();
        let file = |row: &postgres::Row| (row.get(0), (row.get(1), row.get(2)));
        rows.iter().map(file).collect()
    };
    let before = files(client);
    if !alone && !in_block {
        client.batch_execute("BEGIN").unwrap();
    }
    let refused = client.batch_execute(sql).is_err();
    if refused {
        let _ = client.batch_execute("ROLLBACK");
        return Real {
            refused,
            ..Real::default()
        };
    }
    let locks = (!alone).then(|| {
        let sql = "SELECT l.relation, l.mode FROM pg_locks l WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation' AND l.granted";
        let mut strongest: BTreeMap<String, String> = BTreeMap::new();
        for row in client.query(sql, &[]).unwrap() {
            let (oid, mode): (u32, String) = (row.get(0), row.get(1));
            let Some((name, _)) = before.get(&oid) else {
                continue;
            };
            let rank = |mode: &str| pgrehearse::internals::check::lock::LockMode::parse(mode);
            if mode == "AccessShareLock" {
                continue;
            }
            let kept = strongest.entry(name.clone()).or_insert_with(|| mode.clone());
            if rank(kept) < rank(&mode) {
                *kept = mode;
            }
        }
        strongest
    });
    let after = files(client);
    if !alone && !in_block {
        client.batch_execute("COMMIT").unwrap();
    }
    let rewritten = |(oid, (name, file)): (&u32, &(String, u32))| {
        let other = after.get(oid).is_some_and(|(_, now)| now != file);
        other.then(|| name.clone())
    };
    Real {
        locks,
        rewrites: before.iter().filter_map(rewritten).collect(),
        refused,
    }
}

fn bare(name: &Value) -> String {
    let name = name.as_str().unwrap();
    name.strip_prefix("public.").unwrap_or(name).to_owned()
}

fn compare_steps(name: &str, report: &Value, real: &[Real], wrong: &mut Vec<String>) {
    let steps = report["ddl"].as_array().unwrap();
    // In a transaction a lock is listed by the statement that takes it, and held to the end.
    let mut held: BTreeMap<String, String> = BTreeMap::new();
    for (step, real) in steps.iter().zip(real) {
        let sql = step["sql"].as_str().unwrap();
        let refused = step["status"] == "failed";
        if refused != real.refused {
            wrong.push(format!(
                "{name}: {sql}: refused: {} ({})",
                real.refused, step["error"]
            ));
            continue;
        }
        let rewrites: Vec<String> = step["rewrites"]
            .as_array()
            .unwrap()
            .iter()
            .map(bare)
            .collect();
        if rewrites != real.rewrites {
            wrong.push(format!(
                "{name}: {sql}: rewrites {rewrites:?}, really {:?}",
                real.rewrites
            ));
        }
        let is_table = |lock: &&Value| {
            let relation = bare(&lock["relation"]);
            ["customer", "orders", "item", "big_orders"].contains(&relation.as_str())
        };
        let locks = step["locks"].as_array().unwrap().iter().filter(is_table);
        let locks = locks.map(|lock| {
            (
                bare(&lock["relation"]),
                lock["mode"].as_str().unwrap().to_owned(),
            )
        });
        let mut predicted: BTreeMap<String, String> = locks.collect();
        let in_block = steps.iter().any(|step| step["sql"] == "BEGIN");
        if in_block {
            held.extend(predicted.clone());
            predicted.clone_from(&held);
        }
        let seen = real.locks.as_ref().filter(|_| !refused);
        if let Some(seen) = seen.filter(|seen| **seen != predicted) {
            wrong.push(format!(
                "{name}: {sql}: locks {predicted:?}, really {seen:?}"
            ));
        }
    }
}

/// The plan of a statement, or none where the server refuses it.
fn explain(client: &mut Client, sql: &str) -> Option<Plan> {
    let sql = format!("EXPLAIN (FORMAT JSON, VERBOSE) {sql}");
    let rows = client.simple_query(&sql).ok()?;
    let text = rows.iter().find_map(|message| match message {
        postgres::SimpleQueryMessage::Row(row) => row.get(0).map(str::to_owned),
        _ => None,
    })?;
    let json: Value = serde_json::from_str(&text).unwrap();
    Some(Plan::from_json(json[0].clone()).unwrap())
}

fn compare_plans(
    name: &str,
    report: &Value,
    copy: &Database,
    wrong: &mut Vec<String>,
) -> (usize, usize) {
    let mut client = copy.client();
    let mut flips = 0;
    let statements = report["statements"].as_array().unwrap();
    assert_eq!(statements.len(), QUERIES.matches("-- name").count());
    for statement in statements {
        let id = statement["id"].as_str().unwrap();
        let real = explain(&mut client, statement["sql"].as_str().unwrap());
        let assumed = statement["assumed"].as_array().unwrap();
        let at_once = assumed
            .iter()
            .find(|assumed| assumed["assumption"] == "not_analyzed");
        let predicted = at_once.map_or(&statement["plan_after"], |assumed| &assumed["plan"]);
        let predicted = (!predicted.is_null()).then(|| Plan::from_json(predicted.clone()).unwrap());
        let cannot_run = statement["change"] == "cannot_run";
        flips += usize::from(statement["change"] == "flipped");
        match (&predicted, &real) {
            (None, None) if cannot_run => {}
            (Some(predicted), Some(real)) => {
                let (one, other) = (shape(predicted), shape(real));
                if one != other {
                    wrong.push(format!("{name}: {id}: predicted\n{one}really\n{other}"));
                }
                let (one, other) = (predicted.total_cost().0, real.total_cost().0);
                if (one - other).abs() > MAX_DEVIATION * other.max(1.0) {
                    wrong.push(format!("{name}: {id}: cost {one}, really {other}"));
                }
            }
            (predicted, real) => wrong.push(format!(
                "{name}: {id}: planned {}, really {}: {}",
                predicted.is_some(),
                real.is_some(),
                statement["error"]
            )),
        }
    }
    (statements.len(), flips)
}

#[test]
fn what_the_rows_contradict_is_said() {
    let shop = shop();
    let copy = shop.copy("contradicted");
    for (name, migration) in [
        (
            "nulls",
            "ALTER TABLE customer ALTER COLUMN nickname SET NOT NULL",
        ),
        ("repeated", "CREATE UNIQUE INDEX ON orders (customer_id)"),
        ("repeated_constraint", "ALTER TABLE item ADD UNIQUE (sku)"),
    ] {
        assert!(copy.client().batch_execute(migration).is_err(), "{name}");
        let output = shop
            .check(
                name,
                migration,
                &["--format", "json", "--fail-on", "cannot-run"],
            )
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(4), "{name}");
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        let findings = report["ddl"][0]["findings"].as_array().unwrap();
        let is_said = |finding: &Value| finding["rule"] == "fails-on-values";
        assert!(findings.iter().any(is_said), "{name}: {findings:?}");
    }
}

#[test]
fn after_analyze_the_plans_are_those_with_converted_statistics() {
    let shop = shop();
    for (name, migration) in [
        (
            "analyzed_score",
            "ALTER TABLE customer ALTER COLUMN score TYPE bigint",
        ),
        (
            "analyzed_code",
            "ALTER TABLE orders ALTER COLUMN code TYPE integer USING code::integer",
        ),
        (
            "analyzed_text",
            "ALTER TABLE customer ALTER COLUMN nickname TYPE text",
        ),
    ] {
        let report = shop.report(name, migration);
        let copy = shop.copy(name);
        copy.run(migration);
        copy.run("ANALYZE orders; ANALYZE customer");
        let mut client = copy.client();
        for statement in report["statements"].as_array().unwrap() {
            let real = explain(&mut client, statement["sql"].as_str().unwrap());
            let Some(real) = real else {
                assert_eq!(
                    statement["change"], "cannot_run",
                    "{name}: {}",
                    statement["id"]
                );
                continue;
            };
            let predicted = Plan::from_json(statement["plan_after"].clone()).unwrap();
            assert_eq!(
                shape(&predicted),
                shape(&real),
                "{name}: {}",
                statement["id"]
            );
        }
    }
}

#[test]
fn a_live_connection_gives_the_same_result_as_a_twin_file() {
    let shop: &Shop = shop();
    let migration = "DROP INDEX orders_customer";
    let from_file = shop.report("live_file", migration);
    let copy = shop.copy("live");
    let file = shop.directory.path().join("live.sql");
    std::fs::write(&file, migration).unwrap();
    let output = copy
        .program(&[
            "check",
            "--format",
            "json",
            "--migrate",
            file.to_str().unwrap(),
        ])
        .args(["-f", shop.queries.to_str().unwrap()])
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        crate::live::text_of(&output)
    );
    let live: Value = serde_json::from_slice(&output.stdout).unwrap();
    let changes = |report: &Value| -> Vec<(String, String)> {
        let statements = report["statements"].as_array().unwrap().iter();
        statements
            .map(|one| (one["id"].to_string(), one["change"].to_string()))
            .collect()
    };
    assert_eq!(changes(&live), changes(&from_file));
    let all = copy.text("SELECT count(*) FROM pg_class WHERE relname = 'orders_customer'");
    assert_eq!(all, "1", "nothing is done to the server");
}
