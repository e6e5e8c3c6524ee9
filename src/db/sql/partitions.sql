/* pgrehearse: what partitioned tables consist of */
SELECT root.oid AS table_oid,
       n.nspname::text AS schema_name,
       c.relname::text AS table_name,
       parent_schema.nspname::text AS parent_schema,
       parent.relname::text AS parent_name,
       c.relkind = 'p' AS partitioned,
       c.relkind = 'f' AS is_foreign
FROM pg_catalog.unnest($1::oid[]) AS root (oid)
CROSS JOIN LATERAL pg_catalog.pg_partition_tree(root.oid) AS tree
JOIN pg_catalog.pg_class c ON c.oid = tree.relid AND c.relkind IN ('r', 'p', 'f')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_class parent ON parent.oid = tree.parentrelid
JOIN pg_catalog.pg_namespace parent_schema ON parent_schema.oid = parent.relnamespace
WHERE tree.level > 0
ORDER BY root.oid, tree.level, n.nspname, c.relname
