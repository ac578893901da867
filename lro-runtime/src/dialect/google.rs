//! The dialect `google.longrunning` over REST and JSON, and what its gRPC form shares with it.

use std::{borrow::Cow, time::Duration};

use http::Method;
use serde_json::value::RawValue;

use super::{
    Call, Coverage, Cursor, Dialect, Encoding, ListPage, ListQuery, Listed, Observation, Options, Part, Shows, Sweep,
    declared::{
        WirePath,
        seek::{Paths, seek},
    },
    envelope::Envelope,
    expect_success,
    json::{all_shown, first_elements, shown, string, text_of, unexpected_body, wrong},
    list_page::MOST_ENTRIES,
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
/// An operation is polled with `GET v1/{name}`. The path can be changed for a whole client
/// ([`Google::with_path`]) or for one method (`path = "v1beta1/{name}"` in its attribute), because
/// the service is a mixin: each API hosts it itself, below its own version.
///
/// The name is opaque and is never given a prefix: it may sit anywhere in the resource tree of the
/// API (`projects/p/locations/l/operations/7`). An operation that is not done is pending without
/// metadata and running with metadata.
///
/// Many operations of one collection are swept: what stands before `/operations/` in their names is
/// the parent of the list, which is asked for `done=false` and 500 operations a page
/// ([AIP-160](https://google.aip.dev/160), [AIP-158](https://google.aip.dev/158): a service that
/// has smaller pages gives those). A name without such a collection is polled alone. Some services
/// take another filter: see [`with_sweep`](Self::with_sweep).
#[derive(Clone, Debug)]
pub struct Google {
    path: Cow<'static, str>,
    unfinished: Cow<'static, str>,
    page_size: u32,
}

/// The option with a method's path template, and the part of a cursor that keeps it.
const PATH: &str = "path";

/// The filter for operations that have not finished.
pub(super) const UNFINISHED: &str = "done=false";

/// How many operations of a page are asked for. A service with smaller pages gives those, and must
/// not refuse ([AIP-158](https://google.aip.dev/158)).
pub(super) const PAGE_SIZE: u32 = 500;

impl Default for Google {
    fn default() -> Self {
        let (path, unfinished) = (Cow::Borrowed("v1/{name}"), Cow::Borrowed(UNFINISHED));
        Self { path, unfinished, page_size: PAGE_SIZE }
    }
}

impl Google {
    /// The dialect's word in tokens. It is the same over REST and gRPC, because the names are: a
    /// token made over one resumes over the other.
    pub(super) const ID: &'static str = "google";

    /// Creates the dialect with the path of the specification, `v1/{name}`.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the path below the base URL, in which `{name}` stands for the operation's name.
    /// Default: `v1/{name}`.
    #[must_use]
    pub fn with_path(mut self, path: impl Into<Cow<'static, str>>) -> Self {
        self.path = path.into();
        self
    }

    /// Sets the filter with which the service lists the operations that have not finished, and how
    /// many it gives on a page. Default: `done=false` and 500. With an empty filter, all operations
    /// are listed.
    ///
    /// The standard leaves the filter to the service. Cloud Run takes `done:false` and pages of at
    /// most 100, Document AI needs a type as well: `Type=… AND State!=DONE`. A service that refuses
    /// the filter costs a request, and its operations are polled one by one.
    ///
    /// ```
    /// # use lro_runtime::{Operations, dialect::Google};
    /// let dialect = Google::new().with_path("v2/{name}").with_sweep("done:false", 100);
    /// let operations = Operations::builder("https://run.googleapis.com").dialect(dialect).build()?;
    /// # Ok::<(), lro_runtime::Error>(())
    /// ```
    #[must_use]
    pub fn with_sweep(mut self, filter: impl Into<Cow<'static, str>>, page_size: u32) -> Self {
        (self.unfinished, self.page_size) = (filter.into(), page_size);
        self
    }

    /// Returns the path of the operation at `cursor`, with `verb` (such as `:cancel`) appended.
    pub(super) fn path_to(&self, cursor: &Cursor, verb: &str) -> Result<String, Failure> {
        let template = cursor.part(PATH).unwrap_or(&self.path);
        Ok(template.replace("{name}", &encode_name(cursor.key())?) + verb)
    }

    /// Makes the cursor of the operation `name`, started by a method with these options.
    ///
    /// The path goes into the cursor, and so into tokens: an operation that is polled without its
    /// method still uses the method's path.
    pub(super) fn cursor_at(name: &str, options: &Options) -> Cursor {
        let cursor = Cursor::new(name);
        match options.iter().find(|(option, _)| *option == PATH) {
            Some((_, path)) => cursor.with(PATH, *path),
            None => cursor,
        }
    }
}

/// The longest `google.protobuf.Duration`: about 10,000 years. What is longer is no such message,
/// in JSON or in protobuf, and a service may refuse it.
pub(super) const LONGEST_DURATION: Duration = Duration::from_secs(315_576_000_000);

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
        let seen = read_operation(reply.body(), None).or_else(|why| accepted(name_in(reply.body()), why))?;
        let seen = Observation { hint: Hint::from_headers(reply.headers()), ..seen };
        with_cursor(seen, options)
    }

    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        // Checked already here, so that a resume with a bad name fails at once and not at its first
        // poll.
        encode_name(name)?;
        Ok(Self::cursor_at(name, options))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.path_to(cursor, "").map(Call::get)
    }

    fn read<'a>(&self, _cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        read_operation(reply.body(), Hint::from_headers(reply.headers()))
    }

    fn reads_the_same(&self, reply: &Reply) -> bool {
        reply.status().is_success()
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::new(Method::POST, self.path_to(cursor, ":cancel")?).with_json("{}"))
    }

    fn delete(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::new(Method::DELETE, self.path_to(cursor, "")?))
    }

    fn wait(&self, cursor: &Cursor, timeout: Duration) -> Result<Call, Failure> {
        // WaitOperation has no HTTP binding in operations.proto; the services that bind it use
        // `POST …:wait`. A `Duration` in protobuf's JSON is a decimal number of seconds with the
        // suffix `s` and at most nine fractional digits.
        let timeout = timeout.min(LONGEST_DURATION);
        let timeout = format!(r#"{{"timeout":"{}.{:09}s"}}"#, timeout.as_secs(), timeout.subsec_nanos());
        Ok(Call::new(Method::POST, self.path_to(cursor, ":wait")?).with_json(timeout))
    }

    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        // Only this call adds `operations` to a name, because `parent` is a resource, not an
        // operation.
        let collection =
            if query.parent.is_empty() { "operations".to_owned() } else { encode_name(&query.parent)? + "/operations" };
        let path = query.options.iter().find(|(option, _)| *option == PATH).map_or(&*self.path, |(_, path)| path);
        let mut target = path.replace("{name}", &collection);
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

    fn read_list<'a>(&self, query: &ListQuery, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        const PAGE: Paths<3> = Paths::NONE
            .with(0, WirePath::at(&[&["operations"]]))
            .with(1, WirePath::at(&[&["nextPageToken"]]))
            .with(2, WirePath::at(&[&["unreachable"]]));
        expect_success(reply)?;
        let body = reply.body();
        let not_a_page = |e: serde_json::Error| unexpected_body("a page of operations", &e, body);
        let mut found = [None; 3];
        seek(body, &PAGE, &mut found).map_err(not_a_page)?;
        let [operations, next, unreachable] = found;
        let operations = operations.map(|raw| first_elements(raw, MOST_ENTRIES)).transpose().map_err(not_a_page)?;
        let (entries, left_out) = operations.unwrap_or_default();
        let read = |message| with_cursor(read_operation(message, None)?, query.options);
        let entries = entries.into_iter().map(|e| Listed::read(e.get().as_bytes(), read, name_in));
        let mut page =
            ListPage::new(entries.collect()).with_next(text_of("nextPageToken", next)).with_left_out(left_out);
        page.unreachable = all_shown(unreachable);
        Ok(page)
    }

    fn coverage(&self, cursor: &Cursor, options: &'static Options) -> Option<Coverage> {
        // The list stands in the place of the name. Behind it there may be a verb of the poll.
        let lists = cursor.part(PATH).unwrap_or(&self.path).ends_with("{name}");
        sweep_of(cursor, options, &self.unfinished, self.page_size).filter(|_| lists)
    }
}

