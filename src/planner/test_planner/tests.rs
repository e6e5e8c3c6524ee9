//! The test planner does what a test says of it.

use super::*;
use crate::planner::NamedIndex;

fn named(name: &str, text: &str) -> NamedIndex {
    NamedIndex {
        name: name.to_owned(),
        definition: index(text),
    }
}

/// One statement that costs 1,000; 100 by the existing index, 10 by a new one.
fn planner() -> TestPlanner {
    let orders = table("orders", &["id bigint", "state text"]);
    TestPlanner::new([orders.existing("old", "(id)", Bytes(8192))])
        .statement("s", "SELECT 1", seq_scan("orders", 1_000.0))
        .index("orders (id)", Bytes(8192), &[("s", 100.0)])
        .index("orders (state)", Bytes(Bytes::MB), &[("s", 10.0)])
}

fn cost_and_index(planner: &mut TestPlanner, question: &Question) -> (f64, Option<String>) {
    let plans = planner.ask(question).unwrap().into_plans();
    let plan = plans[&id("s")].plan().unwrap();
    let name = plan.index_names().first().map(|name| (*name).to_owned());
    (plan.total_cost().0, name)
}

#[test]
fn the_cheapest_visible_index_decides_the_plan() {
    let mut planner = planner();
    planner.prepare_twin(&BTreeSet::new()).unwrap();
    let statements = planner.workload().statements().to_vec();
    let question = Question::plans(Target::Twin, &statements);
    let mut plan = |question: &Question| cost_and_index(&mut planner, question);
    assert_eq!(plan(&question), (100.0, Some("old".to_owned())));
    let new = [named("new", "orders (state)")];
    let with_new = question.clone().with_indexes(&new);
    assert_eq!(plan(&with_new), (10.0, Some("new".to_owned())));
    let hidden = [QualifiedName::new("public", "old")];
    assert_eq!(plan(&question.hiding(&hidden)), (1_000.0, None));
    assert_eq!(planner.asked().len(), 3);
    assert_eq!(planner.built(), Vec::<Vec<String>>::new(), "in the twin");
}

#[test]
fn the_server_builds_and_the_twin_does_not() {
    let mut planner = planner().unusable("orders (state)");
    planner.prepare_twin(&BTreeSet::new()).unwrap();
    let statements = planner.workload().statements().to_vec();
    let new = [named("new", "orders (state)")];
    let mut tested = |target| {
        let question = Question::plans(target, &statements).with_indexes(&new);
        match planner.ask(&question).unwrap() {
            Answer::Planned(planned) => planned,
            Answer::Refused(refusal) => panic!("{refusal:?}"),
        }
    };
    let (twin, server) = (tested(Target::Twin), tested(Target::Server));
    assert_eq!((twin.indexes[0].build_time, twin.write_block), (None, None));
    assert_eq!(server.indexes[0].build_time, Some(BUILD_TIME));
    assert_eq!(server.indexes[0].body, "USING btree (state)");
    assert!(!server.indexes[0].usable && twin.indexes[0].usable);
    let uses_new = |planned: &Planned| {
        let plan = planned.plans[&id("s")].plan().unwrap();
        super::super::uses(plan, &planned.indexes[0])
    };
    assert!(!uses_new(&server) && uses_new(&twin));
}

#[test]
fn a_twin_that_was_not_made_is_not_asked() {
    let mut planner = planner();
    let question = Question::plans(Target::Twin, &[]);
    assert!(matches!(planner.ask(&question), Err(PlannerError::NoTwin)));
    let mut planner = planner.without_twin("no binaries");
    planner.prepare_twin(&BTreeSet::new()).unwrap();
    assert!(matches!(planner.ask(&question), Err(PlannerError::NoTwin)));
}
