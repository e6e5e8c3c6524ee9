DECLARE
    missing text;
BEGIN
    SELECT pg_catalog.string_agg(wanted.name, ', ') INTO missing
    FROM pg_catalog.unnest(ARRAY[{names}]) AS wanted(name)
    LEFT JOIN pg_catalog.pg_index AS built ON built.indexrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass(wanted.name)
    WHERE built.indisvalid IS NOT TRUE;
    IF missing IS NOT NULL THEN
        RAISE EXCEPTION 'missing or invalid: %', missing
            USING HINT = 'Drop what is invalid with DROP INDEX CONCURRENTLY, and run this file again.';
    END IF;
END
