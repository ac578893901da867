//! Mistakes of resuming: tokens, names, and what a client trusts.

use std::time::Duration;

use lro_runtime::{
    Code, ErrorKind, Operations, PollSettings, State, Token, bearer,
    testing::{Script, VirtualClock},
};
use serde_json::json;

use crate::support::{Server, Stage, cat, json_reply, percent, secs};

#[test]
fn a_token_is_bound_to_its_method() {
    let stage = Stage::new(Script::new().running_with(percent(1)));
    let token = stage.export().token();
    let error = stage.client.resume_purge(token.clone()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidToken);
    assert!(error.to_string().contains("export_image") && error.to_string().contains("purge"), "{error}");
    assert!(stage.client.resume_export_image(token).is_ok());
    assert_eq!(stage.requests(), 1, "resuming sends nothing");
}

#[test]
fn a_resumed_operation_waits_as_its_method_says() {
    for from in ["operations/1".to_owned(), {
        let stage = Stage::new(Script::new().running_with(json!({})));
        smol::block_on(stage.client.purge()).unwrap().token().to_string()
    }] {
        let stage = Stage::new(Script::new().running_with(json!({})).running(9));
        let resumed = stage.client.resume_purge(from).unwrap();
        let error = smol::block_on(resumed.into_future()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert_eq!(stage.sent(), [0.0, 7.0, 14.0, 20.0], "at once, then every 7 s, for 20 s");
    }
}

#[test]
fn a_token_keeps_the_error() {
    let status = json!({ "code": 8, "message": "full\n\"äöü\"", "details": [{ "@type": "x/y.Z", "n": 1e3 }, null] });
    let stage = Stage::new(Script::new().failed_with(status));
    let operation = stage.export();
    let token: Token = operation.token().to_string().parse().unwrap();
    let resumed = stage.client.resume_export_image(token.clone()).unwrap();
    assert_eq!(resumed.status(), operation.status());
    assert_eq!(resumed.untyped().state(), State::Failed);
    assert_eq!(resumed.token(), token);
    assert_eq!(smol::block_on(resumed.poll_once()).unwrap().status().unwrap().code(), Code::ResourceExhausted);
    assert_eq!(stage.requests(), 1);
}

#[test]
fn a_token_knows_whether_a_404_is_lag_or_the_end() {
    let resumed = |polls: u32| {
        let script = Script::new().running_with(percent(1)).running(polls).error(Code::NotFound, "no").done(cat());
        let stage = Stage::new(script);
        let mut operation = stage.export();
        for _ in 0..polls {
            operation = smol::block_on(operation.poll_once()).unwrap();
        }
        let token: Token = operation.token().to_string().parse().unwrap();
        let operation = stage.client.resume_export_image(token).unwrap();
        let settings = PollSettings::default().with_not_found_grace(secs(60.0));
        (smol::block_on(operation.poll_until_completed(settings)), stage.requests())
    };
    let (started, _) = resumed(0);
    assert!(started.unwrap().is_succeeded(), "right after the start it is lag");
    let (found, requests) = resumed(1);
    let error = found.unwrap_err();
    assert_eq!((error.kind(), requests), (ErrorKind::Poll, 3), "the start, the poll that found it, and this one");
    assert!(error.to_string().contains("its result may have expired"), "{error}");
}

#[test]
fn nothing_is_sent_to_another_origin() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| (Duration::ZERO, Ok(json_reply(&json!({ "name": "operations/1" })))));
    let operations = Operations::builder("https://service.test/base")
        .transport(server.clone())
        .timer(clock)
        .credentials(|| async { Ok(bearer("hunter2")?) })
        .build()
        .unwrap();
    let elsewhere = [
        "https://evil.test/v1/x",
        "http://service.test/v1/x",
        "https://service.test:8443/v1/x",
        "https://service.test@evil.test/v1/x",
        "https://service.test.evil.test/",
    ];
    for url in elsewhere {
        let request = http::Request::post(url).body("").unwrap();
        let error = smol::block_on(operations.start(request)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{url}: {error}");
        assert!(operations.resume(url).is_err(), "{url}");
    }
    assert!(server.requests().is_empty());
    let allowed = http::Request::post("https://SERVICE.test:443/v1/x").body("").unwrap();
    assert!(smol::block_on(operations.start(allowed)).is_ok());
    assert_eq!(server.requests()[0].1.headers()["authorization"], "Bearer hunter2");
}

