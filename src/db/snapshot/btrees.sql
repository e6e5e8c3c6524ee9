/* pgrehearse: btrees in the types' own orders: a query that each can answer by being read from one end to the other */
SELECT i.indexrelid AS oid,
       i.indrelid AS relation,
       n.nspname::text AS schema_name,
       c.relname::text AS index_name,
       pg_catalog.format(
           'SELECT FROM ONLY %I.%I %s ORDER BY %s', n.nspname, t.relname,
           'WHERE ' || pg_catalog.pg_get_expr(i.indpred, i.indrelid),
           pg_catalog.string_agg(
               pg_catalog.pg_get_indexdef(i.indexrelid, number, false)
               || CASE WHEN i.indoption[number - 1] & 1 <> 0 THEN ' DESC' ELSE '' END
               || CASE WHEN i.indoption[number - 1] & 2 <> 0 THEN ' NULLS FIRST' ELSE ' NULLS LAST' END,
               ', ' ORDER BY number)
       ) AS query
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
JOIN pg_catalog.pg_am am ON am.oid = c.relam AND am.amname = 'btree'
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace AND n.oid = c.relnamespace
CROSS JOIN LATERAL pg_catalog.generate_series(1, i.indnkeyatts::integer) AS number
WHERE i.indexrelid = ANY ($1::oid[]) AND i.indisvalid AND i.indrelid <> ALL ($2::oid[])
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l
                  WHERE l.locktype = 'relation' AND l.relation IN (t.oid, c.oid) AND l.mode = 'AccessExclusiveLock'
                    AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid())
GROUP BY i.indexrelid, i.indrelid, i.indpred, n.nspname, c.relname, t.relname
HAVING pg_catalog.bool_and((SELECT o.opcdefault FROM pg_catalog.pg_opclass o WHERE o.oid = i.indclass[number - 1]))
ORDER BY 1
