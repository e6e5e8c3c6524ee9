//! Little room: what is cut says so, and nothing is cut beside empty space.

use super::*;

fn analyzed(name: &str, time: f64) -> (String, Result<ReadPlan, String>) {
    let node = |kind: &str, below: serde_json::Value| {
        serde_json::json!({"Node Type": kind, "Total Cost": 12.0, "Plan Rows": 3, "Actual Rows": 3,
            "Actual Loops": 1, "Actual Total Time": time, "Plans": below})
    };
    let mut plan = serde_json::json!([{"Node Type": "Seq Scan", "Relation Name": "orders", "Alias": "orders", "Schema": "public",
        "Parallel Aware": true, "Total Cost": 10.0, "Plan Rows": 3, "Actual Rows": 3, "Actual Loops": 1, "Actual Total Time": time}]);
    for kind in ["Hash", "Aggregate", "Gather", "Sort", "Aggregate", "Limit"] {
        plan = serde_json::json!([node(kind, plan)]);
    }
    let plan = serde_json::json!({"Plan": plan[0], "Execution Time": time});
    let plan = Plan::from_json(plan).unwrap();
    (name.to_owned(), Ok(ReadPlan::of_statement(plan, "")))
}

#[test]
fn names_of_nodes_are_whole_where_there_is_room() {
    let data = || SessionData::of_plans("x".to_owned(), vec![analyzed("a.txt", 37.0)]);
    for columns in [80, 120, 200] {
        let model = Model::offline(data(), Size { columns, lines: 40 }, Theme::Plain);
        let drawn = screen(&model);
        assert!(drawn.contains("Parallel Seq Scan on"), "{columns}: {drawn}");
    }
    let tiny = Size {
        columns: 40,
        lines: 10,
    };
    let drawn = screen(&Model::offline(data(), tiny, Theme::Plain));
    assert!(drawn.contains("Limit"), "{drawn}");
}

#[test]
fn two_plans_that_were_executed_show_their_times_and_names() {
    let plans = vec![analyzed("slow.json", 37.0), analyzed("fast.json", 0.04)];
    let data = SessionData::of_plans("x".to_owned(), plans);
    let size = Size {
        columns: 120,
        lines: 40,
    };
    let mut model = Model::offline(data, size, Theme::Plain);
    press(&mut model, Key::Char('='));
    let drawn = screen(&model);
    assert!(drawn.contains("time 37 ms → 0.040 ms"), "{drawn}");
    let headings = drawn.lines().find(|line| line.contains('│')).unwrap();
    for word in ["slow.json", "fast.json", "time"] {
        assert!(headings.contains(word), "{headings}");
    }
    assert!(drawn.contains("0.040 ms"), "{drawn}");
    assert!(!drawn.contains("not of one statement"), "{drawn}");
}

#[test]
fn what_is_cut_says_so_and_the_way_out_stays() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    let progress = Progress {
        what: "testing candidates in the planner twin".to_owned(),
        step: 64,
        steps: 75,
        about: "orders_customer_id_created_at_total_idx".to_owned(),
    };
    let status = |model: &Model| -> String {
        let drawn = screen(model);
        let lines: Vec<&str> = drawn.lines().collect();
        lines[lines.len() - 2].to_owned()
    };
    update(&mut model, Msg::Known(1, Box::new(session_data())));
    update(&mut model, Msg::Progress(1, progress.clone()));
    update(&mut model, Msg::Tick(Duration::from_millis(4_200)));
    update(&mut model, Msg::Progress(1, progress));
    let line = status(&model);
    assert!(
        line.contains("Esc stops") && line.contains("s left"),
        "{line}"
    );
    assert!(line.contains("testing candidates in the planne"), "{line}");
    assert_eq!(line.matches("planne").count(), 1, "{line}");
    let mut model = live();
    let why =
        "connecting: connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed";
    update(&mut model, Msg::Lost(why.to_owned()));
    let line = status(&model);
    assert!(line.contains("… · r connects again"), "{line}");
    let mut data = session_data();
    data.subject = "PostgreSQL 15.18 · shop".to_owned();
    let model = Model::offline(data, SMALL, Theme::Plain);
    assert!(screen(&model).contains(" shop"), "{}", screen(&model));
    let mut model = live();
    let long = "x ".repeat(90);
    update(&mut model, Msg::Exported(Ok(long)));
    assert!(
        status(&model).trim_end_matches('"').ends_with('…'),
        "{}",
        status(&model)
    );
}

#[test]
fn saved_plans_have_no_set_of_indexes() {
    let data = SessionData::of_plans("x".to_owned(), vec![analyzed("a.txt", 37.0)]);
    let mut model = Model::offline(data, SMALL, Theme::Plain);
    press(&mut model, Key::Char('4'));
    let seen = screen(&model);
    assert!(seen.contains("no index was tested"), "{seen}");
    for other in ["indexes on", "in total", "change with the selected"] {
        assert!(!seen.contains(other), "{other}: {seen}");
    }
}

#[test]
fn long_names_of_nodes_are_wrapped_on_request() {
    let data = SessionData::of_plans("x".to_owned(), vec![analyzed("a.txt", 37.0)]);
    let size = Size {
        columns: 60,
        lines: 40,
    };
    let mut model = Model::offline(data, size, Theme::Plain);
    let whole = |model: &Model| {
        let lines = screen(model);
        let names: Vec<&str> = lines.split_whitespace().collect();
        names.join(" ")
    };
    let before = model.plan.visible.len();
    press(&mut model, Key::Char('G'));
    press(&mut model, Key::Char('W'));
    assert!(model.plan.visible.len() > before, "{}", whole(&model));
    assert_eq!(
        model.plan.selected().unwrap().0 + 1,
        before,
        "it stays selected"
    );
    update(
        &mut model,
        Msg::Resize(Size {
            columns: 200,
            lines: 40,
        }),
    );
    assert_eq!(model.plan.visible.len(), before, "there is room for all");
    press(&mut model, Key::Char('W'));
    assert!(model.plan.wrapped.is_none());
}

#[test]
fn a_plan_without_costs_is_not_called_cheaper() {
    let plan = |name: &str, plan: serde_json::Value| {
        let plan = Plan::from_json(serde_json::json!({ "Plan": plan })).unwrap();
        (name.to_owned(), Ok(ReadPlan::of_statement(plan, "")))
    };
    let plans = vec![
        plan(
            "a",
            serde_json::json!({"Node Type": "Seq Scan", "Relation Name": "t", "Total Cost": 9.0, "Plan Rows": 1}),
        ),
        plan(
            "b",
            serde_json::json!({"Node Type": "Seq Scan", "Relation Name": "t"}),
        ),
    ];
    let data = SessionData::of_plans("x".to_owned(), plans);
    let mut model = Model::offline(data, SMALL, Theme::Plain);
    press(&mut model, Key::Char('='));
    let drawn = screen(&model);
    assert!(drawn.contains("no costs to compare"), "{drawn}");
    assert!(!drawn.contains("lower"), "{drawn}");
}
