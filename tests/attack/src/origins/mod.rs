//! Hostile servers: replies with any URL anywhere, over random histories of calls. No request
//! leaves the origins that are trusted, and no secret leaves those that get them.

#![expect(clippy::expect_used, reason = "a suite panics where a promise is broken")]

use std::{collections::BTreeMap, fmt::Write, sync::Arc, time::Duration};

use fastrand::Rng;
use http::{HeaderName, HeaderValue};
use lro_runtime::{
    Operations, PollSettings, RawOperation, bearer, block_on,
    testing::VirtualClock,
    transport::{Reply, Request},
};

use crate::{
    hostile,
    json::Json,
    readers::protobuf,
    recorded::{Exchange, Service, recorded, start_request},
    round::{Counts, Suite},
    trust,
    wire::Wire,
};

/// Histories with a hostile server.
pub const ORIGINS: Suite = Suite { name: "origins", unit: "histories", case: of_seed, short: 800, long: 5000 };

/// What no origin gets but the own and those that are allowed with credentials.
const SECRET: &str = "Pl4ntedS3cret";
/// What goes to no other origins either, and is no secret.
const VERSION: &str = "Pl4ntedVersion";

/// Origins that a client may allow: the text for the builder, and as [`trust::origin`] writes it.
const OTHERS: &[(&str, &str)] = &[
    ("https://evil.test", "https://evil.test:443"),
    ("https://api.test:8443", "https://api.test:8443"),
    ("http://api.test", "http://api.test:80"),
    ("https://[::1]", "https://[::1]:443"),
    ("https://api.test.evil.test", "https://api.test.evil.test:443"),
];

/// Headers in which servers write URLs.
const HEADERS: &[&str] = &[
    "location",
    "operation-location",
    "azure-asyncoperation",
    "content-location",
    "link",
    "refresh",
    "odata-entityid",
    "x-ms-operation-id",
    "retry-after",
];

/// Members of bodies in which servers write URLs or names.
const MEMBERS: &[&str] = &[
    "name",
    "id",
    "selfLink",
    "targetLink",
    "resourceLocation",
    "nextLink",
    "nextPageToken",
    "next",
    "operation",
    "monitor",
    "location",
    "@odata.id",
    "TaskMonitor",
    "href",
    "url",
    "user",
    "zone",
    "region",
];

fn of_seed(seed: u64) -> Counts {
    play(&case(seed))
}

/// Returns the case of a seed, as bytes.
#[must_use]
pub fn case(seed: u64) -> Vec<u8> {
    let mut rng = Rng::with_seed(seed);
    (0..rng.usize(40..300)).map(|_| rng.u8(..)).collect()
}

/// Bytes by which a history goes: each decision takes one or two. After the end come zeros.
struct Tape<'a>(&'a [u8]);

impl Tape<'_> {
    fn byte(&mut self) -> u8 {
        let first = self.0.first().copied().unwrap_or_default();
        self.0 = self.0.get(1..).unwrap_or_default();
        first
    }

    fn below(&mut self, end: usize) -> usize {
        (usize::from(self.byte()) << 8 | usize::from(self.byte())) % end.max(1)
    }

    /// Whether the one of so many happens.
    fn one_in(&mut self, many: u8) -> bool {
        self.byte().is_multiple_of(many)
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> Option<T> {
        from.get(self.below(from.len())).copied()
    }

    /// Returns a URL or a name: a hostile one, one of an origin that may be allowed, or the next
    /// bytes as they are.
    fn reference(&mut self) -> String {
        match self.byte() % 8 {
            0 => {
                let length = usize::from(self.byte() % 64).min(self.0.len());
                let (text, rest) = self.0.split_at(length);
                self.0 = rest;
                String::from_utf8_lossy(text).into_owned()
            }
            1 | 2 => {
                let (origin, _) = self.pick(OTHERS).unwrap_or_default();
                format!("{origin}/ops/{}", self.byte() % 4)
            }
            3 | 4 => format!("/base/ops/{}", self.byte() % 4),
            _ => hostile::text(&mut Rng::with_seed(self.below(1 << 16) as u64)),
        }
    }
}

/// What a client may send to an origin.
type Allowed = BTreeMap<&'static str, bool>;

