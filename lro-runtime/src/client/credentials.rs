//! The hook that is asked before every request.

use std::{error::Error as StdError, future::Future};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::transport::BoxFuture;

/// Gives the headers that authorize a request. Asked before every request, so that a token may be refreshed; what it gives is sent to trusted
/// origins only, replaces headers of the same name, and is shown nowhere. A failure counts as a failed poll: it is worth another.
///
/// Any function that returns a future of a [`HeaderMap`] will do; [`bearer`] makes one of a token.
///
/// ```
/// use lro_runtime::{Operations, bearer};
///
/// let operations = Operations::builder("https://images.example.com")
///     .credentials(|| async { Ok(bearer(&fresh_token().await)?) })
///     .build()?;
/// # async fn fresh_token() -> String { String::new() }
/// # Ok::<(), lro_runtime::Error>(())
/// ```
pub trait Credentials: Send + Sync + 'static {
    /// The headers for the next request.
    fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, CredentialsError>>;
}

/// Why there are no credentials: any error.
pub type CredentialsError = Box<dyn StdError + Send + Sync>;

impl<F, T> Credentials for F
where
    F: Fn() -> T + Send + Sync + 'static,
    T: Future<Output = Result<HeaderMap, CredentialsError>> + Send + 'static,
{
    fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, CredentialsError>> {
        Box::pin(self())
    }
}

/// The headers of a bearer token: `Authorization: Bearer <token>` ([RFC 6750](https://www.rfc-editor.org/rfc/rfc6750)).
///
/// # Errors
///
/// When the token contains characters that a header cannot have.
pub fn bearer(token: &str) -> Result<HeaderMap, http::header::InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}
