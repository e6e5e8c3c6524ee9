#!/bin/sh
# How long statements of migrations really take, beside what `check` estimates (src/check/duration.rs).
# Needs a server where databases may be created (PG* variables), pgrehearse in the PATH (or $PGREHEARSE), psql and jq. The
# machine should have nothing else to do. Each statement runs in a transaction that is rolled back.
set -eu
program=${PGREHEARSE:-pgrehearse}
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
database=pgrehearse_durations
psql -qXd postgres -c "DROP DATABASE IF EXISTS $database" -c "CREATE DATABASE $database"
psql -qXd $database <<'SQL'
CREATE TABLE acct (id integer PRIMARY KEY, name text NOT NULL, kind integer NOT NULL);
INSERT INTO acct SELECT n, 'account ' || n, n % 7 FROM generate_series(1, 200000) n;
CREATE TABLE wide (id integer PRIMARY KEY, acct_id integer NOT NULL, code text NOT NULL, amount numeric(12,2), note text, at timestamptz NOT NULL, doc jsonb);
INSERT INTO wide SELECT n, 1 + (n * 7919::bigint) % 200000, md5(n::text), n % 1000, CASE WHEN n % 5 = 0 THEN 'note ' || n END,
  '2024-01-01'::timestamptz + n * interval '1 min', jsonb_build_object('a', n, 'b', repeat('x', 100)) FROM generate_series(1, 1000000) n;
CREATE TABLE narrow (id bigint PRIMARY KEY, acct_id integer NOT NULL, v double precision NOT NULL, n varchar(20));
INSERT INTO narrow SELECT n, 1 + (n * 31::bigint) % 200000, random(), (n % 50000)::text FROM generate_series(1, 3000000) n;
CREATE INDEX narrow_acct ON narrow (acct_id);
CREATE INDEX wide_code ON wide (code);
VACUUM ANALYZE;
SQL
echo 'SELECT 1;' >"$work/q.sql"
"$program" snapshot -d $database -f "$work/q.sql" --all-tables -o "$work/t.twin"
while read -r statement; do
    echo "$statement;" >"$work/m.sql"
    psql -qXd $database -c CHECKPOINT
    real=$(printf '\\timing on\nBEGIN;\n%s;\nROLLBACK;\n' "$statement" | psql -Xd $database | awk '/^Time:/ { if (++n == 2) print $2 }')
    "$program" check --snapshot "$work/t.twin" --migrate "$work/m.sql" --format json |
        jq -r --arg real "$real" '.ddl[0] | "\($real) ms, estimated \(.estimated_ms.low | round) to \(.estimated_ms.high | round) ms: \(.sql)"'
done <<'SQL'
CREATE INDEX t1 ON wide (acct_id)
CREATE INDEX t2 ON wide (note)
CREATE INDEX t3 ON wide (lower(code))
CREATE INDEX t4 ON wide (at, acct_id) INCLUDE (amount)
CREATE INDEX t5 ON wide USING gin (doc)
CREATE INDEX t6 ON wide USING brin (at)
CREATE INDEX t7 ON wide USING hash (code)
CREATE INDEX t8 ON narrow (v)
CREATE INDEX t9 ON narrow (n)
CREATE INDEX t10 ON narrow (acct_id, id)
CREATE INDEX t11 ON narrow (v) WHERE acct_id < 1000
CREATE UNIQUE INDEX t13 ON narrow (id, n)
ALTER TABLE wide ALTER COLUMN id TYPE bigint
ALTER TABLE narrow ALTER COLUMN acct_id TYPE bigint
ALTER TABLE wide ALTER COLUMN amount TYPE double precision
ALTER TABLE narrow ADD COLUMN r double precision DEFAULT random()
ALTER TABLE wide ADD COLUMN g numeric GENERATED ALWAYS AS (amount * 2) STORED
ALTER TABLE narrow ADD COLUMN c integer NOT NULL DEFAULT 0
ALTER TABLE narrow ALTER COLUMN n SET NOT NULL
ALTER TABLE wide ADD CONSTRAINT k1 CHECK (amount >= 0)
ALTER TABLE narrow ADD CONSTRAINT k2 CHECK (v >= 0 AND acct_id > 0)
ALTER TABLE wide ADD CONSTRAINT f1 FOREIGN KEY (acct_id) REFERENCES acct
ALTER TABLE narrow ADD CONSTRAINT f2 FOREIGN KEY (acct_id) REFERENCES acct
ALTER TABLE wide ADD CONSTRAINT u1 UNIQUE (code)
ALTER TABLE narrow ADD CONSTRAINT u2 UNIQUE (acct_id, id)
UPDATE wide SET note = 'x' WHERE note IS NULL
UPDATE narrow SET v = 0
DELETE FROM narrow WHERE acct_id < 50000
INSERT INTO narrow SELECT id + 10000000, acct_id, 1, 'x' FROM wide
CLUSTER wide USING wide_code
REINDEX TABLE wide
REINDEX INDEX narrow_acct
TRUNCATE narrow
DROP TABLE wide
ALTER TABLE wide SET UNLOGGED
CREATE TABLE wide2 AS SELECT id, acct_id, amount FROM wide
CREATE MATERIALIZED VIEW mv AS SELECT acct_id, sum(v) FROM narrow GROUP BY 1
ALTER TABLE narrow ALTER COLUMN n TYPE text
SQL
psql -qXd postgres -c "DROP DATABASE $database"
