/* pgrehearse: an index just built, with its partitions' indexes */
SELECT pg_catalog.array_agg(c.relname::text ORDER BY c.relname) AS names,
       pg_catalog.sum(pg_catalog.pg_relation_size(c.oid))::bigint AS size_bytes,
       pg_catalog.bool_and(NOT i.indcheckxmin) AS usable,
       pg_catalog.pg_get_indexdef(pg_catalog.to_regclass($1)) AS definition
FROM (
    SELECT pg_catalog.to_regclass($1)::oid AS oid
    UNION
    SELECT relid::oid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1))
) AS built
JOIN pg_catalog.pg_class c USING (oid)
JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
