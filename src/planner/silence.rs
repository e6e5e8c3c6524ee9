//! A server that stopped answering.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Rollback;
use crate::model::Millis;

/// A server that stopped answering: the connection was given up.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Silence {
    /// How long its answer was waited for; zero where the connection was lost.
    pub waited: Millis,
    /// False if a transaction of ours that takes locks was open, and its end was not seen.
    pub rollback_seen: bool,
}

impl fmt::Display for Silence {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.waited.0 > 0.0 {
            write!(
                formatter,
                "the server has not answered for {:.0} s, so the connection was given up",
                self.waited.0 / 1000.0
            )?;
        } else {
            formatter.write_str("the connection to the server was lost")?;
        }
        if self.rollback_seen {
            Ok(())
        } else {
            write!(formatter, "; {}", Rollback::Unconfirmed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_says_what_was_not_seen() {
        let silence = |waited, rollback_seen| {
            let silence = Silence {
                waited: Millis(waited),
                rollback_seen,
            };
            silence.to_string()
        };
        assert_eq!(
            silence(8_200.0, true),
            "the server has not answered for 8 s, so the connection was given up"
        );
        assert_eq!(
            silence(0.0, false),
            "the connection to the server was lost; \
             the server has not confirmed the rollback yet: look for its lock in pg_locks"
        );
    }
}
