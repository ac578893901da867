//! The dialect of LXD and Incus: background operations of their REST API.

use std::{borrow::Cow, time::Duration};

use http::{Method, StatusCode, Uri, header::LOCATION};
use serde_json::value::RawValue;

use super::{
    Call, Coverage, Cursor, Dialect, Encoding, ListPage, ListQuery, Listed, Observation, Options, Part, Sweep,
    declared::{
        WirePath,
        seek::{Paths, seek},
    },
    error_reply, expect_success,
    json::{Members, first_elements, read_members, shown, string, unexpected_body, wrong},
    list_page::MOST_ENTRIES,
    location::{first_placed, kept, kept_url_in, nowhere_to_poll, repeated_headers, without_mark},
};
use crate::{
    dialect::encode_name,
    hint::Hint,
    message::{Reply, Request},
    percent::decoded,
    status::{Code, Failure, State, Status},
    text::excerpt,
    url::{Origin, after_scheme, encode_query},
};

/// LXD and Incus ([REST API](https://documentation.ubuntu.com/lxd/en/latest/rest-api/)): the start
/// call is answered by `202` with `Location: /1.0/operations/<id>`, and a failed operation by
/// `200`.
///
/// - The state is `metadata.status_code` in the body, never the HTTP status: 105 is pending, 200
///   success, 400 failure, 401 cancelled, and every other code is running. `err` says why the
///   operation failed. An operation that failed with `context canceled`, or without a reason, was
///   cancelled.
/// - A start reply of `type: sync` is a finished operation whose response is `metadata`.
/// - The operation's own `metadata` (a map) is the metadata. The whole operation, with its
///   `resources`, is the response.
/// - [`wait`](crate::RawOperation::wait) sends `GET …/wait?timeout=N`,
///   [`cancel`](crate::RawOperation::cancel) sends `DELETE` for the operation. There is no call
///   that deletes a finished operation.
/// - The server forgets a finished operation after about 5 seconds. A wait therefore lets the
///   server hold each poll (`GET …/wait?timeout=N`) for as long as it would have slept before it,
///   and never sleeps for more than 2.5 s itself: where a proxy cannot hold polls, or the settings
///   say [`without_long_poll`](crate::PollSettings::without_long_poll). A poll that comes too late
///   all the same fails with `NOT_FOUND`, and its error says that the operation was there before
///   and is gone.
/// - The name is the path `/1.0/operations/<id>`. An id alone is enough to resume.
/// - Many operations of one project are swept: the list of a project has them all on one page, in
///   every state, and those of no project. An operation is in the project that its URL names
///   (`?project=p`), else in `default`. So a listed operation of another project is polled with the
///   project in the query.
/// - The progress is `progress.percent` of the metadata, or the per cent in the text of a member
///   such as `download_progress`.
///
/// The daemon is reached over TCP, with the client's certificates in the transport, or over its
/// unix socket, with any `http` base URL. A token that was made over one resumes over the other.
///
/// ```
/// # #[cfg(all(unix, feature = "hyper"))] {
/// use lro_runtime::{Operations, dialect::Lxd, transport::HyperTransport};
///
/// let socket = HyperTransport::unix("/var/snap/lxd/common/lxd/unix.socket");
/// let operations = Operations::builder("http://lxd").dialect(Lxd::new()).transport(socket).build()?;
/// # }
/// # Ok::<(), lro_runtime::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct Lxd;

