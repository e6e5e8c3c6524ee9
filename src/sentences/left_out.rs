//! What of the sources is not in the workload.

use crate::model::quote_identifier;
use crate::workload::LeftOut;

/// What was left out and, where that can be changed, how.
pub fn left_out(left_out: &LeftOut) -> String {
    match left_out {
        LeftOut::Hidden { statements, role } => format!(
            "pg_stat_statements hides the texts of {statements} statements of other users from the role {role}, so they are not in the workload. \
             Run as a superuser: GRANT pg_read_all_stats TO {};",
            quote_identifier(role)
        ),
        LeftOut::OfCatalogs(statements) => format!(
            "{} left out because they only read system catalogs",
            counted(*statements, "statement was", "statements were")
        ),
        LeftOut::OfOthers { executions, of } => format!(
            "{} left out because the log says that they are of {of} (--log-database and --log-user choose others)",
            counted(*executions, "execution was", "executions were")
        ),
        LeftOut::PsqlCommands { commands, first } => format!(
            "{} skipped, the first one: {first}",
            counted(*commands, "command of psql was", "commands of psql were")
        ),
        LeftOut::NotPlanned {
            statements,
            kinds,
            file,
        } => format!(
            "{file}: {} left out without a plan: {}",
            counted(*statements, "statement was", "statements were"),
            kinds.join(", ")
        ),
    }
}

fn counted(number: u64, one: &str, more: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        _ => format!("{number} {more}"),
    }
}
