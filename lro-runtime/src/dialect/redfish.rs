//! The dialect of Redfish tasks.

use std::borrow::Cow;

use http::Method;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    Call, Cursor, Dialect, Observation, Options, error_reply, expect_success,
    location::{base_of, body_of, done, location_in, metadata_of, repeated_headers},
    read_details,
};
use crate::{
    hint::Hint,
    message::{Reply, Request},
    status::{Code, Failure, State, Status},
};

/// Redfish tasks ([DSP0266, asynchronous operations](https://www.dmtf.org/standards/redfish)):
/// `202` with the `Location` of a task monitor.
///
/// Some services send the location of the task itself instead; both work. A body with a `TaskState`
/// is judged by that word. The last reply of a monitor is the one that the start call would have
/// had without the task: its body is the response, or its error is the reason of the failure. Any
/// start reply but `202` with a `Location` is a finished operation.
#[derive(Clone, Copy, Debug, Default)]
pub struct Redfish;

/// The members of a task that are read, all optional: the body may also be a monitor's last reply,
/// which is any JSON.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Task<'a> {
    #[serde(borrow, rename = "TaskState")]
    state: Option<Cow<'a, str>>,
    #[serde(borrow)]
    messages: Option<&'a RawValue>,
    percent_complete: Option<f64>,
}

/// The words of `TaskState` and their states: the whole list of the `Task` schema. Another word is
/// running, and not known.
const WORDS: &[(&str, State)] = &[
    ("New", State::Pending),
    ("Pending", State::Pending),
    ("Starting", State::Running),
    ("Running", State::Running),
    ("Suspended", State::Running),
    ("Interrupted", State::Running),
    ("Stopping", State::Running),
    ("Service", State::Running),
    ("Cancelling", State::Running),
    ("Completed", State::Succeeded),
    ("Exception", State::Failed),
    ("Killed", State::Cancelled),
    ("Cancelled", State::Cancelled),
];

/// Reads the body of a 2xx reply, of a task or of its monitor.
fn observe(reply: &Reply) -> Observation<'_> {
    let task: Task<'_> = body_of(reply)
        .and_then(|part| match part.bytes {
            Cow::Borrowed(body) => serde_json::from_slice(body).ok(),
            Cow::Owned(_) => None,
        })
        .unwrap_or_default();
    // A body without the word is not a task. 202 says that the task runs; any other 2xx is the
    // monitor's last reply.
    let Some(word) = task.state else {
        return if reply.status().as_u16() == 202 { Observation::new(State::Running) } else { done(reply) };
    };
    let known = WORDS.iter().find(|(known, _)| *known == word);
    let mut seen = Observation::new(known.map_or(State::Running, |(_, state)| *state));
    let status =
        |code| Some(Status::new(code, format!("the task is `{word}`")).with_details(read_details(task.messages)));
    match seen.state {
        State::Succeeded => seen.response = body_of(reply),
        State::Failed => seen.status = status(Code::Unknown),
        State::Cancelled => seen.status = status(Code::Cancelled),
        State::Pending | State::Running => {}
    }
    seen.is_known_status = known.is_some();
    seen.progress = task.percent_complete.map(|percent| percent / 100.0);
    seen.metadata = metadata_of(reply);
    seen.raw_status = Some(word);
    seen
}

impl Dialect for Redfish {
    fn id(&self) -> &'static str {
        "redfish"
    }

    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        _options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        let Some(url) = location_in(reply, request.uri())?.filter(|_| reply.status().as_u16() == 202) else {
            return Ok(done(reply));
        };
        let mut seen = observe(reply);
        seen.hint = Hint::from_headers(reply.headers());
        seen.cursor = Some(Cursor::new(url).with_headers(repeated_headers(request)));
        Ok(seen)
    }

    fn locate(&self, name: &str, _options: &Options) -> Result<Cursor, Failure> {
        base_of(name).map(|_| Cursor::new(name))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::get(cursor.key()).with_headers(cursor.headers()))
    }

    fn read<'a>(&self, _cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        // A monitor whose task failed answers as the start call would have, with the error. Only
        // these codes are taken for that: 401, 403, 404, 408, 410, 429 and the other 5xx may
        // concern the poll itself, and are polls that failed.
        let is_verdict = matches!(reply.status().as_u16(), 400 | 405 | 409 | 412 | 422 | 501);
        let mut seen = if is_verdict {
            Observation::new(State::Failed)
        } else {
            expect_success(reply).map(|()| observe(reply))?
        };
        if is_verdict {
            seen.status = error_reply(reply).status().cloned();
        }
        seen.hint = Hint::from_headers(reply.headers());
        Ok(seen)
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::new(Method::DELETE, cursor.key()).with_headers(cursor.headers()))
    }
}
