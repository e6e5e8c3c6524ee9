//! The other access methods, each with a plan that uses the index; operator classes of extensions'
//! types are found through pg_amop alone.

use serde_json::Value;

use super::{advise, summary};
use crate::live::{Database, recommended, rejected};

/// An index with these texts was rehearsed, and a plan used it and became cheaper.
pub(super) fn assert_useful(report: &Value, texts: &[&str]) {
    let entries = [recommended(report, texts), rejected(report, texts)].concat();
    let helps = |entry: &&Value| {
        let benefits = entry["benefits"].as_array().unwrap();
        benefits.iter().any(|benefit| {
            benefit["cost_after"].as_f64().unwrap() < 0.9 * benefit["cost_before"].as_f64().unwrap()
        })
    };
    assert!(
        entries.iter().any(helps),
        "{texts:?}: {:#?}",
        summary(report)
    );
}

#[test]
fn brin_keeps_ranges_intervals_and_containers() {
    let database = Database::new(
        "special_brin",
        "CREATE TABLE log (at bigint NOT NULL, late bigint NOT NULL, during int8range NOT NULL, address inet NOT NULL, filler text NOT NULL);
         INSERT INTO log SELECT n, CASE WHEN n % 5 = 0 THEN n * 7919 % 60000 ELSE n END, int8range(n, n + 5), '10.0.0.0'::inet + n, repeat('x', 400)
         FROM generate_series(1, 60000) AS n;
         ANALYZE log;",
    );
    let report = advise(
        &database,
        "SELECT * FROM log WHERE at BETWEEN 5000 AND 5500",
    );
    assert_useful(&report, &["USING brin (at)"]);
    assert_useful(&report, &["USING brin (at)", "pages_per_range"]);
    let report = advise(
        &database,
        "SELECT * FROM log WHERE late BETWEEN 5000 AND 5500",
    );
    assert_useful(&report, &["brin (late int8_minmax_multi_ops)"]);
    let report = advise(
        &database,
        "SELECT * FROM log WHERE address <<= inet '10.0.1.0/24'",
    );
    assert_useful(&report, &["brin (address)"]);
}

/// 160 MB, because below that a btree is small enough.
#[test]
fn brin_keeps_filters_of_equal_values_that_lie_together() {
    let database = Database::new(
        "special_bloom",
        "CREATE UNLOGGED TABLE part (id bigint NOT NULL, batch uuid NOT NULL, filler text NOT NULL);
         ALTER TABLE part ALTER COLUMN filler SET STORAGE PLAIN;
         INSERT INTO part SELECT n, md5((n / 20)::text)::uuid, repeat('x', 3900) FROM generate_series(1, 42000) AS n;
         ANALYZE part;",
    );
    let sql = format!("SELECT * FROM part WHERE batch = '{}'", "0".repeat(32));
    let report = advise(&database, &sql);
    assert_useful(&report, &["brin (batch uuid_bloom_ops)"]);
}

#[test]
fn regular_expressions_get_trigrams() {
    let database = Database::new(
        "special_regex",
        "CREATE TABLE doc (id bigint PRIMARY KEY, title text NOT NULL, keys text[] NOT NULL, body jsonb NOT NULL);
         INSERT INTO doc SELECT n, md5(n::text) || ' ' || md5((n * 7)::text), ARRAY['t' || n % 5000],
             CASE WHEN n % 900 = 0 THEN jsonb_build_object('rare', n) ELSE jsonb_build_object('usual', n) END
         FROM generate_series(1, 40000) AS n; ANALYZE doc;",
    );
    let report = advise(&database, "SELECT * FROM doc WHERE title ~ 'abc[de]f0'");
    assert_useful(&report, &["gin (title public.gin_trgm_ops)"]);
    let report = advise(&database, "SELECT * FROM doc WHERE title LIKE '%abcdef%'");
    assert_useful(&report, &["gin (title public.gin_trgm_ops)"]);
    for operator in [
        "? 'rare'",
        "?| ARRAY['rare', 'no']",
        "?& ARRAY['rare', 'no']",
    ] {
        let report = advise(
            &database,
            &format!("SELECT * FROM doc WHERE body {operator}"),
        );
        assert_useful(&report, &["gin (body)"]);
    }
    let report = advise(
        &database,
        "SELECT * FROM doc WHERE keys && ARRAY['t7', 't8']",
    );
    assert_useful(&report, &["gin (keys)"]);
}

