//! Promises of tokens: a round trip is exact, and a token that is damaged or of another method is
//! refused.

use std::time::Duration;

use lro_runtime::{
    Code, Dialect, ErrorKind, Operations, RawOperation, Resume, State, Token,
    dialect::{Azure, Compute, Google, GoogleGrpc, Http, Jobs, Lxd, Redfish, Vertex, Waiter},
    testing::{Script, VirtualClock},
};
use serde_json::json;

use crate::{
    secrets::decode,
    support::{Server, Stage, cat, percent, reply},
};

/// Returns a script for an operation in each state.
fn every_state() -> Vec<Script> {
    let status = json!({
        "code": 8, "message": "full", "details": [{ "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "STOCKOUT" }, 5]
    });
    vec![
        Script::new().pending(),
        Script::named("projects/p/locations/eu/operations/ä ö?").running_with(percent(40)),
        Script::new().done(cat()),
        Script::new().failed_with(status),
        Script::new().cancelled(),
        Script::new().json(json!({ "done": true, "error": { "code": 5, "message": "nameless" } })),
    ]
}

fn untyped(script: Script) -> (Stage, RawOperation) {
    let stage = Stage::new(script);
    let operation = stage.export().untyped().clone();
    (stage, operation)
}

#[test]
fn a_token_of_a_path_on_the_clients_origin_names_no_host() {
    let clock = VirtualClock::new();
    let server = Server::new(&clock, |_, _| {
        let mut moved = reply(202, "");
        moved.headers_mut().insert("location", "/x?part=2".parse().unwrap());
        (Duration::ZERO, Ok(moved))
    });
    let client = |base| {
        let builder = Operations::builder(base).dialect(Http::new()).transport(server.clone()).timer(clock.clone());
        builder.build().unwrap()
    };
    let resumed = client("https://api.test/base").resume("jobs/7").unwrap();
    let token = smol::block_on(resumed.poll_once()).unwrap().token();
    assert!(!decode(&token.to_string()).contains("://"), "{}", decode(&token.to_string()));
    let moved = client("https://other.test/v2").resume(token).unwrap();
    assert_eq!(smol::block_on(moved.poll_once()).unwrap().state(), State::Running);
    let asked: Vec<_> = server.requests().iter().map(|(_, request)| request.uri().to_string()).collect();
    assert_eq!(asked, ["https://api.test/base/jobs/7", "https://other.test/x?part=2"]);
}

#[test]
fn a_round_trip_is_exact_in_every_state() {
    for script in every_state() {
        let (stage, operation) = untyped(script);
        let token = operation.token();
        let word = token.to_string();
        assert_eq!(word.parse::<Token>().unwrap(), token);
        let json = serde_json::to_string(&token).unwrap();
        assert_eq!(serde_json::from_str::<Token>(&json).unwrap(), token);
        assert_eq!(json, format!("\"{word}\""), "one word in any format");
        assert_eq!((token.name(), token.state()), (operation.name(), operation.state()));
        let resumed = stage.client.resume_export_image(&token).unwrap();
        assert_eq!(resumed.name(), operation.name());
        assert_eq!(resumed.status(), operation.status());
        // A token does not keep the response. A resumed success is Running until one more poll
        // fetches the response.
        let expected = if operation.state() == State::Succeeded { State::Running } else { operation.state() };
        assert_eq!(resumed.untyped().state(), expected, "a success is polled once more, for its response");
        if operation.state() != State::Succeeded {
            assert_eq!(resumed.token(), token);
        }
        assert_eq!(stage.requests(), 1, "no I/O");
    }
}

#[test]
fn a_token_is_one_url_safe_word() {
    for script in every_state() {
        let word = untyped(script).1.token().to_string();
        assert!(word.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)), "{word}");
    }
}

#[test]
fn a_token_that_was_tampered_with_is_refused_whatever_was_changed() {
    let (stage, operation) = untyped(Script::new().failed(Code::Internal, "m"));
    let word = operation.token().to_string();
    for position in 0..word.len() {
        for flip in 0..8 {
            let mut bytes = word.clone().into_bytes();
            bytes[position] ^= 1 << flip;
            let Ok(tampered) = String::from_utf8(bytes) else { continue };
            let error = tampered.parse::<Token>().expect_err(&tampered);
            assert_eq!(error.kind(), ErrorKind::InvalidToken);
            if tampered.starts_with("lro1-") && tampered != word {
                assert!(stage.client.resume_export_image(tampered).is_err());
            }
        }
    }
}

