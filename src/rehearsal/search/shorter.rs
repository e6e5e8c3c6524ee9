//! A chosen index without its last columns, where the planner does as well with that.
//!
//! The search weighs sizes, and sizes of estimates: a second column that fits into what alignment leaves over anyway costs nothing
//! there. But writers pay for it, and whoever reads the advice wonders what it is for.

use super::{Search, is_near};
use crate::index::Index;
use crate::rehearsal::{PlannerError, Trial};

impl Search<'_, '_> {
    /// Takes off the columns that nothing would miss.
    pub(super) fn shorten(&mut self, chosen: &mut [usize]) -> Result<(), PlannerError> {
        for place in 0..chosen.len() {
            let with_present = self.costs(chosen)?;
            let mut others = chosen.to_vec();
            let present = others.remove(place);
            let without = self.costs(&others)?;
            let Some(now) = self.offer(&[present], &others, &without, &with_present) else {
                continue;
            };
            for position in shorter(self.known.trials(), present) {
                let set = [others.as_slice(), &[position]].concat();
                let exchanged = self.costs(&set)?;
                let offer = self.offer(&[position], &others, &without, &exchanged);
                let supersedes_as_much =
                    self.known.superseded_size(&set) >= self.known.superseded_size(chosen);
                let may = self.fits(&set) && supersedes_as_much;
                if may
                    && offer.is_some_and(|offer| is_near(&offer, &now))
                    && !self.misses(&exchanged, &with_present)
                {
                    chosen[place] = position;
                    break;
                }
            }
        }
        Ok(())
    }
}

/// The trials that are this index with fewer columns, the shortest first.
fn shorter(trials: &[Trial], position: usize) -> Vec<usize> {
    let Some(present) = trials.get(position).map(|trial| &trial.index.definition) else {
        return Vec::new();
    };
    let is_shorter =
        |trial: &Trial| trial.built().is_some() && is_part(&trial.index.definition, present);
    let mut found: Vec<usize> = (0..trials.len())
        .filter(|other| is_shorter(&trials[*other]))
        .collect();
    found.sort_by_key(|other| columns(&trials[*other].index.definition));
    found
}

fn is_part(index: &Index, of: &Index) -> bool {
    index.method == of.method && columns(index) < columns(of) && of.subsumes(index)
}

fn columns(index: &Index) -> usize {
    index.keys.len() + index.include.len()
}
