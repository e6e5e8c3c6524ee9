//! The tables and the indexes. A specification is
//! `table|method|key; key…|include=a; b|where=…|unique`, a key `column#operator class`.

use crate::live::Database;

/// Tables of varied data, analyzed.
pub fn create(database: &Database) {
    database.run(PLAIN);
    database.run(DOCUMENTS);
    for statement in [
        "VACUUM ANALYZE plain",
        "VACUUM ANALYZE documents",
        "VACUUM ANALYZE little",
        "VACUUM ANALYZE empty",
    ] {
        database.run(statement);
    }
}

const PLAIN: &str = "
CREATE TYPE mood AS ENUM ('bad', 'so so', 'good');
SELECT setseed(0.25);
CREATE TABLE plain AS SELECT
    i AS id, (random() * 1e15)::bigint AS big, md5(i::text)::uuid AS u, md5((i % 1000)::text)::uuid AS u_thousand,
    chr(97 + (random() * 25)::int) || repeat('x', (random() * 8)::int) AS short,
    'Street of ' || repeat(chr(97 + i % 26), 30 + (random() * 60)::int) || i AS long, md5(i::text) AS hash,
    (random() * 10000)::numeric(12, 2) AS amount, (i % 500)::numeric AS grade,
    timestamptz '2020-01-01' + i * interval '37 s' AS created,
    timestamptz '2020-01-01' + random() * interval '300 days' AS updated,
    random() < 0.1 AS flag, (ARRAY['DONE', 'DONE', 'DONE', 'DONE', 'DONE', 'DONE', 'RUNNING', 'QUEUED', 'FAILED'])[1 + (random() * 8)::int] AS state,
    (random() * 50)::int AS low, (random() * 20000)::int AS user_id, (random() * 70000)::int AS thin, i / 5 AS order_id,
    (i * 7919::bigint % 200000 / 30)::int AS spread,
    exp(random() * 11.5)::int AS zipf, (4000 * random() ^ 3)::int AS skewed,
    CASE WHEN random() < 0.6 THEN i END AS mostly_null, CASE WHEN random() < 0.7 THEN md5((i % 900)::text)::uuid END AS null_uuid,
    CASE WHEN random() < 0.02 THEN now() - i * interval '1 s' END AS rarely,
    random() AS f8, date '2015-01-01' + (random() * 2000)::int AS day, '10.0.0.0'::inet + (random() * 5000)::int AS ip,
    ('n' || i % 3000)::name AS name, (ARRAY['bad', 'so so', 'good'])[1 + i % 3]::mood AS mood,
    (i % 300)::smallint AS s2, 'customer-' || (random() * 3000)::int AS customer,
    'user' || i || '@example.org' AS email
FROM generate_series(1, 80000) AS i;
CREATE TABLE little AS SELECT i AS id, i % 10 AS ten, md5(i::text) AS hash FROM generate_series(1, 700) AS i;
CREATE TABLE empty (id int, hash text);
";

const DOCUMENTS: &str = "
SELECT setseed(0.5);
CREATE TABLE vocabulary AS SELECT i, left(md5(i::text), 3 + i % 7) AS word FROM generate_series(0, 20000) AS i;
ALTER TABLE vocabulary ADD PRIMARY KEY (i);
CREATE TABLE documents AS SELECT
    i AS id,
    (SELECT array_agg('tag' || (200 * random() ^ 3)::int) FROM generate_series(1, 1 + (random() * 5)::int + i * 0)) AS tags,
    (SELECT array_agg(exp(random() * 11)::int) FROM generate_series(1, 5 + i * 0)) AS numbers,
    (SELECT string_agg(word, ' ') FROM (
        SELECT (SELECT word FROM vocabulary WHERE vocabulary.i = pick) AS word
        FROM (SELECT exp(random() * 9.9)::int AS pick FROM generate_series(1, 8 + i * 0)) AS p) AS w) AS body,
    'Item ' || md5((i % 9000)::text) AS title,
    point(random() * 1000, random() * 1000) AS at,
    box(point(random(), random()), point(random(), random())) AS area,
    int4range((i * 3), (i * 3 + random() * 100)::int + 1) AS span,
    tstzrange(timestamptz '2020-01-01' + random() * interval '900 days', NULL) AS since,
    '10.0.0.0'::inet + (random() * 500000)::int AS ip
FROM generate_series(1, 40000) AS i;
ALTER TABLE documents ADD doc jsonb, ADD search tsvector;
CREATE TABLE filled AS SELECT id, tags, numbers, body, title, at, area, span, since, ip,
    jsonb_build_object('id', id, 'user', 'u' || id % 9000, 'type', (ARRAY['a', 'b', 'c'])[1 + id % 3], 'tags', tags) AS doc,
    to_tsvector('simple', body) AS search
FROM documents;
DROP TABLE documents;
ALTER TABLE filled RENAME TO documents;
";

