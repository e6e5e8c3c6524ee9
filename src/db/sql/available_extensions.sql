/* pgrehearse: extensions with operator classes that could be installed, and the schema they would go to */
SELECT e.name::text AS extension_name,
       pg_catalog.current_schema()::text AS schema_name
FROM pg_catalog.pg_available_extensions e
WHERE e.name = ANY ($1::text[]) AND e.installed_version IS NULL AND pg_catalog.current_schema() IS NOT NULL
ORDER BY e.name
