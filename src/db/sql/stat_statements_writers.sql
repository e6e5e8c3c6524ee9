/* pgrehearse: other texts of this database that may write: what they write is in the tables' counters and in no statement */
SELECT s.queryid::text AS query_id, s.query
FROM SCHEMA.pg_stat_statements s
JOIN pg_catalog.pg_database d ON d.oid = s.dbid AND d.datname = pg_catalog.current_database()
WHERE s.query ~* '^\s*(/\*.*?\*/\s*|--[^\n]*\n\s*)*(insert|update|merge|with|copy|do|call|execute)\M'
  AND s.query !~ '^\s*(\w+\s+)?/\* pgrehearse'
