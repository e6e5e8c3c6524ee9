//! The parts of an X.509 certificate that rustls-webpki does not show: whether it is self-signed,
//! when it is valid, and its names.
//!
//! Reads only; nothing here decides which certificates are trusted.

use rustls::CertificateError;
use rustls::pki_types::{CertificateDer, UnixTime};
use x509_cert::Certificate as X509;
use x509_cert::der::oid::db::rfc4519::COMMON_NAME;
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::SubjectAltName;
use x509_cert::ext::pkix::name::GeneralName;

/// A parsed certificate.
pub(super) struct Certificate(X509);

/// The key that a certificate is about, in the form rustls compares and uses.
pub(super) struct PublicKey {
    /// The contents of the `AlgorithmIdentifier`, without tag and length.
    pub(super) algorithm: Vec<u8>,
    pub(super) key: Vec<u8>,
}

/// What a certificate can be issued for besides its common name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum AlternativeName {
    Dns(String),
    Address,
}

impl Certificate {
    pub(super) fn parse(der: &CertificateDer<'_>) -> Option<Self> {
        X509::from_der(der).ok().map(Self)
    }

    /// Whether it names itself as its issuer.
    pub(super) fn is_self_issued(&self) -> bool {
        self.0.tbs_certificate.issuer == self.0.tbs_certificate.subject
    }

    pub(super) fn is_version_1(&self) -> bool {
        self.0.tbs_certificate.version == x509_cert::Version::V1
    }

    pub(super) fn check_validity(&self, now: UnixTime) -> Result<(), CertificateError> {
        let validity = &self.0.tbs_certificate.validity;
        if now.as_secs() < validity.not_before.to_unix_duration().as_secs() {
            Err(CertificateError::NotValidYet)
        } else if now.as_secs() > validity.not_after.to_unix_duration().as_secs() {
            Err(CertificateError::Expired)
        } else {
            Ok(())
        }
    }

    /// The first common name of the subject.
    pub(super) fn common_name(&self) -> Option<String> {
        let mut attributes = self
            .0
            .tbs_certificate
            .subject
            .0
            .iter()
            .flat_map(|name| name.0.iter());
        let value = &attributes
            .find(|attribute| attribute.oid == COMMON_NAME)?
            .value;
        String::from_utf8(value.value().to_vec())
            .ok()
            .filter(|name| !name.contains('\0'))
    }

    pub(super) fn alternative_names(&self) -> Vec<AlternativeName> {
        let Ok(Some((_, SubjectAltName(names)))) = self.0.tbs_certificate.get::<SubjectAltName>()
        else {
            return Vec::new();
        };
        names.iter().filter_map(alternative_name).collect()
    }

    pub(super) fn public_key(&self) -> Option<PublicKey> {
        let info = &self.0.tbs_certificate.subject_public_key_info;
        let mut algorithm = info.algorithm.oid.to_der().ok()?;
        if let Some(parameters) = &info.algorithm.parameters {
            algorithm.extend(parameters.to_der().ok()?);
        }
        Some(PublicKey {
            algorithm,
            key: info.subject_public_key.as_bytes()?.to_vec(),
        })
    }
}

fn alternative_name(name: &GeneralName) -> Option<AlternativeName> {
    match name {
        GeneralName::DnsName(name) => Some(AlternativeName::Dns(name.to_string())),
        GeneralName::IpAddress(_) => Some(AlternativeName::Address),
        _ => None,
    }
}
