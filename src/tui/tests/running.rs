//! A search that goes on, is stopped, or is suspended, and what is on meanwhile.

use super::own_work::compared;
use super::*;

#[test]
fn a_question_belongs_to_the_running_request() {
    let (mut model, _) = Model::live(SMALL, Theme::Colours);
    update(&mut model, Msg::Asked(7, "of an earlier one".to_owned()));
    assert_eq!(model.question, None);
    let mut model = asked();
    let advised = Response::Advised(Box::new(session_data()));
    update(&mut model, Msg::Response(1, advised));
    assert_eq!(model.question, None);
}

#[test]
fn esc_asks_before_a_run_is_stopped_and_what_is_known_stays() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    let so_far = || Box::new(session_data());
    update(&mut model, Msg::Known(1, so_far()));
    assert_eq!(
        press(&mut model, Key::Esc),
        [],
        "nothing is lost by one key"
    );
    assert_eq!(model.question.as_ref().unwrap().purpose, Purpose::Stop);
    assert_eq!(press(&mut model, Key::Char('n')), []);
    assert!(model.is_searching());
    press(&mut model, Key::Esc);
    assert_eq!(press(&mut model, Key::Char('y')), [Effect::Cancel(1)]);
    assert_eq!(session_data_of(&model).listed(), 7, "what is known stays");
    let mut late = session_data();
    late.statements.clear();
    update(&mut model, Msg::Known(1, Box::new(late)));
    assert_eq!(
        session_data_of(&model).listed(),
        7,
        "what comes too late is ignored"
    );
    update(
        &mut model,
        Msg::Response(1, Response::Cancelled(crate::planner::Rollback::Confirmed)),
    );
    assert!(screen(&model).contains("Stopped; r goes on"));
    assert_eq!(
        press(&mut model, Key::Char('r')),
        [Effect::Send(2, Request::Advise)]
    );
    update(&mut model, Msg::Response(2, Response::Advised(so_far())));
    assert_eq!(session_data_of(&model).listed(), 7);
}

#[test]
fn after_a_lost_connection_r_connects_and_builds_nothing() {
    let mut model = live();
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char(' '));
    press(&mut model, Key::Char('R'));
    let number = model.jobs.last_number;
    let failed = Response::Failed("the server closed the connection".to_owned());
    update(&mut model, Msg::Response(number, failed));
    let effects = press(&mut model, Key::Char('r'));
    assert_eq!(effects, [Effect::Send(number + 1, Request::Connect)]);
    update(&mut model, Msg::Response(number + 1, Response::Connected));
    assert_eq!(press(&mut model, Key::Char('r')), [], "nothing goes on");
    assert!(matches!(
        press(&mut model, Key::Char('R')).as_slice(),
        [Effect::Send(_, Request::Verify { .. })]
    ));
}

#[test]
fn a_question_whose_reason_is_gone_closes() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    for key in [Key::Char('q'), Key::Esc] {
        press(&mut model, key);
    }
    press(&mut model, Key::Char('q'));
    assert!(model.question.is_some());
    let advised = Response::Advised(Box::new(session_data()));
    update(&mut model, Msg::Response(1, advised));
    assert_eq!(model.question, None);
}

#[test]
fn suspending_rolls_back_first_and_the_search_goes_on_after_it() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    assert_eq!(
        press(&mut model, Key::Ctrl('z')),
        [Effect::Cancel(1), Effect::Suspend]
    );
    assert_eq!(
        update(&mut model, Msg::Resumed),
        [Effect::Send(2, Request::Advise)]
    );
    let mut model = live();
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char(' '));
    press(&mut model, Key::Char('R'));
    let effects = press(&mut model, Key::Ctrl('z'));
    assert!(matches!(
        effects.as_slice(),
        [Effect::Cancel(_), Effect::Suspend]
    ));
    assert_eq!(
        update(&mut model, Msg::Resumed),
        [],
        "nothing is built again by itself"
    );
    let effects = press(&mut model, Key::Char('r'));
    assert!(matches!(
        effects.as_slice(),
        [Effect::Send(_, Request::Verify { .. })]
    ));
    let mut idle = live();
    assert_eq!(press(&mut idle, Key::Ctrl('z')), [Effect::Suspend]);
}

