//! The dialect of Google's extended operations: Compute Engine, and services that annotate their
//! own operation message in the same way.

use std::{borrow::Cow, time::Duration};

use http::{Method, Uri};
use serde_json::value::RawValue;

use super::{
    Call, Cursor, Dialect, Encoding, ListPage, ListQuery, Listed, Observation, Options, Part,
    declared::{
        WirePath,
        seek::{Paths, seek},
    },
    expect_success,
    json::{self, MOST_ELEMENTS, all_shown, first_elements, read_members, shown, string, text_of},
    list_page::MOST_ENTRIES,
};
use crate::{
    dialect::encode_name,
    hint::Hint,
    message::{Reply, Request},
    status::{Code, Failure, State, Status, details::Detail},
    text::excerpt,
    url::{after_scheme, encode_query},
};

/// The member names of a service's own operation message, for the four fields that are annotated by
/// [`extended_operations.proto`](https://github.com/googleapis/googleapis/blob/master/google/cloud/extended_operations.proto).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExtendedFields {
    /// The operation's name.
    pub name: &'static str,
    /// The state: a word (`DONE` is the terminal one) or a bool (`true` when the operation is
    /// done).
    pub status: &'static str,
    /// The HTTP status of the failure.
    pub error_code: &'static str,
    /// The error message.
    pub error_message: &'static str,
}

impl ExtendedFields {
    /// The member names that Compute Engine uses.
    pub const COMPUTE: Self =
        Self { name: "name", status: "status", error_code: "httpErrorStatusCode", error_message: "httpErrorMessage" };
}

/// Google's extended operations
/// ([Compute's](https://cloud.google.com/compute/docs/reference/rest/v1/globalOperations), REST
/// only).
///
/// An operation belongs to a project (global, or in a region or a zone) or to an organisation. Its
/// name in this library is the whole path (`projects/p/zones/z/operations/o`), which is enough to
/// resume it.
///
/// - The metadata is the operation message itself.
/// - The message carries no response. If the method declares `result = "target_link"`, the resource
///   that `targetLink` points to is fetched once the operation is done, and is the response.
/// - The service has no cancel call.
/// - The elements of `error.errors[]` and what they have in `errorDetails[]` are kept as details,
///   up to a thousand; the raw message has all of them. `warnings[]` are not failures.
///
/// ```
/// use lro_runtime::{Operations, dialect::Compute};
///
/// let operations = Operations::builder("https://compute.googleapis.com").dialect(Compute::new()).build()?;
/// let operation = operations.resume("projects/p/zones/z/operations/operation-1")?;
/// # Ok::<(), lro_runtime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Compute {
    prefix: Cow<'static, str>,
    fields: ExtendedFields,
}

impl Default for Compute {
    fn default() -> Self {
        Self { prefix: Cow::Borrowed("compute/v1"), fields: ExtendedFields::COMPUTE }
    }
}

// The names of the cursor's parts. They are written into tokens: renaming one makes stored tokens
// useless.
const PROJECT: &str = "project";
const SCOPE: &str = "scope";
const ORGANIZATION: &str = "organization";
const RESULT: &str = "result";
const TARGET: &str = "target";

/// The path below which the service keeps an organisation's operations. The organisation itself
/// goes into the query, as `parentId`.
const ORGANIZATION_PATH: &str = "locations/global";

/// The hosts that Compute's own links name. A link that begins with one of them is fetched below
/// the client's base URL: otherwise a client of one host would refuse the service's links to the
/// other as a foreign origin.
const ALIASES: &[&str] = &["https://www.googleapis.com/", "https://compute.googleapis.com/"];

impl Compute {
    /// Returns the dialect with the path prefix `compute/v1` and Compute's member names.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the path before `projects/…`, such as `compute/beta`. Default: `compute/v1`.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<Cow<'static, str>>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Sets the member names of the operation message. Default: [`ExtendedFields::COMPUTE`].
    #[must_use]
    pub fn with_fields(mut self, fields: ExtendedFields) -> Self {
        self.fields = fields;
        self
    }

