//! Every reason as its sentence, to be read: a new variant belongs here.

use std::collections::BTreeSet;

use super::*;
use crate::advise::no_index_helps::{IndexChoice, LowerPageCost, NoIndexHelps};
use crate::advise::notice::Notice;
use crate::advise::rejection::{OtherIndex, Rejection};
use crate::advise::{
    Benefit, Bound, CheckedTables, ExistingCause, ExistingFinding, Incomplete, LeftBy,
    SupportedForeignKey, Unused,
};
use crate::candidate::{Alternative, NotIndexable};
use crate::catalog::{CallKind, Counters, Mutable, Stage};
use crate::index::{Index, parse_index};
use crate::model::{
    Bytes, Cost, Gap, GapCause, HiddenStatistics, Millis, QualifiedName, Unprotected,
};
use crate::planner::{NotExecuted, Silence, TwinOnly, TwinOnlyReason};
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

fn not_indexable(alternative: Alternative) -> NotIndexable {
    NotIndexable {
        statement: statement(),
        expression: "date(at)".to_owned(),
        call: Mutable {
            kind: CallKind::Function,
            called: "date".to_owned(),
            arguments: vec!["timestamp with time zone".to_owned()],
            own: false,
            volatile: false,
        },
        alternative,
    }
}

fn benefit() -> Benefit {
    Benefit {
        statement: statement(),
        before: Cost(1_200.0),
        after: Cost(8.3),
    }
}

const A_TENTH: MinImprovement = MinImprovement(0.1);

