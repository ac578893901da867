//! Checks that the macros and the runtime read the same grammars alike.
//!
//! The macros read at compile time, the runtime at run time. Neither crate can use the other's
//! code, so each grammar exists twice. Here every case goes through both.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]

use std::{collections::BTreeSet, time::Duration};

use lro_runtime::{
    ErrorBudget, Operations, PollSettings, State,
    dialect::{Acceptor, Azure, Cursor, Dialect, Waiter},
    transport::{Reply, Request},
};
use proptest::prelude::*;
use serde_json::json;

#[path = "../../lro-macros/src/grammar/mod.rs"]
mod grammar;
#[allow(dead_code, reason = "only the keys of `poll(…)` are compared")]
#[path = "../../lro-macros/src/long_running/keys.rs"]
mod keys;
#[allow(dead_code, reason = "`keys` needs it")]
#[path = "../../lro-macros/src/nearest.rs"]
mod nearest;

use grammar::{azure_words, duration, final_state_via, poll, states, waiter_path};

/// Reads a duration as settings read it.
fn in_settings(text: &str) -> Option<Duration> {
    let settings: PollSettings = serde_json::from_value(json!({ "initial_delay": text })).ok()?;
    let written = serde_json::to_value(&settings).unwrap();
    // What settings write is read back by the macros' grammar: this proves that it is exact, and
    // legal there.
    Some(duration::parse(written["initial_delay"].as_str().unwrap()).unwrap())
}

#[test]
fn durations_are_read_by_one_rule() {
    let nanos = |nanos| Some(Duration::from_nanos(nanos));
    let cases = [
        ("0s", nanos(0)),
        ("1s", nanos(1_000_000_000)),
        ("1m 30s", nanos(90_000_000_000)),
        ("1m30s", nanos(90_000_000_000)),
        ("1m 30 s", nanos(90_000_000_000)),
        ("500 ms", nanos(500_000_000)),
        ("1.5h", nanos(5_400_000_000_000)),
        ("2d", nanos(172_800_000_000_000)),
        ("3us 4ns", nanos(3_004)),
        ("30s 1m", nanos(90_000_000_000)),
        (" 1s ", nanos(1_000_000_000)),
        ("0.000000001s", nanos(1)),
        ("1.0ns", nanos(1)),
        ("0.5ns", None),
        ("0.0000000001s", None),
        ("", None),
        (" ", None),
        ("10", None),
        ("s", None),
        ("-1s", None),
        ("+1s", None),
        ("1 week", None),
        ("1S", None),
        ("1µs", None),
        ("1.s", None),
        (".5s", None),
        ("1..5s", None),
        ("1.2.3s", None),
        ("1s,", None),
        ("1_000s", None),
        ("213503982334601d", nanos(0).and(Duration::from_secs(213_503_982_334_601).checked_mul(86_400))),
        ("213503982334602d", None),
        ("99999999999999999999999999999999999999999s", None),
    ];
    for (text, expected) in cases {
        assert_eq!(duration::parse(text).ok(), expected, "poll(…): {text:?}");
        assert_eq!(in_settings(text), expected, "settings: {text:?}");
    }
}

#[test]
fn a_setting_that_is_not_a_duration_says_why() {
    let error = serde_json::from_value::<PollSettings>(json!({ "delay": "1 week" })).unwrap_err().to_string();
    assert!(error.contains("`1 week`") && error.contains("`week` is not a unit; legal are d, h, m"), "{error}");
}

