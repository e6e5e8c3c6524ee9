/* pgrehearse: relation names in the schemas of the workload's tables */
SELECT n.nspname::text AS schema_name, c.relname::text AS relation_name
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = ANY ($1::text[])
