//! The verifier for each `sslmode`: how much of the server's certificate is verified.
//!
//! In every mode, the handshake verifies that the server has the key of its certificate.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::verify_server_name;
use rustls::crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

use super::certificate::{AlternativeName, Certificate};
use super::rejection::Rejection;
use super::trust::{Authorities, ServerChain};

/// What is checked.
#[derive(Debug)]
enum Check {
    Nothing,
    Chain(Authorities),
    ChainAndHost(Authorities),
}

/// A [`ServerCertVerifier`] for one `sslmode`.
#[derive(Debug)]
pub(super) struct Verifier {
    check: Check,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(super) fn accepting_all(algorithms: WebPkiSupportedAlgorithms) -> Self {
        Self {
            check: Check::Nothing,
            algorithms,
        }
    }

    pub(super) fn of_chain(
        authorities: Authorities,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self {
            check: Check::Chain(authorities),
            algorithms,
        }
    }

    pub(super) fn of_chain_and_host(
        authorities: Authorities,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self {
            check: Check::ChainAndHost(authorities),
            algorithms,
        }
    }

    /// webpki cannot read every certificate that OpenSSL reads (X.509 version 1, unknown critical
    /// extensions). A certificate that is not verified, or that the user named as trusted, may
    /// still sign the handshake, because that needs only its key.
    fn signed(
        &self,
        verified: Result<HandshakeSignatureValid, Error>,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match verified {
            Err(Error::InvalidCertificate(
                CertificateError::Other(_) | CertificateError::BadEncoding,
            )) => self.signed_by_key(message, certificate, signature),
            verified => verified,
        }
    }

    fn signed_by_key(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let key = Certificate::parse(certificate)
            .and_then(|certificate| certificate.public_key())
            .ok_or(CertificateError::BadEncoding)?;
        let candidates = self
            .algorithms
            .mapping
            .iter()
            .filter(|(scheme, _)| *scheme == signature.scheme);
        let is_signed = candidates
            .flat_map(|(_, algorithms)| algorithms.iter())
            .filter(|algorithm| algorithm.public_key_alg_id().as_ref() == key.algorithm.as_slice())
            .any(|algorithm| {
                algorithm
                    .verify_signature(&key.key, message, signature.signature())
                    .is_ok()
            });
        if is_signed {
            Ok(HandshakeSignatureValid::assertion())
        } else {
            Err(CertificateError::BadSignature.into())
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let chain = ServerChain {
            end_entity,
            intermediates,
            now,
        };
        match &self.check {
            Check::Nothing => {}
            Check::Chain(authorities) => authorities.verify(&chain, &self.algorithms)?,
            Check::ChainAndHost(authorities) => {
                authorities.verify(&chain, &self.algorithms)?;
                verify_host(end_entity, server_name)?;
            }
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls12_signature(message, certificate, signature, &self.algorithms);
        self.signed(verified, message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls13_signature(message, certificate, signature, &self.algorithms);
        self.signed(verified, message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

/// The host matches
/// 1. an alternative name of the certificate, or
/// 2. if there is none of the host's kind (name or address), the common name.
///
/// Source: PostgreSQL documentation, "Client Verification of Server Certificates".
fn verify_host(end_entity: &CertificateDer<'_>, host: &ServerName<'_>) -> Result<(), Error> {
    let by_alternative_name = ParsedCertificate::try_from(end_entity)
        .and_then(|parsed| verify_server_name(&parsed, host));
    if by_alternative_name.is_ok() {
        return Ok(());
    }
    let certificate = Certificate::parse(end_entity).ok_or(CertificateError::BadEncoding)?;
    let host = host.to_str();
    if fallback_name(&certificate, &host).is_some_and(|name| name_matches(&name, &host)) {
        return Ok(());
    }
    Err(Rejection::HostName {
        names: shown_names(&certificate),
        host: host.into_owned(),
    }
    .into())
}

fn fallback_name(certificate: &Certificate, host: &str) -> Option<String> {
    let is_address = host.parse::<std::net::IpAddr>().is_ok();
    let same_kind = |name: &AlternativeName| matches!(name, AlternativeName::Address) == is_address;
    if certificate.alternative_names().iter().any(same_kind) {
        None
    } else {
        certificate.common_name()
    }
}

/// A leading `*.` stands for exactly one label.
fn name_matches(pattern: &str, host: &str) -> bool {
    let Some(parent) = pattern.strip_prefix("*.") else {
        return pattern.eq_ignore_ascii_case(host);
    };
    host.split_once('.')
        .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(parent))
}

fn shown_names(certificate: &Certificate) -> String {
    let alternative = certificate
        .alternative_names()
        .into_iter()
        .filter_map(|name| match name {
            AlternativeName::Dns(name) => Some(name),
            AlternativeName::Address => None,
        });
    let names: Vec<String> = alternative.map(|name| format!("\"{name}\"")).collect();
    if names.is_empty() {
        certificate
            .common_name()
            .map_or_else(|| "no name".to_owned(), |name| format!("\"{name}\""))
    } else {
        names.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use super::name_matches;

    #[test]
    fn a_wildcard_stands_for_one_label() {
        let cases = [
            ("db.example.com", "DB.example.com", true),
            ("*.example.com", "db.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.example.com", ".example.com", false),
            ("d*.example.com", "db.example.com", false),
        ];
        for (pattern, host, expected) in cases {
            assert_eq!(name_matches(pattern, host), expected, "{pattern} {host}");
        }
    }
}
