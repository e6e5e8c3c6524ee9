//! What each statement is of the workload: by measured time where most statements have one, by the planner's cost otherwise.

use super::{Card, Timed};

/// Sets the shares; how many statements have a measured time decides what they are of.
pub(super) fn set_shares(cards: &mut [Card]) -> Timed {
    let timed = timed(cards);
    let weight = |card: &Card| match timed {
        Timed::Mostly => card.statement.total_time_ms(),
        Timed::Nowhere | Timed::Partly => Some(card.statement.calls * card.cost()?.0),
    };
    let all: f64 = cards.iter().filter_map(weight).sum();
    for card in cards {
        card.share = weight(card).map(|weight| if all > 0.0 { weight / all } else { 0.0 });
    }
    timed
}

fn timed(cards: &[Card]) -> Timed {
    match cards
        .iter()
        .filter(|card| card.statement.mean_time_ms.is_some())
        .count()
    {
        0 => Timed::Nowhere,
        some if 2 * some > cards.len() => Timed::Mostly,
        _ => Timed::Partly,
    }
}
