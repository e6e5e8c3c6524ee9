//! What all checks of a snapshot need: why it is refused, and which OIDs are whose.

use crate::twin::snapshot::Oid;

/// The first OID of objects that are not PostgreSQL's own (`FirstNormalObjectId`,
/// src/include/access/transam.h).
pub(super) const FIRST_USER_OID: Oid = 16_384;

/// From here on initdb assigns OIDs (`FirstUnpinnedObjectId`).
pub(super) const FIRST_INITDB_OID: Oid = 12_000;

/// Room for the OIDs of candidates above all others.
pub(super) const LAST_OID: Oid = 0xF000_0000;

/// The schema `public`.
pub(super) const PUBLIC: Oid = 2200;

/// The schema `pg_catalog`.
pub(super) const PG_CATALOG: &str = "11";

/// The tablespace `pg_default`.
pub(super) const PG_DEFAULT: Oid = 1663;

/// Maximum number of characters of a hostile text in a message.
pub(super) const MAX_QUOTED_CHARS: usize = 60;

/// Why no twin is made from a snapshot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no planner twin can be made from this: {0}")]
pub struct SnapshotFault(String);

pub(super) fn fault<T>(what: impl Into<String>) -> Result<T, SnapshotFault> {
    Err(SnapshotFault(what.into()))
}

/// A text of the snapshot for a message.
pub(super) fn quoted(text: &str) -> String {
    let short: String = text.chars().take(MAX_QUOTED_CHARS).collect();
    let more = if short.len() < text.len() { "…" } else { "" };
    format!("{short:?}{more}")
}

/// A number as the server prints it.
pub(super) fn number(text: &str) -> Option<Oid> {
    let is_plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| is_plain)
}
