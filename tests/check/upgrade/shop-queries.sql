-- name: by-key
SELECT * FROM shop.orders WHERE id = 77;
-- name: array-agg-ordered
SELECT customer_id, array_agg(total ORDER BY total) FROM shop.orders GROUP BY customer_id;
-- name: string-agg-ordered
SELECT state, string_agg(code, ',' ORDER BY created) FROM shop.orders GROUP BY state;
-- name: count-distinct
SELECT count(DISTINCT customer_id) FROM shop.orders;
-- name: count-distinct-grouped
SELECT customer_id, count(DISTINCT created) FROM shop.orders GROUP BY customer_id;
-- name: self-join
SELECT a.id, b.total FROM shop.orders a JOIN shop.orders b ON a.id = b.id WHERE a.total > 4000;
-- name: self-join-view
SELECT p.id, p.name FROM shop.paid p JOIN shop.orders o ON o.id = p.id;
-- name: skip-scan
SELECT * FROM shop.event WHERE at = '2024-06-06';
-- name: skip-scan-one
SELECT * FROM shop.event_2 WHERE at = '2024-06-06';
-- name: skip-country
SELECT * FROM shop.customer WHERE score = 17;
-- name: skip-state
SELECT * FROM shop.orders WHERE created BETWEEN '2024-02-01' AND '2024-02-02' ORDER BY state;
-- name: or-chain
SELECT * FROM shop.orders WHERE customer_id = 1 OR customer_id = 7 OR customer_id = 99;
-- name: or-chain-text
SELECT * FROM shop.item WHERE sku = 'sku1' OR sku = 'sku2' OR sku = 'sku9';
-- name: in-values
SELECT * FROM shop.orders WHERE customer_id IN (VALUES (1), (2), (3));
-- name: not-null-is-null
SELECT * FROM shop.orders WHERE customer_id IS NULL;
-- name: not-null-is-not-null
SELECT count(*) FROM shop.orders WHERE customer_id IS NOT NULL AND total > 4990;
-- name: right-anti
SELECT c.id FROM shop.customer c WHERE NOT EXISTS (SELECT FROM shop.orders o WHERE o.customer_id = c.id AND o.total > 4000);
-- name: right-anti-2
SELECT i.order_id FROM shop.item i WHERE NOT EXISTS (SELECT FROM shop.customer c WHERE i.order_id = c.id);
-- name: right-semi
SELECT o.id FROM shop.orders o WHERE EXISTS (SELECT FROM shop.item i WHERE i.order_id = o.id AND i.quantity > 3);
-- name: right-semi-2
SELECT c.id FROM shop.customer c WHERE c.id IN (SELECT customer_id FROM shop.orders);
-- name: union-distinct
SELECT id FROM shop.orders UNION SELECT id FROM shop.customer;
-- name: union-limit
SELECT id FROM shop.orders UNION SELECT id FROM shop.customer ORDER BY id LIMIT 10;
-- name: union-all
SELECT id FROM shop.orders UNION ALL SELECT id FROM shop.customer;
-- name: except
SELECT customer_id FROM shop.orders EXCEPT SELECT id FROM shop.customer;
-- name: intersect
SELECT customer_id FROM shop.orders INTERSECT SELECT id FROM shop.customer;
-- name: distinct
SELECT DISTINCT customer_id, state FROM shop.orders;
-- name: distinct-ordered
SELECT DISTINCT state, created FROM shop.orders ORDER BY state, created LIMIT 20;
-- name: distinct-on
SELECT DISTINCT ON (customer_id) * FROM shop.orders ORDER BY customer_id, created DESC;
-- name: distinct-constant
SELECT DISTINCT customer_id FROM shop.orders WHERE customer_id = 7;
-- name: group-order
SELECT state, customer_id, count(*) FROM shop.orders GROUP BY customer_id, state ORDER BY state;
-- name: group-order-2
SELECT customer_id, created, count(*) FROM shop.orders GROUP BY created, customer_id ORDER BY created LIMIT 5;
-- name: group-by-join
SELECT o.customer_id, count(*) FROM shop.orders o JOIN shop.customer c ON c.id = o.customer_id GROUP BY o.customer_id, c.country;
-- name: group-key
SELECT c.id, c.name, c.country, count(*) FROM shop.customer c JOIN shop.orders o ON o.customer_id = c.id GROUP BY c.id, c.name, c.country;
-- name: row-number
SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY customer_id ORDER BY created DESC) AS r FROM shop.orders) x WHERE r <= 3;
-- name: ntile
SELECT * FROM (SELECT *, ntile(4) OVER (ORDER BY created) AS r FROM shop.orders) x WHERE r <= 1;
-- name: window-two
SELECT id, sum(total) OVER (PARTITION BY state ORDER BY created), rank() OVER (PARTITION BY state ORDER BY created, id) FROM shop.orders;
-- name: view
SELECT * FROM shop.paid WHERE customer_id = 7;
-- name: view-view
SELECT count(*) FROM shop.view_of_view;
-- name: view-grouped
SELECT * FROM shop.per_customer WHERE id = 5;
-- name: view-grouped-all
SELECT name, n FROM shop.per_customer ORDER BY total DESC LIMIT 10;
-- name: matview
SELECT * FROM shop.totals WHERE total / 2 = 100;
-- name: enum
SELECT count(*) FROM shop.orders WHERE state = 'returned' AND created > '2024-06-01';
-- name: partial
SELECT * FROM shop.orders WHERE state = 'new' AND created > '2024-07-10';
-- name: partial-big
SELECT id FROM shop.orders WHERE state = 'new' AND total > 4950;
-- name: expression
SELECT * FROM shop.orders WHERE lower(code) = 'c17' AND shop.half(customer_id) = 100;
-- name: gin
SELECT id FROM shop.orders WHERE tags @> ARRAY['t7'];
-- name: jsonb
SELECT id FROM shop.orders WHERE doc @> '{"a": 5, "b": 3}';
-- name: pattern
SELECT * FROM shop.customer WHERE name LIKE 'name 12%';
-- name: nickname
SELECT * FROM shop.customer WHERE nickname = 'nick7';
-- name: collation
SELECT * FROM shop.orders WHERE code = 'c100';
-- name: partition-prune
SELECT count(*) FROM shop.event WHERE at >= '2024-10-01' AND kind = 3;
-- name: partition-order
SELECT * FROM shop.event ORDER BY at, kind LIMIT 10;
-- name: partition-join
SELECT count(*) FROM shop.event a JOIN shop.event b ON a.at = b.at AND a.kind = 3 AND b.kind = 4;
-- name: partition-list
SELECT * FROM shop.bucket WHERE shop.half(k) = 2;
-- name: partition-group
SELECT at, count(*) FROM shop.event GROUP BY at;
-- name: ext-stats
SELECT count(*) FROM shop.orders WHERE state = 'sent' AND customer_id = 77;
-- name: ext-expr
SELECT customer_id % 10, state, count(*) FROM shop.orders GROUP BY customer_id % 10, state;
-- name: join-three
SELECT c.country, count(*) FROM shop.customer c JOIN shop.orders o ON o.customer_id = c.id JOIN shop.item i ON i.order_id = o.id WHERE i.sku = 'sku77' GROUP BY c.country;
-- name: full-join
SELECT count(*) FROM shop.customer c FULL JOIN shop.orders o ON o.customer_id = c.id;
-- name: left-join-removal
SELECT o.id FROM shop.orders o LEFT JOIN shop.customer c ON c.id = o.customer_id;
-- name: memoize
SELECT o.id, c.name FROM shop.orders o, LATERAL (SELECT name FROM shop.customer c WHERE c.id = o.customer_id OFFSET 0) c WHERE o.created < '2024-02-01';
-- name: merge-join
SELECT count(*) FROM shop.orders o JOIN shop.item i ON i.order_id = o.id;
-- name: join-sorted
SELECT o.id, i.sku FROM shop.orders o JOIN shop.item i ON i.order_id = o.id ORDER BY o.id, i.sku LIMIT 50;
-- name: cte-materialized
WITH x AS MATERIALIZED (SELECT customer_id, total FROM shop.orders WHERE state = 'new') SELECT c.id FROM shop.customer c JOIN x ON x.customer_id = c.id WHERE x.total > 100;
-- name: cte-group
WITH x AS MATERIALIZED (SELECT DISTINCT customer_id FROM shop.orders) SELECT customer_id, count(*) FROM x GROUP BY customer_id;
-- name: cte-ordered
WITH x AS MATERIALIZED (SELECT id, total FROM shop.orders ORDER BY id) SELECT * FROM x ORDER BY id LIMIT 5;
-- name: not-in
SELECT id FROM shop.customer WHERE id NOT IN (SELECT customer_id FROM shop.orders WHERE total > 4900);
-- name: any-subquery
SELECT id FROM shop.orders WHERE total > ANY (SELECT score FROM shop.customer WHERE country = 'de');
-- name: correlated-in
SELECT c.id FROM shop.customer c WHERE c.score IN (SELECT i.quantity FROM shop.item i WHERE i.order_id = c.id);
-- name: correlated-lateral
SELECT c.id, x.id FROM shop.customer c, LATERAL (SELECT id FROM shop.orders o WHERE o.customer_id = c.id ORDER BY created DESC LIMIT 1) x;
-- name: generate
SELECT * FROM generate_series(timestamptz '2024-01-01', '2024-12-31', '1 day') d LEFT JOIN shop.orders o ON o.created = d;
-- name: brin
SELECT count(*) FROM shop.orders WHERE created > '2024-03-01' AND created < '2024-03-03';
-- name: default-args
SELECT * FROM shop.orders WHERE customer_id = shop.plus(4);
-- name: secret
SELECT * FROM shop.secret WHERE n < 100;
-- name: insert
INSERT INTO shop.orders (id, customer_id, state, created, total) VALUES (90000, 1, 'new', now(), 3);
-- name: update
UPDATE shop.orders SET note = 'x' WHERE customer_id = 7;
-- name: update-join
UPDATE shop.orders o SET note = c.name FROM shop.customer c WHERE c.id = o.customer_id AND c.country = 'de';
-- name: delete-rule
DELETE FROM shop.customer WHERE id = 11;
-- name: delete-using
DELETE FROM shop.item i USING shop.orders o WHERE o.id = i.order_id AND o.state = 'returned';
-- name: merge
MERGE INTO shop.secret c USING (SELECT customer_id, sum(total) s FROM shop.orders GROUP BY 1) o ON o.customer_id = c.id WHEN MATCHED THEN UPDATE SET n = o.s;
-- name: min-max
SELECT min(created), max(created) FROM shop.orders WHERE state = 'paid';
-- name: order-limit
SELECT * FROM shop.orders ORDER BY state, total LIMIT 20;
-- name: incremental
SELECT * FROM shop.orders ORDER BY customer_id, total LIMIT 100;
-- name: grouping-sets
SELECT state, customer_id, count(*) FROM shop.orders GROUP BY GROUPING SETS ((state), (customer_id), ());
-- name: rollup
SELECT state, created::date, count(*) FROM shop.orders GROUP BY ROLLUP (state, created::date);
-- name: having
SELECT customer_id, count(*) FROM shop.orders GROUP BY customer_id HAVING customer_id < 100 AND count(*) > 4;
-- name: domain
SELECT id FROM shop.orders WHERE total = 33::shop.amount;
-- name: generated
SELECT id FROM shop.orders WHERE gross > 5900;
-- name: row-compare
SELECT * FROM shop.orders WHERE (state, created) > ('paid', '2024-05-05') ORDER BY state, created LIMIT 10;
-- name: starts-with
SELECT * FROM shop.customer WHERE starts_with(name, 'name 77');
-- name: array-any
SELECT * FROM shop.orders WHERE id = ANY ('{1,2,3,4,5,6,7,8}');
-- name: array-any-ordered
SELECT * FROM shop.item WHERE order_id = ANY ('{1,2,3,4,5,6,7,8}') ORDER BY order_id, line LIMIT 5;
-- name: in-two-columns
SELECT * FROM shop.event WHERE kind IN (1, 2, 3) AND at = '2024-03-03';
-- name: or-join
SELECT count(*) FROM shop.orders o JOIN shop.customer c ON c.id = o.customer_id AND (c.country = 'de' OR c.country = 'fr' OR c.country = 'it');
-- name: coalesce
SELECT * FROM shop.customer WHERE coalesce(score, 0) = 0;
-- name: distinct-agg-two
SELECT state, count(DISTINCT customer_id), count(DISTINCT code) FROM shop.orders GROUP BY state;
-- name: sum-ordered-join
SELECT c.country, array_agg(o.id ORDER BY o.id) FROM shop.customer c JOIN shop.orders o ON o.customer_id = c.id GROUP BY c.country;
-- name: statistics-view
SELECT * FROM shop.buffers;
