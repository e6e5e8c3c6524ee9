/* pgrehearse: functions, operators and casts on these tables' column types that are not IMMUTABLE, so that no index may hold them; and
   functions that a condition may compare a column with */
WITH types AS (
    SELECT DISTINCT coalesce(nullif(t.typbasetype, 0), t.oid) AS oid
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
),
known AS (
    SELECT oid FROM types
    UNION
    SELECT pg_catalog.unnest('{text,anyarray,"\"any\"",anyelement}'::pg_catalog.regtype[]::pg_catalog.oid[])
)
SELECT 'function' AS kind,
       p.proname::text AS called,
       array(SELECT pg_catalog.format_type(argument, NULL) FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) WITH ORDINALITY AS a (argument, position)
             ORDER BY position) AS arguments,
       p.oid >= 16384 AS own, p.provolatile = 'v' AS volatile
FROM pg_catalog.pg_proc p
WHERE p.provolatile <> 'i' AND p.prokind = 'f' AND NOT p.proretset AND p.pronargs BETWEEN 1 AND 4
  AND EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) AS argument JOIN known ON known.oid = argument)
  AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) AS argument
                  WHERE argument IN (SELECT t.oid FROM pg_catalog.pg_type t WHERE t.typname IN ('internal', 'cstring', 'oid', 'name', 'regclass', 'oidvector')))
  AND (p.oid >= 16384
       OR p.proname !~ '^(pg_|has_|lo_|bin|inet_|txid|query_|table_|schema_|database_|cursor_|set|to_reg|row_sec|json|xml|regclass|any|textany|current_|ts_headline|ts_match|currtid)|(out|send|_cmp|_eq|_ne|_lt|_le|_gt|_ge|_pl|_mi)(_|$)')
UNION ALL
SELECT 'function', p.proname::text,
       array(SELECT pg_catalog.format_type(argument, NULL) FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) WITH ORDINALITY AS a (argument, position)
             ORDER BY position),
       p.oid >= 16384, p.provolatile = 'v'
FROM pg_catalog.pg_proc p
WHERE p.provolatile <> 'i' AND p.prokind = 'f' AND NOT p.proretset AND p.pronargs <= 4
  AND NOT EXISTS (SELECT FROM pg_catalog.unnest(p.proargtypes::pg_catalog.oid[]) AS argument JOIN known ON known.oid = argument)
  AND (p.oid >= 16384
       AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend member
                       WHERE member.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND member.objid = p.oid AND member.deptype = 'e')
       OR p.proname IN ('random', 'gen_random_uuid', 'uuidv4', 'uuidv7', 'clock_timestamp', 'timeofday', 'nextval', 'lastval',
                        'uuid_generate_v1', 'uuid_generate_v1mc', 'uuid_generate_v4'))
UNION ALL
SELECT 'operator', o.oprname::text, ARRAY[pg_catalog.format_type(o.oprleft, NULL), pg_catalog.format_type(o.oprright, NULL)], o.oid >= 16384, p.provolatile = 'v'
FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
WHERE p.provolatile <> 'i' AND o.oprleft IN (SELECT oid FROM types)
UNION ALL
SELECT 'cast', pg_catalog.format_type(k.casttarget, NULL), ARRAY[pg_catalog.format_type(k.castsource, NULL)], k.oid >= 16384, p.provolatile = 'v'
FROM pg_catalog.pg_cast k
JOIN pg_catalog.pg_proc p ON p.oid = k.castfunc
WHERE p.provolatile <> 'i' AND k.castsource IN (SELECT oid FROM types)
UNION ALL
SELECT 'cast', 'text', ARRAY[pg_catalog.format_type(t.oid, NULL)], false, false
FROM types
JOIN pg_catalog.pg_type t USING (oid)
JOIN pg_catalog.pg_proc p ON p.oid = t.typoutput
WHERE p.provolatile <> 'i'
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_cast k WHERE k.castsource = t.oid AND k.casttarget = 'pg_catalog.text'::pg_catalog.regtype)
ORDER BY kind, called, arguments
