//! TLS as libpq does it, with rustls.
//!
//! This module implements what rustls has no setting for: a root certificate file read as OpenSSL
//! reads it, a certificate chain without the host name (`verify-ca`), no verification at all
//! (`prefer`, `require`), and the common name as a fallback. It knows neither connection strings
//! nor PostgreSQL's protocol, and does not decide whether TLS is used.
//!
//! Remaining differences from libpq: TLS 1.2 is the oldest version; verification refuses RSA keys
//! under 2048 bits; a server certificate of X.509 version 1 works only where it is not verified;
//! encrypted client keys are not supported.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{CertificateError, ClientConfig};
use thiserror::Error;
use tokio_postgres_rustls::MakeRustlsConnect;

mod certificate;
mod rejection;
mod trust;
mod verifier;

use rejection::Rejection;
use trust::Authorities;
use verifier::Verifier;

/// How TLS is done, where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsSettings {
    /// How much of the server's certificate is verified.
    pub verification: Verification,
    /// The client certificate, sent if the server asks for one.
    pub client_certificate: Option<ClientCertificate>,
    /// Whether the host name is sent before encryption starts (`sslsni`).
    pub server_name_indication: bool,
    /// TLS from the first byte on (`sslnegotiation=direct`, PostgreSQL 17).
    pub direct: bool,
}

impl Default for TlsSettings {
    fn default() -> Self {
        Self {
            verification: Verification::None,
            client_certificate: None,
            server_name_indication: true,
            direct: false,
        }
    }
}

/// How much of the server's certificate is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verification {
    /// Nothing.
    None,
    /// That a trusted authority signed it.
    Chain(Trust),
    /// That a trusted authority signed it for this host.
    ChainAndHost(Trust),
}

/// The trusted authorities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The operating system's.
    System,
    /// Those of a PEM file.
    File(PathBuf),
}

/// A client certificate: two PEM files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClientCertificate {
    /// The certificate, followed by intermediate ones.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// TLS cannot be prepared.
#[derive(Debug, Error)]
pub enum TlsError {
    /// A file with certificates.
    #[error("could not read certificate file \"{}\": {source}", file.display())]
    CertificateFile {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// A certificate file without a certificate.
    #[error("certificate file \"{}\" contains no certificate", file.display())]
    NoCertificate {
        /// The file.
        file: PathBuf,
    },
    /// An invalid certificate.
    #[error("could not use a root certificate from {from}: {source}")]
    RootCertificate {
        /// The file, or the system.
        from: String,
        /// What is wrong with it.
        source: rustls::Error,
    },
    /// The operating system has no certificates.
    #[error("could not load system root certificate paths: {reason}")]
    SystemRoots {
        /// Why.
        reason: String,
    },
    /// The client's key cannot be read.
    #[error("could not load private key file \"{}\": {source} (an encrypted key is not supported)", file.display())]
    KeyFile {
        /// The file.
        file: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// Other users can read the key.
    #[error(
        "private key file \"{}\" has group or world access; file must have permissions u=rw (0600) or less if owned by the \
         current user, or permissions u=rw,g=r (0640) or less if owned by root",
        file.display()
    )]
    KeyFilePermissions {
        /// The file.
        file: PathBuf,
    },
    /// Certificate and key do not belong together, or are of an unknown kind.
    #[error("could not use certificate file \"{}\" with private key file \"{}\": {source}", certificate.display(), key.display())]
    ClientCertificate {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// What is wrong with them.
        source: rustls::Error,
    },
    /// rustls refuses its own defaults.
    #[error("could not initialize TLS: {0}")]
    Protocol(rustls::Error),
}

