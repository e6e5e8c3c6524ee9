/* pgrehearse: the role whose policies a table's statements are planned with. That is the role that asks where they apply to it, and otherwise
   the one that most of the table's policies are for; null is PUBLIC. */
SELECT c.oid AS relation,
       CASE WHEN pg_catalog.row_security_active(c.oid) THEN (SELECT r.oid FROM pg_catalog.pg_roles r WHERE r.rolname = current_user)
            ELSE (SELECT r.oid
                  FROM pg_catalog.pg_roles r
                  WHERE NOT r.rolsuper AND NOT r.rolbypassrls
                    AND EXISTS (SELECT FROM pg_catalog.pg_policy p WHERE p.polrelid = c.oid AND r.oid = ANY (p.polroles))
                  ORDER BY (SELECT pg_catalog.count(*)
                            FROM pg_catalog.pg_policy p
                            WHERE p.polrelid = c.oid
                              AND EXISTS (SELECT FROM pg_catalog.unnest(p.polroles) AS named (oid)
                                          WHERE named.oid <> 0 AND pg_catalog.pg_has_role(r.oid, named.oid, 'USAGE'))) DESC,
                           r.rolname
                  LIMIT 1)
       END AS role
FROM pg_catalog.pg_class c
WHERE c.relrowsecurity
