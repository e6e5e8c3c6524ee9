//! Why a server's certificate is rejected, for reasons that rustls has no error for.

use std::sync::Arc;

use rustls::{CertificateError, Error, OtherError};

/// Why a certificate is rejected, where rustls has no error for it.
#[derive(Debug, thiserror::Error)]
pub(super) enum Rejection {
    #[error("server certificate for {names} does not match host name \"{host}\"")]
    HostName { names: String, host: String },
    #[error(
        "certificate verify failed: the server's certificate is of X.509 version 1, which cannot be verified: issue it again with \
         extensions (subjectAltName)"
    )]
    Version1,
}

impl From<Rejection> for Error {
    fn from(rejection: Rejection) -> Self {
        CertificateError::Other(OtherError(Arc::new(rejection))).into()
    }
}
