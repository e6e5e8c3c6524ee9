//! The page of the JSON reports.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

use crate::escaped;

const BEGINNING: &str = "# The JSON reports

`--format json` writes them for programs. This page is written from their JSON Schemas, `schema/advise-report.schema.json` and
`schema/check-report.schema.json`. Within a `schema_version`, fields are only ever added, so a program should ignore fields that it does not know. Units
are in the names (`_ms`, `_bytes`); costs are in units of the planner. `null` means: not known, or not measured.

```sh
pgrehearse review run.json --format json -o report.json
```

`pgrehearse review` of saved plans writes an array, one object a file: `file`, `error` (null, or why it cannot be read) and `plans`, each with
`source_format`, `query`, `node_count` (all nodes, those of subplans included), `total_cost`, `execution_time_ms`, `findings` and `tree`.
";

/// The page.
pub fn page() -> String {
    let mut page = BEGINNING.to_owned();
    let mut written = BTreeSet::new();
    let reports = [
        (
            include_str!("../../schema/advise-report.schema.json"),
            "advise",
            "`pgrehearse advise` and `pgrehearse review` of a recording",
        ),
        (
            include_str!("../../schema/check-report.schema.json"),
            "check",
            "`pgrehearse check`",
        ),
    ];
    for (schema, name, commands) in reports {
        let schema: Value = serde_json::from_str(schema).unwrap();
        let _ = write!(
            page,
            "\n## The report of {name}\n\nWritten by {commands}.\n"
        );
        write_fields(&mut page, &schema, name);
        let Some(types) = schema["$defs"].as_object() else {
            continue;
        };
        for (kind, definition) in types {
            let _ = write!(page, "\n### {}\n\n", heading(kind, name));
            // A type that both reports have is the same in both.
            if !written.insert((kind.clone(), definition.to_string())) {
                let _ = writeln!(page, "As [{kind}](#{}).", anchor(kind, "advise"));
                continue;
            }
            let description = definition["description"].as_str().unwrap_or_default();
            let _ = writeln!(page, "{}", escaped(description));
            write_fields(&mut page, definition, name);
            write_values(&mut page, definition);
        }
    }
    page
}

/// The headings of the second report differ from those of the first.
fn heading(kind: &str, report: &str) -> String {
    match report {
        "check" => format!("{kind} (check)"),
        _ => kind.to_owned(),
    }
}

/// As mdBook and GitHub make it from a heading.
fn anchor(kind: &str, report: &str) -> String {
    let heading = heading(kind, report).to_lowercase().replace(' ', "-");
    heading
        .chars()
        .filter(|c| c.is_alphanumeric() || *c == '-')
        .collect()
}

fn write_fields(page: &mut String, definition: &Value, report: &str) {
    let Some(fields) = definition["properties"].as_object() else {
        return;
    };
    page.push_str("\n| field | type | |\n|---|---|---|\n");
    for (name, field) in fields {
        let description = field["description"].as_str().unwrap_or_default();
        let kind = kind_of(field, report);
        let _ = writeln!(page, "| `{name}` | {kind} | {} |", escaped(description));
    }
}

/// The values of an enumeration.
fn write_values(page: &mut String, definition: &Value) {
    let values = definition["oneOf"].as_array().into_iter().flatten();
    let mut table = String::new();
    for value in values.filter(|value| value["const"].is_string()) {
        let (name, description) = (&value["const"], value["description"].as_str());
        let description = escaped(description.unwrap_or_default());
        let _ = writeln!(table, "| `{}` | {description} |", name.as_str().unwrap());
    }
    if !table.is_empty() {
        let _ = write!(page, "\n| value | |\n|---|---|\n{table}");
    }
}

fn kind_of(field: &Value, report: &str) -> String {
    if let Some(reference) = field["$ref"].as_str() {
        let kind = reference.trim_start_matches("#/$defs/");
        return format!("[{kind}](#{})", anchor(kind, report));
    }
    if let Some(choices) = field["anyOf"].as_array() {
        let kinds: Vec<String> = choices
            .iter()
            .map(|choice| kind_of(choice, report))
            .collect();
        return kinds.join(" or ");
    }
    let named = |kind: &str| match kind {
        "array" => format!("array of {}", kind_of(&field["items"], report)),
        "object" if field["additionalProperties"].is_object() => {
            format!(
                "object of {}",
                kind_of(&field["additionalProperties"], report)
            )
        }
        kind => kind.to_owned(),
    };
    match &field["type"] {
        Value::String(kind) => named(kind),
        Value::Array(kinds) => {
            let kinds = kinds.iter().filter_map(Value::as_str).map(named);
            kinds.collect::<Vec<_>>().join(" or ")
        }
        _ => "any".to_owned(),
    }
}
