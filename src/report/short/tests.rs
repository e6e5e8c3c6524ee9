//! The default report: what it says, and how long it is.

use super::*;
use crate::advise::advise;
use crate::advise::notice::Notice;
use crate::model::{Gap, GapCause, QualifiedName};
use crate::planner::recording::{Recording, Replay};
use crate::planner::test_planner::{TestPlanner, seq_scan, table};
use crate::verdict::Limits;

fn plain(advice: &Advice, width: usize) -> String {
    let text = write(advice, &RunMeasurements::default(), width);
    anstream::adapter::strip_str(&text).to_string()
}

fn recorded(name: &str) -> Advice {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("fixtures/recordings").join(name);
    let recording = Recording::from_json(&std::fs::read_to_string(file).unwrap()).unwrap();
    let mut replay = Replay::new(&recording);
    advise(&recording.workload, &recording.limits, &mut replay, &|_| {}).unwrap()
}

/// As many statements, each made cheaper by an index of its own; the first ones most.
fn many(statements: usize) -> Advice {
    let columns: Vec<String> = (0..statements).map(|n| format!("c{n} bigint")).collect();
    let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
    let mut planner = TestPlanner::new([table("orders", &columns)]);
    for number in 0..statements {
        let cost = 1_000.0 + 100_000.0 / (1.0 + number as f64 * number as f64);
        let name = format!("orm-statement-{number}");
        let scan = seq_scan("orders", cost).filter(&format!("(orders.c{number} = 5)"));
        let sql = format!("SELECT * FROM orders WHERE c{number} = 5");
        planner = planner.statement(&name, &sql, scan).index(
            &format!("orders (c{number})"),
            Bytes(8192 * 128),
            &[(&name, 8.0)],
        );
    }
    let workload = planner.workload().clone();
    advise(&workload, &Limits::default(), &mut planner, &|_| {}).unwrap()
}

#[test]
fn a_recorded_run_is_told_on_a_screen() {
    let text = plain(&recorded("000-job-queue-twin.json"), 110);
    for part in [
        "5 indexes (3120 kB) make the workload 791× cheaper: 99.8 % of its cost is saved.",
        "r1    57 %    57 %   144 kB           –  jobs-fetch-runnable 598× lower",
        "r2    37 %    94 %    16 kB           –  jobs-primary-section-busy 2,128× lower",
        "SELECT … FROM jobs WHERE",
        "CREATE INDEX CONCURRENTLY jobs_reference_id_idx ON public.jobs USING btree (reference_id);",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.lines().count() < 40, "{text}");
}

#[test]
fn what_is_to_be_copied_is_a_whole_index_or_none() {
    let mut advice = recorded("000-job-queue-twin.json");
    let creation = &mut advice.recommendations[0].creation;
    let of_parts = |partitions: usize| {
        let mut create = vec!["CREATE INDEX parts ON ONLY jobs (a)".to_owned()];
        for number in 1..=partitions {
            create.push(format!(
                "CREATE INDEX CONCURRENTLY part_{number} ON jobs_{number} (a)"
            ));
            create.push(format!("ALTER INDEX parts ATTACH PARTITION part_{number}"));
        }
        create
    };
    creation.create = of_parts(3);
    let text = plain(&advice, 110);
    assert!(text.contains("ATTACH PARTITION part_3"), "{text}");
    advice.recommendations[0].creation.create = of_parts(4);
    advice.recommendations[0].creation.afterwards = vec!["ANALYZE only_here;".to_owned()];
    let text = plain(&advice, 110);
    assert!(text.contains("-- r1: "), "{text}");
    assert!(
        text.contains(": --format sql writes its 9 statements"),
        "{text}"
    );
    assert!(
        !text.contains("ON ONLY") && !text.contains("only_here"),
        "{text}"
    );
}

#[test]
fn every_recorded_run_fits_its_width_except_what_is_to_be_copied() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/recordings");
    for entry in std::fs::read_dir(directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let advice = recorded(&name);
        for width in [60, 80, 120] {
            let text = plain(&advice, width);
            assert!(text.lines().count() <= 60, "{name}: {text}");
            let sql = ["CREATE ", "ANALYZE ", "DROP ", "VACUUM ", "ALTER "];
            let wide = text.lines().find(|line| {
                let is_sql = sql.iter().any(|word| line.starts_with(word));
                !is_sql && line.chars().count() > width
            });
            assert_eq!(wide, None, "{name} at {width}:\n{text}");
        }
    }
}

#[test]
fn of_many_indexes_those_are_shown_that_bring_most() {
    let advice = many(50);
    assert!(advice.recommendations.len() > 40);
    let text = plain(&advice, 120);
    assert!(text.lines().count() <= 60, "{text}");
    let ddl = text.lines().filter(|line| line.starts_with("CREATE INDEX"));
    let (shown, all) = (ddl.count(), advice.recommendations.len());
    assert!((3..=8).contains(&shown), "{text}");
    assert!(
        text.contains(&format!(" {shown} of the {all} bring ")),
        "{text}"
    );
    assert!(
        text.contains(&format!("and {} more (", all - shown)),
        "{text}"
    );
    assert!(text.contains("and 42 more: -v shows all"), "{text}");
}

