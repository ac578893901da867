//! Forged tokens: everyone can write one, and none leads a client off its origin.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a suite panics where a promise is broken")]

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use fastrand::Rng;
use lro_runtime::{
    ErrorKind, Operations, RawOperation, Result, Resume, State, Token, block_on, long_running,
    testing::VirtualClock,
    transport::{Reply, Request},
};
use serde_json::Value;

use crate::{
    hostile,
    json::Json,
    readers::{damage, generate, protobuf},
    recorded::{Exchange, Service, recorded, start_request},
    round::{Counts, Suite},
    trust,
    wire::Wire,
};

/// Tokens with a valid checksum and any content.
pub const TOKENS: Suite = Suite { name: "tokens", unit: "tokens", case: of_seed, short: 900, long: 5000 };

/// A method, whose tokens are bound to it.
pub struct Sdk {
    operations: Operations,
}

#[long_running]
impl Sdk {
    /// Starts.
    #[long_running(response = Value, metadata = Value, cancel, delete)]
    pub async fn export(&self) -> Result<RawOperation> {
        self.operations.post("export", &()).await
    }
}

/// The name of [`Sdk`]'s method in tokens.
const METHOD: &str = "Sdk.export";

/// The letters before the checksum.
const HEAD: &str = "lro1-";

/// Returns what a token says, in JSON; `None` if it is no token.
#[must_use]
pub fn content(word: &str) -> Option<String> {
    let (_, encoded) = word.strip_prefix(HEAD)?.split_once('-')?;
    String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).ok()?).ok()
}

/// Writes a token that says this.
#[must_use]
pub fn forged(content: &[u8]) -> String {
    let sum = content.iter().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
    format!("{HEAD}{sum:08x}-{}", URL_SAFE_NO_PAD.encode(content))
}

/// Makes a token of a recorded operation, and forges it.
fn of_seed(seed: u64) -> Counts {
    play(&case(seed))
}

/// Returns the case of a seed, as bytes.
#[must_use]
pub fn case(seed: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed);
    let rng = &mut rng;
    let index = rng.usize(..recorded().services.len());
    let mut tree = valid(rng, index).unwrap_or_else(|| {
        let dialect = lro_runtime::Dialect::id(&recorded().service(index).dialect());
        Json::Object(vec![
            ("\"dialect\"".to_owned(), Json::string(dialect)),
            ("\"name\"".to_owned(), Json::string("projects/p/operations/1")),
            (
                "\"cursor\"".to_owned(),
                Json::Object(vec![("\"key\"".to_owned(), Json::string("projects/p/operations/1"))]),
            ),
            ("\"state\"".to_owned(), Json::string("running")),
        ])
    });
    for _ in 0..[0, 1, 1, 2, 3, 5][rng.usize(..6)] {
        forge(rng, &mut tree);
    }
    let mut bytes = vec![u8::try_from(index).unwrap_or_default(), rng.u8(..)];
    bytes.extend(tree.text("").into_bytes());
    bytes
}

/// Returns what a valid token of a recorded operation says.
fn valid(rng: &mut Rng, service: usize) -> Option<Json> {
    let scripts = recorded().scripts_of(service);
    let script = rng.choice(&scripts).copied()?.to_vec();
    let request = start_request(&script.first()?.start);
    let service = recorded().service(service);
    let wire = Wire::new(move |sent, _| answer(service, script.get(sent)));
    let builder = service.client().transport(wire).timer(VirtualClock::new());
    let client = builder.allow_origin("https://elsewhere.test").build().ok()?;
    let mut operation = block_on(client.start(request)).ok()?;
    for _ in 0..rng.usize(..3) {
        operation = block_on(operation.poll_once()).ok()?;
    }
    Json::read(content(&operation.token().to_string())?.as_bytes())
}

/// Returns the recorded reply, as the service words it.
fn answer(service: &Service, exchange: Option<&Exchange>) -> Reply {
    let mut reply = Reply::default();
    if let Some(exchange) = exchange {
        *reply.body_mut() = exchange.body.clone().into();
        *reply.status_mut() = exchange.status.try_into().unwrap_or_default();
        for (name, value) in &exchange.headers {
            if let (Ok(name), Ok(value)) = (name.parse::<http::HeaderName>(), value.as_slice().try_into()) {
                reply.headers_mut().append(name, value);
            }
        }
    }
    if service.is_grpc() {
        protobuf::as_grpc(&mut reply);
    }
    reply
}

