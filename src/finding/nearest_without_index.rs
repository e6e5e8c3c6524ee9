//! The nearest neighbours of a value, found by computing the distance to every row and sorting.

use super::distance::distance;
use super::limit_over_sort::{ROW_PRESERVING, SCANS};
use super::rule::{Check, Draft, Rule, Severity};
use super::subject::{Subject, count};
use super::waste::MIN_REMOVED;
use crate::plan::{Node, NodeType};
use crate::sql::{Expression, parse_sort_term};

pub(super) const RULE: Rule = Rule {
    name: "nearest-without-index",
    max_severity: Severity::Critical,
    looks_for: "a LIMIT over a sort by the distance to a value",
    why: "an index that delivers rows by distance (GiST; hnsw and ivfflat of pgvector) stops after the first rows",
    source: "https://www.postgresql.org/docs/current/gist.html",
    check: Check::Node(&[NodeType::Limit], check),
};

fn check(subject: &Subject<'_>, limit: &Node) -> Option<Draft> {
    let sort = subject
        .plan
        .input_below(limit.id, ROW_PRESERVING)
        .filter(|node| node.node_type().is_sort())?;
    let key = parse_sort_term(sort.sort_key().first()?).ok()?;
    let (column, operator, class) = distance(&key.expression)?;
    let (sorted, kept) = (
        subject.rows(subject.inputs(sort).next()?)?,
        subject.rows(limit)?,
    );
    if sorted < MIN_REMOVED || sorted < 10.0 * kept {
        return None;
    }
    let scan = subject
        .plan
        .input_below(sort.id, ROW_PRESERVING)
        .filter(|node| SCANS.contains(node.node_type()));
    let table = scan
        .and_then(|scan| subject.table_name(scan))
        .unwrap_or_else(|| "the input".to_owned());
    let impact = subject.inclusive(sort.id);
    let name = &column.text;
    let what = if key.descending {
        format!(
            "No index delivers the farthest rows first: an index on {name} helps only with ORDER BY distance in ascending order. Filter \
             before the distance is computed, or order by the opposite vector."
        )
    } else {
        match class {
            Some(class) => format!(
                "An index that delivers rows by distance stops there: for vectors USING hnsw ({name} {class}) or ivfflat, for points, ranges \
                 and trigrams USING gist ({name}); with a filter that keeps few rows, an index for the filter."
            ),
            None => format!("A GiST index on {name} delivers rows by distance and stops there."),
        }
    };
    let message = format!(
        "the distance ({operator}) is computed for {} rows of {table} and sorted to keep {} ({}). {what}",
        count(sorted),
        count(kept),
        subject.impact_text(impact)
    );
    let action = match (scan, gist_of(&key.expression, name)) {
        (Some(scan), Some(index)) if !key.descending => subject
            .create_index_on(scan)
            .map(|create| format!("{create} {index};")),
        _ => None,
    };
    Some(Draft::new(sort, impact, message).action(action))
}

/// The index that delivers rows by distance, where the value's type tells that GiST has one.
fn gist_of(distance: &Expression, column: &str) -> Option<String> {
    const SHAPES: [&str; 6] = [
        "::point",
        "::geometry",
        "::geography",
        "::box",
        "::circle",
        "::polygon",
    ];
    let has = |of_type: &str| distance.text.contains(of_type);
    if distance.text.contains('$') {
        None
    } else if SHAPES.iter().any(|shape| has(shape)) {
        Some(format!("USING gist ({column})"))
    } else if has("::text") {
        Some(format!("USING gist ({column} gist_trgm_ops)"))
    } else {
        None
    }
}
