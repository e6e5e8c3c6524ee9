//! Keys, commands, clicks: each means the same everywhere, or says that it means nothing.

use super::*;

#[test]
fn every_key_is_in_the_help() {
    let mut model = offline(Size {
        columns: 120,
        lines: 200,
    });
    press(&mut model, Key::Char('?'));
    let help = screen(&model);
    for binding in BINDINGS {
        for key in binding.keys {
            let line = help
                .lines()
                .find(|line| line.contains(binding.help) && line.contains(&*key.label()));
            assert!(line.is_some(), "{:?} {}", key, binding.help);
        }
    }
}

/// A model on this screen after some keys.
fn on(screen: Screen, keys: &[Key]) -> Model {
    let mut model = live();
    update(
        &mut model,
        Msg::Key(Key::Char(['1', '2', '3', '4', '5'][screen as usize])),
    );
    for key in keys {
        press(&mut model, *key);
    }
    model
}

/// Models in which the keys of all screens have an effect.
fn everywhere() -> Vec<Model> {
    let moved = [Key::Char('j'), Key::Char('j')];
    let lost = || {
        let mut model = live();
        model.jobs.failed = Some(Request::Advise);
        model
    };
    vec![
        on(Screen::Workload, &moved),
        on(Screen::Indexes, &[]),
        lost(),
        on(Screen::Report, &[]),
        on(Screen::Report, &[Key::Down]),
        on(Screen::Plan, &[Key::Right]),
        on(Screen::Workload, &[Key::Char(' '), Key::Char('j')]),
        on(Screen::Indexes, &[Key::Char('x')]),
        on(Screen::Indexes, &[Key::Char(' ')]),
        on(Screen::Indexes, &[Key::Char('x'), Key::Char('u')]),
        on(Screen::Indexes, &[Key::Char('>'), Key::Char('>')]),
        {
            let mut filtered = on(Screen::Workload, &[Key::Char('/')]);
            type_text(&mut filtered, "select");
            press(&mut filtered, Key::Enter);
            press(&mut filtered, Key::Down);
            filtered
        },
    ]
}

/// Models in which a key of this scope has an effect: a new one, and some after other keys.
fn occasions(scope: Scope) -> Vec<Model> {
    let moved = [Key::Char('j'), Key::Char('j')];
    match scope {
        Scope::Everywhere => everywhere(),
        Scope::Reading => {
            let mut help = on(Screen::Workload, &[Key::Char('?')]);
            update(&mut help, Msg::Key(Key::Char('j')));
            let mut searched = help.clone();
            press(&mut searched, Key::Char('/'));
            type_text(&mut searched, "screen");
            press(&mut searched, Key::Enter);
            vec![help, searched]
        }
        Scope::On(Screen::Plan) => {
            vec![
                on(Screen::Plan, &[]),
                on(Screen::Plan, &[Key::Char('-'), Key::Char('>')]),
                {
                    let mut model = on(Screen::Workload, &moved);
                    press(&mut model, Key::Char('2'));
                    model
                },
            ]
        }
        Scope::On(Screen::Compare) => {
            let mut second = on(Screen::Workload, &moved);
            press(&mut second, Key::Char('3'));
            press(&mut second, Key::Char(']'));
            vec![on(Screen::Compare, &[Key::Char('>')]), second]
        }
        Scope::On(screen) => {
            vec![
                on(screen, &[]),
                on(screen, &[Key::Char(' ')]),
                on(screen, &[Key::Char('x'), Key::Char('>')]),
            ]
        }
        Scope::Typing => {
            let mut earlier = on(Screen::Indexes, &[Key::Char('n')]);
            type_text(&mut earlier, "create table t ()");
            press(&mut earlier, Key::Enter);
            let mut model = earlier.clone();
            press(&mut model, Key::Ctrl('u'));
            type_text(&mut model, "t");
            let mut moved = model.clone();
            press(&mut moved, Key::Left);
            let mut back = model.clone();
            press(&mut back, Key::Up);
            vec![model, moved, back]
        }
        Scope::Asked => vec![asked()],
    }
}

