CREATE EXTENSION pg_stat_statements;
CREATE TABLE customers (id integer PRIMARY KEY, email text NOT NULL, country text NOT NULL);
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id integer NOT NULL,
    state text NOT NULL,
    total numeric(12, 2) NOT NULL,
    placed_at timestamptz NOT NULL
);
INSERT INTO customers
SELECT n, 'user' || n || '@example.org', CASE WHEN n % 20 = 0 THEN 'SE' ELSE 'DE' END FROM generate_series(1, 2000) AS n;
INSERT INTO orders
SELECT n, 1 + n * 7919 % 2000, CASE WHEN n % 500 = 0 THEN 'open' ELSE 'shipped' END, n * 31 % 100000 / 100.0,
       TIMESTAMPTZ '2026-01-01 00:00+00' + n * INTERVAL '5 minutes'
FROM generate_series(1, 40000) AS n;
ANALYZE;
SELECT pg_stat_statements_reset();
