//! Tokens and names: what operations are resumed from, which everyone can forge.

use std::{cell::Cell, collections::BTreeSet, sync::Arc};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use lro_runtime::{
    Dialect, Operations, Resume, Token,
    dialect::{Azure, Google, GoogleGrpc, Http, Lxd},
    testing::VirtualClock,
    transport::{Reply, Request},
};

use crate::{
    SAMPLE, SHORT,
    hostile::{GROWTHS, Growth, HOLE, repeated, subjects},
    work::{Cost, Visit, all_grow_linearly, cost},
};

/// The longest content of a token: in base64 it is just below the 256 KiB that are read.
const LONGEST: usize = 190 << 10;

/// Where in a token the value that grows stands. `%` is the dialect.
const PLACES: &[&str] = &[
    "$",
    r#"{"dialect":"%","name":$,"cursor":{"key":"operations/1"},"state":"running"}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":$},"state":"running"}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"operations/1","parts":$},"state":"running"}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"operations/1","parts":[["start",$]]},"state":"running"}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o","refused":{"untrusted":$}},"state":"running"}"#,
    r#"{"dialect":$,"name":"o","cursor":{"key":"operations/1"},"state":"running"}"#,
    r#"{"method":$,"dialect":"%","name":"o","cursor":{"key":"o"},"state":"running"}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":$}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":"failed","raw_status":$}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":"failed","status":$}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":"failed","status":{"code":$}}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":"failed","status":{"code":9,"message":$}}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":"failed","status":{"code":9,"reason":$}}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":"failed","status":{"code":9,"details":$}}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":"failed","status":{"code":9,"details":[{"type":"t","json":$}]}}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":"failed","status":{"code":9,"details":[{"type":"t","proto":$}]}}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":"running","started":$}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":"running","left_out":{"parameters":$}}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":"running","left_out":{"details":$}}"#,
    r#"{"dialect":"%","name":"o","cursor":{"key":"o"},"state":"running","unknown":$}"#,
];

