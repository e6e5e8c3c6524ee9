//! The tables of ARCHITECTURE.md that list the rooms and the crates.

use std::collections::{BTreeMap, BTreeSet};

/// Rooms by name, each with the names in its column "may use".
pub type MayUse = BTreeMap<String, BTreeSet<String>>;

/// The table of the section *Rooms*.
pub fn rooms(document: &str) -> MayUse {
    rows(document, "may use")
        .into_iter()
        .map(|(room, used)| {
            let room = words(&room).remove(0);
            (room_name(&room), words(&used).into_iter().collect())
        })
        .collect()
}

/// The table of dependencies: crates, each with the names in its column "where".
pub fn crates(document: &str) -> MayUse {
    let mut crates = MayUse::new();
    for (names, rooms) in rows(document, "where") {
        for name in words(&names) {
            let rooms = words(&rooms).into_iter().collect();
            crates.insert(name.replace('-', "_"), rooms);
        }
    }
    crates
}

fn room_name(path: &str) -> String {
    let name = path.strip_prefix("src/").unwrap_or(path);
    name.strip_suffix(".rs").unwrap_or(name).to_owned()
}

/// The first cell of each row, with the cell below the heading `column`.
fn rows(document: &str, column: &str) -> Vec<(String, String)> {
    let mut lines = document.lines();
    let heading = lines
        .find(|line| line.starts_with('|') && cells(line).contains(&column))
        .unwrap_or_else(|| panic!("ARCHITECTURE.md has no table with a column \"{column}\""));
    let place = cells(heading)
        .iter()
        .position(|cell| *cell == column)
        .unwrap();
    lines
        .skip(1)
        .take_while(|line| line.starts_with('|'))
        .map(|line| (cells(line)[0].to_owned(), cells(line)[place].to_owned()))
        .collect()
}

fn cells(line: &str) -> Vec<&str> {
    let inside = line.trim().trim_start_matches('|');
    let inside = inside.strip_suffix('|').unwrap_or(inside);
    inside.split('|').map(str::trim).collect()
}

/// The texts in backquotes.
fn words(cell: &str) -> Vec<String> {
    cell.split('`')
        .skip(1)
        .step_by(2)
        .map(str::to_owned)
        .collect()
}
