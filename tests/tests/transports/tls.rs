//! Tests of TLS: which certificates `HyperTransport` trusts, and what it and `UreqTransport` say of
//! one that is refused.
//!
//! The certificates are self-signed, for tests only, and valid for a hundred years:
//! `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=local -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=DNS:localhost,IP:127.0.0.1`,
//! and the same with `elsewhere` and `DNS:elsewhere.test`.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    thread,
};

use futures_rustls::{
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    rustls::{ClientConfig, RootCertStore, ServerConfig, ServerConnection, StreamOwned, crypto::ring},
};
use lro_runtime::transport::{
    HyperTransport, Transport,
    TransportErrorKind::{Certificate, Connect},
    UreqTransport,
    ureq::{
        Agent,
        tls::{self, RootCerts, TlsConfig},
    },
};

use crate::subject::{MAX_BODY, Outcome, patiently, request};

const LOCAL: (&[u8], &[u8]) = (include_bytes!("certificates/local.pem"), include_bytes!("certificates/local.key.pem"));
const ELSEWHERE: (&[u8], &[u8]) =
    (include_bytes!("certificates/elsewhere.pem"), include_bytes!("certificates/elsewhere.key.pem"));

/// Starts a server on 127.0.0.1 with this certificate, and returns its port.
///
/// The body of its replies is the protocol that ALPN chose.
fn serve((certificate, key): (&[u8], &[u8])) -> u16 {
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(certificate).unwrap()],
            PrivateKeyDer::from_pem_slice(key).unwrap(),
        )
        .unwrap();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let stream = StreamOwned::new(connection, stream.unwrap());
            thread::spawn(move || answer(stream));
        }
    });
    port
}

fn answer(mut stream: StreamOwned<ServerConnection, TcpStream>) {
    let mut head = [0; 4_096];
    while let Ok(1..) = stream.read(&mut head) {
        let protocol = String::from_utf8_lossy(stream.conn.alpn_protocol().unwrap_or(b"none")).into_owned();
        let _ = write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{protocol}", protocol.len());
    }
}

fn get(transport: &impl Transport, host: &str, port: u16) -> Outcome {
    patiently(transport.send(&request("GET", &format!("https://{host}:{port}/"), ""), MAX_BODY))
}

fn trusting(pem: &[u8]) -> HyperTransport {
    HyperTransport::builder().root_certificates(pem).unwrap().build()
}

#[test]
fn a_trusted_certificate_with_the_right_name_is_accepted_and_speaks_http_1_1() {
    let port = serve(LOCAL);
    for host in ["localhost", "127.0.0.1"] {
        let transport = trusting(LOCAL.0);
        for _ in 0..2 {
            assert_eq!(get(&transport, host, port).unwrap().body(), "http/1.1", "{host}");
        }
    }
}

#[test]
fn an_untrusted_certificate_is_refused() {
    let error = get(&HyperTransport::new(), "localhost", serve(LOCAL)).unwrap_err();
    assert_eq!(error.kind(), Certificate);
    assert!(format!("{error:?}").contains("UnknownIssuer"), "{error:?}");
}

#[test]
fn a_trusted_certificate_of_another_name_is_refused() {
    let error = get(&trusting(ELSEWHERE.0), "localhost", serve(ELSEWHERE)).unwrap_err();
    assert_eq!(error.kind(), Certificate);
    assert!(format!("{error:?}").contains("NotValidForName"), "{error:?}");
}

#[test]
fn a_connection_is_not_used_again_for_another_name() {
    let port = serve(LOCAL);
    let transport = trusting(LOCAL.0);
    get(&transport, "localhost", port).unwrap();
    let error = get(&transport, "127.0.0.2", port).unwrap_err(); // either refused, or the certificate has other names
    assert!(matches!(error.kind(), Connect | Certificate), "{error:?}");
}

#[test]
fn a_configuration_of_the_users_own_replaces_the_roots() {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(LOCAL.0).unwrap()).unwrap();
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec()]; // this transport speaks HTTP/1.1 only and must not offer h2
    let transport = HyperTransport::builder().tls(config).build();
    assert_eq!(get(&transport, "localhost", serve(LOCAL)).unwrap().body(), "http/1.1");
}

#[test]
fn a_text_without_a_certificate_is_refused_when_it_is_given() {
    for pem in [&b""[..], b"hello", LOCAL.1, b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        assert!(HyperTransport::builder().root_certificates(pem).is_err(), "{}", String::from_utf8_lossy(pem));
    }
}

#[test]
fn a_plain_server_is_not_taken_for_a_secure_one() {
    let server = crate::server::Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let url = server.url("/").replace("http:", "https:");
    let error = patiently(HyperTransport::new().send(&request("GET", &url, ""), MAX_BODY)).unwrap_err();
    assert_eq!(error.kind(), Connect);
}

#[test]
fn ureq_tells_a_refused_certificate_from_a_failure_to_connect() {
    let trusting = |pem: &[u8]| {
        let roots = RootCerts::new_with_certs(&[tls::Certificate::from_pem(pem).unwrap()]);
        let tls = TlsConfig::builder().root_certs(roots).build();
        UreqTransport::over(Agent::config_builder().tls_config(tls).build().into())
    };
    assert_eq!(get(&trusting(LOCAL.0), "localhost", serve(LOCAL)).unwrap().status(), 200);
    let untrusted = get(&UreqTransport::new(), "localhost", serve(LOCAL)).unwrap_err();
    assert_eq!(untrusted.kind(), Certificate, "{untrusted:?}");
    assert!(format!("{untrusted:?}").contains("UnknownIssuer"), "{untrusted:?}");
    let misnamed = get(&trusting(ELSEWHERE.0), "localhost", serve(ELSEWHERE)).unwrap_err();
    assert_eq!(misnamed.kind(), Certificate, "{misnamed:?}");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(get(&UreqTransport::new(), "localhost", port).unwrap_err().kind(), Connect);
}
