x.objid >= 16384 AND (x.refobjid >= 16384 OR (x.refclassid = 2615 AND x.refobjid = 2200 /* public */)) AND x.deptype IN ('n', 'a', 'i', 'P', 'S')
AND x.classid IN (1247, 1255, 1259, 2604, 2606, 2618, 2620, 3256, 3381)
AND x.refclassid IN (1247, 1255, 1259, 2604, 2606, 2615, 2618, 2620, 3256, 3381)
AND CASE
        WHEN x.classid = 1259 THEN x.objid = ANY ($1::oid[]) AND (x.refclassid <> 1259 OR x.refobjid = ANY ($1::oid[]))
        WHEN x.refclassid = 1259 THEN x.refobjid = ANY ($1::oid[])
        ELSE true
    END
