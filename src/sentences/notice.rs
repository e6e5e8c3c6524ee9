//! The sentences of notices.

use super::twin_only;
use crate::advise::notice::Notice;
use crate::model::Gap;
use crate::model::group_thousands;
use crate::twin::agreement::Agreement;
use crate::workload::StatementId;

/// Maximum number of tables that are named in a notice.
const MAX_TABLES_NAMED: usize = 5;

/// A notice, in a sentence or two.
pub fn notice(notice: &Notice) -> String {
    match notice {
        Notice::NeverAnalyzed(table) => {
            format!(
                "{table} was never analyzed: its plans are based on default estimates. Run: ANALYZE {table};"
            )
        }
        Notice::Worse {
            statement,
            before,
            after,
        } => format!("{statement} gets worse with the recommended indexes: {before} → {after}"),
        Notice::PlannedOtherwise { remedy, statement } => format!(
            "{remedy} changes the plan of {statement}, and an index is recommended for it: run {remedy} first, and advise again"
        ),
        Notice::Rewrite {
            statement,
            reason,
            rewrite,
        } => format!("{statement}: {reason}. Rewrite: {rewrite}"),
        Notice::OutOfTime { tested, candidates } => format!(
            "--search-time ran out when {tested} of {candidates} candidates had been tested: the recommended indexes are the best found until then"
        ),
        Notice::NoTwin(reason) => format!(
            "there was no planner twin, so each candidate was built by itself in a transaction that was rolled back: {reason}"
        ),
        Notice::TwinCannotPlan { statement, message } => format!(
            "the planner twin cannot plan {statement}, so only indexes that were built are known to help it: {message}"
        ),
        Notice::TwinOnly { statement, reason } => {
            format!("{statement} was {}", twin_only(reason))
        }
        Notice::TwinDiffers {
            statement,
            agreement,
        } => twin_differs(statement, *agreement),
        Notice::TwinGap(gap) => twin_gap(gap),
        Notice::Untested(1) => {
            "1 candidate could not be tested now because its table is busy: run again at a quieter time"
                .to_owned()
        }
        Notice::Untested(number) => format!(
            "{number} candidates could not be tested now because their tables are busy: run again at a quieter time"
        ),
        Notice::AutovacuumCounterReset { table, rows } => format!(
            "the rehearsal's ANALYZE was rolled back, but it reset the counter that autovacuum uses ({} changed rows of {table}). Run: ANALYZE {table};",
            group_thousands(*rows as f64, 0)
        ),
        Notice::UnusedAnswers(number) => format!(
            "{number} answers of the recording were not used: another version of pgrehearse made it, and its report may have been different"
        ),
    }
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

/// `shop.a, shop.b and 3 more tables: what is missing. What helps: …`
fn twin_gap(gap: &Gap) -> String {
    let names = gap.tables.iter().take(MAX_TABLES_NAMED);
    let names: Vec<String> = names.map(ToString::to_string).collect();
    let more = match gap.tables.len().saturating_sub(MAX_TABLES_NAMED) {
        0 => String::new(),
        1 => " and 1 more table".to_owned(),
        more => format!(" and {more} more tables"),
    };
    let about = if names.is_empty() {
        String::new()
    } else {
        format!("{}{more}: ", names.join(", "))
    };
    let remedy = gap.remedy.as_ref();
    let remedy = remedy.map(|remedy| format!(". What helps: {remedy}"));
    format!("{about}{}{}", gap.what, remedy.unwrap_or_default())
}