    fn path(&self, cursor: &Cursor, verb: &str) -> Result<String, Failure> {
        let part = |name| cursor.part(name).map(encode_name).transpose();
        let operation = encode_name(cursor.key())?;
        let scope = part(SCOPE)?.unwrap_or_else(|| "global".to_owned());
        let prefix = &self.prefix;
        Ok(match (part(PROJECT)?, cursor.part(ORGANIZATION)) {
            (Some(project), _) => format!("{prefix}/projects/{project}/{scope}/operations/{operation}{verb}"),
            (None, Some(parent)) => {
                let parent = encode_query(parent);
                format!("{prefix}/{ORGANIZATION_PATH}/operations/{operation}{verb}?parentId={parent}")
            }
            // Resumed from `locations/global/operations/…`, which names no organisation.
            (None, None) => format!("{prefix}/{ORGANIZATION_PATH}/operations/{operation}{verb}"),
        })
    }

    /// Reads an operation message. If the method asks for the target's resource and the operation
    /// succeeded, the observation leads to that resource.
    fn observe<'a>(&self, body: &'a [u8], cursor: Option<Cursor>) -> Result<Observation<'a>, Failure> {
        let members = Members::of(body, &self.fields)?;
        let mut seen = self.read_state(&members)?;
        seen.metadata = Some(Part::of(body, Encoding::Json));
        seen.progress = members.number("progress").map(|percent| percent / 100.0);
        seen.status_message = members.text("statusMessage").map(Cow::Owned);
        // An error counts only at the end: Compute may set `error` and `httpErrorStatusCode` while
        // the operation runs, and it may still succeed.
        if seen.state.is_terminal() {
            let status = self.read_error(&members);
            if status.is_some() {
                seen.state = State::Failed;
            }
            seen.status = status;
        }
        seen.name = cursor.as_ref().map(|cursor| Cow::Owned(name_of(cursor)));
        let target = members.text("targetLink").filter(|_| seen.state == State::Succeeded);
        seen.cursor = match (cursor, target) {
            (Some(cursor), Some(target)) if cursor.part(RESULT).is_some() => {
                // Done, but the response is still to be fetched. A terminal snapshot never changes,
                // so the operation stays running until then; `follow` makes the next poll happen at
                // once.
                (seen.state, seen.follow) = (State::Running, true);
                Some(cursor.with(TARGET, target))
            }
            (cursor, _) => cursor,
        };
        Ok(seen)
    }

    /// Returns the cursor of one entry of a page. A page has no start call to fall back to: an
    /// entry without a name, or without a link of its own, has no cursor.
    fn cursor_of_entry(&self, message: &[u8], options: &Options) -> Option<Cursor> {
        let members = Members::of(message, &self.fields).ok()?;
        let name = members.text(self.fields.name).filter(|name| !name.is_empty())?;
        Some(with_options(place_of_message(&members, &Uri::default())?.at(name), options))
    }

    fn read_state(&self, members: &Members<'_>) -> Result<Observation<'static>, Failure> {
        let field = self.fields.status;
        let Some(raw) = members.get(field) else {
            return Err(Failure::protocol(format!("the body is not an operation: it has no `{field}`")));
        };
        // The annotated status is an enum in Compute and a bool in other services.
        let word = match raw.get() {
            "true" => "DONE".to_owned(),
            "false" => "RUNNING".to_owned(),
            _ => members.text(field).ok_or_else(|| {
                let found = excerpt(raw.get().as_bytes());
                Failure::protocol(format!("`{field}`: found `{found}`, expected a word or a flag"))
            })?,
        };
        let known = [("PENDING", State::Pending), ("RUNNING", State::Running), ("DONE", State::Succeeded)];
        let known = known.iter().find(|(known, _)| *known == word);
        let mut seen = Observation::new(known.map_or(State::Running, |(_, state)| *state));
        seen.is_known_status = known.is_some();
        seen.raw_status = Some(Cow::Owned(word));
        Ok(seen)
    }

    /// Returns the error of an operation that is done, or `None` if it succeeded.
    fn read_error(&self, members: &Members<'_>) -> Option<Status> {
        const ERRORS: Paths<1> = Paths::NONE.with(0, WirePath::at(&[&["errors"]]));
        let code = members.get(self.fields.error_code).and_then(ErrorCode::of);
        let errors = match members.get("error") {
            None => vec![],
            Some(error) => {
                let mut found = [None];
                let is_object = seek(error.get().as_bytes(), &ERRORS, &mut found).is_ok();
                match found {
                    [None] if is_object => vec![],
                    [list] => match list.map(|list| first_elements(list, MOST_ELEMENTS)) {
                        Some(Ok((errors, _))) => errors,
                        // An error in another shape is still an error.
                        _ => vec![error],
                    },
                }
            }
        };
        // One by one: of a thousand errors with a thousand details each, the last are never made.
        let mut errors = errors.into_iter().map(OneError::of).peekable();
        let (first, reason) = errors.peek().map(|error| (error.message.clone(), error.code.clone())).unzip();
        if code.is_none() && first.is_none() {
            return None;
        }
        // Either of the two forms may come alone: only the HTTP status, or only `error.errors[]`.
        let words = members.text(self.fields.error_message).filter(|words| !words.is_empty());
        let words = words.or(first).unwrap_or_default();
        let mut status = match code {
            Some(ErrorCode::Http(http)) => Status::new(Code::from_http_status(http), words).with_http_status(http),
            Some(ErrorCode::Other(word)) => {
                Status::new(Code::from_name(&word).unwrap_or(Code::Unknown), words).with_reason(word)
            }
            None => Status::new(Code::Unknown, words),
        };
        if let Some(reason) = reason.filter(|reason| !reason.is_empty()) {
            status = status.with_reason(reason);
        }
        Some(status.with_details(errors.flat_map(|error| error.details).take(MOST_ELEMENTS).collect()))
    }
}

