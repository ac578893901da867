//! Damages a recorded exchange in ways that keep most of its form.

#![expect(clippy::indexing_slicing, reason = "of lists made here")]

use std::time::Duration;

use fastrand::Rng;
use lro_runtime::{Code, ErrorBudget, HintPolicy, Jitter, PollSettings, Status, UnknownStatus, details::Detail};
use serde_json::{Value, json};

use super::{
    case::Case,
    generate::{material, pick},
};
use crate::{hostile, json::Json, recorded::recorded, tokens};

/// Does one damage; `false` if the case has nothing that it could be done to.
pub(super) fn damage(rng: &mut Rng, case: &mut Case, kind: &str) -> bool {
    match kind {
        "flipped" => flip(rng, &mut case.body),
        "cut" => {
            case.body.truncate(rng.usize(..=case.body.len()));
            true
        }
        "repeated" => repeat(rng, &mut case.body),
        "header" => header(rng, case),
        "status" => {
            case.status = pick(rng, &[200, 201, 202, 204, 303, 307, 400, 401, 403, 404, 409, 410, 412, 429, 500, 503])
                .unwrap_or(200);
            true
        }
        "cursor" => cursor(rng, case),
        "mark" => mark(rng, &mut case.body),
        // A text that is no reply, which may be damaged in turn.
        "settings" | "status text" => {
            case.body = if kind == "settings" { settings() } else { status() };
            if rng.bool() {
                let kind = pick(rng, &["deleted", "doubled", "retyped", "number", "escape"]).unwrap_or_default();
                damage(rng, case, kind);
            }
            true
        }
        "token" => {
            case.key = tokens::forged(tokens::case(rng.u64(..)).get(2..).unwrap_or_default()).into_bytes();
            if rng.u8(..4) == 0 {
                flip(rng, &mut case.key);
            }
            true
        }
        _ => {
            let Some(mut tree) = Json::read(&case.body) else { return false };
            damage_tree(rng, &mut tree, kind);
            case.body = tree.text("").into_bytes();
            true
        }
    }
}

pub(super) fn flip(rng: &mut Rng, body: &mut [u8]) -> bool {
    let length = body.len();
    for _ in 0..rng.usize(1..4) {
        let at = rng.usize(..length.max(1));
        if let Some(byte) = body.get_mut(at) {
            *byte = if rng.bool() { *byte ^ (1 << rng.u8(..8)) } else { rng.u8(..) };
        }
    }
    length > 0
}

/// Returns settings in which every field is set that a text can have.
fn settings() -> Vec<u8> {
    let second = Duration::from_secs(1);
    let settings = PollSettings::interactive().with_initial_delay(second).with_timeout(90 * second).with_seed(7);
    let settings = settings.with_hint(HintPolicy::Ignore).with_long_poll(second).with_poll_timeout(second / 3);
    let settings = settings.with_not_found_grace(second).with_error_budget(ErrorBudget::default());
    let settings = settings.with_jitter(Jitter::Equal).with_unknown_status(UnknownStatus::Running);
    serde_json::to_vec(&settings).unwrap_or_default()
}

/// Returns a status as tokens store it.
fn status() -> Vec<u8> {
    let detail = serde_json::value::to_raw_value(&json!({ "reason": "R", "domain": "d" })).ok();
    let detail = detail.map(|json| Detail::new("type.googleapis.com/google.rpc.ErrorInfo", json));
    let status = Status::new(Code::InvalidArgument, "no").with_details(detail.into_iter().collect());
    serde_json::to_vec(&status.with_reason("R").with_http_status(400)).unwrap_or_default()
}

/// Writes a range of the body again, once or often, where it stands or elsewhere.
pub(super) fn repeat(rng: &mut Rng, body: &mut Vec<u8>) -> bool {
    let from = rng.usize(..=body.len());
    let to = body.len().min(from + rng.usize(..40));
    let times = if rng.u8(..8) == 0 { 200 } else { rng.usize(1..4) };
    let piece = body.get(from..to).unwrap_or_default().repeat(times);
    let at = if rng.bool() { from } else { rng.usize(..=body.len()) };
    body.splice(at..at, piece);
    from < to
}

