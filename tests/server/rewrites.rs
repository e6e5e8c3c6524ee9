//! Rewritten statements return what the statements return that they replace, on random data.

use std::fmt::Write as _;

use pgrehearse::internals::model::QualifiedName;
use pgrehearse::internals::sql::rewrite::{
    Comparisons, FromTable, Groups, KnownColumn, KnownTable, ParentKey, array_contains, bounded,
    equal, group_by_group, group_values, name_configuration, range_bounds, select_once,
    union_of_arms,
};
use postgres::{Client, SimpleQueryMessage};
use serde_json::{Value, json};

use crate::live::Database;

/// The columns of `r` and `s`; `cat` and `id` are NOT NULL, everything else may be NULL.
const COLUMNS: &[(&str, &str)] = &[
    ("id", "integer"),
    ("cat", "integer"),
    ("a", "integer"),
    ("b", "integer"),
    ("Word", "text"),
    ("tags", "text[]"),
    ("nums", "bigint[]"),
    ("at", "timestamp with time zone"),
    ("local", "timestamp without time zone"),
    ("day", "date"),
    ("amount", "numeric"),
    ("big", "bigint"),
];

fn schema(table: &FromTable) -> Option<KnownTable> {
    if table.name == "cats" {
        let key = KnownColumn {
            name: "key".to_owned(),
            type_name: "integer".to_owned(),
            not_null: true,
            groups: None,
            parent: None,
        };
        return Some(KnownTable { columns: vec![key] });
    }
    let columns = COLUMNS.iter().map(|(name, type_name)| KnownColumn {
        name: (*name).to_owned(),
        type_name: (*type_name).to_owned(),
        not_null: matches!(*name, "id" | "cat"),
        groups: Some(5),
        parent: (*name == "cat").then(|| ParentKey {
            table: QualifiedName::new("public", "cats"),
            column: "key".to_owned(),
        }),
    });
    matches!(table.name.as_str(), "r" | "s").then(|| KnownTable {
        columns: columns.collect(),
    })
}

/// Clocks are set back to midnight on the Azores on 2024-10-27, and in Havana on 2024-11-03.
///
/// 60 rows with few values, so that many are equal, at bounds, or NULL.
const FILL: &str = "
    CREATE TABLE r (id int NOT NULL, cat int NOT NULL, a int, b int, \"Word\" text, tags text[], nums bigint[],
        at timestamptz, local timestamp, day date, amount numeric, big bigint);
    CREATE TABLE s (LIKE r);
    CREATE TABLE cats AS SELECT generate_series(-2, 9) AS key;
    CREATE FUNCTION fill(name text) RETURNS void LANGUAGE plpgsql AS $$ BEGIN
      EXECUTE format('TRUNCATE %I', name);
      EXECUTE format($q$INSERT INTO %I SELECT n / 2, (random() * 4)::int, nullif((random() * 5)::int, 5), nullif((random() * 5)::int, 5),
        (array['x', 'y', 'X', '', NULL])[1 + (random() * 4)::int],
        (array['{}', '{x}', '{NULL}', '{x,NULL}', '{y,x,x}', '{{x,y},{y,y}}', NULL])[1 + (random() * 6)::int]::text[],
        (array['{}', '{1}', '{NULL,2}', '{5,NULL}', '{1,2,5}', NULL])[1 + (random() * 5)::int]::bigint[],
        CASE WHEN random() < 0.05 THEN 'infinity' WHEN random() < 0.05 THEN '-infinity' WHEN random() < 0.1 THEN NULL
             WHEN random() < 0.5 THEN '2024-02-27 00:00Z'::timestamptz + (random() * 240)::int * interval '30 minutes'
             ELSE (array['2024-10-26 20:00Z', '2024-11-02 20:00Z'])[1 + (random())::int]::timestamptz + (random() * 60)::int * interval '30 minutes' END,
        CASE WHEN random() < 0.05 THEN 'infinity' WHEN random() < 0.05 THEN '-infinity' WHEN random() < 0.1 THEN NULL
             ELSE '2023-12-30'::timestamp + (random() * 200)::int * interval '12 hours' END,
        CASE WHEN random() < 0.05 THEN 'infinity' WHEN random() < 0.05 THEN '-infinity' WHEN random() < 0.1 THEN NULL
             ELSE '2023-12-28'::date + (random() * 8)::int END,
        nullif((random() * 6)::int, 6) / 2.0, nullif((random() * 6)::int, 6)
      FROM generate_series(1, 60) AS n$q$, name);
    END $$;
    CREATE FUNCTION most() RETURNS int LANGUAGE plpgsql STABLE AS $$ BEGIN RETURN (SELECT max(a) - 2 FROM s); END $$;
    CREATE FUNCTION any_word(int) RETURNS text LANGUAGE sql STABLE AS 'SELECT min(\"Word\") FROM s WHERE a = $1';";