impl Dialect for Compute {
    fn id(&self) -> &'static str {
        "compute"
    }

    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        let members = Members::of(reply.body(), &self.fields)?;
        // The message's `name` is a bare id. It identifies the operation only together with its
        // project and place.
        let name = members.text(self.fields.name).unwrap_or_default();
        let place = place_of_message(&members, request.uri()).map(|place| place.at(name.clone()));
        let place = place.filter(|_| !name.is_empty()).map(|place| with_options(place, options));
        // The service has accepted what it names, whatever else of the reply cannot be read.
        let mut seen = self.observe(reply.body(), place.clone()).or_else(|why| {
            let mut seen = Observation::new(State::Running);
            seen.name = place.as_ref().map(|cursor| Cow::Owned(name_of(cursor)));
            seen.cursor = place;
            if name.is_empty() { Err(why) } else { Ok(seen) }
        })?;
        // The operation has started, so this fails its polls. A terminal operation needs no cursor:
        // it is never polled again.
        if seen.cursor.is_none() && !seen.state.is_terminal() {
            let why = "neither its links nor the path of the start call names its project and place";
            let refusal =
                Failure::protocol(format!("the operation `{}` cannot be polled: {why}", excerpt(name.as_bytes())));
            if name.is_empty() {
                return Err(refusal);
            }
            seen.cursor = Some(Cursor::new(name.as_str()).refused(&refusal));
        }
        // Without a place, a terminal operation still shows its bare id.
        seen.name = seen.name.or(Some(Cow::Owned(name)));
        seen.hint = Hint::from_headers(reply.headers());
        Ok(seen)
    }

    /// Takes a path (`projects/p/global/operations/o`) or a URL that contains one. The URL's host
    /// is ignored: requests go to the client's base URL.
    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        let path = after_scheme(name).map_or(name, |rest| rest.split_once('/').map_or("", |(_, path)| path));
        let expected = "expected `projects/…/{global | regions/… | zones/…}/operations/…`";
        let unknown =
            || Failure::protocol(format!("`{}` is not an operation's name: {expected}", excerpt(name.as_bytes())));
        let (place, operation) = path.split_once("/operations/").ok_or_else(unknown)?;
        let operation = operation.split('?').next().unwrap_or_default();
        encode_name(operation)?;
        let cursor = place_of(place, None).ok_or_else(unknown)?.at(operation);
        self.path(&cursor, "")?; // a part that cannot be put into a path fails here, not at the first poll
        Ok(with_options(cursor, options))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        match cursor.part(TARGET) {
            None => self.path(cursor, "").map(Call::get),
            Some(target) => {
                let own = ALIASES.iter().find_map(|alias| target.strip_prefix(alias));
                Ok(Call::get(own.unwrap_or(target)))
            }
        }
    }

    fn read<'a>(&self, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        let mut seen = if cursor.part(TARGET).is_some() {
            // The body is the resource. It may have a `status` of its own (an instance's is
            // `RUNNING`), which is not read.
            let mut seen = Observation::new(State::Succeeded);
            seen.raw_status = Some(Cow::Borrowed("DONE"));
            seen.response = Some(Part::of(reply.body(), Encoding::Json));
            seen
        } else {
            self.observe(reply.body(), Some(cursor.clone()))?
        };
        seen.hint = Hint::from_headers(reply.headers());
        Ok(seen)
    }

    fn cancel(&self, _cursor: &Cursor) -> Result<Call, Failure> {
        Err(Failure::unsupported("extended operations have no cancel call"))
    }

    fn delete(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Ok(Call::new(Method::DELETE, self.path(cursor, "")?))
    }

    /// Ignores `timeout`: the call takes no limit, and the service holds it for at most 2 minutes.
    fn wait(&self, cursor: &Cursor, _timeout: Duration) -> Result<Call, Failure> {
        match cursor.part(TARGET) {
            None => Ok(Call::new(Method::POST, self.path(cursor, "/wait")?)),
            Some(_) => Err(Failure::unsupported("the operation is done: its resource is fetched")),
        }
    }

    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        if query.parent.is_empty() {
            return Err(Failure::unsupported(
                "extended operations are listed by place: name the `parent`, such as `projects/p/zones/z`",
            ));
        }
        let mut target = format!("{}/{}/operations", self.prefix, encode_name(&query.parent)?);
        let size = query.page_size.map(|size| size.to_string()).unwrap_or_default();
        let partial = if query.return_partial_success { "true" } else { "" };
        let pairs = [
            ("filter", &*query.filter),
            ("maxResults", &size),
            ("pageToken", &query.page_token),
            ("returnPartialSuccess", partial),
        ];
        for (index, (name, value)) in pairs.iter().filter(|(_, value)| !value.is_empty()).enumerate() {
            target += if index == 0 { "?" } else { "&" };
            target += &[name, "=", &encode_query(value)].concat();
        }
        Ok(Call::get(target))
    }

    fn read_list<'a>(&self, query: &ListQuery, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        expect_success(reply)?;
        let page = Members::of(reply.body(), &self.fields)?;
        let items = page.get("items").map(|items| first_elements(items, MOST_ENTRIES)).transpose();
        let (items, left_out) = items
            .map(Option::unwrap_or_default)
            .map_err(|e| Failure::protocol(format!("`items` is not a list: {e}")))?;
        let read = |message| {
            let mut seen = self.observe(message, self.cursor_of_entry(message, query.options))?;
            // Without a place, a terminal operation still shows its bare id.
            seen.name =
                seen.name.or_else(|| Members::of(message, &self.fields).ok()?.text(self.fields.name).map(Cow::Owned));
            Ok(seen)
        };
        let name = |message| self.cursor_of_entry(message, &[]).map(|cursor| Cow::Owned(name_of(&cursor)));
        let operations = items.into_iter().map(|item| Listed::read(item.get().as_bytes(), read, name)).collect();
        let mut listed = ListPage::new(operations)
            .with_next(text_of("nextPageToken", page.get("nextPageToken")))
            .with_left_out(left_out);
        listed.unreachable = all_shown(page.get("unreachables"));
        Ok(listed)
    }
}

