//! Encoding and locale of a throwaway server, as arguments of initdb.

use std::fmt;

/// The library that compares strings in a database (`pg_database.datlocprovider`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LocaleProvider {
    /// The C library: `c`, and everything before PostgreSQL 15.
    Libc,
    /// The ICU library: `i`, from PostgreSQL 15.
    Icu,
    /// PostgreSQL itself: `b`, from PostgreSQL 17.
    Builtin,
}

/// Encoding and locale of a cluster and all its databases, as in a row of `pg_database`. The
/// default is UTF8 and C.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterLocale {
    /// The encoding's name (`pg_encoding_to_char(encoding)`).
    pub encoding: String,
    /// The library that compares strings.
    pub provider: LocaleProvider,
    /// `LC_COLLATE` (`datcollate`).
    pub collate: String,
    /// `LC_CTYPE` (`datctype`).
    pub ctype: String,
    /// The locale of the providers other than libc (`daticulocale`, from 17 `datlocale`).
    pub provider_locale: Option<String>,
    /// More rules for ICU (`daticurules`, from 16).
    pub icu_rules: Option<String>,
}

/// A locale that is not available here; a cluster with another one is possible.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocaleError {
    /// The operating system does not have it.
    #[error("the server's locale {locale} is not installed on this machine")]
    NotInstalled {
        /// Its name.
        locale: String,
    },
    /// The server programs of this version do not support it.
    #[error("PostgreSQL {major} does not support the server's locale {locale}: {reason}")]
    Unknown {
        /// The locale, described.
        locale: String,
        /// The major version of the programs.
        major: u32,
        /// What they lack.
        reason: &'static str,
    },
    /// initdb refuses it for another reason.
    #[error("the server's locale {locale} is not available on this machine: {words}")]
    Refused {
        /// The locale, described.
        locale: String,
        /// What initdb said.
        words: String,
    },
}

impl Default for ClusterLocale {
    fn default() -> Self {
        ClusterLocale::libc("UTF8", "C")
    }
}

impl fmt::Display for ClusterLocale {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let provider = match self.provider {
            LocaleProvider::Libc => "",
            LocaleProvider::Icu => " of ICU",
            LocaleProvider::Builtin => " of the provider builtin",
        };
        let name = self.provider_locale.as_deref().unwrap_or(&self.collate);
        write!(
            formatter,
            "{name}{provider} with the encoding {}",
            self.encoding
        )?;
        if self.provider == LocaleProvider::Libc && self.ctype != self.collate {
            write!(formatter, " and the ctype {}", self.ctype)?;
        }
        Ok(())
    }
}

impl ClusterLocale {
    /// A locale of the C library, for collation and characters alike.
    pub fn libc(encoding: &str, locale: &str) -> ClusterLocale {
        ClusterLocale {
            encoding: encoding.to_owned(),
            provider: LocaleProvider::Libc,
            collate: locale.to_owned(),
            ctype: locale.to_owned(),
            provider_locale: None,
            icu_rules: None,
        }
    }

    /// The arguments for initdb of this major version.
    ///
    /// # Errors
    /// When that version has no such provider.
    pub(super) fn arguments(&self, major: u32) -> Result<Vec<String>, LocaleError> {
        let unknown = |reason| {
            Err(LocaleError::Unknown {
                locale: self.to_string(),
                major,
                reason,
            })
        };
        let mut arguments = vec![
            format!("--encoding={}", self.encoding),
            format!("--lc-collate={}", self.collate),
            format!("--lc-ctype={}", self.ctype),
        ];
        let (name, option, since) = match self.provider {
            LocaleProvider::Libc if major < 15 => return Ok(arguments),
            LocaleProvider::Libc => ("libc", None, 15),
            LocaleProvider::Icu => ("icu", Some("--icu-locale"), 15),
            LocaleProvider::Builtin => ("builtin", Some("--builtin-locale"), 17),
        };
        if major < since {
            return unknown("it has no such locale provider");
        }
        arguments.push(format!("--locale-provider={name}"));
        match (option, &self.provider_locale) {
            (Some(option), Some(locale)) => arguments.push(format!("{option}={locale}")),
            (Some(_), None) => return unknown("it has no name"),
            (None, _) => {}
        }
        if let Some(rules) = self
            .icu_rules
            .as_deref()
            .filter(|_| self.provider == LocaleProvider::Icu)
        {
            if major < 16 {
                return unknown("it does not support ICU rules");
            }
            arguments.push(format!("--icu-rules={rules}"));
        }
        Ok(arguments)
    }

