//! What is lost when the program ends.

use crate::tui::model::{Model, Request};

/// What ends or is lost when the program ends now, in words.
pub(super) fn would_be_lost(model: &Model) -> Option<String> {
    let mut lost = Vec::new();
    match model.jobs.main.as_ref().map(|job| &job.request) {
        Some(Request::Advise) => lost.push("The search goes on.".to_owned()),
        Some(_) => lost.push("Indexes are being built; they are rolled back.".to_owned()),
        None => {}
    }
    if model.own.is_unsaved {
        lost.push("Your own indexes and statements are written nowhere: w writes the DDL of what is on, :record the session.".to_owned());
    }
    (!lost.is_empty()).then(|| lost.join(" "))
}