/// Plays the history of these bytes.
///
/// # Panics
///
/// When a request goes to an origin that is not trusted, or a secret to one that gets none.
#[must_use]
pub fn play(bytes: &[u8]) -> Counts {
    let mut counts = Counts::default();
    let mut tape = Tape(bytes);
    let service = tape.below(recorded().services.len());
    let exchanges: Vec<&Exchange> = recorded().scripts_of(service).into_iter().flatten().collect();
    let service = recorded().service(service);
    let mut allowed = Allowed::from([(trust::OWN, true)]);
    for (_, origin) in OTHERS {
        if tape.one_in(2) {
            allowed.insert(origin, tape.one_in(2));
        }
    }
    let mut replies: Vec<Reply> = (0..8).map(|_| reply(&mut tape, &exchanges)).collect();
    if service.is_grpc() {
        replies.iter_mut().for_each(protobuf::as_grpc);
    }
    let (wire, client) = client(service, &allowed, replies);
    let look = |counts: &mut Counts| wire.take().iter().for_each(|request| judge(request, &allowed, counts));

    let start = tape.pick(&exchanges).map(|exchange| exchange.start.clone()).unwrap_or_default();
    let mut request = start_request(&start);
    if !service.is_grpc() {
        let uri = format!("https://api.test{}?api-version={VERSION}&code={SECRET}", request.uri().path());
        *request.uri_mut() = uri.parse().unwrap_or_default();
    }
    request.headers_mut().insert("x-mine", HeaderValue::from_static(SECRET));
    let mut operation = block_on(client.start(request)).ok();
    counts.add(service.name, operation.is_some().into());
    look(&mut counts);
    for _ in 0..8 {
        operation = step(&mut tape, &client, operation, &mut counts);
        look(&mut counts);
    }
    counts
}

/// Makes one call, and returns the operation after it.
fn step(
    tape: &mut Tape<'_>,
    client: &Operations,
    operation: Option<RawOperation>,
    counts: &mut Counts,
) -> Option<RawOperation> {
    let name = tape.reference();
    let Some(operation) = operation else {
        return match tape.byte() % 4 {
            0 => block_on(client.get(&name)).ok(),
            1 => client.list(name.as_str()).page_token(name).blocking().find_map(Result::ok),
            2 => block_on(client.wait(&name, Duration::from_secs(1))).ok(),
            _ => client.resume(&*name).ok(),
        };
    };
    counts.add("operations", 1);
    let outcome = match tape.byte() % 8 {
        0 => {
            let _ = block_on(operation.cancel());
            return Some(operation);
        }
        1 => {
            let _ = block_on(operation.delete());
            return Some(operation);
        }
        2 => block_on(operation.wait(Duration::from_secs(1))),
        3 => {
            let settings = PollSettings::default().with_timeout(Duration::from_secs(20));
            block_on(operation.poll_until_completed(settings))
        }
        4 => client.resume(operation.token()),
        _ => block_on(operation.poll_once()),
    };
    match outcome {
        // What has ended sends nothing any more.
        Ok(next) if next.is_completed() => None,
        Ok(next) => Some(next),
        Err(error) => {
            counts.add("errors", 1);
            let said = format!("{error} {error:?}");
            assert!(!said.contains(SECRET), "the secret is shown: {said}");
            error.snapshot().cloned().filter(|_| tape.one_in(2))
        }
    }
}

fn client(service: &Service, allowed: &Allowed, replies: Vec<Reply>) -> (Wire, Operations) {
    let full: Arc<Vec<&str>> = Arc::new(allowed.iter().filter(|(_, full)| **full).map(|(origin, _)| *origin).collect());
    let wire = Wire::new(move |sent, request| {
        let mut reply = replies.get(sent % replies.len().max(1)).cloned().unwrap_or_default();
        let origin = trust::origin(request);
        // Only what has the secret already can give it back.
        let name = if full.contains(&&*origin) { SECRET } else { "theirs" };
        let domains = ["", "; Domain=test", "; Domain=api.test", "; Domain=evil.test"];
        let domain = domains.get(sent % domains.len()).copied().unwrap_or_default();
        // In place of a recorded one, which does not say which origin has set it.
        reply.headers_mut().remove("set-cookie");
        append(&mut reply, "set-cookie", format!("{name}={origin}; Path=/{domain}").as_bytes());
        reply
    });
    let builder = service.client().transport(wire.clone()).timer(VirtualClock::new()).cookies(true);
    let builder = builder.header("x-client", SECRET).credentials(|| async { Ok(bearer(SECRET)?) });
    let builder = OTHERS.iter().fold(builder, |builder, (text, origin)| match allowed.get(origin) {
        None => builder,
        Some(true) => builder.allow_origin_with_credentials(*text),
        Some(false) => builder.allow_origin(*text),
    });
    (wire, builder.build().expect("the client can be built"))
}