#[test]
fn a_name_cannot_leave_its_collection() {
    for name in ["../secrets", "operations/../../x", "operations//x", "/operations/1", "operations/.", "operations/"] {
        let stage = Stage::new(Script::new().json(json!({ "name": name })));
        let started = stage.export();
        assert_eq!(started.name(), name, "the service has accepted it");
        let error = smol::block_on(started.poll_once()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UntrustedUrl, "{name}");
        assert!(stage.client.resume_export_image(name).is_err(), "{name}");
        assert_eq!(stage.requests(), 1);
    }
    for name in ["operations/a?b=c#d", "operations/%2e%2e/x", "operations/a b\u{7}ä\\", "operations/a;b=c"] {
        let clock = VirtualClock::new();
        let at = name.to_owned();
        let server = Server::new(&clock, move |_, _| (Duration::ZERO, Ok(json_reply(&json!({ "name": at })))));
        let operation = smol::block_on(server.client().export_image()).unwrap();
        assert!(smol::block_on(operation.poll_once()).is_ok());
        let uri = server.requests()[1].1.uri().clone();
        assert!(uri.path().starts_with("/v1/operations/") && uri.query().is_none(), "{uri}");
        assert!(!uri.path().contains(".."), "{uri}");
    }
}

#[test]
fn a_name_is_opaque() {
    for name in ["operations/operations/1", "projects/p/locations/l/operations/1", "models/m/operations/1", "1"] {
        let stage =
            Stage::new(Script::named(name).running_with(percent(1)).done(cat()).to("GET", &format!("/v1/{name}")));
        let operation = stage.export();
        assert_eq!(operation.name(), name);
        assert!(smol::block_on(operation.poll_once()).unwrap().is_succeeded());
    }
}

#[test]
fn a_finished_operation_may_be_nameless() {
    for body in [json!({ "done": true, "response": cat() }), json!({ "name": "", "done": true, "response": cat() })] {
        let stage = Stage::new(Script::new().json(body));
        let operation = stage.export();
        assert_eq!(operation.name(), "");
        let same = smol::block_on(operation.poll_until_completed(PollSettings::default())).unwrap();
        assert!(operation.token().to_string().parse::<Token>().is_ok());
        assert!(!format!("{operation:?}").is_empty());
        assert_eq!(
            smol::block_on(operation.delete()).unwrap_err().kind(),
            ErrorKind::Protocol,
            "there is no name to delete"
        );
        assert_eq!(same.into_result().unwrap().uri, "gs://pictures/cat.png");
    }
    let stage = Stage::new(Script::new().json(json!({ "metadata": {} })));
    let error = smol::block_on(stage.client.export_image()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Protocol, "unfinished and nameless: it could not be polled again");
}

#[test]
fn the_grace_after_the_start_survives_a_token() {
    let word = {
        let stage = Stage::new(Script::new().running_with(percent(1)));
        stage.export().token().to_string()
    };
    for (age, forgiven) in [(0.0, true), (5.0, true), (11.0, false), (86_400.0, false)] {
        let stage = Stage::new(Script::new().error(Code::NotFound, "not here").done(cat()));
        // A token holds the wall clock's time of the start call: another process has another
        // monotonic clock.
        stage.clock.set_system_time(std::time::UNIX_EPOCH + Duration::from_secs(1_893_456_000) + secs(age));
        let resumed = stage.client.resume_export_image(word.as_str()).unwrap();
        let done = smol::block_on(resumed.poll_until_completed(PollSettings::default()));
        assert_eq!(done.is_ok(), forgiven, "{age}");
    }
}