/// The condition of an exclusion constraint: the same room, and times that overlap.
#[test]
fn overlaps_within_a_group_get_one_tree() {
    let database = Database::new(
        "special_overlap",
        "CREATE EXTENSION btree_gist;
         CREATE TABLE booking (id bigint PRIMARY KEY, room bigint NOT NULL, during tstzrange NOT NULL, place point NOT NULL, note text NOT NULL);
         INSERT INTO booking SELECT n, n % 40, tstzrange('2024-01-01Z'::timestamptz + n * interval '7 minutes', '2024-01-01Z'::timestamptz + n * interval '7 minutes' + interval '1 day'),
             point(n * 7919 % 1009, n % 997), repeat('x', 60)
         FROM generate_series(1, 40000) AS n; ANALYZE booking;",
    );
    let report = advise(
        &database,
        "SELECT * FROM booking WHERE room = 7 AND during && tstzrange('2024-03-01', '2024-03-02')",
    );
    assert_useful(&report, &["USING gist (room, during)"]);
    assert_eq!(
        report["recommendations"].as_array().unwrap().len(),
        1,
        "{:#?}",
        summary(&report)
    );
    let report = advise(
        &database,
        "SELECT * FROM booking WHERE during @> '2024-03-01'::timestamptz",
    );
    assert_useful(&report, &["gist (during)"]);
    let report = advise(
        &database,
        "SELECT * FROM booking WHERE place <@ box(point(5, 5), point(25, 25))",
    );
    assert_useful(&report, &["spgist (place)"]);
    let report = advise(
        &database,
        "SELECT * FROM booking ORDER BY place <-> point(7, 7) LIMIT 5",
    );
    assert_useful(&report, &["USING gist (place)"]);
    assert_useful(&report, &["USING spgist (place)"]);
}

/// The code names none of these types: pg_amop has what their classes can do.
#[test]
fn types_of_extensions_are_served_by_their_own_classes() {
    let database = Database::new(
        "special_types",
        "CREATE SCHEMA ext; CREATE EXTENSION cube SCHEMA ext; CREATE EXTENSION seg SCHEMA ext; CREATE EXTENSION ltree SCHEMA ext;
         CREATE EXTENSION hstore SCHEMA ext; CREATE EXTENSION intarray SCHEMA ext; CREATE EXTENSION btree_gin SCHEMA ext;
         CREATE TABLE item (id bigint PRIMARY KEY, body ext.cube NOT NULL, span ext.seg NOT NULL, path ext.ltree NOT NULL, facts ext.hstore NOT NULL,
             parts integer[] NOT NULL, tags text[] NOT NULL, room bigint NOT NULL, note text NOT NULL);
         INSERT INTO item SELECT n, ext.cube(ARRAY[n * 7919 % 1009, n % 997]::float8[]), (n || '..' || n + 3)::ext.seg, ('a.b' || n % 300 || '.c' || n)::ext.ltree,
             ext.hstore('k' || n % 4000, 'v'), ARRAY[n % 3000, n % 7]::integer[], ARRAY['t' || n % 30], n % 3000, repeat('x', 60)
         FROM generate_series(1, 30000) AS n; ANALYZE item; ALTER DATABASE special_types SET search_path = public, ext;",
    );
    for (condition, index) in [
        ("body && '(5,5),(9,9)'::cube", "gist (body"),
        ("span && '500 .. 510'::seg", "gist (span"),
        ("path <@ 'a.b7'", "gist (path"),
        ("facts @> 'k7=>v'", "gin (facts"),
        ("parts @@ '77&5'::query_int", "gin__int_ops)"),
        ("room = 7 AND tags @> ARRAY['t7']", "gin (room, tags)"),
    ] {
        let report = advise(&database, &format!("SELECT * FROM item WHERE {condition}"));
        assert_useful(&report, &[index]);
    }
    let report = advise(
        &database,
        "SELECT * FROM item ORDER BY body <-> '(7,7)'::cube LIMIT 5",
    );
    assert_useful(&report, &["gist (body"]);
}
