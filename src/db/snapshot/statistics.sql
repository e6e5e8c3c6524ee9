/* pgrehearse: statistics; the values of each slot as text, and their type */
SELECT s.starelid AS relation, s.staattnum AS attribute, s.stainherit AS inherited,
       s.stanullfrac AS null_fraction, s.stawidth AS width_bytes, s.stadistinct AS distinct_values,
       ARRAY[s.stakind1, s.stakind2, s.stakind3, s.stakind4, s.stakind5] AS kinds,
       ARRAY[s.staop1, s.staop2, s.staop3, s.staop4, s.staop5] AS operators,
       ARRAY[s.stacoll1, s.stacoll2, s.stacoll3, s.stacoll4, s.stacoll5] AS collations,
       s.stanumbers1 AS numbers_1, s.stanumbers2 AS numbers_2, s.stanumbers3 AS numbers_3, s.stanumbers4 AS numbers_4,
       s.stanumbers5 AS numbers_5,
       ARRAY[s.stavalues1::text, s.stavalues2::text, s.stavalues3::text, s.stavalues4::text, s.stavalues5::text] AS literals,
       ARRAY[ELEMENT_TYPES]::oid[] AS element_types
