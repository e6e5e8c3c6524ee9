CREATE EXTENSION IF NOT EXISTS btree_gist SCHEMA public;
CREATE TABLE derived (id int PRIMARY KEY, price numeric NOT NULL, gross numeric GENERATED ALWAYS AS (price * 1.2) VIRTUAL, kind text NOT NULL);
INSERT INTO derived (id, price, kind) SELECT i, i % 977, 'k' || i % 30 FROM generate_series(1, 30000) i;
CREATE STATISTICS derived_gross ON (price * 1.2) FROM derived;
CREATE TABLE stay (room int, during tstzrange NOT NULL, guest int, PRIMARY KEY (room, during WITHOUT OVERLAPS));
INSERT INTO stay SELECT i % 200, tstzrange(t, t + interval '1 hour'), i FROM generate_series(1, 20000) i,
    LATERAL (SELECT timestamptz '2024-01-01 00:00+00' + i * interval '1 hour') AS s (t);
CREATE TABLE meal (room int, during tstzrange, FOREIGN KEY (room, PERIOD during) REFERENCES stay (room, PERIOD during));
INSERT INTO meal SELECT room, during FROM stay WHERE guest % 3 = 0;
ALTER TABLE meal ADD CONSTRAINT room_there NOT NULL room NOT VALID;
ALTER TABLE stay ADD CONSTRAINT guest_small CHECK (guest < 1000000) NOT ENFORCED;
CREATE INDEX ON derived (kind, price);
ANALYZE derived, stay, meal;