/// Prepares connecting with TLS; reads the files that the settings name.
///
/// # Errors
/// When a file is missing, malformed, or readable by others although it is secret.
pub fn connector(settings: &TlsSettings) -> Result<MakeRustlsConnect, TlsError> {
    let provider = Arc::new(ring::default_provider());
    let verifier = verifier(&settings.verification, &provider)?;
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Protocol)?
        .dangerous()
        .with_custom_certificate_verifier(verifier);
    let mut config = match &settings.client_certificate {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let (chain, key) = (
                certificates(&client.certificate)?,
                private_key(&client.key)?,
            );
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|source| TlsError::ClientCertificate {
                    certificate: client.certificate.clone(),
                    key: client.key.clone(),
                    source,
                })?
        }
    };
    config.enable_sni = settings.server_name_indication;
    if settings.direct {
        config.alpn_protocols = vec![b"postgresql".to_vec()];
    }
    Ok(MakeRustlsConnect::new(config))
}

fn verifier(
    verification: &Verification,
    provider: &CryptoProvider,
) -> Result<Arc<dyn ServerCertVerifier>, TlsError> {
    let algorithms = provider.signature_verification_algorithms;
    Ok(Arc::new(match verification {
        Verification::None => Verifier::accepting_all(algorithms),
        Verification::Chain(trust) => Verifier::of_chain(authorities(trust)?, algorithms),
        Verification::ChainAndHost(trust) => {
            Verifier::of_chain_and_host(authorities(trust)?, algorithms)
        }
    }))
}

fn authorities(trust: &Trust) -> Result<Authorities, TlsError> {
    match trust {
        Trust::File(file) => Authorities::from_file(certificates(file)?).map_err(|source| {
            TlsError::RootCertificate {
                from: format!("file \"{}\"", file.display()),
                source,
            }
        }),
        Trust::System => {
            let found = rustls_native_certs::load_native_certs();
            if found.certs.is_empty() {
                let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
                return Err(TlsError::SystemRoots {
                    reason: reasons.join("; "),
                });
            }
            Ok(Authorities::from_system(found.certs))
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let wrong = |source| TlsError::CertificateFile {
        file: file.to_owned(),
        source,
    };
    let found: Vec<_> = CertificateDer::pem_file_iter(file)
        .map_err(wrong)?
        .collect::<Result<_, _>>()
        .map_err(wrong)?;
    if found.is_empty() {
        Err(TlsError::NoCertificate {
            file: file.to_owned(),
        })
    } else {
        Ok(found)
    }
}

fn private_key(file: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    if is_open_to_others(file) {
        return Err(TlsError::KeyFilePermissions {
            file: file.to_owned(),
        });
    }
    PrivateKeyDer::from_pem_file(file).map_err(|source| TlsError::KeyFile {
        file: file.to_owned(),
        source,
    })
}

/// libpq's rule: only the owner has access, except that root may share a key with a group that
/// reads it.
#[cfg(unix)]
fn is_open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(file).is_ok_and(|metadata| {
        let forbidden = if metadata.uid() == 0 { 0o037 } else { 0o077 };
        metadata.mode() & forbidden != 0
    })
}

#[cfg(not(unix))]
fn is_open_to_others(_: &Path) -> bool {
    false
}

/// The message for a TLS failure.
#[must_use]
pub fn explain(error: &rustls::Error) -> String {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::Other(other)) => {
            match other.0.downcast_ref::<Rejection>() {
                Some(rejection) => rejection.to_string(),
                None => format!("certificate verify failed: {}", other.0),
            }
        }
        rustls::Error::InvalidCertificate(CertificateError::UnknownIssuer) => {
            "certificate verify failed: the certificate is not signed by a trusted authority (see sslrootcert)"
                .to_owned()
        }
        rustls::Error::InvalidCertificate(CertificateError::Expired | CertificateError::ExpiredContext { .. }) => {
            "certificate verify failed: certificate has expired".to_owned()
        }
        rustls::Error::InvalidCertificate(
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. },
        ) => "certificate verify failed: certificate is not yet valid".to_owned(),
        rustls::Error::InvalidCertificate(error) => format!("certificate verify failed: {error}"),
        rustls::Error::AlertReceived(alert) => format!("the server ended the TLS handshake: {alert:?}"),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
