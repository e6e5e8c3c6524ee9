-- What a schema can have that is rarely seen.
CREATE TYPE mood AS ENUM ('c', 'a');
ALTER TYPE mood ADD VALUE 'b' BEFORE 'a';
ALTER TYPE mood RENAME VALUE 'c' TO 'z';
-- commit: a new value of an enum can only be used then
CREATE SCHEMA "Odd ""one""";
CREATE SCHEMA twin_oddities_role;
CREATE SCHEMA shadow;
CREATE EXTENSION pg_trgm SCHEMA public;

-- Names.
CREATE TABLE "Odd ""one"""."Wéird.Täble" ("Mixed Case" int PRIMARY KEY, "select" text, "a.b" text, "日本" date);
INSERT INTO "Odd ""one"""."Wéird.Täble" SELECT i, 's' || i % 300, repeat('é', i % 9) || i, date '2020-01-01' + i % 900 FROM generate_series(1, 20000) i;
CREATE INDEX "Idx ""q"" é" ON "Odd ""one"""."Wéird.Täble" ("select", "日本");
CREATE INDEX ON "Odd ""one"""."Wéird.Täble" (lower("a.b"));

-- One name in several schemas; "$user" decides.
CREATE TABLE twin_oddities_role.same (a int PRIMARY KEY, b int);
CREATE TABLE shadow.same (a int PRIMARY KEY, b int);
INSERT INTO twin_oddities_role.same SELECT i, i % 10 FROM generate_series(1, 30000) i;
INSERT INTO shadow.same SELECT i, i % 1000 FROM generate_series(1, 3000) i;
CREATE INDEX ON shadow.same (b);

-- Partitions: by expression, by hash, many.
CREATE TABLE by_month (at timestamp NOT NULL, v int) PARTITION BY RANGE ((date_trunc('month', at)));
CREATE TABLE by_month_1 PARTITION OF by_month FOR VALUES FROM ('2024-01-01') TO ('2024-07-01');
CREATE TABLE by_month_2 PARTITION OF by_month FOR VALUES FROM ('2024-07-01') TO ('2025-01-01');
INSERT INTO by_month SELECT timestamp '2024-01-01' + i * interval '10 minute', i % 50 FROM generate_series(1, 50000) i;
CREATE TABLE hashed (id int NOT NULL, other int, pad text) PARTITION BY HASH (id);
CREATE TABLE hashed_2 (id int NOT NULL, other int, pad text) PARTITION BY HASH (id);
DO $$ BEGIN
    FOR n IN 0..31 LOOP
        EXECUTE format('CREATE TABLE hashed_p%s PARTITION OF hashed FOR VALUES WITH (MODULUS 32, REMAINDER %s)', n, n);
        EXECUTE format('CREATE TABLE hashed_2_p%s PARTITION OF hashed_2 FOR VALUES WITH (MODULUS 32, REMAINDER %s)', n, n);
    END LOOP;
END $$;
INSERT INTO hashed SELECT i, i % 500, 'p' || i FROM generate_series(1, 60000) i;
INSERT INTO hashed_2 SELECT i, i % 300, 'q' || i FROM generate_series(1, 60000, 3) i;
ALTER TABLE hashed ADD PRIMARY KEY (id);
CREATE INDEX ON hashed_2 (other);
CREATE INDEX only_parent ON ONLY hashed (other);

-- Columns: two hundred, long values, domains over arrays, composites with a dropped attribute, TOAST.
DO $$ BEGIN
    EXECUTE (SELECT 'CREATE TABLE wide (' || string_agg(format('c%s int', n), ', ') || ')' FROM generate_series(1, 200) n);
    EXECUTE (SELECT 'INSERT INTO wide SELECT ' || string_agg(format('i %% %s', n), ', ') || ' FROM generate_series(1, 5000) i' FROM generate_series(1, 200) n);
