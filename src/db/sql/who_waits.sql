/* pgrehearse: is our transaction visible, and how long has the session waited that waits longest for one of its locks? */
WITH locks AS MATERIALIZED (
    SELECT pid, virtualtransaction, granted, waitstart FROM pg_catalog.pg_locks
)
SELECT EXISTS (SELECT FROM locks WHERE pid = $1 AND virtualtransaction = $2) AS is_visible,
       (SELECT pg_catalog.max(extract(epoch FROM pg_catalog.clock_timestamp() - coalesce(waitstart, pg_catalog.clock_timestamp())) * 1000)::float8
        FROM locks
        WHERE NOT granted AND pid <> $1 AND $1 = ANY (pg_catalog.pg_blocking_pids(pid))) AS waited_ms
