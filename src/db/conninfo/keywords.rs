//! libpq's parameter keywords: which exist, which environment variable sets which, and what happens
//! to those that pgrehearse does not use.
//!
//! Source: PostgreSQL documentation, "Parameter Key Words" and "Environment Variables" (18). A
//! keyword is
//! - **used**: it takes part in the resolution;
//! - **ignored**: without effect on what an index advisor does, so an existing connection string
//!   keeps working: `application_name` and `fallback_application_name` (ours is "pgrehearse"),
//!   `client_encoding` (tokio-postgres speaks UTF-8 only), `gssdelegation`, `gsslib`, `krbsrvname`,
//!   `load_balance_hosts`, `sslcompression`, `min_protocol_version`, `max_protocol_version`,
//!   `sslkeylogfile`, the `oauth_*` family;
//! - **limited**: accepted with the values that change nothing, refused otherwise, because ignoring
//!   it would weaken what the user requested (`sslcrl`, `requirepeer`, `gssencmode=require`, …).

use std::collections::BTreeMap;
use std::fmt;

use super::error::ConninfoError;
use super::origin::Origin;

enum Handling {
    Used,
    Ignored,
    Limited {
        values: &'static [&'static str],
        because: &'static str,
    },
}

use Handling::{Ignored, Limited, Used};

const KEYWORDS: &[(&str, Handling)] = &[
    ("application_name", Ignored),
    ("channel_binding", Used),
    ("client_encoding", Ignored),
    ("connect_timeout", Used),
    ("dbname", Used),
    ("fallback_application_name", Ignored),
    ("gssdelegation", Ignored),
    (
        "gssencmode",
        Limited {
            values: &["", "disable", "prefer"],
            because: "GSSAPI encryption is not available",
        },
    ),
    ("gsslib", Ignored),
    ("host", Used),
    ("hostaddr", Used),
    ("keepalives", Used),
    ("keepalives_count", Used),
    ("keepalives_idle", Used),
    ("keepalives_interval", Used),
    ("krbsrvname", Ignored),
    ("load_balance_hosts", Ignored),
    ("max_protocol_version", Ignored),
    ("min_protocol_version", Ignored),
    ("oauth_client_id", Ignored),
    ("oauth_client_secret", Ignored),
    ("oauth_issuer", Ignored),
    ("oauth_scope", Ignored),
    ("options", Used),
    ("passfile", Used),
    ("password", Used),
    ("port", Used),
    (
        "replication",
        Limited {
            values: &["", "false", "off", "no", "0"],
            because: "index advice needs an ordinary connection",
        },
    ),
    (
        "require_auth",
        Limited {
            values: &[""],
            because: "the authentication method cannot be checked",
        },
    ),
    (
        "requirepeer",
        Limited {
            values: &[""],
            because: "the owner of the server's socket cannot be checked",
        },
    ),
    (
        "scram_client_key",
        Limited {
            values: &[""],
            because: "authentication needs the password itself",
        },
    ),
    (
        "scram_server_key",
        Limited {
            values: &[""],
            because: "authentication needs the password itself",
        },
    ),
    ("service", Used),
    ("servicefile", Used),
    (
        "ssl_max_protocol_version",
        Limited {
            values: &["", "TLSv1.3"],
            because: "TLS 1.2 and 1.3 are always both offered",
        },
    ),
    (
        "ssl_min_protocol_version",
        Limited {
            values: &["", "TLSv1", "TLSv1.1", "TLSv1.2"],
            because: "TLS 1.2 and 1.3 are always both offered",
        },
    ),
    ("sslcert", Used),
    (
        "sslcertmode",
        Limited {
            values: &["", "allow", "disable"],
            because: "it cannot be checked that the server asked for the certificate",
        },
    ),
    ("sslcompression", Ignored),
    (
        "sslcrl",
        Limited {
            values: &[""],
            because: "certificate revocation lists are not checked",
        },
    ),
    (
        "sslcrldir",
        Limited {
            values: &[""],
            because: "certificate revocation lists are not checked",
        },
    ),
    ("sslkey", Used),
    ("sslkeylogfile", Ignored),
    ("sslmode", Used),
    ("sslnegotiation", Used),
    (
        "sslpassword",
        Limited {
            values: &[""],
            because: "encrypted private keys cannot be read",
        },
    ),
    ("sslrootcert", Used),
    ("sslsni", Used),
    ("target_session_attrs", Used),
    ("tcp_user_timeout", Used),
    ("user", Used),
];

