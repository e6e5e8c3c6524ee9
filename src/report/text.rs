//! The whole report as text (`--verbose`): the summary first, then each statement's two plans side
//! by side, every rejected candidate, and last, next to the prompt, the indexes to create. The
//! default report is [`super::short`].
//!
//! All text is styled with ANSI sequences. The caller removes them for a file or a terminal without
//! colours. Everything from outside passes through `printable`.

use std::fmt::Write as _;

use super::closing::closing;
use super::gains::Gains;
use super::headline::{headline, optimality};
use super::run_measurements::RunMeasurements;
use super::style::{BOLD, DIM, HOT, MIN_WIDTH, styled};
use super::words::title;
use crate::advise::{Advice, StatementAdvice, StatementStatus};
use crate::model::printable;
use crate::sentences;
use crate::text_layout::indent;

mod curve;
mod existing;
mod foreign;
mod gain;
pub(crate) mod recommendation;
mod rejected;
pub(crate) mod remedies;
pub(crate) mod side_by_side;
pub(crate) mod statement;
pub mod tree;
mod values;
pub(crate) mod what_if;

use recommendation::{recommendation_block, recommended_heading};

/// Writes the report for a terminal, where its end is in view: what to do comes last.
pub fn write(advice: &Advice, measured: &RunMeasurements, width: usize) -> String {
    let width = width.max(MIN_WIDTH);
    let verdict = headline(advice, &Gains::of(advice)) + &optimality(advice);
    let mut text = begin(advice, &verdict, width);
    what_was_found(&mut text, advice, width);
    what_to_do(&mut text, advice, width);
    let line = indent(&closing(advice, measured), "", width);
    let _ = writeln!(text, "{}", styled(DIM, line));
    let _ = writeln!(text, "{}", styled(BOLD, indent(&verdict, "", width)));
    text
}

/// Writes the report for a screen, where its beginning is in view: what to do comes first.
pub fn write_for_screen(advice: &Advice, measured: &RunMeasurements, width: usize) -> String {
    let width = width.max(MIN_WIDTH);
    let verdict = headline(advice, &Gains::of(advice)) + &optimality(advice);
    let mut text = begin(advice, &verdict, width);
    what_to_do(&mut text, advice, width);
    text.push('\n');
    what_was_found(&mut text, advice, width);
    let line = indent(&closing(advice, measured), "", width);
    let _ = writeln!(text, "{}", styled(DIM, line));
    text
}

fn begin(advice: &Advice, verdict: &str, width: usize) -> String {
    let title = styled(BOLD, title(advice));
    format!("{title}\n{}\n\n", indent(verdict, "", width))
}

fn what_was_found(text: &mut String, advice: &Advice, width: usize) {
    let planned = |statement: &&StatementAdvice| statement.status == StatementStatus::Planned;
    for statement in advice.as_written().filter(planned) {
        statement::statement_block(text, statement, advice, width);
    }
    statement::not_planned(text, advice);
    rejected::rejected(text, advice, width);
    existing::existing(text, advice, width);
    existing::hypothetical_drops(text, advice, width);
    if let Some(what_if) = &advice.what_if {
        what_if::write(text, what_if, width);
    }
    foreign::foreign_servers(text, advice, width);
}

fn what_to_do(text: &mut String, advice: &Advice, width: usize) {
    recommendations(text, advice, width);
    curve::write(text, advice.curve.as_ref());
    remedies::write(text, advice, width);
    notices(text, advice, width);
}

fn recommendations(text: &mut String, advice: &Advice, width: usize) {
    if advice.recommendations.is_empty() {
        return;
    }
    let heading = format!("RECOMMENDED  {}", recommended_heading(advice));
    let _ = writeln!(text, "{}", styled(BOLD, heading));
    for recommendation in &advice.recommendations {
        recommendation_block(text, recommendation, advice, width);
    }
    text.push('\n');
}

fn notices(text: &mut String, advice: &Advice, width: usize) {
    for notice in &advice.notices {
        let notice = printable(&sentences::notice(notice)).into_owned();
        let _ = writeln!(text, "{}", styled(HOT, indent(&notice, "! ", width)));
    }
}

#[cfg(test)]
mod tests;
