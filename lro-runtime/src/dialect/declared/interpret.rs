//! Turns the members found in a message into an observation, by the rules that a shape declares.

use std::{borrow::Cow, time::Duration};

use serde_json::value::RawValue;

use super::{
    error,
    seek::seek,
    shape::{Found, HintUnit, Role, WireShape, WireState},
    template,
};
use crate::{
    dialect::{
        Encoding, Observation, Part,
        json::{string, unexpected_body, wrong},
    },
    hint::Hint,
    message::Reply,
    status::{Code, Failure, State, Status},
};

impl WireShape {
    /// Finds the declared members of a message and stores them in `found`. Fails if the message is
    /// not a JSON object.
    pub(super) fn find<'a>(&self, body: &'a [u8], found: &mut Found<'a>) -> Result<(), Failure> {
        seek(body, &self.paths, &mut found.0).map_err(|e| unexpected_body("an operation", &e, body))
    }

    /// Reads everything but the name and the next URL: state, status, payloads, progress. Fails if
    /// the status word is missing (and not declared optional) or is an array or an object.
    pub(super) fn observe<'a>(&self, body: &'a [u8], found: &Found<'a>) -> Result<Observation<'a>, Failure> {
        let word = found.get(Role::State).map(|raw| scalar(raw, || self.path(Role::State).written())).transpose()?;
        // Words are compared exactly. A comparison by substring would read `NotSucceeded` as a
        // success.
        let meaning = word.as_deref().map(|word| self.words.iter().find(|(known, _)| *known == word));
        let (state, status) = match meaning {
            Some(Some((word, meaning))) => self.judge(word, *meaning, found),
            Some(None) => (State::Running, None),
            None => (self.missing_state()?, None),
        };
        let mut seen = Observation::new(state);
        seen.is_known_status = !matches!(meaning, Some(None));
        seen.raw_status = word;
        seen.status = status;
        seen.metadata = self.payload(Role::Metadata, body, found);
        // Replicate fills `output` while the model still runs: a partial result is not the
        // response.
        if state == State::Succeeded {
            seen.response = self.payload(Role::Response, body, found);
        }
        seen.progress = self.fraction_done(found);
        Ok(seen)
    }

    /// Returns the state of a message without a status word, if the shape declares one.
    fn missing_state(&self) -> Result<State, Failure> {
        let absent = || Failure::protocol(format!("the reply has no `{}`", self.path(Role::State).written()));
        self.missing.ok_or_else(absent)
    }

    /// Returns the state that a word means, and the status if that state is failed or cancelled. An
    /// error counts only if the word is terminal.
    fn judge(&self, word: &str, meaning: WireState, found: &Found<'_>) -> (State, Option<Status>) {
        let state = match meaning {
            // GKE and Cloud SQL may have an `error` while the operation runs, and Replicate beside
            // `succeeded`: the word decides.
            WireState::Pending => return (State::Pending, None),
            WireState::Running => return (State::Running, None),
            WireState::Succeeded => return (State::Succeeded, None),
            WireState::Failed | WireState::Done => State::Failed,
            WireState::Cancelled => State::Cancelled,
        };
        let said = found.errors().find_map(error::read);
        if meaning == WireState::Done && said.is_none() {
            return (State::Succeeded, None);
        }
        // BigQuery and GKE have no word for cancelled: a cancelled operation is done, with an error
        // that says so.
        let is_cancelled = |status: &Status| {
            let words = self.cancelled_errors;
            words.contains(&status.code().name()) || status.reason().is_some_and(|reason| words.contains(&reason))
        };
        let state = if said.as_ref().is_some_and(is_cancelled) { State::Cancelled } else { state };
        let code = if state == State::Cancelled { Code::Cancelled } else { Code::Unknown };
        // An error that says neither what kind it is nor what happened says less than the word.
        let says = |status: &Status| {
            status.code() != Code::Unknown || status.reason().is_some() || !status.message().is_empty()
        };
        let status = match said {
            Some(said) if says(&said) => said,
            Some(said) => said.with_reason(word),
            None => Status::new(code, "").with_reason(word),
        };
        (state, Some(status))
    }

    /// Returns the payload of a role: a part of the body, borrowed and not decoded.
    fn payload<'a>(&self, role: Role, body: &'a [u8], found: &Found<'a>) -> Option<Part<'a>> {
        let bytes = if self.path(role).is_whole() { body } else { found.get(role)?.get().as_bytes() };
        Some(Part::of(bytes, Encoding::Json))
    }

    /// Returns the fraction done. A total of 0 gives `None`: OpenAI's batches have it while the
    /// input is validated.
    fn fraction_done(&self, found: &Found<'_>) -> Option<f64> {
        let done = number(found.get(Role::Progress)?)?;
        let total = if self.path(Role::Total).is_declared() { number(found.get(Role::Total)?)? } else { self.total };
        (total > 0.0).then_some(done / total)
    }

    /// Returns the hint of the headers, else the one in the message. A negative number counts as 0,
    /// and one too large for a `Duration` as [`Duration::MAX`].
    pub(super) fn hint_in(&self, reply: &Reply, found: &Found<'_>) -> Option<Hint> {
        let said = || {
            let unit = match self.hint_unit {
                HintUnit::Seconds => 1.0,
                HintUnit::Milliseconds => 1000.0,
            };
            let seconds = number(found.get(Role::Hint)?)? / unit;
            Some(Hint::After(Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX)))
        };
        Hint::from_headers(reply.headers()).or_else(said)
    }

    /// Returns the operation's name: filled into the declared template, else from the declared
    /// member.
    pub(super) fn operation_name<'a>(&self, found: &Found<'a>) -> Result<Option<Cow<'a, str>>, Failure> {
        if let Some(template) = self.name_template {
            let part = |index, word: &str| match found.part(index) {
                Some(raw) => scalar(raw, || word.to_owned()),
                None => {
                    Err(Failure::protocol(format!("the reply has no `{word}`, which is part of the operation's name")))
                }
            };
            return template::fill(template, part).map(|name| Some(Cow::Owned(name)));
        }
        let Some(raw) = found.get(Role::Name) else { return Ok(None) };
        let name = scalar(raw, || self.path(Role::Name).written())?;
        // GKE gives the name only as a part of `selfLink`. A value without the text is taken whole.
        Ok(Some(match self.name_after.and_then(|text| Some(name.find(text)? + text.len())) {
            Some(at) => Cow::Owned(name.get(at..).unwrap_or_default().to_owned()),
            None => name,
        }))
    }

    /// Returns the URL of the next poll as the server wrote it: it may be relative. An empty one
    /// counts as absent.
    pub(super) fn next_url<'a>(&self, found: &Found<'a>) -> Result<Option<Cow<'a, str>>, Failure> {
        let Some(raw) = found.get(Role::Next) else { return Ok(None) };
        let next = scalar(raw, || self.path(Role::Next).written())?;
        Ok(Some(next).filter(|url| !url.is_empty()))
    }
}

/// Returns a string, number or bool as text. `field` names the member in the error, and is called
/// only then: making the name allocates.
pub(super) fn scalar(raw: &RawValue, field: impl FnOnce() -> String) -> Result<Cow<'_, str>, Failure> {
    match raw.get().as_bytes().first() {
        Some(b'"') => string(raw).ok_or_else(|| wrong(&field(), raw, "a string")),
        Some(b'{' | b'[') | None => Err(wrong(&field(), raw, "a string, a number or a bool")),
        Some(_) => Ok(Cow::Borrowed(raw.get())),
    }
}

/// Returns a finite number, also one in a string: protobuf's JSON writes 64-bit integers as
/// strings.
fn number(raw: &RawValue) -> Option<f64> {
    raw.get().trim_matches('"').parse::<f64>().ok().filter(|number| number.is_finite())
}