/// The environment variables that stand for a keyword. `PGSYSCONFDIR` is not one: it says where to
/// look for service files.
const VARIABLES: &[(&str, &str)] = &[
    ("PGCHANNELBINDING", "channel_binding"),
    ("PGCONNECT_TIMEOUT", "connect_timeout"),
    ("PGDATABASE", "dbname"),
    ("PGGSSENCMODE", "gssencmode"),
    ("PGHOST", "host"),
    ("PGHOSTADDR", "hostaddr"),
    ("PGOPTIONS", "options"),
    ("PGPASSFILE", "passfile"),
    ("PGPASSWORD", "password"),
    ("PGPORT", "port"),
    ("PGREQUIREAUTH", "require_auth"),
    ("PGREQUIREPEER", "requirepeer"),
    ("PGSERVICE", "service"),
    ("PGSERVICEFILE", "servicefile"),
    ("PGSSLCERT", "sslcert"),
    ("PGSSLCERTMODE", "sslcertmode"),
    ("PGSSLCRL", "sslcrl"),
    ("PGSSLCRLDIR", "sslcrldir"),
    ("PGSSLKEY", "sslkey"),
    ("PGSSLMAXPROTOCOLVERSION", "ssl_max_protocol_version"),
    ("PGSSLMINPROTOCOLVERSION", "ssl_min_protocol_version"),
    ("PGSSLMODE", "sslmode"),
    ("PGSSLNEGOTIATION", "sslnegotiation"),
    ("PGSSLROOTCERT", "sslrootcert"),
    ("PGSSLSNI", "sslsni"),
    ("PGTARGETSESSIONATTRS", "target_session_attrs"),
    ("PGUSER", "user"),
];

/// Each environment variable with its keyword.
pub(super) fn variables() -> impl Iterator<Item = (&'static str, &'static str)> {
    VARIABLES.iter().copied()
}

/// A parameter's text and where it came from.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) origin: Origin,
}

impl Value {
    /// The error for a value that its keyword cannot have.
    pub(super) fn refused(&self, keyword: &'static str, expected: &'static str) -> ConninfoError {
        ConninfoError::InvalidValue {
            keyword,
            origin: self.origin.clone(),
            expected,
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "<from {}>", self.origin)
    }
}

/// The parameters of one source, or of several laid over each other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parameters(BTreeMap<&'static str, Value>);

impl Parameters {
    /// Sets a parameter, replacing an earlier one. Refuses unknown keywords and values that would
    /// have to be ignored.
    pub(super) fn set(
        &mut self,
        keyword: &str,
        text: String,
        origin: &Origin,
    ) -> Result<(), ConninfoError> {
        let Some((keyword, handling)) = KEYWORDS.iter().find(|(known, _)| *known == keyword) else {
            return Err(ConninfoError::UnknownKeyword {
                keyword: keyword.to_owned(),
                origin: origin.clone(),
            });
        };
        if let Limited { values, because } = handling
            && !values.contains(&text.as_str())
        {
            return Err(ConninfoError::UnsupportedKeyword {
                keyword,
                origin: origin.clone(),
                because,
            });
        }
        if !matches!(handling, Ignored) {
            self.0.insert(
                keyword,
                Value {
                    text,
                    origin: origin.clone(),
                },
            );
        }
        Ok(())
    }

    /// Fills what is not set here from a source of lower rank.
    pub(super) fn or(mut self, lower: Self) -> Self {
        for (keyword, value) in lower.0 {
            self.0.entry(keyword).or_insert(value);
        }
        self
    }

    /// The value as it was given, even when it is empty.
    pub(super) fn value(&self, keyword: &str) -> Option<&Value> {
        self.0.get(keyword)
    }

    /// The value unless it is empty: to libpq an empty value means the default, but still hides the
    /// sources of lower rank.
    pub(super) fn filled(&self, keyword: &str) -> Option<&Value> {
        self.value(keyword).filter(|value| !value.text.is_empty())
    }

    /// The text of [`Self::filled`].
    pub(super) fn text(&self, keyword: &str) -> Option<&str> {
        self.filled(keyword).map(|value| value.text.as_str())
    }

    pub(super) fn contains(&self, keyword: &str) -> bool {
        self.0.contains_key(keyword)
    }
}

/// Whether libpq has the keyword.
pub(super) fn is_keyword(word: &str) -> bool {
    KEYWORDS.iter().any(|(known, _)| *known == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keywords_are_sorted_and_every_variable_stands_for_one() {
        assert!(KEYWORDS.is_sorted_by_key(|(keyword, _)| *keyword));
        assert!(VARIABLES.is_sorted());
        for (variable, keyword) in variables() {
            assert!(is_keyword(keyword), "{variable}");
        }
    }

    #[test]
    fn harmless_keywords_are_dropped_and_weakening_ones_refused() {
        let mut parameters = Parameters::default();
        parameters
            .set(
                "krbsrvname",
                "postgres".to_owned(),
                &Origin::ConnectionString,
            )
            .unwrap();
        assert!(!parameters.contains("krbsrvname"));
        let refused = parameters
            .set("sslcrl", "/crl".to_owned(), &Origin::Variable("PGSSLCRL"))
            .unwrap_err();
        assert_eq!(
            refused.to_string(),
            "connection option \"sslcrl\" in environment variable PGSSLCRL is not supported: certificate revocation lists are \
             not checked"
        );
    }
}