/// The members of a message or a page that are read, not decoded. A member that is `null` is
/// absent.
struct Members<'a>(Vec<(&'static str, Option<&'a RawValue>)>);

impl<'a> json::Members<'a> for Members<'a> {
    fn slot(&mut self, name: &str) -> Option<&mut Option<&'a RawValue>> {
        self.0.iter_mut().find(|(known, _)| *known == name).map(|(_, value)| value)
    }
}

impl<'a> Members<'a> {
    fn of(body: &'a [u8], fields: &ExtendedFields) -> Result<Self, Failure> {
        let names = [
            fields.name,
            fields.status,
            fields.error_code,
            fields.error_message,
            "error",
            "items",
            "nextPageToken",
            "progress",
            "region",
            "selfLink",
            "statusMessage",
            "targetLink",
            "unreachables",
            "zone",
        ];
        let mut members = Self(names.into_iter().map(|name| (name, None)).collect());
        read_members(body, &mut members)
            .map_err(|e| Failure::protocol(format!("the body is not an object: {e}; found `{}`", excerpt(body))))?;
        Ok(members)
    }

    /// Returns the member `name`; one that [`of`](Self::of) does not name is never there.
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        self.0.iter().find(|(known, _)| *known == name).and_then(|(_, value)| *value)
    }

    /// Returns the member `name` if it is a string.
    fn text(&self, name: &str) -> Option<String> {
        self.get(name).and_then(string).map(Cow::into_owned)
    }

    /// Returns the member `name` if it is a number.
    fn number(&self, name: &str) -> Option<f64> {
        self.get(name)?.get().parse().ok()
    }
}

