/* pgrehearse: the functions that executing a view's statement ($1), or planning a statement of this text ($2), may call, with what speaks
   against each; the first is the reason to give.
   Stored expressions are node trees, in which functions, operators, types and relations stand by OID. Bodies of functions and the text of
   $2 are read by name, in any schema: rather too many than too few. */
WITH RECURSIVE trusted AS (
    SELECT oid FROM pg_catalog.pg_roles WHERE rolsuper OR rolname = current_user
),
reached (kind, oid) AS (
    SELECT 'relation', pg_catalog.to_regclass(nullif($1, ''))::oid
    UNION ALL
    SELECT 'text', 0::oid WHERE $2 <> '' AND EXISTS (SELECT FROM pg_catalog.pg_proc p WHERE p.oid >= 16384 AND p.proowner NOT IN (SELECT oid FROM trusted))
    UNION
    SELECT edge.kind, edge.oid
    FROM reached,
    LATERAL (
        WITH trees (tree) AS (
            SELECT concat(rule.ev_qual::text, rule.ev_action::text)
            FROM pg_catalog.pg_rewrite rule JOIN pg_catalog.pg_class c ON c.oid = rule.ev_class
            WHERE reached.kind = 'relation' AND rule.ev_class = reached.oid AND ($2 <> '' OR c.relkind = 'v')
            UNION ALL
            SELECT concat(policy.polqual::text, policy.polwithcheck::text) FROM pg_catalog.pg_policy policy
            WHERE reached.kind = 'relation' AND policy.polrelid = reached.oid
            UNION ALL
            SELECT def.adbin::text
            FROM pg_catalog.pg_attrdef def JOIN pg_catalog.pg_attribute a ON a.attrelid = def.adrelid AND a.attnum = def.adnum
            WHERE reached.kind = 'relation' AND def.adrelid = reached.oid AND ($2 <> '' OR a.attgenerated <> '')
            UNION ALL
            SELECT concat(i.indexprs::text, i.indpred::text) FROM pg_catalog.pg_index i
            WHERE $2 <> '' AND reached.kind = 'relation' AND i.indrelid = reached.oid
            UNION ALL
            SELECT k.conbin::text FROM pg_catalog.pg_constraint k
            WHERE $2 <> '' AND reached.kind = 'relation' AND k.conrelid = reached.oid
            UNION ALL
            SELECT key.partexprs::text FROM pg_catalog.pg_partitioned_table key
            WHERE $2 <> '' AND reached.kind = 'relation' AND key.partrelid = reached.oid
            UNION ALL
            SELECT statistics.stxexprs::text FROM pg_catalog.pg_statistic_ext statistics
            WHERE $2 <> '' AND reached.kind = 'relation' AND statistics.stxrelid = reached.oid
            UNION ALL
            SELECT k.conbin::text FROM pg_catalog.pg_constraint k
            WHERE reached.kind = 'type' AND k.contypid = reached.oid
            UNION ALL
            SELECT t.typdefaultbin::text FROM pg_catalog.pg_type t
            WHERE $2 <> '' AND reached.kind = 'type' AND t.oid = reached.oid
            UNION ALL
            SELECT concat(p.prosqlbody::text, p.proargdefaults::text) FROM pg_catalog.pg_proc p
            WHERE reached.kind = 'function' AND p.oid = reached.oid
        ),
        bodies (body) AS (
            SELECT lower(replace($2, '""', '"')) WHERE reached.kind = 'text'
            UNION ALL
            SELECT lower(replace(p.prosrc, '""', '"'))
            FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_language l ON l.oid = p.prolang
            WHERE reached.kind = 'function' AND p.oid = reached.oid AND p.oid >= 16384 AND l.lanname IN ('sql', 'plpgsql')
        ),
        words (word) AS (
            SELECT DISTINCT regexp_replace(found.parts[1], '^[0-9$]+', '')
            FROM bodies, regexp_matches(body, '[^\x01-\x23\x25-\x2f\x3a-\x40\x5b-\x5e\x60\x7b-\x7f]+', 'g') AS found (parts)
        ),
        calls (word) AS (
            SELECT DISTINCT found.parts[1]
            FROM bodies, regexp_matches(body, '([a-z_][a-z0-9_]*)"?\s*(?:\(|/\*|--)', 'g') AS found (parts)
        )
        SELECT 'function', found.parts[1]::oid
        FROM trees, regexp_matches(tree, ':(?:funcid|opfuncid|aggfnoid|winfnoid|startInRangeFunc|endInRangeFunc|tsmhandler) (\d+)', 'g') AS found (parts)
        UNION ALL
        SELECT 'operator', found.parts[1]::oid
        FROM trees, regexp_matches(tree, ':(?:opno|eqop|sortop) (\d+)', 'g') AS found (parts)
        UNION ALL
        SELECT 'operator', one.number::oid
        FROM trees, regexp_matches(tree, ':opnos \(o ([\d ]+)\)', 'g') AS found (parts), regexp_split_to_table(found.parts[1], ' +') AS one (number)
        UNION ALL
        SELECT 'relation', found.parts[1]::oid
        FROM trees, regexp_matches(tree, ':relid (\d+)', 'g') AS found (parts)
        UNION ALL
        SELECT 'type', found.parts[1]::oid
        FROM trees, regexp_matches(tree, ':(?:[a-z_]*type|[a-z_]*typeid) (\d+)', 'g') AS found (parts)
        UNION ALL
        SELECT 'function', p.oid
        FROM pg_catalog.pg_proc p
        WHERE EXISTS (SELECT FROM bodies) AND p.oid >= 16384
          AND (lower(p.proname) IN (SELECT word FROM words)
               OR (p.proname ~ '[^a-zA-Z0-9_]' OR octet_length(p.proname) > 60)
                  AND EXISTS (SELECT FROM bodies WHERE strpos(body, lower(p.proname)) > 0))
        UNION ALL
        SELECT 'function', p.oid
        FROM pg_catalog.pg_proc p
        WHERE EXISTS (SELECT FROM bodies) AND p.oid < 16384 AND p.proname IN (SELECT word FROM calls)
        UNION ALL
        SELECT 'operator', o.oid
        FROM pg_catalog.pg_operator o
        WHERE o.oid >= 16384 AND EXISTS (SELECT FROM bodies WHERE strpos(body, o.oprname) > 0)
        UNION ALL
        SELECT 'relation', c.oid
        FROM pg_catalog.pg_class c
        WHERE EXISTS (SELECT FROM bodies) AND c.relkind IN ('r', 'v', 'm', 'f', 'p')
          AND (lower(c.relname) IN (SELECT word FROM words)
               OR (c.relname ~ '[^a-zA-Z0-9_]' OR octet_length(c.relname) > 60)
                  AND EXISTS (SELECT FROM bodies WHERE strpos(body, lower(c.relname)) > 0))
        UNION ALL
        SELECT 'type', t.oid
        FROM pg_catalog.pg_type t
        WHERE EXISTS (SELECT FROM bodies) AND t.oid >= 16384
          AND (lower(t.typname) IN (SELECT word FROM words)
               OR (t.typname ~ '[^a-zA-Z0-9_]' OR octet_length(t.typname) > 60)
                  AND EXISTS (SELECT FROM bodies WHERE strpos(body, lower(t.typname)) > 0))
        UNION ALL
        SELECT 'relation', CASE WHEN inherits.inhparent = reached.oid THEN inherits.inhrelid ELSE inherits.inhparent END
        FROM pg_catalog.pg_inherits inherits
        WHERE reached.kind = 'relation' AND (inherits.inhparent = reached.oid OR inherits.inhrelid = reached.oid AND $2 <> '')
        UNION ALL
        SELECT 'type', a.atttypid FROM pg_catalog.pg_attribute a
        WHERE reached.kind = 'relation' AND a.attrelid = reached.oid AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 'function', one.number FROM pg_catalog.pg_operator o, unnest(ARRAY[o.oprcode, o.oprrest, o.oprjoin]::oid[]) AS one (number)
        WHERE reached.kind = 'operator' AND o.oid = reached.oid AND one.number <> 0
        UNION ALL
        SELECT 'function', one.number
        FROM pg_catalog.pg_aggregate a,
             unnest(ARRAY[a.aggtransfn, a.aggfinalfn, a.aggcombinefn, a.aggserialfn, a.aggdeserialfn, a.aggmtransfn, a.aggminvtransfn, a.aggmfinalfn]::oid[])
                 AS one (number)
        WHERE reached.kind = 'function' AND a.aggfnoid = reached.oid AND one.number <> 0
        UNION ALL
        SELECT 'type', one.number
        FROM pg_catalog.pg_type t, unnest(ARRAY[t.typbasetype, t.typelem]) AS one (number)
        WHERE reached.kind = 'type' AND t.oid = reached.oid AND one.number <> 0
        UNION ALL
        SELECT 'type', a.atttypid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid
        WHERE reached.kind = 'type' AND t.oid = reached.oid AND a.attnum > 0 AND NOT a.attisdropped
        UNION ALL
        SELECT 'type', range.rngsubtype FROM pg_catalog.pg_range range WHERE reached.kind = 'type' AND range.rngtypid = reached.oid
        UNION ALL
        SELECT 'function', one.number
        FROM pg_catalog.pg_range range, unnest(ARRAY[range.rngcanonical, range.rngsubdiff]::oid[]) AS one (number)
        WHERE reached.kind = 'type' AND range.rngtypid = reached.oid AND one.number <> 0
        UNION ALL
        SELECT 'function', k.castfunc FROM pg_catalog.pg_cast k
        WHERE reached.kind = 'type' AND (k.castsource = reached.oid OR k.casttarget = reached.oid) AND k.castfunc >= 16384
        UNION ALL
        SELECT 'function', support.amproc::oid
        FROM pg_catalog.pg_amproc support
        WHERE reached.kind = 'type' AND support.amproclefttype = reached.oid AND support.amproc >= 16384
        UNION ALL
        SELECT 'operator', member.amopopr FROM pg_catalog.pg_amop member
        WHERE reached.kind = 'type' AND member.amoplefttype = reached.oid AND member.amopopr >= 16384
    ) AS edge (kind, oid)
),
functions AS (
    SELECT p.oid, p.proname, p.provolatile, p.prosrc, p.proowner, p.prorettype = 'pg_catalog.tsm_handler'::pg_catalog.regtype AS is_sampling_method,
           p.oid::pg_catalog.regprocedure::text AS name, l.lanname,
           -- An extension's owner may put any function of theirs into it.
           (SELECT e.extowner FROM pg_catalog.pg_depend member JOIN pg_catalog.pg_extension e ON e.oid = member.refobjid
            WHERE member.classid = 'pg_catalog.pg_proc'::pg_catalog.regclass AND member.objid = p.oid AND member.deptype = 'e'
              AND member.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass) AS extension_owner
    FROM reached JOIN pg_catalog.pg_proc p USING (oid) JOIN pg_catalog.pg_language l ON l.oid = p.prolang
    WHERE reached.kind = 'function'
),
found (rank, problem, name, detail) AS (
    SELECT 1, 'volatile', name, NULL FROM functions WHERE $2 = '' AND provolatile = 'v' AND NOT is_sampling_method
    UNION ALL
    SELECT 1, 'reaches_outside', name, NULL FROM functions
    WHERE $2 = ''
      AND (oid < 16384 AND (proname ~ '^(table|schema|database)_to_xml'
                            OR proname IN ('txid_current', 'pg_current_xact_id', 'pg_tablespace_location', 'pg_available_extensions',
                                           'pg_available_extension_versions', 'pg_extension_update_paths', 'pg_timezone_names'))
           OR oid >= 16384 AND (proname ~ '^(crosstab|dblink)' OR proname IN ('connectby', 'xpath_table', 'xslt_process')))
    UNION ALL
    SELECT 2, 'locks_rows', NULL, NULL
    FROM reached JOIN pg_catalog.pg_rewrite rule ON rule.ev_class = reached.oid JOIN pg_catalog.pg_class c ON c.oid = rule.ev_class
    WHERE $2 = '' AND reached.kind = 'relation' AND c.relkind = 'v' AND rule.ev_action::text ~ ':rowMarks \('
    UNION ALL
    SELECT 3, 'foreign_table', c.oid::pg_catalog.regclass::text, NULL
    FROM reached JOIN pg_catalog.pg_class c USING (oid)
    WHERE $2 = '' AND reached.kind = 'relation' AND c.relkind = 'f'
    UNION ALL
    SELECT 4, 'language', name, lanname FROM functions
    WHERE $2 = '' AND oid >= 16384 AND lanname NOT IN ('internal', 'c', 'sql', 'plpgsql')
    UNION ALL
    SELECT 5, 'dynamic', name, NULL FROM functions
    WHERE $2 = '' AND oid >= 16384 AND lanname IN ('sql', 'plpgsql') AND prosrc ~* '\mexecute\M|u&"'
    UNION ALL
    SELECT 1, 'owner', f.name, f.proowner::pg_catalog.regrole::text FROM functions f
    WHERE $2 <> '' AND f.oid >= 16384
      AND f.proowner NOT IN (SELECT oid FROM trusted)
      AND (f.extension_owner IS NULL OR f.extension_owner NOT IN (SELECT oid FROM trusted))
    UNION ALL
    SELECT 2, 'unreadable', NULL, NULL WHERE $2 ~* 'u&"'
)
SELECT problem, name::text AS name, detail::text AS detail FROM found ORDER BY rank, name LIMIT 1
