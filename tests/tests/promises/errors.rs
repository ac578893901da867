//! Promises of errors: every kind, what its message says, and what it leads back to.

use std::error::Error as _;

use lro_runtime::{
    Code, Error, ErrorKind, Operations, PollSettings,
    dialect::Http,
    testing::{Script, VirtualClock},
    transport::TransportErrorKind,
};
use serde_json::json;

use crate::support::{ExportImageState, PurgeState, Server, Stage, cat, percent, reply, secs};

fn started(script: Script) -> Stage {
    Stage::new(script)
}

/// Returns the error of a wait over this script.
fn waited(script: Script, settings: PollSettings) -> Error {
    smol::block_on(started(script).export().poll_until_completed(settings)).unwrap_err()
}

/// Returns a script whose start reply is a running operation.
fn running() -> Script {
    Script::new().running_with(percent(40))
}

/// Returns one error of every kind, as a user gets it.
fn one_of_each() -> Vec<(ErrorKind, Error)> {
    let refused = Stage::new(Script::new().error(Code::PermissionDenied, "not yours"));
    let failed = Stage::new(Script::new().failed(Code::Internal, "disk on fire")).export();
    let cancelled = Stage::new(Script::new().cancelled()).export();
    let unreadable = Stage::new(Script::new().done(json!({ "uri": 7 }))).export();
    let stage = Stage::new(running().error(Code::Unimplemented, "no such call"));
    let operation = stage.export();
    let elsewhere = http::Request::post("https://elsewhere.test/x").body("").unwrap();
    vec![
        (ErrorKind::Start, smol::block_on(refused.client.export_image()).unwrap_err()),
        (ErrorKind::Poll, waited(running().error(Code::PermissionDenied, "no longer yours"), PollSettings::default())),
        (ErrorKind::Timeout, waited(running().running(9), PollSettings::default().with_timeout(secs(3.0)))),
        (ErrorKind::Failed, failed.into_result().unwrap_err()),
        (ErrorKind::Cancelled, cancelled.into_result().unwrap_err()),
        (ErrorKind::Decode, unreadable.into_result().unwrap_err()),
        (ErrorKind::Protocol, waited(running().garbage("<html>"), PollSettings::default())),
        (ErrorKind::Unsupported, smol::block_on(operation.cancel()).unwrap_err()),
        (ErrorKind::NotCompleted, operation.clone().into_result().unwrap_err()),
        (ErrorKind::InvalidToken, stage.client.resume_export_image("lro1-cut").unwrap_err()),
        (ErrorKind::InvalidSettings, PollSettings::default().with_multiplier(0.5).validate().unwrap_err()),
        (ErrorKind::UntrustedUrl, smol::block_on(stage.client.operations.start(elsewhere)).unwrap_err()),
    ]
}

/// Returns the messages of the chain of sources.
fn chain(error: &Error) -> Vec<String> {
    let mut all = vec![];
    let mut next = error.source();
    while let Some(source) = next {
        all.push(source.to_string());
        next = source.source();
    }
    all
}