/// The code of an operation that failed.
enum ErrorCode {
    /// An HTTP status.
    Http(u16),
    /// Anything else, which is an error nevertheless.
    Other(String),
}

impl ErrorCode {
    /// Returns the code, or `None` for a success: a 2xx, the word `OK`, or the protobuf default.
    fn of(raw: &RawValue) -> Option<Self> {
        let text = excerpt(shown(raw).as_bytes());
        // As a float, because `404.0` is a number, too; in quotes it is one as well.
        match text.parse::<f64>() {
            Ok(0.0) => None,
            Ok(number) => match (100_u16..=599).find(|http| f64::from(*http).total_cmp(&number).is_eq()) {
                Some(200..=299) => None,
                Some(http) => Some(Self::Http(http)),
                None => Some(Self::Other(text)),
            },
            Err(_) if matches!(&*text, "" | "OK") => None,
            Err(_) => Some(Self::Other(text)),
        }
    }
}

/// One element of `error.errors[]`, with the details that it becomes.
struct OneError {
    code: String,
    message: String,
    details: Vec<Detail>,
}

impl OneError {
    /// Reads one element. The first detail is the element itself; after it come those of its
    /// `errorDetails[]` that `google.rpc` has a type for.
    ///
    /// An element of another shape is still an error: it must not turn a failed operation into a
    /// success.
    fn of(raw: &RawValue) -> Self {
        const MEMBERS: Paths<3> = Paths::NONE
            .with(0, WirePath::at(&[&["code"]]))
            .with(1, WirePath::at(&[&["message"]]))
            .with(2, WirePath::at(&[&["errorDetails"]]));
        const TYPED: Paths<3> = Paths::NONE
            .with(0, WirePath::at(&[&["errorInfo"]]))
            .with(1, WirePath::at(&[&["help"]]))
            .with(2, WirePath::at(&[&["localizedMessage"]]));
        const TYPES: [&str; 3] = ["ErrorInfo", "Help", "LocalizedMessage"];
        let mut details = vec![Detail::new("", raw.to_owned())];
        let mut found = [None; 3];
        if seek(raw.get().as_bytes(), &MEMBERS, &mut found).is_err() {
            return Self { code: String::new(), message: excerpt(shown(raw).as_bytes()), details };
        }
        let [code, message, typed] = found;
        let (typed, _) = typed.and_then(|list| first_elements(list, MOST_ELEMENTS).ok()).unwrap_or_default();
        for detail in typed {
            let mut found = [None; 3];
            // What is no object has no members.
            let _ = seek(detail.get().as_bytes(), &TYPED, &mut found);
            details.extend(found.into_iter().zip(TYPES).filter_map(|(detail, name)| {
                Some(Detail::new(format!("type.googleapis.com/google.rpc.{name}"), detail?.to_owned()))
            }));
        }
        let text = |raw: Option<&RawValue>| raw.map(shown).unwrap_or_default();
        Self { code: text(code), message: text(message), details }
    }
}

