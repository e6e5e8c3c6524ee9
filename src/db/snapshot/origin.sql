/* pgrehearse: the server and its database's locale */
SELECT pg_catalog.current_setting('server_version_num')::integer AS version_num,
       pg_catalog.pg_encoding_to_char(d.encoding)::text AS encoding,
       coalesce(pg_catalog.to_jsonb(d) ->> 'datlocprovider', 'c') AS locale_provider,
       d.datcollate::text AS collation,
       d.datctype::text AS ctype,
       coalesce(pg_catalog.to_jsonb(d) ->> 'datlocale', pg_catalog.to_jsonb(d) ->> 'daticulocale') AS provider_locale,
       pg_catalog.to_jsonb(d) ->> 'daticurules' AS icu_rules,
       pg_catalog.current_setting('block_size')::integer AS block_size_bytes,
       d.datname::text AS database,
       pg_catalog.pg_is_in_recovery() AS in_recovery,
       current_user::text AS role
FROM pg_catalog.pg_database d
WHERE d.datname = pg_catalog.current_database()