fn silence(rollback_seen: bool) -> Silence {
    Silence {
        waited: Millis(8_000.0),
        rollback_seen,
    }
}

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
        RefusalCause::UnwatchedTooLong(Millis(2_000.0)),
        RefusalCause::WriteBudgetSpent(Millis(30_000.0)),
        RefusalCause::Declined,
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
        RefusalCause::ServerSilent(silence(true)),
        RefusalCause::OutOfTime,
        RefusalCause::Interrupted,
        RefusalCause::NotUsableNow,
        RefusalCause::NotUsedByServer,
        RefusalCause::PlannedInTwinOnly(statement()),
        RefusalCause::NotExecuted(NotExecuted::LocksRows),
        RefusalCause::Server {
            reason: Reason::BuildFailed,
            message: "column \"x\" does not exist".to_owned(),
        },
        RefusalCause::NoTwin,
        RefusalCause::TwinCannotPlan {
            cause: Box::new(RefusalCause::BuildingNotAllowed(Rehearse::Twin)),
            statement: statement(),
            message: "function f() does not exist".to_owned(),
        },
        RefusalCause::TwinCannotPlan {
            cause: Box::new(RefusalCause::NoTwin),
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
    let write_cost = |lost_hot_cost| Rejection::WriteCostTooHigh {
        best: benefit(),
        gained: Cost(4_000.0),
        write_cost: Cost(9_000.0),
        lost_hot_cost: Cost(lost_hot_cost),
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
        Rejection::OverLimit {
            reason: Reason::Negligible,
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
        not_by_first: None,
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
        NoIndexHelps::Volatile {
            table: table(),
            filter: "(day > cutoff())".to_owned(),
            call: Mutable {
                kind: CallKind::Function,
                called: "cutoff".to_owned(),
                arguments: Vec::new(),
                own: true,
                volatile: true,
            },
        },
        NoIndexHelps::Volatile {
            table: table(),
            filter: "(id = random())".to_owned(),
            call: Mutable {
                kind: CallKind::Function,
                called: "random".to_owned(),
                arguments: Vec::new(),
                own: false,
                volatile: true,
            },
        },
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
        lower(IndexChoice::Existing("orders_pkey".to_owned())),
        lower(IndexChoice::Candidate(Box::new(index()))),
        NoIndexHelps::NotIndexable(not_indexable(Alternative::CompareColumn)),
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
            tables: tables_named(tables),
            cause: GapCause::RowSecurity,
        })
    };
    let cases = [
        Notice::NeverAnalyzed(table()),
        Notice::PoliciesForOthers {
            table: table(),
            role: None,
            statements: Vec::new(),
            settings: Vec::new(),
        },
        Notice::PoliciesForOthers {
            table: table(),
            role: Some("web app".to_owned()),
            statements: vec![statement()],
            settings: vec![("app.tenant".to_owned(), "17".to_owned())],
        },
        Notice::Worse {
            statement: statement(),
            before: Cost(8.3),
            after: Cost(12.0),
        },
        Notice::PlannedOtherwise {
            remedy: "s1".to_owned(),
            statement: statement(),
        },
        Notice::NotIndexable(not_indexable(Alternative::ComparePeriod {
            column: "at".to_owned(),
            instead_of: Some("(date(at) = CURRENT_DATE)".to_owned()),
            at_utc: Some("date(at AT TIME ZONE 'UTC')".to_owned()),
        })),
        Notice::NotIndexable(not_indexable(Alternative::NameConfiguration {
            instead_of: None,
        })),
        Notice::NotIndexable(not_indexable(Alternative::DeclareImmutable)),
        Notice::NotIndexable(not_indexable(Alternative::Concatenate { instead_of: None })),
        Notice::NotIndexable(not_indexable(Alternative::CompareColumn)),
        Notice::ServerSilent(silence(true)),
        Notice::ServerSilent(silence(false)),
        Notice::Interrupted {
            tested: 3,
            candidates: 9,
        },
        Notice::InterruptedAfterwards,
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
        Notice::Unwatched("too many connections".to_owned()),
        Notice::Untested(1),
        Notice::Untested(2),
        Notice::AutovacuumCounterReset {
            table: table(),
            rows: 12_000,
        },
        Notice::SwitchedOff(vec!["orders_state_idx".to_owned(), "b".to_owned()]),
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

fn tables_named(number: usize) -> BTreeSet<QualifiedName> {
    (0..number)
        .map(|number| QualifiedName::new("shop", format!("t{number}")))
        .collect()
}

#[test]
fn gaps() {
    let role = || "advisor".to_owned();
    let hidden = |statistics| GapCause::StatisticsHidden {
        statistics,
        role: role(),
    };
    let cases = [
        (2, GapCause::TableNotReadable { role: role() }),
        (1, GapCause::RowSecurity),
        (1, hidden(HiddenStatistics::OfTable)),
        (1, hidden(HiddenStatistics::OfExpressions)),
        (1, hidden(HiddenStatistics::Extended)),
        (1, hidden(HiddenStatistics::OfSpecialTypes)),
        (1, GapCause::ForeignTable),
        (
            1,
            GapCause::AccessMethod {
                access_method: "columnar".to_owned(),
            },
        ),
        (
            1,
            GapCause::LibraryMissing {
                library: "$libdir/rum".to_owned(),
                directory: "/usr/lib/postgresql/15/lib".to_owned(),
                major_version: 15,
            },
        ),
        (
            0,
            GapCause::LocaleMissing {
                locale: "de_CH.utf8".to_owned(),
            },
        ),
        (0, GapCause::Unconfined(Unprotected::FilesAndNetwork)),
        (
            0,
            GapCause::ManyPartitions {
                table: QualifiedName::new("public", "events"),
                partitions: 2_000,
                looked_at: 16,
            },
        ),
        (0, GapCause::Unconfined(Unprotected::Files)),
        (
            0,
            GapCause::Text {
                what: "statistics are missing".to_owned(),
                remedy: Some("GRANT pg_read_all_data TO advisor".to_owned()),
            },
        ),
    ];
    let sentences = cases.into_iter().map(|(tables, cause)| {
        super::gap(&Gap {
            tables: tables_named(tables),
            cause,
        })
    });
    insta::assert_snapshot!(lines(sentences));
}

fn unused(standbys: u32, another_index: Option<bool>) -> Unused {
    Unused {
        counters: Counters {
            since: "2024-05-01T10:00:00Z".to_owned(),
            counted_for_s: 864_000.0,
            was_reset: true,
            standbys,
            standbys_counted: 0,
        },
        version_num: 150_000,
        in_recovery: false,
        foreign_key: another_index.map(|another_index| SupportedForeignKey {
            name: "orders_customer_fkey".to_owned(),
            table: table(),
            parent: QualifiedName::new("public", "customers"),
            another_index,
        }),
    }
}

fn unattached(partitions: usize, invalid: usize, incomplete: Incomplete) -> ExistingCause {
    let named = |what: &str, number| {
        let name = |number| QualifiedName::new("public", format!("{what}_{number}"));
        (1..=number).map(name).collect()
    };
    ExistingCause::Unattached {
        partitions: named("orders", partitions),
        invalid: named("orders_at", invalid),
        incomplete,
    }
}

/// One finding of each cause.
fn existing_causes() -> Vec<ExistingCause> {
    let of = || QualifiedName::new("public", "other");
    let began = Unused {
        version_num: 140_000,
        ..unused(1, Some(true))
    };
    let standby = Unused {
        in_recovery: true,
        ..unused(0, None)
    };
    let invalid = |enforces, left_by, stage| ExistingCause::Invalid {
        enforces,
        left_by,
        stage,
    };
    vec![
        ExistingCause::Duplicate { of: of() },
        ExistingCause::Prefix { of: of() },
        ExistingCause::Equivalent { of: of() },
        ExistingCause::Replaced {
            by: "orders_a_b_idx".to_owned(),
            recommendation: "r1".to_owned(),
        },
        invalid(false, LeftBy::Build, Stage::Ready),
        invalid(false, LeftBy::Build, Stage::NotReady),
        invalid(false, LeftBy::Build, Stage::Dead),
        invalid(true, LeftBy::Build, Stage::Ready),
        invalid(true, LeftBy::Build, Stage::NotReady),
        invalid(false, LeftBy::Rebuild(of()), Stage::NotReady),
        invalid(false, LeftBy::Replaced(of()), Stage::Ready),
        unattached(1, 0, Incomplete::Steps(vec!["…".to_owned()])),
        unattached(7, 0, Incomplete::Steps(vec!["…".to_owned()])),
        unattached(0, 1, Incomplete::Steps(vec!["…".to_owned()])),
        unattached(2, 0, Incomplete::Foreign),
        unattached(2, 2, Incomplete::Constraint),
        unattached(2, 0, Incomplete::Unknown),
        ExistingCause::BeingBuilt,
        ExistingCause::Unused(unused(0, Some(false))),
        ExistingCause::Unused(unused(2, None)),
        ExistingCause::Unused(began),
        ExistingCause::Unused(standby),
        ExistingCause::Bloated {
            rebuilt: Bytes(9 * Bytes::MB),
        },
    ]
}

#[test]
fn existing_indexes() {
    let finding = |clustered| {
        move |cause| ExistingFinding {
            index: QualifiedName::new("public", "old"),
            cause,
            size: Bytes(20 * Bytes::MB),
            scans: 0,
            clustered,
            bound: None,
        }
    };
    let mut findings: Vec<_> = existing_causes().into_iter().map(finding(false)).collect();
    let clustered = existing_causes().into_iter().map(finding(true));
    findings.extend(clustered.filter(|finding| {
        matches!(
            finding.cause,
            ExistingCause::Duplicate { .. } | ExistingCause::Bloated { .. }
        )
    }));
    let table = || QualifiedName::new("public", "orders");
    let constraint = |referenced| Bound::Constraint {
        name: "orders_ref_key".to_owned(),
        table: table(),
        referenced,
    };
    let of_constraints = [
        constraint(false),
        constraint(true),
        Bound::Referenced,
        Bound::Partitioned { table: table() },
    ];
    findings.extend(of_constraints.into_iter().map(|bound| ExistingFinding {
        bound: Some(bound),
        ..finding(true)(ExistingCause::Duplicate { of: table() })
    }));
    insta::assert_snapshot!(lines(findings.iter().map(existing_index)));
}

#[test]
fn whose_indexes_were_checked() {
    let table = QualifiedName::new("public", "orders");
    let checked = |all, locked: usize| {
        checked_tables(&CheckedTables {
            tables: vec![table.clone()],
            indexes: 3,
            all,
            locked: vec![table.clone(); locked],
        })
    };
    insta::assert_snapshot!(lines(
        [
            checked(false, 0),
            checked(true, 0),
            checked(true, 1),
            checked(true, 2)
        ]
        .into_iter()
    ));
}

#[test]
fn that_no_index_helps_is_said_only_where_all_were_tested() {
    let said = |reasons: &[Reason]| none_recommended(reasons.iter().copied());
    assert_eq!(said(&[]), "No index helps");
    let tested = [
        Reason::NotChosen,
        Reason::GainTooSmall,
        Reason::UpkeepTooHigh,
        Reason::BuildFailed,
    ];
    assert_eq!(said(&tested), "No index helps");
    for untested in [
        Reason::NotRehearsed,
        Reason::NotOwner,
        Reason::TableTooLarge,
        Reason::Declined,
        Reason::OutOfTime,
        Reason::ReadOnlyServer,
        Reason::WriteBudgetSpent,
    ] {
        assert_eq!(
            said(&[Reason::NotChosen, untested]),
            "No index is recommended, but 1 candidate was not tested",
            "{untested:?}"
        );
    }
    assert_eq!(
        said(&[Reason::NoTwin, Reason::NoTwin]),
        "No index is recommended, but 2 candidates were not tested"
    );
}
