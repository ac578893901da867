//! The credentials hook: the caller's function that gives the authorizing headers of each request.

use std::{error::Error as StdError, future::Future};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::transport::BoxFuture;

/// Gives the headers that authorize a request.
///
/// The hook is called before every request, so that it can refresh a token. Its headers go to
/// trusted origins only and replace headers of the same name; errors, `Debug` output and tokens do
/// not show them. An error of the hook fails the request: a poll that fails so is retried within
/// the error budget, a start call is not. The time that the hook takes counts towards the time
/// limit of the request.
///
/// Any function that returns a future of a [`HeaderMap`] is one. [`bearer`] makes the headers of a
/// bearer token.
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
    /// Returns the headers for the next request.
    fn headers(&self) -> BoxFuture<'_, Result<HeaderMap, CredentialsError>>;
}

/// The error of a credentials hook: any error type, boxed.
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

/// Makes the headers of a bearer token: `Authorization: Bearer <token>` ([RFC
/// 6750](https://www.rfc-editor.org/rfc/rfc6750)).
///
/// # Errors
///
/// When the token contains characters that are not legal in a header.
pub fn bearer(token: &str) -> Result<HeaderMap, http::header::InvalidHeaderValue> {
    let mut value = HeaderValue::try_from(format!("Bearer {token}"))?;
    // `http` prints a sensitive value as `Sensitive`, so `Debug` of these headers does not show the
    // token.
    value.set_sensitive(true);
    Ok(HeaderMap::from_iter([(AUTHORIZATION, value)]))
}