#[test]
fn what_gets_worse_and_what_failed_is_said_and_counted() {
    let mut advice = many(12);
    for statement in advice.statements.iter_mut().take(7) {
        statement.status = StatementStatus::Failed;
        statement.error = Some("ERROR: relation \"x\" does not exist\nLINE 1".to_owned());
        statement.before = None;
        statement.after = None;
    }
    let (before, after) = (
        advice.statements[7].before.clone(),
        advice.statements[7].after.clone(),
    );
    let worse = &mut advice.statements[7];
    (worse.before, worse.after) = (after, before);
    worse.change = Some(Change::Worse);
    let text = plain(&advice, 100);
    assert!(text.contains("NOT PLANNED  7 statements"), "{text}");
    assert!(text.contains("relation \"x\" does not exist"), "{text}");
    assert!(text.contains("and 2 more: -v"), "{text}");
    assert!(text.contains("WORSE  1 statement"), "{text}");
    assert!(text.contains("more expensive"), "{text}");
}

#[test]
fn nothing_planned_is_said_as_such() {
    let mut advice = many(2);
    advice.recommendations.clear();
    for statement in &mut advice.statements {
        statement.status = StatementStatus::Failed;
        statement.before = None;
        statement.after = None;
    }
    let text = plain(&advice, 100);
    assert!(
        text.contains("Nothing was planned: none of the 2 statements could be."),
        "{text}"
    );
    assert!(!text.contains("No index helps"), "{text}");
}

#[test]
fn gains_that_rest_on_missing_statistics_are_marked() {
    let mut advice = many(2);
    assert!(!plain(&advice, 100).contains("without statistics"));
    advice.notices.push(Notice::TwinGap(Gap {
        tables: [QualifiedName::new("public", "orders")].into(),
        cause: GapCause::TableNotReadable {
            role: "advisor".to_owned(),
        },
    }));
    let text = plain(&advice, 130);
    for part in [
        "guessed, without statistics: orm-statement-0",
        "! public.orders: the role advisor cannot read the table",
        "GRANT SELECT ON public.orders TO advisor;",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    advice.notices.clear();
    let other = QualifiedName::new("public", "orders_of_others");
    advice.notices.push(Notice::NeverAnalyzed(other));
    assert!(!plain(&advice, 130).contains("without statistics"));
}

#[test]
fn details_are_counted_and_nothing_reaches_the_terminal_raw() {
    let mut advice = many(2);
    advice
        .notices
        .push(Notice::Unwatched("\u{1b}[2J".to_owned()));
    advice
        .notices
        .push(Notice::NoTwin("no \u{1b}[2J initdb".to_owned()));
    advice.statements[0].statement.id.0 = "evil\u{1b}[2J".to_owned();
    advice.statements[0].statement.sql = "SELECT '\u{1b}[2J'".to_owned();
    let text = plain(&advice, 100);
    assert!(
        text.contains("1 note about how this was found: -v"),
        "{text}"
    );
    assert!(text.contains("no \\u{1b}[2J initdb"), "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
}

#[test]
fn what_is_better_rewritten_is_said_of_what_no_index_helps() {
    let scan = seq_scan("orders", 1_000.0).filter("(orders.c > 5)");
    let mut planner = TestPlanner::new([table("orders", &["c bigint"])]).statement(
        "late",
        "SELECT * FROM orders WHERE c > 5",
        scan,
    );
    let workload = planner.workload().clone();
    let mut advice = advise(&workload, &Limits::default(), &mut planner, &|_| {}).unwrap();
    let told = |advice: &Advice| {
        let text = plain(advice, 110);
        let mut lines = text.lines();
        lines
            .find(|line| line.starts_with("No index helps 1"))
            .map(str::to_owned)
    };
    assert!(!told(&advice).unwrap().contains("rewritten"));
    let id = advice.statements[0].statement.id.clone();
    advice.remedies.push(Remedy {
        id: "m1".to_owned(),
        kind: Kind::Rewrite,
        table: QualifiedName::new("public", "orders"),
        statements: vec!["SELECT 1;".to_owned()],
        indexes: Vec::new(),
        beside: Vec::new(),
        instead: Vec::new(),
        benefits: vec![crate::remedy::Effect {
            statement: id,
            cost: (crate::model::Cost(1_000.0), crate::model::Cost(10.0)),
            rows: None,
            plan_changed: true,
        }],
        size: None,
        evidence: Evidence::PlannerTwin,
        reason: crate::remedy::RemedyReason::WrittenAnotherWay {
            before: crate::model::Cost(1_000.0),
            after: crate::model::Cost(10.0),
            to_its_end: None,
            indexes: 0,
            because: "it is the same".to_owned(),
        },
    });
    let line = told(&advice).unwrap();
    assert!(line.ends_with("; 1 is better rewritten (m1)"), "{line}");
}
