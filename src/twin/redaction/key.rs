//! The key that makes the values of a redacted file unpredictable.

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

/// The key of made-up values. Random for each file, or the same for files that are to be compared.
#[derive(Clone)]
pub struct RedactionKey([u8; 32]);

impl RedactionKey {
    /// 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> RedactionKey {
        RedactionKey(bytes)
    }

    /// From a passphrase.
    pub fn from_passphrase(passphrase: &str) -> RedactionKey {
        RedactionKey(Sha256::digest(passphrase.as_bytes()).into())
    }

    /// Bytes that are unpredictable without the key.
    pub(super) fn noise(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            return [0; 32];
        };
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(value);
        mac.finalize().into_bytes().into()
    }

    /// A number between -1 and 1.
    pub(super) fn share(&self, value: &str) -> f64 {
        let noise = self.noise("number", value.as_bytes());
        let number = noise
            .first_chunk()
            .copied()
            .map(u32::from_le_bytes)
            .unwrap_or_default();
        f64::from(number) / f64::from(u32::MAX) * 1.98 - 0.99
    }
}