/// Indexes on the tables of [`create`].
pub const VARIED: &[&str] = &[
    // Single columns: fixed lengths, lengths that vary, few and many values, clustered or not,
    // skewed.
    "plain|btree|id",
    "plain|btree|id|unique",
    "plain|btree|big",
    "plain|btree|u",
    "plain|btree|u_thousand",
    "plain|btree|short",
    "plain|btree|long",
    "plain|btree|hash",
    "plain|btree|amount",
    "plain|btree|grade",
    "plain|btree|created",
    "plain|btree|updated#desc",
    "plain|btree|flag",
    "plain|btree|state",
    "plain|btree|low",
    "plain|btree|user_id",
    "plain|btree|thin",
    "plain|btree|order_id",
    "plain|btree|spread",
    "plain|btree|zipf",
    "plain|btree|skewed",
    "plain|btree|mostly_null",
    "plain|btree|null_uuid",
    "plain|btree|rarely",
    "plain|btree|f8",
    "plain|btree|day",
    "plain|btree|ip",
    "plain|btree|name",
    "plain|btree|mood",
    "plain|btree|s2",
    "plain|btree|customer",
    "plain|btree|email",
    // Composite keys.
    "plain|btree|user_id; created",
    "plain|btree|state; created",
    "plain|btree|state; low",
    "plain|btree|flag; user_id",
    "plain|btree|state; user_id",
    "plain|btree|low; skewed; flag",
    "plain|btree|customer; state",
    "plain|btree|customer; updated",
    "plain|btree|user_id; thin",
    "plain|btree|order_id; spread",
    "plain|btree|u_thousand; id",
    "plain|btree|mostly_null; state",
    "plain|btree|null_uuid; low",
    "plain|btree|short; day",
    "plain|btree|state; customer; day",
    "plain|btree|u; hash",
    "plain|btree|flag; mood; low",
    // INCLUDE, partial, expressions, storage parameters' defaults.
    "plain|btree|user_id|include=amount",
    "plain|btree|state|include=created; low",
    "plain|btree|id|include=hash",
    "plain|btree|id|where=state = 'FAILED'",
    "plain|btree|user_id|where=flag",
    "plain|btree|user_id|where=mostly_null IS NOT NULL",
    "plain|btree|mostly_null|where=mostly_null IS NOT NULL",
    "plain|btree|rarely|where=rarely IS NOT NULL",
    "plain|btree|created|where=amount > 9900",
    "plain|btree|low; created|where=state <> 'DONE'",
    "plain|btree|user_id|include=amount|where=low < 10",
    "plain|btree|lower(email)",
    "plain|btree|abs(amount)",
    "plain|btree|(created AT TIME ZONE 'UTC')::date",
    "little|btree|id",
    "little|btree|ten",
    "little|btree|hash",
    "empty|btree|id",
    "documents|btree|title",
    "documents|btree|doc ->> 'user'",
    // Hash.
    "plain|hash|id",
    "plain|hash|hash",
    "plain|hash|user_id",
    "plain|hash|email",
    "plain|hash|u_thousand",
    "plain|hash|customer",
    "plain|hash|mostly_null",
    "plain|hash|zipf",
    "plain|hash|order_id",
    "plain|hash|user_id|where=flag",
    "little|hash|hash",
    // BRIN.
    "plain|brin|created",
    "plain|brin|id",
    "plain|brin|created; id",
    "plain|brin|hash",
    "plain|brin|u",
    "plain|brin|amount",
    "plain|brin|long",
    "plain|brin|mostly_null",
    "plain|brin|created#timestamptz_minmax_multi_ops",
    "plain|brin|big#int8_minmax_multi_ops",
    "plain|brin|u#uuid_bloom_ops",
    "plain|brin|user_id#int4_bloom_ops",
    "plain|brin|low#int4_bloom_ops",
    "plain|brin|ip#inet_inclusion_ops",
    "plain|brin|created|with=pages_per_range=1",
    "plain|brin|hash|with=pages_per_range=2",
    "plain|brin|u#uuid_bloom_ops|with=pages_per_range=4",
    "documents|brin|area",
    "documents|brin|span#range_inclusion_ops|with=pages_per_range=8",
    "little|brin|id",
    // GIN.
    "documents|gin|tags",
    "documents|gin|numbers",
    "documents|gin|doc",
    "documents|gin|doc#jsonb_path_ops",
    "documents|gin|search",
    "documents|gin|body#gin_trgm_ops",
    "documents|gin|title#gin_trgm_ops",
    "documents|gin|to_tsvector('simple', title)",
    "documents|gin|doc -> 'tags'",
    "plain|gin|customer#gin_trgm_ops",
    "plain|gin|email#gin_trgm_ops",
    // GiST, SP-GiST, bloom.
    "documents|gist|at",
    "documents|gist|area",
    "documents|gist|span",
    "documents|gist|since",
    "documents|gist|ip#inet_ops",
    "documents|gist|search",
    "documents|gist|circle(at, 5)",
    "documents|gist|box(at, at)",
    "documents|gist|int4range(id, id + 5)",
    "plain|gist|customer#gist_trgm_ops",
    "documents|spgist|at",
    "documents|spgist|span",
    "documents|spgist|ip",
    "documents|spgist|title",
    "plain|spgist|email",
    "documents|spgist|at#kd_point_ops",
    "plain|bloom|user_id; low; skewed",
];

