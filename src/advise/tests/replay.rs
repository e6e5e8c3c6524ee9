//! Recorded runs, replayed: the same answers give the same advice, and no answer is left over.

use std::path::{Path, PathBuf};

use super::*;
use crate::planner::PlannerError;
use crate::planner::recording::{Exchange, Recorder, Recording, RecordingError, Replay};
use crate::report::json::Report;
use crate::report::run_measurements::RunMeasurements;

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recordings")
}

fn text(name: &str) -> String {
    std::fs::read_to_string(directory().join(name)).unwrap()
}

fn recording(name: &str) -> Recording {
    Recording::from_json(&text(name)).unwrap()
}

/// The advice, and how many answers were not asked for.
fn replayed(recording: &Recording) -> Result<(Advice, usize), PlannerError> {
    let mut replay = Replay::new(recording);
    let advice = advise(&recording.workload, &recording.limits, &mut replay, &|_| {})?;
    Ok((advice, replay.unused()))
}

fn json(advice: &Advice) -> String {
    Report::new(advice, &RunMeasurements::default())
        .to_json()
        .unwrap()
}

/// What each recording recommends, as the server wrote it: the table, and what stands behind its
/// name.
const EXPECTED: &[(&str, &[&str])] = &[
    (
        "000-job-queue-twin.json",
        &[
            "jobs USING btree (state, priority, run_after) WHERE (state = ANY ('{QUEUED,RUNNING}'::text[]))",
            "jobs USING btree (primary_critical_section) WHERE (state = 'RUNNING'::text)",
            "jobs USING btree (reference_id)",
            "jobs USING btree (secondary_critical_section) WHERE (state = ANY ('{QUEUED,RUNNING}'::text[]))",
            "jobs USING btree (updated_at) WHERE ((state = 'FAILED'::text) AND (attempts_remaining = 0))",
        ],
    ),
    (
        "001-remote-references-twin.json",
        &[
            "saved_item USING btree (user_id, created_at)",
            "remote_ref USING hash (remote_hash_key)",
            "remote_ref USING btree (((remote_key_payload ->> 'employ_id'::text)))",
            "remote_ref USING gin (remote_key_payload jsonb_path_ops)",
            "remote_ref USING btree (id) WHERE ((cached_entity IS NULL) AND (NOT deleted))",
            "saved_item USING btree (remote_ref_id)",
        ],
    ),
    ("002-table-sync-twin.json", TABLE_SYNC),
    ("002-table-sync.json", TABLE_SYNC),
    (
        "003-game-overviews-twin.json",
        &[
            "overviews USING btree (developer, release_date)",
            "overviews USING btree (lower(game_name))",
            "overviews USING gin (tags)",
            "overviews USING gin (game_name public.gin_trgm_ops)",
        ],
    ),
    (
        "004-gigs-and-events-twin.json",
        &[
            "orders USING btree (gig_id, state)",
            "orders USING btree (seller_id, created_at) WHERE (state = 'active'::text)",
            "events USING btree (((payload ->> 'aggregate_id'::text)))",
            "events USING btree (occurred_at)",
        ],
    ),
];

/// The same with a twin and without.
const TABLE_SYNC: &[&str] = &[
    "transactions USING btree (user_id, certified_by_user)",
    "transactions USING btree (updated)",
    "transactions USING btree (status) WHERE (status = 'BLOCKED'::text)",
    "transactions USING btree (certified_by_user) WHERE ((abs(amount) >= '1000'::numeric) AND (((((certified_by_user - created) / 1000))::double precision * '00:00:01'::interval) > '10:00:00'::interval))",
];

/// `jobs USING btree (reference_id)`, from the statement that creates it.
fn created(recommendation: &Recommendation) -> String {
    let create = recommendation.creation.create.last().unwrap();
    let name = &recommendation.index.definition.table.name;
    let place = create.find(&format!("{name} USING ")).unwrap();
    create[place..].trim_end_matches(';').to_owned()
}

