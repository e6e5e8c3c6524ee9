/* pgrehearse: what partitioned indexes that are not valid still lack: partitions without an index that is attached, with the indexes that
   might be attached there; and parts that are not valid themselves */
WITH RECURSIVE walk AS (
    SELECT i.indexrelid AS root, i.indrelid AS root_table, i.indexrelid AS part, i.indrelid AS relid, 0 AS level
    FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'I'
    WHERE i.indrelid = ANY ($1::oid[]) AND NOT i.indisvalid
    UNION ALL
    -- Below a partition whose index is missing, everything is.
    SELECT walk.root, walk.root_table, attached.indexrelid, p.oid, walk.level + 1
    FROM walk
    JOIN pg_catalog.pg_inherits t ON t.inhparent = walk.relid
    JOIN pg_catalog.pg_class p ON p.oid = t.inhrelid AND p.relkind = 'p'
    LEFT JOIN LATERAL (
        SELECT a.indexrelid, a.indisvalid
        FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_index a ON a.indexrelid = h.inhrelid
        WHERE h.inhparent = walk.part AND a.indrelid = p.oid
    ) attached ON true
    WHERE attached.indisvalid IS NOT TRUE
)
SELECT walk.root_table AS table_oid,
       root_schema.nspname::text AS index_schema,
       root.relname::text AS index_name,
       n.nspname::text AS schema_name,
       p.relname::text AS table_name,
       parent_schema.nspname::text AS parent_schema,
       parent.relname::text AS parent_name,
       p.relkind = 'p' AS partitioned,
       p.relkind = 'f' AS is_foreign,
       part_schema.nspname::text AS part_schema,
       part.relname::text AS part_name,
       attached_schema.nspname::text AS attached_schema,
       attached_class.relname::text AS attached_name,
       own.schemas AS own_schemas,
       own.names AS own_names,
       own.definitions AS own_definitions
FROM walk
JOIN pg_catalog.pg_class root ON root.oid = walk.root
JOIN pg_catalog.pg_namespace root_schema ON root_schema.oid = root.relnamespace
JOIN pg_catalog.pg_class parent ON parent.oid = walk.relid
JOIN pg_catalog.pg_namespace parent_schema ON parent_schema.oid = parent.relnamespace
LEFT JOIN pg_catalog.pg_class part ON part.oid = walk.part
LEFT JOIN pg_catalog.pg_namespace part_schema ON part_schema.oid = part.relnamespace
JOIN pg_catalog.pg_inherits t ON t.inhparent = walk.relid
JOIN pg_catalog.pg_class p ON p.oid = t.inhrelid AND p.relkind IN ('r', 'p', 'f')
JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace
LEFT JOIN LATERAL (
    SELECT a.indexrelid, a.indisvalid
    FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_index a ON a.indexrelid = h.inhrelid
    WHERE h.inhparent = walk.part AND a.indrelid = p.oid
) attached ON true
LEFT JOIN pg_catalog.pg_class attached_class ON attached_class.oid = attached.indexrelid
LEFT JOIN pg_catalog.pg_namespace attached_schema ON attached_schema.oid = attached_class.relnamespace
LEFT JOIN LATERAL (
    SELECT pg_catalog.array_agg(s.nspname::text ORDER BY c.relname) AS schemas,
           pg_catalog.array_agg(c.relname::text ORDER BY c.relname) AS names,
           pg_catalog.array_agg(pg_catalog.pg_get_indexdef(x.indexrelid) ORDER BY c.relname) AS definitions
    FROM pg_catalog.pg_index x
    JOIN pg_catalog.pg_class c ON c.oid = x.indexrelid
    JOIN pg_catalog.pg_namespace s ON s.oid = c.relnamespace
    WHERE x.indrelid = p.oid AND x.indisvalid
      AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_inherits h WHERE h.inhrelid = x.indexrelid)
) own ON attached.indexrelid IS NULL
-- The parts of a part that is not valid come for themselves.
WHERE attached.indexrelid IS NULL OR (NOT attached.indisvalid AND p.relkind <> 'p')
ORDER BY walk.root, walk.level, n.nspname, p.relname
