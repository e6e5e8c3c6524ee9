//! Every reason as its sentence, to be read: a new variant belongs here.

use super::*;
use crate::advise::Benefit;
use crate::advise::no_index_helps::{LowerPageCost, NoIndexHelps, WouldBeUsed};
use crate::advise::notice::Notice;
use crate::advise::rejection::{OtherIndex, Rejection};
use crate::index::{Index, parse_index};
use crate::model::{Bytes, Cost, Gap, Millis, QualifiedName};
use crate::planner::{NotExecuted, TwinOnly, TwinOnlyReason};
use crate::twin::agreement::Agreement;
use crate::verdict::{MinImprovement, Reason};
use crate::workload::StatementId;

fn table() -> QualifiedName {
    QualifiedName::new("public", "orders")
}

fn statement() -> StatementId {
    StatementId("q1".to_owned())
}

fn index() -> Index {
    parse_index("CREATE INDEX i ON public.orders USING btree (customer_id)").unwrap()
}

fn benefit() -> Benefit {
    Benefit {
        statement: statement(),
        before: Cost(1_200.0),
        after: Cost(8.3),
    }
}

const A_TENTH: MinImprovement = MinImprovement(0.1);

#[test]
fn refusals() {
    let cases = [
        RefusalCause::BuildingNotAllowed(Rehearse::Off),
        RefusalCause::BuildingNotAllowed(Rehearse::Twin),
        RefusalCause::ReadOnlyServer,
        RefusalCause::NotOwner(table()),
        RefusalCause::TableTooLarge {
            table: table(),
            size: Bytes(20 << 30),
            limit: Bytes(10 << 30),
        },
        RefusalCause::TableLocked(table()),
        RefusalCause::LockTimeout(Millis(500.0)),
        RefusalCause::LockNotFree(table()),
        RefusalCause::WriteBlockTooLong(Millis(2_000.0)),
        RefusalCause::StatementTimeout(Millis(30_000.0)),
        RefusalCause::NoServer,
        RefusalCause::CannotSimulate {
            hypothesis: "random_page_cost = 1.1".to_owned(),
            beside_indexes: false,
        },
        RefusalCause::CannotSimulate {
            hypothesis: "ANALYZE public.orders".to_owned(),
            beside_indexes: true,
        },
        RefusalCause::OutOfTime,
        RefusalCause::NotUsableNow,
        RefusalCause::NotUsedByServer,
        RefusalCause::PlannedInTwinOnly(statement()),
        RefusalCause::NotExecuted(NotExecuted::LocksRows),
        RefusalCause::Server {
            reason: Reason::BuildFailed,
            message: "column \"x\" does not exist".to_owned(),
        },
        RefusalCause::TwinCannotPlan {
            cause: Box::new(RefusalCause::ReadOnlyServer),
            statement: statement(),
            message: "function f() does not exist".to_owned(),
        },
    ];
    insta::assert_snapshot!(lines(cases.iter().map(refusal)));
}

