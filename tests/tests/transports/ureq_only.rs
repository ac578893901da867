//! Tests of `UreqTransport` over a `ureq::Agent` of the program's own.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use http::{HeaderValue, Uri};
use lro_runtime::transport::{
    Transport, UreqTransport,
    ureq::{
        self, Agent,
        config::Config,
        unversioned::{
            resolver::{ResolvedSocketAddrs, Resolver},
            transport::{DefaultConnector, NextTimeout},
        },
    },
};

use crate::{
    server::Server,
    subject::{MAX_BODY, patiently, request},
};

/// Finds no host, and keeps the time limit of each request.
#[derive(Clone, Debug, Default)]
struct Limits(Arc<Mutex<Vec<Option<Duration>>>>);

impl Resolver for Limits {
    fn resolve(&self, _: &Uri, config: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, ureq::Error> {
        self.0.lock().unwrap().push(config.timeouts().global);
        Err(ureq::Error::HostNotFound)
    }
}

#[test]
fn a_request_ends_by_the_shortest_of_all_limits_and_without_any_after_ten_minutes() {
    // The caller drops the future when its own limit ends, and says so. A limit of ureq's at the
    // same moment would sometimes be first, and the request a `Timeout` of the transport.
    let slack = Duration::from_secs(1);
    let limit_of = |agents: Option<Duration>, callers: Option<Duration>| {
        let limits = Limits::default();
        let config = Agent::config_builder().timeout_global(agents).build();
        let transport = UreqTransport::over(Agent::with_parts(config, DefaultConnector::new(), limits.clone()));
        let get = request("GET", "http://host.test/", "");
        let sent = match callers {
            None => transport.send(&get, MAX_BODY),
            Some(limit) => transport.send_within(&get, MAX_BODY, limit),
        };
        patiently(sent).unwrap_err();
        let limits = limits.0.lock().unwrap().clone();
        assert_eq!(limits.len(), 1, "{limits:?}");
        limits[0].expect("no request is without a limit")
    };
    let (ten_minutes, hour) = (Duration::from_secs(600), Duration::from_secs(3_600));
    let (short, shorter) = (Duration::from_secs(5), Duration::from_millis(50));
    assert_eq!(limit_of(None, None), ten_minutes);
    assert_eq!(limit_of(Some(short), None), short);
    assert_eq!(limit_of(Some(hour), None), ten_minutes);
    assert_eq!(limit_of(None, Some(shorter)), shorter + slack);
    assert_eq!(limit_of(None, Some(Duration::MAX)), ten_minutes);
    assert_eq!(limit_of(Some(short), Some(shorter)), shorter + slack);
    assert_eq!(limit_of(Some(short), Some(short)), short, "the agent's own limit is as it was set");
    assert_eq!(limit_of(Some(short), Some(Duration::MAX)), short);
}

#[test]
fn an_agent_that_follows_redirects_follows_none_here() {
    let elsewhere = Server::saying("HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nstolen");
    let location = elsewhere.url("/");
    let server = Server::saying(format!("HTTP/1.1 302 Found\r\nLocation: {location}\r\nContent-Length: 0\r\n\r\n"));
    let agent: Agent = Agent::config_builder().max_redirects(5).max_redirects_will_error(true).build().into();
    let mut asked = request("GET", &server.url("/"), "");
    asked.headers_mut().insert("x-api-key", HeaderValue::from_static("s3cret"));
    assert_eq!(patiently(UreqTransport::over(agent).send(&asked, MAX_BODY)).unwrap().status(), 302);
    assert_eq!(elsewhere.connections(), 0);
}
