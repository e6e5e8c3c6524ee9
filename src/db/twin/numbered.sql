/* pgrehearse: objects of PostgreSQL itself: those whose numbers differ between versions, and those whose numbers must not */
SELECT 'class' AS kind, m.amname || ' ' || c.opcname || ' ' || c.opcintype AS name, c.oid
FROM pg_catalog.pg_opclass c
JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod
WHERE c.oid < 12000
UNION ALL
SELECT 'collation', c.collname || ' ' || c.collencoding, c.oid
FROM pg_catalog.pg_collation c
WHERE c.collnamespace = 'pg_catalog'::pg_catalog.regnamespace
UNION ALL
SELECT 'function', p.proname || ' ' || p.probin || ' ' || p.prosrc || ' ' || p.proargtypes::pg_catalog.text, p.oid
FROM pg_catalog.pg_proc p
WHERE p.oid BETWEEN 12000 AND 16383 AND p.probin IS NOT NULL
UNION ALL
SELECT 'fixed', 'the type ' || t.typname, t.oid FROM pg_catalog.pg_type t WHERE t.oid < 10000
UNION ALL
SELECT 'fixed', 'the operator ' || o.oprname || ' ' || o.oprleft || ' ' || o.oprright, o.oid FROM pg_catalog.pg_operator o WHERE o.oid < 10000
UNION ALL
SELECT 'fixed', 'the operator family ' || f.opfname || ' ' || f.opfmethod, f.oid FROM pg_catalog.pg_opfamily f WHERE f.oid < 10000
ORDER BY 1, 2
