/* pgrehearse: how a foreign server is reached: options of the server, and of the user mapping where the role may read them. Of libpq's
   options only those that name no file, since files are on the server's machine. A server on this machine without an option "host" is
   reached as this one is. */
WITH server AS (
    SELECT s.oid, s.srvname, s.srvoptions
    FROM pg_catalog.pg_foreign_server s
    WHERE s.srvname = $1
),
mapping AS (
    SELECT m.umoptions
    FROM pg_catalog.pg_user_mappings m, server
    WHERE m.srvid = server.oid
      AND m.umuser IN (0, (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user))
    ORDER BY m.umuser DESC
    LIMIT 1
),
options AS (
    SELECT o.option_name, o.option_value, false AS of_user
    FROM server, pg_catalog.pg_options_to_table(server.srvoptions) AS o
    UNION ALL
    SELECT o.option_name, o.option_value, true
    FROM mapping, pg_catalog.pg_options_to_table(mapping.umoptions) AS o
)
SELECT (SELECT pg_catalog.count(*) FROM mapping) > 0 AS is_mapped,
       (SELECT pg_catalog.count(*) FROM mapping WHERE umoptions IS NOT NULL) > 0 AS is_readable,
       ARRAY(SELECT option_name FROM options
             WHERE option_name IN ('host', 'hostaddr', 'port', 'dbname', 'user', 'password', 'sslmode', 'connect_timeout')
             ORDER BY of_user, option_name) AS names,
       ARRAY(SELECT option_value FROM options
             WHERE option_name IN ('host', 'hostaddr', 'port', 'dbname', 'user', 'password', 'sslmode', 'connect_timeout')
             ORDER BY of_user, option_name) AS values,
       coalesce(pg_catalog.host(pg_catalog.inet_server_addr()),
                -- Not every role may see it.
                (SELECT pg_catalog.split_part(g.setting, ',', 1) FROM pg_catalog.pg_settings g WHERE g.name = 'unix_socket_directories')) AS own_host
FROM server
