/* pgrehearse: existing indexes; what CONCURRENTLY has not finished yet, pg_stat_progress_create_index shows to those who may see it,
   and of others' commands only that there is one: then what is not valid on a table that the command has locked may be its work */
WITH RECURSIVE parts AS (
    SELECT i.indexrelid AS root, i.indexrelid AS part
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'I'
    WHERE i.indrelid = ANY ($1::oid[])
    UNION ALL
    SELECT parts.root, h.inhrelid FROM parts JOIN pg_catalog.pg_inherits h ON h.inhparent = parts.part
),
-- Whoever asks for the size of one of these waits for its lock.
locked AS MATERIALIZED (
    SELECT l.relation AS oid
    FROM pg_catalog.pg_locks l
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
),
leaves AS (
    SELECT parts.root,
           pg_catalog.sum(CASE WHEN leaf.oid IN (SELECT oid FROM locked)
                               THEN leaf.relpages * pg_catalog.current_setting('block_size')::bigint
                               ELSE pg_catalog.pg_relation_size(leaf.oid)
                          END)::bigint AS size_bytes,
           pg_catalog.sum(pg_catalog.pg_stat_get_numscans(leaf.oid))::bigint AS scans
    FROM parts JOIN pg_catalog.pg_class leaf ON leaf.oid = parts.part AND leaf.relkind = 'i'
    GROUP BY parts.root
)
SELECT i.indrelid AS table_oid,
       n.nspname::text AS schema_name,
       c.relname::text AS index_name,
       pg_catalog.pg_get_indexdef(i.indexrelid) AS definition,
       i.indisunique AS is_unique,
       i.indisvalid AS is_valid,
       i.indisready AS is_ready,
       i.indislive AS is_live,
       c.relkind = 'I' AS partitioned,
       NOT i.indisvalid AND EXISTS (
           SELECT 1 FROM pg_catalog.pg_stat_progress_create_index p
           WHERE p.index_relid = i.indexrelid
              -- REINDEX TABLE CONCURRENTLY makes all of its indexes before it builds the first one.
              OR (p.relid = i.indrelid AND p.command = 'REINDEX CONCURRENTLY' AND c.relname::text ~ '_cc(new|old)[0-9]*$')
              OR (p.relid IS NULL
                  AND EXISTS (SELECT 1 FROM pg_catalog.pg_locks l
                              WHERE l.pid = p.pid AND l.locktype = 'relation' AND l.relation = i.indrelid AND l.granted
                                AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
                                AND l.mode = 'ShareUpdateExclusiveLock'))
       ) AS being_built,
       EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid) AS has_constraint,
       own.conname::text AS constraint_name,
       coalesce(own.contype = 'p', false) AS is_primary,
       EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid AND k.contype = 'f') AS is_referenced,
       NOT i.indimmediate AS is_deferrable,
       i.indisexclusion AS is_exclusion,
       coalesce(leaves.size_bytes, pg_catalog.pg_relation_size(i.indexrelid), 0) AS size_bytes,
       coalesce(leaves.scans, pg_catalog.pg_stat_get_numscans(i.indexrelid), 0) AS scans,
       i.indisreplident AS is_replica_identity,
       i.indisclustered AS is_clustered,
       parent_schema.nspname::text AS parent_schema,
       parent.relname::text AS parent_name
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN leaves ON leaves.root = i.indexrelid
LEFT JOIN pg_catalog.pg_constraint own ON own.conindid = i.indexrelid AND own.conrelid = i.indrelid AND own.contype IN ('p', 'u', 'x')
LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = i.indexrelid
LEFT JOIN pg_catalog.pg_class parent ON parent.oid = h.inhparent
LEFT JOIN pg_catalog.pg_namespace parent_schema ON parent_schema.oid = parent.relnamespace
WHERE i.indrelid = ANY ($1::oid[])
ORDER BY n.nspname, c.relname
