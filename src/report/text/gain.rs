//! A cost before and after, in words.

use anstyle::Style;

use crate::model::{Cost, factor_text};
use crate::report::style::{BAD, DIM, GOOD};
use crate::verdict::Change;

/// `5,073 → 40.28  126× lower`, and its style.
pub(super) fn gain(change: Option<Change>, before: Cost, after: Cost) -> (Style, String) {
    match change {
        Some(Change::Better) => {
            let factor = factor_text(before.factor_to(after));
            (GOOD, format!("{before} → {after}  {factor} lower"))
        }
        Some(Change::Worse) => {
            let factor = factor_text(after.factor_to(before));
            (BAD, format!("{before} → {after}  WORSE by {factor}"))
        }
        _ => (DIM, format!("{before}  unchanged")),
    }
}
