//! The dialect of Google's AI jobs: resources with a `state` member.

use std::borrow::Cow;

use serde_json::value::RawValue;

use super::{
    Call, Cursor, Dialect, Encoding, Google, Observation, Options, Part,
    declared::{
        WirePath,
        seek::{Paths, seek},
    },
    expect_success,
    google::{accepted, cursor_of_reply, name_in, read_status},
    json::{string, wrong},
};
use crate::{
    dialect::encode_name,
    hint::Hint,
    message::{Reply, Request},
    status::{Code, Failure, State, Status},
    text::excerpt,
};

/// Jobs of Vertex AI and batches of the Gemini API: resources with a `state`, which is a word of
/// [`JobState`](https://cloud.google.com/vertex-ai/docs/reference/rest/v1/JobState). Gemini's
/// batches have the prefix `BATCH_STATE_` instead of `JOB_STATE_`, and keep the state inside
/// `metadata`; both forms are read.
///
/// The response and the metadata are the members `response` and `metadata` of the job, or the whole
/// job where it has no such member. A partial success (`JOB_STATE_PARTIALLY_SUCCEEDED`) is a
/// success; `raw_status()` tells the two apart.
#[derive(Clone, Debug, Default)]
pub struct Jobs {
    google: Google,
}

impl Jobs {
    /// Returns the dialect with the path `v1/{name}`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the path below the base URL, in which `{name}` stands for the job's name. Default:
    /// `v1/{name}`.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.google = self.google.with_path(path);
        self
    }
}

/// The prefixes of Vertex AI's words and of Gemini's. A word without one of them is unknown:
/// `SUCCEEDED` alone is not guessed to be a success.
const PREFIXES: [&str; 2] = ["JOB_STATE_", "BATCH_STATE_"];

/// The words after the prefix, with their states and the code of a failure that carries no `error`.
///
/// The list is complete: a client that does not know `PARTIALLY_SUCCEEDED` as terminal polls such a
/// job forever.
const WORDS: &[(&str, State, Code)] = &[
    ("UNSPECIFIED", State::Pending, Code::Ok),
    ("QUEUED", State::Pending, Code::Ok),
    ("PENDING", State::Pending, Code::Ok),
    ("RUNNING", State::Running, Code::Ok),
    ("CANCELLING", State::Running, Code::Ok),
    ("PAUSED", State::Running, Code::Ok),
    ("UPDATING", State::Running, Code::Ok),
    ("SUCCEEDED", State::Succeeded, Code::Ok),
    ("PARTIALLY_SUCCEEDED", State::Succeeded, Code::Ok),
    ("FAILED", State::Failed, Code::Unknown),
    ("EXPIRED", State::Failed, Code::DeadlineExceeded),
    ("CANCELLED", State::Cancelled, Code::Cancelled),
];

/// The members of a job. The last is the state of a Gemini batch.
const JOB: Paths<6> = Paths::NONE
    .with(0, WirePath::at(&[&["name"]]))
    .with(1, WirePath::at(&[&["state"]]))
    .with(2, WirePath::at(&[&["metadata"]]))
    .with(3, WirePath::at(&[&["response"]]))
    .with(4, WirePath::at(&[&["error"]]))
    .with(5, WirePath::at(&[&["metadata"], &["state"]]));

fn observe<'a>(body: &'a [u8]) -> Result<Observation<'a>, Failure> {
    let no_job = |why: &str| Failure::protocol(format!("the body is not a job: {why}; found `{}`", excerpt(body)));
    let mut found = [None; 6];
    seek(body, &JOB, &mut found).map_err(|e| no_job(&e.to_string()))?;
    let [name, state, metadata, response, error, inner] = found;
    let text = |field: &str, raw: &'a RawValue| string(raw).ok_or_else(|| wrong(field, raw, "a string"));
    let name = name.map(|raw| text("name", raw)).transpose()?;
    let word = match state {
        Some(raw) => text("state", raw)?,
        None => inner.and_then(string).ok_or_else(|| no_job("it has no `state`"))?,
    };
    let bare = PREFIXES.iter().find_map(|prefix| word.strip_prefix(prefix));
    let known = WORDS.iter().find(|(known, ..)| Some(*known) == bare);
    let (state, code) = known.map_or((State::Running, Code::Ok), |(_, state, code)| (*state, *code));
    let mut seen = Observation::new(state);
    if code != Code::Ok {
        let said = error.map(read_status);
        let status = said.unwrap_or_else(|| Status::new(code, format!("the job is {word}")));
        // The word is the reason even beside an `error`: it tells `EXPIRED` from `FAILED`, whatever
        // the code.
        seen.status = Some(status.with_reason(word.as_ref()));
    }
    // A member may be a protobuf `Any` with an `@type`; the job itself is a plain message.
    let part = |member: Option<&'a RawValue>| match member {
        Some(member) => Part::of(member.get().as_bytes(), Encoding::JsonAny),
        None => Part::of(body, Encoding::Json),
    };
    seen.metadata = Some(part(metadata));
    seen.response = (state == State::Succeeded).then(|| part(response));
    seen.is_known_status = known.is_some();
    seen.raw_status = Some(word);
    seen.name = name;
    Ok(seen)
}

impl Dialect for Jobs {
    fn id(&self) -> &'static str {
        "google-jobs"
    }

    fn read_start<'a>(
        &self,
        _request: &Request,
        reply: &'a Reply,
        options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        let mut seen = observe(reply.body()).or_else(|why| accepted(name_in(reply.body()), why))?;
        seen.hint = Hint::from_headers(reply.headers());
        // Unlike an operation, a job always has a name: it is a resource, also when it is done.
        match seen.name.as_deref().filter(|name| !name.is_empty()) {
            Some(name) => seen.cursor = Some(cursor_of_reply(name, options)),
            None => return Err(Failure::protocol("the reply has no `name`")),
        }
        Ok(seen)
    }

    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        encode_name(name)?;
        Ok(Google::cursor_at(name, options))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.google.poll(cursor)
    }

    fn read<'a>(&self, _cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        let mut seen = observe(reply.body())?;
        seen.hint = Hint::from_headers(reply.headers());
        Ok(seen)
    }

    fn reads_the_same(&self, reply: &Reply) -> bool {
        reply.status().is_success()
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.google.cancel(cursor)
    }

    fn delete(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.google.delete(cursor)
    }
}
