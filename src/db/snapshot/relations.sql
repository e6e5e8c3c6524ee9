/* pgrehearse: the relations that are named, all that they depend on, their partitions and children, and their indexes */
WITH RECURSIVE reached AS (
    SELECT c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
      AND c.oid >= 16384
      AND c.relpersistence <> 't'
      AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
      AND ($1 OR c.oid = ANY ($2::oid[]) OR c.relkind = 'S' AND c.oid = ANY ($3::oid[]))
    UNION
    SELECT next.oid
    FROM reached,
    LATERAL (
        SELECT i.inhrelid FROM pg_catalog.pg_inherits i WHERE i.inhparent = reached.oid
        UNION ALL
        SELECT i.inhparent FROM pg_catalog.pg_inherits i WHERE i.inhrelid = reached.oid
        UNION ALL
        SELECT d.refobjid
        FROM pg_catalog.pg_rewrite w
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND d.objid = w.oid
        WHERE w.ev_class = reached.oid
          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid >= 16384
        UNION ALL
        SELECT d.refobjid
        FROM pg_catalog.pg_policy p
        JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND d.objid = p.oid
        WHERE p.polrelid = reached.oid
          AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.refobjid >= 16384
    ) AS next (oid)
),
relations AS (
    SELECT oid FROM reached
    UNION
    SELECT i.indexrelid FROM reached JOIN pg_catalog.pg_index i ON i.indrelid = reached.oid
    UNION
    SELECT d.objid
    FROM reached
    JOIN pg_catalog.pg_depend d ON d.refobjid = reached.oid AND d.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
                               AND d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass
    JOIN pg_catalog.pg_class s ON s.oid = d.objid AND s.relkind = 'S'
    WHERE d.refobjsubid > 0 AND d.deptype IN ('a', 'i')
    UNION
    SELECT c.oid FROM pg_catalog.pg_class c WHERE c.relkind = 'c' AND c.oid >= 16384
),
-- Whoever asks for the size of one of these waits for its lock.
locked AS MATERIALIZED (
    SELECT l.relation AS oid
    FROM pg_catalog.pg_locks l
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
)
SELECT c.oid,
       n.nspname::text AS schema_name,
       c.relname::text AS relation_name,
       c.relkind::text AS kind,
       am.amname::text AS method,
       CASE WHEN c.relkind NOT IN ('r', 'm', 'i') THEN NULL
            WHEN c.oid IN (SELECT oid FROM locked) THEN c.relpages::bigint
            ELSE coalesce(pg_catalog.pg_relation_size(c.oid), 0) / pg_catalog.current_setting('block_size')::bigint
       END AS blocks
FROM relations
JOIN pg_catalog.pg_class c USING (oid)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_am am ON am.oid = c.relam AND c.relkind = 'i'
WHERE (c.relkind <> 'f' OR c.oid IN (
    SELECT t.ftrelid
    FROM pg_catalog.pg_foreign_table t
    JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver
    JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
    JOIN pg_catalog.pg_proc handler ON handler.oid = w.fdwhandler
    WHERE handler.prosrc = 'postgres_fdw_handler' AND handler.probin = '$libdir/postgres_fdw'))
  AND (c.relkind NOT IN ('r', 'm') OR c.relam = 2)
  AND c.relpersistence <> 't'
  AND (c.relkind IN ('c', 'v') OR n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast'))
ORDER BY c.oid
