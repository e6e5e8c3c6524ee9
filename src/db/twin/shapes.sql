/* pgrehearse: copied rows that PostgreSQL itself would not have made: the server trusts their functions and layouts */
SELECT 'the column ' || pg_catalog.quote_literal(a.attname) || ' has another layout than its type' AS fault
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid >= 16384 AND (a.attlen, a.attbyval, a.attalign) IS DISTINCT FROM (t.typlen, t.typbyval, t.typalign)
UNION ALL
SELECT 'the type ' || pg_catalog.quote_literal(t.typname) || ' has another layout than what it is made of'
FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_type base ON base.oid = t.typbasetype
WHERE t.oid >= 16384
  AND CASE t.typtype
          WHEN 'd' THEN (t.typlen, t.typbyval, t.typalign) IS DISTINCT FROM (base.typlen, base.typbyval, base.typalign)
          WHEN 'e' THEN (t.typlen, t.typbyval, t.typalign) IS DISTINCT FROM (4::int2, true, 'i'::"char")
          WHEN 'b' THEN t.typelem <> 0 AND t.typinput::oid = 750 AND (t.typlen <> -1 OR t.typbyval)
                        OR t.typlen < -2 OR t.typlen = 0 OR t.typbyval AND t.typlen NOT IN (1, 2, 4, 8)
          ELSE t.typlen <> -1 AND t.typtype <> 'p' OR t.typbyval AND t.typtype <> 'p'
      END
UNION ALL
SELECT 'a function of the type ' || pg_catalog.quote_literal(t.typname) || ' is not one for types'
FROM pg_catalog.pg_type t
JOIN pg_catalog.pg_proc p ON p.oid IN (t.typinput, t.typoutput, t.typanalyze, t.typmodin)
WHERE t.oid >= 16384
  AND NOT CASE
      WHEN t.typtype = 'd'
          THEN p.oid < 12000 AND p.proname = 'domain_in'
               OR EXISTS (SELECT FROM pg_catalog.pg_type base
                          WHERE base.oid = t.typbasetype AND p.oid IN (base.typoutput, base.typanalyze, base.typmodin))
      -- array_in, enum_in, range_in, multirange_in, record_in and their _out
      WHEN p.oid < 12000 AND p.proname ~ '^(array|enum|range|multirange|record|shell|any|cstring|void)_(in|out)$'
          THEN p.proname ~ CASE WHEN p.oid = t.typinput THEN '_in$' ELSE '_out$' END
               AND (p.proname ~ '^array_') = (t.typtype = 'b' AND t.typelem <> 0)
               AND (p.proname ~ '^enum_') >= (t.typtype = 'e') AND (p.proname ~ '^record_') >= (t.typtype = 'c')
               AND (p.proname ~ '^range_') >= (t.typtype = 'r') AND (p.proname ~ '^multirange_') >= (t.typtype = 'm')
      WHEN p.oid = t.typinput
          THEN p.prorettype = t.oid AND p.proargtypes[0] = 2275
               OR t.typtype = 'p'
      WHEN p.oid = t.typoutput
          THEN p.prorettype = 2275 AND (p.proargtypes[0] = t.oid OR t.typtype = 'p')
      WHEN p.oid = t.typanalyze THEN p.prorettype = 16 AND p.proargtypes::text = '2281'
      ELSE p.prorettype = 23 AND p.proargtypes::text = '1263'
  END
UNION ALL
SELECT 'the handler of the access method ' || pg_catalog.quote_literal(am.amname) || ' is none'
FROM pg_catalog.pg_am am JOIN pg_catalog.pg_proc p ON p.oid = am.amhandler
WHERE am.oid >= 16384 AND NOT (p.proargtypes::text = '2281' AND p.prorettype IN (325, 269))
UNION ALL
SELECT 'the handler of the language ' || pg_catalog.quote_literal(l.lanname) || ' is none'
FROM pg_catalog.pg_language l JOIN pg_catalog.pg_proc p ON p.oid = l.lanplcallfoid
WHERE l.oid >= 12000 AND NOT (p.pronargs = 0 AND p.prorettype = 2280)
UNION ALL
SELECT 'the support function of ' || pg_catalog.quote_literal(f.proname) || ' is none'
FROM pg_catalog.pg_proc f JOIN pg_catalog.pg_proc p ON p.oid = f.prosupport
WHERE f.oid >= 12000 AND NOT (p.proargtypes::text = '2281' AND p.prorettype = 2281)
UNION ALL
SELECT 'the estimator of the operator ' || pg_catalog.quote_literal(o.oprname) || ' is none'
FROM pg_catalog.pg_operator o JOIN pg_catalog.pg_proc p ON p.oid IN (o.oprrest, o.oprjoin)
WHERE o.oid >= 16384
  AND NOT (p.prorettype = 701
           AND p.proargtypes::text = CASE WHEN p.oid = o.oprrest THEN '2281 26 2281 23' ELSE '2281 26 2281 21 2281' END)
UNION ALL
SELECT 'the function of the operator ' || pg_catalog.quote_literal(o.oprname) || ' is of other types'
FROM pg_catalog.pg_operator o
JOIN pg_catalog.pg_proc p ON p.oid = o.oprcode
CROSS JOIN LATERAL (VALUES (CASE WHEN o.oprleft = 0 THEN NULL ELSE p.proargtypes[0] END, o.oprleft),
                           (p.proargtypes[CASE WHEN o.oprleft = 0 THEN 0 ELSE 1 END], o.oprright),
                           (p.prorettype, o.oprresult)) AS pair (one, other)
JOIN pg_catalog.pg_type a ON a.oid = pair.one
JOIN pg_catalog.pg_type b ON b.oid = pair.other
WHERE o.oid >= 16384 AND a.typtype <> 'p' AND (a.typlen, a.typbyval) IS DISTINCT FROM (b.typlen, b.typbyval)
UNION ALL
SELECT 'the function of a cast to ' || pg_catalog.quote_literal(b.typname) || ' is of other types'
FROM pg_catalog.pg_cast c
JOIN pg_catalog.pg_proc p ON p.oid = c.castfunc
CROSS JOIN LATERAL (VALUES (p.proargtypes[0], c.castsource), (p.prorettype, c.casttarget)) AS pair (one, other)
JOIN pg_catalog.pg_type a ON a.oid = pair.one
JOIN pg_catalog.pg_type b ON b.oid = pair.other
WHERE c.oid >= 16384 AND a.typtype <> 'p' AND (a.typlen, a.typbyval) IS DISTINCT FROM (b.typlen, b.typbyval)
LIMIT 1
