CREATE COLLATION german (provider = icu, locale = 'de-u-co-phonebk');
CREATE COLLATION careless (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE words (id int PRIMARY KEY, g text COLLATE german, c text COLLATE careless, posix text COLLATE "POSIX");
INSERT INTO words SELECT i, chr(97 + i % 26) || i % 3000, chr(65 + i % 26) || i % 200, 'x' || i FROM generate_series(1, 20000) i;
CREATE INDEX ON words (g);
CREATE INDEX ON words (c);
CREATE INDEX ON words (posix COLLATE german);
ANALYZE words;
