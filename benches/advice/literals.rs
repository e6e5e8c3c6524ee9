//! Names every literal of a workload as fixed (`-- fixed:`): published figures rest on one set of
//! values for each statement, and on no other.

use std::collections::BTreeMap;

use regex::Regex;

/// The workload with all literals of each of its statements named as fixed.
pub fn all_fixed(workload: &str) -> String {
    let literal = Regex::new(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b").unwrap();
    let statements = workload.split_inclusive(';');
    let fixed = |statement: &str| {
        let is_sql = |line: &&str| !line.trim_start().starts_with("--");
        let sql: String = statement
            .lines()
            .filter(is_sql)
            .collect::<Vec<_>>()
            .join("\n");
        // `1` and `'1'` are the same value.
        let found = literal.find_iter(&sql).map(|found| found.as_str());
        let by_value = found.map(|text| (text.trim_matches('\''), text));
        let values: BTreeMap<&str, &str> = by_value.collect();
        if values.is_empty() {
            return statement.to_owned();
        }
        let values: Vec<&str> = values.into_values().collect();
        let start = statement.len() - statement.trim_start().len();
        format!(
            "{}-- fixed: {}\n{}",
            &statement[..start],
            values.join(", "),
            &statement[start..]
        )
    };
    statements.map(fixed).collect()
}
