/* pgrehearse: sessions with a lock that an index build waits for */
SELECT DISTINCT l.pid
FROM pg_catalog.pg_locks l
WHERE l.granted
  AND l.locktype = 'relation'
  AND l.pid <> pg_catalog.pg_backend_pid()
  AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = pg_catalog.current_database())
  AND l.relation IN (
      SELECT pg_catalog.to_regclass($1)::oid
      UNION
      SELECT relid::oid FROM pg_catalog.pg_partition_tree(pg_catalog.to_regclass($1))
  )
  AND l.mode NOT IN ('AccessShareLock', 'RowShareLock')
ORDER BY l.pid
LIMIT 5
