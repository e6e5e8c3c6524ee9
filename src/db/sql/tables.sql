/* pgrehearse: the tables of the workload, and the partitioned tables that own them */
WITH RECURSIVE asked AS (
    SELECT c.oid
    FROM unnest($1::text[], $2::text[]) AS wanted (schema_name, table_name)
    JOIN pg_catalog.pg_namespace n ON n.nspname = wanted.schema_name
    JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = wanted.table_name
),
tables AS (
    SELECT oid FROM asked
    UNION
    SELECT pg_catalog.pg_partition_root(oid) FROM asked WHERE pg_catalog.pg_partition_root(oid) IS NOT NULL
),
-- pg_partition_tree would wait for the locks of all partitions.
tree AS (
    SELECT tables.oid AS root, tables.oid AS relid FROM tables
    UNION
    SELECT tree.root, i.inhrelid FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.relid
),
leaves AS (
    SELECT tree.root, leaf.oid, leaf.relpages, leaf.relallvisible
    FROM tree JOIN pg_catalog.pg_class leaf ON leaf.oid = tree.relid
    WHERE leaf.relkind <> 'p'
),
-- Whoever asks for the size of one of these waits for its lock.
locked AS MATERIALIZED (
    SELECT l.relation AS oid
    FROM pg_catalog.pg_locks l
    WHERE l.locktype = 'relation' AND l.mode = 'AccessExclusiveLock' AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid()
)
SELECT c.oid,
       n.nspname::text AS schema_name,
       c.relname::text AS table_name,
       CASE
           WHEN c.relpersistence = 't' OR n.nspname IN ('pg_catalog', 'information_schema', 'pg_toast') THEN 'unsupported'
           WHEN c.relkind IN ('r', 'm') THEN 'plain'
           WHEN c.relkind = 'p' THEN 'partitioned'
           ELSE 'unsupported'
       END AS kind,
       root_schema.nspname::text AS root_schema,
       root.relname::text AS root_name,
       CASE WHEN c.reltuples >= 0 THEN c.reltuples::float8 END AS row_count,
       coalesce(pg_catalog.pg_stat_get_mod_since_analyze(c.oid), 0) AS modified_rows,
       written.*,
       extract(epoch FROM pg_catalog.now() - pg_catalog.pg_stat_get_db_stat_reset_time(database.oid))::float8 AS counted_for_s,
       (CASE WHEN c.relkind = 'p'
            THEN (SELECT coalesce(pg_catalog.sum(leaf.relallvisible), 0) FROM leaves AS leaf WHERE leaf.root = c.oid)
            ELSE greatest(c.relallvisible, 0)
        END)::bigint AS all_visible_pages,
       c.relkind IN ('r', 'p') AND pg_catalog.has_table_privilege(c.oid, 'SELECT') AS lockable,
       pg_catalog.pg_has_role(c.relowner, 'USAGE') AS owned,
       c.relrowsecurity AS row_security,
       (CASE WHEN c.relkind = 'p'
            THEN (SELECT coalesce(pg_catalog.sum(CASE WHEN leaf.oid IN (SELECT oid FROM locked)
                                           THEN leaf.relpages * pg_catalog.current_setting('block_size')::bigint
                                           ELSE pg_catalog.pg_relation_size(leaf.oid)
                                      END), 0)
                  FROM leaves AS leaf WHERE leaf.root = c.oid)
            ELSE coalesce(pg_catalog.pg_relation_size(c.oid), 0)
        END / pg_catalog.current_setting('block_size')::bigint)::bigint AS pages
FROM tables
JOIN pg_catalog.pg_class c USING (oid)
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_database database ON database.datname = pg_catalog.current_database()
CROSS JOIN LATERAL (
    SELECT coalesce(pg_catalog.sum(pg_catalog.pg_stat_get_tuples_inserted(leaf.oid)), 0)::bigint AS n_tup_ins,
           coalesce(pg_catalog.sum(pg_catalog.pg_stat_get_tuples_updated(leaf.oid)), 0)::bigint AS n_tup_upd,
           coalesce(pg_catalog.sum(pg_catalog.pg_stat_get_tuples_hot_updated(leaf.oid)), 0)::bigint AS n_tup_hot_upd,
           coalesce(pg_catalog.sum(pg_catalog.pg_stat_get_tuples_deleted(leaf.oid)), 0)::bigint AS n_tup_del
    FROM (SELECT c.oid WHERE c.relkind <> 'p'
          UNION ALL
          SELECT leaves.oid FROM leaves WHERE leaves.root = c.oid AND c.relkind = 'p') AS leaf (oid)
) AS written
LEFT JOIN pg_catalog.pg_class root ON root.oid = pg_catalog.pg_partition_root(c.oid) AND root.oid <> c.oid
LEFT JOIN pg_catalog.pg_namespace root_schema ON root_schema.oid = root.relnamespace
ORDER BY n.nspname, c.relname
