//! The backend of a surf client: sends its requests through [`HyperTransport`].

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use surf::{
    HttpClient, StatusCode as SurfStatus,
    http::{Request as SurfRequest, Response as SurfResponse, Url},
    utils::async_trait,
};

use super::headers;
use crate::transport::{HyperTransport, Request, Transport, TransportError, TransportErrorKind};

/// The body limit for the reply to a request that middleware made itself: such a request carries no
/// [`Exchange`] with the caller's limit.
const DEFAULT_MAX_BODY: usize = 16 * 1024 * 1024;

/// The original request, attached to surf's version of it.
pub(super) struct Exchange {
    pub(super) uri: Uri,
    /// The URL that surf got for `uri`. While the request still has this URL, `uri` is sent.
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) max_body: usize,
}

/// The original head of a reply, attached to surf's version of it.
#[derive(Clone)]
pub(super) struct Received {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
}

/// [`HyperTransport`] as a backend of surf.
#[derive(Debug)]
pub(super) struct HyperBackend(HyperTransport);

impl HyperBackend {
    pub(super) fn new(transport: HyperTransport) -> Self {
        Self(transport)
    }
}

#[async_trait]
impl HttpClient for HyperBackend {
    async fn send(&self, mut request: SurfRequest) -> surf::Result<SurfResponse> {
        let exchange = request.ext().get::<Exchange>();
        let max_body = exchange.map_or(DEFAULT_MAX_BODY, |exchange| exchange.max_body);
        let mut outgoing = outgoing(&request, exchange).map_err(refused)?;
        // After the headers were read, because `take_body` adds a `Content-Type` header to the
        // request.
        *outgoing.body_mut() = Bytes::from(request.take_body().into_bytes().await?);
        let (parts, body) = self.0.send(&outgoing, max_body).await.map_err(refused)?.into_parts();

        let mut response = SurfResponse::new(shown_status(parts.status));
        response.set_body(body.as_ref());
        // `set_body` adds `application/octet-stream`, which the server did not send.
        response.remove_header("content-type");
        headers::to_surf(&parts.headers, response.as_mut());
        response.ext_mut().insert(Received { status: parts.status, headers: parts.headers });
        Ok(response)
    }
}

/// Returns the status that middleware sees. surf's status type knows some codes only; the others
/// become a generic code of their class.
pub(super) fn shown_status(status: StatusCode) -> SurfStatus {
    SurfStatus::try_from(status.as_u16()).unwrap_or(match status.as_u16() / 100 {
        1 => SurfStatus::Continue,
        2 => SurfStatus::Ok,
        3 => SurfStatus::MultipleChoice,
        4 => SurfStatus::BadRequest,
        _ => SurfStatus::InternalServerError,
    })
}

fn outgoing(request: &SurfRequest, exchange: Option<&Exchange>) -> Result<Request, TransportError> {
    // The origin was checked before the request reached surf, and the request may carry
    // credentials.
    let is_elsewhere = exchange.is_some_and(|exchange| exchange.url.origin() != request.url().origin());
    let is_clone_elsewhere = request
        .header(headers::ORIGIN)
        .is_some_and(|origin| origin.as_str() != request.url().origin().ascii_serialization());
    if is_elsewhere || is_clone_elsewhere {
        return Err(left_its_origin());
    }
    let uri = match exchange {
        Some(exchange) if exchange.url == *request.url() => exchange.uri.clone(),
        // Another path on the same origin, or a request that middleware made itself and that has no
        // original.
        _ => {
            let mut url = request.url().clone();
            // A fragment is not part of what is requested (RFC 9110, section 7.1).
            url.set_fragment(None);
            Uri::try_from(url.as_str()).map_err(invalid)?
        }
    };
    let none = HeaderMap::new();
    headers::check(request.as_ref())?;
    let headers = headers::merged(exchange.map_or(&none, |exchange| &exchange.headers), request.as_ref());
    let mut outgoing = Request::new(Bytes::new());
    *outgoing.method_mut() = Method::from_bytes(request.method().to_string().as_bytes()).map_err(invalid)?;
    *outgoing.uri_mut() = uri;
    *outgoing.headers_mut() = headers;
    Ok(outgoing)
}

/// Returns the error for a request that middleware would take to another origin.
pub(super) fn left_its_origin() -> TransportError {
    let why = "a middleware would send the request to another origin, which is not allowed";
    TransportError::message(TransportErrorKind::InvalidRequest, why)
}

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TransportError {
    TransportError::new(TransportErrorKind::InvalidRequest, error)
}

/// Wraps an error for surf, which wants a status with it. Only the error inside is read again.
pub(super) fn refused(error: TransportError) -> surf::Error {
    surf::Error::new(SurfStatus::BadGateway, error)
}
