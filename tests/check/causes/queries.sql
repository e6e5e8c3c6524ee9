-- name: person-by-id
SELECT * FROM person WHERE id = 4711;
-- name: of-city
SELECT id, born FROM person WHERE city = 'city7';
-- name: of-city-zip
SELECT p.id, q.city FROM person p JOIN person q ON q.id = p.manager WHERE p.city = 'city7' AND p.zip = 'zip7-2';
-- name: angry
SELECT p.id, m.city FROM person p JOIN person m ON m.id = p.manager WHERE p.mood = 'angry';
-- name: of-manager
SELECT id FROM person WHERE manager = 11;
-- name: managed
SELECT id FROM person WHERE manager IS NOT NULL ORDER BY born LIMIT 20;
-- name: sensor-day
SELECT avg(value) FROM reading WHERE sensor = 17;
-- name: readings-range
SELECT avg(value) FROM reading WHERE at BETWEEN '2024-02-01' AND '2024-02-03';
-- name: readings-late
SELECT count(*) FROM reading WHERE at > '2024-04-20';
-- name: sorted
SELECT * FROM reading ORDER BY value;
-- name: per-minute
SELECT at, count(*) FROM reading GROUP BY at;
-- name: visits-of-2012
SELECT count(*) FROM visit WHERE year = 2012;
-- name: adults
SELECT id FROM adult WHERE city = 'city7';
-- name: sales-eu
SELECT sum(amount) FROM sale WHERE region = 'eu' AND day = DATE '2024-03-01';
-- name: sales-day
SELECT region, sum(amount) FROM sale WHERE day = DATE '2024-03-01' GROUP BY region;
-- name: born-in-a-year
SELECT id, notes FROM person WHERE born BETWEEN DATE '1970-01-01' AND DATE '1971-03-01';
-- name: visitors
SELECT p.city, count(*) FROM visit_old v JOIN person p ON p.id = v.person_id GROUP BY p.city;
-- name: first-of-city-zip
SELECT id FROM person WHERE city = 'city7' AND zip = 'zip7-2' ORDER BY born LIMIT 1;
-- name: per-minute-and-sensor
SELECT sensor, count(DISTINCT at) FROM reading GROUP BY sensor;
