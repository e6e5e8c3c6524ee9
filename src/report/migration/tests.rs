//! What a migration consists of. `tests/server/migration.rs` runs it.

use super::*;
use crate::advise::advise;
use crate::model::Bytes;
use crate::planner::test_planner::{TestPlanner, seq_scan, table};
use crate::verdict::Limits;

fn advised() -> Advice {
    let scan = |column: &str| seq_scan("orders", 1_000.0).filter(&format!("(orders.{column} = 5)"));
    let mut planner = TestPlanner::new([table("orders", &["id bigint", "a bigint", "b bigint"])])
        .statement("by-a", "SELECT * FROM orders WHERE a = 5", scan("a"))
        .statement("by-b", "SELECT * FROM orders WHERE b = 5", scan("b"))
        .index("orders (a)", Bytes(8192), &[("by-a", 50.0)])
        .index("orders (b)", Bytes(8192), &[("by-b", 60.0)]);
    let workload = planner.workload().clone();
    advise(&workload, &Limits::default(), &mut planner, &|_| {}).unwrap()
}

#[test]
fn a_migration_up_and_down() {
    let advice = advised();
    let both = [Direction::Up, Direction::Down].map(|direction| write(&advice, direction));
    insta::assert_snapshot!(both.join("\n================\n\n"));
}

#[test]
fn each_table_is_analyzed_once_after_everything() {
    let mut advice = advised();
    for index in &mut advice.recommendations {
        index.creation.afterwards = vec!["ANALYZE public.orders;".to_owned()];
    }
    let sql = write(&advice, Direction::Up);
    assert_eq!(sql.matches("ANALYZE public.orders;").count(), 1, "{sql}");
    let place = |text: &str| sql.rfind(text).unwrap();
    assert!(place("CREATE INDEX") < place("ANALYZE"), "{sql}");
}

#[test]
fn locks_are_waited_for_only_where_nobody_queues() {
    let mut advice = advised();
    let creation = &mut advice.recommendations[0].creation;
    creation.create = vec![
        "CREATE INDEX parent ON ONLY public.orders USING btree (a);".to_owned(),
        "CREATE INDEX CONCURRENTLY part ON public.orders_1 USING btree (a);".to_owned(),
        "ALTER INDEX public.parent ATTACH PARTITION public.part;".to_owned(),
    ];
    let sql = write(&advice, Direction::Up);
    let timeouts: Vec<&str> = sql
        .lines()
        .filter(|line| line.starts_with("SET lock_timeout"))
        .collect();
    let (some, none) = ("SET lock_timeout = '2s';", "SET lock_timeout = 0;");
    assert_eq!(timeouts, [some, none, some, none], "{sql}");
    let down = write(&advice, Direction::Down);
    let name = name_of(&Gains::of(&advice).indexes[0]);
    assert!(
        down.contains(&format!("DROP INDEX IF EXISTS {name};")),
        "{down}"
    );
}

#[test]
fn a_name_ends_no_comment_and_no_quotation() {
    let mut advice = advised();
    advice.statements[0].statement.id.0 = "x\nDROP TABLE orders; --".to_owned();
    for benefit in &mut advice.recommendations[0].benefits {
        benefit.statement.0 = "x\nDROP TABLE orders; --".to_owned();
    }
    let evil = "a$check$; DROP TABLE orders; '\n";
    advice.recommendations[1].index.name = evil.to_owned();
    let sql = write(&advice, Direction::Up);
    assert!(!sql.lines().any(|line| line.starts_with("DROP")), "{sql}");
    assert!(sql.contains("$check_$"), "{sql}");
    assert_eq!(leading_name("\"a b\".c (mcv) ON x"), "\"a b\".c");
}

#[test]
fn without_advice_there_is_nothing_to_run() {
    let mut advice = advised();
    advice.recommendations.clear();
    for direction in [Direction::Up, Direction::Down] {
        let sql = write(&advice, direction);
        assert!(sql.contains("There is nothing to run."), "{sql}");
        assert!(
            sql.lines()
                .all(|line| line.is_empty() || line.starts_with("--")),
            "{sql}"
        );
    }
}
