//! The advice for the indexes that are on: reports and their exports follow the selection.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{IndexView, SessionData, StatementView};
use crate::advise::Advice;
use crate::advise::selected::{SelectedIndex, SelectedSet};
use crate::plan::Plan;
use crate::planner::{Evidence, TestedIndex};
use crate::workload::StatementId;

impl SessionData {
    /// The advice of the run for exactly these indexes; none before there is one.
    pub fn selected_advice(&self, selected: &BTreeSet<usize>) -> Option<Cow<'_, Advice>> {
        let advice = self.advice.as_deref()?;
        let known = self.combinations.get(selected);
        if known.is_none() && *selected == self.recommended() {
            return Some(Cow::Borrowed(advice));
        }
        let views = selected
            .iter()
            .filter_map(|index| Some((*index, self.indexes.get(*index)?)));
        let indexes = views.zip(self.creations(selected));
        let set = SelectedSet {
            indexes: indexes
                .map(|((_, view), creation)| SelectedIndex {
                    index: view.named.clone(),
                    creation,
                    tested: self.tested_in(selected, view),
                    evidence: match known {
                        Some(known) if known.is_built => Evidence::RolledBackTransaction,
                        Some(_) => Evidence::PlannerTwin,
                        None => view.evidence.unwrap_or(Evidence::PlannerTwin),
                    },
                    size: view.size,
                    build_time: view.build_time,
                    write_block: view.write_block,
                })
                .collect(),
            transactions: known
                .filter(|known| known.is_built)
                .map_or(0, |known| known.transactions),
            plans: self.plans_with(selected),
        };
        Some(Cow::Owned(
            advice.with_selected(&set, self.limits.min_improvement),
        ))
    }

    /// The index as these were planned with together, else as it was tested alone.
    fn tested_in(&self, selected: &BTreeSet<usize>, view: &IndexView) -> Option<TestedIndex> {
        let together = self.combinations.get(selected).and_then(|known| {
            let mut tested = known.tested.iter();
            tested.find(|tested| tested.names.contains(&view.named.name))
        });
        let alone = || self.trials[view.trial?].tested();
        together.or_else(alone).cloned()
    }

    /// The plans without and with these indexes: those with all of them together where they are
    /// known, else the cheapest with one of them.
    fn plans_with(
        &self,
        selected: &BTreeSet<usize>,
    ) -> BTreeMap<StatementId, (Arc<Plan>, Arc<Plan>)> {
        if let Some(known) = self.combinations.get(selected) {
            return known.plans.clone();
        }
        let best = |view: &StatementView| {
            let alone = view.choices.iter();
            let alone = alone.filter(|choice| {
                let on = choice.index.is_some_and(|index| selected.contains(&index));
                on && choice.used
            });
            let best = alone.min_by(|a, b| {
                let cost = |plan: &Plan| plan.total_cost().0;
                cost(&a.plan).total_cmp(&cost(&b.plan))
            })?;
            let pair = (best.before.clone(), best.plan.clone());
            Some((view.source.id.clone(), pair))
        };
        let statements = self.statements.iter().filter(|view| !view.is_edited);
        statements.filter_map(best).collect()
    }
}
