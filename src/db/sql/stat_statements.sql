/* pgrehearse: the statements of this database that took most time */
SELECT s.queryid::text AS query_id, s.query, WITHIN_FUNCTION AS within_function, pg_catalog.sum(s.calls)::float8 AS calls,
       array(SELECT DISTINCT pg_catalog.pg_get_userbyid(other) FROM pg_catalog.unnest(pg_catalog.array_agg(s.userid)) AS other
             WHERE other <> (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
             ORDER BY 1)::text[] AS authors,
       (pg_catalog.sum(s.rows) / nullif(pg_catalog.sum(s.calls), 0))::float8 AS rows_per_call,
       (pg_catalog.sum(s.total_exec_time) / nullif(pg_catalog.sum(s.calls), 0))::float8 AS mean_time_ms
FROM SCHEMA.pg_stat_statements s
JOIN pg_catalog.pg_database d ON d.oid = s.dbid AND d.datname = pg_catalog.current_database()
WHERE s.query ~* '^\s*(/\*.*?\*/\s*|--[^\n]*\n\s*)*(select|insert|update|delete|merge|with|values|table)\M'
  AND s.query !~ '^\s*(\w+\s+)?/\* pgrehearse'
GROUP BY s.queryid, s.query
ORDER BY pg_catalog.sum(s.total_exec_time) DESC, s.queryid
LIMIT $1
