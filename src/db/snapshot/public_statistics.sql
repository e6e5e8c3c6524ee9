/* pgrehearse: statistics as the view shows them to who may read the columns */
SELECT a.attrelid AS relation, a.attnum AS attribute, s.inherited,
       s.null_frac AS null_fraction, s.avg_width AS width_bytes, s.n_distinct AS distinct_values,
       a.atttypid AS type, a.attcollation AS collation,
       s.most_common_vals::text AS common, COMMON_TYPE AS common_type, s.most_common_freqs AS common_shares,
       s.histogram_bounds::text AS bounds, BOUNDS_TYPE AS bounds_type, s.correlation,
       s.most_common_elems::text AS elements, ELEMENTS_TYPE AS elements_type,
       s.most_common_elem_freqs AS element_shares, s.elem_count_histogram AS element_counts,
       RANGES
FROM pg_catalog.pg_stats s
JOIN pg_catalog.pg_namespace n ON n.nspname = s.schemaname
JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = s.tablename
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = s.attname
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE c.oid = ANY ($1::oid[])
ORDER BY 1, 2, 3