/// `most` and `any_word` are STABLE, and NULL for some data.
const ONCE: &[&str] = &[
    "SELECT id FROM r WHERE a >= most()",
    "SELECT id FROM r WHERE public.any_word(3) = \"Word\" OR b = 1",
    "SELECT r.id FROM r LEFT JOIN s ON s.id = r.id WHERE s.a < most() AND r.\"Word\" = any_word(2)",
    "SELECT id FROM r WHERE EXISTS (SELECT 1 FROM s WHERE s.id = r.id AND s.b = most())",
];

/// With `default_text_search_config = simple`, which the rewriting names.
const TEXT_SEARCH: &[&str] = &[
    "SELECT id FROM r WHERE to_tsvector(\"Word\") @@ to_tsquery('x')",
    "SELECT id FROM r WHERE a = 1 OR to_tsvector(coalesce(\"Word\", 'the y') || ' the') @@ plainto_tsquery('the')",
];

const ARRAYS: &[&str] = &[
    "SELECT id FROM r WHERE \"Word\" IS NOT DISTINCT FROM 'x' OR a IS NOT DISTINCT FROM 2",
    "SELECT * FROM r WHERE 'x' = ANY(tags)",
    "SELECT id FROM r AS q WHERE q.a = 1 OR ('y'::text = ANY (q.\"tags\") AND b > 1)",
    "SELECT id FROM r WHERE 'x' = ANY(string_to_array(\"Word\", 'y')) OR '' = ANY(string_to_array(\"Word\", ','))",
    "SELECT id FROM r WHERE 5 = ANY(nums) AND 'x' = ANY(tags)",
    "SELECT count(*) FROM r LEFT JOIN s ON s.a = r.a WHERE '2' = ANY(s.nums)",
    "SELECT id FROM r WHERE EXISTS (SELECT 1 FROM s WHERE s.a = r.a AND 1 = ANY(s.nums))",
];

const RANGES: &[&str] = &[
    "SELECT id FROM r WHERE tstzrange('2024-02-28 00:00+00', '2024-02-29 12:00+00') @> at",
    "SELECT id FROM r WHERE at <@ tstzrange('2024-02-28', 'infinity', '(]')",
    "SELECT id FROM r WHERE tstzrange(NULL, '2024-02-29', '()') @> at",
    "SELECT id FROM r WHERE daterange('2023-12-30', '2024-01-02', '(]') @> day OR a = 1",
    "SELECT id FROM r WHERE daterange('2023-12-30', '2023-12-30') @> day",
    "SELECT id FROM r WHERE int4range(1, 3, '[]') @> a",
    "SELECT id FROM r WHERE '[1,3)'::int8range @> big",
    "SELECT id FROM r WHERE '(,1.5]'::numrange @> amount",
    "SELECT id FROM r WHERE numrange(0.5, 2, '()') @> amount",
    "SELECT id FROM r WHERE tsrange '[\"2024-01-01 00:00:00\",)' @> local",
];

const PERIODS: &[&str] = &[
    "SELECT id FROM r WHERE at::date = '2024-02-29'",
    "SELECT id FROM r WHERE at::date = '2024-10-27' OR date(at) >= '2024-11-03'",
    "SELECT id FROM r WHERE date(at) <= '2024-10-26' OR at::date = '2024-11-02'",
    "SELECT id FROM r WHERE date(at) BETWEEN '2024-02-28' AND '2024-02-29'",
    "SELECT id FROM r WHERE date_trunc('month', at) = '2024-02-01'",
    "SELECT id FROM r WHERE at::date <= '2024-02-29' AND at::date > '2024-02-27'",
    "SELECT id FROM r WHERE extract(year FROM at) = 2024 AND extract(month FROM at) = 2",
    "SELECT id FROM r WHERE (at AT TIME ZONE 'America/Havana')::date = '2024-02-28'",
    "SELECT id FROM r WHERE date_trunc('month', at AT TIME ZONE 'Asia/Kolkata') = '2024-02-01'",
    "SELECT id FROM r WHERE local::date = '2023-12-31'",
    "SELECT id FROM r WHERE local::date < '2024-01-02' OR local::date >= '2024-02-29'",
    "SELECT id FROM r WHERE local::date > '2024-01-02' OR local::date <= '2023-12-31'",
    "SELECT id FROM r WHERE date(local) BETWEEN '2024-01-03' AND '2024-01-01'",
    "SELECT id FROM r WHERE date_trunc('week', local) = '2024-01-01'",
    "SELECT id FROM r WHERE date_trunc('quarter', local) = '2023-10-01 00:00:00'",
    "SELECT id FROM r WHERE extract(year from day) = 2023",
    "SELECT id FROM r WHERE date_part('year', day) BETWEEN 2023 AND 2024 AND a < 3",
    "SELECT id FROM r WHERE extract(year from local) = 2024 AND extract(month from local) = 2",
];

const ARMS: &[&str] = &[
    "SELECT * FROM r WHERE a = 1 OR b = 2",
    "SELECT id, \"Word\" FROM r WHERE amount > 0.5 AND (a = 1 OR b = 2 OR \"Word\" IS NULL)",
    "SELECT r.* FROM r JOIN s ON s.id = r.id WHERE r.a = 1 OR s.b = 2",
    "SELECT r.id FROM r LEFT JOIN s ON s.id = r.a WHERE r.a = 1 OR s.b IS NULL",
    "SELECT r.* FROM r WHERE r.a IN (SELECT s.b FROM s WHERE s.cat = 1) OR r.\"Word\" = 'x'",
    "SELECT id FROM r WHERE a = 1 OR EXISTS (SELECT 1 FROM s WHERE s.id = r.id AND s.a = 2 LIMIT 1)",
    "SELECT id FROM r WHERE (a = 1 AND b = 2) OR (a = 2 AND b = 1)",
];

/// With what each is ordered by; behind it, rows with the same key may be in any order.
const ORDERED: &[(&str, &str)] = &[
    (
        "SELECT * FROM r WHERE a = 1 OR b = 2 ORDER BY day DESC LIMIT 7",
        "day",
    ),
    (
        "SELECT id, day AS \"D\" FROM r q WHERE (q.a = 1 OR q.b = 2) ORDER BY q.day NULLS FIRST LIMIT 5 OFFSET 3",
        "\"D\"",
    ),
    (
        "SELECT id, amount FROM r WHERE a = 1 OR b IS NULL ORDER BY 2 DESC OFFSET 4",
        "amount",
    ),
    (
        "SELECT r.id, s.id AS sid FROM r JOIN s ON s.cat = r.cat WHERE r.a = 1 OR s.b = 2 ORDER BY s.id, r.id DESC LIMIT 9",
        "sid, id",
    ),
    (
        "SELECT id FROM r WHERE a = 1 OR b = 2 ORDER BY id LIMIT 9",
        "id",
    ),
    (
        "SELECT a FROM r WHERE a = 1 OR a = 2 ORDER BY -id LIMIT 9",
        "a IS NULL",
    ),
    (
        "SELECT DISTINCT ON (cat) cat, day FROM r WHERE a > 1 ORDER BY cat, day DESC NULLS LAST",
        "cat, day",
    ),
    (
        "SELECT DISTINCT ON (q.cat) q.cat, q.id AS i FROM r q WHERE a = 1 OR b = 1 ORDER BY q.cat DESC, q.id LIMIT 3",
        "cat, i",
    ),
    (
        "SELECT cat, id, n FROM (SELECT r.*, row_number() OVER (PARTITION BY cat ORDER BY id, day) AS n FROM r) q WHERE n <= 3 ORDER BY cat, n",
        "cat, n, id",
    ),
    (
        "SELECT cat, max(id) FROM r WHERE a < 4 GROUP BY cat ORDER BY cat DESC",
        "cat, max",
    ),
    (
        "SELECT q.cat, min(q.id) AS i FROM r q GROUP BY q.cat ORDER BY q.cat",
        "cat, i",
    ),
    (
        "SELECT DISTINCT q.cat AS c FROM r q WHERE a = 1 OR b = 1 ORDER BY q.cat DESC",
        "c",
    ),
    (
        "SELECT cat FROM r WHERE a < 4 GROUP BY cat ORDER BY cat LIMIT 3",
        "cat",
    ),
    ("SELECT count(DISTINCT cat) FROM r WHERE a < 4", "count"),
    (
        "WITH q AS (SELECT cat, amount, row_number() OVER (PARTITION BY cat ORDER BY amount DESC) n FROM r WHERE a < 4) \
      SELECT cat, amount FROM q WHERE q.n = 1 ORDER BY 1",
        "cat, amount",
    ),
];