#[test]
fn every_key_does_something() {
    let state = |model: &Model| {
        let parts = (
            &model.navigation,
            &model.workload,
            &model.plan.list,
            &model.plan.folded,
            model.plan.detail,
        );
        format!(
            "{parts:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
            model.plan.statement,
            model.plan.sideways,
            model.compare,
            model.indexes,
            model.jobs,
            model.selection,
            model.question,
            model.report,
            (model.zoom, model.awaits_count, model.plan.wrapped)
        )
    };
    for binding in BINDINGS {
        for key in binding.keys {
            let does = |mut model: Model| {
                let before = state(&model);
                let effects = press(&mut model, *key);
                !effects.is_empty() || state(&model) != before
            };
            assert!(
                occasions(binding.scope).into_iter().any(does),
                "{key:?} does nothing: {}",
                binding.help
            );
        }
    }
}

#[test]
fn esc_leads_back_to_the_beginning_and_then_takes_back_filter_and_marks() {
    let mut model = offline(SMALL);
    for key in [
        Key::Char(' '),
        Key::Char('m'),
        Key::Char('/'),
        Key::Char('n'),
        Key::Enter,
    ] {
        press(&mut model, key);
    }
    for key in ['2', '4', '1', '3'] {
        press(&mut model, Key::Char(key));
    }
    let state = |model: &Model| {
        let workload = &model.workload;
        (
            model.navigation.screen,
            workload.filter.is_active(),
            workload.marked_only,
            workload.marks.len(),
        )
    };
    let mut seen = Vec::new();
    for _ in 0..5 {
        seen.push(state(&model));
        press(&mut model, Key::Esc);
    }
    let on = Screen::Workload;
    assert_eq!(
        seen,
        [
            (Screen::Compare, true, true, 1),
            (on, true, true, 1),
            (on, false, true, 1),
            (on, false, false, 1),
            (on, false, false, 0)
        ]
    );
    assert!(screen(&model).contains("q quits"));
}

#[test]
fn esc_and_q_close_what_is_on_top_and_stop_nothing() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    for close in [Key::Esc, Key::Char('q'), Key::Char('?')] {
        press(&mut model, Key::Char('?'));
        assert!(matches!(model.navigation.overlay, Overlay::Pager(_)));
        assert_eq!(press(&mut model, close), []);
        assert_eq!(model.navigation.overlay, Overlay::Nothing);
        assert!(model.is_searching() && model.question.is_none());
    }
    assert_eq!(press(&mut model, Key::Char('q')), [], "the search goes on");
    assert!(screen(&model).contains("The search goes on."));
    assert_eq!(press(&mut model, Key::Char('y')), [Effect::Quit]);
    let mut model = live();
    assert_eq!(
        press(&mut model, Key::Char('q')),
        [Effect::Quit],
        "nothing is lost"
    );
}

/// On every screen every character and every named key is bound, or says that it is not; nothing
/// panics, and no key is taken for another.
#[test]
fn every_key_on_every_screen_does_something_or_says_that_it_does_not() {
    let named = [
        Key::Enter,
        Key::Esc,
        Key::Tab,
        Key::BackTab,
        Key::Backspace,
        Key::Delete,
        Key::Up,
        Key::Down,
        Key::Left,
        Key::Right,
        Key::PageUp,
        Key::PageDown,
        Key::Home,
        Key::End,
    ];
    let characters = (' '..='~').map(Key::Char);
    let controlled = ('a'..='z').map(Key::Ctrl);
    let keys: Vec<Key> = characters.chain(controlled).chain(named).collect();
    for mut start in [live(), offline(SMALL)] {
        for screen_key in ['1', '2', '3', '4', '5'] {
            press(&mut start, Key::Char(screen_key));
            start.message = None;
            for key in &keys {
                let mut model = start.clone();
                let scope = model.scope();
                press(&mut model, *key);
                if lookup(scope, *key).is_none() {
                    let said = model.message.as_ref().map(|message| message.text.clone());
                    let said = said.unwrap_or_default();
                    assert!(
                        said.contains("does nothing"),
                        "{screen_key} {key:?}: {said}"
                    );
                }
                screen(&model);
                // Whatever it opened can be closed again.
                for _ in 0..3 {
                    press(&mut model, Key::Esc);
                }
                assert_eq!(
                    model.navigation.overlay,
                    Overlay::Nothing,
                    "{screen_key} {key:?}"
                );
            }
        }
    }
}

