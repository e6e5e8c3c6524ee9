/* pgrehearse: foreign keys on and of these tables; those of partitions stand with their partitioned tables */
SELECT k.conname::text AS constraint_name,
       child_schema.nspname::text AS child_schema,
       child.relname::text AS child_name,
       parent_schema.nspname::text AS parent_schema,
       parent.relname::text AS parent_name,
       array(SELECT a.attname::text FROM pg_catalog.unnest(k.conkey) WITH ORDINALITY AS c (attnum, position)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.attnum ORDER BY position) AS columns,
       array(SELECT a.attname::text FROM pg_catalog.unnest(k.confkey) WITH ORDINALITY AS c (attnum, position)
             JOIN pg_catalog.pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.attnum ORDER BY position) AS parent_columns,
       -- && of a period (18), = of everything else.
       operators.names AS operators,
       k.confdeltype::text AS on_delete,
       k.confupdtype::text AS on_update,
       EXISTS (SELECT FROM pg_catalog.pg_index i
               JOIN pg_catalog.pg_class index_class ON index_class.oid = i.indexrelid
               JOIN pg_catalog.pg_am am ON am.oid = index_class.relam
                                           AND (am.amname = 'btree' OR am.amname = 'gist' AND '&&' = ANY (operators.names))
               WHERE i.indrelid = k.conrelid AND i.indisvalid AND i.indpred IS NULL
                 AND (i.indkey::smallint[])[0:pg_catalog.array_length(k.conkey, 1) - 1] OPERATOR(pg_catalog.@>) k.conkey) AS indexed,
       k.convalidated AND NOT k.condeferrable AND NOT parent.relrowsecurity
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgconstraint = k.oid AND t.tgenabled NOT IN ('O', 'A'))
           AND NOT EXISTS (SELECT FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class owner ON owner.oid = h.inhparent
                           WHERE h.inhparent IN (k.conrelid, k.confrelid) AND owner.relkind <> 'p')
           AND NOT EXISTS (SELECT FROM ROWS FROM (pg_catalog.unnest(k.conkey), pg_catalog.unnest(k.confkey)) AS both_keys (own, referred)
                           JOIN pg_catalog.pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = both_keys.own
                           JOIN pg_catalog.pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = both_keys.referred
                           WHERE a.atttypid <> b.atttypid OR a.attcollation <> b.attcollation) AS certain
FROM pg_catalog.pg_constraint k
JOIN pg_catalog.pg_class child ON child.oid = k.conrelid
JOIN pg_catalog.pg_namespace child_schema ON child_schema.oid = child.relnamespace
JOIN pg_catalog.pg_class parent ON parent.oid = k.confrelid
JOIN pg_catalog.pg_namespace parent_schema ON parent_schema.oid = parent.relnamespace
CROSS JOIN LATERAL (
    SELECT array(SELECT o.oprname::text FROM pg_catalog.unnest(k.conpfeqop) WITH ORDINALITY AS e (oid, position)
                 JOIN pg_catalog.pg_operator o ON o.oid = e.oid ORDER BY position) AS names
) AS operators
WHERE k.contype = 'f' AND k.conparentid = 0 AND (k.confrelid = ANY ($1::oid[]) OR k.conrelid = ANY ($1::oid[]))
ORDER BY child_schema, child_name, constraint_name