#[test]
fn every_kind_can_be_met() {
    for (kind, error) in one_of_each() {
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn an_error_is_one_line_that_ends_in_advice() {
    for (kind, error) in one_of_each() {
        let said = error.to_string();
        assert!(!said.contains(['\n', '\r']), "{kind:?}: {said}");
        assert!(said.rsplit("; ").next().unwrap().len() > 5, "{kind:?}: {said}");
        println!("{said}");
    }
}

#[test]
fn an_error_of_a_wait_says_which_operation_how_many_polls_and_what_next() {
    let error = waited(running().running(9), PollSettings::default().with_timeout(secs(3.0)));
    let said = error.to_string();
    for part in ["`operations/1`", "running", "3 polls", "in 3s", "resume from the token"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!((error.attempts(), error.elapsed()), (Some(3), Some(secs(3.0))));
}

#[test]
fn only_an_origin_that_could_be_allowed_is_advised_to_be_allowed() {
    let operations = Operations::builder("https://service.test").dialect(Http).build().unwrap();
    let poll = |url: &str| {
        let error = operations.resume(url).and_then(|operation| operation.blocking().poll_once()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{url}: {error}");
        error.to_string()
    };
    for elsewhere in ["https://other.test/x", "http://service.test/x"] {
        assert!(poll(elsewhere).ends_with("if it is the service's own"), "{}", poll(elsewhere));
    }
    for unreadable in ["https://service.test@other.test/x", "https://service.test:99999/x", "ftp://service.test/x"] {
        let said = poll(unreadable);
        assert!(!said.contains("allow_origin") && said.contains("no setting allows it"), "{said}");
    }
}

#[test]
fn a_poll_that_is_refused_says_whether_its_origin_got_credentials() {
    let refused = |url: &'static str| {
        let builder = Operations::builder("http://server.test").dialect(Http).allow_origin("http://elsewhere.test");
        let clock = VirtualClock::new();
        let server = Server::new(&clock, |_, _| (secs(0.0), Ok(reply(401, ""))));
        let operations = builder.transport(server).timer(clock).build().unwrap();
        operations.resume(url).unwrap().blocking().poll_once().unwrap_err().to_string()
    };
    let said = refused("http://server.test/operations/1");
    assert!(said.contains("; check the credentials"), "{said}");
    let said = refused("http://elsewhere.test/operations/1");
    assert!(said.contains("gets no credentials") && said.contains("allow_origin_with_credentials"), "{said}");
}

#[test]
fn an_error_with_an_operation_leads_back_to_it() {
    for (kind, error) in one_of_each() {
        use ErrorKind::{InvalidSettings, InvalidToken, Start, UntrustedUrl};
        let has_operation = !matches!(kind, InvalidSettings | InvalidToken | Start | UntrustedUrl);
        assert_eq!(error.snapshot().is_some(), has_operation, "{kind:?}");
        assert_eq!(error.token().is_some(), has_operation, "{kind:?}");
    }
}

#[test]
fn an_error_is_small_clone_send_sync_and_static() {
    fn fits<T: std::error::Error + Clone + Send + Sync + 'static>() {}
    fits::<Error>();
    // An `Error` is in the result of every call, so its size is part of every future.
    assert!(size_of::<Error>() <= 16, "{}", size_of::<Error>());
}

#[test]
fn sources_go_deeper() {
    let error = waited(running().error(Code::PermissionDenied, "no longer yours"), PollSettings::default());
    let chain = chain(&error);
    assert!(chain[0].contains("403") && chain[1].contains("no longer yours"), "{chain:?}");
    assert_eq!(error.status().unwrap().code(), Code::PermissionDenied);
    let script = running().transport_error(TransportErrorKind::Closed);
    let error = waited(script, PollSettings::default().with_error_budget(0));
    assert!(error.source().unwrap().to_string().contains("connection ended"));
    let last = waited(running().unavailable().unavailable(), PollSettings::default().with_timeout(secs(1.5)));
    assert_eq!(last.kind(), ErrorKind::Timeout);
    assert!(last.source().unwrap().to_string().contains("503"), "why the last poll showed nothing");
}

#[test]
fn a_message_of_the_server_neither_breaks_the_line_nor_fills_the_screen() {
    // Line breaks, a terminal's escape sequence and U+2028, which some viewers show as a line
    // break.
    let message = format!("first\nsecond\r\u{1b}[31m\u{2028}{}", "x".repeat(100_000));
    let scripts = [
        Script::new().failed(Code::Internal, &message),
        Script::new().failed_with(json!({ "code": 13, "message": "m", "details": [{ "@type": message }] })),
    ];
    for script in scripts {
        let operation = Stage::new(script).export();
        let status = operation.status().unwrap().clone();
        let error = operation.clone().into_result().unwrap_err();
        for said in [
            error.to_string(),
            format!("{error:?}"),
            status.to_string(),
            format!("{status:?}"),
            format!("{operation:?}"),
        ] {
            assert!(said.len() < 5000, "{} bytes", said.len());
            assert!(!said.contains(['\n', '\r', '\u{1b}', '\u{2028}']), "{said}");
        }
    }
    let refused = Stage::new(Script::new().error(Code::PermissionDenied, &message));
    let error = smol::block_on(refused.client.export_image()).unwrap_err();
    let everything = format!("{error}{error:?}{}", chain(&error).concat());
    assert!(everything.len() < 8000 && !everything.contains('\n'), "{everything}");
    let status = Stage::new(Script::new().failed(Code::Internal, &message)).export();
    assert_eq!(status.status().unwrap().message(), message, "all of it is there for who asks");
}

#[test]
fn a_type_error_shows_an_excerpt_only() {
    let operation = Stage::new(Script::new().done(json!({ "uri": [ "y".repeat(50_000) ] }))).export();
    let said = operation.into_result().unwrap_err().to_string();
    assert!(said.len() < 2000, "{}", said.len());
    let operation = Stage::new(Script::new().done("z".repeat(50_000))).export();
    assert!(operation.into_result().unwrap_err().to_string().len() < 2000);
}

#[test]
fn what_cannot_be_built_is_named() {
    let build = |base: &str| Operations::builder(base).build().unwrap_err();
    for base in ["", "example.com", "ftp://example.com", "https://user:hunter2@example.com", "https://exa mple.com"] {
        let error = build(base);
        assert_eq!(error.kind(), ErrorKind::InvalidSettings, "{base}");
        assert!(error.to_string().contains("base_url") && !error.to_string().contains("hunter2"), "{error}");
    }
    let why = |base: &str, why: &str| assert!(build(base).to_string().contains(why), "{base}: {}", build(base));
    why("https://", "it has no host");
    why("https://user:hunter2@example.com", "its user info is not shown");
    // A key in it would be lost with the first path.
    why("https://example.com/api?key=hunter2", "without a query; what every request has in its query is set by");
    assert!(!build("https://example.com/api?key=hunter2").to_string().contains("hunter2"));
    let header = Operations::builder("https://example.com").header("a b", "hunter2").build().unwrap_err();
    assert!(header.to_string().contains("`a b`") && !header.to_string().contains("hunter2"), "{header}");
    let origin = Operations::builder("https://example.com").allow_origin("example.org").build().unwrap_err();
    assert!(origin.to_string().contains("allow_origin"), "{origin}");
}

#[test]
fn failing_credentials_are_a_failed_poll_that_is_tried_again() {
    let stage = Stage::new(Script::new().running_with(percent(1)).done(cat()));
    let count = std::sync::atomic::AtomicUsize::new(0);
    let operations = Operations::builder("http://scripted.test")
        .transport(stage.transport.clone())
        .timer(stage.clock.clone())
        .credentials(move || {
            let n = count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            async move { if n == 1 { Err("vault sealed".into()) } else { Ok(lro_runtime::bearer("t")?) } }
        })
        .build()
        .unwrap();
    let operation = smol::block_on(operations.post("v1/x", &())).unwrap();
    let error = smol::block_on(operation.poll_once()).unwrap_err();
    assert!(error.to_string().contains("vault sealed"), "{error}");
    assert!(smol::block_on(operation.poll_until_completed(PollSettings::default())).unwrap().is_succeeded());
}

#[test]
fn the_snapshot_of_an_error_is_typed_for_its_own_method_only() {
    let error = waited(running().running(9), PollSettings::default().with_timeout(secs(3.0)));
    let operation = error.typed_snapshot::<ExportImageState>().unwrap();
    assert_eq!((operation.name(), operation.progress()), ("operations/1", Some(0.4)));
    assert_eq!(operation.token(), error.token().unwrap());
    assert!(error.typed_snapshot::<PurgeState>().is_none(), "it exports an image");

    let untyped = Stage::new(Script::new().error(Code::PermissionDenied, "not yours")).client.operations;
    let error = smol::block_on(untyped.get("operations/1")).unwrap_err();
    assert!(error.typed_snapshot::<PurgeState>().is_some(), "of no method: it fits any");
    assert!(PollSettings::default().with_multiplier(0.5).validate().unwrap_err().snapshot().is_none());
    let unstarted = Stage::new(Script::new().error(Code::PermissionDenied, "not yours")).client;
    assert!(smol::block_on(unstarted.purge()).unwrap_err().typed_snapshot::<PurgeState>().is_none());
}