fn rewritten(sql: &str) -> String {
    let gin = |_: &str| true;
    let found = array_contains(sql, &schema, &gin)
        .or_else(|| range_bounds(sql, &schema))
        .or_else(|| bounded(sql, &schema, None))
        .or_else(|| equal(sql, &schema))
        .or_else(|| {
            select_once(sql, &schema, Comparisons::All, &|name| {
                matches!(name, "most" | "any_word")
            })
        })
        .or_else(|| name_configuration(sql, &schema, "simple"))
        .or_else(|| union_of_arms(sql, &schema))
        .or_else(|| group_by_group(sql, Groups::Jumps, &schema).map(|(rewriting, _)| rewriting))
        .or_else(|| group_values(sql, &schema).map(|(rewriting, _)| rewriting));
    found.unwrap_or_else(|| panic!("{sql}")).sql
}

fn rows(client: &mut Client, sql: &str) -> Vec<String> {
    let found = client
        .simple_query(sql)
        .unwrap_or_else(|error| panic!("{error}: {sql}"));
    found
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => {
                Some((0..row.len()).fold(String::new(), |mut text, column| {
                    let _ = write!(text, "{:?}|", row.get(column));
                    text
                }))
            }
            _ => None,
        })
        .collect()
}

/// All rows, whatever their order.
pub(super) fn counted(client: &mut Client, sql: &str) -> Vec<String> {
    let mut found = rows(client, sql);
    found.sort_unstable();
    found
}

const ZONES: &[&str] = &["UTC", "Atlantic/Azores", "America/Havana", "Asia/Kolkata"];

#[test]
fn conditions_find_the_same_rows() {
    let database = Database::new("same_rows", FILL);
    let mut client = database.client();
    let mut found = 0;
    for seed in 0..40u32 {
        let zone = ZONES[seed as usize % ZONES.len()];
        client
            .batch_execute(&format!(
                "SET TimeZone = '{zone}'; SET default_text_search_config = 'simple'; SELECT setseed({}); SELECT fill('r'), fill('s')",
                f64::from(seed) / 40.0
            ))
            .unwrap();
        for sql in [ARRAYS, RANGES, PERIODS, ARMS, ONCE, TEXT_SEARCH].concat() {
            let wanted = counted(&mut client, sql);
            let other = rewritten(sql);
            assert_eq!(
                wanted,
                counted(&mut client, &other),
                "{seed}: {sql}\n{other}"
            );
            found += wanted.len();
        }
    }
    assert!(found > 10_000, "{found} rows say little");
}

