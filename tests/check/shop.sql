CREATE TYPE order_state AS ENUM ('new', 'paid', 'shipped', 'returned');
CREATE TABLE customer (
    id bigint PRIMARY KEY,
    email text NOT NULL,
    country char(2) NOT NULL,
    joined date NOT NULL,
    score integer,
    nickname varchar(40)
) WITH (autovacuum_enabled = off);
CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer_id bigint NOT NULL,
    state order_state NOT NULL,
    total numeric(12, 2) NOT NULL,
    created timestamptz NOT NULL,
    note text,
    code text NOT NULL
) WITH (autovacuum_enabled = off);
CREATE TABLE item (
    order_id integer NOT NULL,
    line integer NOT NULL,
    sku text NOT NULL,
    quantity integer NOT NULL,
    PRIMARY KEY (order_id, line)
) WITH (autovacuum_enabled = off);
INSERT INTO customer
SELECT n, 'user' || n || '@example.org', CASE WHEN n % 20 = 0 THEN 'SE' WHEN n % 7 = 0 THEN 'CH' ELSE 'DE' END,
       DATE '2020-01-01' + (n % 1500)::integer, n % 1000, CASE WHEN n % 3 = 0 THEN 'nick' || n END
FROM generate_series(1, 20000) AS n;
INSERT INTO orders
SELECT n, 1 + n * 7919 % 20000,
       (CASE WHEN n % 200 = 0 THEN 'returned' WHEN n % 50 = 0 THEN 'new' WHEN n % 10 = 0 THEN 'paid' ELSE 'shipped' END)::order_state,
       (n * 31 % 100000) / 100.0, TIMESTAMPTZ '2023-01-01 00:00+00' + n * INTERVAL '5 minutes',
       CASE WHEN n % 4 = 0 THEN 'note ' || n END, (n * 13 % 900)::text
FROM generate_series(1, 60000) AS n;
INSERT INTO item SELECT n / 2 + 1, n % 2 + 1, 'sku' || n % 5000, 1 + n % 9 FROM generate_series(0, 119999) AS n;
CREATE INDEX orders_customer ON orders (customer_id);
CREATE INDEX orders_created ON orders (created);
CREATE INDEX orders_code ON orders (code);
CREATE UNIQUE INDEX customer_email ON customer (email);
CREATE INDEX item_sku ON item (sku);
CREATE VIEW big_orders AS SELECT id, customer_id, total FROM orders WHERE total > 900;
VACUUM ANALYZE customer;
VACUUM ANALYZE orders;
VACUUM ANALYZE item;
