/* pgrehearse: which of these tables must not be read: planning any query on them folds expressions of their indexes, statistics,
   constraints and policies, and these call functions. Functions of superusers, of the one who asks, and C functions of extensions are
   trusted; bodies of the others are not looked into, where there is any function of somebody else. */
WITH trusted AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper OR rolname = current_user
),
own AS (
    SELECT p.oid
    FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE p.oid >= 16384
      AND (p.proowner NOT IN (SELECT oid FROM trusted) OR l.lanname NOT IN ('internal', 'c'))
      AND EXISTS (SELECT FROM pg_catalog.pg_proc other WHERE other.oid >= 16384 AND other.proowner NOT IN (SELECT oid FROM trusted))
),
trees (relation, tree) AS (
    SELECT i.indrelid, concat(i.indexprs::text, i.indpred::text) FROM pg_catalog.pg_index i WHERE i.indrelid = ANY ($1::oid[])
    UNION ALL
    SELECT s.stxrelid, s.stxexprs::text FROM pg_catalog.pg_statistic_ext s WHERE s.stxrelid = ANY ($1::oid[])
    UNION ALL
    SELECT k.conrelid, k.conbin::text FROM pg_catalog.pg_constraint k WHERE k.conrelid = ANY ($1::oid[])
    UNION ALL
    SELECT policy.polrelid, policy.polqual::text FROM pg_catalog.pg_policy policy WHERE policy.polrelid = ANY ($1::oid[])
    UNION ALL
    SELECT def.adrelid, def.adbin::text
    FROM pg_catalog.pg_attrdef def JOIN pg_catalog.pg_attribute a ON a.attrelid = def.adrelid AND a.attnum = def.adnum
    WHERE def.adrelid = ANY ($1::oid[]) AND a.attgenerated <> ''
),
called (relation, function) AS (
    SELECT relation, found.parts[1]::oid
    FROM trees, regexp_matches(tree, ':(?:funcid|opfuncid|aggfnoid|winfnoid) (\d+)', 'g') AS found (parts)
    UNION ALL
    SELECT a.attrelid, k.castfunc
    FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_cast k ON k.castsource = a.atttypid
    WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped AND k.castfunc >= 16384
)
SELECT DISTINCT relation AS oid,
       n.nspname::text AS schema_name, c.relname::text AS table_name
FROM called
JOIN own ON own.oid = called.function
JOIN pg_catalog.pg_class c ON c.oid = called.relation
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
