/* pgrehearse: tables that are not copied: foreign tables of wrappers other than postgres_fdw, and those of an access method other
   than heap (2) */
SELECT n.nspname::text AS schema_name, c.relname::text AS table_name,
       CASE WHEN c.relkind <> 'f' THEN am.amname::text END AS access_method
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam
WHERE (c.relkind = 'f' AND NOT EXISTS (
        SELECT
        FROM pg_catalog.pg_foreign_table t
        JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver
        JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
        JOIN pg_catalog.pg_proc handler ON handler.oid = w.fdwhandler
        WHERE t.ftrelid = c.oid AND handler.prosrc = 'postgres_fdw_handler' AND handler.probin = '$libdir/postgres_fdw')
       OR c.relkind IN ('r', 'm') AND c.relam <> 2)
  AND ($1 OR c.oid = ANY ($2::oid[])
       OR EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid AND i.inhparent = ANY ($3::oid[])))
ORDER BY 1, 2
