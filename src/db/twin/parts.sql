/* pgrehearse: an index, and its partitions' indexes */
SELECT c.oid, c.relname::text AS index_name, i.indrelid AS table_oid, i.indrelid::regclass::text AS table_name,
       CASE WHEN c.relkind = 'i' THEN pg_relation_filepath(c.oid) END AS path,
       am.amname::text AS method,
       pg_get_indexdef(c.oid) AS definition,
       i.indnkeyatts AS key_count,
       i.indisunique AS is_unique,
       (SELECT o.option_value::int FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'fillfactor')::int2 AS fillfactor,
       coalesce((SELECT o.option_value::bool FROM pg_options_to_table(c.reloptions) o WHERE o.option_name = 'deduplicate_items'), true)
           AS deduplicate_items,
       pg_get_expr(i.indpred, i.indrelid) AS predicate,
       a.lengths, a.alignments, a.texts,
       i.indkey::int2[] AS attributes,
       (SELECT array_agg(o.opcname::text ORDER BY k.number)
        FROM unnest(i.indclass::oid[]) WITH ORDINALITY AS k (oid, number) JOIN pg_opclass o ON o.oid = k.oid) AS classes
-- OFFSET 0: the definitions of other indexes are not asked for, which may need a library that is not here.
FROM (SELECT c.* FROM pg_class c
      WHERE c.oid IN (SELECT to_regclass($1)::oid UNION SELECT relid::oid FROM pg_partition_tree(to_regclass($1)))
      OFFSET 0) AS c
JOIN pg_am am ON am.oid = c.relam
JOIN pg_index i ON i.indexrelid = c.oid
CROSS JOIN LATERAL (
    SELECT array_agg(a.attlen ORDER BY a.attnum) AS lengths,
           array_agg(CASE a.attalign WHEN 'c' THEN 1 WHEN 's' THEN 2 WHEN 'i' THEN 4 ELSE 8 END::int2 ORDER BY a.attnum) AS alignments,
           array_agg(pg_get_indexdef(c.oid, a.attnum, false) ORDER BY a.attnum) AS texts
    FROM pg_attribute a WHERE a.attrelid = c.oid
) AS a
ORDER BY c.oid = to_regclass($1) DESC, c.oid
