use serde_json::{Value, json};

use super::*;

fn read(plan: Value) -> Metrics {
    let plan = Plan::from_json(Value::Object(
        [("Plan".to_owned(), plan)].into_iter().collect(),
    ))
    .unwrap();
    metrics(&plan)
}

fn own_costs(metrics: &Metrics) -> Vec<f64> {
    metrics
        .nodes
        .iter()
        .map(|node| node.cost.own.0.round())
        .collect()
}

fn own_times(metrics: &Metrics) -> Vec<f64> {
    metrics
        .nodes
        .iter()
        .map(|node| node.time.map_or(-1.0, |time| time.own.0.round()))
        .collect()
}

/// A node with a time and loops.
fn timed(node_type: &str, time: f64, loops: f64, more: Value) -> Value {
    let mut node = json!({"Node Type": node_type, "Actual Total Time": time, "Actual Loops": loops, "Actual Rows": 1});
    if let (Some(node), Value::Object(more)) = (node.as_object_mut(), more) {
        node.extend(more);
    }
    node
}

#[test]
fn self_cost_is_what_a_node_adds() {
    let metrics = read(
        json!({"Node Type": "Aggregate", "Total Cost": 110.0, "Plans": [
        {"Node Type": "Hash Join", "Total Cost": 100.0, "Plans": [
            {"Node Type": "Seq Scan", "Total Cost": 60.0}, {"Node Type": "Hash", "Total Cost": 30.0}]}]}),
    );
    assert_eq!(own_costs(&metrics), [10.0, 10.0, 60.0, 30.0]);
    assert_eq!(metrics.costliest(0.5, 3), [NodeId(2)]);
    assert_eq!(metrics.costliest(0.9, 3), [NodeId(2), NodeId(3), NodeId(0)]);
}

#[test]
fn a_limit_is_not_charged_for_rows_it_never_reads_and_costs_add_up() {
    let metrics = read(json!({"Node Type": "Limit", "Total Cost": 5.0, "Plans": [
        {"Node Type": "Index Scan", "Total Cost": 5000.0}]}));
    assert_eq!(own_costs(&metrics), [0.0, 5.0]);
    assert_eq!(metrics.nodes[1].self_share, 1.0);
}

#[test]
fn the_inner_side_of_a_nested_loop_pays_for_its_repetitions() {
    let metrics = read(
        json!({"Node Type": "Nested Loop", "Total Cost": 1000.0, "Plans": [
        {"Node Type": "Seq Scan", "Total Cost": 50.0, "Plan Rows": 90, "Parent Relationship": "Outer"},
        {"Node Type": "Index Scan", "Total Cost": 10.0, "Plan Rows": 1, "Parent Relationship": "Inner"}]}),
    );
    assert_eq!(own_costs(&metrics), [50.0, 50.0, 900.0]);
}

#[test]
fn the_input_of_a_materialize_runs_once() {
    let metrics = read(
        json!({"Node Type": "Nested Loop", "Total Cost": 1000.0, "Plans": [
        {"Node Type": "Seq Scan", "Total Cost": 50.0, "Plan Rows": 900, "Parent Relationship": "Outer"},
        {"Node Type": "Materialize", "Total Cost": 110.0, "Parent Relationship": "Inner", "Plans": [
            {"Node Type": "Seq Scan", "Total Cost": 100.0, "Parent Relationship": "Outer"}]}]}),
    );
    assert_eq!(own_costs(&metrics), [0.0, 50.0, 850.0, 100.0]);
}

#[test]
fn the_penalty_of_a_disabled_node_hides_nothing() {
    let metrics = read(
        json!({"Node Type": "Limit", "Startup Cost": 10_000_000_900.0, "Total Cost": 10_000_000_910.0, "Plans": [
        {"Node Type": "Sort", "Startup Cost": 10_000_000_900.0, "Total Cost": 10_000_000_905.0, "Plans": [
            {"Node Type": "Seq Scan", "Startup Cost": 10_000_000_000.0, "Total Cost": 10_000_000_800.0}]}]}),
    );
    assert_eq!(own_costs(&metrics), [5.0, 105.0, 800.0]);
}

#[test]
fn loops_multiply_time() {
    let metrics = read(timed(
        "Nested Loop",
        100.0,
        1.0,
        json!({"Plans": [
        timed("Seq Scan", 10.0, 1.0, json!({})), timed("Index Scan", 0.08, 1000.0, json!({}))]}),
    ));
    assert_eq!(own_times(&metrics), [10.0, 10.0, 80.0]);
    assert_eq!(metrics.basis, Basis::Time(Millis(100.0)));
}

#[test]
fn processes_share_the_loops_below_a_gather() {
    let inner = timed(
        "Index Scan",
        0.01,
        9000.0,
        json!({"Parent Relationship": "Inner"}),
    );
    let metrics = read(timed(
        "Gather",
        100.0,
        1.0,
        json!({"Workers Launched": 2, "Plans": [
        timed("Nested Loop", 90.0, 3.0, json!({"Parent Relationship": "Outer", "Plans": [
            timed("Seq Scan", 50.0, 3.0, json!({"Parallel Aware": true})), inner]}))]}),
    ));
    assert_eq!(own_times(&metrics), [10.0, 10.0, 50.0, 30.0]);
    assert_eq!(metrics.nodes[3].processes, 3.0);
}