#[test]
fn a_combination_is_predicted_at_once_and_built_only_by_r() {
    let mut model = live();
    press(&mut model, Key::Char('4'));
    assert_eq!(
        press(&mut model, Key::Char('R')),
        [],
        "what is recommended is already verified"
    );
    let effects = press(&mut model, Key::Char(' '));
    let [Effect::Send(2, Request::Predict { indexes, named, .. })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!((indexes.len(), named.len()), (3, 3));
    assert!(
        screen(&model).contains("the planner twin is asked"),
        "{}",
        screen(&model)
    );
    let mut predicted = compared();
    for index in &mut predicted.after.indexes {
        index.build_time = None;
    }
    let predicted = Response::Predicted(indexes.clone(), Some(Ok(Box::new(predicted))));
    update(&mut model, Msg::Response(2, predicted));
    assert_eq!(
        model.indexes.totals.as_ref().unwrap().basis,
        TotalBasis::Predicted
    );
    press(&mut model, Key::Char(' '));
    assert_eq!(
        press(&mut model, Key::Char(' ')),
        [],
        "what is known is not asked again"
    );

    let effects = press(&mut model, Key::Char('R'));
    let [Effect::Send(3, Request::Verify { indexes, groups })] = effects.as_slice() else {
        panic!("{effects:?}")
    };
    assert_eq!(
        (
            groups.len(),
            groups[0].indexes.len(),
            groups[0].statements.len()
        ),
        (1, 3, 8)
    );
    let verified = Response::Verified(indexes.clone(), Ok(vec![compared()]));
    update(&mut model, Msg::Response(3, verified));
    assert_eq!(
        model.indexes.totals.as_ref().unwrap().basis,
        TotalBasis::Verified
    );
    assert!(screen(&model).contains("Verified: these indexes were built"));
}

#[test]
fn every_screen_follows_what_is_on_and_a_change_is_undone() {
    let mut model = offline(SMALL);
    let all = model.workload.totals;
    press(&mut model, Key::Char('3'));
    assert!(screen(&model).contains("RECOMMENDED SET"));
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char('x'));
    press(&mut model, Key::Char('1'));
    assert_eq!(model.workload.totals.after, model.workload.totals.before);
    let drawn = screen(&model);
    assert!(drawn.contains("No index is on"), "{drawn}");
    let gains = |drawn: &str| drawn.lines().filter(|line| line.contains('×')).count();
    assert_eq!(gains(&drawn), 0, "{drawn}");
    press(&mut model, Key::Char('3'));
    assert!(!screen(&model).contains("RECOMMENDED SET"));
    press(&mut model, Key::Char('u'));
    assert!(
        screen(&model).contains("RECOMMENDED SET"),
        "{}",
        screen(&model)
    );
    press(&mut model, Key::Char('1'));
    assert_eq!(model.workload.totals, all);
    press(&mut model, Key::Ctrl('r'));
    assert_eq!(model.selection.indexes().len(), 0);
    press(&mut model, Key::Char('t'));
    press(&mut model, Key::Char('2'));
    assert_eq!(*model.selection.indexes(), [0, 1].into());
    press(&mut model, Key::Char('t'));
    press(&mut model, Key::Char('q'));
    assert_eq!(
        *model.selection.indexes(),
        [0, 1].into(),
        "q is no number, and quits nothing"
    );
}

#[test]
fn new_data_keep_what_the_user_has_chosen_opened_and_written() {
    let (mut model, _) = Model::live(SMALL, Theme::Plain);
    let mut begun = session_data();
    begun.stage = Stage::Searching;
    update(&mut model, Msg::Known(1, Box::new(begun)));
    press(&mut model, Key::Char('j'));
    press(&mut model, Key::Enter);
    press(&mut model, Key::Char('j'));
    let shown = |model: &Model| (model.plan.statement, model.plan.list.selected);
    let before = shown(&model);
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char('x'));
    update(
        &mut model,
        Msg::Response(1, Response::Advised(Box::new(session_data()))),
    );
    assert_eq!(shown(&model), before);
    assert_eq!(model.selection.indexes().len(), 0, "the user has chosen");
    assert_eq!(model.navigation.screen, Screen::Indexes);
}

#[test]
fn the_time_of_a_build_does_not_count_the_wait_for_the_answer() {
    let mut model = live();
    press(&mut model, Key::Char('4'));
    press(&mut model, Key::Char(' '));
    press(&mut model, Key::Char('R'));
    let number = model.jobs.last_number;
    update(&mut model, Msg::Asked(number, "building".to_owned()));
    update(&mut model, Msg::Tick(std::time::Duration::from_secs(90)));
    press(&mut model, Key::Char('y'));
    let drawn = screen(&model);
    assert!(drawn.contains("0.0 s"), "{drawn}");
    assert!(!drawn.contains("90"), "{drawn}");
}
