//! The footer: what matters most on a screen stays, and what can do nothing is not there.

use super::*;

fn footer(model: &Model) -> String {
    screen(model).lines().last().unwrap_or_default().to_owned()
}

#[test]
fn verify_and_copy_stay_at_80_columns() {
    let mut model = live();
    for key in ['1', '2', '3', '4', '5'] {
        press(&mut model, Key::Char(key));
        let footer = footer(&model);
        for hint in ["R verify", "y copy", "? help", "q quit"] {
            assert!(footer.contains(hint), "{key}: {footer}");
        }
    }
}

#[test]
fn saved_plans_have_no_keys_for_a_server_or_indexes() {
    let plan = serde_json::json!({"Plan": {"Node Type": "Seq Scan", "Relation Name": "t", "Total Cost": 1.0, "Plan Rows": 1}});
    let plan = |name: &str| {
        let plan = Plan::from_json(plan.clone()).unwrap();
        (name.to_owned(), Ok(ReadPlan::of_statement(plan, "")))
    };
    let data = SessionData::of_plans("x".to_owned(), vec![plan("a"), plan("b")]);
    let size = Size {
        columns: 200,
        lines: 40,
    };
    let mut model = Model::offline(data, size, Theme::Plain);
    for key in ['1', '2', '3', '4', '5', '1', '='] {
        press(&mut model, Key::Char(key));
        let footer = footer(&model);
        for hint in [
            "verify",
            "new index",
            "on/off",
            "next index",
            "used only",
            "before|after",
        ] {
            assert!(!footer.contains(hint), "{key}: {footer}");
        }
        assert!(footer.contains("quit"), "{footer}");
    }
}

#[test]
fn a_recording_has_keys_for_its_indexes() {
    let mut model = offline(SMALL);
    press(&mut model, Key::Char('4'));
    assert!(footer(&model).contains("Space on/off"));
    assert!(!footer(&model).contains("verify"));
}
