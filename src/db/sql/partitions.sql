/* pgrehearse: what partitioned tables consist of; pg_partition_tree would wait for the locks of all partitions */
WITH RECURSIVE tree AS (
    SELECT root.oid AS root, root.oid AS relid, NULL::oid AS parentrelid, 0 AS level
    FROM pg_catalog.unnest($1::oid[]) AS root (oid) JOIN pg_catalog.pg_class c ON c.oid = root.oid AND c.relkind = 'p'
    UNION ALL
    SELECT tree.root, i.inhrelid, i.inhparent, tree.level + 1
    FROM tree JOIN pg_catalog.pg_inherits i ON i.inhparent = tree.relid
)
SELECT tree.root AS table_oid,
       n.nspname::text AS schema_name,
       c.relname::text AS table_name,
       parent_schema.nspname::text AS parent_schema,
       parent.relname::text AS parent_name,
       c.relkind = 'p' AS partitioned,
       c.relkind = 'f' AS is_foreign
FROM tree
JOIN pg_catalog.pg_class c ON c.oid = tree.relid AND c.relkind IN ('r', 'p', 'f')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class parent ON parent.oid = tree.parentrelid
JOIN pg_catalog.pg_namespace parent_schema ON parent_schema.oid = parent.relnamespace
WHERE tree.level > 0
ORDER BY tree.root, tree.level, n.nspname, c.relname
