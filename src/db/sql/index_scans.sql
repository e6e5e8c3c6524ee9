/* pgrehearse: the scans of every index, where it has any; and which cluster this is */
SELECT n.nspname::text AS schema_name,
       c.relname::text AS index_name,
       pg_catalog.pg_stat_get_numscans(c.oid) AS scans
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'i' AND pg_catalog.pg_stat_get_numscans(c.oid) > 0