#[test]
fn the_same_key_is_the_same_action_on_every_screen() {
    let shared = [
        ('/', Action::Search),
        ('n', Action::NextMatchOrNew),
        ('N', Action::PreviousMatch),
        (':', Action::Command),
        ('y', Action::Copy),
        ('w', Action::Write),
        ('e', Action::EditIndex),
        ('R', Action::Verify),
        ('u', Action::Undo),
        ('q', Action::Quit),
    ];
    for (key, action) in shared {
        for on in Screen::ALL {
            let binding = lookup(Scope::On(on), Key::Char(key));
            assert_eq!(
                binding.map(|binding| binding.action),
                Some(action),
                "{key} {on:?}"
            );
        }
    }
}

#[test]
fn plans_and_texts_are_searched_and_lists_are_filtered() {
    let mut model = offline(Size {
        columns: 120,
        lines: 40,
    });
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "redundant");
    press(&mut model, Key::Enter);
    let is_index = |row: &&IndexRow| matches!(row, IndexRow::Index(_));
    let rows = model.indexes.rows.iter().filter(is_index).count();
    let all = session_data_of(&model).indexes.len();
    assert!(rows > 0 && rows < all, "{rows} of {all}");
    let first = model.indexes.list.selected;
    press(&mut model, Key::Char('n'));
    assert_ne!(model.indexes.list.selected, first, "n is the next match");
    press(&mut model, Key::Esc);
    assert!(!model.indexes.filter.is_active());

    press(&mut model, Key::Char('2'));
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "scan");
    press(&mut model, Key::Enter);
    let selected = model.plan.selected().unwrap();
    let line = model.plan.view.as_ref().unwrap().lines[selected.0].clone();
    let text = format!("{} {}", line.headline, line.details.join(" "));
    assert!(text.to_lowercase().contains("scan"), "{text}");
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "no such node");
    press(&mut model, Key::Enter);
    press(&mut model, Key::Char('n'));
    assert!(screen(&model).contains("is not here"));

    press(&mut model, Key::Char('v'));
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "select");
    press(&mut model, Key::Enter);
    assert!(matches!(&model.navigation.overlay, Overlay::Pager(pager) if pager.find.is_active()));
    press(&mut model, Key::Char('q'));
    press(&mut model, Key::Char('5'));
    press(&mut model, Key::Char('/'));
    type_text(&mut model, "recommend");
    assert!(model.report.list.offset > 0 || model.report.list.selected > 0);
}

#[test]
fn commands_do_what_keys_do() {
    let mut model = offline(SMALL);
    let command = |model: &mut Model, text: &str| {
        press(model, Key::Char(':'));
        type_text(model, text);
        press(model, Key::Enter)
    };
    command(&mut model, "sort cost");
    assert_eq!(model.workload.sort, Sort::Cost);
    command(&mut model, "best 1");
    assert_eq!(*model.selection.indexes(), [0].into());
    command(&mut model, "undo");
    assert_eq!(model.selection.indexes().len(), 4);
    let effects = command(&mut model, "report all.md");
    assert!(
        matches!(effects.as_slice(), [Effect::WriteFile { path, text }] if path == "all.md" && text.starts_with('#')),
        "{effects:?}"
    );
    assert_eq!(command(&mut model, "mouse off"), [Effect::TakeMouse(false)]);
    command(&mut model, "frobnicate");
    assert!(screen(&model).contains("There is no command"));
    press(&mut model, Key::Esc);
    assert_eq!(command(&mut model, "q!"), [Effect::Quit]);
}

