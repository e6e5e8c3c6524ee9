//! From options to limits, and from errors to an exit status.

use clap::Parser;

use super::*;
use crate::cluster::ClusterError;
use crate::db::DbError;
use crate::model::{Bytes, Millis};
use crate::planner::{PlannerError, Rollback};
use crate::verdict::{Limits, MinImprovement, Rehearse};

/// The limits of `pgrehearse advise` with these options.
fn limits(options: &[&str]) -> Limits {
    let words = ["pgrehearse", "advise", "-c", "SELECT 1"];
    let cli = Cli::try_parse_from(words.iter().chain(options)).unwrap();
    match cli.command {
        Some(Command::Advise(arguments)) => arguments.run.limits.limits(),
        _ => panic!("another command"),
    }
}

#[test]
fn without_options_the_limits_are_the_default_ones() {
    assert_eq!(limits(&[]), Limits::default());
}

#[test]
fn options_become_limits() {
    let options = [
        "--budget=10MB",
        "--max-indexes=3",
        "--min-improvement=25",
        "--max-table-size=2GB",
        "--max-write-block=500ms",
        "--rehearse=twin",
        "--analyze",
        "--analyze-volatile=one",
        "--analyze-volatile=other",
        "--max-analyze-time=1min",
        "--search-time=2s",
        "--unused-after=1h",
        "--all-tables",
    ];
    let expected = Limits {
        budget: Some(Bytes(10 * Bytes::MB)),
        max_indexes: Some(3),
        min_improvement: MinImprovement(0.25),
        max_table_size: Some(Bytes(2 * Bytes::GB)),
        max_write_block: Millis(500.0),
        max_total_write_block: Millis(30_000.0),
        rehearse: Rehearse::Twin,
        analyze: true,
        analyze_volatile: ["one".to_owned(), "other".to_owned()].into(),
        max_analyze_time: Millis(60_000.0),
        search_time: Some(Millis(2_000.0)),
        unused_after: Millis(3_600_000.0),
        all_tables: true,
        follow_foreign: false,
    };
    assert_eq!(limits(&options), expected);
}

#[test]
fn each_way_of_rehearsing_has_a_name() {
    for (name, expected) in [
        ("auto", Rehearse::Auto),
        ("twin", Rehearse::Twin),
        ("transaction", Rehearse::Transaction),
        ("off", Rehearse::Off),
    ] {
        let found = limits(&[&format!("--rehearse={name}")]).rehearse;
        assert_eq!(found, expected);
    }
}

#[test]
fn wrong_usage_failures_and_interrupts_have_their_own_exit_status() {
    let usage = CommandError::Usage("no".to_owned());
    let file = CommandError::Other("no".to_owned());
    let planner: CommandError = PlannerError::NoTwin.into();
    assert_eq!(
        [&usage, &file, &planner].map(CommandError::exit_status),
        [2, 1, 1]
    );
}

#[test]
fn an_interrupt_is_one_wherever_it_was_noticed() {
    let rollback = Rollback::Unconfirmed;
    let noticed: [CommandError; 4] = [
        PlannerError::Interrupted { rollback }.into(),
        DbError::Interrupted { rollback }.into(),
        twin_error::TwinError::Db(DbError::Interrupted { rollback }).into(),
        twin_error::TwinError::Cluster(ClusterError::Interrupted).into(),
    ];
    for error in noticed {
        assert!(matches!(error, CommandError::Interrupted(_)), "{error}");
        assert_eq!(error.exit_status(), 130);
    }
}
