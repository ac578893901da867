//! Tests of credentials: what the hook sees, what becomes of its headers and of its errors.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]

use std::{
    error::Error as _,
    fmt,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, header::AUTHORIZATION};
use lro_runtime::{
    Credentials, CredentialsError, ErrorKind, Operations, Transport,
    dialect::Azure,
    signed_by,
    transport::{BoxFuture, TransportError},
};
use smol::block_on;

/// The requests that were seen, in order.
type Seen = Arc<Mutex<Vec<Request<Bytes>>>>;

/// A service whose first reply names a monitor, which then succeeds.
#[derive(Clone, Default)]
struct Service(Seen);

impl Transport for Service {
    fn send<'a>(
        &'a self,
        request: &'a Request<Bytes>,
        _max_body: usize,
    ) -> BoxFuture<'a, Result<Response<Bytes>, TransportError>> {
        self.0.lock().unwrap().push(request.clone());
        let reply = if request.method() == http::Method::POST {
            Response::builder().status(202).header("operation-location", "/ops/1").body(Bytes::new())
        } else {
            Response::builder().body(Bytes::from_static(br#"{"status":"Succeeded"}"#))
        };
        Box::pin(async move { Ok(reply.unwrap()) })
    }
}

/// An error that is not a string.
#[derive(Debug, PartialEq)]
struct NoSuchProfile(u32);

impl fmt::Display for NoSuchProfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is no profile {}", self.0)
    }
}

impl std::error::Error for NoSuchProfile {}

fn client(service: Service, credentials: impl Credentials) -> Operations {
    Operations::builder("https://api.test/base")
        .dialect(Azure::new())
        .transport(service)
        .header("x-client", "c")
        .credentials(credentials)
        .build()
        .unwrap()
}

#[test]
fn credentials_see_the_request_that_is_sent() {
    let (service, seen) = (Service::default(), Seen::default());
    let signed = Arc::clone(&seen);
    let client = client(
        service.clone(),
        signed_by(move |request: Request<Bytes>| {
            let signature = format!("{} {} {}", request.method(), request.uri(), request.body().len());
            signed.lock().unwrap().push(request);
            // A signer may need the network: it is asynchronous.
            async move {
                smol::future::yield_now().await;
                Ok(HeaderMap::from_iter([(AUTHORIZATION, HeaderValue::try_from(signature)?)]))
            }
        }),
    );
    let start = Request::post("https://api.test/base/export?api-version=1").header("x-start", "s");
    let operation = block_on(client.start(start.body(Bytes::from_static(b"abc")).unwrap())).unwrap();
    assert!(block_on(operation.poll_once()).unwrap().is_succeeded());

    let (sent, signed) = (service.0.lock().unwrap(), seen.lock().unwrap());
    assert_eq!(sent.len(), 2);
    for (sent, signed) in sent.iter().zip(signed.iter()) {
        assert_eq!((sent.method(), sent.uri(), sent.body()), (signed.method(), signed.uri(), signed.body()));
        let mut without = sent.headers().clone();
        without.remove(AUTHORIZATION);
        assert_eq!(without, *signed.headers(), "all headers but those of the credentials");
        assert_eq!(
            (&signed.headers()["x-client"], &signed.headers()["x-start"]),
            (&"c".parse().unwrap(), &"s".parse().unwrap())
        );
    }
    let signatures: Vec<_> = sent.iter().map(|request| request.headers()[AUTHORIZATION].to_str().unwrap()).collect();
    assert_eq!(
        signatures,
        ["POST https://api.test/base/export?api-version=1 3", "GET https://api.test/ops/1?api-version=1 0"]
    );
}

