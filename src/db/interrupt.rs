//! Ctrl-C and SIGTERM: the first one requests a clean end (the running statement is cancelled on
//! the server and rolled back), the second one ends the program at once.

use std::io;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// The exit status of a program that was interrupted: 128 + SIGINT.
pub(super) const EXIT_INTERRUPTED: i32 = 130;

/// Time for the cancel request and the server's answer.
const PATIENCE_WITHOUT_TERMINAL: Duration = Duration::from_secs(6);

/// Whether the user asked to stop. Clones share the state.
#[derive(Debug, Clone)]
pub struct Interrupt {
    raised: watch::Receiver<bool>,
    _keep: Option<std::sync::Arc<watch::Sender<bool>>>,
}

/// Raises and lowers an interrupt from the program.
#[derive(Debug, Clone)]
pub struct InterruptTrigger(std::sync::Arc<watch::Sender<bool>>);

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
    /// Listens for signals from now on.
    ///
    /// # Errors
    /// When the signal handlers cannot be installed.
    pub fn listen() -> io::Result<Interrupt> {
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
                    }
                    std::process::exit(EXIT_INTERRUPTED);
                });
            })?;
        Ok(Interrupt {
            raised,
            _keep: None,
        })
    }

    /// An interrupt that is never raised.
    pub fn never() -> Interrupt {
        let (raise, raised) = watch::channel(false);
        Interrupt {
            raised,
            _keep: Some(std::sync::Arc::new(raise)),
        }
    }

    /// An interrupt that the program itself raises and lowers: for work that the user can cancel.
    pub fn by_hand() -> (InterruptTrigger, Interrupt) {
        let (raise, raised) = watch::channel(false);
        let raise = std::sync::Arc::new(raise);
        (
            InterruptTrigger(raise.clone()),
            Interrupt {
                raised,
                _keep: Some(raise),
            },
        )
    }

    /// Has the user asked to stop?
    pub fn is_raised(&self) -> bool {
        *self.raised.borrow()
    }

    /// Waits until the user asks to stop.
    pub(super) async fn raised(&self) {
        let mut raised = self.raised.clone();
        if raised.wait_for(|raised| *raised).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
