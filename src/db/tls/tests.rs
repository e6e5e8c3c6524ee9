//! Certificates that rustls without our verifier judges differently from OpenSSL. The combinations
//! with `sslmode` are in `tests/tls.rs`.

use std::time::Duration;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SigningKey,
};
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use x509_cert::der::{Decode, Encode};

use super::certificate::Certificate;
use super::trust::Authorities;
use super::verifier::Verifier;
use super::*;

const NOW: UnixTime = UnixTime::since_unix_epoch(Duration::from_secs(1_900_000_000));

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn verdict(
    trusted: &CertificateDer<'static>,
    shown: &CertificateDer<'_>,
    host: &str,
    now: UnixTime,
) -> Result<(), String> {
    let algorithms = ring::default_provider().signature_verification_algorithms;
    let authorities = Authorities::from_file(vec![trusted.clone()]).unwrap();
    let verifier = Verifier::of_chain_and_host(authorities, algorithms);
    let host = ServerName::try_from(host.to_owned()).unwrap();
    verifier
        .verify_server_cert(shown, &[], &host, &[], now)
        .map(|_| ())
        .map_err(|error| explain(&error))
}

/// What `openssl x509 -req` made before OpenSSL 3.2, and what the manual's recipe for a server
/// certificate therefore led to.
fn version_1(issuer: &CertifiedIssuer<'static, KeyPair>) -> CertificateDer<'static> {
    let mut certificate = x509_cert::Certificate::from_der(issuer.der()).unwrap();
    certificate.tbs_certificate.version = x509_cert::Version::V1;
    certificate.tbs_certificate.extensions = None;
    let signature = issuer
        .key()
        .sign(&certificate.tbs_certificate.to_der().unwrap())
        .unwrap();
    certificate.signature = x509_cert::der::asn1::BitString::from_bytes(&signature).unwrap();
    CertificateDer::from(certificate.to_der().unwrap())
}

#[test]
fn a_self_signed_certificate_vouches_for_itself_while_it_is_valid() {
    let alone = authority("db.example.com");
    let der = alone.der();
    assert_eq!(verdict(der, der, "db.example.com", NOW), Ok(()));
    assert_eq!(
        verdict(der, der, "localhost", NOW).unwrap_err(),
        "server certificate for \"db.example.com\" does not match host name \"localhost\""
    );
    let far_off = UnixTime::since_unix_epoch(Duration::from_secs(100_000_000_000));
    let expired = verdict(der, der, "db.example.com", far_off).unwrap_err();
    assert_eq!(
        expired,
        "certificate verify failed: certificate has expired"
    );
    let stranger = authority("db.example.com");
    assert!(verdict(der, stranger.der(), "db.example.com", NOW).is_err());
}

#[test]
fn a_version_1_certificate_is_refused_with_advice_unless_it_is_the_trusted_one() {
    let issuer = authority("db");
    let old = version_1(&issuer);
    assert!(Certificate::parse(&old).unwrap().is_version_1());
    assert!(
        verdict(issuer.der(), &old, "db", NOW)
            .unwrap_err()
            .contains("X.509 version 1")
    );
    assert_eq!(verdict(&old, &old, "db", NOW), Ok(()));
}

#[test]
fn the_key_of_a_certificate_is_found_as_rustls_names_it() {
    let issuer = authority("db");
    let key = Certificate::parse(&version_1(&issuer))
        .unwrap()
        .public_key()
        .unwrap();
    let algorithms = ring::default_provider().signature_verification_algorithms;
    assert!(
        algorithms
            .all
            .iter()
            .any(|algorithm| algorithm.public_key_alg_id().as_ref() == key.algorithm)
    );
}