fn with_options(cursor: Cursor, options: &Options) -> Cursor {
    match options.iter().find(|(option, _)| *option == RESULT) {
        Some((_, result)) => cursor.with(RESULT, *result),
        None => cursor,
    }
}

/// Returns the operation's whole path, from which it can be resumed.
fn name_of(cursor: &Cursor) -> String {
    let operation = cursor.key();
    match (cursor.part(PROJECT), cursor.part(ORGANIZATION)) {
        (Some(project), _) => {
            format!("projects/{project}/{}/operations/{operation}", cursor.part(SCOPE).unwrap_or("global"))
        }
        (None, Some(parent)) => format!("{parent}/{ORGANIZATION_PATH}/operations/{operation}"),
        (None, None) => format!("{ORGANIZATION_PATH}/operations/{operation}"),
    }
}

/// Finds the place of the operation in a message: from its `selfLink`, else from its `zone` or
/// `region`, else from the URL of the start call.
///
/// The start call comes last because it may be less precise: `projects/p/moveInstance` starts an
/// operation in a zone.
fn place_of_message(members: &Members<'_>, start: &Uri) -> Option<Cursor> {
    let link = members.text("selfLink").and_then(|link| link.parse::<Uri>().ok());
    let by_call = place_of(start.path(), start.query());
    // An organisation is named in the query only, as `parentId`; a link without a query takes the
    // one of the start call.
    let by_link = link.and_then(|link| place_of(link.path(), link.query().or(start.query())));
    if by_link.is_some() {
        return by_link;
    }
    let scope = ["zone", "region"].into_iter().find_map(|member| {
        let link = members.text(member)?;
        Some(format!("{member}s/{}", link.rsplit('/').next()?))
    });
    match scope {
        Some(scope) => by_call.map(|place| place.with(SCOPE, scope)),
        None => by_call,
    }
}

/// Finds the place that a path is in, as a cursor without an operation. Returns `None` if the path
/// names no place.
fn place_of(path: &str, query: Option<&str>) -> Option<Cursor> {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let after =
        |word: &str| segments.iter().position(|segment| *segment == word).and_then(|index| segments.get(index + 1..));
    if let Some([project, rest @ ..]) = after("projects") {
        let scope = match rest {
            ["zones" | "regions", place, ..] => format!("{}/{place}", rest.first()?),
            // A project-wide call, such as `projects/p/setUsageExportBucket`, starts a global
            // operation.
            _ => "global".to_owned(),
        };
        return Some(Cursor::default().with(PROJECT, *project).with(SCOPE, scope));
    }
    // `name_of` puts the organisation into the path; a request to the service has it in the query.
    let in_path =
        ["organizations", "folders"].into_iter().find_map(|kind| Some(format!("{kind}/{}", after(kind)?.first()?)));
    let in_query = query.into_iter().flat_map(|query| query.split('&')).find_map(|pair| pair.strip_prefix("parentId="));
    let parent = in_path.or_else(|| in_query.map(|parent| parent.replace("%2F", "/").replace("%2f", "/")));
    match (parent, after("locations")) {
        (Some(parent), Some(["global", ..])) => Some(Cursor::default().with(ORGANIZATION, parent)),
        (None, Some(["global", ..])) => Some(Cursor::default()),
        _ => None,
    }
}