/// Marks, spaces and line ends, as text files have them.
fn mark(rng: &mut Rng, body: &mut Vec<u8>) -> bool {
    let space = pick(rng, &["", " ", "\r\n", "\t", "\u{a0}"]).unwrap_or_default();
    if let Some(tree) = Json::read(body) {
        *body = tree.text(space).into_bytes();
    }
    let before: &[u8] =
        pick(rng, &[&b"\xef\xbb\xbf"[..], b"\xff\xfe", b"\r\n\r\n", b")]}'\n", b"  "]).unwrap_or_default();
    body.splice(0..0, before.iter().copied());
    if rng.bool() {
        body.extend(pick(rng, &[&b"\r\n"[..], b"\0", b"{}", b"\x1a"]).unwrap_or_default());
    }
    true
}

fn header(rng: &mut Rng, case: &mut Case) -> bool {
    let name = pick(rng, &material().headers).unwrap_or_default();
    let value = match rng.u8(..6) {
        0 | 1 => hostile::text(rng),
        2 => pick(rng, NUMBERS).unwrap_or_default().to_owned(),
        3 => pick(rng, &material().words).unwrap_or_default(),
        4 => "a".repeat(rng.usize(..9000)),
        _ => pick(rng, DATES).unwrap_or_default().to_owned(),
    };
    if rng.bool() {
        // Again, with the same value: the last line.
        let lines: Vec<_> = case.headers.split_inclusive(|byte| *byte == b'\n').collect();
        let line = lines.last().map(|line| line.to_vec()).unwrap_or_default();
        case.headers.extend(line);
    }
    case.headers.extend(format!("{name}: {value}\n").into_bytes());
    if rng.u8(..4) == 0 {
        case.headers.extend([name.as_bytes(), b": \xff\xfe/\xe9\n"].concat());
    }
    true
}

fn cursor(rng: &mut Rng, case: &mut Case) -> bool {
    if rng.bool() {
        case.key = hostile::text(rng).into_bytes();
    }
    let name = part_name(rng);
    let value = if rng.bool() { hostile::text(rng) } else { pick(rng, &material().words).unwrap_or_default() };
    case.parts.extend(format!("{name}={value}\n").into_bytes());
    true
}

/// Returns the name of a cursor's part.
pub(crate) fn part_name(rng: &mut Rng) -> String {
    const NAMES: &[&str] = &[
        "place",
        "start",
        "method",
        "via",
        "version",
        "location",
        "words",
        "word",
        "seen",
        "operation_id",
        "project",
        "scope",
        "organization",
        "result",
        "target",
        "path",
        "next",
        "name",
    ];
    pick(rng, NAMES).unwrap_or_default().to_owned()
}

const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "-1",
    "1.5",
    "7.0",
    "100",
    "101",
    "-5",
    "1e400",
    "-1e400",
    "1e-400",
    "9007199254740993",
    "18446744073709551615",
    "18446744073709551616",
    "-9223372036854775808",
    "-9223372036854775809",
    "2147483648",
    "0.1e1",
    "00",
    "+1",
    "NaN",
    "Infinity",
    "0x10",
    ".5",
    "5.",
    "1_000",
    "\u{661}",
];

const DATES: &[&str] = &[
    "Sun, 06 Nov 1994 08:49:37 GMT",
    "Sunday, 06-Nov-94 08:49:37 GMT",
    "Sun Nov  6 08:49:37 1994",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Thu, 01 Jan 1970 00:00:00 GMT",
    "Thu, 32 Jan 1970 00:00:00 GMT",
    "a=b; Path=/; Expires=Fri, 31 Dec 9999 23:59:59 GMT",
    "a=b; Max-Age=99999999999999999999; Domain=evil.test",
    "__Host-a=b; Secure; Domain=",
    "=; =",
    "1h",
    "1.5s",
    "-1s",
    "P1D",
];

const ESCAPES: &[&str] = &[
    r#""\ud800""#,
    r#""\udc00\ud800""#,
    r#""\ud83d\ude00""#,
    r#""\u0000""#,
    r#""\u0022""#,
    r#""\/\b\f\n\r\t\\\"""#,
    r#""\u202e""#,
    r#""\uFEFF""#,
    r#""\x41""#,
    r#""\u12""#,
    "\"a\nb\"",
    "\"\u{7f}\u{85}\u{2028}\"",
    r#""\u001b[31m""#,
    r#""\u0053ucceeded""#,
    r#""S\u0055CCEEDED""#,
    "'a'",
    "\"",
];

