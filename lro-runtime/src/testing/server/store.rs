//! The store of a server: its operations, and the answer of each call about them.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    http1::Outgoing,
    job::{Cancel, Fault, Job, Outcome, Pace},
};
use crate::status::Code;

/// The number of log lines that are kept.
const MAX_LOG_LINES: usize = 10_000;

/// The page size of a list call that names none.
const DEFAULT_PAGE_SIZE: usize = 100;

/// All operations, and the log of requests.
#[derive(Default)]
pub(super) struct Store {
    // Ordered by name, so that a page token can be a position in the list.
    operations: BTreeMap<String, Entry>,
    started: u64,
    started_by_calls: u64,
    start_ids: HashMap<String, Start>,
    log: VecDeque<String>,
}

/// The start call that had a start id.
struct Start {
    path: String,
    body: Vec<u8>,
    /// The operation that it has started; `None` while it is at work.
    operation: Option<String>,
}

/// What is known of a start id.
pub(super) enum Claim {
    /// Another start call had it, and this is the answer.
    Known(Answer),
    /// Nobody had it. It is this call's now.
    New,
}

/// One operation and its progress. It stays in the store after it was deleted, so that its counts
/// can still be read.
struct Entry {
    job: Job,
    began: Instant,
    polls: u32,
    /// How often a list has shown it. That is a look at the job as a poll is.
    listed: u32,
    requests: u32,
    /// The number of polls at the time of the first cancel call.
    cancelled_at: Option<u32>,
    deleted: bool,
}

/// The answer of a call: a reply, and its fault if it has one.
pub(super) struct Answer {
    pub(super) reply: Outgoing,
    pub(super) fault: Option<Fault>,
}

/// The query of a list call.
#[derive(Default)]
pub(super) struct Query {
    pub(super) filter: String,
    pub(super) page_size: usize,
    pub(super) page_token: String,
}

impl Store {
    pub(super) fn log(&mut self, line: String) {
        if self.log.len() == MAX_LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back(line);
    }

    pub(super) fn lines(&self) -> Vec<String> {
        self.log.iter().cloned().collect()
    }

    /// Takes a start id for a start call, unless another had it.
    pub(super) fn claim(&mut self, id: &str, path: &str, body: &[u8]) -> Claim {
        let Some(start) = self.start_ids.get(id) else {
            let start = Start { path: path.to_owned(), body: body.to_vec(), operation: None };
            self.start_ids.insert(id.to_owned(), start);
            return Claim::New;
        };
        if start.path != path || start.body != body {
            let why = format!("the start id `{id}` is that of another start call");
            return Claim::Known(error(Code::InvalidArgument, &why).into());
        }
        let Some(name) = &start.operation else {
            return Claim::Known(error(Code::Aborted, "a start call with this start id is at work").into());
        };
        Claim::Known(match self.operations.get(name).filter(|entry| !entry.deleted) {
            Some(entry) => entry.reply(name).into(),
            None => not_found(name).into(),
        })
    }

    /// Whether a start call with this start id is at work.
    pub(super) fn is_starting(&self, id: &str) -> bool {
        self.start_ids.get(id).is_some_and(|start| start.operation.is_none())
    }

    /// Gives a start id back that has started nothing.
    pub(super) fn give_back(&mut self, id: &str) {
        if self.is_starting(id) {
            self.start_ids.remove(id);
        }
    }

    /// Starts a job and returns the answer of the start call.
    pub(super) fn start(&mut self, job: Job, start_id: Option<&str>) -> Answer {
        if let Some((code, message)) = &job.refusal {
            return error(*code, message).into();
        }
        let fault = job.faults.get(&0).copied();
        let name = self.insert(job);
        self.started_by_calls += 1;
        if let Some(start) = start_id.and_then(|id| self.start_ids.get_mut(id)) {
            start.operation = Some(name.clone());
        }
        match self.operations.get(&name) {
            Some(entry) => Answer { reply: entry.reply(&name), fault },
            None => not_found(&name).into(),
        }
    }

    /// Returns how many operations start calls have started.
    pub(super) fn started_by_calls(&self) -> u64 {
        self.started_by_calls
    }