impl Lxd {
    /// Returns the dialect, which has no options.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

/// The path of the collection of all operations.
const OPERATIONS: &str = "1.0/operations";

/// For how long the daemon remembers an operation that has ended, as measured with LXD 5.0.2.
const REMEMBERED: Duration = Duration::from_secs(5);

impl Dialect for Lxd {
    fn id(&self) -> &'static str {
        "lxd"
    }

    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        _options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        let (envelope, unread) = Envelope::begun(reply);
        if envelope.is_error() {
            return Err(error_reply(reply));
        }
        // `type: sync`: the server did the work before it answered.
        if envelope.kind.as_deref() != Some("async") && reply.status() != StatusCode::ACCEPTED {
            let mut seen = Observation::new(State::Succeeded);
            seen.response = envelope.metadata.map(json);
            return unread.map_or(Ok(seen), Err);
        }
        let start = request.uri().to_string();
        let location = kept_url_in(reply, LOCATION.as_str(), &start);
        let path = envelope.operation.as_deref().filter(|path| !path.is_empty());
        let urls = location.into_iter().chain(path.map(|path| kept(path, &start)));
        let cursor = first_placed(&start, urls)
            .ok_or_else(|| unread.unwrap_or_else(|| nowhere_to_poll(request, reply, "a Location or an `operation`")))?;
        let name = path_of(path.unwrap_or(cursor.key())).to_owned();
        // The operation was accepted: a body that cannot be read must not lose it.
        let mut seen = envelope
            .metadata
            .and_then(|operation| observe(operation.get().as_bytes()).ok())
            .unwrap_or_else(|| Observation::new(State::Running));
        seen.name = Some(Cow::Owned(name));
        // A refused URL stays as it was written.
        let cursor = match cursor.refusal() {
            None => {
                let key = key_of(request.uri(), cursor.key().to_owned());
                cursor.at(key)
            }
            Some(_) => cursor,
        };
        seen.cursor = Some(cursor.with_headers(repeated_headers(request)));
        seen.hint = Hint::from_headers(reply.headers());
        Ok(seen)
    }

    fn locate(&self, name: &str, _options: &Options) -> Result<Cursor, Failure> {
        let name = name.strip_prefix('/').unwrap_or(name);
        let path = name.split('?').next().unwrap_or_default();
        match path.strip_prefix(OPERATIONS).and_then(|rest| rest.strip_prefix('/')).unwrap_or(path) {
            // Any other path would let a name reach another resource of the daemon.
            id if id.contains('/') => Err(Failure::untrusted(format!(
                "`{}` is neither an operation's id nor its path",
                excerpt(name.as_bytes())
            ))),
            id => Ok(Cursor::new(format!("{OPERATIONS}/{}", encode_name(id)?))),
        }
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::get(cursor.key()).with_headers(cursor.headers()))
    }

    fn read<'a>(&self, _cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        let envelope = Envelope::of(reply)?;
        let operation = envelope.metadata.ok_or_else(|| {
            Failure::protocol(format!("the reply has no operation; found `{}`", excerpt(reply.body())))
        })?;
        let mut seen = observe(operation.get().as_bytes())?;
        seen.hint = Hint::from_headers(reply.headers());
        Ok(seen)
    }

    fn reads_the_same(&self, reply: &Reply) -> bool {
        reply.status().is_success()
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::new(Method::DELETE, cursor.key()).with_headers(cursor.headers()))
    }

    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Call, Failure> {
        // The server takes whole seconds. Rounded up, so that a timeout under a second is not 0;
        // never negative, because -1 means forever. At most what the server can count in
        // nanoseconds.
        const LONGEST: u64 = i64::MAX as u64 / 1_000_000_000;
        let seconds = timeout.as_secs().saturating_add(u64::from(timeout.subsec_nanos() > 0)).min(LONGEST);
        let (path, query) = cursor.key().split_once('?').map_or((cursor.key(), ""), |(path, query)| (path, query));
        let separator = if query.is_empty() { "" } else { "&" };
        Ok(Call::get(format!("{}/wait?{query}{separator}timeout={seconds}", path.trim_end_matches('/')))
            .with_headers(cursor.headers()))
    }

    fn remembers_end(&self) -> Option<Duration> {
        Some(REMEMBERED)
    }

    fn prefers_held_polls(&self) -> bool {
        true
    }

    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        if !query.page_token.is_empty() {
            return Err(Failure::unsupported("this dialect lists everything on one page"));
        }
        let filter =
            if query.filter.is_empty() { String::new() } else { format!("&filter={}", encode_query(&query.filter)) };
        let project =
            if query.parent.is_empty() { String::new() } else { format!("&project={}", encode_query(&query.parent)) };
        Ok(Call::get(format!("{OPERATIONS}?recursion=1{project}{filter}")))
    }

    fn read_list<'a>(&self, query: &ListQuery, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        expect_success(reply)?;
        let envelope = Envelope::of(reply)?;
        let not_a_list = |e: serde_json::Error| unexpected_body("a list of operations", &e, reply.body());
        // The operations are grouped by the name of their status:
        // `{"running": […], "failure": […]}`. `metadata` is `null` if there are none.
        let mut groups = Groups(vec![]);
        if let Some(listed) = envelope.metadata {
            read_members(listed.get().as_bytes(), &mut groups).map_err(not_a_list)?;
        }
        let read = |message| {
            let mut seen = observe(message)?;
            let name = name_in(message).ok_or_else(|| Failure::protocol("the operation has no `id`"))?;
            let cursor = self.locate(&name, &[])?;
            // What is restricted to a project names it in every request.
            let key = format!("{}{}", cursor.key(), in_project(&query.parent));
            seen.cursor = Some(cursor.at(key));
            seen.name = Some(name);
            Ok(seen)
        };
        let (mut operations, mut left_out) = (Vec::new(), 0_usize);
        for group in groups.0.into_iter().flatten() {
            let room = MOST_ENTRIES.saturating_sub(operations.len());
            // A group that is not a list is an entry that cannot be read: the other groups can.
            let (entries, more) =
                first_elements(group, room).unwrap_or_else(|_| if room > 0 { (vec![group], 0) } else { (vec![], 1) });
            operations.extend(entries.into_iter().map(|entry| Listed::read(entry.get().as_bytes(), read, name_in)));
            left_out = left_out.saturating_add(more);
        }
        Ok(ListPage::new(operations).with_left_out(left_out))
    }

    fn coverage(&self, cursor: &Cursor, _options: &'static Options) -> Option<Coverage> {
        let (path, query) = cursor.key().split_once('?').unwrap_or((cursor.key(), ""));
        let project = decoded(query.strip_prefix("project=").unwrap_or_default().as_bytes()).into_owned();
        // An entry has neither headers of the caller nor another query, and no other origin.
        let entry = self.locate(path, &[]).ok()?;
        let entry = Cursor::new(format!("{}{}", entry.key(), in_project(&project)));
        (*cursor == entry).then(|| Coverage::Sweep(Sweep::new(ListQuery { parent: project, ..ListQuery::default() })))
    }
}