/// Damages a part of a text.
pub(crate) fn damage_tree(rng: &mut Rng, tree: &mut Json, kind: &str) {
    // Objects are aimed at where members are meant, a part of any kind otherwise.
    let needs_members = matches!(kind, "deleted" | "doubled" | "moved" | "spliced");
    let parts = tree.parts();
    let mut index = rng.usize(..parts);
    if needs_members {
        let full = |tree: &mut Json, index: usize| match tree.part(index) {
            Some(Json::Object(members)) => !members.is_empty(),
            Some(Json::List(elements)) => !elements.is_empty(),
            _ => false,
        };
        index = (0..parts).map(|step| (index + step) % parts).find(|index| full(tree, *index)).unwrap_or_default();
    }
    let Some(part) = tree.part(index) else { return };
    match (kind, part) {
        ("deleted", Json::Object(members)) if !members.is_empty() => drop(members.remove(rng.usize(..members.len()))),
        ("deleted", Json::List(elements)) if !elements.is_empty() => drop(elements.remove(rng.usize(..elements.len()))),
        ("doubled", Json::Object(members)) if !members.is_empty() => {
            let (name, mut value) = members[rng.usize(..members.len())].clone();
            if rng.bool() {
                value = replacement(rng, &value);
            }
            members.insert(rng.usize(..=members.len()), (name, value));
        }
        ("doubled", Json::List(elements)) if !elements.is_empty() => {
            let element = elements[rng.usize(..elements.len())].clone();
            let times = if rng.u8(..8) == 0 { 300 } else { 1 };
            elements.extend(std::iter::repeat_n(element, times));
        }
        ("moved", Json::Object(members)) if !members.is_empty() => {
            // Under another name that some service knows.
            let at = rng.usize(..members.len());
            let name = pick(rng, &material().names).unwrap_or_default();
            members[at].0 = Value::from(name).to_string();
            rng.shuffle(members);
        }
        ("spliced", Json::Object(members)) => {
            let others = &recorded().scripts;
            let other = rng.choice(others).and_then(|script| rng.choice(script));
            if let Some(Json::Object(theirs)) = other.and_then(|other| Json::read(&other.body)) {
                members.extend(theirs);
                rng.shuffle(members);
            }
        }
        ("nested", part) => {
            let deep = pick(rng, &[1, 3, 100, 127, 128, 129, 1000]).unwrap_or(1);
            let (open, close) =
                pick(rng, &[("[", "]"), ("{\"a\":", "}"), ("{\"error\":", "}"), ("[{\"details\":", "}]")])
                    .unwrap_or_default();
            *part = Json::Scalar(format!("{}{}{}", open.repeat(deep), part.text(""), close.repeat(deep)));
        }
        ("number", part) => *part = Json::Scalar(pick(rng, NUMBERS).unwrap_or_default().to_owned()),
        ("escape", part) => *part = Json::Scalar(pick(rng, ESCAPES).unwrap_or_default().to_owned()),
        ("word", part) => *part = Json::string(&pick(rng, &material().words).unwrap_or_default()),
        ("hostile", part) => *part = Json::string(&hostile::text(rng)),
        ("long", part) => {
            let piece =
                pick(rng, &["a", "ä", "\\u0000", "\\\"", "https://u:p@h/?sig=x&", "\u{202e}"]).unwrap_or_default();
            *part = Json::Scalar(format!("\"{}\"", piece.repeat(rng.usize(..3000))));
        }
        (_, part) => *part = replacement(rng, part),
    }
}

/// Returns a value of another type that says the same, or nothing.
fn replacement(rng: &mut Rng, part: &Json) -> Json {
    let text = part.text("");
    match rng.u8(..9) {
        0 => Json::Scalar("null".to_owned()),
        1 => Json::Scalar(rng.bool().to_string()),
        2 => Json::List(vec![part.clone()]),
        3 => Json::List(Vec::new()),
        4 => Json::Object(vec![("\"value\"".to_owned(), part.clone())]),
        5 => Json::Object(Vec::new()),
        6 => Json::string(&text),
        7 => Json::Scalar(text.trim_matches('"').to_owned()),
        _ => Json::Scalar(pick(rng, NUMBERS).unwrap_or_default().to_owned()),
    }
}
