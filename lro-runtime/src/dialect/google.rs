//! `google.longrunning` over REST/JSON.

use std::{borrow::Cow, time::Duration};

use http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Call, Cursor, Dialect, Encoding, ListPage, ListQuery, Listed, Observation, Options, Part, expect_success,
    json::{is_object, not_json, present, string, wrong},
    read_details,
};
use crate::{
    dialect::encode_name,
    hint::Hint,
    message::{Reply, Request},
    status::{Code, Failure, State, Status},
    text::excerpt,
    url::encode_query,
};

/// `google.longrunning` over REST and JSON: the default dialect
/// ([operations.proto](https://github.com/googleapis/googleapis/blob/master/google/longrunning/operations.proto),
/// [AIP-151](https://google.aip.dev/151)).
///
/// Operations are looked at with `GET v1/{name}`. The path can be another for a whole client ([`Google::with_path`]) or for one method
/// (`path = "v1beta1/{name}"` in its attribute).
#[derive(Clone, Debug)]
pub struct Google {
    path: Cow<'static, str>,
}

/// The part of a cursor that is the path template of its method.
const PATH: &str = "path";

impl Default for Google {
    fn default() -> Self {
        Self { path: Cow::Borrowed("v1/{name}") }
    }
}

impl Google {
    /// The word in tokens, the same over REST and gRPC: names are.
    pub(super) const ID: &'static str = "google";

    /// The dialect with the paths of the specification: `v1/{name}`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this path below the base URL, where `{name}` is the operation's name.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.path = path.into();
        self
    }

    pub(super) fn path(&self, cursor: &Cursor, verb: &str) -> Result<String, Failure> {
        let template = cursor.part(PATH).unwrap_or(&self.path);
        Ok(template.replace("{name}", &encode_name(cursor.key())?) + verb)
    }

    pub(super) fn cursor(name: &str, options: &Options) -> Cursor {
        let cursor = Cursor::new(name);
        match options.iter().find(|(option, _)| *option == PATH) {
            Some((_, path)) => cursor.with(PATH, *path),
            None => cursor,
        }
    }
}

impl Dialect for Google {
    fn id(&self) -> &'static str {
        Self::ID
    }

    fn read_start<'a>(
        &self,
        _request: &Request,
        reply: &'a Reply,
        options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        let mut seen = read_operation(reply.body())?;
        seen.hint = Hint::from_headers(reply.headers());
        located(seen, options)
    }

    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        encode_name(name)?;
        Ok(Self::cursor(name, options))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.path(cursor, "").map(Call::get)
    }

    fn read<'a>(&self, _cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        let mut seen = read_operation(reply.body())?;
        seen.hint = Hint::from_headers(reply.headers());
        Ok(seen)
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::new(Method::POST, self.path(cursor, ":cancel")?).with_json("{}"))
    }

    fn delete(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::new(Method::DELETE, self.path(cursor, "")?))
    }

    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Call, Failure> {
        let timeout = format!(r#"{{"timeout":"{}.{:09}s"}}"#, timeout.as_secs(), timeout.subsec_nanos());
        Ok(Call::new(Method::POST, self.path(cursor, ":wait")?).with_json(timeout))
    }

    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        let collection =
            if query.parent.is_empty() { "operations".to_owned() } else { encode_name(&query.parent)? + "/operations" };
        let mut target = self.path.replace("{name}", &collection);
        let mut separator = '?';
        let mut add = |name: &str, value: &str| {
            if !value.is_empty() {
                target.push(separator);
                target.push_str(name);
                target.push('=');
                target.push_str(&encode_query(value));
                separator = '&';
            }
        };
        add("filter", &query.filter);
        add("pageSize", &query.page_size.map(|size| size.to_string()).unwrap_or_default());
        add("pageToken", &query.page_token);
        add("returnPartialSuccess", if query.return_partial_success { "true" } else { "" });
        Ok(Call::get(target))
    }

    fn read_list<'a>(&self, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Page<'a> {
            #[serde(borrow, default)]
            operations: Option<Vec<&'a RawValue>>,
            #[serde(default)]
            next_page_token: Option<String>,
            #[serde(default)]
            unreachable: Option<Vec<String>>,
        }
        expect_success(reply)?;
        let page: Page<'a> =
            serde_json::from_slice(reply.body()).map_err(|e| not_json("a page of operations", &e, reply.body()))?;
        let operations = page.operations.unwrap_or_default().into_iter().map(|operation| {
            let message = operation.get().as_bytes();
            let mut seen = read_operation(message)?;
            seen.cursor = seen.name.as_deref().filter(|name| !name.is_empty()).map(|name| Self::cursor(name, &[]));
            Ok(Listed { message, seen })
        });
        Ok(ListPage {
            operations: operations.collect::<Result<_, Failure>>()?,
            next_page_token: page.next_page_token.unwrap_or_default(),
            unreachable: page.unreachable.unwrap_or_default(),
        })
    }
}

