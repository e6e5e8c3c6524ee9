CREATE TYPE mood AS ENUM ('calm', 'angry', 'sad');
CREATE TABLE person (id integer PRIMARY KEY, city text NOT NULL, zip text NOT NULL, mood mood NOT NULL, born date NOT NULL, manager integer, notes text) WITH (autovacuum_enabled = off);
INSERT INTO person SELECT n, 'city' || n % 100, 'zip' || n % 100 || '-' || n % 5, (ARRAY['calm','calm','calm','angry'])[1 + n % 4]::mood,
  DATE '1950-01-01' + (n * 7 % 20000), CASE WHEN n % 10 = 0 THEN 1 + n % 500 END, repeat('x', 40) FROM generate_series(1, 50000) AS n;
CREATE INDEX person_city ON person (city); CREATE INDEX person_born ON person (born); CREATE INDEX person_manager ON person (manager);
CREATE STATISTICS person_city_zip (dependencies, ndistinct, mcv) ON city, zip FROM person;
CREATE TABLE reading (id bigint PRIMARY KEY, sensor integer NOT NULL, at timestamptz NOT NULL, value double precision) WITH (autovacuum_enabled = off);
INSERT INTO reading SELECT n, n % 400, TIMESTAMPTZ '2024-01-01 00:00+00' + n * INTERVAL '1 minute', n % 97 FROM generate_series(1, 200000) AS n;
CREATE INDEX reading_at ON reading (at); CREATE INDEX reading_sensor ON reading (sensor);
CREATE TABLE visit_old (id integer NOT NULL, year integer NOT NULL, person_id integer NOT NULL) WITH (autovacuum_enabled = off);
CREATE TABLE visit_new (LIKE visit_old) WITH (autovacuum_enabled = off);
INSERT INTO visit_old SELECT n, 2000 + n % 10, 1 + n % 50000 FROM generate_series(1, 60000) AS n;
INSERT INTO visit_new SELECT n, 2010 + n % 10, 1 + n % 50000 FROM generate_series(1, 60000) AS n;
CREATE VIEW visit AS SELECT * FROM visit_old UNION ALL SELECT * FROM visit_new;
CREATE VIEW adult AS SELECT id, city, born FROM person WHERE born < DATE '1960-01-01';
CREATE TABLE sale (id integer NOT NULL, region text NOT NULL, day date NOT NULL, amount numeric NOT NULL) PARTITION BY LIST (region);
CREATE TABLE sale_eu PARTITION OF sale FOR VALUES IN ('eu') WITH (autovacuum_enabled = off);
CREATE TABLE sale_us PARTITION OF sale FOR VALUES IN ('us') WITH (autovacuum_enabled = off);
INSERT INTO sale SELECT n, CASE WHEN n % 2 = 0 THEN 'eu' ELSE 'us' END, DATE '2024-01-01' + n / 100, n % 1000 FROM generate_series(1, 60000) AS n;
CREATE INDEX sale_day ON sale (day);

VACUUM ANALYZE person;
VACUUM ANALYZE reading;
VACUUM ANALYZE visit_old;
VACUUM ANALYZE visit_new;
VACUUM ANALYZE sale_eu;
VACUUM ANALYZE sale_us;
ANALYZE sale;
