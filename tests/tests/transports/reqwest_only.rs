//! Tests of `ReqwestTransport` over a `reqwest::Client` of the program's own.

use lro_runtime::transport::{ReqwestTransport, Transport, TransportErrorKind::InvalidRequest};

use crate::{
    server::Server,
    subject::{MAX_BODY, patiently, request},
};

#[test]
fn a_reply_that_a_client_found_behind_a_redirect_is_refused() {
    let elsewhere = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen");
    let server =
        Server::saying(format!("HTTP/1.1 302 Found\r\nLocation: {}\r\nContent-Length: 0\r\n\r\n", elsewhere.url("/")));
    let transport = ReqwestTransport::over(reqwest::Client::new()); // follows redirects
    let error = patiently(transport.send(&request("GET", &server.url("/"), ""), MAX_BODY)).unwrap_err();
    assert_eq!(error.kind(), InvalidRequest);
    assert!(error.to_string().contains("Policy::none"), "{error}");
}
