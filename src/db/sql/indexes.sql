/* pgrehearse: existing indexes */
SELECT i.indrelid AS table_oid,
       n.nspname::text AS schema_name,
       c.relname::text AS index_name,
       pg_catalog.pg_get_indexdef(i.indexrelid) AS definition,
       i.indisunique AS is_unique,
       i.indisvalid AS is_valid,
       c.relkind = 'I' AS partitioned,
       EXISTS (SELECT 1 FROM pg_catalog.pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid) AS being_built,
       EXISTS (SELECT 1 FROM pg_catalog.pg_constraint k WHERE k.conindid = i.indexrelid) AS has_constraint,
       coalesce(pg_catalog.pg_relation_size(i.indexrelid), 0) AS size_bytes,
       coalesce(pg_catalog.pg_stat_get_numscans(i.indexrelid), 0) AS scans,
       i.indisreplident AS is_replica_identity,
       i.indisclustered AS is_clustered,
       parent_schema.nspname::text AS parent_schema,
       parent.relname::text AS parent_name
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_inherits h ON h.inhrelid = i.indexrelid
LEFT JOIN pg_catalog.pg_class parent ON parent.oid = h.inhparent
LEFT JOIN pg_catalog.pg_namespace parent_schema ON parent_schema.oid = parent.relnamespace
WHERE i.indrelid = ANY ($1::oid[])
ORDER BY n.nspname, c.relname
