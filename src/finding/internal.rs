//! Tables that belong to an extension or live on another server: chunks of Timescale, shards of
//! Citus. Their names are not those of the statement, and DDL on them is wrong.

use super::rule::Draft;
use super::subject::Subject;
use crate::plan::Node;

/// Is this node's table one that an extension made for its own use?
pub(super) fn is_internal(node: &Node) -> bool {
    let name = node.relation_name().unwrap_or_default();
    let schema = node.text("Schema").unwrap_or_default();
    schema == "_timescaledb_internal" || name.starts_with("compress_hyper_") || is_chunk(name)
}

/// `_hyper_5_97_chunk`
fn is_chunk(name: &str) -> bool {
    name.starts_with("_hyper_") && name.ends_with("_chunk")
}

/// Is the node part of a task that another server executed?
pub(super) fn is_remote(subject: &Subject<'_>, node: &Node) -> bool {
    subject.plan.ancestors(node.id).any(Node::is_distributor)
}

/// The draft without SQL where that would be on internal tables; none where it is about compressed
/// storage, which nobody can index.
pub(super) fn of_extension(subject: &Subject<'_>, draft: Draft) -> Option<Draft> {
    let node = subject.node(draft.node);
    let storage = node
        .relation_name()
        .is_some_and(|name| name.starts_with("compress_hyper_"));
    let names_storage = draft.message.contains("compress_hyper_");
    if storage || names_storage {
        return None;
    }
    if is_remote(subject, node) {
        let message = format!(
            "{} This is one of several shards: change the distributed table.",
            draft.message
        );
        return Some(Draft {
            action: None,
            message,
            ..draft
        });
    }
    if is_internal(node) || draft.action.as_deref().is_some_and(names_internal) {
        return Some(Draft {
            action: None,
            ..draft
        });
    }
    Some(draft)
}

fn names_internal(sql: &str) -> bool {
    sql.contains("_hyper_")
}
