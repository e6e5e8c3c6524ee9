/* pgrehearse: a view that calls what is not immutable, or reads what only some may see (row-level security), what is of a session, or a
   sample, is not the statement it was made of.
   The functions stand in the stored rules (pg_rewrite.ev_action) of the view and of those below it, by OID. */
DO $check$
DECLARE
    called pg_catalog.text;
    path pg_catalog.text := pg_catalog.current_setting('search_path');
BEGIN
    PERFORM /* pgrehearse */ pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true);
    WITH /* pgrehearse */ RECURSIVE used (relation) AS (
        SELECT pg_catalog.to_regclass($1)::oid
        UNION
        SELECT depend.refobjid
        FROM used
        JOIN pg_catalog.pg_rewrite rule ON rule.ev_class = used.relation
        JOIN pg_catalog.pg_depend depend ON depend.classid = 'pg_catalog.pg_rewrite'::pg_catalog.regclass AND depend.objid = rule.oid
        WHERE depend.refclassid = 'pg_catalog.pg_class'::pg_catalog.regclass
    ),
    rules AS (
        SELECT rule.ev_action::text AS tree FROM used JOIN pg_catalog.pg_rewrite rule ON rule.ev_class = used.relation
    ),
    functions AS (
        SELECT (pg_catalog.regexp_matches(tree, ':(?:funcid|opfuncid|aggfnoid|winfnoid|typinput) ([0-9]+)', 'g'))[1]::oid AS oid FROM rules
    )
    SELECT coalesce(
        (SELECT pg_catalog.min(proc.oid::pg_catalog.regprocedure::text)
         FROM functions JOIN pg_catalog.pg_proc proc USING (oid)
         WHERE proc.provolatile <> 'i'),
        (SELECT 'CURRENT_DATE, CURRENT_USER or the like' FROM rules WHERE tree LIKE '%{SQLVALUEFUNCTION %' LIMIT 1),
        (SELECT 'a cast through text' FROM rules WHERE tree LIKE '%{COERCEVIAIO %' LIMIT 1),
        (SELECT 'TABLESAMPLE' FROM rules WHERE tree LIKE '%{TABLESAMPLECLAUSE %' LIMIT 1),
        (SELECT pg_catalog.min(class.oid::pg_catalog.regclass::text)
         FROM used JOIN pg_catalog.pg_class class ON class.oid = used.relation
         WHERE class.relrowsecurity OR class.relpersistence = 't'
            OR class.relnamespace IN ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace)))
    INTO called;
    IF called IS NOT NULL THEN
        RAISE EXCEPTION 'it uses %, which is not the same at any time and for everybody', called;
    END IF;
    PERFORM /* pgrehearse */ pg_catalog.set_config('search_path', path, true);
END
$check$