/// The envelope, nothing of it decoded: unknown keys and payloads of any shape pass.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow, default)]
    name: Option<&'a RawValue>,
    #[serde(borrow, default)]
    metadata: Option<&'a RawValue>,
    #[serde(borrow, default)]
    done: Option<&'a RawValue>,
    #[serde(borrow, default)]
    error: Option<&'a RawValue>,
    #[serde(borrow, default)]
    response: Option<&'a RawValue>,
}

/// Reads a `google.longrunning.Operation`.
fn read_operation(body: &[u8]) -> Result<Observation<'_>, Failure> {
    // Checked for UTF-8 once, not once per payload. What is not may still have an envelope that can be read.
    let envelope: Envelope<'_> = match std::str::from_utf8(body) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(body),
    }
    .map_err(|e| not_json("an operation", &e, body))?;
    if !is_object(body) {
        return Err(Failure::protocol(format!("the body is not an operation but an array: found `{}`", excerpt(body))));
    }
    let name =
        present(envelope.name).map(|raw| string(raw).ok_or_else(|| wrong("name", raw, "a string"))).transpose()?;
    let name = name.unwrap_or_default();
    let done = match present(envelope.done).map(|raw| (raw, raw.get())) {
        None | Some((_, "false")) => false,
        Some((_, "true")) => true,
        Some((raw, _)) => return Err(wrong("done", raw, "true or false")),
    };
    let metadata = present(envelope.metadata);
    // Neither counts before the end.
    let error = present(envelope.error).filter(|_| done).map(read_status).transpose()?;
    let response = present(envelope.response).filter(|_| done);
    Ok(observation(name, done, metadata.map(any), error, response.map(any)))
}

/// What the parts of a `google.longrunning.Operation` mean, however they were written. Before the end neither `error` nor `response` counts.
pub(super) fn observation<'a>(
    name: Cow<'a, str>,
    done: bool,
    metadata: Option<Part<'a>>,
    error: Option<Status>,
    response: Option<Part<'a>>,
) -> Observation<'a> {
    let state = match &error {
        Some(status) if done && status.code() == Code::Cancelled => State::Cancelled,
        Some(_) if done => State::Failed,
        None if done => State::Succeeded,
        _ if metadata.is_some() => State::Running,
        _ => State::Pending,
    };
    let mut seen = Observation::new(state);
    seen.name = Some(name);
    seen.metadata = metadata;
    seen.response = response.filter(|_| state == State::Succeeded);
    seen.status = error.filter(|_| done);
    seen
}

/// `seen` of a start call with the cursor that leads on from it.
pub(super) fn located<'a>(mut seen: Observation<'a>, options: &Options) -> Result<Observation<'a>, Failure> {
    match seen.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => {
            encode_name(name)?;
            seen.cursor = Some(Google::cursor(name, options));
        }
        None if seen.state.is_terminal() => {} // a finished operation may be nameless
        None => return Err(Failure::protocol("the reply names no operation and is not done")),
    }
    Ok(seen)
}

fn any(raw: &RawValue) -> Part<'_> {
    Part::of(raw.get().as_bytes(), Encoding::JsonAny)
}

/// `google.rpc.Status` as an operation's error: `code` is a canonical code, never an HTTP status.
pub(super) fn read_status(error: &RawValue) -> Result<Status, Failure> {
    #[derive(Deserialize)]
    struct Lenient<'a> {
        #[serde(borrow, default)]
        code: Option<&'a RawValue>,
        #[serde(borrow, default)]
        message: Option<&'a RawValue>,
        #[serde(borrow, default)]
        details: Option<&'a RawValue>,
    }
    let read = serde_json::from_str::<Lenient<'_>>(error.get()).ok().filter(|_| is_object(error.get().as_bytes()));
    let read = read.ok_or_else(|| wrong("error", error, "an object with `code` and `message`"))?;
    let code = match present(read.code) {
        None => Code::Unknown,
        Some(raw) => match (serde_json::from_str::<i64>(raw.get()), serde_json::from_str::<String>(raw.get())) {
            (Ok(number), _) => Code::from_number(number),
            (_, Ok(name)) => Code::from_name(&name).ok_or_else(|| wrong("error.code", raw, "a canonical code"))?,
            _ => return Err(wrong("error.code", raw, "a canonical code")),
        },
    };
    let message = match present(read.message) {
        Some(raw) => serde_json::from_str(raw.get()).map_err(|_| wrong("error.message", raw, "a string"))?,
        None => String::new(),
    };
    Ok(Status::new(code, message).with_details(read_details(read.details)))
}
