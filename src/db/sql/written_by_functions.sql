/* pgrehearse: tables whose rows functions (of triggers, too), rules or foreign keys may write, without a statement that names the table */
WITH writers AS MATERIALIZED (
    SELECT pg_catalog.lower(p.prosrc) AS body
    FROM pg_catalog.pg_proc p
    JOIN pg_catalog.pg_language l ON l.oid = p.prolang AND l.lanname NOT IN ('internal', 'c')
    JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema')
    WHERE p.prosrc ~* '\m(insert|update|merge|copy)\M'
)
SELECT c.oid AS table_oid,
       EXISTS (SELECT FROM pg_catalog.pg_constraint k
               WHERE k.conrelid = c.oid AND k.contype = 'f' AND (k.confupdtype IN ('c', 'n', 'd') OR k.confdeltype IN ('n', 'd')))
       OR EXISTS (SELECT FROM pg_catalog.pg_rewrite r
                  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass::pg_catalog.oid AND d.objid = r.oid
                                             AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND d.refobjid = c.oid
                  WHERE r.ev_type <> '1')
       OR EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass::pg_catalog.oid
                    AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND d.refobjid = c.oid)
       OR EXISTS (SELECT FROM writers WHERE pg_catalog.strpos(writers.body, pg_catalog.lower(c.relname::text)) > 0) AS by_functions
FROM pg_catalog.pg_class c
WHERE c.oid = ANY ($1::oid[])
