//! How two indexes compare.

/// How a valid index that replaces another one compares with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Same,
    /// Each serves everything that the other one serves: one is read backwards, or they carry the same
    /// columns in another order.
    Equivalent,
    Longer,
}
