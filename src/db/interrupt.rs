//! Ctrl-C and SIGTERM: the first one requests a clean end (the running statement is cancelled on
//! the server and rolled back), the second one ends the program at once.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::planner::Rollback;

/// The exit status of a program that was interrupted: 128 + SIGINT.
pub(super) const EXIT_INTERRUPTED: i32 = 130;

/// Time for the cancel request and the server's answer.
const PATIENCE_WITHOUT_TERMINAL: Duration = Duration::from_secs(6);

/// How long the program may take to end after a signal: a read from a file, a name server or a
/// program that hangs does not notice the signal.
const PATIENCE: Duration = Duration::from_millis(1_900);

/// The same for a program that reports what it knows by then: whoever sent the signal may send
/// SIGKILL ten seconds later (`docker stop`).
const PATIENCE_FOR_A_REPORT: Duration = Duration::from_secs(8);

/// Whether the user asked to stop. Clones share the state.
#[derive(Debug, Clone)]
pub struct Interrupt {
    raised: watch::Receiver<bool>,
    shared: Arc<Shared>,
    /// Does it stay low where the program reports what it knows ([`Interrupt::sparing_reports`])?
    spares_reports: bool,
    _keep: Option<Arc<watch::Sender<bool>>>,
}

/// What the thread that waits for signals must know.
#[derive(Debug, Default)]
struct Shared {
    /// Does the program end itself in good time, because it only waits for keys?
    ends_by_itself: AtomicBool,
    /// Does it report what it knows, and end then?
    reports: AtomicBool,
    /// Transactions that change something and whose rollback was not seen yet.
    changing: AtomicUsize,
}

impl Shared {
    fn rollback(&self) -> Rollback {
        if self.changing.load(Ordering::SeqCst) == 0 {
            Rollback::Confirmed
        } else {
            Rollback::Unconfirmed
        }
    }
}

/// Waits until a program that does not end by itself has had its time.
async fn too_late(shared: &Shared) {
    tokio::time::sleep(PATIENCE).await;
    if shared.reports.load(Ordering::SeqCst) {
        tokio::time::sleep(PATIENCE_FOR_A_REPORT.saturating_sub(PATIENCE)).await;
    }
    if shared.ends_by_itself.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
}

/// Raises and lowers an interrupt from the program.
#[derive(Debug, Clone)]
pub struct InterruptTrigger(Arc<watch::Sender<bool>>);

impl InterruptTrigger {
    /// Cancels the running statement on the server.
    pub fn raise(&self) {
        self.0.send_replace(true);
    }

    /// Allows statements to run again.
    pub fn lower(&self) {
        self.0.send_replace(false);
    }
}

impl Interrupt {
    /// Listens for signals from now on. If the program has not ended soon after the first one, it is
    /// ended: the server notices that and rolls back. `last_words` is called before that.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn listen(last_words: fn(Rollback)) -> io::Result<Interrupt> {
        let shared = Arc::new(Shared::default());
        let seen = Arc::clone(&shared);
        let (raise, raised) = watch::channel(false);
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let (mut interrupt, mut terminate, mut hangup) = {
            let _guard = runtime.enter();
            (
                signal(SignalKind::interrupt())?,
                signal(SignalKind::terminate())?,
                signal(SignalKind::hangup())?,
            )
        };
        std::thread::Builder::new()
            .name("signals".to_owned())
            .spawn(move || {
                runtime.block_on(async {
                    let terminal_gone = tokio::select! {
                        _ = interrupt.recv() => false,
                        _ = terminate.recv() => false,
                        _ = hangup.recv() => true,
                    };
                    let _ = raise.send(true);
                    tokio::select! {
                        _ = interrupt.recv() => {}
                        _ = terminate.recv() => {}
                        // A read from a terminal that is gone may never return.
                        () = tokio::time::sleep(PATIENCE_WITHOUT_TERMINAL), if terminal_gone => {}
                        () = too_late(&seen) => last_words(seen.rollback()),
                    }
                    std::process::exit(EXIT_INTERRUPTED);
                });
            })?;
        Ok(Interrupt {
            raised,
            shared,
            spares_reports: false,
            _keep: None,
        })
    }

    /// An interrupt that is never raised.
    pub fn never() -> Interrupt {
        let (raise, raised) = watch::channel(false);
        Interrupt {
            raised,
            shared: Arc::default(),
            spares_reports: false,
            _keep: Some(Arc::new(raise)),
        }
    }

    /// An interrupt that the program itself raises and lowers: for work that the user can cancel.
    pub fn by_hand() -> (InterruptTrigger, Interrupt) {
        let (raise, raised) = watch::channel(false);
        let raise = Arc::new(raise);
        (
            InterruptTrigger(raise.clone()),
            Interrupt {
                raised,
                shared: Arc::default(),
                spares_reports: false,
                _keep: Some(raise),
            },
        )
    }

    /// Has the user asked to stop?
    pub fn is_raised(&self) -> bool {
        *self.raised.borrow() && !self.is_spared()
    }

    fn is_spared(&self) -> bool {
        self.spares_reports && self.shared.reports.load(Ordering::SeqCst)
    }

    /// From now on the program, once it is asked to stop, reports what it knows and ends.
    pub fn reports_what_is_known(&self) {
        self.shared.reports.store(true, Ordering::SeqCst);
    }

    /// For work that such a report needs, and that disturbs nobody: it is not stopped where the
    /// program reports what it knows.
    #[must_use]
    pub fn sparing_reports(&self) -> Interrupt {
        Interrupt {
            spares_reports: true,
            ..self.clone()
        }
    }

    /// From now on the program only waits for keys and ends by itself when it is asked to stop.
    pub fn ends_by_itself(&self) {
        self.shared.ends_by_itself.store(true, Ordering::SeqCst);
    }

    /// A transaction begins that changes something.
    pub(super) fn change_begins(&self) {
        self.shared.changing.fetch_add(1, Ordering::SeqCst);
    }

    /// The rollback of such a transaction was seen.
    pub(super) fn change_is_undone(&self) {
        self.shared.changing.fetch_sub(1, Ordering::SeqCst);
    }

    /// Waits until the user asks to stop.
    pub(super) async fn raised(&self) {
        let mut raised = self.raised.clone();
        let is_over = raised.wait_for(|raised| *raised).await.is_err();
        if is_over || self.is_spared() {
            std::future::pending::<()>().await;
        }
    }
}
