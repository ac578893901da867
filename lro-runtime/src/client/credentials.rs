//! The credentials hook: the caller's function that gives the authorizing headers of each request.

use std::{error::Error as StdError, fmt, future::Future};

use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};

use crate::{message::Request, transport::BoxFuture};

/// Gives the headers that authorize a request.
///
/// The hook is called before every request, so that it can refresh a token. Its headers go to the
/// client's own origin and to those that are [allowed with
/// credentials](crate::OperationsBuilder::allow_origin_with_credentials). A header replaces those
/// of the same name, with all the values that the hook gives it; errors, `Debug` output and tokens
/// do not show them. An error of the hook fails the request: a poll that fails so is retried within
/// the error budget, a start call is not. The hook's own error is among the
/// [sources](std::error::Error::source) of that error. The time that the hook takes counts towards
/// the time limit of the request.
///
/// Any function without parameters that returns a future of a [`HeaderMap`] is one. [`bearer`]
/// makes the headers of a bearer token. A hook that has to see the request, to sign it, is made by
/// [`signed_by`], or is a type that implements this trait.
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
    /// Returns the headers for `request`, which is complete but for them: it has its method, its
    /// absolute URL, the headers of the client and of the call, and its body.
    ///
    /// The transport adds those that HTTP itself needs: `Host`, which is the authority of the URL,
    /// and `Content-Length`. Cookies that the client keeps come later as well.
    fn headers<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<HeaderMap, CredentialsError>>;
}

/// The error of a credentials hook: any error type, boxed.
pub type CredentialsError = Box<dyn StdError + Send + Sync>;

impl<F, T> Credentials for F
where
    F: Fn() -> T + Send + Sync + 'static,
    T: Future<Output = Result<HeaderMap, CredentialsError>> + Send + 'static,
{
    fn headers<'a>(&'a self, _request: &'a Request) -> BoxFuture<'a, Result<HeaderMap, CredentialsError>> {
        Box::pin(self())
    }
}

/// Makes credentials of a function that sees the request, for services whose requests are signed
/// (AWS's Signature Version 4, for example).
///
/// The function gets a copy of the request, which shares its body; [`Credentials::headers`] says
/// what is in it. It is asynchronous, and its errors are any error.
///
/// ```
/// use http::{HeaderMap, HeaderValue};
/// use lro_runtime::{Operations, signed_by, transport::Request};
///
/// # fn signature(_: &http::Method, _: &http::Uri, _: &[u8]) -> Result<String, std::io::Error> { Ok("…".to_owned()) }
/// let operations = Operations::builder("https://images.example.com")
///     .credentials(signed_by(|request: Request| async move {
///         let signature = signature(request.method(), request.uri(), request.body())?;
///         Ok(HeaderMap::from_iter([(http::header::AUTHORIZATION, HeaderValue::try_from(signature)?)]))
///     }))
///     .build()?;
/// # Ok::<(), lro_runtime::Error>(())
/// ```
pub fn signed_by<F, T>(sign: F) -> impl Credentials + fmt::Debug
where
    F: Fn(Request) -> T + Send + Sync + 'static,
    T: Future<Output = Result<HeaderMap, CredentialsError>> + Send + 'static,
{
    SignedBy(sign)
}

/// Credentials that are a function of the request. A type of its own: an implementation for the
/// functions themselves would overlap with that for functions without parameters.
struct SignedBy<F>(F);

impl<F> fmt::Debug for SignedBy<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedBy(…)")
    }
}

impl<F, T> Credentials for SignedBy<F>
where
    F: Fn(Request) -> T + Send + Sync + 'static,
    T: Future<Output = Result<HeaderMap, CredentialsError>> + Send + 'static,
{
    fn headers<'a>(&'a self, request: &'a Request) -> BoxFuture<'a, Result<HeaderMap, CredentialsError>> {
        Box::pin(self.0(request.clone()))
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
