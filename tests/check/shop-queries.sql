-- name: order-by-id
SELECT * FROM orders WHERE id = 4711;
-- name: orders-of-customer
SELECT id, total FROM orders WHERE customer_id = 77 ORDER BY created DESC LIMIT 10;
-- name: open-orders
SELECT id, customer_id FROM orders WHERE state = 'new' ORDER BY created LIMIT 20;
-- name: returned-total
SELECT sum(total) FROM orders WHERE state = 'returned';
-- name: orders-by-code
SELECT id FROM orders WHERE code = '26';
-- name: last-week
SELECT count(*) FROM orders WHERE created > TIMESTAMPTZ '2023-07-20 00:00+00';
-- name: note-search
SELECT id FROM orders WHERE note = 'note 400';
-- name: customer-by-email
SELECT id FROM customer WHERE email = 'user500@example.org';
-- name: customers-of-country
SELECT count(*) FROM customer WHERE country = 'SE';
-- name: scores
SELECT id FROM customer WHERE score > 990;
-- name: nickname
SELECT id FROM customer WHERE nickname = 'nick300';
-- name: items-of-order
SELECT * FROM item WHERE order_id = 300;
-- name: sku-orders
SELECT o.id, o.created FROM item i JOIN orders o ON o.id = i.order_id WHERE i.sku = 'sku17';
-- name: country-revenue
SELECT c.country, sum(o.total) FROM customer c JOIN orders o ON o.customer_id = c.id GROUP BY c.country;
-- name: big-orders
SELECT id FROM big_orders WHERE customer_id = 5;
-- name: new-order
INSERT INTO orders VALUES (1000001, 1, 'new', 1, now(), NULL, '1');
-- name: pay-order
UPDATE orders SET state = 'paid' WHERE id = 99;
