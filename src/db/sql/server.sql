/* pgrehearse: server */
SELECT current_setting('server_version_num')::integer AS version_num,
       current_setting('server_version') AS version,
       current_database()::text AS database,
       pg_catalog.pg_is_in_recovery() AS in_recovery
