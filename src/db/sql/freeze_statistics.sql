/* pgrehearse: the clauses that keep ANALYZE from resampling the table's own columns, so that only the new index's expressions
   get statistics and the plans before and after rest on the same ones */
SELECT string_agg(format('ALTER COLUMN %I SET STATISTICS 0', attname), ', ' ORDER BY attnum) AS clauses
FROM pg_catalog.pg_attribute
WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped
