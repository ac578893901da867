//! Plays one script: once with the library's wait, once through tokens.

use std::{collections::BTreeSet, future::IntoFuture};

use futures_lite::{StreamExt, future::block_on};
use lro_runtime::{Error, ErrorKind, Operations, Payload, PollSettings, RawOperation, Status, Token};
use serde_json::Value;

use crate::{
    dialects::{WithOptions, dialect},
    parse::{Script, seconds},
    wire::{Clock, Wire},
};

/// Default settings of a script: constant delays of one second, so that any other delay is noticed,
/// and no held polls, because through tokens each poll is one of its own.
const SETTINGS: &str =
    r#"{"delay":"1s","multiplier":1.0,"jitter":"none","long_poll":"never","expiration":{"timeout":"10m"}}"#;

/// Plays `script` in both ways, and checks that both send the same requests.
pub(crate) fn play(script: &Script) -> Result<(), String> {
    let clock = Clock::new();
    let wire = Wire::new(clock.clone(), &script.base, &script.steps);
    let said = |mode: &'static str| move |why: String| format!("{mode}: {why}");
    // A wait makes no calls such as `cancel`, and does not return before the operation is terminal.
    let by_hand = script.steps.iter().any(|step| step.call.is_some()) || !is_terminal(&script.end.word);
    let mut checked = Checked::default();
    if by_hand {
        step_by_step(script, &wire, &clock, false, &mut checked).map_err(said("by hand"))?;
    } else {
        waiting(script, &wire, &clock, &mut checked).map_err(said("waiting"))?;
    }
    let clock = Clock::new();
    let kept = script.client_headers.iter().map(|(name, _)| name.clone()).collect();
    let tokens = Wire::new(clock.clone(), &script.base, &script.steps).through_tokens(kept);
    step_by_step(script, &tokens, &clock, true, &mut checked).map_err(said("through tokens"))?;
    // A start or a poll that failed gave no snapshot: what is expected of it would go unchecked.
    for (index, step) in script.steps.iter().enumerate() {
        if let Some((word, _)) = step.expected.first().filter(|_| !checked.contains(&index)) {
            return Err(format!("request {} gave no operation, expected one with `{word}`", index + 1));
        }
    }
    let (first, second) = (wire.sent(), tokens.sent());
    if first == second {
        Ok(())
    } else {
        Err(format!("through tokens other requests were sent: {second:?}, waiting {first:?}"))
    }
}

fn is_terminal(end: &str) -> bool {
    matches!(end, "succeeded" | "failed" | "cancelled") || end.starts_with("error ")
}

fn client(script: &Script, wire: &Wire, clock: &Clock) -> Result<Operations, String> {
    let inner = dialect(&script.dialect).ok_or_else(|| format!("there is no dialect `{}`", script.dialect))?;
    // The options of a method are constants, hence `&'static`. A test may leak its memory.
    let options: Vec<(&'static str, &'static str)> =
        script.options.iter().map(|(name, value)| (&*name.clone().leak(), &*value.clone().leak())).collect();
    let mut builder = Operations::builder(&script.base)
        .dialect(WithOptions { inner, options: options.leak() })
        .transport(wire.clone())
        .timer(clock.clone())
        .poll_settings(settings(script)?);
    builder = builder.cookies(script.cookies).start_retries(script.start_retries.unwrap_or_default());
    if let Some(header) = &script.start_id {
        builder = builder.start_id(header);
    }
    for (name, value) in &script.client_headers {
        builder = builder.header(name, value);
    }
    for origin in &script.allowed {
        builder = builder.allow_origin(origin);
    }
    for origin in &script.allowed_with_credentials {
        builder = builder.allow_origin_with_credentials(origin);
    }
    builder.build().map_err(|error| error.to_string())
}

fn settings(script: &Script) -> Result<PollSettings, String> {
    serde_json::from_str(script.settings.as_deref().unwrap_or(SETTINGS)).map_err(|error| format!("settings: {error}"))
}