#[test]
fn a_token_that_was_cut_or_lengthened_is_refused() {
    let word = untyped(Script::new().running_with(percent(1))).1.token().to_string();
    for length in 0..word.len() {
        let error = word[..length].parse::<Token>().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidToken);
        assert!(!error.to_string().contains('\n'));
    }
    for extra in ["A", "AA", "=", "-", "lro1"] {
        assert!((word.clone() + extra).parse::<Token>().is_err(), "{extra}");
    }
    assert!(format!("  {word}\n").parse::<Token>().is_ok(), "what copying adds is no harm");
}

#[test]
fn foreign_words_and_newer_versions_say_what_they_are() {
    for (word, said) in [
        ("", "not a token"),
        ("operations/1", "not a token"),
        ("lro", "not a token"),
        ("lro-", "not a token"),
        ("lro0-x-y", "not a token"),
        ("lro+1-x-y", "not a token"),
        ("lro2-00000000-e30", "version 2"),
        ("lro999-anything", "version 999"),
        ("lro99999999999999-x", "not a token"),
        ("lro1-00000000-e30", "damaged"),
        ("lro1-", "damaged"),
        ("lro1-0000", "damaged"),
        ("lro1-operations/7", "damaged"),
    ] {
        let error = word.parse::<Token>().unwrap_err();
        assert!(error.to_string().contains(said), "{word}: {error}");
    }
}

#[test]
fn a_word_that_begins_as_a_token_is_not_told_to_begin_so() {
    let word = untyped(Script::new().running_with(percent(1))).1.token().to_string();
    for length in 5..word.len() {
        let said = word[..length].parse::<Token>().unwrap_err().to_string();
        assert!(!said.contains("begins with"), "{said}");
    }
}

