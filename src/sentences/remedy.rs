//! Why a remedy may help.

use crate::model::{factor_text, group_thousands, quote_identifier};
use crate::planner::Evidence;
use crate::remedy::analyze::Stale;
use crate::remedy::{
    Effect, InsteadIndex, NeededIndex, Remedy, RemedyReason, estimate_has_changed,
};

/// Why a remedy may help, in at most three sentences.
pub fn remedy(remedy: &Remedy) -> String {
    let table = &remedy.table;
    match &remedy.reason {
        RemedyReason::StaleStatistics {
            stale,
            most_changed,
        } => format!(
            "{table} {}. With fresh statistics {}.",
            stale_statistics(*stale),
            expectation(most_changed)
        ),
        RemedyReason::UnknownToThePlanner { keys, most_changed } => {
            format!(
                "{}. The statistics object, built from a sample of the rows, says otherwise: {}.",
                assumption(keys),
                expectation(most_changed)
            )
        }
        RemedyReason::NotAllVisible { share } => format!(
            "{:.0} % of the pages of {table} are marked as all-visible, so index-only scans have to fetch the rows of the others from the table. \
             VACUUM marks them, as far as no transaction still needs old rows.",
            share * 100.0
        ),
        RemedyReason::FewRowsOfMany {
            rows,
            read,
            refresh_cost,
        } => {
            let about = match remedy.evidence {
                Evidence::PlannerTwin => "about ",
                Evidence::RolledBackTransaction => "",
            };
            format!(
                "It has {about}{} rows of the {} that the statement reads of {table}; refreshing it costs what the statement costs today \
                 ({refresh_cost}), so it pays if it is read more often than it is refreshed. It shows the state of the last REFRESH \
                 MATERIALIZED VIEW (CONCURRENTLY needs a unique index on it), in no particular order.",
                group_thousands(*rows, 0),
                group_thousands(*read, 0),
            )
        }
        RemedyReason::AskTheServer { .. } => ask_the_server(&remedy.reason),
        RemedyReason::CalledOnce {
            policy,
            columns,
            looked_up,
        } => called_once(remedy, policy, (columns, looked_up)),
        RemedyReason::WrittenAnotherWay { .. } => written_another_way(remedy),
    }
}

fn written_another_way(remedy: &Remedy) -> String {
    let RemedyReason::WrittenAnotherWay {
        before,
        after,
        to_its_end,
        indexes,
        because,
    } = &remedy.reason
    else {
        return String::new();
    };
    let with = match indexes {
        0 => "",
        1 => " with this index",
        _ => " with these indexes",
    };
    let lower = match before.factor_to(*after) {
        lower if lower >= 1.05 => format!(", {} lower", factor_text(lower)),
        _ => String::new(),
    };
    let walk = to_its_end.map_or_else(String::new, |end| {
        format!(
            " As it was, an index is read in its order until enough rows are found: {end} if they are at its end, or if there are none."
        )
    });
    let over = match remedy.benefits.as_slice() {
        [_, _, ..] => " on average over its values",
        _ => "",
    };
    let instead = instead(&remedy.instead);
    format!(
        "Written like this it costs {after} instead of {before}{over}{with}{lower}.{walk} {because}{instead}"
    )
}

/// What serves the statement if it has to stay as it is.
fn instead(indexes: &[InsteadIndex]) -> String {
    let [first, others @ ..] = indexes else {
        return String::new();
    };
    let ddl: Vec<&str> = indexes.iter().map(|one| one.ddl.as_str()).collect();
    let it = if others.is_empty() {
        "it would be"
    } else {
        "they would be"
    };
    format!(
        " If it has to stay as it is, it needs {} instead (cost {}); beside the rewrite {it} idle.",
        ddl.join(" "),
        first.cost
    )
}

fn ask_the_server(reason: &RemedyReason) -> String {
    let RemedyReason::AskTheServer {
        server,
        never_analyzed,
        most_changed,
    } = reason
    else {
        return String::new();
    };
    let names: Vec<String> = never_analyzed.iter().map(ToString::to_string).collect();
    let guessed = match names.as_slice() {
        [] => String::new(),
        [name] => format!("{name} was never analyzed here. "),
        names => format!("{} were never analyzed here. ", names.join(" and ")),
    };
    format!(
        "{guessed}With the estimates of {server} itself {}. Each planning then asks {server}; ANALYZE of the foreign tables avoids that, but \
         reads their rows, and has to be repeated.",
        expectation(most_changed)
    )
}

fn called_once(
    remedy: &Remedy,
    policy: &str,
    (columns, looked_up): (&[String], &[String]),
) -> String {
    let mut sentences = Vec::new();
    let mut subject = format!(
        "The policy {} of {}",
        quote_identifier(policy),
        remedy.table
    );
    if !looked_up.is_empty() {
        sentences.push(format!(
            "{subject} has a subquery that names {}, and so PostgreSQL evaluates it for every row; turned around it names no column of the row \
             and is evaluated once.",
            looked_up.join(" and ")
        ));
        "It".clone_into(&mut subject);
    }
    if !columns.is_empty() {
        sentences.push(format!(
            "{subject} compares {} with the result of a STABLE function, which is the same within a statement. PostgreSQL may still call it for \
             every row; as a subquery it is called once.",
            columns.join(" and ")
        ));
    }
    sentences.join(" ")
}

/// What an index is for that only a rewritten statement needs.
pub fn needed_index(needed: &NeededIndex, remedy: &Remedy) -> String {
    let statements = remedy.benefits.iter();
    let statements: Vec<&str> = statements
        .map(|effect| effect.statement.0.as_str())
        .collect();
    format!(
        "Only for {} as {} writes it. It will take about {}, as predicted by the planner twin alone; every write to {} has to keep it up to date.",
        statements.join(" and "),
        remedy.id,
        needed.size,
        needed.index.definition.table
    )
}

fn stale_statistics(stale: Stale) -> String {
    match stale {
        Stale::NeverAnalyzed => "was never analyzed".to_owned(),
        Stale::Modified { rows, of } => format!(
            "had {} rows when it was last analyzed, and {} were written since",
            group_thousands(of, 0),
            group_thousands(rows, 0)
        ),
    }
}

/// `the planner expects 600 rows instead of 6 for q, and plans it differently (cost 1,200 → 900)`
fn expectation(effect: &Effect) -> String {
    let Effect {
        statement,
        cost: (before, after),
        rows,
        plan_changed,
    } = effect;
    let rows = rows
        .filter(|rows| estimate_has_changed(*rows))
        .map(|(before, after)| {
            format!(
                "expects {} rows instead of {} for {statement}",
                group_thousands(after, 0),
                group_thousands(before, 0)
            )
        });
    let planned = plan_changed.then(|| {
        let statement = match rows {
            Some(_) => "it".to_owned(),
            None => statement.to_string(),
        };
        format!("plans {statement} differently (cost {before} → {after})")
    });
    let parts: Vec<String> = rows.into_iter().chain(planned).collect();
    format!("the planner {}", parts.join(" and "))
}

/// `The planner assumes that a and b are independent`
fn assumption(keys: &[String]) -> String {
    match keys {
        [key] => format!("The planner knows nothing of {key}"),
        keys => format!(
            "The planner assumes that {} are independent",
            keys.join(" and ")
        ),
    }
}
