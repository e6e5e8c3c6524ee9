//! Replaces values by new ones in the same order.

use std::collections::{BTreeMap, BTreeSet};

use super::{RedactionKey, uuid};
use crate::twin::scalar::{Position, Scale};

/// Values of one kind, while they are collected.
#[derive(Debug, Default)]
pub(super) struct Collected {
    /// Every value.
    pub(super) values: BTreeSet<String>,
    /// Lists that the server sorted.
    pub(super) sorted: Vec<Vec<String>>,
    /// Values that statements or the schema mention: these do not change.
    pub(super) fixed: BTreeSet<String>,
}

/// Letters that all collations sort alike: no language has digraphs or accents of them.
const LETTERS: [char; 10] = ['b', 'd', 'f', 'k', 'm', 'p', 'q', 't', 'v', 'x'];

/// Maximum length of new texts; the planner knows longer widths from `stawidth`.
const MAX_TEXT: usize = 200;

/// New texts. `by_bytes`: the collation is that of `C`.
pub(super) fn texts(
    collected: &Collected,
    key: &RedactionKey,
    by_bytes: bool,
) -> BTreeMap<String, String> {
    let order = in_order(collected, by_bytes);
    let mut new = BTreeMap::new();
    let mut before: Option<&str> = None;
    for segment in order.split_inclusive(|value| collected.fixed.contains(*value)) {
        let after = segment
            .last()
            .copied()
            .filter(|last| collected.fixed.contains(*last));
        let free = if after.is_some() {
            segment.len() - 1
        } else {
            segment.len()
        };
        let beginning = beginning(before, after);
        let width = digits(free);
        for (rank, value) in segment.iter().take(free).enumerate() {
            new.insert(
                (*value).to_owned(),
                text(&beginning, rank, width, value, key),
            );
        }
        before = after.or(before);
    }
    new
}

/// The beginning of a text that sorts between these two.
fn beginning(before: Option<&str>, after: Option<&str>) -> String {
    match (before, after) {
        (None, None) => String::new(),
        (None, Some(after)) if after.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            "0".to_owned()
        }
        (None, Some(_)) => "!".to_owned(),
        (Some(before), Some(after)) if after.starts_with(before) => format!("{before}!"),
        (Some(before), _) => before.to_owned(),
    }
}

/// The number of letters needed for this many ranks.
fn digits(count: usize) -> usize {
    let mut width = 1;
    let mut room = 10usize;
    while room < count {
        room = room.saturating_mul(10);
        width += 1;
    }
    width
}

/// Its rank in letters, and random letters up to the old length.
fn text(beginning: &str, rank: usize, width: usize, old: &str, key: &RedactionKey) -> String {
    let mut new = beginning.to_owned();
    for digit in format!("{rank:0width$}").bytes() {
        new.extend(LETTERS.get(usize::from(digit.saturating_sub(b'0'))));
    }
    let missing = old
        .chars()
        .count()
        .min(MAX_TEXT)
        .saturating_sub(new.chars().count());
    let noise = (0u32..).flat_map(|block| key.noise(&format!("text {block}"), old.as_bytes()));
    new.extend(
        noise
            .take(missing)
            .filter_map(|byte| LETTERS.get(usize::from(byte) % LETTERS.len())),
    );
    new
}

/// In the order of the server, as far as its sorted lists and the letters show it.
fn in_order(collected: &Collected, by_bytes: bool) -> Vec<&str> {
    let mut all: Vec<&str> = collected
        .values
        .union(&collected.fixed)
        .map(String::as_str)
        .collect();
    if by_bytes {
        return all;
    }
    all.sort_by_cached_key(|text| like_a_dictionary(text));
    let ranks: BTreeMap<&str, usize> = all
        .iter()
        .enumerate()
        .map(|(rank, text)| (*text, rank))
        .collect();
    let mut waits_for: Vec<usize> = vec![0; all.len()];
    let mut lets_go: Vec<Vec<usize>> = vec![Vec::new(); all.len()];
    for pair in collected.sorted.iter().flat_map(|list| list.windows(2)) {
        if let [Some(one), Some(next)] = [0, 1].map(|at| ranks.get(pair[at].as_str()).copied())
            && one != next
        {
            lets_go[one].push(next);
            waits_for[next] += 1;
        }
    }
    let mut ready: BTreeSet<usize> = (0..all.len())
        .filter(|rank| waits_for[*rank] == 0)
        .collect();
    let mut order = Vec::with_capacity(all.len());
    let mut done = vec![false; all.len()];
    while let Some(next) = ready.pop_first() {
        order.push(all[next]);
        done[next] = true;
        for freed in std::mem::take(&mut lets_go[next]) {
            waits_for[freed] -= 1;
            if waits_for[freed] == 0 {
                ready.insert(freed);
            }
        }
    }
    // Lists that contradict each other, which should not exist within one collation.
    order.extend(
        (0..all.len())
            .filter(|rank| !done[*rank])
            .map(|rank| all[rank]),
    );
    order
}

