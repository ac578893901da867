//! Makes cases from seeds: a recorded exchange, damaged in ways that keep most of its form.

#![expect(clippy::indexing_slicing, reason = "of lists made here")]

use std::sync::OnceLock;

use fastrand::Rng;
use serde_json::Value;

use super::{case::Case, damage::damage, protobuf::as_message};
use crate::{
    json::Json,
    recorded::{Exchange, recorded},
};

/// The kinds of damage, by which they are counted.
pub const KINDS: &[&str] = &[
    "none",
    "flipped",
    "cut",
    "repeated",
    "deleted",
    "doubled",
    "moved",
    "retyped",
    "nested",
    "number",
    "escape",
    "word",
    "hostile",
    "mark",
    "spliced",
    "header",
    "status",
    "cursor",
    "long",
    "settings",
    "status text",
    "token",
];

/// A source of parts and words for splices, collected from the scripts.
pub(super) struct Material {
    pub(super) words: Vec<String>,
    pub(super) names: Vec<String>,
    pub(super) headers: Vec<String>,
}

pub(super) fn material() -> &'static Material {
    static MATERIAL: OnceLock<Material> = OnceLock::new();
    MATERIAL.get_or_init(|| {
        let (mut words, mut names, mut headers) = (Vec::new(), Vec::new(), Vec::new());
        for exchange in recorded().scripts.iter().flatten() {
            headers.extend(exchange.headers.iter().map(|(name, _)| name.clone()));
            if let Ok(value) = serde_json::from_slice(&exchange.body) {
                collect(&value, &mut words, &mut names);
            }
        }
        for list in [&mut words, &mut names, &mut headers] {
            list.sort();
            list.dedup();
        }
        headers.extend(["set-cookie", "grpc-status", "grpc-message", "grpc-status-details-bin"].map(str::to_owned));
        Material { words, names, headers }
    })
}

fn collect(value: &Value, words: &mut Vec<String>, names: &mut Vec<String>) {
    match value {
        Value::String(text) if text.len() < 100 => words.push(text.clone()),
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, words, names)),
        Value::Object(members) => {
            names.extend(members.keys().cloned());
            members.values().for_each(|value| collect(value, words, names));
        }
        _ => {}
    }
}

pub(super) fn pick<T: Clone>(rng: &mut Rng, from: &[T]) -> Option<T> {
    rng.choice(from).cloned()
}

/// Returns the case of a seed, as bytes, and the kinds of damage that were done to it.
#[must_use]
pub fn case(seed: u64) -> (Vec<u8>, Vec<&'static str>) {
    let mut rng = Rng::with_seed(seed);
    let rng = &mut rng;
    let service = rng.usize(..recorded().services.len());
    let mut case = clean(rng, service);
    let mut done = Vec::new();
    for _ in 0..[0, 1, 1, 2, 3, 6][rng.usize(..6)] {
        let kind = pick(rng, &KINDS[1..]).unwrap_or_default();
        if damage(rng, &mut case, kind) {
            done.push(kind);
        }
    }
    if recorded().service(service).is_grpc() {
        as_message(rng, &mut case);
    }
    if done.is_empty() {
        done.push("none");
    }
    (case.bytes(), done)
}

/// Returns a case as it was recorded.
fn clean(rng: &mut Rng, service: usize) -> Case {
    let scripts = recorded().scripts_of(service);
    let script = rng.choice(&scripts).copied().unwrap_or_default();
    rng.choice(script).map_or_else(Case::default, |exchange| of(service, exchange, rng.u8(..)))
}

/// Returns every exchange of the scripts as a case, for a corpus.
pub fn clean_cases() -> impl Iterator<Item = Case> {
    recorded().scripts.iter().flatten().map(|exchange| of(exchange.service, exchange, 0))
}

fn of(service: usize, exchange: &Exchange, planted: u8) -> Case {
    let mut headers = Vec::new();
    for (name, value) in &exchange.headers {
        headers.extend([name.as_bytes(), b": ", value, b"\n"].concat());
    }
    let name = Json::read(&exchange.body).and_then(|_| serde_json::from_slice::<Value>(&exchange.body).ok());
    let name = ["name", "id", "selfLink"].iter().find_map(|key| name.as_ref()?.get(key)?.as_str().map(str::to_owned));
    let has_names = recorded().service(service).has_names();
    let key = name.filter(|_| has_names).unwrap_or_else(|| match exchange.target.contains("://") {
        true => exchange.target.clone(),
        false if has_names => "projects/p/operations/1".to_owned(),
        false => format!("https://api.test{}", exchange.target),
    });
    Case {
        service: u8::try_from(service).unwrap_or_default(),
        planted,
        status: exchange.status,
        start: exchange.start.clone().into_bytes(),
        key: key.into_bytes(),
        parts: Vec::new(),
        headers,
        body: exchange.body.clone(),
    }
}