/// Makes a hostile reply of a recorded one.
fn reply(tape: &mut Tape<'_>, exchanges: &[&Exchange]) -> Reply {
    let mut reply = Reply::default();
    let Some(exchange) = tape.pick(exchanges) else { return reply };
    *reply.status_mut() = exchange.status.try_into().unwrap_or_default();
    if tape.one_in(4) {
        let status = tape.pick(&[200_u16, 201, 202, 204, 301, 302, 303, 307, 308, 401, 404, 410]).unwrap_or(200);
        *reply.status_mut() = status.try_into().unwrap_or_default();
    }
    for (name, value) in &exchange.headers {
        let is_url = value.starts_with(b"/") || value.windows(3).any(|text| text == b"://");
        let value = if is_url && !tape.one_in(3) { tape.reference().into_bytes() } else { value.clone() };
        append(&mut reply, name, &value);
    }
    if tape.one_in(2) {
        let (name, value) = (tape.pick(HEADERS).unwrap_or_default(), tape.reference());
        append(&mut reply, name, value.as_bytes());
    }
    let mut body = exchange.body.clone();
    if let Some(mut tree) = Json::read(&body) {
        lead_astray(tape, &mut tree);
        body = tree.text("").into_bytes();
    }
    *reply.body_mut() = body.into();
    reply
}

fn append(reply: &mut Reply, name: &str, value: &[u8]) {
    // A value that cannot be a header's cannot arrive in one.
    if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(value)) {
        reply.headers_mut().append(name, value);
    }
}

/// Puts URLs of other places into a body: in place of what looks like one, and in members that a
/// client may follow.
fn lead_astray(tape: &mut Tape<'_>, tree: &mut Json) {
    for index in 0..tree.parts() {
        match tree.part(index) {
            Some(Json::Scalar(text)) if text.starts_with('"') && text.contains('/') && !tape.one_in(3) => {
                *text = serde_json::Value::from(tape.reference()).to_string();
            }
            Some(Json::Object(members)) if tape.one_in(6) => {
                let name = tape.pick(MEMBERS).unwrap_or_default();
                members.push((format!("\"{name}\""), Json::string(&tape.reference())));
            }
            _ => {}
        }
    }
}

/// Judges one request by where it goes and what it has.
fn judge(request: &Request, allowed: &Allowed, counts: &mut Counts) {
    counts.add("requests", 1);
    let origin = trust::origin(request);
    let access = allowed.get(&*origin);
    assert!(access.is_some(), "{} was sent to {origin}, and allowed are {:?}", request.uri(), allowed.keys());
    // Each cookie says which origin has set it.
    for cookies in request.headers().get_all("cookie") {
        for cookie in cookies.to_str().expect("the cookies that are set are text").split("; ") {
            let set_by = cookie.split_once('=').map(|(_, origin)| origin);
            assert_eq!(set_by, Some(&*origin), "a cookie of another origin was sent to {}", request.uri());
            counts.add("cookies", 1);
            counts.add("cookies elsewhere", u64::from(origin != trust::OWN));
        }
    }
    if access == Some(&true) {
        counts.add("trusted elsewhere", u64::from(origin != trust::OWN));
        return;
    }
    counts.add("bare", 1);
    let mut text = format!("{} {}\n", request.method(), request.uri());
    for (name, value) in request.headers() {
        let _ = writeln!(text, "{name}: {}", String::from_utf8_lossy(value.as_bytes()));
    }
    text += &String::from_utf8_lossy(request.body());
    assert!(!text.contains(SECRET) && !text.contains(VERSION), "a secret was sent to {origin}:\n{text}");
    for own in ["authorization", "cookie", "x-client", "x-mine"] {
        assert!(!request.headers().contains_key(own), "`{own}` was sent to {origin}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_hostile_server_leads_a_request_off_the_origins_that_are_trusted() {
        let report = ORIGINS.short_round();
        let counts = report.counts();
        for name in recorded().names() {
            assert!(counts.of(name) > 0, "no operation of {name} is started");
        }
        assert!(counts.of("requests") > 2 * ORIGINS.short);
        assert!(counts.of("bare") * 20 > ORIGINS.short && counts.of("trusted elsewhere") * 20 > ORIGINS.short);
        // Rare, and each new script makes other histories of the same seeds.
        assert!(counts.of("cookies") > ORIGINS.short && counts.of("cookies elsewhere") * 200 > ORIGINS.short);
        assert!(counts.of("operations") > 3 * ORIGINS.short && counts.of("errors") * 4 > ORIGINS.short);
    }
}