/// The tasks of somebody with a slow workload, and their keys.
#[test]
fn tasks_take_few_keys() {
    // The most expensive statement stands first; Enter shows its plan, f the cause.
    let mut model = live();
    press(&mut model, Key::Enter);
    press(&mut model, Key::Char('f'));
    assert!(model.plan.selected().is_some() && screen(&model).contains("! "));
    // Before and after.
    let mut model = live();
    press(&mut model, Key::Char('b'));
    assert!(screen(&model).contains("BEFORE"));
    // An own index: n, the text, Enter.
    let mut model = live();
    press(&mut model, Key::Char('n'));
    type_text(&mut model, "transactions (status, user_id)");
    assert_eq!(press(&mut model, Key::Enter).len(), 1);
    // The DDL of the three best.
    let mut model = live();
    for key in ['t', '3'] {
        press(&mut model, Key::Char(key));
    }
    let effects = press(&mut model, Key::Char('y'));
    assert!(matches!(effects.as_slice(), [Effect::Copy(ddl)] if ddl.lines().count() == 3));
}

#[test]
fn clicks_and_the_wheel_select() {
    let mut model = offline(SMALL);
    update(&mut model, Msg::Click(10, 6));
    assert_eq!(model.workload.list.selected, 2);
    update(&mut model, Msg::Wheel(3));
    assert_eq!(model.workload.list.selected, 5);
    update(&mut model, Msg::Click(18, 0));
    assert_eq!(model.navigation.screen, Screen::Plan);
    update(&mut model, Msg::Click(2, 0));
    let headings = layout::of(&model).headings.y;
    update(&mut model, Msg::Click(30, headings));
    assert_ne!(model.workload.sort, Sort::default(), "a heading sorts");
    let footer = SMALL.lines - 1;
    let quit = (0..SMALL.columns).rev().find(|column| {
        let action = layout::hint_at(&model, *column);
        action == Some(Action::Quit)
    });
    assert_eq!(
        update(&mut model, Msg::Click(quit.unwrap(), footer)),
        [Effect::Quit],
        "a hint is a key"
    );
}

#[test]
fn a_statement_whose_name_is_a_number_is_listed_by_its_text() {
    let mut data = session_data();
    let source = &mut data.statements[0].source;
    source.id = StatementId("query-6524926343240956216".to_owned());
    source.place = "pg_stat_statements".to_owned();
    let begins: String = source.sql.split_whitespace().collect::<Vec<_>>().join(" ");
    let begins: String = begins.chars().take(12).collect();
    let mut model = Model::offline(data, SMALL, Theme::Plain);
    let list = |model: &Model| -> String {
        let drawn = screen(model);
        let rows: Vec<&str> = drawn.lines().filter(|line| line.contains('%')).collect();
        rows.join("\n")
    };
    assert!(!list(&model).contains("query-65"), "{}", list(&model));
    assert!(list(&model).contains(&begins), "{}", list(&model));
    press(&mut model, Key::Char('4'));
    assert!(!screen(&model).contains("query-65"), "{}", screen(&model));
}

#[test]
fn what_is_not_found_is_still_said_after_enter() {
    for screen in ['2', '5'] {
        let mut model = offline(SMALL);
        for key in [screen, '/'] {
            press(&mut model, Key::Char(key));
        }
        type_text(&mut model, "warehouse");
        press(&mut model, Key::Enter);
        let said = model.message.as_ref().map(|message| message.text.clone());
        assert_eq!(
            said.as_deref(),
            Some("\"warehouse\" is not here; Esc clears it")
        );
    }
}
