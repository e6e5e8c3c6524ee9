/* pgrehearse: a view that calls what is volatile, or what depends on the clock or the session, is not the statement it was made of.
   The functions stand in the stored rules (pg_rewrite.ev_action) of the view and of those below it, by OID. */
DO $check$
DECLARE
    called text;
BEGIN
    WITH RECURSIVE used (relation) AS (
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
         WHERE proc.provolatile = 'v'
            OR proc.proname IN ('now', 'transaction_timestamp', 'statement_timestamp', 'current_setting', 'current_schemas', 'age')
               AND proc.provolatile = 's'),
        (SELECT 'CURRENT_DATE, CURRENT_USER or the like' FROM rules WHERE tree LIKE '%{SQLVALUEFUNCTION %' LIMIT 1))
    INTO called;
    IF called IS NOT NULL THEN
        RAISE EXCEPTION 'it calls %, which is not the same at any time and for everybody', called;
    END IF;
END
$check$
