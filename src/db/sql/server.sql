/* pgrehearse: server, and since when it counts */
SELECT pg_catalog.current_setting('server_version_num')::integer AS version_num,
       pg_catalog.current_setting('server_version') AS version,
       pg_catalog.current_database()::text AS database,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       pg_catalog.to_char(counted.since AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS counted_since,
       extract(epoch FROM pg_catalog.now() - counted.since)::float8 AS counted_for_s,
       counted.was_reset,
       (SELECT pg_catalog.count(*)::integer FROM pg_catalog.pg_stat_replication r
        WHERE r.state IS DISTINCT FROM 'backup'
          AND r.pid NOT IN (SELECT s.active_pid FROM pg_catalog.pg_replication_slots s
                            WHERE s.slot_type = 'logical' AND s.active_pid IS NOT NULL)) AS standbys
FROM pg_catalog.pg_database d
CROSS JOIN LATERAL (SELECT pg_catalog.pg_stat_get_db_stat_reset_time(d.oid) AS reset) AS own
CROSS JOIN LATERAL (
    SELECT coalesce(own.reset, least((SELECT stats_reset FROM pg_catalog.pg_stat_bgwriter),
                                     (SELECT stats_reset FROM pg_catalog.pg_stat_archiver))) AS since,
           own.reset IS NOT NULL AS was_reset
) AS counted
WHERE d.datname = pg_catalog.current_database()