#[test]
fn the_bitmap_of_a_parallel_scan_is_built_once_while_the_others_wait() {
    let metrics = read(timed(
        "Gather",
        100.0,
        1.0,
        json!({"Plans": [
        timed("Bitmap Heap Scan", 95.0, 3.0, json!({"Parallel Aware": true, "Parent Relationship": "Outer", "Plans": [
            timed("Bitmap Index Scan", 40.0, 1.0, json!({}))]}))]}),
    ));
    assert_eq!(own_times(&metrics), [5.0, 55.0, 40.0]);
}

#[test]
fn the_scans_of_a_cte_pay_for_it_in_proportion() {
    let cte = timed(
        "Seq Scan",
        60.0,
        1.0,
        json!({"Parent Relationship": "InitPlan", "Subplan Name": "CTE big"}),
    );
    let scan = |time| timed("CTE Scan", time, 1.0, json!({"CTE Name": "big"}));
    let metrics = read(timed(
        "Hash Join",
        110.0,
        1.0,
        json!({"Plans": [cte, scan(75.0), scan(25.0)]}),
    ));
    assert_eq!(own_times(&metrics), [10.0, 60.0, 30.0, 10.0]);
}

#[test]
fn a_cte_of_the_same_name_further_in_hides_the_outer_one() {
    let cte = |time| {
        timed(
            "Result",
            time,
            1.0,
            json!({"Parent Relationship": "InitPlan", "Subplan Name": "CTE a"}),
        )
    };
    let scan = |time| timed("CTE Scan", time, 1.0, json!({"CTE Name": "a"}));
    let inner = timed(
        "Subquery Scan",
        50.0,
        1.0,
        json!({"Plans": [cte(40.0), scan(45.0)]}),
    );
    let metrics = read(timed(
        "Append",
        100.0,
        1.0,
        json!({"Plans": [cte(10.0), scan(20.0), inner]}),
    ));
    assert_eq!(own_times(&metrics), [30.0, 10.0, 10.0, 5.0, 40.0, 5.0]);
}

#[test]
fn an_init_plan_is_paid_by_the_node_that_waits_for_its_value() {
    for (name, filter) in [
        ("InitPlan 1 (returns $0)", "(x > $0)"),
        ("InitPlan 1", "(x > (InitPlan 1).col1)"),
    ] {
        let init = timed(
            "Aggregate",
            60.0,
            1.0,
            json!({"Parent Relationship": "InitPlan", "Subplan Name": name}),
        );
        let scan = timed("Seq Scan", 90.0, 1.0, json!({"Filter": filter}));
        let metrics = read(timed("Sort", 100.0, 1.0, json!({"Plans": [init, scan]})));
        assert_eq!(own_times(&metrics), [10.0, 60.0, 30.0], "{name}");
    }
}

#[test]
fn a_sub_plan_is_paid_where_it_hangs() {
    let sub = timed(
        "Index Scan",
        0.05,
        1000.0,
        json!({"Parent Relationship": "SubPlan", "Subplan Name": "SubPlan 1"}),
    );
    let metrics = read(timed("Seq Scan", 80.0, 1.0, json!({"Plans": [sub]})));
    assert_eq!(own_times(&metrics), [30.0, 50.0]);
}

#[test]
fn what_never_ran_took_no_time() {
    let metrics = read(timed(
        "Append",
        10.0,
        1.0,
        json!({"Plans": [
        {"Node Type": "Seq Scan", "Actual Total Time": 0.0, "Actual Rows": 0, "Actual Loops": 0, "Plan Rows": 100}]}),
    ));
    assert_eq!(own_times(&metrics), [10.0, 0.0]);
    assert_eq!(metrics.nodes[1].executed(), Some(false));
    assert_eq!(metrics.nodes[1].estimate.unwrap().factor(), None);
}

#[test]
fn buffers_are_the_node_s_own() {
    let metrics = read(
        json!({"Node Type": "Sort", "Shared Hit Blocks": 10, "Shared Read Blocks": 90, "Temp Written Blocks": 7, "Plans": [
        {"Node Type": "Seq Scan", "Shared Hit Blocks": 10, "Shared Read Blocks": 88, "Temp Written Blocks": 0}]}),
    );
    let sort = metrics.nodes[0].buffers.unwrap();
    assert_eq!(
        (sort.shared_hit, sort.shared_read, sort.temp_written),
        (0.0, 2.0, 7.0)
    );
    assert_eq!(metrics.nodes[1].buffers.unwrap().shared_read, 88.0);
}

#[test]
fn estimates_have_a_factor_and_a_direction() {
    let estimate = |expected, actual| Estimate {
        expected,
        actual: Some(actual),
    };
    assert_eq!(estimate(10.0, 1000.0).factor(), Some(100.0));
    assert_eq!(estimate(10.0, 1000.0).direction(), Some(Direction::Under));
    assert_eq!(estimate(1000.0, 0.0).factor(), Some(1000.0));
    assert_eq!(estimate(1000.0, 0.0).direction(), Some(Direction::Over));
    assert_eq!(estimate(1.0, 0.4).direction(), Some(Direction::Exact));
}

#[test]
fn a_deep_plan_is_walked_without_recursion() {
    let levels = crate::plan::MAX_PLAN_DEPTH;
    let open =
        r#"{"Node Type":"Append","Actual Total Time":2,"Actual Loops":1,"Plans":["#.repeat(levels);
    let text = format!(
        "{{\"Plan\":{open}{{\"Node Type\":\"Result\"}}{}}}",
        "]}".repeat(levels)
    );
    let plan = crate::plan::read::plans(&text).unwrap().remove(0);
    assert_eq!(metrics(&plan).nodes.len(), levels + 1);
}