/// Sends the start call, or resumes from a name if the script has no start call.
fn begin(script: &Script, client: &Operations) -> Result<RawOperation, Error> {
    if let Some(name) = &script.resume {
        return client.resume(name.as_str());
    }
    let step = script.steps.first().expect("a script has a request");
    let target =
        if step.target.contains("://") { step.target.clone() } else { format!("{}{}", script.base, step.target) };
    let mut request = http::Request::builder().method(step.method.as_str()).uri(target);
    // The client adds these headers by itself, and the script only expects them.
    let own = |name: &str| {
        script.client_headers.iter().any(|(known, _)| known == name)
            || script.start_id.as_deref() == Some(name)
            || name == "cookie"
    };
    for (name, value) in step.headers.iter().filter(|(name, _)| !own(name)) {
        request = request.header(name, value);
    }
    block_on(client.start(request.body(step.body.clone().unwrap_or_default()).expect("a request")))
}

/// Plays the script as a user waits: with the library's own delays.
fn waiting(script: &Script, wire: &Wire, clock: &Clock, checked: &mut Checked) -> Result<(), String> {
    let client = client(script, wire, clock)?;
    let mut outcome = begin(script, &client);
    if let Ok(operation) = &outcome {
        check_step(script, wire, operation, true, checked)?;
        let mut snapshots = operation.snapshots(PollSettings::default());
        while let Some(next) = block_on(snapshots.next()) {
            if let Ok(snapshot) = &next {
                check_step(script, wire, snapshot, true, checked)?;
            }
            outcome = next;
        }
    }
    finished(script, wire, &outcome.map_err(Some))
}

/// Plays the script with one call per step. With `tokens`, the operation is written to a token and
/// resumed before each.
fn step_by_step(
    script: &Script,
    wire: &Wire,
    clock: &Clock,
    tokens: bool,
    checked: &mut Checked,
) -> Result<(), String> {
    let client = client(script, wire, clock)?;
    let mut operation = match begin(script, &client) {
        Ok(operation) => operation,
        Err(error) => return finished(script, wire, &Err(Some(error))),
    };
    check_step(script, wire, &operation, !tokens, checked)?;
    let mut last_error = None;
    while let Some(step) = script.steps.get(wire.served()) {
        if tokens {
            let token: Token = operation.token().to_string().parse().map_err(|error: Error| error.to_string())?;
            if token != operation.token() {
                return Err("the token is another one once it was written".to_owned());
            }
            operation = client.resume(token).map_err(|error| error.to_string())?;
        }
        let served = wire.served();
        let outcome = match step.call.as_deref().map(|call| call.split_once(' ').unwrap_or((call, ""))) {
            None => block_on(operation.poll_once()),
            Some(("cancel", _)) => block_on(operation.cancel()).map(|_| operation.clone()),
            Some(("delete", _)) => block_on(operation.delete()).map(|()| operation.clone()),
            Some(("wait", time)) => block_on(operation.wait(seconds(time).ok_or("wait: expected seconds")?)),
            Some((other, _)) => return Err(format!("`do {other}`: expected cancel, delete or wait")),
        };
        match outcome {
            Ok(next) => {
                check_step(script, wire, &next, !tokens, checked)?;
                (operation, last_error) = (next, None);
            }
            Err(error) => last_error = Some(error),
        }
        // A call that sent nothing would be repeated for ever.
        if wire.served() == served {
            break;
        }
    }
    match last_error {
        Some(error) => finished(script, wire, &Err(Some(error))),
        None if script.end.word.starts_with("error ") => finished(script, wire, &Err(None)),
        None => finished(script, wire, &Ok(operation)),
    }
}

/// The steps whose expectations were held against a snapshot, by index.
type Checked = BTreeSet<usize>;

/// Checks a snapshot against the expectations of the step whose reply it came from.
fn check_step(
    script: &Script,
    wire: &Wire,
    snapshot: &RawOperation,
    everything: bool,
    checked: &mut Checked,
) -> Result<(), String> {
    let Some(last) = wire.served().checked_sub(1) else { return Ok(()) };
    let Some(step) = script.steps.get(last) else { return Ok(()) };
    checked.insert(last);
    for (word, rest) in &step.expected {
        let found = match word.as_str() {
            "raw" => snapshot.raw_status().unwrap_or("none").to_owned(),
            "name" => snapshot.name().to_owned(),
            // Tokens keep neither, so a snapshot that came through a token may have none.
            "progress" | "metadata" if !everything => continue,
            "progress" => snapshot.progress().map_or_else(|| "none".to_owned(), |progress| progress.to_string()),
            "metadata" => {
                same_json("metadata", snapshot.metadata().map(Payload::decode_json), rest)?;
                continue;
            }
            state => {
                if state != snapshot.state().to_string() {
                    return Err(format!(
                        "after request {} it is {}, expected {state}",
                        wire.served(),
                        snapshot.state()
                    ));
                }
                continue;
            }
        };
        if found != *rest {
            return Err(format!("after request {} the {word} is `{found}`, expected `{rest}`", wire.served()));
        }
    }
    Ok(())
}

