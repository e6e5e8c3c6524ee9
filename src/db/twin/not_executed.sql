/* Copied functions that nothing may execute: each becomes a function that only raises an error. (SQL functions of two statements are
   never inlined, and their text is read when they are called, so a statement that only names one can still be planned.)
   Executable are: SQL; PL/pgSQL; "internal" functions under another name, if everybody may call them; and C functions of libraries in
   the server's own library directory that everybody may call, and that the planner needs or that change nothing. proacl is not null
   where the server does not let everybody call a function. */
WITH plpgsql AS (
    SELECT l.oid, l.lanplcallfoid, l.laninline, l.lanvalidator
    FROM pg_catalog.pg_language l JOIN pg_catalog.pg_proc handler ON handler.oid = l.lanplcallfoid
    WHERE l.lanname = 'plpgsql' AND handler.probin = '$libdir/plpgsql' AND handler.prosrc = 'plpgsql_call_handler'
),
needed (oid) AS (
    SELECT x.oid FROM plpgsql p, LATERAL (VALUES (p.lanplcallfoid), (p.laninline), (p.lanvalidator)) AS x (oid)
    UNION
    SELECT amhandler::pg_catalog.oid FROM pg_catalog.pg_am
    UNION
    SELECT amproc::pg_catalog.oid FROM pg_catalog.pg_amproc
    UNION
    SELECT x.oid::pg_catalog.oid FROM pg_catalog.pg_operator o, LATERAL (VALUES (o.oprcode), (o.oprrest), (o.oprjoin)) AS x (oid)
    UNION
    SELECT x.oid::pg_catalog.oid
    FROM pg_catalog.pg_type t,
         LATERAL (VALUES (t.typinput), (t.typoutput), (t.typreceive), (t.typsend), (t.typmodin), (t.typmodout), (t.typanalyze),
                         (t.typsubscript)) AS x (oid)
    UNION
    SELECT x.oid::pg_catalog.oid
    FROM pg_catalog.pg_ts_parser s,
         LATERAL (VALUES (s.prsstart), (s.prstoken), (s.prsend), (s.prsheadline), (s.prslextype)) AS x (oid)
    UNION
    SELECT x.oid::pg_catalog.oid FROM pg_catalog.pg_ts_template t, LATERAL (VALUES (t.tmplinit), (t.tmpllexize)) AS x (oid)
),
builtin AS (
    SELECT p.prosrc, p.pronargs
    FROM pg_catalog.pg_proc p
    WHERE p.oid < 12000 AND p.prolang = 12 AND pg_catalog.has_function_privilege('public', p.oid, 'EXECUTE')
),
judged AS (
    SELECT p.oid,
           CASE
               WHEN p.prolang NOT IN (12, 13, 14) AND p.prolang NOT IN (SELECT plpgsql.oid FROM plpgsql)
                   THEN 'its language is ' || coalesce((SELECT l.lanname::text FROM pg_catalog.pg_language l WHERE l.oid = p.prolang), 'unknown')
               -- Who makes an operator or a type of a function may call it.
               WHEN p.prolang IN (12, 13) AND p.proacl IS NOT NULL
                    AND p.oid NOT IN (SELECT needed.oid FROM needed WHERE needed.oid IS NOT NULL)
                   THEN 'not everybody may call it'
               WHEN p.prolang = 12 AND NOT EXISTS (SELECT FROM builtin b WHERE b.prosrc = p.prosrc AND b.pronargs = p.pronargs)
                   THEN 'no function that everybody may call is ' || p.prosrc
               WHEN p.prolang = 13 AND p.probin !~ '^\$libdir/[A-Za-z0-9_][A-Za-z0-9_.-]*$'
                   THEN 'its library is ' || p.probin
               WHEN p.prolang = 13 AND p.probin ~ '^\$libdir/pl' AND p.probin <> '$libdir/plpgsql'
                   THEN 'its library is ' || p.probin
               -- Types internal and cstring: only such functions may take or return them.
               WHEN p.prolang NOT IN (12, 13)
                    AND (p.prorettype IN (2275, 2281) OR p.proargtypes::oid[] && ARRAY[2275, 2281]::oid[])
                   THEN 'it takes or returns internal values'
               WHEN p.prolang = 13 AND p.provolatile = 'v'
                    -- index_am_handler, table_am_handler, tsm_handler
                    AND p.prorettype NOT IN (325, 269, 3310)
                    AND p.oid NOT IN (SELECT needed.oid FROM needed WHERE needed.oid IS NOT NULL)
                   THEN 'it is volatile and of the library ' || p.probin
           END AS reason
    FROM pg_catalog.pg_proc p
    -- The row of an aggregate has no code.
    WHERE p.oid >= 12000 AND p.prokind <> 'a'
)
UPDATE pg_catalog.pg_proc p
SET prolang = 14, probin = NULL, prosqlbody = NULL, prosecdef = true,
    prosrc = 'SELECT 1; SELECT CAST(' || pg_catalog.quote_literal('the planner twin does not execute ' || p.proname || ': ' || judged.reason)
             || ' AS pg_catalog.int4)'
FROM judged
WHERE judged.oid = p.oid AND judged.reason IS NOT NULL