/// Letters and digits first, then case, then the rest.
fn like_a_dictionary(text: &str) -> (String, String) {
    let letters = text
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    (letters, text.chars().rev().collect())
}

/// New UUIDs.
pub(super) fn uuids(collected: &Collected, key: &RedactionKey) -> BTreeMap<String, String> {
    let read = |text: &String| uuid::read(text);
    let fixed: BTreeSet<u128> = collected.fixed.iter().filter_map(read).collect();
    let all: BTreeSet<u128> = collected
        .values
        .iter()
        .filter_map(read)
        .chain(fixed.iter().copied())
        .collect();
    let all: Vec<u128> = all.into_iter().collect();
    let mut new = BTreeMap::new();
    for (at, value) in all
        .iter()
        .enumerate()
        .filter(|(_, value)| !fixed.contains(value))
    {
        let below = at
            .checked_sub(1)
            .and_then(|at| all.get(at))
            .copied()
            .unwrap_or(0);
        let above = all.get(at + 1).copied().unwrap_or(u128::MAX);
        let room = ((value - below) / 2).min((above - value) / 2);
        let noise = key.noise("uuid", &value.to_be_bytes());
        let noise = noise
            .first_chunk()
            .copied()
            .map(u128::from_le_bytes)
            .unwrap_or_default();
        if room > 1 {
            new.insert(
                uuid::write(*value),
                uuid::write(value - room + 1 + noise % (2 * room - 1)),
            );
        }
    }
    new
}

/// New numbers and times: each moves by less than half the distance to its neighbours, so their
/// order does not change.
pub(super) fn numbers(
    collected: &Collected,
    line: Scale,
    key: &RedactionKey,
) -> BTreeMap<String, String> {
    let read = |text: &String| Some((line.read(text)?, text.clone()));
    let fixed: Vec<Position> = collected
        .fixed
        .iter()
        .filter_map(|text| line.read(text))
        .collect();
    let mut all: Vec<(Position, String)> = collected
        .values
        .iter()
        .filter_map(read)
        .chain(fixed.iter().map(|fixed| (*fixed, line.write(*fixed))))
        .collect();
    all.sort_by(|(one, _), (other, _)| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal));
    let mut distinct: Vec<Position> = all.iter().map(|(position, _)| *position).collect();
    distinct.dedup_by(|one, other| one.minus(*other) == 0.0);
    let mut new = BTreeMap::new();
    for (position, text) in &all {
        let at = distinct.partition_point(|other| other.minus(*position) < 0.0);
        let is_fixed = fixed.iter().any(|fixed| fixed.minus(*position) == 0.0);
        let gaps = [at.checked_sub(1), Some(at + 1)]
            .map(|at| distinct.get(at?).map(|other| other.minus(*position).abs()));
        let room = match gaps {
            _ if is_fixed => continue,
            [Some(below), Some(above)] => below.min(above) / 2.0,
            [one, other] => one.or(other).unwrap_or(0.0) / 2.0,
        };
        let share = key.share(&canonical(*position, line));
        // The first and the last one move inwards, because values outside may not be valid for the
        // type.
        let share = match gaps {
            [None, _] => share.abs(),
            [_, None] => -share.abs(),
            _ => share,
        };
        let moved = position.plus(share * room);
        // As it will be read again, with rounded digits.
        let written = line.write(moved);
        let Some(back) = line.read(&written) else {
            continue;
        };
        if back.minus(*position).abs() < room && back.minus(*position) != 0.0 {
            new.insert(text.clone(), written);
        }
    }
    new
}

/// Equal numbers move alike, even if they are written differently: 1.5 and 1.50.
fn canonical(position: Position, line: Scale) -> String {
    match position {
        Position::Whole(_) => line.write(position),
        Position::Real(value, _) => value.to_string(),
    }
}