#[test]
fn ordered_rows_are_the_same_up_to_equal_keys() {
    let database = Database::new("same_order", FILL);
    let mut client = database.client();
    let (mut found, mut by_parent) = (0, 0);
    for seed in 0..40u32 {
        client
            .batch_execute(&format!(
                "SELECT setseed({}); SELECT fill('r'), fill('s')",
                f64::from(seed) / 40.0
            ))
            .unwrap();
        for (sql, keys) in ORDERED {
            let of = |sql: &str| format!("SELECT {keys} FROM ({sql}) AS ordered");
            let wanted = rows(&mut client, &of(sql));
            let other = rewritten(sql);
            assert_eq!(
                wanted,
                rows(&mut client, &of(&other)),
                "{seed}: {sql}\n{other}"
            );
            if let Some((other, _)) = group_by_group(sql, Groups::Parent, &schema) {
                assert_eq!(
                    wanted,
                    rows(&mut client, &of(&other.sql)),
                    "{seed}: {sql}\n{}",
                    other.sql
                );
                by_parent += 1;
            }
            // What is returned is a row of the statement without its limit.
            if let Some((all, _)) = sql.split_once(" LIMIT ") {
                let strange =
                    format!("SELECT * FROM ({other}) AS o EXCEPT ALL SELECT * FROM ({all}) AS a");
                let strange = if sql.contains("DISTINCT") {
                    Vec::new()
                } else {
                    rows(&mut client, &strange)
                };
                assert!(strange.is_empty(), "{strange:?} {sql}\n{other}");
            }
            found += wanted.len();
        }
    }
    assert!(found > 1_000, "{found} rows say little");
    assert!(by_parent >= 40, "{by_parent} statements say little");
}

/// Joined with the table that has each group once; and what is compared, because of rows that are equal
/// in the order.
const JOINED: &[(&str, &str)] = &[
    (
        "SELECT DISTINCT ON (r.cat) r.cat, r.a, c.key FROM r JOIN cats c ON c.key = r.cat WHERE c.key % 2 = 0 ORDER BY r.cat DESC, r.a",
        "cat, a, key",
    ),
    (
        "SELECT DISTINCT ON (c.key) r.cat, r.b AS a FROM cats c, r WHERE r.cat = c.key AND (a < 3 OR c.key = 1) ORDER BY c.key, r.b DESC LIMIT 3",
        "cat, a",
    ),
    (
        "SELECT q.cat, q.amount FROM (SELECT r.cat, r.amount, row_number() OVER (PARTITION BY r.cat ORDER BY r.amount DESC) AS n \
         FROM r JOIN cats c ON c.key = r.cat AND key > 0 WHERE r.a < 4) q WHERE n <= 2 ORDER BY 1, 2",
        "cat, amount",
    ),
    (
        "SELECT r.cat, max(r.id) FROM r JOIN cats c ON r.cat = c.key WHERE c.key IN (1, 3, 8) GROUP BY r.cat ORDER BY r.cat",
        "cat, max",
    ),
];

#[test]
fn joined_groups_have_the_same_rows() {
    let database = Database::new("joined_groups", FILL);
    let mut client = database.client();
    let mut found = 0;
    for seed in 0..40u32 {
        client
            .batch_execute(&format!(
                "SELECT setseed({}); SELECT fill('r'), fill('s')",
                f64::from(seed) / 40.0
            ))
            .unwrap();
        for (sql, keys) in JOINED {
            let (other, _) =
                group_by_group(sql, Groups::Parent, &schema).unwrap_or_else(|| panic!("{sql}"));
            let of = |sql: &str| format!("SELECT {keys} FROM ({sql}) AS ordered");
            let wanted = rows(&mut client, &of(sql));
            assert_eq!(
                wanted,
                rows(&mut client, &of(&other.sql)),
                "{seed}: {sql}\n{}",
                other.sql
            );
            found += wanted.len();
        }
    }
    assert!(found > 300, "{found} rows say little");
}

