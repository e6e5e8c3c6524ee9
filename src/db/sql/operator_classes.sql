/* pgrehearse: operator classes for the types of these tables' columns and of common expressions, each with the operators it answers */
WITH of_columns AS (
    SELECT coalesce(nullif(t.typbasetype, 0), t.oid) AS oid
    FROM pg_catalog.pg_attribute a
    JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
    WHERE a.attrelid = ANY ($1::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
),
types AS (
    SELECT oid FROM of_columns
    UNION
    SELECT pg_catalog.unnest('{text,jsonb,tsvector,text[],point,box,circle,polygon}'::pg_catalog.regtype[]::pg_catalog.oid[])
    UNION -- tsrange(starts_at, ends_at)
    SELECT r.rngtypid FROM of_columns JOIN pg_catalog.pg_range r ON r.rngsubtype = of_columns.oid
    UNION -- geom::geography
    SELECT k.casttarget FROM of_columns
    JOIN pg_catalog.pg_cast k ON k.castsource = of_columns.oid AND k.castmethod = 'f'
    JOIN pg_catalog.pg_type s ON s.oid = k.castsource AND s.typcategory = 'U'
    JOIN pg_catalog.pg_type t ON t.oid = k.casttarget AND t.typcategory = 'U' AND t.typnamespace = s.typnamespace
    WHERE s.typnamespace <> 'pg_catalog'::pg_catalog.regnamespace
),
accepted AS (
    SELECT t.oid AS type_oid, c.oid AS class_oid
    FROM types
    JOIN pg_catalog.pg_type t USING (oid)
    JOIN pg_catalog.pg_opclass c
      ON c.opcintype = t.oid
      OR (c.opcintype = 'pg_catalog.anyarray'::pg_catalog.regtype AND t.typcategory = 'A' AND t.typelem <> 0)
      OR (c.opcintype = 'pg_catalog.anyrange'::pg_catalog.regtype AND t.typtype = 'r')
      OR (c.opcintype = 'pg_catalog.anymultirange'::pg_catalog.regtype AND t.typtype = 'm')
      OR (c.opcintype = 'pg_catalog.anyenum'::pg_catalog.regtype AND t.typtype = 'e')
      OR (c.opcintype <> 'pg_catalog.bpchar'::pg_catalog.regtype AND c.opcintype <> 'pg_catalog.oid'::pg_catalog.regtype
          AND EXISTS (SELECT FROM pg_catalog.pg_cast k
                      WHERE k.castsource = t.oid AND k.casttarget = c.opcintype AND k.castmethod = 'b' AND k.castcontext = 'i'))
    WHERE t.oid = 'pg_catalog.bpchar'::pg_catalog.regtype OR c.opcname !~ '^(bpchar|varchar)_'
)
SELECT am.amname::text AS method,
       CASE WHEN pg_catalog.pg_opclass_is_visible(c.oid) THEN pg_catalog.quote_ident(c.opcname)
            ELSE pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(c.opcname) END AS class_name,
       pg_catalog.format_type(accepted.type_oid, NULL) AS input_type,
       c.opcdefault AS is_default,
       array(SELECT DISTINCT o.oprname::text FROM pg_catalog.pg_amop s JOIN pg_catalog.pg_operator o ON o.oid = s.amopopr
             WHERE s.amopfamily = c.opcfamily AND s.amoplefttype = c.opcintype AND s.amoppurpose = 's' ORDER BY 1) AS searched,
       array(SELECT DISTINCT o.oprname::text FROM pg_catalog.pg_amop s JOIN pg_catalog.pg_operator o ON o.oid = s.amopopr
             WHERE s.amopfamily = c.opcfamily AND s.amoplefttype = c.opcintype AND s.amoppurpose = 'o' ORDER BY 1) AS ordered
FROM accepted
JOIN pg_catalog.pg_opclass c ON c.oid = accepted.class_oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.opcnamespace
JOIN pg_catalog.pg_am am ON am.oid = c.opcmethod
ORDER BY input_type, method, class_name
