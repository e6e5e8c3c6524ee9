/* pgrehearse: the relations that these names mean; $3 are the schemas of the session's search_path */
SELECT found.oid
FROM unnest($1::text[], $2::text[]) AS named (schema_name, relation_name),
LATERAL (
    SELECT c.oid
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = named.relation_name::name
      AND (n.nspname = named.schema_name::name
           OR named.schema_name IS NULL AND n.nspname::text = ANY ($3::text[]))
    ORDER BY array_position($3::text[], n.nspname::text)
    LIMIT 1
) AS found
