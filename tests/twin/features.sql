-- What a schema can have that the planner looks at.
CREATE SCHEMA shop;
CREATE EXTENSION IF NOT EXISTS btree_gist;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
CREATE TYPE shop.state AS ENUM ('new', 'paid', 'sent', 'gone');
ALTER TYPE shop.state ADD VALUE 'lost' BEFORE 'gone';
CREATE DOMAIN shop.email AS text CHECK (VALUE LIKE '%@%');
CREATE TYPE shop.address AS (street text, city text);
CREATE FUNCTION shop.vat(amount numeric) RETURNS numeric LANGUAGE sql IMMUTABLE AS $$ SELECT amount * 1.2 $$;
CREATE FUNCTION shop.noisy(i int) RETURNS int LANGUAGE plpgsql IMMUTABLE COST 500 AS $$ BEGIN RETURN i % 7; END $$;
CREATE FUNCTION shop.recent() RETURNS date LANGUAGE sql STABLE AS $$ SELECT date '2024-06-01' $$;
CREATE OPERATOR shop.=~~= (LEFTARG = text, RIGHTARG = text, PROCEDURE = texticlike, RESTRICT = iclikesel);

CREATE TABLE shop.customer (
    gone_1 int,
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    gone_2 text,
    mail shop.email NOT NULL UNIQUE,
    name varchar(60) COLLATE "C",
    home shop.address,
    tags text[],
    profile jsonb,
    score double precision,
    born date,
    initials text GENERATED ALWAYS AS (upper(left(name, 2))) STORED,
    CHECK (score >= 0)
);
ALTER TABLE shop.customer DROP COLUMN gone_1, DROP COLUMN gone_2;
INSERT INTO shop.customer (mail, name, home, tags, profile, score, born)
SELECT 'u' || i || '@example.org', chr(65 + i % 26) || 'name ' || i % 5000, ROW ('s' || i % 99, 'c' || i % 40)::shop.address,
       ARRAY['t' || i % 50, 't' || i % 7], jsonb_build_object('city', i % 40, 'plan', i % 3), i % 1000 / 10.0, date '1950-01-01' + i % 20000
FROM generate_series(1, 40000) i;
CREATE INDEX ON shop.customer (lower(mail));
CREATE INDEX ON shop.customer (name varchar_pattern_ops);
CREATE INDEX ON shop.customer USING gin (tags);
CREATE INDEX ON shop.customer USING gin (profile jsonb_path_ops);
CREATE INDEX ON shop.customer USING gin (name gin_trgm_ops);
CREATE INDEX ON shop.customer USING hash (name);
CREATE INDEX ON shop.customer (born DESC NULLS LAST, id) INCLUDE (score) WHERE score > 50;
CREATE INDEX ON shop.customer (((home).city));
CREATE STATISTICS shop.customer_city ON ((home).city), name FROM shop.customer;
CREATE STATISTICS shop.customer_expr ON (score * 2), born FROM shop.customer;

CREATE TABLE shop.orders (
    id bigint NOT NULL,
    customer_id bigint NOT NULL REFERENCES shop.customer,
    state shop.state NOT NULL,
    placed date NOT NULL,
    amount numeric(10, 2),
    note text
) PARTITION BY RANGE (placed);
CREATE TABLE shop.orders_2023 PARTITION OF shop.orders FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
CREATE TABLE shop.orders_2024 PARTITION OF shop.orders FOR VALUES FROM ('2024-01-01') TO ('2025-01-01') PARTITION BY LIST (state);
CREATE TABLE shop.orders_2024_new PARTITION OF shop.orders_2024 FOR VALUES IN ('new', 'paid');
CREATE TABLE shop.orders_2024_rest PARTITION OF shop.orders_2024 DEFAULT;
INSERT INTO shop.orders
SELECT i, 1 + i % 40000, (ARRAY['new', 'paid', 'sent', 'sent', 'sent', 'gone']::shop.state[])[1 + i % 6],
       date '2023-01-01' + i % 730, i % 977 / 3.0, CASE WHEN i % 10 = 0 THEN 'note ' || i END