#[test]
fn a_name_where_only_a_token_is_taken_is_refused_and_asks_nothing() {
    let (stage, operation) = untyped(Script::new().running_with(percent(1)));
    let token = operation.token();
    for legal in [token.to_string(), format!(" {token}\n")] {
        assert_eq!(stage.client.resume_export_image(Resume::token_only(legal)).unwrap().name(), operation.name());
    }
    let url = "https://scripted.test/v1/operations/1?sig=hunter2";
    for name in [operation.name(), "", "operations/1", "../admin", url, "lro1-", "lrox-operations/1"] {
        let error = stage.client.resume_export_image(Resume::token_only(name)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidToken, "{name}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
        assert!(error.to_string().ends_with("names are refused here"), "no advice to do what is refused: {error}");
    }
    assert_eq!(stage.requests(), 1);
}

#[test]
fn whatever_else_may_stand_in_a_word_is_refused() {
    let operations = Operations::builder("http://scripted.test").build().unwrap();
    for content in [
        "",
        "{}",
        "[]",
        "null",
        "\"x\"",
        r#"["m","google","n",null,"running"]"#,
        r#"{"dialect":"google","name":"n","state":"running"}"#,
        r#"{"dialect":"google","name":"n","state":"asleep","cursor":{"key":"n"}}"#,
        r#"{"dialect":"google","name":"n","state":"running","cursor":{"key":"n"},"more":1}"#,
        r#"{"dialect":"google","name":"n","state":"running","cursor":{"key":"../../x"}}"#,
        r#"{"dialect":"google","name":"n","state":"running","cursor":{"key":"n","parts":[["path","https://evil.test/{name}"]]}}"#,
        r#"{"dialect":"klingon","name":"n","state":"running","cursor":{"key":"n"}}"#,
    ] {
        let refused = match word_of(content).parse::<Token>() {
            Ok(token) => operations.resume(token).is_err(),
            Err(error) => error.kind() == ErrorKind::InvalidToken,
        };
        assert!(refused, "{content}");
    }
    let legal =
        r#"{"dialect":"google","name":"n","state":"running","cursor":{"key":"n"},"started":18446744073709551615}"#;
    let resumed = operations.resume(word_of(legal).parse::<Token>().unwrap()).unwrap();
    assert_eq!(resumed.name(), "n", "a start in the far future is no harm");
}

#[test]
fn what_a_forged_token_says_to_have_left_out_is_bounded_and_counted_without_overflow() {
    let names: Vec<String> = (0..500).map(|n| format!("p{n}{}", "x".repeat(200))).collect();
    let most = u64::MAX;
    let content = json!({
        "dialect": "google", "name": "n", "state": "failed", "cursor": { "key": "n" },
        "status": { "code": 9, "message": "m", "details": [{ "type": "t/x", "proto": "P3NpZz14" }] },
        "left_out": { "parameters": names, "details": most },
    });
    let stage = Stage::new(Script::new().done(cat()));
    let resumed = stage.client.operations.resume(word_of(&content.to_string()).parse::<Token>().unwrap()).unwrap();
    let token = resumed.token();
    assert_eq!(token.left_out().len(), 33, "32 names and `…`");
    assert!(token.to_string().len() < 8 * 1024, "{}", token.to_string().len());
    assert_eq!(token.details_left_out() as u64, most);
}

/// Returns a token with this content and the right checksum, as a forger would write it.
fn word_of(content: &str) -> String {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    // FNV-1a, the checksum of tokens. It finds accidents; what a token says is checked when it is
    // resumed.
    let sum = content.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    let encoded = content.as_bytes().chunks(3).flat_map(|chunk| {
        let all = chunk.iter().chain([&0, &0]).take(3).fold(0_usize, |all, byte| all << 8 | usize::from(*byte));
        (0..=chunk.len()).map(move |n| char::from(alphabet[all >> (18 - 6 * n) & 63]))
    });
    format!("lro1-{sum:08x}-{}", encoded.collect::<String>())
}

#[test]
fn a_token_of_another_method_or_dialect_is_refused_and_names_both() {
    let (stage, operation) = untyped(Script::new().running_with(percent(1)));
    let error = stage.client.resume_purge(operation.token()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidToken);
    assert!(error.to_string().contains("ImageClient.export_image"), "{error}");
    let other = Operations::builder("http://scripted.test").dialect(lro_runtime::dialect::Http).build().unwrap();
    let error = other.resume(operation.token()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidToken);
    assert!(error.to_string().contains("google"), "{error}");
}

#[test]
fn an_untyped_token_fits_any_method_and_a_name_does() {
    let stage = Stage::new(Script::new().done(cat()));
    let token = stage.client.operations.resume("operations/1").unwrap().token();
    assert_eq!(token.method(), "");
    for from in [Resume::from("operations/1"), Resume::from(&token), Resume::from(token.to_string())] {
        assert_eq!(stage.client.resume_export_image(from).unwrap().name(), "operations/1");
    }
}

#[test]
fn a_name_that_only_looks_like_a_token_is_a_name() {
    let operations = Operations::builder("http://scripted.test").build().unwrap();
    for name in ["lro-images/1", "lrox-images/1", "lro1/images", "lro"] {
        assert_eq!(operations.resume(name).unwrap().name(), name);
    }
}

#[test]
fn debug_output_says_which_operation_a_token_and_a_resume_are_of() {
    let token = untyped(Script::new().running_with(percent(1))).1.token();
    for shown in [format!("{token:?}"), format!("{:?}", Resume::from(&token))] {
        assert!(["operations/1", "export_image", "Running"].iter().all(|part| shown.contains(part)), "{shown}");
    }
    assert_eq!(format!("{:?}", Resume::from("operations/7")), r#"Resume("operations/7")"#);
}

#[test]
fn the_word_of_a_dialect_in_tokens_never_changes() {
    let google = Google::new().id();
    assert_eq!((google, GoogleGrpc::new().id()), ("google", "google"), "a token of one resumes over the other");
    assert_eq!((Azure::new().id(), Compute::new().id(), Http.id()), ("azure", "compute", "http"));
    assert_eq!((Jobs::new().id(), Lxd::new().id(), Redfish.id()), ("google-jobs", "lxd", "redfish"));
    assert_eq!((Vertex::new().id(), Waiter::start_url().id()), ("vertex", "waiter"));
}
