/* pgrehearse: the operators that ANALYZE compares values of types with: those of the default btree operator class, else of the hash one */
WITH RECURSIVE base (asked, type) AS (
    SELECT oid, oid FROM pg_catalog.unnest($1::oid[]) AS oid
    UNION ALL
    SELECT base.asked, t.typbasetype
    FROM base JOIN pg_catalog.pg_type t ON t.oid = base.type
    WHERE t.typtype = 'd'
),
choice AS (
    SELECT DISTINCT ON (base.asked, am.amname) base.asked, am.amname, o.opcfamily, o.opcintype
    FROM base
    JOIN pg_catalog.pg_type t ON t.oid = base.type AND t.typtype <> 'd'
    CROSS JOIN pg_catalog.pg_opclass o
    JOIN pg_catalog.pg_am am ON am.oid = o.opcmethod AND am.amname IN ('btree', 'hash')
    JOIN pg_catalog.pg_type input ON input.oid = o.opcintype
    WHERE o.opcdefault
      AND (o.opcintype = t.oid
           OR input.typname = CASE WHEN t.typtype = 'e' THEN 'anyenum'
                                   WHEN t.typtype = 'r' THEN 'anyrange'
                                   WHEN t.typtype = 'm' THEN 'anymultirange'
                                   WHEN t.typtype = 'c' THEN 'record'
                                   WHEN t.typelem <> 0 AND t.typlen = -1 THEN 'anyarray'
                              END
              AND input.typnamespace = 'pg_catalog'::pg_catalog.regnamespace
           OR EXISTS (SELECT FROM pg_catalog.pg_cast k
                      WHERE k.castsource = t.oid AND k.casttarget = o.opcintype AND k.castmethod = 'b' AND k.castcontext = 'i'))
    ORDER BY base.asked, am.amname, (o.opcintype = t.oid) DESC, input.typispreferred DESC, input.oid
)
SELECT asked AS type,
       coalesce(pg_catalog.max(op.amopopr) FILTER (WHERE amname = 'btree' AND op.amopstrategy = 3),
                pg_catalog.max(op.amopopr) FILTER (WHERE amname = 'hash' AND op.amopstrategy = 1), 0::oid) AS equal,
       coalesce(pg_catalog.max(op.amopopr) FILTER (WHERE amname = 'btree' AND op.amopstrategy = 1), 0::oid) AS less
FROM choice
JOIN pg_catalog.pg_amop op ON op.amopfamily = choice.opcfamily AND op.amoplefttype = choice.opcintype
                          AND op.amoprighttype = choice.opcintype
GROUP BY asked
ORDER BY asked
