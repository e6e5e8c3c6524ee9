//! Which settings a snapshot may bring: those that decide about plans, and those that decide how a
//! statement is understood. All others are ignored.

/// Settings that are not named `enable_…`.
const NAMES: &[&str] = &[
    "array_nulls",
    "backslash_quote",
    "constraint_exclusion",
    "cpu_index_tuple_cost",
    "cpu_operator_cost",
    "cpu_tuple_cost",
    "cursor_tuple_fraction",
    "datestyle",
    "debug_parallel_query",
    "default_statistics_target",
    "default_tablespace",
    "default_text_search_config",
    "effective_cache_size",
    "effective_io_concurrency",
    "extra_float_digits",
    "force_parallel_mode",
    "from_collapse_limit",
    "geqo",
    "geqo_effort",
    "geqo_generations",
    "geqo_pool_size",
    "geqo_seed",
    "geqo_selection_bias",
    "geqo_threshold",
    "hash_mem_multiplier",
    "intervalstyle",
    "jit",
    "jit_above_cost",
    "jit_inline_above_cost",
    "jit_optimize_above_cost",
    "join_collapse_limit",
    "lc_monetary",
    "lc_numeric",
    "lc_time",
    "max_parallel_workers",
    "max_parallel_workers_per_gather",
    "min_parallel_index_scan_size",
    "min_parallel_table_scan_size",
    "parallel_leader_participation",
    "parallel_setup_cost",
    "parallel_tuple_cost",
    "plan_cache_mode",
    "random_page_cost",
    "recursive_worktable_factor",
    "search_path",
    "seq_page_cost",
    "standard_conforming_strings",
    "temp_buffers",
    "timezone",
    "timezone_abbreviations",
    "transform_null_equals",
    "work_mem",
    "xmloption",
];

/// What these extensions and languages do with their settings goes beyond planning: some name code
/// that is run when the library is loaded.
const NOT_OF_THESE: &[&str] = &["pl", "auto_explain"];

/// May a snapshot bring this setting? Settings of extensions (`pg_trgm.similarity_threshold`) and
/// of applications may be read by functions and policies.
pub fn is_planner_setting(name: &str) -> bool {
    let name = name.to_lowercase();
    match name.split_once('.') {
        Some((prefix, rest)) => {
            let is_name = |text: &str| {
                !text.is_empty()
                    && text
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
            };
            let is_excluded = NOT_OF_THESE.iter().any(|other| prefix.starts_with(other));
            is_name(prefix) && rest.split('.').all(is_name) && !is_excluded
        }
        None => name.starts_with("enable_") || NAMES.contains(&name.as_str()),
    }
}
