/* pgrehearse: leftovers. By their names, because to_regclass raises an error where the role has no USAGE on the schema */
SELECT pg_catalog.count(*) AS found
FROM ROWS FROM (pg_catalog.unnest($1::text[]), pg_catalog.unnest($2::text[])) AS wanted (schema, name)
JOIN pg_catalog.pg_namespace AS n ON n.nspname::text OPERATOR(pg_catalog.=) wanted.schema
JOIN pg_catalog.pg_class AS c ON c.relnamespace OPERATOR(pg_catalog.=) n.oid
    AND c.relname::text OPERATOR(pg_catalog.=) wanted.name