    /// Adds an operation for `job` and returns its name.
    pub(super) fn insert(&mut self, job: Job) -> String {
        self.started += 1;
        let name = job.name.clone().unwrap_or_else(|| format!("operations/{}", self.started));
        let entry =
            Entry { job, began: Instant::now(), polls: 0, listed: 0, requests: 0, cancelled_at: None, deleted: false };
        self.operations.insert(name.clone(), entry);
        name
    }

    /// Returns how many requests named an operation, and how many of them were polls.
    pub(super) fn counts(&self, name: &str) -> (u32, u32) {
        self.operations.get(name).map_or((0, 0), |entry| (entry.requests, entry.polls))
    }

    /// Answers a poll.
    pub(super) fn poll(&mut self, name: &str) -> Answer {
        let Some(entry) = self.find(name) else { return not_found(name).into() };
        entry.polls = entry.polls.saturating_add(1);
        // Counted before: faults are numbered from 1, and 0 is the start call.
        let fault = entry.job.faults.get(&entry.polls).copied();
        if entry.is_expired() {
            return Answer { reply: error(Code::NotFound, &format!("operation `{name}` has expired")), fault };
        }
        Answer { reply: entry.reply(name), fault }
    }

    /// Returns whether a `:wait` may go on: the operation exists and is not done.
    pub(super) fn is_open(&self, name: &str) -> bool {
        self.operations.get(name).is_some_and(|entry| !entry.deleted && !entry.is_expired() && !entry.is_done())
    }

    /// Answers a cancel call.
    pub(super) fn cancel(&mut self, name: &str) -> Answer {
        let Some(entry) = self.find(name) else { return not_found(name).into() };
        match entry.job.cancel {
            Cancel::Unimplemented => return error(Code::Unimplemented, "operations cannot be cancelled").into(),
            // Only the first cancel call counts: a second one must not put the cancellation off.
            Cancel::After(_) if !entry.is_done() && entry.cancelled_at.is_none() => {
                entry.cancelled_at = Some(entry.polls);
            }
            Cancel::After(_) | Cancel::Ignored => {}
        }
        Outgoing::json(200, &json!({})).into()
    }

    /// Answers a delete call: from now on the operation is not found.
    pub(super) fn delete(&mut self, name: &str) -> Answer {
        let Some(entry) = self.find(name) else { return not_found(name).into() };
        entry.deleted = true;
        Outgoing::json(200, &json!({})).into()
    }

    /// Answers a list call with one page of the operations below `parent`, which is empty or ends
    /// in a slash.
    pub(super) fn list(&mut self, parent: &str, query: &Query) -> Answer {
        let wanted = match query.filter.as_str() {
            "" => None,
            "done=true" => Some(true),
            "done=false" => Some(false),
            filter => {
                return error(
                    Code::InvalidArgument,
                    &format!("unknown filter `{filter}`: only `done=true` and `done=false` are supported"),
                )
                .into();
            }
        };
        let from = match query.page_token.strip_prefix("from-").map(str::parse::<usize>) {
            None if query.page_token.is_empty() => 0,
            Some(Ok(from)) => from,
            _ => return error(Code::InvalidArgument, "invalid page token").into(),
        };
        let below = format!("{parent}operations/");
        let alive = self
            .operations
            .iter()
            .filter(|(name, entry)| name.starts_with(&below) && !entry.deleted && !entry.is_expired());
        let found = alive.filter(|(_, entry)| wanted.is_none_or(|wanted| entry.is_done() == wanted));
        let size = if query.page_size == 0 { DEFAULT_PAGE_SIZE } else { query.page_size };
        // One more than the page has, which tells whether there is another.
        let mut shown: Vec<(String, Value)> = Vec::new();
        for (name, entry) in found.skip(from).take(size.saturating_add(1)) {
            shown.push((name.clone(), entry.operation(name)));
        }
        let next = if shown.len() > size { format!("from-{}", from.saturating_add(size)) } else { String::new() };
        shown.truncate(size);
        for (name, _) in &shown {
            if let Some(entry) = self.operations.get_mut(name) {
                entry.listed = entry.listed.saturating_add(1);
            }
        }
        let page: Vec<Value> = shown.into_iter().map(|(_, operation)| operation).collect();
        Outgoing::json(200, &json!({ "operations": page, "nextPageToken": next })).into()
    }

