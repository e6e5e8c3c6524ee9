//! Certificates of every kind that the connection tests need, created for each run.

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa,
    KeyPair, KeyUsagePurpose, SigningKey,
};
use x509_cert::der::asn1::BitString;
use x509_cert::der::pem::LineEnding;
use x509_cert::der::{Decode, Encode, EncodePem};
use x509_cert::{Certificate, Version};

use super::server::KeyedCertificate;

pub type Authority = CertifiedIssuer<'static, KeyPair>;

/// A self-signed authority.
pub fn authority(name: &str) -> Authority {
    CertifiedIssuer::self_signed(authority_params(name), KeyPair::generate().unwrap()).unwrap()
}

/// An authority that another authority signed.
pub fn intermediate(name: &str, issuer: &Authority) -> Authority {
    CertifiedIssuer::signed_by(authority_params(name), KeyPair::generate().unwrap(), issuer)
        .unwrap()
}

fn authority_params(name: &str) -> CertificateParams {
    let mut params = named(name, &[]);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    params
}

/// A certificate with a common name and alternative names.
pub fn signed(name: &str, alternative_names: &[&str], issuer: &Authority) -> KeyedCertificate {
    let key = KeyPair::generate().unwrap();
    let mut params = named(name, alternative_names);
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    let certificate = params.signed_by(&key, issuer).unwrap();
    KeyedCertificate {
        certificate: certificate.pem(),
        key: key.serialize_pem(),
    }
}

/// What `openssl req -x509` makes: self-signed, marked as an authority, common name only.
pub fn self_signed(name: &str) -> KeyedCertificate {
    let authority = authority(name);
    KeyedCertificate {
        certificate: authority.pem(),
        key: authority.key().serialize_pem(),
    }
}

/// A certificate without extensions, as `openssl x509 -req` made them before OpenSSL 3.2.
pub fn version_1(name: &str) -> KeyedCertificate {
    let issuer = authority(name);
    let mut certificate = Certificate::from_der(issuer.der()).unwrap();
    certificate.tbs_certificate.version = Version::V1;
    certificate.tbs_certificate.extensions = None;
    let signature = issuer
        .key()
        .sign(&certificate.tbs_certificate.to_der().unwrap())
        .unwrap();
    certificate.signature = BitString::from_bytes(&signature).unwrap();
    KeyedCertificate {
        certificate: certificate.to_pem(LineEnding::LF).unwrap(),
        key: issuer.key().serialize_pem(),
    }
}

fn named(name: &str, alternative_names: &[&str]) -> CertificateParams {
    let names: Vec<String> = alternative_names
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.distinguished_name.push(DnType::CommonName, name);
    params
}