FROM generate_series(1, 120000) i;
CREATE INDEX ON shop.orders (customer_id);
CREATE INDEX ON shop.orders (placed, state);
CREATE STATISTICS shop.orders_both (dependencies, ndistinct, mcv) ON state, placed FROM shop.orders;

CREATE TABLE shop.event (id serial PRIMARY KEY, during tstzrange, place point, payload text, at timestamptz, network inet);
CREATE TABLE shop.event_special (extra int) INHERITS (shop.event);
INSERT INTO shop.event (during, place, payload, at, network)
SELECT tstzrange(t, t + interval '1 hour' * (i % 48)), point(i % 1000, i % 777), md5(i::text), t, '10.0.0.0'::inet + i % 5000
FROM generate_series(1, 50000) i, LATERAL (SELECT timestamptz '2024-01-01 00:00+00' + i * interval '1 minute') AS s (t);
INSERT INTO shop.event_special (during, place, payload, at, network, extra)
SELECT tstzrange(t, t + interval '3 hour'), point(i % 100, i % 77), md5(i::text), t, '10.1.0.0'::inet + i % 500, i
FROM generate_series(1, 8000) i, LATERAL (SELECT timestamptz '2024-01-01 00:00+00' + i * interval '9 minute') AS s (t);
CREATE INDEX ON shop.event USING gist (during);
CREATE INDEX ON shop.event USING spgist (place);
CREATE INDEX ON shop.event USING gist (place);
CREATE INDEX ON shop.event USING brin (at) WITH (pages_per_range = 16);
CREATE INDEX ON shop.event USING brin (id, at);
CREATE INDEX ON shop.event USING spgist (payload);
CREATE INDEX ON shop.event USING gin (to_tsvector('english', payload));
CREATE INDEX ON shop.event_special (extra);

CREATE TABLE shop.booking (room int, during int4range, EXCLUDE USING gist (room WITH =, during WITH &&));
INSERT INTO shop.booking SELECT i % 100, int4range(i, i + 1) FROM generate_series(1, 20000) i;

CREATE TABLE shop.skewed (k int, v int, pad text);
INSERT INTO shop.skewed SELECT CASE WHEN i % 100 = 0 THEN i ELSE 0 END, i % 10, repeat('x', 50) FROM generate_series(1, 60000) i;
CREATE UNIQUE INDEX ON shop.skewed (k) WHERE k > 0;
CREATE INDEX ON shop.skewed (shop.noisy(k)) WHERE v = 3;
CREATE TABLE shop.empty (a int PRIMARY KEY, b text);
CREATE TABLE shop.drifted (a int PRIMARY KEY, b int, c text) WITH (autovacuum_enabled = off);
INSERT INTO shop.drifted SELECT i, i % 100, 'c' || i FROM generate_series(1, 30000) i;
CREATE INDEX ON shop.drifted (b);
CREATE UNLOGGED TABLE shop.scratch AS SELECT i AS a, i % 3 AS b FROM generate_series(1, 5000) i;

CREATE VIEW shop.paid AS SELECT o.id, o.placed, c.mail, shop.vat(o.amount) AS gross
FROM shop.orders o JOIN shop.customer c ON c.id = o.customer_id WHERE o.state = 'paid';
CREATE VIEW shop.paid_recent WITH (security_barrier) AS SELECT * FROM shop.paid WHERE placed >= shop.recent();
CREATE MATERIALIZED VIEW shop.totals AS
SELECT customer_id, sum(amount) AS total, max(placed) AS last FROM shop.orders GROUP BY customer_id;
CREATE UNIQUE INDEX ON shop.totals (customer_id);
CREATE RULE no_delete AS ON DELETE TO shop.scratch DO INSTEAD NOTHING;

ALTER DATABASE features SET work_mem = '1MB';
ALTER DATABASE features SET random_page_cost = 1.7;
ALTER DATABASE features SET search_path = shop, public;
ANALYZE;