    /// Returns an operation that was not deleted, and counts the request.
    fn find(&mut self, name: &str) -> Option<&mut Entry> {
        let entry = self.operations.get_mut(name).filter(|entry| !entry.deleted)?;
        entry.requests = entry.requests.saturating_add(1);
        Some(entry)
    }
}

impl Entry {
    fn is_expired(&self) -> bool {
        self.job.expires_at.is_some_and(|poll| self.polls >= poll)
    }

    fn is_cancelled(&self) -> bool {
        let Cancel::After(polls) = self.job.cancel else { return false };
        self.cancelled_at.is_some_and(|at| self.polls >= at.saturating_add(polls))
    }

    /// Returns how often somebody has looked at the job.
    fn looks(&self) -> u32 {
        self.polls.saturating_add(self.listed)
    }

    /// Returns the fraction done, 0 to 1.
    fn fraction(&self) -> f64 {
        match self.job.pace {
            Pace::Endless => 0.0,
            Pace::Polls(0) => 1.0,
            Pace::Polls(polls) => (f64::from(self.looks()) / f64::from(polls)).min(1.0),
            Pace::Lasting(duration) if self.began.elapsed() >= duration => 1.0,
            // Below 1 until the time is over, whatever the division rounds to: 1 means done.
            Pace::Lasting(duration) => (self.began.elapsed().as_secs_f64() / duration.as_secs_f64()).min(0.999),
        }
    }

    fn is_done(&self) -> bool {
        self.is_cancelled() || self.fraction() >= 1.0
    }

    /// Returns the operation as a `google.longrunning.Operation` in JSON.
    fn operation(&self, name: &str) -> Value {
        let mut operation = json!({ "name": name });
        let mut set = |member: &str, value: Value| {
            if let Some(object) = operation.as_object_mut() {
                object.insert(member.to_owned(), value);
            }
        };
        let metadata = (self.job.metadata)(self.fraction());
        // Metadata is what tells running from queued. A job that is done was not queued at the end.
        if !metadata.is_null() && (self.looks() >= self.job.queued || self.is_done()) {
            set("metadata", metadata);
        }
        if self.is_done() {
            set("done", json!(true));
            match &self.job.outcome {
                // First, because a cancelled job ends as cancelled whatever its outcome would have
                // been.
                _ if self.is_cancelled() => {
                    set("error", json!({ "code": 1, "message": "the operation was cancelled" }));
                }
                Outcome::Response(response) => set("response", response.clone()),
                Outcome::Error(error) => set("error", error.clone()),
                Outcome::Nothing => {}
            }
        }
        operation
    }

    /// Returns the reply to a poll or a start call.
    fn reply(&self, name: &str) -> Outgoing {
        let reply = Outgoing::json(200, &self.operation(name));
        match self.job.hint.filter(|_| !self.is_done()) {
            Some(wait) => reply.with_header("retry-after", whole_seconds(wait)),
            None => reply,
        }
    }
}

impl From<Outgoing> for Answer {
    fn from(reply: Outgoing) -> Self {
        Self { reply, fault: None }
    }
}

/// Returns `duration` for a `Retry-After` header, which has no fractions: rounded up, because
/// rounding down would make the client come too early.
pub(super) fn whole_seconds(duration: Duration) -> String {
    duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0)).to_string()
}

fn not_found(name: &str) -> Outgoing {
    error(Code::NotFound, &format!("operation `{name}` not found"))
}

/// Returns an error reply as Google's services send it, with the HTTP status of `code`.
pub(super) fn error(code: Code, message: &str) -> Outgoing {
    error_with(code.http_status(), code, message)
}

/// Returns an error reply as Google's services send it, with the HTTP status `http`.
pub(super) fn error_with(http: u16, code: Code, message: &str) -> Outgoing {
    Outgoing::json(http, &json!({ "error": { "code": http, "message": message, "status": code.name() } }))
}
