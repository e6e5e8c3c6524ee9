//! What is sent to other servers, and what would help there.

use std::fmt::Write as _;

use super::gain::gain;
use super::recommendation::{recommendation_block, recommended_heading};
use crate::advise::foreign::{ForeignServer, RemoteStatement};
use crate::advise::{Advice, Followed, StatementAdvice};
use crate::model::printable::printable_sql;
use crate::model::{group_thousands, printable};
use crate::report::style::{BOLD, DIM, GOOD, HOT, styled};
use crate::report::words::{count, no_index};
use crate::sentences;
use crate::text_layout::{indent, truncate};

/// Writes a section for each server.
pub(super) fn foreign_servers(text: &mut String, advice: &Advice, width: usize) {
    for server in &advice.foreign_servers {
        foreign_server(text, (server, advice), width);
    }
}

fn foreign_server(text: &mut String, (server, advice): (&ForeignServer, &Advice), width: usize) {
    let database = server
        .database
        .as_ref()
        .map_or_else(String::new, |name| format!(" (database {name})"));
    let title = format!("FOREIGN SERVER  {}{database}", server.name);
    let _ = writeln!(text, "{}", styled(BOLD, printable(&title)));
    for statement in &server.statements {
        sent_there(text, (server, advice), statement, width);
    }
    for index in advice.unproved(server) {
        let _ = writeln!(text, "    {}", styled(GOOD, printable_sql(&index.ddl)));
        let of: Vec<&str> = index.statements.iter().map(|id| id.0.as_str()).collect();
        let line = format!("for {}", printable(&of.join(", ")));
        let _ = writeln!(text, "{}", styled(DIM, indent(&line, "      ", width)));
    }
    if let Some(note) = sentences::foreign_server(server, advice.followed.get(&server.name)) {
        let _ = writeln!(
            text,
            "{}",
            styled(DIM, indent(&printable(&note), "  ", width))
        );
    }
    if let Some(Followed::Advised {
        advice,
        left_behind,
    }) = advice.followed.get(&server.name)
    {
        advised_there(text, (server, advice), *left_behind, width);
    }
    text.push('\n');
}

/// What a statement sends, and how that fares there.
fn sent_there(
    text: &mut String,
    (server, advice): (&ForeignServer, &Advice),
    statement: &RemoteStatement,
    width: usize,
) {
    let there = advice.followed(server).and_then(|advice| {
        let mut statements = advice.as_written();
        statements.find(|there| there.statement.id == statement.id)
    });
    let calls = if statement.calls > 1.0 {
        format!(" · {} calls", group_thousands(statement.calls, 0))
    } else {
        String::new()
    };
    let fares = there.map_or_else(String::new, |there| format!("  {}", costs_there(there)));
    let _ = writeln!(text, "  {}{calls}{fares}", printable(&statement.of.0));
    let words: Vec<&str> = statement.sql.split_whitespace().collect();
    let sql = truncate(&printable_sql(&words.join(" ")), width.saturating_sub(4));
    let _ = writeln!(text, "    {}", styled(DIM, sql));
    if let Some(filter) = &statement.not_pushed_down {
        let line = sentences::not_pushed_down(filter, &server.name);
        let line = indent(&printable(&line), "    ! ", width);
        let _ = writeln!(text, "{}", styled(HOT, line));
    }
}

fn costs_there(there: &StatementAdvice) -> String {
    match (there.cost_before(), there.cost_after()) {
        (Some(before), Some(after)) => {
            let (style, gain) = gain(there.change, before, after);
            styled(style, gain)
        }
        _ => printable(&sentences::error(there).unwrap_or_default()).into_owned(),
    }
}

fn advised_there(
    text: &mut String,
    (server, advice): (&ForeignServer, &Advice),
    left_behind: Option<usize>,
    width: usize,
) {
    if advice.recommendations.is_empty() {
        let _ = writeln!(text, "  {}", no_index(advice));
    } else {
        let heading = format!(
            "on {}: RECOMMENDED  {}",
            server.name,
            recommended_heading(advice)
        );
        let _ = writeln!(text, "  {}", styled(BOLD, printable(&heading)));
        for recommendation in &advice.recommendations {
            recommendation_block(text, recommendation, advice, width);
        }
    }
    let tally = advice.rehearsal.tally;
    if let Some(left_behind) = left_behind
        && tally.indexes_built > 0
    {
        let line = format!(
            "{}: {} built in {}, all rolled back; {left_behind} left behind.",
            server.name,
            count(tally.indexes_built, "index", "indexes"),
            count(tally.transactions, "transaction", "transactions"),
        );
        let _ = writeln!(text, "{}", indent(&printable(&line), "  ", width));
    }
    for notice in &advice.notices {
        let line = format!("{}: {}", server.name, sentences::notice(notice));
        let _ = writeln!(text, "{}", indent(&printable(&line), "! ", width));
    }
}
