/* pgrehearse: the columns of a table and what is known of their values. Kind 1 is most common values, 2 a histogram, 5 elements of
   arrays. How much lengths differ is seen from the values themselves. */
WITH slots AS (
    SELECT s.staattnum AS attribute, v.kind, v.numbers, v.literal
    FROM pg_catalog.pg_statistic s,
         LATERAL (VALUES (s.stakind1, s.stanumbers1, s.stavalues1::text), (s.stakind2, s.stanumbers2, s.stavalues2::text),
                         (s.stakind3, s.stanumbers3, s.stavalues3::text), (s.stakind4, s.stanumbers4, s.stavalues4::text),
                         (s.stakind5, s.stanumbers5, s.stavalues5::text)) AS v (kind, numbers, literal)
    WHERE s.starelid = $1 AND NOT s.stainherit AND v.kind IN (1, 2, 5)
)
SELECT a.attnum AS attribute,
       a.attname::text AS column_name,
       pg_catalog.format_type(a.atttypid, a.atttypmod) AS type_name,
       s.stanullfrac::float8 AS null_fraction,
       CASE WHEN t.typname = 'name' THEN coalesce(lengths.mean + 1, s.stawidth) ELSE s.stawidth END::float8 AS width,
       coalesce(lengths.deviation, 0)::float8 AS width_deviation,
       s.stadistinct::float8 AS distinct_values,
       (SELECT v.numbers::float8[] FROM slots v WHERE v.attribute = a.attnum AND v.kind = 1 LIMIT 1) AS common_fractions,
       (SELECT v.numbers[array_upper(v.numbers, 1)]::float8
        FROM slots v WHERE v.attribute = a.attnum AND v.kind = 5 LIMIT 1) AS elements
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_catalog.pg_statistic s ON s.starelid = a.attrelid AND s.staattnum = a.attnum AND NOT s.stainherit
LEFT JOIN LATERAL (
    SELECT avg(octet_length(value))::float8 AS mean,
           stddev_pop(CASE coalesce(nullif(t.typbasetype, 0), t.oid)::regtype::text
                           WHEN 'numeric' THEN pg_catalog.pg_column_size(value::numeric)
                           WHEN 'jsonb' THEN pg_catalog.pg_column_size(value::jsonb)
                           WHEN 'bytea' THEN octet_length(value) / 2
                           ELSE octet_length(value) END)::float8 AS deviation
    FROM (SELECT v.literal FROM slots v
          WHERE v.attribute = a.attnum AND v.kind IN (1, 2) ORDER BY v.kind DESC LIMIT 1) AS slot,
         unnest(slot.literal::text[]) AS value
    WHERE (a.attlen < 0 OR t.typname = 'name') AND t.typcategory NOT IN ('A', 'R', 'C')
) AS lengths ON true
WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped
ORDER BY a.attnum
