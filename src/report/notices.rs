//! Which notices of a run everybody has to read, and which are details.

use std::mem::{Discriminant, discriminant};

use crate::advise::notice::Notice;
use crate::model::{Gap, GapCause, HiddenStatistics, QualifiedName};
use crate::sentences;
use crate::workload::LeftOut;

/// The notices of a run, as short reports have them.
#[derive(Debug, Default, PartialEq)]
pub(super) struct ShortNotices {
    /// The first of each kind that matters, as a sentence, and how many more there are of it.
    pub first: Vec<(String, usize)>,
    /// How many others there are.
    pub details: usize,
}

/// Chooses what is said at once.
pub(super) fn short_notices(notices: &[Notice]) -> ShortNotices {
    let mut kinds: Vec<(Discriminant<Notice>, String, usize)> = Vec::new();
    let mut details = 0;
    for notice in notices {
        match importance(notice) {
            Importance::SaidElsewhere => {}
            Importance::Detail => details += 1,
            Importance::Matters => {
                let kind = discriminant(notice);
                match kinds.iter_mut().find(|(seen, ..)| *seen == kind) {
                    Some((_, _, more)) => *more += 1,
                    None => kinds.push((kind, sentences::notice(notice), 0)),
                }
            }
        }
    }
    ShortNotices {
        first: kinds
            .into_iter()
            .map(|(_, text, more)| (text, more))
            .collect(),
        details,
    }
}

enum Importance {
    /// The advice is another one, or less certain, than the reader would think; or something has to
    /// be done.
    Matters,
    /// For those who ask how it was done.
    Detail,
    /// Every report has a section for it.
    SaidElsewhere,
}

fn importance(notice: &Notice) -> Importance {
    match notice {
        Notice::LeftOut(LeftOut::Hidden { .. })
        | Notice::NeverAnalyzed(_)
        | Notice::PlannedOtherwise { .. }
        | Notice::ServerSilent(_)
        | Notice::Interrupted { .. }
        | Notice::InterruptedAfterwards
        | Notice::OutOfTime { .. }
        | Notice::NoTwin(_)
        | Notice::TwinCannotPlan { .. }
        | Notice::Untested(_)
        | Notice::AutovacuumCounterReset { .. }
        | Notice::SwitchedOff(_)
        | Notice::UnusedAnswers(_) => Importance::Matters,
        Notice::TwinGap(gap) if lacks_statistics(gap) => Importance::Matters,
        Notice::LeftOut(_)
        | Notice::PoliciesForOthers { .. }
        | Notice::NotIndexable(_)
        | Notice::TwinOnly { .. }
        | Notice::TwinDiffers { .. }
        | Notice::TwinGap(_)
        | Notice::Unwatched(_) => Importance::Detail,
        Notice::Worse { .. } => Importance::SaidElsewhere,
    }
}

/// Without the statistics of a table, what an index on it brings rests on the planner's defaults.
fn lacks_statistics(gap: &Gap) -> bool {
    matches!(
        gap.cause,
        GapCause::TableNotReadable { .. }
            | GapCause::StatisticsHidden {
                statistics: HiddenStatistics::OfTable,
                ..
            }
    )
}

/// Are the statistics of this table missing?
pub(super) fn is_without_statistics(notices: &[Notice], table: &QualifiedName) -> bool {
    notices.iter().any(|notice| match notice {
        Notice::NeverAnalyzed(never) => never == table,
        Notice::TwinGap(gap) => lacks_statistics(gap) && gap.tables.contains(table),
        _ => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_that_matters_is_said_once_and_details_are_counted() {
        let never = |name: &str| Notice::NeverAnalyzed(QualifiedName::new("public", name));
        let notices = [
            Notice::Unwatched("no second connection".to_owned()),
            never("a"),
            Notice::Untested(3),
            never("b"),
        ];
        let short = short_notices(&notices);
        assert_eq!(short.details, 1);
        let said: Vec<(&str, usize)> = short
            .first
            .iter()
            .map(|(text, more)| (text.split(' ').next().unwrap(), *more))
            .collect();
        assert_eq!(said, [("public.a", 1), ("3", 0)]);
    }
}
