/* pgrehearse: which tables the role may not read, or not as a whole, and which of their statistics only pg_statistic has */
SELECT n.nspname::text AS schema_name, c.relname::text AS table_name,
       (SELECT coalesce(pg_catalog.bool_and(pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT')), true)
        FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped) AS readable,
       pg_catalog.row_security_active(c.oid) AS row_security,
       EXISTS (SELECT FROM pg_catalog.pg_index i
               WHERE i.indrelid = c.oid AND i.indexprs IS NOT NULL
                 AND NOT pg_catalog.has_table_privilege(i.indexrelid, 'SELECT')) AS hidden_expressions,
       EXISTS (SELECT FROM pg_catalog.pg_statistic_ext e
               WHERE e.stxrelid = c.oid
                 AND ('m' = ANY (e.stxkind) OR NOT pg_catalog.pg_has_role(c.relowner, 'USAGE'))) AS hidden_extended,
       EXISTS (SELECT FROM pg_catalog.pg_attribute a
               JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
               LEFT JOIN pg_catalog.pg_type base ON base.oid = t.typbasetype
               JOIN pg_catalog.pg_proc p ON p.oid = coalesce(nullif(t.typanalyze::oid, 0), base.typanalyze::oid)
               WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
                 AND (p.oid >= 16384
                      OR p.proname IN ('range_typanalyze', 'multirange_typanalyze')
                         AND pg_catalog.current_setting('server_version_num')::integer < 170000)) AS hidden_kinds
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.oid = ANY ($1::oid[]) AND c.relkind IN ('r', 'p', 'm')
ORDER BY 1, 2