/// Returns the list of the collection that the operation's name is in, over REST and gRPC.
pub(super) fn sweep_of(cursor: &Cursor, options: &'static Options, filter: &str, page_size: u32) -> Option<Coverage> {
    // Of the options, only the path is in cursors: methods that differ in others share their list.
    let options = if options.iter().any(|(option, _)| *option == PATH) { options } else { &[] };
    let is_listed = *cursor == Google::cursor_at(cursor.key(), options) && encode_name(cursor.key()).is_ok();
    let (collection, _) = cursor.key().rsplit_once('/').filter(|_| is_listed)?;
    let parent = if collection == "operations" { "" } else { collection.strip_suffix("/operations")? };
    let mut query = ListQuery { parent: parent.to_owned(), filter: filter.to_owned(), options, ..ListQuery::default() };
    query.page_size = Some(page_size);
    let shows = if filter.is_empty() { Shows::All } else { Shows::Running };
    Some(Coverage::Sweep(Sweep::new(query).with_shows(shows)))
}

/// The members of an operation.
///
/// Every member is read raw because servers are read leniently: unknown members and payloads of any
/// shape pass. A typed `done` would fail on `"done": null`, which is legal JSON for protobuf's
/// `false`.
const OPERATION: Paths<5> = Paths::NONE
    .with(0, WirePath::at(&[&["name"]]))
    .with(1, WirePath::at(&[&["metadata"]]))
    .with(2, WirePath::at(&[&["done"]]))
    .with(3, WirePath::at(&[&["error"]]))
    .with(4, WirePath::at(&[&["response"]]));

