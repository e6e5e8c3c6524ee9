/* pgrehearse: the schemas in which relations of these names are found; the path is that of a file, so every name is qualified */
SELECT wanted.name AS name, n.nspname::pg_catalog.text AS schema_name
FROM pg_catalog.unnest($1::pg_catalog.text[]) AS wanted (name)
JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(pg_catalog.quote_ident(wanted.name))::pg_catalog.oid
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