/// Returns the query of requests about what is in a project; none for the default project.
fn in_project(project: &str) -> String {
    if project.is_empty() { String::new() } else { format!("?project={}", encode_query(project)) }
}

/// The groups of a list, each under a name of its own. Two of one name are two groups.
struct Groups<'a>(Vec<Option<&'a RawValue>>);

impl<'a> Members<'a> for Groups<'a> {
    fn slot(&mut self, _name: &str) -> Option<&mut Option<&'a RawValue>> {
        self.0.push(None);
        self.0.last_mut()
    }
}

/// Returns the name of one operation object, made from its `id`, also if the rest of it cannot be
/// read.
fn name_in(operation: &[u8]) -> Option<Cow<'_, str>> {
    const ID: Paths<1> = Paths::NONE.with(0, WirePath::at(&[&["id"]]));
    let mut found = [None];
    let _ = seek(operation, &ID, &mut found);
    let [id] = found;
    id.and_then(string).map(|id| Cow::Owned(format!("/{OPERATIONS}/{id}")))
}

/// Returns what of an operation's `url` is polled: its path and query, below the client's base URL,
/// if it is on the origin of the start call.
///
/// The daemon is the same over its unix socket and over TLS, and so is an operation's path: without
/// the origin, a token that was made over one resumes over the other. The query (`?project=p`)
/// belongs to every request about the operation. Any other URL stays as it is, and the client
/// judges its origin.
fn key_of(start: &Uri, url: String) -> String {
    let own = Origin::of(start);
    let path = url.parse::<Uri>().ok().filter(|url| own.is_some() && Origin::of(url) == own).and_then(|url| {
        let (_, id) = url.path().split_once("/1.0/operations/")?;
        let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
        is_plain.then(|| format!("{OPERATIONS}/{id}{query}"))
    });
    path.unwrap_or(url)
}

/// Returns the path of a URL or a path, without its query.
fn path_of(url: &str) -> &str {
    let path = after_scheme(url).map_or(url, |rest| rest.find('/').and_then(|slash| rest.get(slash..)).unwrap_or("/"));
    path.split('?').next().unwrap_or_default()
}

/// The envelope of every reply. A poll's reply is `type: sync`, with the operation in `metadata`.
struct Envelope<'a> {
    kind: Option<Cow<'a, str>>,
    operation: Option<Cow<'a, str>>,
    metadata: Option<&'a RawValue>,
}

impl<'a> Envelope<'a> {
    /// Reads the reply to a call that must have all of it.
    fn of(reply: &'a Reply) -> Result<Self, Failure> {
        match Self::begun(reply) {
            (_, Some(unread)) => Err(unread),
            // The envelope of an error is an error, whatever the HTTP status.
            (envelope, None) if envelope.is_error() => Err(error_reply(reply)),
            (envelope, None) => Ok(envelope),
        }
    }

    /// Reads what there is of an envelope, and returns it with why the rest cannot be read. A start
    /// call may be accepted with a reply that breaks off.
    fn begun(reply: &'a Reply) -> (Self, Option<Failure>) {
        const MEMBERS: Paths<3> = Paths::NONE
            .with(0, WirePath::at(&[&["type"]]))
            .with(1, WirePath::at(&[&["operation"]]))
            .with(2, WirePath::at(&[&["metadata"]]));
        let mut found = [None; 3];
        let unread = seek(without_mark(reply.body()), &MEMBERS, &mut found).err().map(|e| {
            Failure::protocol(format!("the body is not a reply of LXD: {e}; found `{}`", excerpt(reply.body())))
        });
        let [kind, operation, metadata] = found;
        (Self { kind: kind.and_then(string), operation: operation.and_then(string), metadata }, unread)
    }

    fn is_error(&self) -> bool {
        self.kind.as_deref() == Some("error")
    }
}

