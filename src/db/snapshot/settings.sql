/* pgrehearse: all settings that decide about plans or about how a statement is understood */
SELECT name,
       CASE WHEN name = 'default_tablespace' AND setting = ''
            THEN coalesce((SELECT t.spcname::pg_catalog.text
                  FROM pg_catalog.pg_database d JOIN pg_catalog.pg_tablespace t ON t.oid = d.dattablespace
                  -- 1663 is pg_default, which the twin has, too, and which a partitioned index may not name.
                  WHERE d.datname = pg_catalog.current_database() AND d.dattablespace <> 1663), '')
            ELSE pg_catalog.current_setting(name)
       END AS value
FROM pg_catalog.pg_settings
WHERE context IN ('user', 'superuser')
  -- pgrehearse sets these itself.
  AND name NOT LIKE 'pg\_stat\_statements.%'
  AND (category LIKE 'Query Tuning%'
       OR category = 'Customized Options'
       OR name IN ('work_mem', 'hash_mem_multiplier', 'temp_buffers', 'max_parallel_workers_per_gather', 'max_parallel_workers',
                   'parallel_leader_participation', 'force_parallel_mode', 'debug_parallel_query', 'TimeZone', 'DateStyle', 'IntervalStyle', 'timezone_abbreviations', 'lc_monetary', 'lc_numeric', 'lc_time',
                   'search_path', 'default_text_search_config', 'transform_null_equals', 'array_nulls', 'xmloption',
                   'standard_conforming_strings', 'default_tablespace', 'backslash_quote', 'extra_float_digits'))
ORDER BY name
