//! From `sslmode` and related parameters to the settings for TLS.
//!
//! Source: PostgreSQL documentation, "SSL Support". The server's certificate is verified whenever a
//! root certificate file exists, in every mode ("Client Verification of Server Certificates"): this
//! is what makes `require` the same as `verify-ca` there. `verify-ca` and `verify-full` insist on
//! the file. The mode "is ignored for Unix domain socket communication".

use std::path::PathBuf;

use super::error::{ConninfoError, Warning};
use super::settings::{Endpoint, Host, SslMode};
use super::sources::Sources;
use crate::db::tls::{ClientCertificate, TlsSettings, Trust, Verification};

/// The mode, how TLS is done in it, and what was skipped.
pub(super) struct Encryption {
    pub(super) sslmode: SslMode,
    pub(super) tls: TlsSettings,
    pub(super) warnings: Vec<Warning>,
}

impl Sources<'_> {
    /// Resolves all settings for encryption.
    pub(super) fn encryption(&self, endpoints: &[Endpoint]) -> Result<Encryption, ConninfoError> {
        let mut sslmode = self.sslmode()?;
        if !endpoints.is_empty() && endpoints.iter().all(|endpoint| endpoint.socket().is_some()) {
            sslmode = SslMode::Disable;
        }
        if sslmode == SslMode::VerifyFull
            && endpoints
                .iter()
                .any(|endpoint| matches!(endpoint.host, Host::Address(_)))
        {
            return Err(ConninfoError::HostNameMissing);
        }
        let mut warnings = Vec::new();
        let tls = if sslmode == SslMode::Disable {
            TlsSettings::default()
        } else {
            TlsSettings {
                verification: self.verification(sslmode, &mut warnings)?,
                client_certificate: self.client_certificate(&mut warnings)?,
                server_name_indication: self.server_name_indication()?,
                direct: self.direct(sslmode)?,
            }
        };
        Ok(Encryption {
            sslmode,
            tls,
            warnings,
        })
    }

    /// The system's roots raise the default to `verify-full` and forbid anything less.
    fn sslmode(&self) -> Result<SslMode, ConninfoError> {
        let system_roots = self.parameters.text("sslrootcert") == Some("system");
        let Some(value) = self.parameters.filled("sslmode") else {
            return Ok(if system_roots {
                SslMode::VerifyFull
            } else {
                SslMode::Prefer
            });
        };
        let sslmode = SslMode::from_name(&value.text).ok_or_else(|| {
            value.refused(
                "sslmode",
                "disable, allow, prefer, require, verify-ca or verify-full",
            )
        })?;
        if system_roots && sslmode < SslMode::VerifyFull {
            return Err(ConninfoError::WeakModeWithSystemRoots {
                sslmode: sslmode.name(),
            });
        }
        Ok(sslmode)
    }

    fn verification(
        &self,
        sslmode: SslMode,
        warnings: &mut Vec<Warning>,
    ) -> Result<Verification, ConninfoError> {
        let Some(trust) = self.trust(sslmode, warnings)? else {
            return Ok(Verification::None);
        };
        Ok(if sslmode == SslMode::VerifyFull {
            Verification::ChainAndHost(trust)
        } else {
            Verification::Chain(trust)
        })
    }

    fn trust(
        &self,
        sslmode: SslMode,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<Trust>, ConninfoError> {
        let given = self.parameters.text("sslrootcert");
        if given == Some("system") {
            return Ok(Some(Trust::System));
        }
        let file = given
            .map(PathBuf::from)
            .or_else(|| self.in_home("root.crt"));
        match file {
            Some(file) if self.files.kind(&file).is_some() => Ok(Some(Trust::File(file))),
            file if sslmode >= SslMode::VerifyCa => Err(ConninfoError::RootCertificateMissing {
                sslmode: sslmode.name(),
                file,
            }),
            file => {
                warnings.extend(
                    file.filter(|_| given.is_some())
                        .map(Warning::RootCertificateMissing),
                );
                Ok(None)
            }
        }
    }

    fn client_certificate(
        &self,
        warnings: &mut Vec<Warning>,
    ) -> Result<Option<ClientCertificate>, ConninfoError> {
        if self.parameters.text("sslcertmode") == Some("disable") {
            return Ok(None);
        }
        let given = self.parameters.text("sslcert").map(PathBuf::from);
        let is_given = given.is_some();
        let Some(certificate) = given.or_else(|| self.in_home("postgresql.crt")) else {
            return Ok(None);
        };
        if self.files.kind(&certificate).is_none() {
            warnings.extend(is_given.then_some(Warning::ClientCertificateMissing(certificate)));
            return Ok(None);
        }
        let key = self
            .parameters
            .text("sslkey")
            .map(PathBuf::from)
            .or_else(|| self.in_home("postgresql.key"));
        let key = key.unwrap_or_else(|| PathBuf::from("~/.postgresql/postgresql.key"));
        if self.files.kind(&key).is_none() {
            return Err(ConninfoError::ClientKeyMissing { key });
        }
        Ok(Some(ClientCertificate { certificate, key }))
    }

    fn server_name_indication(&self) -> Result<bool, ConninfoError> {
        match self.parameters.filled("sslsni") {
            None => Ok(true),
            Some(value) if value.text == "1" => Ok(true),
            Some(value) if value.text == "0" => Ok(false),
            Some(value) => Err(value.refused("sslsni", "0 or 1")),
        }
    }

    fn direct(&self, sslmode: SslMode) -> Result<bool, ConninfoError> {
        match self.parameters.filled("sslnegotiation") {
            None => Ok(false),
            Some(value) if value.text == "postgres" => Ok(false),
            Some(value) if value.text != "direct" => {
                Err(value.refused("sslnegotiation", "postgres or direct"))
            }
            Some(_) if sslmode < SslMode::Require => {
                Err(ConninfoError::WeakModeWithDirectNegotiation {
                    sslmode: sslmode.name(),
                })
            }
            Some(_) => Ok(true),
        }
    }

    fn in_home(&self, name: &str) -> Option<PathBuf> {
        self.home.map(|home| home.join(".postgresql").join(name))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::files::FileKind::{Private, Shared};
    use super::super::files::fake::FakeFiles;
    use super::super::keywords::Parameters;
    use super::super::origin::Origin;
    use super::*;

    fn resolve(pairs: &[(&str, &str)], files: &FakeFiles) -> Result<Encryption, String> {
        let mut parameters = Parameters::default();
        for (keyword, text) in pairs {
            parameters
                .set(keyword, (*text).to_owned(), &Origin::ConnectionString)
                .unwrap();
        }
        let home = Some(Path::new("/home/me"));
        Sources {
            parameters: &parameters,
            home,
            files,
        }
        .encryption(&[])
        .map_err(|error| error.to_string())
    }

    type Pairs<'a> = &'a [(&'a str, &'a str)];

    const HOME_ROOT: &str = "/home/me/.postgresql/root.crt";

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn the_root_file_decides_whether_require_verifies() {
        let chain = |file: &str| Verification::Chain(Trust::File(PathBuf::from(file)));
        let full = |file: &str| Verification::ChainAndHost(Trust::File(PathBuf::from(file)));
        let cases: [(Pairs, &[&str], SslMode, Verification); 9] = [
            (&[], &[], SslMode::Prefer, Verification::None),
            (
                &[("sslmode", "require")],
                &[],
                SslMode::Require,
                Verification::None,
            ),
            (
                &[("sslmode", "require")],
                &[HOME_ROOT],
                SslMode::Require,
                chain(HOME_ROOT),
            ),
            (
                &[("sslmode", "require"), ("sslrootcert", "/ca")],
                &["/ca"],
                SslMode::Require,
                chain("/ca"),
            ),
            (
                &[("sslmode", "require"), ("sslrootcert", "/no")],
                &[HOME_ROOT],
                SslMode::Require,
                Verification::None,
            ),
            (
                &[("sslmode", "verify-ca"), ("sslrootcert", "/ca")],
                &["/ca"],
                SslMode::VerifyCa,
                chain("/ca"),
            ),
            (
                &[("sslmode", "verify-full")],
                &[HOME_ROOT],
                SslMode::VerifyFull,
                full(HOME_ROOT),
            ),
            (
                &[("sslrootcert", "system")],
                &[],
                SslMode::VerifyFull,
                Verification::ChainAndHost(Trust::System),
            ),
            (
                &[("sslmode", "disable")],
                &[HOME_ROOT],
                SslMode::Disable,
                Verification::None,
            ),
        ];
        for (pairs, existing, sslmode, verification) in cases {
            let files = existing.iter().fold(FakeFiles::default(), |files, path| {
                files.with(path, Shared, "")
            });
            let found = resolve(pairs, &files).unwrap();
            assert_eq!(
                (found.sslmode, &found.tls.verification),
                (sslmode, &verification),
                "{pairs:?}"
            );
        }
    }

    #[test]
    fn a_mode_that_cannot_be_kept_is_refused() {
        let cases: [(&[(&str, &str)], &str); 6] = [
            (
                &[("sslmode", "verify-full")],
                "root certificate file \"/home/me/.postgresql/root.crt\" does not exist",
            ),
            (
                &[("sslmode", "verify-ca"), ("sslrootcert", "/ca")],
                "root certificate file \"/ca\" does not exist",
            ),
            (
                &[("sslmode", "require"), ("sslrootcert", "system")],
                "weak sslmode \"require\" may not be used with sslrootcert=system (use \"verify-full\")",
            ),
            (
                &[("sslmode", "prefer"), ("sslnegotiation", "direct")],
                "weak sslmode \"prefer\" may not be used",
            ),
            (
                &[("sslmode", "REQUIRE")],
                "invalid value for connection option \"sslmode\" in the connection string",
            ),
            (
                &[("sslsni", "yes")],
                "invalid value for connection option \"sslsni\"",
            ),
        ];
        for (pairs, expected) in cases {
            let message = resolve(pairs, &FakeFiles::default())
                .map(|_| ())
                .unwrap_err();
            assert!(message.starts_with(expected), "{pairs:?}: {message}");
        }
    }

    #[test]
    fn a_client_certificate_comes_with_its_key() {
        let certificate = FakeFiles::default().with("/c", Shared, "");
        assert_eq!(
            resolve(&[("sslcert", "/c"), ("sslkey", "/k")], &certificate)
                .map(|_| ())
                .unwrap_err(),
            "certificate present, but not private key file \"/k\""
        );
        let both = certificate.with("/k", Private, "");
        let found = resolve(&[("sslcert", "/c"), ("sslkey", "/k")], &both).unwrap();
        assert!(found.tls.client_certificate.is_some());
        let absent = resolve(&[("sslcert", "/no")], &both).unwrap();
        assert_eq!(
            absent.warnings,
            [Warning::ClientCertificateMissing(PathBuf::from("/no"))]
        );
    }
}
