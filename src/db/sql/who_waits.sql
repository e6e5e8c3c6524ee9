/* pgrehearse: is our transaction visible, and how long has the session waited that waits longest for one of its locks? The connection
   may be a pooler's, so nothing is set, and every function and operator is named with its schema. */
WITH locks AS MATERIALIZED (
    SELECT pid, virtualtransaction, granted, waitstart FROM pg_catalog.pg_locks
)
SELECT EXISTS (SELECT FROM locks WHERE pid OPERATOR(pg_catalog.=) $1 AND virtualtransaction OPERATOR(pg_catalog.=) $2) AS is_visible,
       (SELECT (pg_catalog.max(pg_catalog.date_part('epoch', pg_catalog.clock_timestamp() OPERATOR(pg_catalog.-)
                                                             coalesce(waitstart, pg_catalog.clock_timestamp())))
                OPERATOR(pg_catalog.*) 1000::pg_catalog.float8)
        FROM locks
        WHERE NOT granted AND pid OPERATOR(pg_catalog.<>) $1
          AND $1 OPERATOR(pg_catalog.=) ANY (pg_catalog.pg_blocking_pids(pid))) AS waited_ms