/// The same with parameters, whose values may be NULL or an infinity.
#[test]
fn parameters_find_the_same_rows() {
    let database = Database::new("same_parameters", FILL);
    let mut client = database.client();
    for seed in 0..20u32 {
        client
            .batch_execute(&format!(
                "SET TimeZone = 'America/Havana'; SELECT setseed({}); SELECT fill('r'), fill('s')",
                f64::from(seed) / 20.0
            ))
            .unwrap();
        for (sql, values) in [
            (
                "SELECT id FROM r WHERE $1 = ANY(tags)",
                &["'x'", "NULL"][..],
            ),
            ("SELECT id FROM r WHERE $1::int = ANY(nums)", &["5", "NULL"]),
            (
                "SELECT id FROM r WHERE date(at) = $1",
                &["'2024-02-28'", "'infinity'", "'-infinity'", "NULL"],
            ),
            (
                "SELECT id FROM r WHERE local::date <= $1",
                &["'2023-12-31'", "'infinity'", "'-infinity'", "NULL"],
            ),
            (
                "SELECT id FROM r WHERE local::date > $1",
                &["'2023-12-31'", "'infinity'", "'-infinity'", "NULL"],
            ),
            (
                "SELECT id FROM r WHERE tstzrange($1, '2024-02-29') @> at",
                &["'2024-02-28'", "'-infinity'", "NULL"],
            ),
            (
                "SELECT id FROM r WHERE int4range(1, $1, '[]') @> a",
                &["3", "NULL"],
            ),
            (
                "SELECT id, day FROM r WHERE a = $1 OR b = 2",
                &["1", "NULL"],
            ),
        ] {
            let other = rewritten(sql);
            client
                .batch_execute(&format!(
                    "DEALLOCATE ALL; PREPARE before AS {sql}; PREPARE after AS {other}"
                ))
                .unwrap_or_else(|error| panic!("{error}: {other}"));
            for value in values {
                let wanted = counted(&mut client, &format!("EXECUTE before({value})"));
                let found = counted(&mut client, &format!("EXECUTE after({value})"));
                assert_eq!(wanted, found, "{seed} {value}: {sql}\n{other}");
            }
        }
    }
}

const MESSAGES: &str = "
    CREATE TABLE message (id bigint PRIMARY KEY, sender int NOT NULL, recipient int NOT NULL, at timestamptz NOT NULL, body text NOT NULL);
    INSERT INTO message SELECT n, hashint4(n) & 511, hashint4(-n) & 511, '2024-01-01Z'::timestamptz + n * interval '1 minute', repeat('x', 40)
    FROM generate_series(1, 60000) AS n;
    ANALYZE message";

const INBOX: &str = "SELECT m.* FROM message m\nWHERE (m.sender = 77 OR m.recipient = 77)\nORDER BY m.at DESC LIMIT 10";

/// The mean over somebody who wrote a hundred messages, and somebody who wrote a quarter of all.
#[test]
fn a_rewrite_is_judged_with_the_values_that_others_ask_for() {
    let database = Database::new("rewritten_or_classes", MESSAGES);
    database.run(
        "UPDATE message SET sender = CASE WHEN id % 4 = 0 THEN 1 ELSE hashint4(id::int) & 511 END,
                            recipient = CASE WHEN id % 4 = 1 THEN 1 ELSE hashint4(-id::int) & 511 END",
    );
    database.run("VACUUM FULL ANALYZE message");
    let report = database.advise(&["-c", &format!("-- name: inbox\n{INBOX}")]);
    let rewrite = only_rewrite(&report);
    let benefits = rewrite["benefits"].as_array().unwrap();
    let of: Vec<&str> = benefits
        .iter()
        .map(|benefit| benefit["statement"].as_str().unwrap())
        .collect();
    assert_eq!(of, ["inbox", "inbox[most common]", "inbox[rare]"]);
    let explanation = rewrite["explanation"].as_str().unwrap();
    assert!(
        explanation.contains("on average over its values"),
        "{explanation}"
    );
    let all = report["recommendations"].as_array().unwrap();
    for columns in ["(sender, at", "(recipient, at"] {
        let of_columns = |index: &Value| index["ddl"].as_str().unwrap().contains(columns);
        assert!(all.iter().any(of_columns), "{report:#}");
    }
}