/// Reads a `google.longrunning.Operation` from JSON, which came with this hint.
fn read_operation(body: &[u8], hint: Option<Hint>) -> Result<Observation<'_>, Failure> {
    if let Some(Envelope { name, done, metadata, response }) = Envelope::of(body) {
        let name = Cow::Borrowed(name.unwrap_or_default());
        let (metadata, response) = (metadata.map(any), response.map(any));
        return Ok(observation(name, done.unwrap_or_default(), metadata, None, response, hint));
    }
    let mut found = [None; 5];
    seek(body, &OPERATION, &mut found).map_err(|e| unexpected_body("an operation", &e, body))?;
    let [name, metadata, done, error, response] = found;
    let name = name.map(|raw| string(raw).ok_or_else(|| wrong("name", raw, "a string"))).transpose()?;
    let name = name.unwrap_or_default();
    let done = match done.map(|raw| (raw, raw.get())) {
        None | Some((_, "false")) => false,
        Some((_, "true")) => true,
        Some((raw, _)) => return Err(wrong("done", raw, "true or false")),
    };
    // Before the end neither counts: the specification says that neither is set while `done` is
    // false.
    let error = error.filter(|_| done).map(read_status);
    let response = response.filter(|_| done);
    let [metadata, response] = [metadata, response].map(|raw| raw.map(|raw| any(raw.get().as_bytes())));
    Ok(observation(name, done, metadata, error, response, hint))
}

/// Returns the name in a message that cannot be read as a whole.
pub(super) fn name_in(message: &[u8]) -> Option<Cow<'_, str>> {
    const NAME: Paths<1> = Paths::NONE.with(0, WirePath::at(&[&["name"]]));
    let mut found = [None];
    // What was found before the message ceased to be JSON counts.
    let _ = seek(message, &NAME, &mut found);
    let [name] = found;
    name.and_then(string)
}

/// Returns the operation `name` that a start call began with a reply that cannot be read: its polls
/// tell how it is. Fails with `why` if there is no name.
pub(super) fn accepted(name: Option<Cow<'_, str>>, why: Failure) -> Result<Observation<'_>, Failure> {
    let name = name.filter(|name| !name.is_empty()).ok_or(why)?;
    let mut seen = Observation::new(State::Running);
    seen.name = Some(name);
    Ok(seen)
}

/// Builds the observation from the fields of a `google.longrunning.Operation`, whether they came as
/// JSON or as protobuf.
///
/// `error` and `response` count only if `done` is true.
pub(super) fn observation<'a>(
    name: Cow<'a, str>,
    done: bool,
    metadata: Option<Part<'a>>,
    error: Option<Status>,
    response: Option<Part<'a>>,
    hint: Option<Hint>,
) -> Observation<'a> {
    let state = match &error {
        // The specification has no cancelled state: a cancelled operation is done, with an error of
        // code 1.
        Some(status) if done && status.code() == Code::Cancelled => State::Cancelled,
        Some(_) if done => State::Failed,
        // Also without a response. That is success for `()`; for any other type the caller gets a
        // decode error.
        None if done => State::Succeeded,
        _ if metadata.is_some() => State::Running,
        _ => State::Pending,
    };
    Observation {
        name: Some(name),
        metadata,
        response: response.filter(|_| state == State::Succeeded),
        status: error.filter(|_| done),
        hint,
        ..Observation::new(state)
    }
}

/// Adds the cursor to the observation of a start reply or of an entry of a list.
///
/// # Errors
///
/// When the operation is not done and has no name. One whose name could leave its collection was
/// accepted all the same: nothing is sent to its cursor.
pub(super) fn with_cursor<'a>(mut seen: Observation<'a>, options: &Options) -> Result<Observation<'a>, Failure> {
    match seen.name.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => seen.cursor = Some(cursor_of_reply(name, options)),
        // A finished operation may be nameless: a validate-only call answers with one.
        None if seen.state.is_terminal() => {}
        None => return Err(Failure::protocol("the operation is not done and has no `name`")),
    }
    Ok(seen)
}

/// Returns the cursor of the operation `name`, as a reply has it. A name that no path may have is
/// refused there, over gRPC as over REST: a token made over one resumes over the other.
pub(super) fn cursor_of_reply(name: &str, options: &Options) -> Cursor {
    let cursor = Google::cursor_at(name, options);
    match encode_name(name) {
        Ok(_) => cursor,
        Err(why) => cursor.refused(&why),
    }
}

/// A payload of an operation.
fn any(text: &[u8]) -> Part<'_> {
    Part::of(text, Encoding::JsonAny)
}

/// Reads the `google.rpc.Status` of a failed operation. Here `code` is a canonical code, not an
/// HTTP status as in an HTTP error body.
///
/// Never fails: an `error` that cannot be read is an error all the same, and the operation failed.
/// The beginning of what stands there is then the message; the raw operation has all of it.
pub(super) fn read_status(error: &RawValue) -> Status {
    const STATUS: Paths<3> = Paths::NONE
        .with(0, WirePath::at(&[&["code"]]))
        .with(1, WirePath::at(&[&["message"]]))
        .with(2, WirePath::at(&[&["details"]]));
    let mut found = [None; 3];
    if seek(error.get().as_bytes(), &STATUS, &mut found).is_err() {
        return Status::new(Code::Unknown, excerpt(shown(error).as_bytes()));
    }
    let [code, message, details] = found;
    let (code, word) = read_code(code);
    let status = Status::new(code, message.map(shown).unwrap_or_default()).with_details(read_details(details));
    match word {
        Some(word) if status.reason().is_none() => status.with_reason(word),
        _ => status,
    }
}

/// Reads a code, which protobuf's JSON writes as a number, as a number in quotes, or as the name of
/// an enum's value. Anything else is `UNKNOWN`, with the word that stood there.
fn read_code(code: Option<&RawValue>) -> (Code, Option<String>) {
    let Some(raw) = code else { return (Code::Unknown, None) };
    let word = string(raw);
    let text = word.as_deref().unwrap_or(raw.get());
    // As a float, because `12.0` and `1.2e1` are numbers, too. A number that is none of the 17
    // codes, and so one too large to be exact, is UNKNOWN.
    if let Ok(number) = text.parse::<f64>() {
        let mut codes = (0..=16).map(Code::from_number);
        let known = codes.find(|code| f64::from(code.number()).total_cmp(&number).is_eq());
        return (known.unwrap_or(Code::Unknown), None);
    }
    match Code::from_name(text) {
        Some(code) => (code, None),
        None => (Code::Unknown, word.filter(|word| !word.is_empty()).map(|word| excerpt(word.as_bytes()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_and_a_response_count_only_at_the_end() {
        for code in [Code::Internal, Code::Cancelled] {
            let part = Some(Part::of(b"{}", Encoding::JsonAny));
            let seen = observation("operations/1".into(), false, None, Some(Status::new(code, "")), part, None);
            assert_eq!((seen.state, seen.status, seen.response.is_some()), (State::Pending, None, false));
        }
    }

    #[test]
    fn an_error_of_any_shape_is_an_error() {
        let read = |json: &str| read_status(serde_json::from_str(json).unwrap());
        let code = |json: &str| read(&format!(r#"{{"code":{json},"message":"m"}}"#));
        let codes = [
            ("12", Code::Unimplemented),
            ("12.0", Code::Unimplemented),
            ("1.2e1", Code::Unimplemented),
            (r#""12""#, Code::Unimplemented),
            (r#""UNIMPLEMENTED""#, Code::Unimplemented),
            ("1.0", Code::Cancelled),
            ("-1", Code::Unknown),
            ("12.5", Code::Unknown),
            ("1e400", Code::Unknown),
            ("99999999999999999999999999", Code::Unknown),
            ("null", Code::Unknown),
            ("true", Code::Unknown),
            ("[1]", Code::Unknown),
            (r#"{"value":1}"#, Code::Unknown),
            (r#""""#, Code::Unknown),
            (r#""NaN""#, Code::Unknown),
            (r#""\ud800""#, Code::Unknown),
        ];
        for (written, expected) in codes {
            let status = code(written);
            assert_eq!((status.code(), status.message()), (expected, "m"), "{written}");
        }
        assert_eq!(code(r#""DISK_FULL""#).reason(), Some("DISK_FULL"));
        let info = r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"QUOTA","domain":"d"}"#;
        let both = read(&format!(r#"{{"code":"DISK_FULL","details":[{info}]}}"#));
        assert_eq!(both.reason(), Some("QUOTA"), "an `ErrorInfo` says more than a code");
        for (error, message) in [
            (r#""disk full""#, "disk full"),
            ("7", "7"),
            ("[]", "[]"),
            ("true", "true"),
            ("{}", ""),
            (r#"{"code":3,"code":99,"message":"a","message":"b","message":null}"#, "b"),
            (r#"{"message":{"a":1}}"#, r#"{"a":1}"#),
            (r#"{"message":5}"#, "5"),
            (r#"{"message":null,"details":"x"}"#, ""),
        ] {
            let status = read(error);
            assert_eq!((status.code(), status.message()), (Code::Unknown, message), "{error}");
        }
    }
}
