/* pgrehearse: the relations that these names mean in this session */
SELECT found.oid
FROM pg_catalog.unnest($1::text[], $2::text[]) AS named (schema_name, relation_name),
LATERAL (
    SELECT c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = named.relation_name::name
      AND (n.nspname = named.schema_name::name
           OR named.schema_name IS NULL AND n.nspname = ANY (pg_catalog.current_schemas(true)))
    ORDER BY pg_catalog.array_position(pg_catalog.current_schemas(true), n.nspname)
    LIMIT 1
) AS found
