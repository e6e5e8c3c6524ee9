/* pgrehearse: every table of the database that may have indexes of its own; whoever asks more of one that another session has locked
   with ACCESS EXCLUSIVE, or whose index is, waits for that lock */
WITH locked AS MATERIALIZED (
    SELECT DISTINCT coalesce(i.indrelid, l.relation) AS oid
    FROM pg_catalog.pg_locks l
    LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = l.relation
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
)
SELECT n.nspname::text AS schema_name, c.relname::text AS table_name, c.oid IN (SELECT locked.oid FROM locked) AS is_locked
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast') AND n.nspname::text !~ '^pg_temp_'
  -- The tables of an extension are its own business.
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_depend d
                  WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass::pg_catalog.oid AND d.objid = c.oid AND d.deptype = 'e')
ORDER BY 1, 2
