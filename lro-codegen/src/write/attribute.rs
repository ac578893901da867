//! The keys of `#[long_running]`: what all methods of a service share is said once, on the block.

use std::time::Duration;

use proc_macro2::TokenStream;

use super::{Types, format::Attribute};
use crate::{
    model::{Dialect, Method, Options, Poll, Progress, Service, Type},
    names,
};

/// The delay of a wait for which none is said.
const OWN_DELAY: Duration = Duration::from_secs(1);

/// A key with its value, as it is written.
type Key = (&'static str, String);

/// Returns the attribute of the block, and those of the methods.
pub(super) fn attributes(
    service: &Service,
    aliases: &[Option<String>],
    types: &Types<'_>,
) -> (Attribute, Vec<Attribute>) {
    let methods: Vec<Vec<Key>> = service.methods.iter().map(|method| keys(service, method, types)).collect();
    let is_shared = |key: &Key| {
        methods.len() > 1
            && !["response", "dialect", "encoding"].contains(&key.0)
            && methods.iter().all(|keys| keys.contains(key))
    };
    // Google's over REST is the library's own.
    let mut block: Vec<Key> =
        own(&service.dialect).filter(|_| service.dialect != Dialect::Google).into_iter().collect();
    let shared: Vec<Key> =
        methods.first().map_or(vec![], |keys| keys.iter().filter(|key| is_shared(key)).cloned().collect());
    block.extend(shared.iter().cloned());
    let own = methods.iter().zip(aliases).map(|(keys, alias)| {
        let name = alias.as_ref().map(|alias| format!("name = {alias:?}"));
        let own = keys.iter().filter(|key| !shared.contains(key)).map(|(_, text)| text.clone());
        Attribute { keys: name.into_iter().chain(own).collect() }
    });
    (Attribute { keys: block.into_iter().map(|(_, text)| text).collect() }, own.collect())
}

fn keys(service: &Service, method: &Method, types: &Types<'_>) -> Vec<Key> {
    let mut keys = vec![
        ("response", format!("response = {}", shown(&types.rust(&method.response)))),
        ("metadata", format!("metadata = {}", shown(&types.rust(&method.metadata)))),
    ];
    if let Some(dialect) = method.dialect.as_ref().filter(|dialect| **dialect != service.dialect) {
        keys.extend(own(dialect));
    }
    let Options { cancel, delete, path, result, final_state_via, response_type, metadata_type, poll, progress } =
        &method.options;
    for (key, value) in [
        ("response_type", response_type),
        ("metadata_type", metadata_type),
        ("path", path),
        ("result", result),
        ("final_state_via", final_state_via),
    ] {
        keys.extend(value.as_ref().map(|value| (key, format!("{key} = {value:?}"))));
    }
    keys.extend(poll_key(poll));
    keys.extend(progress.as_ref().filter(|_| method.metadata != Type::Unit).map(progress_key));
    keys.extend(cancel.then(|| ("cancel", "cancel".to_owned())));
    keys.extend(delete.then(|| ("delete", "delete".to_owned())));
    keys
}

/// Returns the key of a dialect.
fn own(dialect: &Dialect) -> Option<Key> {
    match dialect {
        Dialect::Grpc => Some(("encoding", "encoding = proto".to_owned())),
        Dialect::Wire(path) => Some(("dialect", format!("wire = {path}"))),
        named => super::dialect(named).map(|(expression, _)| ("dialect", format!("dialect = {expression}"))),
    }
}

fn poll_key(poll: &Poll) -> Option<Key> {
    let Poll { delay, multiplier, max_delay, timeout } = poll;
    // The attribute takes nothing shorter.
    let long_enough = |time: &Option<Duration>| time.filter(|time| time.as_millis() > 0);
    let (delay, max_delay, timeout) = (long_enough(delay), long_enough(max_delay), long_enough(timeout));
    // The library's own first delay must not be longer than the longest that is said.
    let delay = delay.or(max_delay.filter(|longest| *longest < OWN_DELAY));
    let times = [("delay", delay), ("max_delay", max_delay), ("timeout", timeout)];
    let time = |(key, time): (&str, Option<Duration>)| time.map(|time| format!("{key} = \"{}\"", duration(time)));
    let mut keys: Vec<String> = times.into_iter().filter_map(time).collect();
    if let Some(multiplier) = multiplier {
        keys.insert(usize::from(delay.is_some()), format!("multiplier = {multiplier}"));
    }
    (!keys.is_empty()).then(|| ("poll", format!("poll({})", keys.join(", "))))
}

/// Writes a duration in the largest unit that needs no fraction.
fn duration(time: Duration) -> String {
    let millis = time.as_millis();
    match millis {
        0 => "0s".to_owned(),
        _ if millis.is_multiple_of(3_600_000) => format!("{}h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{}m", millis / 60_000),
        _ if millis.is_multiple_of(1_000) => format!("{}s", millis / 1_000),
        _ => format!("{millis}ms"),
    }
}

/// The attribute reads integers as per cent and floats as fractions: those of descriptions are per
/// cent as well.
fn progress_key(progress: &Progress) -> Key {
    let field = names::ident(&names::snake(&progress.field));
    let text = if progress.is_float { format!("progress({field}, of = 100)") } else { format!("progress = {field}") };
    ("progress", text)
}

/// Writes a type or an expression as rustfmt would: quote puts a space around everything.
pub(super) fn shown(tokens: &TokenStream) -> String {
    let mut out = tokens.to_string();
    for (spaced, plain) in
        [(" :: ", "::"), (":: ", "::"), (" < ", "<"), (" >", ">"), (" ,", ","), (" ()", "()"), ("& ", "&")]
    {
        out = out.replace(spaced, plain);
    }
    out
}
