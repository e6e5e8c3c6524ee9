//! Which authorities are trusted: a root certificate file as OpenSSL uses it.
//!
//! webpki takes every certificate it is given as an anchor. OpenSSL, as libpq uses it, ends a chain
//! only at a self-signed certificate of the file; the others help to build the chain. And a
//! self-signed server certificate that is itself in the file is trusted, while webpki refuses it as
//! an end entity if it is marked as an authority (which is what `openssl req -x509` makes, the
//! manual's recipe for a self-signed certificate).

use rustls::client::verify_server_cert_signed_by_trust_anchor;
use rustls::crypto::WebPkiSupportedAlgorithms;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, Error, RootCertStore};

use super::certificate::Certificate;
use super::rejection::Rejection;

/// The certificates that decide whether a server's is trusted.
#[derive(Debug)]
pub(super) struct Authorities {
    anchors: RootCertStore,
    self_signed: Vec<CertificateDer<'static>>,
    intermediates: Vec<CertificateDer<'static>>,
}

impl Authorities {
    /// The certificates of a root certificate file.
    pub(super) fn from_file(certificates: Vec<CertificateDer<'static>>) -> Result<Self, Error> {
        let is_self_issued = |der: &CertificateDer<'_>| {
            Certificate::parse(der).is_some_and(|parsed| parsed.is_self_issued())
        };
        let (self_signed, intermediates): (Vec<_>, Vec<_>) =
            certificates.into_iter().partition(is_self_issued);
        let mut anchors = RootCertStore::empty();
        for certificate in &self_signed {
            anchors.add(certificate.clone())?;
        }
        Ok(Self {
            anchors,
            self_signed,
            intermediates,
        })
    }

    /// The operating system's certificates; those that webpki cannot read are left out, as there
    /// are always some.
    pub(super) fn from_system(certificates: Vec<CertificateDer<'static>>) -> Self {
        let mut anchors = RootCertStore::empty();
        anchors.add_parsable_certificates(certificates);
        Self {
            anchors,
            self_signed: Vec::new(),
            intermediates: Vec::new(),
        }
    }

    /// Verifies that the server's certificate is one of the self-signed ones, or that a chain leads
    /// to one of them.
    pub(super) fn verify(
        &self,
        server: &ServerChain<'_>,
        algorithms: &WebPkiSupportedAlgorithms,
    ) -> Result<(), Error> {
        let certificate =
            Certificate::parse(server.end_entity).ok_or(CertificateError::BadEncoding)?;
        if self
            .self_signed
            .iter()
            .any(|trusted| trusted == server.end_entity)
        {
            return Ok(certificate.check_validity(server.now)?);
        }
        if certificate.is_version_1() {
            return Err(Rejection::Version1.into());
        }
        let parsed = ParsedCertificate::try_from(server.end_entity)?;
        let intermediates: Vec<CertificateDer<'_>> = server
            .intermediates
            .iter()
            .chain(&self.intermediates)
            .cloned()
            .collect();
        verify_server_cert_signed_by_trust_anchor(
            &parsed,
            &self.anchors,
            &intermediates,
            server.now,
            algorithms.all,
        )
    }
}

/// The server's certificates and the time of the check.
pub(super) struct ServerChain<'a> {
    pub(super) end_entity: &'a CertificateDer<'a>,
    pub(super) intermediates: &'a [CertificateDer<'a>],
    pub(super) now: UnixTime,
}
