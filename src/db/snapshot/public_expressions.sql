/* pgrehearse: statistics of the expressions of extended statistics, in their order */
SELECT 0::oid AS relation, 0::int2 AS attribute, false AS inherited,
       s.null_frac AS null_fraction, s.avg_width AS width_bytes, s.n_distinct AS distinct_values,
       0::oid AS type, coalesce(t.typcollation, 0::oid) AS collation,
       s.common, s.common_type, s.most_common_freqs AS common_shares, s.bounds, s.bounds_type, s.correlation,
       s.elements, s.elements_type, s.most_common_elem_freqs AS element_shares, s.elem_count_histogram AS element_counts,
       NULL::text AS range_bounds, NULL::oid AS range_bounds_type, NULL::text AS range_lengths, NULL::float4 AS range_empty
FROM (
    SELECT s.*, pg_catalog.row_number() OVER () AS place,
           s.most_common_vals::text AS common, COMMON_TYPE AS common_type,
           s.histogram_bounds::text AS bounds, BOUNDS_TYPE AS bounds_type,
           s.most_common_elems::text AS elements, ELEMENTS_TYPE AS elements_type
    FROM pg_catalog.pg_stats_ext_exprs s
    JOIN pg_catalog.pg_namespace n ON n.nspname = s.statistics_schemaname
    JOIN pg_catalog.pg_statistic_ext e ON e.stxname = s.statistics_name AND e.stxnamespace = n.oid
    WHERE e.oid = $1 AND INHERITED = $2
) AS s
LEFT JOIN pg_catalog.pg_type t ON t.oid = coalesce(s.common_type, s.bounds_type)
ORDER BY s.place
