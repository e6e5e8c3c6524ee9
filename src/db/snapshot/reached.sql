/* pgrehearse: what functions read that these relations' policies and the statements' words ($2) call: relations by name, and settings that have
   a value in this session. Of bodies only words are known: rather too many than too few. */
WITH RECURSIVE functions (oid) AS (
    SELECT d.refobjid
    FROM pg_catalog.pg_policy p
    JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND d.objid = p.oid
                               AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
    WHERE p.polrelid = ANY ($1::oid[])
    UNION
    SELECT p.oid FROM pg_catalog.pg_proc p WHERE p.oid >= 16384 AND lower(p.proname) = ANY ($2::text[])
    UNION
    SELECT p.oid
    FROM functions
    JOIN pg_catalog.pg_proc caller ON caller.oid = functions.oid
    JOIN pg_catalog.pg_language l ON l.oid = caller.prolang AND l.lanname IN ('sql', 'plpgsql'),
    LATERAL regexp_matches(lower(caller.prosrc), '[a-z_][a-z0-9_$]*', 'g') AS word (parts)
    JOIN pg_catalog.pg_proc p ON lower(p.proname) = word.parts[1] AND p.oid >= 16384
),
bodies (oid, body) AS (
    SELECT p.oid, p.prosrc
    FROM functions
    JOIN pg_catalog.pg_proc p USING (oid)
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang AND l.lanname IN ('sql', 'plpgsql')
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_depend member
                      WHERE member.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND member.objid = p.oid AND member.deptype = 'e')
),
texts (body) AS (
    SELECT body FROM bodies
    UNION ALL
    SELECT pg_catalog.pg_get_expr(p.polqual, p.polrelid) FROM pg_catalog.pg_policy p WHERE p.polrelid = ANY ($1::oid[])
),
words (word) AS (
    SELECT DISTINCT found.parts[1] FROM bodies, regexp_matches(lower(body), '[a-z_][a-z0-9_$]*', 'g') AS found (parts)
),
settings (name) AS (
    SELECT DISTINCT lower(found.parts[1])
    FROM texts, regexp_matches(body, 'current_setting\s*\(\s*''([a-z_][a-z0-9_]*(?:\.[a-z_][a-z0-9_]*)+)''', 'gi') AS found (parts)
)
SELECT NULL::text AS name, NULL::text AS value, c.oid AS relation
FROM pg_catalog.pg_class c
WHERE c.oid >= 16384 AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relpersistence <> 't' AND lower(c.relname) IN (SELECT word FROM words)
UNION ALL
SELECT NULL, NULL, d.refobjid
FROM bodies
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND d.objid = bodies.oid
                           AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
UNION ALL
SELECT name, pg_catalog.current_setting(name, true), NULL FROM settings WHERE pg_catalog.current_setting(name, true) <> ''
ORDER BY 1, 3
