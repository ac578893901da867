//! The backend that surf's client gets: [`HyperTransport`].

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, Uri};
use surf::{
    HttpClient, StatusCode as SurfStatus,
    http::{Request as SurfRequest, Response as SurfResponse, Url},
    utils::async_trait,
};

use super::headers;
use crate::transport::{HyperTransport, Request, Transport, TransportError, TransportErrorKind};

/// How much body a request may have that a middleware made itself.
const DEFAULT_MAX_BODY: usize = 16 * 1024 * 1024;

/// A request as it was before surf saw it.
pub(super) struct Exchange {
    pub(super) uri: Uri,
    /// What surf was shown as `uri`: as long as it is that, `uri` is sent.
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
    pub(super) max_body: usize,
}

/// A reply as it was before surf saw it.
#[derive(Clone)]
pub(super) struct Received {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
}

#[derive(Debug)]
pub(super) struct Wire(HyperTransport);

impl Wire {
    pub(super) fn new(transport: HyperTransport) -> Self {
        Self(transport)
    }
}

#[async_trait]
impl HttpClient for Wire {
    async fn send(&self, mut request: SurfRequest) -> surf::Result<SurfResponse> {
        let exchange = request.ext().get::<Exchange>();
        let max_body = exchange.map_or(DEFAULT_MAX_BODY, |exchange| exchange.max_body);
        let mut outgoing = outgoing(&request, exchange).map_err(refused)?;
        *outgoing.body_mut() = Bytes::from(request.take_body().into_bytes().await?); // last: it leaves a header behind
        let (parts, body) = self.0.send(&outgoing, max_body).await.map_err(refused)?.into_parts();

        let mut response = SurfResponse::new(shown_status(parts.status));
        response.set_body(body.as_ref());
        response.remove_header("content-type");
        headers::show(&parts.headers, response.as_mut());
        response.ext_mut().insert(Received { status: parts.status, headers: parts.headers });
        Ok(response)
    }
}

/// The status that surf is shown: its own kind of status has names for some codes only.
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
    let uri = match exchange {
        Some(exchange) if exchange.url == *request.url() => exchange.uri.clone(),
        Some(exchange) if exchange.url.origin() != request.url().origin() => {
            return Err(invalid("a middleware sent it to another origin"));
        }
        _ => {
            let mut url = request.url().clone();
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

fn invalid(error: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> TransportError {
    TransportError::new(TransportErrorKind::InvalidRequest, error)
}

fn refused(error: TransportError) -> surf::Error {
    surf::Error::new(SurfStatus::BadGateway, error)
}
