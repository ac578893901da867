//! The keys of a method in `lro.toml` and in `x-lro`.

use std::time::Duration;

use super::{From, Override, duration};
use crate::{
    document::{Member, Node, Value},
    model::{Dialect, Poll, Progress},
    nearest::did_you_mean_or_stop,
    report::Report,
};

/// Every key, in the order in which the book lists them.
pub(super) const KEYS: [&str; 15] = [
    "response",
    "metadata",
    "dialect",
    "wire",
    "name",
    "skip",
    "cancel",
    "delete",
    "path",
    "result",
    "final_state_via",
    "response_type",
    "metadata_type",
    "poll",
    "progress",
];

const POLL_KEYS: [&str; 4] = ["delay", "multiplier", "max_delay", "timeout"];

const DIALECTS: [(&str, Dialect); 5] = [
    ("google", Dialect::Google),
    ("grpc", Dialect::Grpc),
    ("azure", Dialect::Azure),
    ("compute", Dialect::Compute),
    ("http", Dialect::Http),
];

/// The words of `final_state_via`, as the attribute takes them.
pub(crate) const FINAL_STATE_VIA: [&str; 8] = [
    "location",
    "original-uri",
    "operation-location",
    "azure-async-operation",
    "custom-link",
    "custom-operation-reference",
    "no-result",
    "final-state-schema",
];

/// The least delay that the library takes: a shorter one is a hot loop.
const SHORTEST_DELAY: Duration = Duration::from_millis(1);

/// Why a value is wrong, for use after the key.
type Wrong = String;

/// Reads one key.
pub(super) fn read(member: &Member, from: From, found: &mut Override, report: &mut Report) {
    let Member { key, at, node } = member;
    if !is_legal(key, from) {
        return report.error(at, "", unknown(key, from));
    }
    if key == "poll" {
        return poll(node, &mut found.options.poll, report);
    }
    if let Err(wrong) = value(key, node, from, found) {
        report.error(&node.at, "", format!("`{key}`: {wrong}"));
    }
}

/// Reads the value of a legal key.
fn value(key: &str, node: &Node, from: From, found: &mut Override) -> Result<(), Wrong> {
    let options = &mut found.options;
    match key {
        "response" => found.response = Some((type_name(node, from)?, node.at.clone())),
        "metadata" => found.metadata = Some((type_name(node, from)?, node.at.clone())),
        "dialect" => found.dialect = Some(word(node, &DIALECTS)?),
        "wire" => {
            let path = text(node, "the path of a type of yours: `wire = \"crate::Job\"`")?;
            rust_path(path)?;
            found.dialect = Some(Dialect::Wire(path.to_owned()));
        }
        "name" => found.name = Some(type_base(node)?),
        "skip" => found.skip = flag(node)?,
        "cancel" => {
            found.cancel = Some(flag(node)?);
            options.cancel = flag(node)?;
        }
        "delete" => {
            found.delete = Some(flag(node)?);
            options.delete = flag(node)?;
        }
        "path" => options.path = Some(text(node, "the path of an operation: `v1/{name}`")?.to_owned()),
        "result" => options.result = Some(text(node, "where the response is found: `target_link`")?.to_owned()),
        "final_state_via" => {
            let words = FINAL_STATE_VIA.map(|word| (word, word));
            options.final_state_via = Some(word(node, &words)?.to_owned());
        }
        "response_type" => options.response_type = Some(text(node, "the full name of a message")?.to_owned()),
        "metadata_type" => options.metadata_type = Some(text(node, "the full name of a message")?.to_owned()),
        _ => options.progress = Some(progress(node)?),
    }
    Ok(())
}

/// Notes keys that contradict each other.
pub(super) fn check(node: &Node, report: &mut Report) {
    if node.get("dialect").is_some()
        && let Some(wire) = node.members().iter().find(|member| member.key == "wire")
    {
        report.error(&wire.at, "", "`wire` stands beside `dialect`; a method has one of them");
    }
}

/// Returns the legal keys in words.
pub(super) fn legal(from: From) -> String {
    let keys: Vec<String> = KEYS.iter().filter(|key| is_legal(key, from)).map(|key| format!("`{key}`")).collect();
    keys.join(", ")
}

fn is_legal(key: &str, from: From) -> bool {
    KEYS.contains(&key) && (key != "wire" || from == From::File)
}

fn unknown(key: &str, from: From) -> String {
    if key == "wire" {
        return "`wire` names a type of Rust, which no description does: say it in the overrides file".to_owned();
    }
    if POLL_KEYS.contains(&key) {
        return format!("`{key}` belongs inside `poll`: `poll = {{ {key} = … }}`");
    }
    let hint = did_you_mean_or_stop(key, KEYS.into_iter().filter(|key| is_legal(key, from)));
    format!("unknown key `{key}`{hint} Legal keys are {}", legal(from))
}

