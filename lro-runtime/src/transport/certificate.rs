//! Tells a refused certificate from the other errors of a TLS handshake, for clients that bring
//! their own TLS.

use std::error::Error as StdError;

/// How rustls, and OpenSSL under native-tls, say that a certificate was refused.
///
/// Texts and not types: which TLS a client uses, and in which version, is the program's choice, so
/// that a type named here need not be the one in the error.
const REFUSED: [&str; 2] = ["invalid peer certificate", "certificate verify failed"];

/// Returns whether `error`, or an error that it came from, is about a refused certificate.
///
/// Call it only for an error of a handshake: the text of a later one may be the server's.
pub(super) fn is_refused(error: &(dyn StdError + 'static)) -> bool {
    std::iter::successors(Some(error), |&error| error.source()).any(|error| {
        let text = error.to_string();
        REFUSED.iter().any(|refused| text.contains(refused))
    })
}

#[cfg(all(test, feature = "hyper"))]
mod tests {
    use std::{fmt, io};

    use futures_rustls::rustls::{CertificateError, Error};

    use super::*;

    /// An error that shows nothing of its source, as clients wrap theirs.
    #[derive(Debug)]
    struct Wrapped(io::Error);

    impl fmt::Display for Wrapped {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("client error (Connect)")
        }
    }

    impl StdError for Wrapped {
        fn source(&self) -> Option<&(dyn StdError + 'static)> {
            Some(&self.0)
        }
    }

    #[test]
    fn a_refused_certificate_is_found_below_the_errors_of_a_client() {
        let refused = |error| is_refused(&Wrapped(io::Error::new(io::ErrorKind::InvalidData, error)));
        assert!(refused(Error::InvalidCertificate(CertificateError::UnknownIssuer)));
        assert!(refused(Error::InvalidCertificate(CertificateError::Expired)));
        assert!(!refused(Error::HandshakeNotComplete));
        assert!(!refused(Error::General("certificate".to_owned())));
    }
}
