/* pgrehearse: what is stored as trees of nodes, printed */
SELECT 'pg_attrdef' AS catalog, x.oid, 'adbin' AS stored, 'one' AS form, x.adrelid AS relation,
       pg_catalog.pg_get_expr(x.adbin, x.adrelid) AS printed,
       'the default of ' || a.attname || ' of ' || x.adrelid::pg_catalog.regclass AS described
FROM pg_catalog.pg_attrdef x
JOIN pg_catalog.pg_attribute a ON a.attrelid = x.adrelid AND a.attnum = x.adnum
UNION ALL
SELECT 'pg_constraint', x.oid, 'conbin', 'one', x.conrelid, pg_catalog.pg_get_expr(x.conbin, x.conrelid),
       'the constraint ' || x.conname || ' of ' || x.conrelid::pg_catalog.regclass
FROM pg_catalog.pg_constraint x
WHERE x.conbin IS NOT NULL AND x.conrelid <> 0
UNION ALL
SELECT 'pg_constraint', x.oid, 'conbin', 'domain', NULL,
       pg_catalog.format_type(t.typbasetype, t.typtypmod) || ' CHECK (' || pg_catalog.pg_get_expr(x.conbin, 0) || ')',
       'the constraint ' || x.conname || ' of the domain ' || t.typname
FROM pg_catalog.pg_constraint x
JOIN pg_catalog.pg_type t ON t.oid = x.contypid
WHERE x.conbin IS NOT NULL AND x.contypid >= 16384
UNION ALL
SELECT 'pg_index', x.indexrelid, stored.name, stored.form, x.indrelid, pg_catalog.pg_get_expr(stored.tree, x.indrelid),
       'the index ' || x.indexrelid::pg_catalog.regclass
FROM pg_catalog.pg_index x, LATERAL (VALUES ('indexprs', 'list', x.indexprs), ('indpred', 'one', x.indpred)) AS stored (name, form, tree)
WHERE stored.tree IS NOT NULL AND x.indexrelid >= 16384
UNION ALL
SELECT 'pg_partitioned_table', x.partrelid, 'partexprs', 'list', x.partrelid, pg_catalog.pg_get_expr(x.partexprs, x.partrelid),
       'the partition key of ' || x.partrelid::pg_catalog.regclass
FROM pg_catalog.pg_partitioned_table x
WHERE x.partexprs IS NOT NULL
UNION ALL
SELECT 'pg_policy', x.oid, stored.name, 'one', x.polrelid, pg_catalog.pg_get_expr(stored.tree, x.polrelid),
       'the policy ' || x.polname || ' of ' || x.polrelid::pg_catalog.regclass
FROM pg_catalog.pg_policy x, LATERAL (VALUES ('polqual', x.polqual), ('polwithcheck', x.polwithcheck)) AS stored (name, tree)
WHERE stored.tree IS NOT NULL
UNION ALL
SELECT 'pg_statistic_ext', x.oid, 'stxexprs', 'list', x.stxrelid, pg_catalog.pg_get_expr(x.stxexprs, x.stxrelid),
       'the statistics ' || x.stxname
FROM pg_catalog.pg_statistic_ext x
WHERE x.stxexprs IS NOT NULL
UNION ALL
SELECT 'pg_proc', x.oid, 'proargdefaults', 'list', NULL, pg_catalog.pg_get_expr(x.proargdefaults, 0),
       'the defaults of the function ' || x.oid::pg_catalog.regprocedure
FROM pg_catalog.pg_proc x
WHERE x.proargdefaults IS NOT NULL AND x.oid >= 16384
UNION ALL
SELECT 'pg_proc', x.oid, 'prosqlbody', 'function', NULL, pg_catalog.pg_get_functiondef(x.oid),
       'the function ' || x.oid::pg_catalog.regprocedure
FROM pg_catalog.pg_proc x
WHERE x.prosqlbody IS NOT NULL AND x.oid >= 16384
UNION ALL
SELECT 'pg_type', x.oid, 'typdefaultbin', 'one', NULL, pg_catalog.pg_get_expr(x.typdefaultbin, 0),
       'the default of the domain ' || x.typname
FROM pg_catalog.pg_type x
WHERE x.typdefaultbin IS NOT NULL AND x.oid >= 16384
UNION ALL
SELECT 'pg_rewrite', x.oid, stored.name, 'rule', x.ev_class, pg_catalog.pg_get_ruledef(x.oid),
       CASE WHEN x.rulename = '_RETURN' THEN 'the view ' ELSE 'the rule ' || x.rulename || ' of ' END || x.ev_class::pg_catalog.regclass
FROM pg_catalog.pg_rewrite x, LATERAL (VALUES ('ev_action', x.ev_action), ('ev_qual', x.ev_qual)) AS stored (name, tree)
WHERE stored.tree IS NOT NULL AND x.ev_class >= 16384
ORDER BY 1, 2, 3
