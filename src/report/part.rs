//! One recommendation, remedy or statement of a report, with all that is known of it.

use std::fmt::Write as _;

use super::gains::Gains;
use super::style::{DIM, MIN_WIDTH, styled};
use super::text::{recommendation, remedies, statement};
use super::words::percent;
use crate::advise::{Advice, Followed, Recommendation, StatementAdvice, StatementStatus};
use crate::model::printable;
use crate::remedy::Remedy;
use crate::sentences;
use crate::text_layout::indent;

/// What a report has no part of, with the names that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoSuchPart {
    /// What was asked for.
    pub name: String,
    /// What there is.
    pub known: Vec<String>,
}

/// A recommendation or a remedy by its id (`r3`, `m1`) or the name of its index, with the statements
/// that it is for.
///
/// # Errors
/// When there is none of this name.
pub fn explain(advice: &Advice, name: &str, width: usize) -> Result<String, NoSuchPart> {
    let width = width.max(MIN_WIDTH);
    for advice in with_followed(advice) {
        let mut indexes = advice.recommendations.iter();
        if let Some(index) = indexes.find(|index| index.id == name || index.index.name == name) {
            return Ok(index_part(index, advice, width));
        }
        if let Some(remedy) = advice.remedies.iter().find(|remedy| remedy.id == name) {
            return Ok(remedy_part(remedy, advice, width));
        }
    }
    let ids = with_followed(advice).into_iter().flat_map(|advice| {
        let indexes = advice.recommendations.iter().map(|index| index.id.clone());
        indexes.chain(advice.remedies.iter().map(|remedy| remedy.id.clone()))
    });
    Err(NoSuchPart {
        name: name.to_owned(),
        known: ids.collect(),
    })
}

/// A statement of the workload, with its plans.
///
/// # Errors
/// When there is none of this name.
pub fn statement(advice: &Advice, name: &str, width: usize) -> Result<String, NoSuchPart> {
    let width = width.max(MIN_WIDTH);
    for advice in with_followed(advice) {
        let mut statements = advice.statements.iter();
        if let Some(found) = statements.find(|found| found.statement.id.0 == name) {
            return Ok(statement_part(found, advice, width));
        }
    }
    let ids = advice
        .as_written()
        .map(|found| found.statement.id.0.clone());
    Err(NoSuchPart {
        name: name.to_owned(),
        known: ids.collect(),
    })
}

/// The advice, and that of other servers.
fn with_followed(advice: &Advice) -> Vec<&Advice> {
    let followed = advice
        .followed
        .values()
        .filter_map(|followed| match followed {
            Followed::Advised { advice, .. } => Some(&**advice),
            Followed::Failed(_) => None,
        });
    std::iter::once(advice).chain(followed).collect()
}

fn index_part(index: &Recommendation, advice: &Advice, width: usize) -> String {
    let gains = Gains::of(advice);
    let mut text = String::new();
    recommendation::recommendation_block(&mut text, index, advice, width);
    let gain = gains.indexes.iter().find(|gain| gain.index.id == index.id);
    if let Some(gain) = gain {
        let line = format!(
            "It saves {} of the workload, and adds {} to it by what writes pay.",
            percent(gain.share),
            percent(gain.upkeep)
        );
        let _ = writeln!(text, "{}", styled(DIM, indent(&line, "    ", width)));
    }
    text.push('\n');
    for helped in gains.helped_by(index) {
        statement::statement_block(&mut text, helped.statement, advice, width);
    }
    text.trim_start_matches('\n').to_owned()
}

fn remedy_part(remedy: &Remedy, advice: &Advice, width: usize) -> String {
    let mut text = String::new();
    remedies::block(&mut text, (remedy, advice), width);
    text.push('\n');
    for effect in &remedy.benefits {
        let mut statements = advice.statements.iter();
        if let Some(helped) = statements.find(|one| one.statement.id == effect.statement) {
            statement::statement_block(&mut text, helped, advice, width);
        }
    }
    text.trim_start_matches('\n').to_owned()
}

fn statement_part(found: &StatementAdvice, advice: &Advice, width: usize) -> String {
    let mut text = String::new();
    if found.status == StatementStatus::Planned {
        statement::statement_block(&mut text, found, advice, width);
        let used = advice.recommendations.iter();
        for index in used.filter(|index| found.recommendations.contains(&index.id)) {
            recommendation::recommendation_block(&mut text, index, advice, width);
        }
    } else {
        let name = printable(&found.statement.id.0).into_owned();
        let error = sentences::error(found).unwrap_or_default();
        let _ = writeln!(text, "{name}: not planned: {}", printable(&error));
    }
    text
}