/// Indexes on the sample workloads.
pub const SAMPLES: &[(&str, &[&str])] = &[
    (
        "000-job-queue",
        &[
            "jobs|btree|id|unique",
            "jobs|btree|priority; run_after|where=state = 'QUEUED' AND attempts_remaining > 0",
            "jobs|btree|primary_critical_section|where=state = 'RUNNING'",
            "jobs|btree|secondary_critical_section|where=state IN ('QUEUED', 'RUNNING')",
            "jobs|btree|updated_at|where=state = 'FAILED' AND attempts_remaining = 0",
            "jobs|btree|reference_id",
            "jobs|btree|reference_id; job_type",
            "jobs|btree|state; priority; run_after",
            "jobs|btree|secondary_critical_section",
            "jobs|btree|primary_critical_section; state",
            "jobs|btree|created_at|include=state; attempts_remaining",
            "jobs|btree|state",
            "jobs|hash|reference_id",
            "jobs|brin|created_at",
            "jobs|gin|payload",
            "jobs|gin|payload#jsonb_path_ops",
        ],
    ),
    (
        "001-remote-references",
        &[
            "remote_ref|btree|id|unique",
            "remote_ref|btree|remote_hash_key",
            "remote_ref|btree|remote_key_payload ->> 'employ_id'",
            "remote_ref|btree|id|where=cached_entity IS NULL AND NOT deleted",
            "remote_ref|hash|remote_hash_key",
            "remote_ref|gin|remote_key_payload",
            "remote_ref|gin|remote_key_payload#jsonb_path_ops",
            "saved_item|btree|remote_ref_id",
            "saved_item|btree|user_id; created_at",
            "saved_item|btree|user_id",
            "saved_item|btree|label",
            "saved_item|brin|created_at",
            "saved_item|gin|label#gin_trgm_ops",
        ],
    ),
    (
        "002-table-sync",
        &[
            "transactions|btree|id|unique",
            "transactions|btree|status",
            "transactions|btree|status|where=status = 'BLOCKED'",
            "transactions|btree|user_id; certified_by_user",
            "transactions|btree|user_id; certified_by_user#desc",
            "transactions|btree|certified_by_user",
            "transactions|btree|certified_by_user|where=abs(amount) >= 1000",
            "transactions|btree|((certified_by_user - created)/1000 * '1 second'::interval)|where=abs(amount) >= 1000",
            "transactions|btree|abs(amount)",
            "transactions|btree|updated",
            "transactions|btree|user_id|include=amount|where=certified_by_user IS NOT NULL AND status <> 'BLOCKED'",
            "transactions|btree|amount",
            "transactions|brin|updated",
            "transactions|hash|user_id",
            "user_balance|btree|updated",
        ],
    ),
    (
        "003-game-overviews",
        &[
            "overviews|btree|game_id|unique",
            "overviews|btree|developer; release_date",
            "overviews|btree|developer",
            "overviews|btree|publisher",
            "overviews|btree|lower(game_name)",
            "overviews|btree|game_name",
            "overviews|btree|release_date",
            "overviews|gin|tags",
            "overviews|gin|game_name#gin_trgm_ops",
            "overviews|gin|to_tsvector('english', description)",
            "overviews|gist|game_name#gist_trgm_ops",
            "overviews|spgist|game_name",
            "overviews|hash|developer",
        ],
    ),
    (
        "004-gigs-and-events",
        &[
            "gigs|btree|seller_id",
            "gigs|btree|created_at",
            "orders|btree|gig_id; state",
            "orders|btree|gig_id",
            "orders|btree|seller_id; state; created_at",
            "orders|btree|buyer_id",
            "orders|btree|state; gig_id",
            "orders|btree|created_at",
            "orders|btree|note",
            "orders|btree|seller_id; created_at|where=state = 'active'",
            "orders|brin|created_at",
            "orders|hash|buyer_id",
            "events|btree|occurred_at",
            "events|btree|payload ->> 'aggregate_id'",
            "events|btree|payload ->> 'aggregate_id'; occurred_at",
            "events|btree|transaction_id",
            "events|btree|name; occurred_at",
            "events|brin|occurred_at",
            "events|gin|payload",
            "events|gin|payload#jsonb_path_ops",
            "events|hash|transaction_id",
        ],
    ),
];
