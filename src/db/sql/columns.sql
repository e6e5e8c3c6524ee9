/* pgrehearse: columns with their statistics; of a partitioned table, those over all its partitions */
SELECT a.attrelid AS table_oid,
       a.attname::text AS column_name,
       pg_catalog.format_type(coalesce(nullif(t.typbasetype, 0), a.atttypid),
                              CASE WHEN t.typbasetype <> 0 THEN t.typtypmod ELSE a.atttypmod END) AS type_name,
       a.attnotnull AS not_null,
       EXISTS (SELECT FROM pg_catalog.pg_partitioned_table partitioned
               WHERE partitioned.partrelid = a.attrelid AND partitioned.partstrat IN ('l', 'r')
                 AND a.attnum = ANY (partitioned.partattrs)) AS names_partition,
       coalesce(CASE WHEN collation_name.collname = 'default'
                     THEN d.datcollate IN ('C', 'POSIX') AND coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') <> 'i'
                          OR coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') = 'b'
                     ELSE collation_name.collcollate IN ('C', 'POSIX') END, false) AS c_collation,
       CASE WHEN a.attcollation <> t.typcollation THEN collation_name.collname::text END AS collation,
       s.null_frac::float8 AS null_fraction,
       s.avg_width AS average_width,
       s.n_distinct::float8 AS distinct_values,
       s.most_common_vals::text::text[] AS most_common_values,
       s.most_common_freqs::float8[] AS most_common_shares,
       s.histogram_bounds::text::text[] AS histogram_bounds,
       s.correlation::float8 AS correlation,
       s.elem_count_histogram[pg_catalog.array_upper(s.elem_count_histogram, 1)]::float8 AS elements
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_database d ON d.datname = pg_catalog.current_database()
LEFT JOIN pg_catalog.pg_collation collation_name ON collation_name.oid = a.attcollation
-- OFFSET 0: looked up for each column. Joined, the whole view is compared with the columns, row by row, where the planner expects few.
LEFT JOIN LATERAL (
    SELECT stats.*
    FROM pg_catalog.pg_stats stats
    WHERE stats.schemaname = n.nspname AND stats.tablename = c.relname AND stats.attname = a.attname
      AND stats.inherited = (c.relkind = 'p')
    OFFSET 0
) AS s ON true
WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attrelid, a.attnum