/// Checks that `path` is a path of Rust, such as `crate::Job`.
pub(super) fn rust_path(path: &str) -> Result<(), Wrong> {
    syn::parse_str::<syn::Path>(path)
        .map(drop)
        .map_err(|_| format!("`{path}` is no path of Rust, such as `crate::Job`"))
}

/// Reads `()`, the name of a type of the description, or a path of Rust.
fn type_name(node: &Node, from: From) -> Result<String, Wrong> {
    let name = text(node, "a type of the description, `()`, or a path of Rust that has `::`")?;
    if !name.contains("::") {
        return Ok(name.to_owned());
    }
    if from == From::Description {
        return Err(format!("`{name}` is a path of Rust, which no description names: say it in the overrides file"));
    }
    rust_path(name)?;
    Ok(name.to_owned())
}

/// Reads what a type alias is named after.
fn type_base(node: &Node) -> Result<String, Wrong> {
    let name = text(node, "a name in UpperCamelCase: `ExportImage`")?;
    let is_camel =
        name.starts_with(|c: char| c.is_ascii_uppercase()) && name.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_camel && syn::parse_str::<syn::Ident>(name).is_ok() {
        return Ok(name.to_owned());
    }
    Err(format!("`{name}` is no name in UpperCamelCase, such as `ExportImage`"))
}

/// Reads the field of the metadata that says how much is done.
fn progress(node: &Node) -> Result<Progress, Wrong> {
    let field = text(node, "a field of the metadata: `progress = \"percent\"`")?;
    let is_name = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    };
    if !field.split('.').all(is_name) {
        return Err(format!("`{field}` is no field, such as `percent` or `stats.done`"));
    }
    Ok(Progress { field: field.to_owned(), is_float: false, is_optional: false })
}

fn poll(node: &Node, found: &mut Poll, report: &mut Report) {
    const EXAMPLE: &str = "`{ delay = \"1s\", multiplier = 1.5, max_delay = \"20s\", timeout = \"10m\" }`";
    let Value::Map(members) = &node.value else {
        return report.error(&node.at, "", format!("`poll`: found {}; it takes {EXAMPLE}", node.kind()));
    };
    for Member { key, at, node } in members {
        let read = match key.as_str() {
            "delay" => delay(node).map(|delay| found.delay = Some(delay)),
            "max_delay" => delay(node).map(|delay| found.max_delay = Some(delay)),
            "timeout" => length(node).map(|timeout| found.timeout = Some(timeout)),
            "multiplier" => multiplier(node).map(|multiplier| found.multiplier = Some(multiplier)),
            _ => {
                let hint = did_you_mean_or_stop(key, POLL_KEYS);
                let legal = POLL_KEYS.map(|key| format!("`{key}`")).join(", ");
                report.error(at, "", format!("unknown key `{key}`{hint} Legal keys of `poll` are {legal}"));
                Ok(())
            }
        };
        if let Err(wrong) = read {
            report.error(&node.at, "", format!("`{key}`: {wrong}"));
        }
    }
}

fn delay(node: &Node) -> Result<Duration, Wrong> {
    let delay = length(node)?;
    if delay < SHORTEST_DELAY {
        return Err("must be at least 1ms".to_owned());
    }
    Ok(delay)
}

fn length(node: &Node) -> Result<Duration, Wrong> {
    let text = text(node, "a duration, such as `\"1m 30s\"`")?;
    duration::parse(text).map_err(|why| format!("`{text}` is not a duration: {why}"))
}

fn multiplier(node: &Node) -> Result<f64, Wrong> {
    let takes = "a number that is at least 1, such as 1.5";
    let number = node.as_number().ok_or_else(|| format!("found {}; it takes {takes}", node.kind()))?;
    if number.is_finite() && number >= 1.0 { Ok(number) } else { Err(format!("found {number}; it takes {takes}")) }
}

fn flag(node: &Node) -> Result<bool, Wrong> {
    node.as_bool().ok_or_else(|| format!("found {}; it takes `true` or `false`", node.kind()))
}

/// Reads text that is not empty.
fn text<'a>(node: &'a Node, takes: &str) -> Result<&'a str, Wrong> {
    match node.as_str() {
        Some(text) if !text.trim().is_empty() => Ok(text),
        Some(_) => Err(format!("found empty text; it takes {takes}")),
        None => Err(format!("found {}; it takes {takes}", node.kind())),
    }
}

/// Reads a word of a list.
fn word<T: Clone>(node: &Node, words: &[(&str, T)]) -> Result<T, Wrong> {
    let legal = || words.iter().map(|(word, _)| format!("`{word}`")).collect::<Vec<_>>().join(", ");
    let text = text(node, &format!("one of {}", legal()))?;
    let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| value.clone());
    found.ok_or_else(|| {
        let hint = did_you_mean_or_stop(text, words.iter().map(|(word, _)| *word));
        format!("found `{text}`{hint} Legal are {}", legal())
    })
}
