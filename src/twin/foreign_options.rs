//! Options of foreign tables and servers that the planner needs. All others stay where they are: a
//! host, a user or a password has no place in a twin, and no twin may connect anywhere.

/// The columns of catalogs that have such options.
pub const COLUMNS: &[&str] = &["attfdwoptions", "fdwoptions", "ftoptions", "srvoptions"];

/// The options that are copied (`contrib/postgres_fdw/option.c`). Not among them are those of libpq,
/// and `use_remote_estimate`, with which EXPLAIN itself would connect.
const COPIED: &[&str] = &[
    "async_capable",
    "column_name",
    "extensions",
    "fdw_startup_cost",
    "fdw_tuple_cost",
    "fetch_size",
    "schema_name",
    "table_name",
    "updatable",
];

/// SQL for the options of an array of `name=value` that are copied.
pub fn kept(options: &str) -> String {
    let names: Vec<String> = COPIED.iter().map(|name| format!("'{name}'")).collect();
    format!(
        "(SELECT pg_catalog.array_agg(o.option) FROM pg_catalog.unnest({options}) AS o (option) \
         WHERE pg_catalog.split_part(o.option, '=', 1) IN ({}))",
        names.join(", ")
    )
}