#[test]
fn every_recording_replays_to_its_end_and_recommends_what_is_expected() {
    let mut names: Vec<String> = std::fs::read_dir(directory())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let mut found = Vec::new();
    for name in &names {
        let (advice, unused) = replayed(&recording(name)).unwrap();
        assert_eq!(unused, 0, "{name}");
        let asked_a_twin = advice.rehearsal.tally.twin_questions > 0;
        assert_eq!(asked_a_twin, name.contains("-twin"));
        let created: Vec<String> = advice.recommendations.iter().map(created).collect();
        found.push((name.clone(), created));
    }
    let owned = |(name, indexes): &(&str, &[&str])| {
        let indexes = indexes.iter().map(|index| (*index).to_owned());
        ((*name).to_owned(), indexes.collect::<Vec<_>>())
    };
    assert_eq!(found, EXPECTED.iter().map(owned).collect::<Vec<_>>());
}

#[test]
fn the_same_answers_give_the_same_report_byte_for_byte() {
    for (name, _) in EXPECTED {
        let recording = recording(name);
        let once = json(&replayed(&recording).unwrap().0);
        let again = json(&replayed(&recording).unwrap().0);
        assert_eq!(once, again, "{name}");
    }
}

#[test]
fn a_run_its_recording_and_the_recording_read_back_give_one_report() {
    let mut planner = by_both()
        .index("orders (a)", MB, &[("by-both", 10.0)])
        .index("orders (b)", MB, &[("by-both", 300.0)]);
    let (workload, limits) = (planner.workload().clone(), Limits::default());
    let mut recorder = Recorder::new(&mut planner);
    let live = advise(&workload, &limits, &mut recorder, &|_| {}).unwrap();
    let recorded = recorder.finish(workload, limits);
    let read_back = Recording::from_json(&serde_json::to_string(&recorded).unwrap()).unwrap();
    assert_eq!(read_back, recorded);
    let (advice, unused) = replayed(&read_back).unwrap();
    assert_eq!(unused, 0);
    assert_eq!(json(&advice), json(&live));
}

#[test]
fn no_recording_with_an_answer_missing_yields_a_report() {
    for name in ["003-game-overviews-twin.json", "002-table-sync.json"] {
        let whole = recording(name);
        for missing in 0..whole.exchanges.len() {
            let mut damaged = whole.clone();
            let Exchange { indexes, .. } = damaged.exchanges.remove(missing);
            let result = replayed(&damaged);
            assert!(
                matches!(result, Err(PlannerError::NotRecorded(_))),
                "{name} without answer {missing} (with {} indexes)",
                indexes.len()
            );
        }
    }
}

#[test]
fn an_answer_that_was_not_asked_for_is_counted() {
    let mut longer = recording("003-game-overviews-twin.json");
    let last = longer.exchanges.last().unwrap().clone();
    longer.exchanges.push(last);
    assert_eq!(replayed(&longer).unwrap().1, 1);
}

#[test]
fn another_format_is_refused_with_both_named() {
    let older = text("003-game-overviews-twin.json").replacen(
        "pgrehearse-recording-2",
        "pgrehearse-recording-1",
        1,
    );
    let error = Recording::from_json(&older).unwrap_err();
    assert!(
        matches!(&error, RecordingError::Format { found } if found == "pgrehearse-recording-1")
    );
    let message = error.to_string();
    assert!(
        message.contains("\"pgrehearse-recording-1\"")
            && message.contains("\"pgrehearse-recording-2\""),
        "{message}"
    );
}

#[test]
fn a_plan_that_the_recording_does_not_hold_is_an_error() {
    let mut value: serde_json::Value =
        serde_json::from_str(&text("003-game-overviews-twin.json")).unwrap();
    let number = value["plans"].as_array().unwrap().len();
    let plans = value["exchanges"][0]["plans"].as_object_mut().unwrap();
    plans.values_mut().for_each(|plan| *plan = number.into());
    let error = Recording::from_json(&value.to_string()).unwrap_err();
    assert!(matches!(error, RecordingError::NoSuchPlan(plan) if plan == number));
    assert!(error.to_string().contains(&format!("plan {number}")));
}

#[test]
fn a_recording_cut_off_anywhere_is_an_error() {
    let whole = text("003-game-overviews-twin.json");
    let whole = whole.trim_end();
    for part in 1..20 {
        let end = whole.floor_char_boundary(whole.len() * part / 20);
        let error = Recording::from_json(&whole[..end]).unwrap_err();
        assert!(matches!(error, RecordingError::Json(_)), "{part}/20");
    }
    assert!(Recording::from_json(&whole[..whole.len() - 1]).is_err());
}