/// What grows in tokens besides [`GROWTHS`]: lists of what stands in them.
const MORE: &[Growth] = &[
    Growth { head: r#"[["a","b"]"#, part: r#",["p#","https://h.test/?sig=a"]"#, tail: "]", close: "" },
    Growth { head: r#"[["a","b"]"#, part: r#",["start","v"]"#, tail: "]", close: "" },
    Growth { head: r#"["a""#, part: r#","p#""#, tail: "]", close: "" },
    Growth { head: r#"["a""#, part: r#","?sig=a""#, tail: "]", close: "" },
    Growth { head: r#"[{"type":"t","json":1}"#, part: r#",{"type":"t","json":{"a":"?sig=a"}}"#, tail: "]", close: "" },
    Growth { head: r#"[{"type":"t","json":1}"#, part: r#",{"type":"t","proto":"AAAA"}"#, tail: "]", close: "" },
    Growth {
        head: r#"[{"type":"t","json":1}"#,
        part: r#",{"type":"t/google.rpc.ErrorInfo","json":{}}"#,
        tail: "]",
        close: "",
    },
    Growth { head: r#"{"code":9"#, part: r#","p#":1"#, tail: "}", close: "" },
    Growth { head: r#""https://h.test/"#, part: "a/", tail: "\"", close: "" },
    Growth { head: r#""https://h.test/?"#, part: "sig#=a&", tail: "\"", close: "" },
];

/// Writes a token with a valid checksum, whatever it says.
fn forged(content: &str) -> String {
    let sum = content.bytes().fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("lro1-{sum:08x}-{}", URL_SAFE_NO_PAD.encode(content))
}

fn client(dialect: Arc<dyn Dialect>) -> Operations {
    let transport = |_: Request| std::future::ready(Ok(Reply::default()));
    let client = Operations::builder("https://h.test").dialect(dialect).transport(transport);
    client.timer(VirtualClock::new()).build().unwrap()
}

/// Resumes from this, shows what it is, and writes it down again. Returns whether it was resumed.
fn resume(client: &Operations, from: Resume) -> bool {
    drop(format!("{from:?}"));
    match client.resume(from) {
        Ok(operation) => {
            drop(format!("{operation:?} {:?}", operation.status()));
            drop(operation.token().to_string());
            true
        }
        Err(error) => {
            drop(format!("{error} {error:?}"));
            false
        }
    }
}

fn read_word(client: &Operations, word: &str, resumed: &Cell<usize>) -> Cost {
    cost(|| {
        match word.parse::<Token>() {
            Ok(token) => drop((format!("{token:?}"), token.to_string())),
            Err(error) => drop(format!("{error} {error:?}")),
        }
        drop(serde_json::from_value::<Token>(word.into()).map_err(|error| error.to_string()));
        let is_resumed = resume(client, Resume::token_only(word));
        resumed.set(resumed.get() + usize::from(is_resumed));
    })
}

fn each_token(visit: &mut Visit<'_>, resumed: &Cell<usize>) {
    let dialects: [Arc<dyn Dialect>; 4] =
        [Arc::new(Google::new()), Arc::new(Azure::new()), Arc::new(Http::new()), Arc::new(Lxd::new())];
    for dialect in dialects {
        let (id, client) = (dialect.id(), client(dialect));
        for place in PLACES {
            let place = place.replace('%', id);
            for growth in GROWTHS.iter().chain(MORE) {
                visit(&format!("{place} of `{}`", growth.part()), &mut |length| {
                    let content = place.replace(HOLE, &growth.of_length(length));
                    read_word(&client, &forged(&content), resumed)
                });
            }
        }
    }
}

/// Words that begin as tokens do, and are none.
const DAMAGED: &[(&str, &str, &str)] = &[
    ("lro1-00000000-", "A", ""),
    ("lro1-00000000-", "a-", ""),
    ("lro1-", "0", "-e30"),
    ("lro1-", "-", ""),
    ("lro", "1", "-00000000-e30"),
    ("lro", "0", ""),
    ("lro1-00000000-", "\u{e4}", ""),
    ("lro1-00000000-", "=", ""),
    (" ", " ", "lro1-"),
    ("?sig=", "a", ""),
    ("", "https://u:a@", ""),
    ("", "\u{1b}", ""),
];

fn each_damaged_token(visit: &mut Visit<'_>) {
    let client = client(Arc::new(Google::new()));
    for (head, part, tail) in DAMAGED {
        visit(&format!("{head}, `{part}` and {tail}"), &mut |length| {
            let word = [head, &*part.repeat(length / part.len()), tail].concat();
            read_word(&client, &word, &Cell::default())
        });
    }
}

/// What names are made of. A `#` is the number of the part.
const NAMES: &[&str] = &[
    "a",
    "a/",
    "/",
    "../",
    "./a/",
    "%",
    "%25",
    "%2e%2e/",
    "?sig=a&",
    "&a#=1",
    "://a@",
    "https://h.test/",
    "&amp;",
    "\\",
    "\u{e4}",
    "\u{1b}",
    "\u{202e}",
    "\"",
    " ",
    "#",
    "0",
    "operations/#/",
    "zones/#/",
    ":cancel",
    "{name}",
    "\n",
];

const HEADS: &[&str] = &["", "/", "https://h.test/", "https://elsewhere.test/?", "projects/p/", "1.0/operations/"];

fn each_name(visit: &mut Visit<'_>) {
    let json = subjects().into_iter().map(|subject| subject.dialect);
    for dialect in json.chain([Arc::new(GoogleGrpc::new()) as Arc<dyn Dialect>]) {
        let (id, client) = (dialect.id(), client(dialect));
        for head in HEADS {
            for part in NAMES {
                visit(&format!("{id}, a name: {head} and `{part}`"), &mut |length| {
                    let name = [head, &*repeated(part, length)].concat();
                    cost(|| {
                        resume(&client, name.into());
                    })
                });
            }
        }
    }
}

fn each_case(visit: &mut Visit<'_>) {
    each_token(visit, &Cell::default());
    each_damaged_token(visit);
    each_name(visit);
}

#[test]
fn a_sample_of_hostile_tokens_and_names_is_read_in_linear_time_and_memory() {
    let cases = all_grow_linearly(each_case, SAMPLE, SHORT);
    assert!(cases > 4000, "{cases}");
}

#[test]
#[ignore = "several minutes"]
fn every_hostile_token_and_name_is_read_in_linear_time_and_memory() {
    all_grow_linearly(each_case, 1, SHORT);
}

#[test]
#[ignore = "several minutes"]
fn a_sample_of_the_longest_hostile_tokens_is_read_in_linear_time_and_memory() {
    all_grow_linearly(|visit| each_token(visit, &Cell::default()), 5, LONGEST / 4);
}

#[test]
#[ignore = "several minutes"]
fn a_sample_of_hostile_words_and_names_of_four_mebibytes_is_read_in_linear_time_and_memory() {
    all_grow_linearly(each_damaged_token, 1, 1 << 20);
    all_grow_linearly(each_name, SAMPLE, 1 << 20);
}

/// What would be linear because it is refused is no case.
#[test]
fn every_place_of_a_token_is_one_that_can_be_resumed_from() {
    let (mut refused, resumed) = (BTreeSet::new(), Cell::new(0));
    let mut accepted = BTreeSet::new();
    each_token(
        &mut |name, read| {
            let before = resumed.get();
            read(64);
            let place = name.split(" of `").next().unwrap_or_default().to_owned();
            if resumed.get() > before {
                accepted.insert(place)
            } else {
                refused.insert(place)
            };
        },
        &resumed,
    );
    let never: Vec<_> = refused.difference(&accepted).filter(|place| place.contains("google")).collect();
    // A word for its state, and a member of nobody.
    assert_eq!(never.len(), 2, "{never:#?}");
}

#[test]
fn a_word_that_is_longer_than_a_token_is_refused_unread() {
    let client = client(Arc::new(Google::new()));
    let content = format!(r#"{{"name":"{}"}}"#, "a".repeat(4 << 20));
    let word = forged(&content);
    let error = word.parse::<Token>().unwrap_err().to_string();
    assert!(error.contains("the word is 5592") && error.contains("has at most 262144"), "{error}");
    let cost = cost(|| drop((word.parse::<Token>(), client.resume(Resume::token_only(&word)))));
    assert!(cost.bytes < 16 << 10, "{} bytes", cost.bytes);
}
