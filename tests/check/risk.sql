CREATE TABLE skew (id integer PRIMARY KEY, zipf integer NOT NULL, rare integer, flag text NOT NULL, at timestamptz NOT NULL, cluster_key integer NOT NULL, u integer NOT NULL, note text);
-- Values with a power of their rank; hash makes the order of the rows random, the same each time.
INSERT INTO skew SELECT n, (power(20000.0, (hashint4(n)::bigint & 65535) / 65536.0))::integer, CASE WHEN hashint4(n + 1) % 1000 = 0 THEN 1 + (n % 40) END,
  CASE WHEN hashint4(n + 2) % 500 = 0 THEN 'open' WHEN hashint4(n + 2) % 1500 = 1 THEN 'held' WHEN hashint4(n + 2) % 9000 = 2 THEN 'odd' ELSE 'done' END,
  timestamptz '2024-01-01' + n * interval '1 minute', n / 40, abs(hashint4(n + 3)) % 60000, CASE WHEN hashint4(n + 4) % 3000 = 0 THEN 'x' || n END
 FROM generate_series(1, 400000) AS n;
CREATE INDEX skew_zipf ON skew (zipf); CREATE INDEX skew_rare ON skew (rare); CREATE INDEX skew_flag ON skew (flag); CREATE INDEX skew_at ON skew (at); CREATE INDEX skew_cluster ON skew (cluster_key); CREATE INDEX skew_u ON skew (u); CREATE INDEX skew_flag_at ON skew (flag, at); CREATE INDEX skew_note ON skew (note);
CREATE TABLE ref (id integer PRIMARY KEY, name text NOT NULL, kind integer NOT NULL);
INSERT INTO ref SELECT n, 'n' || n, (power(400.0, (hashint4(n + 9)::bigint & 65535) / 65536.0))::integer FROM generate_series(1, 120000) AS n;
CREATE INDEX ref_kind ON ref (kind);
ALTER TABLE skew SET (autovacuum_enabled = off); ALTER TABLE ref SET (autovacuum_enabled = off);
