//! What the size of the indexes buys: a few points of the curve, with bars.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::report::style::{BOLD, DIM, GOOD, styled};
use crate::search::{Curve, CurvePoint};

/// With fewer points there is nothing to weigh up.
const MIN_POINTS: usize = 6;

/// The points at which this much of what can be saved is saved are shown.
const SHARES: [f64; 7] = [0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1.0];

/// Columns of the longest bar.
const BAR: f64 = 24.0;

/// Writes the curve as a table.
pub(super) fn write(text: &mut String, curve: Option<&Curve>) {
    let Some(curve) = curve.filter(|curve| curve.points.len() >= MIN_POINTS) else {
        return;
    };
    let _ = writeln!(
        text,
        "{}",
        styled(BOLD, "What the size of the indexes buys")
    );
    for place in shown(curve) {
        if let Some(point) = curve.points.get(place) {
            let _ = writeln!(text, "{}", line(curve, place, point));
        }
    }
    let _ = writeln!(
        text,
        "{}\n",
        styled(
            DIM,
            "  By the plans that were seen. --budget SIZE recommends for one of these sizes."
        )
    );
}

fn line(curve: &Curve, place: usize, point: &CurvePoint) -> String {
    let (saved, most) = (saved(curve, point), saved_at_most(curve));
    let bar = "█".repeat((BAR * saved / most.max(f64::MIN_POSITIVE)).round() as usize);
    let mut marks = String::new();
    if place == curve.chosen {
        marks += "  ◂ recommended";
    }
    if place == curve.knee {
        marks += "  ◂ from here on, more size brings less";
    }
    format!(
        "{}  {}{}",
        figures(curve, point),
        styled(GOOD, bar),
        styled(BOLD, marks)
    )
}

fn figures(curve: &Curve, point: &CurvePoint) -> String {
    format!(
        "  {:>10}  {:>12}  {:>5.1} % saved",
        point.size.to_string(),
        indexes(point.indexes),
        100.0 * saved(curve, point)
    )
}

fn indexes(number: usize) -> String {
    match number {
        1 => "1 index".to_owned(),
        _ => format!("{number} indexes"),
    }
}

/// The share of today's cost that is saved.
fn saved(curve: &Curve, point: &CurvePoint) -> f64 {
    let today = curve.points.first().map_or(0.0, |first| first.cost.0);
    (today - point.cost.0) / today.max(f64::MIN_POSITIVE)
}

fn saved_at_most(curve: &Curve) -> f64 {
    curve.points.last().map_or(0.0, |last| saved(curve, last))
}

/// The places of the points to show, in their order. Of points that look the same one is shown.
fn shown(curve: &Curve) -> BTreeSet<usize> {
    let most = saved_at_most(curve);
    let reaches = |share: f64| {
        let mut points = curve.points.iter();
        points.position(|point| saved(curve, point) >= share * most)
    };
    let mut places: BTreeSet<usize> = SHARES.into_iter().filter_map(reaches).collect();
    let marked = [curve.chosen, curve.knee];
    places.extend(marked);
    let point = |place: &usize| curve.points.get(*place).map(|point| figures(curve, point));
    let mut seen: BTreeSet<String> = marked.iter().filter_map(point).collect();
    places.retain(|place| {
        let mut is_new = || point(place).is_some_and(|figures| seen.insert(figures));
        *place > 0 && (marked.contains(place) || is_new())
    });
    places
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Bytes, Cost};

    /// Each next index saves half as much.
    fn curve(points: usize) -> Curve {
        let point = |place: usize| CurvePoint {
            size: Bytes(place as u64 * Bytes::MB),
            indexes: place,
            cost: Cost(1_000.0 * (1.0 + 0.5_f64.powi(place as i32))),
        };
        Curve {
            points: (0..points).map(point).collect(),
            chosen: 5,
            knee: 2,
        }
    }

    #[test]
    fn the_recommended_set_and_the_knee_are_among_the_points() {
        let mut text = String::new();
        write(&mut text, Some(&curve(10)));
        let text = anstream::adapter::strip_str(&text).to_string();
        insta::assert_snapshot!(text);
    }

    #[test]
    fn of_points_that_look_the_same_one_is_shown() {
        let mut curve = curve(10);
        let mut last = curve.points[9];
        last.size.0 += 1;
        last.cost.0 -= 1e-6;
        curve.points.push(last);
        curve.chosen = 9;
        let mut text = String::new();
        write(&mut text, Some(&curve));
        assert_eq!(text.matches("9 indexes").count(), 1, "{text}");
        assert!(text.contains("recommended"), "{text}");
    }

    #[test]
    fn a_few_indexes_are_no_curve() {
        let mut text = String::new();
        write(&mut text, Some(&curve(5)));
        write(&mut text, None);
        assert_eq!(text, "");
    }
}