/// Whether the runtime accepts a path. It reads the path when an acceptor judges a reply.
fn path_is_read_by_the_runtime(path: &str) -> bool {
    let path: &'static str = String::leak(path.to_owned()); // a declaration is a constant
    let acceptors: &'static [Acceptor] = Vec::leak(vec![Acceptor::success_when(path, "x")]);
    let waiter = Waiter::get("things/{name}").acceptors(acceptors);
    let reply = Reply::new(r#"{"a":{"b":[{"c":1},{"c":[2,3]}]},"list":[1],"state":"x"}"#.into());
    waiter.read(&Cursor::new("7"), &reply).is_ok()
}

#[test]
fn paths_of_waiters_are_read_by_one_rule() {
    let legal = [
        "state",
        "a.b[0].c",
        "\"odd name\"",
        "list[-1]",
        "a.b[].c",
        "a.b[*].c[]",
        "length(list)",
        "length(a.b[].c) == `2`",
        "n >= `3`",
        "state == 'x'",
        "state != `\"x\"`",
        "@.state",
        "@",
        "[].c",
        " a . b ",
        "_a1",
    ];
    let illegal = [
        "",
        ".",
        "a..b",
        "a.",
        "a[",
        "a[x]",
        "a[]b",
        "length(a",
        "length()",
        "a ==",
        "== a",
        "a b",
        "1a",
        "a-b",
        "a == 'x",
        "a == b == c",
        "\"a",
        "a[?b]",
        "{a: b}",
        "a || b",
        "a && b",
        "!a",
        "ä",
    ];
    for (paths, expected) in [(&legal[..], true), (&illegal[..], false)] {
        for path in paths {
            assert_eq!(waiter_path::check(path).is_ok(), expected, "the macro: {path:?}");
            assert_eq!(path_is_read_by_the_runtime(path), expected, "the runtime: {path:?}");
        }
    }
}

proptest! {
    #[test]
    fn any_text_is_a_duration_to_both_or_to_neither(
        text in r"([0-9.]{0,12} {0,2}(ns|us|ms|s|m|h|d|w|µs|)( |,|-|)){0,4}"
    ) {
        prop_assert_eq!(duration::parse(&text).ok(), in_settings(&text));
    }

    #[test]
    fn any_text_is_a_path_to_both_or_to_neither(mut tokens in path(), noise in token(), at in any::<prop::sample::Index>(), kind in 0..4) {
        let at = at.index(tokens.len());
        match kind {
            0 => drop(tokens.remove(at)),
            1 => tokens[at] = noise,
            2 => tokens.insert(at, noise),
            _ => {}
        }
        let path = tokens.concat();
        let is_read = waiter_path::check(&path).is_ok();
        prop_assert_eq!(is_read, path_is_read_by_the_runtime(&path), "{:?}", path);
        prop_assert!(is_read || kind < 3, "a path as the grammar has them: {:?}", path);
    }
}

/// A piece of a path, which may be put in a wrong place.
fn token() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "a", "b1", "_", ".", "[", "]", "[]", "[*]", "[0]", "[-2]", "@", "length(", ")", "==", "<", ">=", "`3`",
        "`\"x\"`", "'x'", "'", "\"q n\"", "\"", " ", "1", "-", "?", "|", "ä",
    ])
}

/// A valid path, in pieces.
fn path() -> impl Strategy<Value = Vec<&'static str>> {
    let field = prop::sample::select(vec!["a", "b1", "_", "\"q n\""]);
    let step = prop_oneof![
        field.clone().prop_map(|field| vec![".", field]),
        prop::sample::select(vec!["[]", "[*]", "[0]", "[ -2 ]"]).prop_map(|index| vec![index]),
    ];
    let first = prop_oneof![field, Just("@")];
    let steps =
        (first, prop::collection::vec(step, 0..4)).prop_map(|(first, steps)| [vec![first], steps.concat()].concat());
    let literal = prop::sample::select(vec!["`3`", "`\"x\"`", "'x'"]).prop_map(|literal| vec![literal]);
    let operand = prop_oneof![4 => steps, 1 => literal]
        .prop_recursive(2, 8, 1, |inner| inner.prop_map(|inner| [vec!["length("], inner, vec![")"]].concat()));
    let compared = (operand.clone(), prop::sample::select(vec!["==", " != ", "<", ">= "]), operand.clone());
    prop_oneof![operand, compared.prop_map(|(left, operator, right)| [left, vec![operator], right].concat())]
}

#[test]
fn the_words_of_final_state_via_are_the_same() {
    let is_read = |word: &str| {
        let options: &'static [_] = Vec::leak(vec![("final_state_via", &*String::leak(word.to_owned()))]);
        let mut reply = Reply::default();
        *reply.status_mut() = http::StatusCode::ACCEPTED;
        reply.headers_mut().insert("operation-location", http::HeaderValue::from_static("https://example.com/monitor"));
        let mut request = Request::default();
        *request.uri_mut() = http::Uri::from_static("https://example.com/start");
        Azure::new().read_start(&request, &reply, options).is_ok()
    };
    for word in final_state_via::WORDS {
        assert!(is_read(word), "{word}");
        assert!(!is_read(&word.to_uppercase()) && !is_read(&word[1..]), "{word}, mistyped");
    }
}

/// Whether the runtime accepts these settings.
fn are_legal(settings: serde_json::Value) -> bool {
    let settings = serde_json::from_value::<PollSettings>(settings);
    settings.is_ok_and(|settings| Operations::builder("http://a.test").poll_settings(settings).build().is_ok())
}

/// Every key of settings that the attribute's `poll(…)` does not have, each with the reason.
const NOT_IN_POLL: [(&str, &str); 2] =
    [("seed", "waits of one method would all have the same jitter"), ("expiration", "`timeout` is its key")];

