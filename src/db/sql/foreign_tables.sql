/* pgrehearse: which tables of which servers these foreign tables stand for */
SELECT n.nspname::text AS schema_name,
       c.relname::text AS table_name,
       s.srvname::text AS server_name,
       w.fdwname::text AS wrapper_name,
       coalesce(handler.prosrc = 'postgres_fdw_handler' AND handler.probin = '$libdir/postgres_fdw', false) AS is_postgres,
       (SELECT o.option_value FROM pg_catalog.pg_options_to_table(s.srvoptions) AS o WHERE o.option_name = 'dbname') AS remote_database,
       coalesce((SELECT o.option_value FROM pg_catalog.pg_options_to_table(t.ftoptions) AS o WHERE o.option_name = 'schema_name'),
                n.nspname::text) AS remote_schema,
       coalesce((SELECT o.option_value FROM pg_catalog.pg_options_to_table(t.ftoptions) AS o WHERE o.option_name = 'table_name'),
                c.relname::text) AS remote_table,
       coalesce((SELECT o.option_value FROM pg_catalog.pg_options_to_table(t.ftoptions) AS o WHERE o.option_name = 'use_remote_estimate'),
                (SELECT o.option_value FROM pg_catalog.pg_options_to_table(s.srvoptions) AS o WHERE o.option_name = 'use_remote_estimate'),
                'false') AS use_remote_estimate,
       coalesce((SELECT o.option_value FROM pg_catalog.pg_options_to_table(t.ftoptions) AS o WHERE o.option_name = 'fetch_size'),
                (SELECT o.option_value FROM pg_catalog.pg_options_to_table(s.srvoptions) AS o WHERE o.option_name = 'fetch_size')) AS fetch_size,
       ARRAY(SELECT a.attname::text FROM pg_catalog.pg_attribute a, pg_catalog.pg_options_to_table(a.attfdwoptions) AS o
             WHERE a.attrelid = c.oid AND NOT a.attisdropped AND o.option_name = 'column_name' ORDER BY a.attnum) AS columns_here,
       ARRAY(SELECT o.option_value FROM pg_catalog.pg_attribute a, pg_catalog.pg_options_to_table(a.attfdwoptions) AS o
             WHERE a.attrelid = c.oid AND NOT a.attisdropped AND o.option_name = 'column_name' ORDER BY a.attnum) AS columns_there
FROM pg_catalog.pg_foreign_table t
JOIN pg_catalog.pg_class c ON c.oid = t.ftrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_foreign_server s ON s.oid = t.ftserver
JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = s.srvfdw
LEFT JOIN pg_catalog.pg_proc handler ON handler.oid = w.fdwhandler
WHERE c.oid = ANY ($1::oid[])
ORDER BY 1, 2
