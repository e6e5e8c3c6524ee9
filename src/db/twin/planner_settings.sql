/* pgrehearse: settings of the planner, and whether they are as the server has them by itself */
SELECT name, pg_catalog.current_setting(name) AS value, setting IS NOT DISTINCT FROM boot_val AS is_default
FROM pg_catalog.pg_settings
WHERE context IN ('user', 'superuser') AND name <> 'jit'
  AND (category LIKE 'Query Tuning%'
       OR name IN ('work_mem', 'hash_mem_multiplier', 'max_parallel_workers_per_gather', 'max_parallel_workers', 'parallel_leader_participation'))
ORDER BY name
