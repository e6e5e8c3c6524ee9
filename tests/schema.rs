//! The checked-in JSON Schemas match the report types. After a change of the types, write them
//! again with `UPDATE_SCHEMA=1 cargo test --test schema`, and read the difference: fields are only
//! added.

#![allow(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use std::path::Path;

#[test]
fn the_checked_in_schemas_are_the_reports_own() {
    let json = pgrehearse::internals::report::json::schema().unwrap();
    compare("advise-report", &json);
    let json = pgrehearse::internals::report::check::json::schema().unwrap();
    compare("check-report", &json);
}

fn compare(name: &str, schema: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("schema/{name}.schema.json"));
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, schema).unwrap();
    }
    assert_eq!(std::fs::read_to_string(file).unwrap(), schema);
}
