//! Tests of what `GrpcTransport` refuses.

use lro_runtime::{
    Operations,
    transport::{GrpcTransport, Transport, TransportErrorKind::InvalidRequest},
};

use crate::{
    server::Server,
    subject::{MAX_BODY, patiently, request},
};

#[test]
fn a_call_with_a_query_is_refused_and_not_sent() {
    let server = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    for query in ["?key=s3cret", "?"] {
        let call = request("POST", &server.url(&format!("/example.v1.Images/Export{query}")), "");
        let error = patiently(GrpcTransport::new().send(&call, MAX_BODY)).unwrap_err();
        assert_eq!(error.kind(), InvalidRequest, "{error}");
        assert!(error.to_string().contains("put keys into headers"), "{error}");
        assert!(!format!("{error:?} {error}").contains("s3cret"), "{error:?}");
    }
    let client = Operations::builder(server.url("")).query("key", "s3cret").grpc().build().unwrap();
    let error = patiently(client.start_message("/example.v1.Images/Export", &())).unwrap_err();
    assert!(error.to_string().contains("put keys into headers"), "{error}");
    assert!(!format!("{error:?} {error}").contains("s3cret"), "{error:?}");
    assert_eq!(server.connections(), 0);
}
