/* pgrehearse: settings that decide about plans: the cost model always, the others where they differ from their defaults; and those that
   decide what to_tsvector means and which day it is */
SELECT name, pg_catalog.current_setting(name) AS value
FROM pg_catalog.pg_settings
WHERE name IN ('random_page_cost', 'seq_page_cost', 'cpu_tuple_cost', 'cpu_index_tuple_cost', 'cpu_operator_cost',
               'effective_cache_size', 'work_mem', 'default_statistics_target', 'max_parallel_workers_per_gather', 'jit', 'default_text_search_config', 'TimeZone')
   OR ((category LIKE 'Query Tuning%' OR name IN ('force_parallel_mode', 'debug_parallel_query')) AND setting IS DISTINCT FROM boot_val)
ORDER BY name
