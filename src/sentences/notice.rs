//! The sentences of notices.

use super::not_indexable::{alternative, not_indexable};
use super::twin_only;
use crate::advise::notice::Notice;
use crate::model::{QualifiedName, group_thousands, quote_identifier, quote_literal};
use crate::twin::agreement::Agreement;
use crate::workload::StatementId;

/// A notice, in a sentence or two.
pub fn notice(notice: &Notice) -> String {
    match notice {
        Notice::LeftOut(left_out) => super::left_out(left_out),
        Notice::NeverAnalyzed(table) => never_analyzed(table),
        Notice::PoliciesForOthers {
            table,
            role,
            statements,
            settings,
        } => policies_for_others(table, role.as_deref(), statements, settings),
        Notice::Worse {
            statement,
            before,
            after,
        } => format!("{statement} gets worse with the recommended indexes: {before} → {after}"),
        Notice::PlannedOtherwise { remedy, statement } => format!(
            "{remedy} changes the plan of {statement}, and an index is recommended for it: run {remedy} first, and advise again"
        ),
        Notice::NotIndexable(expression) => format!(
            "{}: {}. Rewrite: {}",
            expression.statement,
            not_indexable(expression),
            alternative(expression)
        ),
        Notice::ServerSilent(silence) => format!(
            "{silence}. This report has what was known by then, and what the planner twin says without the server"
        ),
        Notice::Interrupted { tested, candidates } => {
            let best_so_far = ended("interrupted", *tested, *candidates);
            format!("{best_so_far}, and nothing was built or executed after that")
        }
        Notice::InterruptedAfterwards => "interrupted when the search was over: changed conditions and foreign servers were not asked any more".to_owned(),
        Notice::OutOfTime { tested, candidates } => {
            ended("--search-time ran out", *tested, *candidates)
        }
        Notice::NoTwin(reason) => no_twin(reason),
        Notice::TwinCannotPlan { statement, message } => format!(
            "the planner twin cannot plan {statement}, so no candidate was tested for it: {message}"
        ),
        Notice::TwinOnly { statement, reason } => {
            format!("{statement} was {}", twin_only(reason))
        }
        Notice::TwinDiffers {
            statement,
            agreement,
        } => twin_differs(statement, *agreement),
        Notice::TwinGap(gap) => super::gap(gap),
        Notice::Unwatched(reason) => format!(
            "the sessions that waited for the builds could not be watched, so each build was limited to --max-write-block: {reason}"
        ),
        Notice::Untested(number) => untested(*number),
        Notice::AutovacuumCounterReset { table, rows } => format!(
            "the rehearsal's ANALYZE was rolled back, but it reset the counter that autovacuum uses ({} changed rows of {table}). Run: ANALYZE {table};",
            group_thousands(*rows as f64, 0)
        ),
        Notice::SwitchedOff(names) => switched_off(names),
        Notice::UnusedAnswers(number) => format!(
            "{number} answers of the recording were not used: another version of pgrehearse made it, and its report may have been different"
        ),
    }
}

fn switched_off(names: &[String]) -> String {
    let names = names.join(", ");
    format!("recommended, but switched off in the session, and in none of these numbers: {names}")
}

fn no_twin(reason: &str) -> String {
    format!(
        "there was no planner twin, so no candidate was tested and nothing was built: {reason}. \
         --rehearse=transaction tests without a twin: it builds each candidate on the server, which blocks writers to its table meanwhile, \
         and rolls back"
    )
}

fn ended(how: &str, tested: usize, candidates: usize) -> String {
    format!(
        "{how} when {tested} of {candidates} candidates had been tested: the recommended indexes are the best found until then"
    )
}

fn never_analyzed(table: &QualifiedName) -> String {
    format!(
        "{table} was never analyzed: its plans are based on default estimates. Run: ANALYZE {table};"
    )
}

fn policies_for_others(
    table: &QualifiedName,
    role: Option<&str>,
    statements: &[StatementId],
    settings: &[(String, String)],
) -> String {
    let about = format!(
        "{table} has row-level security. Its policies do not apply to this role, and roles to which they apply run these statements with the policies' conditions"
    );
    if statements.is_empty() {
        return format!("{about}: advise as such a role, too");
    }
    let whose = role.map_or_else(
        || "PUBLIC".to_owned(),
        |role| format!("the role {}", quote_identifier(role)),
    );
    let settings: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("{name} = {}", quote_literal(value)))
        .collect();
    let values = if settings.is_empty() {
        String::new()
    } else {
        format!(", where {}", settings.join(" and "))
    };
    let statements: Vec<&str> = statements.iter().map(|id| id.0.as_str()).collect();
    format!(
        "{about}. So these are also planned in the planner twin with the policies for {whose}{values}: {}",
        statements.join(", ")
    )
}

fn untested(candidates: usize) -> String {
    let which = match candidates {
        1 => "1 candidate could not be tested now because its table is".to_owned(),
        number => format!("{number} candidates could not be tested now because their tables are"),
    };
    format!("{which} busy: run again at a quieter time")
}

fn twin_differs(statement: &StatementId, agreement: Agreement) -> String {
    let how = match agreement {
        Agreement::SameShape { deviation } => {
            format!("with a cost {:.1} % off", deviation * 100.0)
        }
        _ => "differently".to_owned(),
    };
    format!("the planner twin plans {statement} {how}: its predictions are less certain there")
}
