//! The dialect of Google's extended operations: Compute Engine, and services that annotate their
//! own operation message in the same way.

use std::{borrow::Cow, time::Duration};

use http::{Method, Uri};

use super::{
    Call, Coverage, Cursor, Dialect, Encoding, ListPage, ListQuery, Listed, Observation, Options, Part, Shows, Sweep,
    expect_success,
    json::{all_shown, first_elements, text_of},
    list_page::MOST_ENTRIES,
};
use crate::{
    dialect::encode_name,
    hint::Hint,
    message::{Reply, Request},
    status::{Failure, State},
    text::excerpt,
    url::{after_scheme, encode_query},
};

mod errors;
mod fields;
mod place;

pub use self::fields::ExtendedFields;
use self::{
    fields::Members,
    place::{list_of, name_of, path_of, place_of, place_of_message},
};

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
/// - Many operations of one zone, of one region, or of what is global in one project are swept:
///   their list is asked for `status != DONE`, 500 a page, which is the most that [the
///   service](https://cloud.google.com/compute/docs/reference/rest/v1/zoneOperations/list) gives.
///   Not those of an organisation, whose list takes it in the query, nor those that were resumed by
///   the number of their project, because the links of a list have its id. With other [member
///   names](Self::with_fields) the service is another, and its filters are not known.
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
const RESULT: &str = "result";
const TARGET: &str = "target";

/// The filter for operations that have not finished
/// ([AIP-160](https://google.aip.dev/160), which Compute's filters follow).
const UNFINISHED: &str = "status != DONE";

/// The most operations that Compute gives on a page.
const PAGE_SIZE: u32 = 500;

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
        // A part that cannot be put into a path fails here, not at the first poll.
        path_of(&self.prefix, &cursor, "")?;
        Ok(with_options(cursor, options))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        match cursor.part(TARGET) {
            None => path_of(&self.prefix, cursor, "").map(Call::get),
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
        Ok(Call::new(Method::DELETE, path_of(&self.prefix, cursor, "")?))
    }

    /// Ignores `timeout`: the call takes no limit, and the service holds it for at most 2 minutes.
    fn wait(&self, cursor: &Cursor, _timeout: Duration) -> Result<Call, Failure> {
        match cursor.part(TARGET) {
            None => Ok(Call::new(Method::POST, path_of(&self.prefix, cursor, "/wait")?)),
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

    fn coverage(&self, cursor: &Cursor, options: &'static Options) -> Option<Coverage> {
        let parent = list_of(cursor).filter(|_| self.fields == ExtendedFields::COMPUTE)?;
        let result = options.iter().any(|(option, _)| *option == RESULT);
        let options = if result { options } else { &[] };
        // No entry leads to where a cursor with anything more leads, such as to the target.
        let entry = with_options(place_of(&parent, None)?.at(cursor.key()), options);
        if *cursor != entry || path_of(&self.prefix, cursor, "").is_err() {
            return None;
        }
        let mut query = ListQuery { parent, options, ..ListQuery::default() };
        (query.filter, query.page_size) = (UNFINISHED.to_owned(), Some(PAGE_SIZE));
        // An operation that is done leads to its result, which no list has.
        Some(Coverage::Sweep(Sweep::new(query).with_shows(Shows::Running).with_whole(!result)))
    }
}

fn with_options(cursor: Cursor, options: &Options) -> Cursor {
    match options.iter().find(|(option, _)| *option == RESULT) {
        Some((_, result)) => cursor.with(RESULT, *result),
        None => cursor,
    }
}
