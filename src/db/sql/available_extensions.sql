/* pgrehearse: extensions with operator classes that could be installed, and the schema they would go to */
SELECT e.name::text AS extension_name,
       path.schema_name::text AS schema_name
FROM pg_catalog.pg_available_extensions e
CROSS JOIN (SELECT schema_name
            FROM pg_catalog.unnest(pg_catalog.current_schemas(false)) WITH ORDINALITY AS schemas (schema_name, position)
            WHERE schema_name <> 'pg_catalog' ORDER BY position LIMIT 1) AS path
WHERE e.name = ANY ($1::text[]) AND e.installed_version IS NULL
ORDER BY e.name