/// Neither the indexes nor the other way of writing help alone.
#[test]
fn arms_are_proposed_with_the_indexes_that_they_need() {
    let database = Database::new("rewritten_or", MESSAGES);
    let workload = format!("-- name: inbox\n{INBOX}");
    let report = database.advise(&["-c", &workload]);
    let rewrite = only_rewrite(&report);
    assert_eq!(rewrite["id"], report["remedies"][0]["id"], "it brings most");
    let statements = rewrite["statements"].as_array().unwrap();
    let (sql, indexes) = statements.split_last().unwrap();
    let sql = sql.as_str().unwrap();
    assert!(sql.contains("UNION ALL"), "{sql}");
    let all = report["recommendations"].as_array().unwrap();
    let needed: Vec<&Value> = all
        .iter()
        .filter(|index| index["rewrites"] == json!(["m1"]))
        .collect();
    assert_eq!(needed.len(), indexes.len(), "{report:#}");
    for columns in ["(sender, at", "(recipient, at"] {
        let of_columns = |index: &&Value| index["ddl"].as_str().unwrap().contains(columns);
        assert!(all.iter().any(|index| of_columns(&index)), "{report:#}");
    }
    let before = database.text(INBOX);
    for index in all {
        database.run(index["ddl"].as_str().unwrap());
    }
    let plan: f64 = rewrite["benefits"][0]["cost_after"].as_f64().unwrap();
    let real = database.text(&format!("EXPLAIN {sql}"));
    let real: f64 = real
        .split("..")
        .nth(1)
        .unwrap()
        .split(' ')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        (plan / real).max(real / plan) < 1.3,
        "{plan} was predicted: {real}"
    );
    assert_eq!(before, database.text(sql));
}