    /// Whether initdb failed because of the locale; `log` is its output, in English.
    pub(super) fn refused(&self, log: &str) -> Option<LocaleError> {
        let marks = ["initdb: error: ", "FATAL:  "];
        let mut lines = log.lines();
        let (_, words) =
            lines.find_map(|line| marks.iter().find_map(|mark| line.split_once(mark)))?;
        let about = |word: &str| words.to_ascii_lowercase().contains(word) || words.contains("ICU");
        if !["locale", "encoding", "collat"].into_iter().any(about) {
            return None;
        }
        let detail = lines
            .next()
            .and_then(|line| line.strip_prefix("initdb: detail: "));
        let absent = words
            .strip_prefix("invalid locale name \"")
            .and_then(|rest| rest.strip_suffix('"'));
        Some(match absent {
            Some(name) => LocaleError::NotInstalled {
                locale: name.to_owned(),
            },
            None => {
                let words = [Some(words), detail]
                    .into_iter()
                    .flatten()
                    .collect::<Vec<_>>()
                    .join(": ");
                LocaleError::Refused {
                    locale: self.to_string(),
                    words,
                }
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn icu() -> ClusterLocale {
        let rules = Some("&a < 'b c'".to_owned());
        ClusterLocale {
            provider: LocaleProvider::Icu,
            provider_locale: Some("de-DE".to_owned()),
            icu_rules: rules,
            ..ClusterLocale::default()
        }
    }

    #[test]
    fn arguments_are_those_of_the_version() {
        let c = ClusterLocale::default();
        let basic = ["--encoding=UTF8", "--lc-collate=C", "--lc-ctype=C"];
        assert_eq!(c.arguments(14).unwrap(), basic);
        assert_eq!(
            c.arguments(15).unwrap(),
            [&basic[..], &["--locale-provider=libc"]].concat()
        );
        let more = [
            "--locale-provider=icu",
            "--icu-locale=de-DE",
            "--icu-rules=&a < 'b c'",
        ];
        assert_eq!(icu().arguments(16).unwrap(), [&basic[..], &more].concat());
        let without_rules = ClusterLocale {
            icu_rules: None,
            ..icu()
        };
        assert_eq!(
            without_rules.arguments(15).unwrap(),
            [&basic[..], &more[..2]].concat()
        );
        let builtin = ClusterLocale {
            provider: LocaleProvider::Builtin,
            ..icu()
        };
        let more = ["--locale-provider=builtin", "--builtin-locale=de-DE"];
        assert_eq!(builtin.arguments(17).unwrap(), [&basic[..], &more].concat());
    }

    #[test]
    fn what_a_version_does_not_know_is_said() {
        let builtin = ClusterLocale {
            provider: LocaleProvider::Builtin,
            ..icu()
        };
        let nameless = ClusterLocale {
            provider_locale: None,
            ..icu()
        };
        for (locale, major) in [(icu(), 14), (icu(), 15), (builtin, 16), (nameless, 18)] {
            let error = locale.arguments(major).unwrap_err();
            assert!(
                matches!(error, LocaleError::Unknown { major: of, .. } if of == major),
                "{error}"
            );
        }
        assert_eq!(
            icu().arguments(14).unwrap_err().to_string(),
            "PostgreSQL 14 does not support the server's locale de-DE of ICU with the encoding UTF8: it has no such locale provider"
        );
    }

    #[test]
    fn only_a_complaint_about_the_locale_is_one() {
        let german = ClusterLocale::libc("UTF8", "de_DE.UTF-8");
        let absent = "will be owned by user\ninitdb: error: invalid locale name \"de_DE.UTF-8\"\ninitdb: hint: If";
        assert_eq!(
            german.refused(absent),
            Some(LocaleError::NotInstalled {
                locale: "de_DE.UTF-8".to_owned()
            })
        );
        let mismatch = "initdb: error: encoding mismatch\ninitdb: detail: The encoding you selected\ninitdb: hint: Rerun";
        let words = german.refused(mismatch).unwrap().to_string();
        assert!(
            words.ends_with("encoding mismatch: The encoding you selected"),
            "{words}"
        );
        let late = "performing ... 2026 UTC [30719] FATAL:  could not open collator for locale \"en-US\"\nchild process";
        assert!(matches!(
            german.refused(late),
            Some(LocaleError::Refused { .. })
        ));
        let full = "initialized with locale \"C\".\ninitdb: error: could not write: No space left on this particular device";
        assert_eq!(german.refused(full), None);
    }
}
