//! Why a statement was not executed, or not planned on the server.

use crate::advise::StatementAdvice;
use crate::planner::{NotExecuted, TwinOnly, TwinOnlyReason};

/// Why a statement was not executed, after `not executed: `.
pub fn not_executed(reason: &NotExecuted) -> String {
    match reason {
        NotExecuted::Volatile(function) => format!(
            "it may call {function}, which is volatile: its effects may outlive a rollback{INSIST}"
        ),
        NotExecuted::ReachesOutside(function) => format!(
            "it may call {function}, which executes a query text, or has effects outside the transaction{INSIST}"
        ),
        NotExecuted::Language { function, language } => format!(
            "it may call {function}, and what a function in {language} does cannot be checked{INSIST}"
        ),
        NotExecuted::DynamicSql(function) => {
            format!("it may call {function}, which makes its statements at run time{INSIST}")
        }
        NotExecuted::ForeignTable(table) => {
            format!("it reads the foreign table {table}, which is outside this database{INSIST}")
        }
        NotExecuted::LocksRows => "it locks rows".to_owned(),
        NotExecuted::Writes => "it writes or locks rows".to_owned(),
        NotExecuted::HasParameters => {
            "it has parameters, and their values are not known".to_owned()
        }
        NotExecuted::NotChecked(message) => {
            format!("what it calls could not be checked: {message}{INSIST}")
        }
        NotExecuted::OutOfTime(limit) => {
            format!("--max-analyze-time {limit} was used up")
        }
        NotExecuted::Failed(message) => message.clone(),
    }
}

const INSIST: &str = " (--analyze-volatile executes it anyway)";

const WITHIN_FUNCTION: &str = "Only functions execute it (pg_stat_statements.toplevel is false): its text may name their variables, and \
                               temporary tables of theirs.";

/// Why a statement has no plan: the server's message, or why it was not sent.
pub fn error(statement: &StatementAdvice) -> Option<String> {
    let withheld = statement.twin_only.as_ref().map(not_planned);
    let error = statement.error.clone().map(|error| {
        if statement.statement.within_function {
            format!("{error}\n{WITHIN_FUNCTION}")
        } else {
            error
        }
    });
    error.or(withheld.filter(|_| statement.before.is_none()))
}

/// Why a statement has no plan: it is planned in the twin only, and there is none.
pub fn not_planned(reason: &TwinOnly) -> String {
    format!(
        "not planned on the server, because {}; advise plans it in the planner twin",
        cause(reason)
    )
}

/// Why a statement was planned in the twin only.
pub fn twin_only(reason: &TwinOnly) -> String {
    let what = match reason.reason {
        TwinOnlyReason::LongPlan(_) => "planned with new indexes",
        _ => "planned",
    };
    format!("{what} in the planner twin only, because {}", cause(reason))
}

fn cause(TwinOnly { authors, reason }: &TwinOnly) -> String {
    let authors: Vec<&str> = authors.iter().map(String::as_str).collect();
    let authors = authors.join(", ");
    match reason {
        TwinOnlyReason::FunctionOf { function, owner } => format!(
            "it is a statement of {authors}, and planning it may execute {function} of {owner} with your rights"
        ),
        TwinOnlyReason::EscapedNames => format!(
            "it is a statement of {authors}, and has names with escaped characters, which are not resolved"
        ),
        TwinOnlyReason::PoliciesOfOthers => {
            "it is planned with row-level security policies that do not apply to your role"
                .to_owned()
        }
        TwinOnlyReason::NoRights(message) => {
            format!("the role may not execute it ({message}), and so may not see its plan")
        }
        TwinOnlyReason::LongPlan(bytes) => {
            format!("its plan ({bytes}) is too long to be read while writers wait for a build")
        }
        TwinOnlyReason::NotChecked(message) => format!(
            "it is a statement of {authors}, and what planning it may execute could not be checked: {message}"
        ),
    }
}
