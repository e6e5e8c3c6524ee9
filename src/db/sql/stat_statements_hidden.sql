/* pgrehearse: statements of other users in this database whose texts the role may not see; then neither is their queryid shown */
SELECT pg_catalog.count(*) AS hidden, current_user::text AS role
FROM SCHEMA.pg_stat_statements s
JOIN pg_catalog.pg_database d ON d.oid = s.dbid AND d.datname = pg_catalog.current_database()
WHERE s.query = '<insufficient privilege>' AND s.queryid IS NULL
