-- name: f1
SELECT * FROM e WHERE h ? 'k3';
-- name: f2
SELECT * FROM e WHERE h -> 'k1' = '21';
-- name: f3
SELECT * FROM e WHERE t LIKE '%word77 %';
-- name: f4
SELECT * FROM e WHERE c = 'c7';
-- name: f5
SELECT * FROM e WHERE r @> 77;
-- name: f6
SELECT * FROM e WHERE id = 7 AND r && int4range(3, 9);
-- name: f7
SELECT * FROM e WHERE l <@ 'a.b7';
-- name: f8
SELECT * FROM e WHERE v @@ to_tsquery('english', 'word77');
-- name: f9
SELECT * FROM e WHERE lower(t) LIKE 'word7%' AND c::text <> '' AND id > 10;
-- name: f10
SELECT * FROM e WHERE low(t) = 'word1 text 1z';
-- name: f11
SELECT * FROM x WHERE id = 3 AND during && tstzrange(now(), now());
-- name: f12
SELECT * FROM part WHERE a = 7;
-- name: f13
SELECT count(*) FROM part a JOIN part b USING (a);
-- name: f14
SELECT * FROM par WHERE z = 7;
-- name: f15
SELECT * FROM par WHERE z < 0;
-- name: f16
SELECT * FROM dr WHERE b % 100 = 3 AND a = 3;
-- name: f17
SELECT * FROM dr WHERE a = 3 AND b = 3;
-- name: f18
SELECT * FROM nums;
-- name: f19
SELECT * FROM js WHERE id = 7;
-- name: f20
SELECT * FROM win WHERE id = 7;
-- name: f21
SELECT * FROM mv WHERE lower(c::text) = 'c1';
-- name: f22
SELECT * FROM trv;
-- name: f23
INSERT INTO trv VALUES (1);
-- name: f24
SELECT * FROM ct WHERE (v).a = 3;
-- name: f25
SELECT count(*) FROM e WHERE u IS NULL;
-- name: f26
INSERT INTO e (id, t, c, r) VALUES (1, 'a', 'b', '[1,2)');
