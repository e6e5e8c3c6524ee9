INSERT INTO shop.drifted SELECT i, i % 130, 'd' || i FROM generate_series(30001, 55000) i;
DELETE FROM shop.drifted WHERE a > 54000;
UPDATE shop.drifted SET b = 500 WHERE a % 50 = 0;
INSERT INTO shop.orders SELECT i, 1 + i % 40000, 'new', date '2024-12-31', 1, NULL FROM generate_series(130000, 140000) i;
CHECKPOINT;