#[test]
fn poll_has_every_key_of_settings() {
    let unknown = serde_json::from_value::<PollSettings>(json!({ "?": 1 })).unwrap_err().to_string();
    let (_, listed) = unknown.split_once("expected one of ").unwrap();
    let of_settings: BTreeSet<&str> = listed.split('`').skip(1).step_by(2).collect();
    let of_poll = keys::POLL_KEYS.into_iter().filter(|key| *key != "timeout");
    assert_eq!(of_settings, of_poll.chain(NOT_IN_POLL.map(|(key, _)| key)).collect());
}

#[test]
fn the_least_durations_of_poll_are_those_of_settings() {
    let just_less = |least: Duration| least.checked_sub(Duration::from_nanos(1));
    for (key, least) in poll::DURATIONS {
        let of = |value: Duration| {
            // The delay goes along, which must not be more than `max_delay`.
            let mut settings = json!({ "delay": "1ms" });
            settings[key] = value.as_secs_f64().into();
            are_legal(settings)
        };
        assert!(of(least), "{key}");
        assert!(just_less(least).is_none_or(|value| !of(value)), "{key}");
    }
    for (key, least) in poll::BUDGET_DURATIONS {
        let of = |value: Duration| {
            let mut budget = json!({ "failures": 1, "delay": "1ms" });
            budget[key] = value.as_secs_f64().into();
            are_legal(json!({ "error_budget": budget }))
        };
        assert!(of(least), "error_budget.{key}");
        assert!(just_less(least).is_none_or(|value| !of(value)), "error_budget.{key}");
    }
    let outage =
        |elapsed: Duration| are_legal(json!({ "error_budget": { "origin": { "elapsed": elapsed.as_secs_f64() } } }));
    assert!(outage(Duration::ZERO), "of `origin`, the same as of the budget");
    let hint = |floor: Duration| {
        are_legal(json!({ "hint": { "obey": { "floor": floor.as_secs_f64(), "ceiling": floor.as_secs_f64() } } }))
    };
    assert!(hint(poll::SHORTEST_DELAY) && !hint(just_less(poll::SHORTEST_DELAY).unwrap()));
    let lone_max_delay =
        |max_delay: Duration| are_legal(json!({ "error_budget": ErrorBudget::new(1).with_max_delay(max_delay) }));
    assert!(lone_max_delay(poll::BUDGET_DELAY) && !lone_max_delay(just_less(poll::BUDGET_DELAY).unwrap()));
}

#[test]
fn the_words_of_poll_are_those_of_settings() {
    for (key, words) in [("jitter", &poll::JITTER[..]), ("unknown_status", &poll::UNKNOWN_STATUS)] {
        let wrong = serde_json::from_value::<PollSettings>(json!({ key: "?" })).unwrap_err().to_string();
        assert!(
            words.iter().all(|(word, variant)| wrong.contains(&format!("`{word}`")) && variant.to_lowercase() == *word)
        );
        assert_eq!(wrong.matches('`').count(), 2 + 2 * words.len(), "{wrong}");
    }
    for (word, setter) in poll::ORIGIN {
        let budget: ErrorBudget = serde_json::from_value(json!({ "failures": 1, "origin": word })).unwrap();
        let one = ErrorBudget::new(1);
        let set =
            [("with_origin_forgiven", one.with_origin_forgiven()), ("with_origin_counted", one.with_origin_counted())];
        let set = set.iter().find(|(name, _)| *name == setter).unwrap();
        assert_eq!(budget, set.1, "{word}");
    }
    let wrong = serde_json::from_value::<ErrorBudget>(json!({ "origin": "?" })).unwrap_err().to_string();
    assert_eq!(wrong.matches('`').count(), 2 * poll::ORIGIN.len(), "{wrong}");
    assert!(are_legal(json!({ "hint": poll::IGNORE })) && are_legal(json!({ "expiration": poll::NEVER })));
}

/// Returns the state of a monitor with this status word, where the method declares it as running.
fn state_of(word: &str) -> State {
    let options: &'static [_] = Vec::leak(vec![("running", &*String::leak(word.to_owned()))]);
    let cursor = Azure::new().locate("/monitor", options).unwrap();
    let reply = Reply::new(json!({ "status": word }).to_string().into());
    Azure::new().read(&cursor, &reply).unwrap().state
}

#[test]
fn the_words_whose_meaning_nobody_changes_are_the_same() {
    for word in azure_words::WORDS {
        assert_ne!(state_of(word), State::Running, "{word}");
        assert_ne!(state_of(&word.to_uppercase()), State::Running, "{word}");
    }
}

#[test]
fn the_states_are_the_same() {
    let of_the_runtime: Vec<_> = State::ALL.iter().map(|state| (state.to_string(), format!("{state:?}"))).collect();
    let of_the_macro: Vec<_> =
        states::STATES.iter().map(|(word, variant)| (word.to_string(), variant.to_string())).collect();
    assert_eq!(of_the_macro, of_the_runtime);
}