/// Changes what a token says, as an attacker would.
fn forge(rng: &mut Rng, tree: &mut Json) {
    if rng.u8(..6) == 0 {
        let kind = rng.choice(generate::KINDS).copied().unwrap_or_default();
        return damage::damage_tree(rng, tree, kind);
    }
    let text = hostile::text(rng);
    let Json::Object(members) = tree else { return };
    let set = |members: &mut Vec<(String, Json)>, name: &str, value: Json| {
        let name = Value::from(name).to_string();
        members.retain(|(known, _)| *known != name);
        members.push((name, value));
    };
    match rng.u8(..16) {
        0 => {
            let method = rng.choice([METHOD, "", "Other.export", &text]).unwrap_or_default().to_owned();
            set(members, "method", Json::string(&method));
        }
        1 => {
            let services = &recorded().services;
            let other = rng.choice(services).map(|service| lro_runtime::Dialect::id(&service.dialect()));
            set(members, "dialect", Json::string(other.unwrap_or_default()));
        }
        2 => set(members, "name", Json::string(&text)),
        3 => {
            let word = rng.choice(["pending", "running", "succeeded", "failed", "cancelled", "Running", "done"]);
            set(members, "state", Json::string(word.unwrap_or_default()));
        }
        4 => set(
            members,
            "status",
            Json::Scalar(format!(r#"{{"code":3,"message":{},"details":[]}}"#, Value::from(text))),
        ),
        5 => set(
            members,
            "started",
            Json::Scalar(rng.choice(["0", "18446744073709551615", "1700000000000"]).unwrap_or_default().to_owned()),
        ),
        _ => {
            let cursor = members.iter_mut().find(|(name, _)| name == "\"cursor\"");
            let Some((_, Json::Object(cursor))) = cursor else { return };
            match rng.u8(..6) {
                0 => {
                    let kind = if rng.bool() { "untrusted" } else { "protocol" };
                    set(cursor, "refused", Json::Object(vec![(format!("\"{kind}\""), Json::string(&text))]));
                }
                1 => cursor.retain(|(name, _)| name != "\"refused\""),
                2 | 3 => set(cursor, "key", Json::string(&text)),
                _ => {
                    let parts = cursor.iter_mut().find(|(name, _)| name == "\"parts\"");
                    let Some((_, Json::List(parts))) = parts else {
                        let name = Json::string(&damage::part_name(rng));
                        let part = Json::List(vec![name, Json::string(&text)]);
                        return set(cursor, "parts", Json::List(vec![part]));
                    };
                    let at = rng.usize(..parts.len().max(1));
                    match parts.get_mut(at) {
                        Some(Json::List(pair)) if pair.len() == 2 => pair[rng.usize(..2)] = Json::string(&text),
                        _ => parts.push(Json::List(vec![Json::string(&damage::part_name(rng)), Json::string(&text)])),
                    }
                }
            }
        }
    }
}

/// Resumes from any content of a token, and makes every call.
///
/// In bytes: the service, which recorded reply every request gets, then what the token says.
///
/// # Panics
///
/// When a request leaves the origin, or goes to a place that the token says was refused.
#[must_use]
pub fn play(bytes: &[u8]) -> Counts {
    let mut counts = Counts::default();
    let (head, said) = bytes.split_at(bytes.len().min(2));
    let [index, reply] = [0, 1].map(|at| usize::from(head.get(at).copied().unwrap_or_default()));
    let service = recorded().service(index);
    counts.add(service.name, 1);
    let exchanges: Vec<_> = recorded().scripts_of(index).into_iter().flatten().collect();
    let answered = answer(service, exchanges.get(reply % exchanges.len().max(1)).copied());
    let wire = Wire::new(move |_, _| answered.clone());
    let builder = service.client().transport(wire.clone()).timer(VirtualClock::new()).cookies(true);
    let operations = builder.build().expect("the client can be built");
    let word = forged(said);
    let Ok(token) = word.parse::<Token>() else {
        counts.add("unreadable", 1);
        let refused = [operations.resume(&*word), operations.resume(Resume::token_only(&word))];
        for error in refused.into_iter().filter_map(std::result::Result::err) {
            assert_eq!(error.kind(), ErrorKind::InvalidToken, "{error}");
            assert!(error.to_string().len() < 4096, "{error}");
        }
        return counts;
    };
    let again: Token = token.to_string().parse().expect("a token that was written can be read");
    assert!(again == token, "{token:?} is read as {again:?}");
    let content: Value = serde_json::from_slice(said).unwrap_or_default();
    let is_refused = content.pointer("/cursor/refused").is_some_and(|refused| !refused.is_null());
    let has_parts = content.pointer("/cursor/parts").is_some();

    let look = |what: &str, counts: &mut Counts| {
        for request in wire.take() {
            counts.add("requests", 1);
            assert_eq!(trust::origin(&request), trust::OWN, "{what}: {} by {content}", request.uri());
            assert!(!is_refused, "{what}: {} was refused by {content}", request.uri());
            if service.has_names() && !has_parts {
                below_the_base(&request, &content);
            }
        }
    };
    let sdk = Sdk { operations: operations.clone() };
    let typed = sdk.resume_export(&token);
    look("resume", &mut counts);
    if let Ok(typed) = &typed {
        counts.add("typed", 1);
        let polled = block_on(typed.poll_once());
        look("a typed poll", &mut counts);
        let _ = (format!("{polled:?}"), block_on(typed.cancel()), block_on(typed.delete()));
        look("a typed call", &mut counts);
        assert!(["", METHOD].contains(&token.method()), "the token is of `{}`", token.method());
    }
    match operations.resume(Resume::token_only(&word)) {
        Err(error) => {
            counts.add("refused", 1);
            let kinds = [ErrorKind::InvalidToken, ErrorKind::UntrustedUrl, ErrorKind::Protocol];
            assert!(kinds.contains(&error.kind()), "{:?}: {error}", error.kind());
            assert!(!error.to_string().chars().any(char::is_control), "{error:?}");
        }
        Ok(operation) => {
            counts.add("resumed", 1);
            calls(&operation, &mut counts, &look);
            let again: Token = operation.token().to_string().parse().expect("a token that was written can be read");
            if operation.state() == token.state() || token.state() == State::Succeeded {
                assert!(operations.resume(again).is_ok(), "resumed once only: {content}");
            }
        }
    }
    // The token's name, in calls that take a name as text.
    let name = token.name().to_owned();
    let _ = block_on(operations.get(&name)).map(|operation| format!("{operation:?}"));
    let _ = (block_on(operations.cancel(&name)).is_ok(), block_on(operations.delete(&name)).is_ok());
    for request in wire.take() {
        assert_eq!(trust::origin(&request), trust::OWN, "by name: {} by {content}", request.uri());
        if service.has_names() {
            below_the_base(&request, &content);
        }
    }
    let mut list = operations.list(name.as_str()).parent(name.as_str()).page_token(name.as_str()).blocking();
    let _ = (list.next().is_some(), list.next().is_some());
    for request in wire.take() {
        assert_eq!(trust::origin(&request), trust::OWN, "a list: {} by {content}", request.uri());
    }
    counts
}

/// Makes every call about a resumed operation.
fn calls(operation: &RawOperation, counts: &mut Counts, look: &dyn Fn(&str, &mut Counts)) {
    let before = counts.of("requests");
    let polled = block_on(operation.poll_once());
    look("a poll", counts);
    let has_polled = counts.of("requests") > before;
    assert!(!(operation.is_completed() && has_polled), "polled after the end: {operation:?}");
    counts.add("polled", u64::from(has_polled));
    let _ = block_on(operation.cancel()).map(|outcome| format!("{outcome:?}"));
    look("a cancel call", counts);
    let _ = block_on(operation.delete());
    look("a delete call", counts);
    let _ = block_on(operation.wait(std::time::Duration::from_secs(1))).map(|next| format!("{next:?}"));
    look("a held poll", counts);
    if let Ok(polled) = polled {
        let _ = block_on(polled.poll_once()).map(|next| format!("{next:?}"));
        look("a second poll", counts);
    }
}

/// A name cannot leave what is below the base URL.
fn below_the_base(request: &Request, content: &Value) {
    let path = request.uri().path();
    let is_below = path.strip_prefix("/base/").is_some_and(|rest| {
        let decoded = rest.to_ascii_lowercase().replace("%2e", ".").replace("%2f", "/").replace("%5c", "/");
        !decoded.replace('\\', "/").split('/').any(|segment| [".", ".."].contains(&segment))
    });
    assert!(is_below, "{path} by {content}");
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests may fail")]
mod tests {
    use super::*;

    #[test]
    fn no_forged_token_leads_off_the_origin() {
        let report = TOKENS.short_round();
        let counts = report.counts();
        for name in recorded().names() {
            assert!(counts.of(name) > 0, "{name} is not met");
        }
        for (what, least) in [("resumed", 4), ("typed", 8), ("polled", 8), ("refused", 20), ("unreadable", 50)] {
            assert!(counts.of(what) * least > TOKENS.short, "{what}: only {}", counts.of(what));
        }
        assert!(counts.of("requests") > TOKENS.short);
    }

    #[test]
    fn operations_of_every_service_are_started_to_forge_their_tokens() {
        for (index, service) in recorded().services.iter().enumerate() {
            let mut rng = Rng::with_seed(1);
            let started = (0..100).any(|_| valid(&mut rng, index).is_some());
            assert!(started, "no operation of {} {:?} can be started", service.name, service.options);
        }
    }

    #[test]
    fn a_forged_token_is_written_as_the_library_writes_it() {
        let operations = Operations::builder("https://api.test").build().unwrap();
        let word = operations.resume("operations/7").unwrap().token().to_string();
        assert_eq!(forged(content(&word).unwrap().as_bytes()), word);
    }
    #[test]
    fn a_token_that_cannot_be_read_is_refused_in_a_line() {
        for word in ["\\u0000".repeat(5000), "a".repeat(50_000)] {
            let error = forged(format!(r#"{{"dialect":"google","name":"x","state":"{word}"}}"#).as_bytes());
            let error = error.parse::<Token>().unwrap_err();
            assert!(error.to_string().len() < 1200 && error.kind() == ErrorKind::InvalidToken, "{error}");
        }
    }
}