/// Reads one operation object.
fn observe(operation: &[u8]) -> Result<Observation<'_>, Failure> {
    const MEMBERS: Paths<4> = Paths::NONE
        .with(0, WirePath::at(&[&["status_code"]]))
        .with(1, WirePath::at(&[&["status"]]))
        .with(2, WirePath::at(&[&["err"]]))
        .with(3, WirePath::at(&[&["metadata"]]));
    let mut found = [None; 4];
    seek(operation, &MEMBERS, &mut found)
        .map_err(|e| Failure::protocol(format!("not an operation: {e}; found `{}`", excerpt(operation))))?;
    let [code, status, err, metadata] = found;
    let code = code.ok_or_else(|| {
        Failure::protocol(format!("not an operation: it has no `status_code`; found `{}`", excerpt(operation)))
    })?;
    // A number in quotes, or one that is written as a float, is a number all the same.
    let number = string(code).unwrap_or(Cow::Borrowed(code.get())).trim().parse::<f64>();
    let number = number.map_err(|_| wrong("status_code", code, "a number"))?;
    // Of another number nothing is known, as of an unknown code.
    let code = (100_u16..=401).find(|known| f64::from(*known).total_cmp(&number).is_eq()).unwrap_or_default();
    // What is said in another form than text is said all the same.
    let why = err.map(shown).unwrap_or_default();
    // Codes below 200 are states of work in progress, 112 ("Error") included; an unknown code of a
    // later version does not end the wait.
    let state = match code {
        105 => State::Pending,
        200 => State::Succeeded,
        // LXD ends some cancelled operations as failures instead of with 401: with this text (Go's
        // `context.Canceled`), or with none. Every other failure says why.
        400 if matches!(&*why, "context canceled" | "") => State::Cancelled,
        400 => State::Failed,
        401 => State::Cancelled,
        _ => State::Running,
    };
    let mut seen = Observation::new(state);
    seen.is_known_status = matches!(code, 100..=112 | 200 | 400 | 401);
    seen.progress = metadata.and_then(fraction_done);
    seen.metadata = metadata.map(json);
    match state {
        // The operation names what it made in `resources`, beside its `metadata`: the response is
        // all of it.
        State::Succeeded => seen.response = Some(Part::of(operation, Encoding::Json)),
        State::Failed => seen.status = Some(Status::new(Code::Unknown, why)),
        State::Cancelled => seen.status = Some(Status::new(Code::Cancelled, why)),
        State::Pending | State::Running => {}
    }
    seen.raw_status = status.and_then(string);
    Ok(seen)
}

fn json(raw: &RawValue) -> Part<'_> {
    Part::of(raw.get().as_bytes(), Encoding::Json)
}

/// Returns the fraction done from an operation's metadata.
///
/// `progress.percent` is a number from 0 to 100 in a string. Older versions have only a text for
/// people, in a member whose name ends with `_progress`: `12% (82.80kB/s)`, `rootfs: 12%`. Of
/// several such members the least counts: that of an earlier stage stays at 100 %.
fn fraction_done(metadata: &RawValue) -> Option<f64> {
    const PERCENT: Paths<1> = Paths::NONE.with(0, WirePath::at(&[&["percent"]]));
    let mut members = Progress::default();
    read_members(metadata.get().as_bytes(), &mut members).ok()?;
    let mut found = [None];
    let _ = members.progress.map(|progress| seek(progress.get().as_bytes(), &PERCENT, &mut found));
    let [percent] = found;
    let percent = percent.and_then(string).and_then(|percent| percent.trim().parse::<f64>().ok());
    let texts = members.texts.into_iter().flatten().filter_map(string);
    let percent = percent.or_else(|| texts.filter_map(|text| percent_in(&text)).reduce(f64::min));
    percent.filter(|percent| (0.0..=100.0).contains(percent)).map(|percent| percent / 100.0)
}

/// The members of an operation's metadata that say how far it is.
#[derive(Default)]
struct Progress<'a> {
    progress: Option<&'a RawValue>,
    texts: Vec<Option<&'a RawValue>>,
}

impl<'a> Members<'a> for Progress<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<&'a RawValue>> {
        if name == "progress" {
            return Some(&mut self.progress);
        }
        if !name.ends_with("_progress") {
            return None;
        }
        self.texts.push(None);
        self.texts.last_mut()
    }
}

/// Returns the number before the `%` at the beginning of a text, or after its `prefix: `.
fn percent_in(text: &str) -> Option<f64> {
    let text = match text.split_once(": ") {
        // The small part of an image that comes before its root file system.
        Some(("metadata", _)) => return None,
        Some((_, text)) => text,
        None => text,
    };
    text.trim_start().split_once('%')?.0.parse().ok()
}