END $$;
CREATE INDEX ON wide (c200, c199);
ALTER TABLE wide DROP COLUMN c100;
CREATE DOMAIN numbers AS int[] CHECK (cardinality(VALUE) < 9);
CREATE DOMAIN small_text AS varchar(20);
CREATE TYPE pair AS (x int, gone text, y int);
ALTER TYPE pair DROP ATTRIBUTE gone;
CREATE TABLE values_of (id int PRIMARY KEY, long text, many numbers, p pair, bytes bytea, doc text, t small_text, n name, bits varbit, m money, tid_like oid, mac macaddr, x xid);
INSERT INTO values_of SELECT i, repeat(md5((i % 5)::text), 40), ARRAY[i % 7, i % 11], ROW (i % 13, i)::pair, decode(md5(i::text), 'hex'),
    (SELECT string_agg(md5((i * n)::text), '') FROM generate_series(1, 200) n), 't' || i % 90, ('n' || i % 70)::name, (i % 16)::bit(8)::varbit,
    (i % 100)::money, i % 50, '08:00:2b:01:02:03', (i % 9)::text::xid FROM generate_series(1, 6000) i;
CREATE INDEX ON values_of USING gin (many);
CREATE INDEX ON values_of (n);
CREATE INDEX ON values_of (p);
CREATE INDEX ON values_of (t text_pattern_ops);

