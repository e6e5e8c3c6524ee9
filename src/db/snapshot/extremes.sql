/* pgrehearse: the columns that a whole btree with the type's own order starts with: the planner looks at its ends */
SELECT DISTINCT t.oid AS relation, a.attnum AS attribute,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(t.relname) AS table_name,
       pg_catalog.quote_ident(a.attname) AS column_name
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid
JOIN pg_catalog.pg_am am ON am.oid = c.relam AND am.amname = 'btree'
JOIN pg_catalog.pg_opclass o ON o.oid = i.indclass[0] AND o.opcdefault
JOIN pg_catalog.pg_class t ON t.oid = i.indrelid
JOIN pg_catalog.pg_namespace n ON n.oid = t.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
WHERE i.indexrelid = ANY ($1::oid[]) AND i.indisvalid AND i.indpred IS NULL AND t.relkind IN ('r', 'm')
  AND t.oid <> ALL ($2::oid[])
  AND pg_catalog.has_column_privilege(t.oid, a.attnum, 'SELECT')
  AND NOT EXISTS (SELECT FROM pg_catalog.pg_locks l
                  WHERE l.locktype = 'relation' AND l.relation IN (t.oid, c.oid) AND l.mode = 'AccessExclusiveLock'
                    AND l.pid IS DISTINCT FROM pg_catalog.pg_backend_pid())
ORDER BY 1, 2
