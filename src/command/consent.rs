//! Before anything is built on a server that is written to: one line says what, and on a terminal
//! the user is asked.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;

use crate::catalog::Catalog;
use crate::db::Interrupt;
use crate::model::QualifiedName;
use crate::planner::{
    Answer, BuildPlan, Event, NamedIndex, OtherTables, Planner, PlannerError, Preparation,
    Question, RefusalCause, Target, one_by_one,
};
use crate::sentences;
use crate::terminal;
use crate::verdict::Limits;

/// How often a wait for the user's answer looks for an interrupt.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Who is told and asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    /// Nobody is told: the server is our own.
    Silent,
    /// One line on standard error.
    Told,
    /// The same, and the answer to a question on the terminal decides.
    Asked,
}

impl Asking {
    /// What the options and the terminal ask for.
    pub(super) fn new(is_agreed: bool, is_quiet: bool) -> Asking {
        let is_terminal = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
        match (is_agreed, is_quiet) {
            (false, _) if is_terminal => Asking::Asked,
            (_, true) => Asking::Silent,
            (_, false) => Asking::Told,
        }
    }
}

/// May this run build?
pub(super) struct Consent<'a> {
    /// Announces what is about to be built, and answers whether it may be.
    announce: Box<dyn Fn(&BuildPlan) -> bool + 'a>,
    /// The answer, once it is known.
    given: Cell<Option<bool>>,
}

impl<'a> Consent<'a> {
    /// Of whoever started a command.
    pub(super) fn new(asking: Asking, limits: &'a Limits, interrupt: &'a Interrupt) -> Self {
        Consent::by(move |plan| announce(plan, asking, limits, interrupt))
    }

    /// What this function answers.
    pub(super) fn by(announce: impl Fn(&BuildPlan) -> bool + 'a) -> Self {
        Consent {
            announce: Box::new(announce),
            given: Cell::new(None),
        }
    }

    /// Announces the first builds of a run.
    pub(super) fn observe(&self, event: Event<'_>) {
        if let Event::Builds(plan) = event
            && plan.has_writes
            && self.given.get().is_none()
        {
            self.given.set(Some((self.announce)(plan)));
        }
    }
}

fn announce(plan: &BuildPlan, asking: Asking, limits: &Limits, interrupt: &Interrupt) -> bool {
    if asking == Asking::Silent {
        return true;
    }
    terminal::print_message(&sentences::build_plan(plan, limits));
    asking != Asking::Asked || answer(interrupt)
}

fn answer(interrupt: &Interrupt) -> bool {
    terminal::print_message("build them? [y/N] (--yes: do not ask)");
    let (send, answers) = channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let _ = std::io::stdin().lock().read_line(&mut line);
        let _ = send.send(line);
    });
    while !interrupt.is_raised() {
        match answers.recv_timeout(POLL_INTERVAL) {
            Ok(line) => return matches!(line.trim(), "y" | "Y" | "yes"),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return false,
        }
    }
    false
}

/// A planner that builds only with consent.
pub(super) struct WithConsent<'p> {
    planner: &'p mut dyn Planner,
    consent: &'p Consent<'p>,
}

impl<'p> WithConsent<'p> {
    pub(super) fn new(planner: &'p mut dyn Planner, consent: &'p Consent<'p>) -> Self {
        WithConsent { planner, consent }
    }
}

impl Planner for WithConsent<'_> {
    fn ask(&mut self, question: &Question) -> Result<Answer, PlannerError> {
        let builds = question.target == Target::Server && !question.indexes.is_empty();
        if builds && self.consent.given.get() == Some(false) {
            return Ok(Answer::Refused(RefusalCause::Declined.into()));
        }
        self.planner.ask(question)
    }

    fn ask_all(&mut self, questions: &[Question]) -> Result<Vec<Answer>, PlannerError> {
        let builds =
            |question: &Question| question.target == Target::Server && !question.indexes.is_empty();
        if questions.iter().any(builds) {
            return one_by_one(self, questions);
        }
        self.planner.ask_all(questions)
    }

    fn expect(&mut self, indexes: &[&NamedIndex]) -> Result<(), PlannerError> {
        self.planner.expect(indexes)
    }

    fn catalog(&mut self, tables: &BTreeSet<QualifiedName>) -> Result<Catalog, PlannerError> {
        self.planner.catalog(tables)
    }

    fn other_tables(
        &mut self,
        known: &BTreeSet<QualifiedName>,
    ) -> Result<OtherTables, PlannerError> {
        self.planner.other_tables(known)
    }

    fn prepare_twin(
        &mut self,
        tables: &BTreeSet<QualifiedName>,
    ) -> Result<Preparation, PlannerError> {
        self.planner.prepare_twin(tables)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Millis;
    use crate::planner::NamedIndex;
    use crate::planner::test_planner::{TestPlanner, index, seq_scan, table};

    fn plan(has_writes: bool) -> BuildPlan {
        BuildPlan {
            tables: [(QualifiedName::new("public", "orders"), 2)].into(),
            time: Millis(1_000.0),
            has_writes,
        }
    }

    #[test]
    fn what_was_declined_is_not_built() {
        let (limits, interrupt) = (Limits::default(), Interrupt::never());
        let consent = Consent::new(Asking::Asked, &limits, &interrupt);
        consent.given.set(Some(false));
        let mut planner = TestPlanner::new([table("orders", &["id bigint"])]).statement(
            "s",
            "SELECT 1",
            seq_scan("orders", 1.0),
        );
        let statements = planner.workload().statements().to_vec();
        let baseline = Question::plans(Target::Server, &statements);
        let build = baseline.clone().with_indexes(&[NamedIndex {
            name: "i".to_owned(),
            definition: index("orders (id)"),
        }]);
        let mut asking = WithConsent::new(&mut planner, &consent);
        let refused = Answer::Refused(RefusalCause::Declined.into());
        assert_eq!(asking.ask(&build).unwrap(), refused);
        assert_ne!(asking.ask(&baseline).unwrap(), refused);
        assert_eq!(planner.asked().len(), 1, "the build is not passed on");
    }

    #[test]
    fn nobody_is_asked_where_nothing_is_written() {
        let (limits, interrupt) = (Limits::default(), Interrupt::never());
        let consent = Consent::new(Asking::Told, &limits, &interrupt);
        consent.observe(Event::Builds(&plan(false)));
        assert_eq!(consent.given.get(), None);
        consent.observe(Event::Builds(&plan(true)));
        assert_eq!(consent.given.get(), Some(true));
    }
}