#[test]
fn rejections() {
    let other = |after| OtherIndex {
        id: "r1".to_owned(),
        size: Bytes(8_192),
        after: Cost(after),
    };
    let write_cost = |of_lost_hot| Rejection::WriteCostTooHigh {
        best: benefit(),
        gained: Cost(4_000.0),
        write_cost: Cost(9_000.0),
        of_lost_hot: Cost(of_lost_hot),
    };
    let redundant = |other| Rejection::Redundant {
        best: benefit(),
        other,
    };
    let cases = [
        Rejection::Refused(RefusalCause::NotOwner(table())),
        Rejection::NotUsed,
        Rejection::NotUsableNow,
        Rejection::NotUsedBesideOthers,
        Rejection::GainTooSmallBesideOthers,
        Rejection::Slower {
            statement: statement(),
            before: Millis(1.5),
            after: Millis(40.0),
        },
        Rejection::GainTooSmall {
            best: Benefit {
                after: Cost(1_150.0),
                ..benefit()
            },
            min_improvement: A_TENTH,
        },
        write_cost(0.0),
        write_cost(5_000.0),
        Rejection::OverLimit {
            reason: Reason::OverBudget,
            best: benefit(),
        },
        redundant(None),
        redundant(Some(other(4.2))),
        redundant(Some(other(8.3))),
        Rejection::CoveredByExisting(QualifiedName::new("public", "orders_customer_id_idx")),
    ];
    insta::assert_snapshot!(lines(cases.iter().map(rejection)));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn why_no_index_helps() {
    let already_indexed = |conditions: &[&str]| NoIndexHelps::AlreadyIndexed {
        table: table(),
        scan: "Index Scan".to_owned(),
        indexes: vec!["orders_pkey".to_owned()],
        conditions: conditions.iter().map(ToString::to_string).collect(),
    };
    let candidate = |rejection| NoIndexHelps::Candidate {
        index: index(),
        before: Cost(1_200.0),
        after: Cost(8.3),
        rejection,
    };
    let lower = |index| {
        NoIndexHelps::LowerPageCost(LowerPageCost {
            index,
            now: 4.0,
            at: 1.5,
            cost: Cost(900.0),
        })
    };
    let cases = [
        NoIndexHelps::ReadsNoTable,
        NoIndexHelps::NoCondition(table()),
        NoIndexHelps::TableTooSmall {
            table: table(),
            pages: 1,
            whole: Cost(1.5),
            one_row: Cost(8.15),
        },
        already_indexed(&["(id = 5)"]),
        already_indexed(&[]),
        NoIndexHelps::ReadsMost {
            table: table(),
            returned: 45_000.0,
            rows: 60_000.0,
        },
        candidate(Rejection::OverLimit {
            reason: Reason::OverBudget,
            best: benefit(),
        }),
        candidate(Rejection::Refused(RefusalCause::NotOwner(table()))),
        NoIndexHelps::GainsTooLittle {
            index: index(),
            before: Cost(1_200.0),
            after: Cost(1_150.0),
            min_improvement: A_TENTH,
        },
        lower(WouldBeUsed::Existing("orders_pkey".to_owned())),
        lower(WouldBeUsed::Candidate(Box::new(index()))),
        NoIndexHelps::NotIndexable("no index can hold now(): it is not immutable".to_owned()),
        NoIndexHelps::NotIndexableFilter {
            filter: "(a + b = 3)".to_owned(),
            table: table(),
        },
        NoIndexHelps::NotTested {
            refused: 2,
            candidates: 3,
            cause: RefusalCause::TableLocked(table()),
        },
        NoIndexHelps::NoCandidateHelped {
            candidates: 0,
            best: None,
            now: Cost(1_200.0),
        },
        NoIndexHelps::NoCandidateHelped {
            candidates: 4,
            best: Some((index(), Cost(1_200.0))),
            now: Cost(1_200.0),
        },
    ];
    insta::assert_snapshot!(lines(cases.iter().map(no_index)));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn notices() {
    let gap = |tables: usize| {
        Notice::TwinGap(Gap {
            tables: (0..tables)
                .map(|number| QualifiedName::new("shop", format!("t{number}")))
                .collect(),
            what: "statistics are missing".to_owned(),
            remedy: Some("GRANT pg_read_all_data TO advisor".to_owned()),
        })
    };
    let cases = [
        Notice::NeverAnalyzed(table()),
        Notice::Worse {
            statement: statement(),
            before: Cost(8.3),
            after: Cost(12.0),
        },
        Notice::PlannedOtherwise {
            remedy: "s1".to_owned(),
            statement: statement(),
        },
        Notice::Rewrite {
            statement: statement(),
            reason: "no index can hold now(): it is not immutable".to_owned(),
            rewrite: "compare the column itself".to_owned(),
        },
        Notice::OutOfTime {
            tested: 3,
            candidates: 9,
        },
        Notice::NoTwin("no PostgreSQL 15 server is installed on this machine".to_owned()),
        Notice::TwinCannotPlan {
            statement: statement(),
            message: "function f() does not exist".to_owned(),
        },
        Notice::TwinOnly {
            statement: statement(),
            reason: TwinOnly {
                authors: ["app".to_owned()].into(),
                reason: TwinOnlyReason::EscapedNames,
            },
        },
        Notice::TwinDiffers {
            statement: statement(),
            agreement: Agreement::SameShape { deviation: 0.012 },
        },
        Notice::TwinDiffers {
            statement: statement(),
            agreement: Agreement::Different,
        },
        gap(0),
        gap(2),
        gap(6),
        gap(8),
        Notice::Untested(1),
        Notice::Untested(2),
        Notice::AutovacuumCounterReset {
            table: table(),
            rows: 12_000,
        },
        Notice::UnusedAnswers(7),
    ];
    insta::assert_snapshot!(lines(cases.iter().map(notice)));
}

#[test]
fn why_a_statement_is_not_executed() {
    let function = || "public.f(integer)".to_owned();
    let cases = [
        NotExecuted::Volatile(function()),
        NotExecuted::ReachesOutside("table_to_xml(regclass,boolean,boolean,text)".to_owned()),
        NotExecuted::Language {
            function: function(),
            language: "plperl".to_owned(),
        },
        NotExecuted::DynamicSql(function()),
        NotExecuted::ForeignTable("public.remote".to_owned()),
        NotExecuted::LocksRows,
        NotExecuted::Writes,
        NotExecuted::HasParameters,
        NotExecuted::NotChecked("permission denied".to_owned()),
        NotExecuted::OutOfTime(Millis(120_000.0)),
        NotExecuted::Failed("ERROR: division by zero".to_owned()),
    ];
    insta::assert_snapshot!(lines(cases.iter().map(not_executed)));
}

#[test]
fn why_a_statement_is_planned_in_the_twin_only() {
    let reasons = [
        TwinOnlyReason::FunctionOf {
            function: "public.f(integer)".to_owned(),
            owner: "app".to_owned(),
        },
        TwinOnlyReason::EscapedNames,
        TwinOnlyReason::NotChecked("permission denied".to_owned()),
    ];
    let cases = reasons.map(|reason| TwinOnly {
        authors: ["app".to_owned(), "web".to_owned()].into(),
        reason,
    });
    let sentences = cases.iter().map(not_planned);
    insta::assert_snapshot!(lines(sentences.chain(cases.iter().map(twin_only))));
}

fn lines(sentences: impl Iterator<Item = String>) -> String {
    sentences.collect::<Vec<_>>().join("\n")
}