-- Types, operators, orders and aggregates of one's own.
CREATE TYPE floats AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE FUNCTION by_length(a text, b text) RETURNS int LANGUAGE sql IMMUTABLE AS $$ SELECT CASE WHEN length(a) <> length(b) THEN sign(length(a) - length(b))::int ELSE bttextcmp(a, b) END $$;
CREATE FUNCTION shorter(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$ SELECT by_length(a, b) < 0 $$;
CREATE OPERATOR <# (LEFTARG = text, RIGHTARG = text, FUNCTION = shorter, RESTRICT = scalarltsel);
CREATE OPERATOR CLASS length_ops FOR TYPE text USING btree AS OPERATOR 1 <#, OPERATOR 3 =, FUNCTION 1 by_length(text, text);
-- A type that cannot be sent in binary form.
CREATE TYPE plain;
CREATE FUNCTION plain_in(cstring) RETURNS plain LANGUAGE internal IMMUTABLE STRICT AS 'int4in';
CREATE FUNCTION plain_out(plain) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'int4out';
CREATE TYPE plain (INPUT = plain_in, OUTPUT = plain_out, LIKE = int4);
CREATE FUNCTION plain_eq(plain, plain) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4eq';
CREATE FUNCTION plain_lt(plain, plain) RETURNS boolean LANGUAGE internal IMMUTABLE STRICT AS 'int4lt';
CREATE FUNCTION plain_cmp(plain, plain) RETURNS int LANGUAGE internal IMMUTABLE STRICT AS 'btint4cmp';
CREATE OPERATOR = (LEFTARG = plain, RIGHTARG = plain, FUNCTION = plain_eq, RESTRICT = eqsel, JOIN = eqjoinsel, MERGES);
CREATE OPERATOR < (LEFTARG = plain, RIGHTARG = plain, FUNCTION = plain_lt, RESTRICT = scalarltsel);
CREATE OPERATOR CLASS plain_ops DEFAULT FOR TYPE plain USING btree AS OPERATOR 1 <, OPERATOR 3 =, FUNCTION 1 plain_cmp(plain, plain);
CREATE TABLE unsendable (id int PRIMARY KEY, a plain, many plain[], later int4range);
INSERT INTO unsendable SELECT i, (i % 500)::text::plain, ARRAY[(i % 5)::text, (i % 9)::text]::plain[], int4range(i, i + 5) FROM generate_series(1, 9000) i;
CREATE INDEX ON unsendable (a);
CREATE AGGREGATE second_max(int) (SFUNC = int4larger, STYPE = int);
CREATE TEXT SEARCH CONFIGURATION plain_words (COPY = simple);
CREATE TABLE typed (id int PRIMARY KEY, feeling mood, span floats, word text, body text);
INSERT INTO typed SELECT i, (ARRAY['z', 'a', 'a', 'b']::mood[])[1 + i % 4], floats(i, i + i % 9), repeat('w', i % 40) || i % 100, 'the quick ' || i % 800 FROM generate_series(1, 20000) i;
CREATE INDEX ON typed (feeling);
CREATE INDEX ON typed USING gist (span);
CREATE INDEX ON typed (word length_ops);
CREATE INDEX ON typed USING gin (to_tsvector('plain_words', body));
CREATE STATISTICS typed_both (mcv) ON feeling, word FROM typed;

-- BRIN of every kind; an index that is not valid.
CREATE TABLE logged (at timestamptz, level int, source text, size bigint);
INSERT INTO logged SELECT timestamptz '2024-01-01 00:00+00' + i * interval '1 second', i % 5, 's' || i % 2000, i * 7919 % 100000 FROM generate_series(1, 80000) i;
CREATE INDEX ON logged USING brin (at timestamptz_minmax_multi_ops) WITH (pages_per_range = 8);
CREATE INDEX ON logged USING brin (source text_bloom_ops);
CREATE INDEX ON logged USING brin (size) WITH (autosummarize = on);
CREATE INDEX not_valid ON logged (level, at);
UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'not_valid'::regclass;
CREATE UNIQUE INDEX unfinished ON logged (at, size, source);
UPDATE pg_index SET indisready = false, indisvalid = false WHERE indexrelid = 'unfinished'::regclass;

-- Functions that are inlined, views on views, row types, foreign keys onto oneself.
CREATE FUNCTION of_level(wanted int) RETURNS SETOF logged LANGUAGE sql STABLE AS $$ SELECT * FROM logged WHERE level = wanted AND size < 500 $$;
CREATE FUNCTION rows_guess() RETURNS SETOF int LANGUAGE plpgsql ROWS 77 COST 3 AS $$ BEGIN RETURN QUERY SELECT 1; END $$;
CREATE VIEW first_view AS SELECT level, count(*) AS n FROM logged GROUP BY level;
CREATE VIEW second_view AS SELECT f.*, t.word FROM first_view f JOIN typed t ON t.id = f.level;
CREATE VIEW third_view WITH (security_barrier) AS SELECT * FROM second_view WHERE n > 3;
CREATE TABLE tree (id int PRIMARY KEY, parent int REFERENCES tree, name text NOT NULL, CHECK (id > 0), UNIQUE (parent, name));
INSERT INTO tree SELECT i, nullif(i / 10, 0), 'n' || i FROM generate_series(1, 20000) i;
CREATE TABLE child_a () INHERITS (tree);
INSERT INTO child_a SELECT i, i / 5, 'c' || i FROM generate_series(30001, 34000) i;
ALTER TABLE tree ADD CONSTRAINT soon CHECK (length(name) < 99) NOT VALID;
ALTER TABLE typed ADD added int NOT NULL DEFAULT 5;
CREATE TABLE never_analyzed (a int PRIMARY KEY, b text);
CREATE INDEX ON never_analyzed (b);
CREATE TABLE no_columns ();
INSERT INTO no_columns SELECT FROM generate_series(1, 100);
CREATE TABLE all_null (a int, b text);
INSERT INTO all_null SELECT NULL, NULL FROM generate_series(1, 3000);
CREATE INDEX ON all_null (a);
ALTER DATABASE twin_oddities SET search_path = "$user", public;
ALTER DATABASE twin_oddities SET cursor_tuple_fraction = 0.3;
ANALYZE;
INSERT INTO never_analyzed SELECT i, 'b' || i FROM generate_series(1, 4000) i;
CREATE ROLE twin_oddities_role LOGIN SUPERUSER;
ALTER ROLE twin_oddities_role SET work_mem = '777kB';
ALTER ROLE twin_oddities_role SET enable_partitionwise_join = on;
ALTER ROLE twin_oddities_role SET enable_partitionwise_aggregate = on;
ALTER ROLE twin_oddities_role SET min_parallel_table_scan_size = 0;
ALTER ROLE twin_oddities_role SET min_parallel_index_scan_size = 0;
ALTER ROLE twin_oddities_role SET parallel_setup_cost = 10;
ALTER ROLE twin_oddities_role SET jit_above_cost = 10;
