//! What type each of EXPLAIN's properties has in its JSON format, for the formats that do not say
//! (TEXT, XML) and to find wrong types in those that do. From src/backend/commands/explain.c of
//! PostgreSQL 9.6 to 18: which of the `ExplainProperty…` functions prints it.

/// The type of a property's value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PropertyType {
    /// `ExplainPropertyText`.
    Text,
    /// `ExplainPropertyInteger`, `…UInteger`, `…Float`.
    Number,
    /// `ExplainPropertyBool`.
    Flag,
    /// `ExplainPropertyList`: texts.
    Texts,
    /// Lists of texts: `ExplainPropertyListNested` within a group.
    Lists,
    /// `ExplainOpenGroup` with labelled members.
    Object,
    /// `ExplainOpenGroup` with unlabelled members.
    Objects,
}

impl PropertyType {
    /// In words, for messages.
    pub(crate) fn expected(self) -> &'static str {
        match self {
            PropertyType::Text => "a text",
            PropertyType::Number => "a number",
            PropertyType::Flag => "true or false",
            PropertyType::Texts => "a list of texts",
            PropertyType::Lists => "a list of lists",
            PropertyType::Object => "an object",
            PropertyType::Objects => "a list of objects",
        }
    }
}

/// The type of a known property; none for those of extensions and later versions.
pub(crate) fn property_type(property: &str) -> Option<PropertyType> {
    if is_count(property) {
        return Some(PropertyType::Number);
    }
    Some(match property {
        "Output"
        | "Sort Key"
        | "Presorted Key"
        | "Group Key"
        | "Hash Key"
        | "Conflict Arbiter Indexes"
        | "Sampling Parameters"
        | "Sort Methods Used" => PropertyType::Texts,
        "Group Keys" | "Hash Keys" => PropertyType::Lists,
        "Parallel Aware" | "Async Capable" | "Inner Unique" | "Single Copy" | "Disabled"
        | "Inlining" | "Optimization" | "Expressions" | "Deforming" => PropertyType::Flag,
        "Plan" | "Planning" | "Settings" | "JIT" | "Options" | "Timing" | "Serialization"
        | "Full-sort Groups" | "Pre-sorted Groups" | "Presorted Groups" | "Sort Space Memory"
        | "Sort Space Disk" | "Sort Space" => PropertyType::Object,
        "Plans" | "Workers" | "Triggers" | "Target Tables" | "Grouping Sets" => {
            PropertyType::Objects
        }
        _ if TEXTS.contains(&property) => PropertyType::Text,
        _ => return None,
    })
}

const TEXTS: &[&str] = &[
    "Node Type",
    "Strategy",
    "Partial Mode",
    "Operation",
    "Parent Relationship",
    "Subplan Name",
    "Custom Plan Provider",
    "Scan Direction",
    "Index Name",
    "Relation Name",
    "Function Name",
    "Table Function Name",
    "CTE Name",
    "Tuplestore Name",
    "Schema",
    "Alias",
    "Join Type",
    "Command",
    "Index Cond",
    "Recheck Cond",
    "TID Cond",
    "Hash Cond",
    "Merge Cond",
    "Join Filter",
    "Filter",
    "One-Time Filter",
    "Order By",
    "Conflict Resolution",
    "Conflict Filter",
    "Function Call",
    "Table Function Call",
    "Sampling Method",
    "Repeatable Seed",
    "Sort Method",
    "Sort Space Type",
    "Cache Key",
    "Cache Mode",
    "Run Condition",
    "Window",
    "Storage",
    "Trigger Name",
    "Constraint Name",
    "Relation",
    "Query Text",
    "Query Parameters",
    "Format",
    "Remote SQL",
    "Relations",
    "Foreign File",
    "Foreign Program",
];

/// Is this the name of a numeric property?
fn is_count(property: &str) -> bool {
    property.ends_with(" Blocks")
        || property.ends_with(" Cost")
        || property.starts_with("Rows Removed by ")
        || (property.ends_with(" Time") && !property.contains("Filter"))
        || COUNTS.contains(&property)
}

const COUNTS: &[&str] = &[
    "Plan Rows",
    "Plan Width",
    "Actual Rows",
    "Actual Loops",
    "Workers Planned",
    "Workers Launched",
    "Worker Number",
    "Heap Fetches",
    "Index Searches",
    "Sort Space Used",
    "Hash Buckets",
    "Original Hash Buckets",
    "Hash Batches",
    "Original Hash Batches",
    "Peak Memory Usage",
    "Planned Partitions",
    "HashAgg Batches",
    "Disk Usage",
    "Group Count",
    "Average Sort Space Used",
    "Peak Sort Space Used",
    "Cache Hits",
    "Cache Misses",
    "Cache Evictions",
    "Cache Overflows",
    "Tuples Inserted",
    "Tuples Updated",
    "Tuples Deleted",
    "Tuples Skipped",
    "Conflicting Tuples",
    "Subplans Removed",
    "WAL Records",
    "WAL FPI",
    "WAL Bytes",
    "WAL Buffers Full",
    "Memory Used",
    "Memory Allocated",
    "Maximum Storage",
    "Query Identifier",
    "Functions",
    "Output Volume",
    "Time",
    "Calls",
    "Foreign File Size",
    "Batch Size",
    "Disabled Nodes",
    "Estimated Capacity",
    "Estimated Distinct Lookup Keys",
    "Estimated Hit Percent",
    "Total Runtime",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_the_json_format() {
        for (property, expected) in [
            ("Total Cost", PropertyType::Number),
            ("Shared I/O Read Time", PropertyType::Number),
            ("Rows Removed by Index Recheck", PropertyType::Number),
            ("Exact Heap Blocks", PropertyType::Number),
            ("One-Time Filter", PropertyType::Text),
            ("Disabled", PropertyType::Flag),
            ("Group Key", PropertyType::Texts),
            ("Workers", PropertyType::Objects),
        ] {
            assert_eq!(property_type(property), Some(expected), "{property}");
        }
        assert_eq!(property_type("Chunks excluded during startup"), None);
    }
}