fn same_json(what: &str, found: Option<Result<Value, Error>>, expected: &str) -> Result<(), String> {
    let found = found.transpose().map_err(|error| error.to_string())?;
    let wanted = match expected {
        "none" => None,
        json => Some(serde_json::from_str::<Value>(json).map_err(|error| format!("{what}: {error}"))?),
    };
    let shown = |value: &Option<Value>| value.as_ref().map_or_else(|| "none".to_owned(), Value::to_string);
    if found == wanted {
        Ok(())
    } else {
        Err(format!("the {what} is `{}`, expected `{}`", shown(&found), shown(&wanted)))
    }
}

/// Checks the end of a script: an operation, an error, or (`Err(None)`) an error that only a wait
/// gives.
fn finished(script: &Script, wire: &Wire, outcome: &Result<RawOperation, Option<Error>>) -> Result<(), String> {
    let mut wrong = wire.wrong();
    if wire.served() < script.steps.len() {
        wrong.push(format!("{} of {} requests were sent", wire.served(), script.steps.len()));
    }
    let ended = match outcome {
        Ok(operation) => operation.state().to_string(),
        Err(Some(error)) => format!("error {:?}", error.kind()),
        Err(None) => script.end.word.clone(),
    };
    if ended != script.end.word {
        let more =
            outcome.as_ref().err().and_then(Option::as_ref).map(|error| format!(" ({error})")).unwrap_or_default();
        wrong.push(format!("it ended as `{ended}`{more}, expected `{}`", script.end.word));
    }
    for (fact, expected) in &script.end.facts {
        wrong.extend(check_fact(outcome, fact, expected).err());
    }
    if let Ok(operation) = outcome {
        wrong.extend(check_into_result(operation).err());
    }
    if wrong.is_empty() { Ok(()) } else { Err(wrong.join("\n    ")) }
}

fn check_fact(outcome: &Result<RawOperation, Option<Error>>, fact: &str, expected: &str) -> Result<(), String> {
    let status = match outcome {
        Ok(operation) => operation.status().cloned(),
        Err(error) => error.as_ref().and_then(|error| error.status().cloned()),
    };
    let text = match (fact, outcome) {
        ("result", Ok(operation)) => {
            return same_json("result", operation.response().map(Payload::decode_json), expected);
        }
        ("text", Ok(operation)) => {
            operation.response().map(|payload| String::from_utf8_lossy(payload.bytes()).into_owned())
        }
        ("says" | "code" | "reason" | "message" | "detail", Err(None)) => return Ok(()),
        ("says", Err(Some(error))) => {
            let line = error.to_string();
            return if line.contains(expected) {
                Ok(())
            } else {
                Err(format!("the error says `{line}`, expected `{expected}` in it"))
            };
        }
        ("code", _) => status.map(|status| status.code().name().to_owned()),
        ("reason", _) => status.and_then(|status| status.reason().map(str::to_owned)),
        ("message", _) => status.map(|status| status.message().to_owned()),
        ("detail", _) => {
            let details: Vec<_> =
                status.iter().flat_map(Status::details).map(|detail| detail.json().to_owned()).collect();
            return if details.iter().any(|detail| detail == expected) {
                Ok(())
            } else {
                Err(format!("the details are {details:?}, expected `{expected}`"))
            };
        }
        _ => return Err(format!("`{fact}` is not a fact of this end")),
    };
    let found = text.unwrap_or_else(|| "none".to_owned());
    if found == expected { Ok(()) } else { Err(format!("the {fact} is `{found}`, expected `{expected}`")) }
}

/// Checks that awaiting an operation is an error unless it succeeded.
fn check_into_result(operation: &RawOperation) -> Result<(), String> {
    let expected = match operation.state() {
        lro_runtime::State::Succeeded => None,
        lro_runtime::State::Failed => Some(ErrorKind::Failed),
        lro_runtime::State::Cancelled => Some(ErrorKind::Cancelled),
        _ => return Ok(()),
    };
    let found = block_on(operation.clone().into_future()).err().map(|error| error.kind());
    if found == expected { Ok(()) } else { Err(format!("awaiting it gives {found:?}, expected {expected:?}")) }
}
