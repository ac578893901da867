//! The dialect of Redfish tasks.

use std::borrow::Cow;

use http::{Method, StatusCode, header::LOCATION};
use serde_json::value::RawValue;

use super::{
    Call, Cursor, Dialect, Observation, Options,
    declared::{
        WirePath,
        seek::{Paths, seek},
    },
    error_reply, expect_success,
    json::string,
    location::{
        base_of, body_of, done, first_placed, kept, kept_url_in, metadata_of, nowhere_to_poll, repeated_headers,
        without_mark,
    },
    read_details,
};
use crate::{
    hint::Hint,
    message::{Reply, Request},
    settings::Verdict,
    status::{Code, Failure, State, Status},
};

/// Redfish tasks ([DSP0266, asynchronous operations](https://www.dmtf.org/standards/redfish)):
/// `202` with the `Location` of a task monitor.
///
/// Some services send the location of the task itself instead; both work. A body with a `TaskState`
/// is judged by that word. The last reply of a monitor is the one that the start call would have
/// had without the task: its body is the response, or its error is the reason of the failure.
///
/// A start reply of `202` without a `Location` runs at the `TaskMonitor` of its body, or at the
/// task (`@odata.id`) that its body is; one that names neither is an error, because nothing is
/// known of the task but that it was accepted. Any other start reply is a finished operation,
/// unless its body is a task that has not ended.
///
/// Each task is polled alone. The collection of tasks has links only, unless the service supports
/// `$expand`, which it says in its root alone
/// ([DSP0266](https://www.dmtf.org/dsp/DSP0266), query parameters); and it has tasks, whereas polls
/// go to their monitors.
#[derive(Clone, Copy, Debug, Default)]
pub struct Redfish;

/// The members of a task that are read. All are optional: the body may also be a monitor's last
/// reply, which is any JSON or none. None of them is decoded: one of an odd type must not hide the
/// others, and least of all `TaskState`, without which the task would count as done.
struct Task<'a> {
    state: Option<&'a RawValue>,
    messages: Option<&'a RawValue>,
    percent_complete: Option<&'a RawValue>,
    /// The URL of the task's monitor.
    monitor: Option<&'a RawValue>,
    /// The URL of the resource itself.
    id: Option<&'a RawValue>,
}

impl<'a> Task<'a> {
    fn of(reply: &'a Reply) -> Self {
        const MEMBERS: Paths<5> = Paths::NONE
            .with(0, WirePath::at(&[&["TaskState"]]))
            .with(1, WirePath::at(&[&["Messages"]]))
            .with(2, WirePath::at(&[&["PercentComplete"]]))
            .with(3, WirePath::at(&[&["TaskMonitor"]]))
            .with(4, WirePath::at(&[&["@odata.id"]]));
        let mut found = [None; 5];
        // A body that is not an object is not a task. Of one that breaks off, what came counts.
        let _ = seek(without_mark(reply.body()), &MEMBERS, &mut found);
        let [state, messages, percent_complete, monitor, id] = found;
        Self { state, messages, percent_complete, monitor, id }
    }

    /// Returns where the task can be polled, relative to the URL of the start call: at its monitor,
    /// else at the task itself. Nowhere for a body that is not a task.
    fn urls(&self, start: &str) -> impl Iterator<Item = String> {
        let urls = [self.monitor, self.id.filter(|_| self.state.is_some())].into_iter().flatten().filter_map(string);
        urls.filter(|url| !url.is_empty()).map(|url| kept(&url, start))
    }
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
    let task = Task::of(reply);
    // A body without the word is not a task. 202 says that the task runs; any other 2xx is the
    // monitor's last reply.
    let Some(word) = task.state else {
        return if reply.status().as_u16() == 202 { Observation::new(State::Running) } else { done(reply) };
    };
    // A state that is not a string is a word that is not known.
    let word = string(word).unwrap_or(Cow::Borrowed(word.get()));
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
    let percent = task.percent_complete.and_then(|percent| percent.get().parse::<f64>().ok());
    seen.progress = percent.map(|percent| percent / 100.0);
    seen.metadata = metadata_of(reply);
    seen.raw_status = Some(word);
    seen
}

/// Returns the reason of a task's failure, if the reply of its monitor is one.
///
/// A monitor whose task failed answers as the start call would have, with the error. Only these
/// codes are taken for that: 401, 403, 404, 408, 410, 429 and the other 5xx may concern the poll
/// itself, and are polls that failed; so are throttles of any code.
fn verdict(reply: &Reply) -> Option<Status> {
    if !matches!(reply.status().as_u16(), 400 | 405 | 409 | 412 | 422 | 501) {
        return None;
    }
    let failure = error_reply(reply);
    if failure.verdict() == Verdict::Retry { None } else { failure.status().cloned() }
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
        let accepted = reply.status() == StatusCode::ACCEPTED;
        let mut seen = observe(reply);
        let start = request.uri().to_string();
        // The `Location` of any other reply is that of what the call has made.
        let url = if accepted { kept_url_in(reply, LOCATION.as_str(), &start) } else { None };
        if url.is_none() && seen.state.is_terminal() {
            return Ok(seen);
        }
        let cursor = first_placed(&start, url.into_iter().chain(Task::of(reply).urls(&start))).ok_or_else(|| {
            nowhere_to_poll(request, reply, "a Location, and without the TaskMonitor or @odata.id of a task")
        })?;
        seen.hint = Hint::from_headers(reply.headers());
        seen.cursor = Some(cursor.with_headers(repeated_headers(request)));
        Ok(seen)
    }

    fn locate(&self, name: &str, _options: &Options) -> Result<Cursor, Failure> {
        base_of(name).map(|_| Cursor::new(name))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::get(cursor.key()).with_headers(cursor.headers()))
    }

    fn read<'a>(&self, _cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        let mut seen = match verdict(reply) {
            Some(status) => {
                let mut seen = Observation::new(State::Failed);
                seen.status = Some(status);
                seen
            }
            None => expect_success(reply).map(|()| observe(reply))?,
        };
        seen.hint = Hint::from_headers(reply.headers());
        Ok(seen)
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::new(Method::DELETE, cursor.key()).with_headers(cursor.headers()))
    }
}