/// An index on (payer, payee) is there for another statement. Without an index in its order, the arm
/// of the payer would read all that a busy account has paid. ANALYZE reads all rows (it takes 300 for
/// each value of the target), so that the statistics are the same in each run.
#[test]
fn each_arm_gets_an_index_in_its_order_beside_one_that_only_finds_its_rows() {
    let database = Database::new(
        "rewritten_beside",
        "SELECT setseed(0.5);
         CREATE TABLE transfer (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, payer int NOT NULL, payee int NOT NULL,
            booked timestamptz NOT NULL, note text);
         ALTER TABLE transfer ALTER payer SET STATISTICS 500;
         INSERT INTO transfer (payer, payee, booked, note)
         SELECT (power(random(), 2) * 2000)::int, (power(random(), 2) * 2000)::int, timestamptz '2024-03-01' + n * interval '25 s', md5(n::text)
         FROM generate_series(1, 120000) AS n;
         ANALYZE transfer;",
    );
    let workload = "-- name: account
         SELECT * FROM transfer WHERE payer = 1500 OR payee = 1500 ORDER BY booked DESC LIMIT 25;
         -- name: between
         SELECT * FROM transfer WHERE (payer = 3 AND payee = 7) OR (payer = 7 AND payee = 3) ORDER BY booked LIMIT 50";
    let report = database.advise(&["-c", workload]);
    let all: Vec<&str> = report["recommendations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|index| index["ddl"].as_str().unwrap())
        .collect();
    for columns in ["(payer, payee", "(payer, booked", "(payee, booked"] {
        let is_there = all.iter().any(|ddl| ddl.contains(columns));
        assert!(is_there, "{columns}: {all:#?}");
    }
    let rewrite = only_rewrite(&report);
    let indexes = rewrite["statements"].as_array().unwrap().len() - 1;
    assert_eq!(indexes, 2, "{rewrite:#}");
}

#[test]
fn a_rewritten_statement_gets_no_index_beyond_the_limits_or_dearer_than_its_gain() {
    let database = Database::new("rewritten_limits", MESSAGES);
    let workload = format!("-- name: inbox\n{INBOX}");
    let writes =
        "-- name: send\n-- calls: 1000000\nINSERT INTO message VALUES (-1, 1, 1, now(), '')";
    for arguments in [
        &["-c", &workload, "--max-indexes", "0"][..],
        &["-c", &workload, "--budget", "8kB"],
        &["-c", &workload, "-c", writes],
    ] {
        let report = database.advise(arguments);
        let indexes = report["recommendations"].as_array().unwrap();
        assert!(indexes.is_empty(), "{report:#}");
        let created = |remedy: &Value| remedy["statements"].as_array().unwrap().len() > 1;
        let remedies = report["remedies"].as_array().unwrap();
        assert!(!remedies.iter().any(created), "{report:#}");
    }
}

#[test]
fn text_and_markdown_show_what_changes_in_a_statement() {
    let database = Database::new("rewritten_shown", MESSAGES);
    for format in ["text", "markdown"] {
        let output = database
            .program(&["advise", "-v", "--format", format, "-c", INBOX])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        for line in [
            "- SELECT m.* FROM message m",
            "- WHERE (m.sender = 77 OR m.recipient = 77)",
            "+ UNION ALL",
            "+ ORDER BY at DESC LIMIT 10",
        ] {
            assert!(
                text.lines().any(|found| found.trim() == line),
                "{line}: {text}"
            );
        }
    }
}

fn only_rewrite(report: &Value) -> &Value {
    let remedies = report["remedies"].as_array().unwrap().iter();
    let rewrites: Vec<&Value> = remedies
        .filter(|remedy| remedy["kind"] == "rewrite")
        .collect();
    let [only] = rewrites.as_slice() else {
        panic!("{report:#}")
    };
    only
}

/// The best of each shelf; only the foreign key says that `shelf` has all of them.
#[test]
fn groups_come_from_the_table_that_a_foreign_key_refers_to() {
    let database = Database::new(
        "rewritten_by_parent",
        "CREATE TABLE shelf (id int PRIMARY KEY, label text);
         INSERT INTO shelf SELECT n, 'shelf ' || n FROM generate_series(1, 60) AS n;
         CREATE TABLE book (id bigint PRIMARY KEY, shelf int NOT NULL REFERENCES shelf, loans int NOT NULL, title text NOT NULL);
         INSERT INTO book SELECT n, 1 + n % 50, n * 7919::bigint % 100003, 'book ' || n FROM generate_series(1, 60000) AS n;
         ANALYZE;",
    );
    let most_wanted = "SELECT shelf, title, loans FROM (SELECT shelf, title, loans, row_number() OVER (PARTITION BY shelf ORDER BY loans DESC) AS place \
                       FROM book) ranked WHERE place <= 2";
    let rewrite = || {
        let report = database.advise(&["-c", most_wanted]);
        let statements = only_rewrite(&report)["statements"].as_array().unwrap();
        statements.last().unwrap().as_str().unwrap().to_owned()
    };
    let by_parent = rewrite();
    assert!(
        by_parent.starts_with("WITH group_keys AS (SELECT id AS group_key FROM public.shelf)"),
        "{by_parent}"
    );
    let mut client = database.client();
    let wanted = counted(&mut client, most_wanted);
    assert_eq!(wanted.len(), 100);
    assert_eq!(counted(&mut client, &by_parent), wanted);
    for uncertain in [
        "ALTER TABLE shelf ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE shelf DISABLE ROW LEVEL SECURITY; ALTER TABLE book ALTER CONSTRAINT book_shelf_fkey DEFERRABLE",
    ] {
        database.run(uncertain);
        let by_jumps = rewrite();
        assert!(
            by_jumps.starts_with("WITH RECURSIVE"),
            "{uncertain}: {by_jumps}"
        );
        assert_eq!(counted(&mut client, &by_jumps), wanted);
    }
}

/// An index on the year would do, and be idle beside the rewrite, which needs none.
#[test]
fn an_expression_index_gives_way_to_a_rewrite() {
    let database = Database::new(
        "rewritten_instead",
        "CREATE TABLE invoice (id bigint PRIMARY KEY, due date NOT NULL, total int NOT NULL);
         INSERT INTO invoice SELECT n, date '2021-01-01' + (hashint8(n) & 1023), n FROM generate_series(1, 80000) AS n;
         ",
    );
    database.run("VACUUM ANALYZE invoice");
    let workload = "-- name: month\nSELECT count(*) FROM invoice WHERE extract(year FROM due) = 2022 AND extract(month FROM due) = 9";
    let report = database.advise(&["-c", workload]);
    let rewrite = only_rewrite(&report);
    let created: Vec<&str> = report["recommendations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|index| index["ddl"].as_str().unwrap())
        .collect();
    assert_eq!(created.len(), 1, "{report:#}");
    assert!(!created[0].to_lowercase().contains("year"), "{created:?}");
    let instead = rewrite["instead"].as_array().unwrap();
    assert!(
        instead
            .iter()
            .all(|ddl| ddl.as_str().unwrap().to_lowercase().contains("year"))
            && !instead.is_empty(),
        "{rewrite:#}"
    );
    let rejected = report["rejected"].as_array().unwrap();
    assert!(
        rejected
            .iter()
            .any(|one| one["reason"] == "better_rewritten"),
        "{rejected:#?}"
    );
}
