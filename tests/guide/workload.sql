-- name: orders-of-customer
-- calls: 1000
SELECT * FROM orders WHERE customer_id = 7 ORDER BY placed_at DESC LIMIT 20;

-- name: open-orders
-- calls: 200
SELECT id, total FROM orders WHERE state = 'open' ORDER BY placed_at;

-- name: customer-by-email
-- calls: 500
SELECT * FROM customers WHERE email = 'user77@example.org';

-- name: orders-of-a-day
-- calls: 20
SELECT count(*), sum(total) FROM orders
WHERE placed_at >= '2026-03-01 00:00+00' AND placed_at < '2026-03-02 00:00+00';