#[test]
fn all_values_of_a_header_of_the_credentials_are_sent() {
    let service = Service::default();
    let client = client(service.clone(), || async {
        let mut headers = HeaderMap::new();
        for value in ["own", "second", "third"] {
            headers.append("x-client", HeaderValue::from_static(value));
        }
        headers.insert("x-other", HeaderValue::from_static("o"));
        headers.append("x-client", HeaderValue::from_static("fourth"));
        Ok(headers)
    });
    let _operation = block_on(client.post("export", &1)).unwrap();
    let sent = service.0.lock().unwrap();
    let values: Vec<_> = sent[0].headers().get_all("x-client").iter().collect();
    assert_eq!(values, ["own", "second", "third", "fourth"], "in place of the client's own");
    assert_eq!(sent[0].headers()["x-other"], "o");
    assert!(sent[0].headers().get_all("x-client").iter().all(HeaderValue::is_sensitive));
}

#[test]
fn the_values_of_headers_are_marked_as_sensitive_unless_they_are_known_to_be_harmless() {
    let service = Service::default();
    let client = Operations::builder("https://api.test/base")
        .dialect(Azure::new())
        .transport(service.clone())
        .header("Ocp-Apim-Subscription-Key", "hunter2")
        .header("x-goog-api-key", "hunter2")
        .header("x-pin", "hunter2")
        .header("accept-language", "c")
        .credentials(|| async { Ok(lro_runtime::bearer("hunter2")?) })
        .build()
        .unwrap();
    let call = client.call(http::Method::POST, "export").header("x-functions-key", "hunter2").header("prefer", "s");
    let operation = block_on(call.into_future()).unwrap();
    let _operation = block_on(operation.poll_once()).unwrap();
    let start = Request::post("https://api.test/base/export").header("x-auth-token", "hunter2");
    let _operation = block_on(client.start(start.body(Bytes::new()).unwrap())).unwrap();
    let sent = service.0.lock().unwrap();
    assert_eq!(sent.len(), 3);
    for request in sent.iter() {
        let shown = format!("{request:?}");
        assert!(!shown.contains("hunter2") && shown.contains("\"c\""), "{shown}");
        for name in ["authorization", "ocp-apim-subscription-key", "x-goog-api-key", "x-pin"] {
            let value = &request.headers()[name];
            assert!(value.is_sensitive() && value.as_bytes().ends_with(b"hunter2"), "{name}");
        }
    }
    assert!(format!("{:?}", sent[0]).contains("\"s\"") && sent[1].headers().contains_key("x-functions-key"));
    assert!(sent[1].headers()["x-functions-key"].is_sensitive(), "what the dialect repeats");
    assert!(sent[2].headers()["x-auth-token"].is_sensitive());
}

#[test]
fn all_values_of_a_header_of_the_start_call_are_sent_with_every_request() {
    let service = Service::default();
    let client = client(service.clone(), || async { Ok(HeaderMap::new()) });
    let start = Request::post("https://api.test/base/export").header("x-client", "own").header("x-client", "second");
    let operation = block_on(client.start(start.body(Bytes::new()).unwrap())).unwrap();
    assert!(block_on(operation.poll_once()).unwrap().is_succeeded());
    let sent = service.0.lock().unwrap();
    assert_eq!(sent.len(), 2);
    for request in sent.iter() {
        let values: Vec<_> = request.headers().get_all("x-client").iter().collect();
        assert_eq!(values, ["own", "second"], "in place of the client's own");
    }
}

#[test]
fn the_error_of_credentials_keeps_its_type() {
    let service = Service::default();
    let client = client(service.clone(), signed_by(|_| async { Err(CredentialsError::from(NoSuchProfile(7))) }));
    let error = block_on(client.post("export", &1)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Start);
    assert!(error.to_string().contains("the credentials hook failed: there is no profile 7"), "{error}");
    let mut sources = std::iter::successors(error.source(), |&source| source.source());
    assert_eq!(sources.find_map(|source| source.downcast_ref()), Some(&NoSuchProfile(7)));
    assert!(service.0.lock().unwrap().is_empty(), "nothing is sent without credentials");
}
