/* pgrehearse: keeps ANALYZE from resampling the table's own columns, so that only the new index's expressions get statistics and
   the plans before and after rest on the same ones; of a partitioned table also the partitions' */
SELECT pg_catalog.format('ALTER TABLE %s%s ', CASE WHEN c.relkind = 'p' THEN '' ELSE 'ONLY ' END, $1)
       || pg_catalog.string_agg(pg_catalog.format('ALTER COLUMN %I SET STATISTICS 0', a.attname), ', ' ORDER BY a.attnum) AS statement
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.oid = pg_catalog.to_regclass($1)
GROUP BY c.relkind
