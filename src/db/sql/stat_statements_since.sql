/* pgrehearse: for how long pg_stat_statements has counted; before its first reset it says 2000-01-01, and counts since the server's
   statistics began, as both are thrown away by a crash */
SELECT extract(epoch FROM pg_catalog.now() - coalesce(nullif(i.stats_reset, timestamptz '2000-01-01 00:00:00+00'),
                                           least((SELECT stats_reset FROM pg_catalog.pg_stat_bgwriter),
                                                 (SELECT stats_reset FROM pg_catalog.pg_stat_archiver))))::float8 AS counted_for_s
FROM SCHEMA.pg_stat_statements_info i
