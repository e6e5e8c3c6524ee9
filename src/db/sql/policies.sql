/* pgrehearse: the policies that tables' statements are planned with, and the bodies of functions that they call */
SELECT p.polrelid AS relation,
       p.polname::pg_catalog.text AS policy_name,
       pg_catalog.row_security_active(p.polrelid) AS applies,
       role.rolname::pg_catalog.text AS role_name,
       pg_catalog.pg_get_expr(p.polqual, p.polrelid) AS condition,
       ARRAY(SELECT f.prosrc
             FROM pg_catalog.pg_depend d
             JOIN pg_catalog.pg_proc f ON f.oid = d.refobjid
             WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND d.objid = p.oid
               AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
             ORDER BY f.oid)::pg_catalog.text[] AS bodies,
       ARRAY(SELECT f.proname
             FROM pg_catalog.pg_depend d
             JOIN pg_catalog.pg_proc f ON f.oid = d.refobjid
             WHERE d.classid = 'pg_catalog.pg_policy'::pg_catalog.regclass AND d.objid = p.oid
               AND d.refclassid = 'pg_catalog.pg_proc'::pg_catalog.regclass
             ORDER BY f.oid)::pg_catalog.text[] AS functions
FROM pg_catalog.pg_policy p
JOIN ({subjects}) AS subject ON subject.relation = p.polrelid
LEFT JOIN pg_catalog.pg_roles role ON role.oid = subject.role
WHERE p.polrelid = ANY ($1::oid[])
  AND (0 = ANY (p.polroles)
       OR EXISTS (SELECT FROM unnest(p.polroles) AS named (oid) WHERE pg_catalog.pg_has_role(subject.role, named.oid, 'USAGE')))
ORDER BY p.polrelid, p.polname
