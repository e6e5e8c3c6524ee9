//! Text that a terminal does not bracket, and that comes as keys.

use super::*;
use crate::tui::burst::Burst;

/// The keys that a terminal sends for a text.
fn keys(text: &str) -> Burst {
    let mut burst = Burst::default();
    for character in text.chars() {
        burst.push(Msg::Key(match character {
            '\n' => Key::Enter,
            other => Key::Char(other),
        }));
    }
    burst
}

/// Handles keys that came together, as the event loop does.
fn handle(model: &mut Model, mut burst: Burst) -> Vec<Effect> {
    let mut effects = Vec::new();
    while let Some(msg) = burst.next(model) {
        effects.extend(update(model, msg));
    }
    effects
}

const STATEMENT: &str =
    "CREATE INDEX mine ON transactions (user_id)\nWHERE status = 'R'\nEND OF TEXT;\n";

fn typed(model: &Model) -> &str {
    match &model.navigation.overlay {
        Overlay::Prompt(prompt) => prompt.input.text(),
        _ => "",
    }
}

#[test]
fn lines_that_are_pasted_as_keys_belong_to_the_prompt() {
    let mut model = live();
    press(&mut model, Key::Char('n'));
    assert!(keys("orders (a)\n").may_go_on(&model), "more may come");
    assert_eq!(handle(&mut model, keys(STATEMENT)), []);
    assert_eq!(typed(&model), STATEMENT.replace('\n', " "));
    press(&mut model, Key::Ctrl('u'));
    let effects = handle(&mut model, keys("transactions (status, user_id)\n"));
    assert!(
        matches!(
            effects.as_slice(),
            [Effect::Send(_, Request::TryIndex { .. })]
        ),
        "one line and Enter: {effects:?}"
    );
}

#[test]
fn text_that_is_pasted_as_keys_outside_a_prompt_runs_no_key() {
    let mut model = live();
    assert_eq!(handle(&mut model, keys(STATEMENT)), []);
    assert_eq!(typed(&model).trim(), STATEMENT.replace('\n', " ").trim());
    let mut model = live();
    let other = "SELECT Every Row FROM transactions\nWHERE state = 'x';\n";
    assert_eq!(handle(&mut model, keys(other)), []);
    assert_eq!(typed(&model), "");
    assert!(screen(&model).contains("A CREATE INDEX can be pasted here"));
    let mut model = asked();
    assert_eq!(
        handle(&mut model, keys("yes, and many other letters\n")),
        []
    );
    assert!(model.question.is_some());
}

#[test]
fn keys_that_are_pressed_fast_are_keys() {
    let mut model = live();
    handle(&mut model, keys("jjjjjjjjjjjjjjjjjjjj4"));
    assert_eq!(model.navigation.screen, Screen::Indexes);
    handle(&mut model, keys("1/balance\nb"));
    assert_eq!(model.workload.filter.text, "balance");
    assert_eq!(model.navigation.screen, Screen::Compare);
    handle(&mut model, keys("n"));
    let effects = handle(&mut model, keys("transactions (status, user_id)\n"));
    assert_eq!(effects.len(), 1);
}
