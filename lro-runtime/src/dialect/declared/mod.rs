//! The dialect of job objects: operations with a status member, read as a type declares.

use std::collections::HashMap;

use http::Method;

use super::{
    Coverage, Dialect, ListPage, ListQuery, Listed, Named, Options, Shows, Sweep, expect_success,
    json::{first_elements, unexpected_body},
    list_page::MOST_ENTRIES,
};
use crate::{
    dialect::{Call, Cursor, Observation},
    message::{Reply, Request},
    status::{Failure, State},
    text::excerpt,
    url::{encode_query, is_absolute, resolve},
};

mod error;
mod interpret;
pub(super) mod seek;
mod shape;
mod template;
mod wire_path;

use self::{interpret::scalar, seek::seek, shape::Found};
pub use self::{
    shape::{HintUnit, Total, WireList, WireOperation, WireShape, WireState},
    wire_path::WirePath,
};

/// The dialect of a service whose operations have the form that a type declares with
/// [`WireOperation`].
///
/// One method uses it with `wire = Prediction` in its attribute, a whole client as follows:
///
/// ```
/// use lro_runtime::{Operations, dialect::Declared};
/// use lro_runtime::wire::{WireState, WireOperation, WirePath, WireShape};
///
/// struct Job;
///
/// impl WireOperation for Job {
///     const SHAPE: &'static WireShape = &WireShape::new("declared:Job")
///         .name(WirePath::at(&[&["id"]]))
///         .state(WirePath::at(&[&["status"]]))
///         .words(&[("queued", WireState::Pending), ("done", WireState::Succeeded), ("broken", WireState::Failed)])
///         .response(WirePath::at(&[&["result"]]))
///         .poll("v1/jobs/{name}");
/// }
///
/// let operations = Operations::builder("https://jobs.example.com").dialect(Declared::of::<Job>()).build()?;
/// assert_eq!(operations.resume("7")?.name(), "7");
/// # Ok::<(), lro_runtime::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Declared {
    shape: &'static WireShape,
}

// The names of the cursor's parts, which are written into tokens.
/// The part of a cursor that holds the URL of the next poll, where the server gave one.
const NEXT: &str = "next";
/// The part of a cursor that holds the path of the method's polls, where the method overrides the
/// shape's.
const PATH: &str = "path";

impl Declared {
    /// Returns the dialect that `T` declares.
    #[must_use]
    pub const fn of<T: WireOperation>() -> Self {
        Self::new(T::SHAPE)
    }

    /// Returns the dialect of a shape.
    #[must_use]
    pub const fn new(shape: &'static WireShape) -> Self {
        Self { shape }
    }

    /// Returns the cursor of the operation `name`, for a method with these options.
    fn cursor(name: impl Into<String>, options: &Options) -> Cursor {
        let cursor = Cursor::new(name);
        match options.iter().find(|(option, _)| *option == PATH) {
            Some((_, path)) => cursor.with(PATH, *path),
            None => cursor,
        }
    }

    /// Makes a call from its declaration, such as `POST v1/jobs/{name}/cancel`. What follows a
    /// second space is the JSON body.
    fn call(self, written: Option<&str>, cursor: &Cursor, missing: &str) -> Result<Call, Failure> {
        let mut words = written.ok_or_else(|| Failure::unsupported(missing))?.splitn(3, ' ');
        let method = words.next().and_then(|method| method.parse::<Method>().ok()).unwrap_or(Method::POST);
        let path = template::path(words.next().unwrap_or_default(), cursor.key(), self.shape.name_template)?;
        let call = Call::new(method, path);
        Ok(match words.next() {
            Some(body) => call.with_json(body.to_owned()),
            None => call,
        })
    }
}

impl Dialect for Declared {
    fn id(&self) -> &'static str {
        self.shape.id
    }

    fn read_start<'a>(
        &self,
        request: &Request,
        reply: &'a Reply,
        options: &Options,
    ) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        let mut found = Found::default();
        let read = self.shape.find(reply.body(), &mut found);
        let read = read.and_then(|()| self.shape.observe(reply.body(), &found));
        let (name, next) = (self.shape.operation_name(&found), self.shape.next_url(&found));
        // The service has accepted the operation: what cannot be read loses it only if nothing
        // names it.
        let (mut seen, unread) = match read {
            Ok(seen) => (seen, None),
            Err(why) => (Observation::new(State::Running), Some(why)),
        };
        let unread = unread.or_else(|| name.as_ref().err().or(next.as_ref().err()).cloned());
        seen.hint = self.shape.hint_in(reply, &found);
        seen.name = name.ok().flatten().filter(|name| !name.is_empty());
        let next = next.ok().flatten().map(|url| match resolve(request.uri(), &url) {
            Ok(url) => (url.to_string(), None),
            // The service has accepted the operation: its polls fail, not its start.
            Err(error) => (url.into_owned(), Some(Failure::from(error))),
        });
        // A URL of the server is polled; the name still goes into the cursor, because cancel and
        // delete are declared by name.
        seen.cursor = match (&seen.name, next) {
            (Some(name), next) => {
                let cursor = Self::cursor(&**name, options);
                let unfit = template::check(name, self.shape.name_template).err();
                let cursor = unfit.iter().fold(cursor, Cursor::refused);
                Some(next.into_iter().fold(cursor, followed))
            }
            // A service that gives only a URL: the URL is the key, from which `locate` resumes.
            (None, Some(next)) => Some(followed(Self::cursor(next.0.clone(), options), next)),
            (None, None) if seen.state.is_terminal() => None, // a finished operation may be nameless
            (None, None) => {
                return Err(unread
                    .unwrap_or_else(|| Failure::protocol("the reply does not name the operation, which is not done")));
            }
        };
        seen.cursor = seen.cursor.map(|cursor| of_caller(cursor, &request.uri().to_string()));
        Ok(seen)
    }

    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        // Only without a path for polls: with one, a name is always a name. The client checks the
        // URL's origin before it sends anything.
        let is_url = is_absolute(name) && self.shape.poll.is_none();
        if is_url {
            return Ok(Self::cursor(name, options).with(NEXT, name));
        }
        template::check(name, self.shape.name_template)?;
        Ok(Self::cursor(name, options))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        if let Some(next) = cursor.part(NEXT) {
            return Ok(Call::get(next));
        }
        let path = cursor.part(PATH).or(self.shape.poll);
        let path = path.ok_or_else(|| {
            Failure::protocol("this operation can be polled only at the URL that the service gives, not by a name")
        })?;
        template::path(path, cursor.key(), self.shape.name_template).map(Call::get)
    }

    fn read<'a>(&self, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        expect_success(reply)?;
        let mut found = Found::default();
        self.shape.find(reply.body(), &mut found)?;
        let mut seen = self.shape.observe(reply.body(), &found)?;
        seen.hint = self.shape.hint_in(reply, &found);
        // The server may move the operation at any poll. The same URL again is not a move: without
        // a new cursor, the request of the last poll is reused.
        let known = cursor.part(NEXT);
        if let Some(next) = self.shape.next_url(&found)?.filter(|next| Some(&**next) != known) {
            // A relative URL resolves against the one just polled. After a poll by name, the client
            // puts it below the base URL.
            let base = known.and_then(|known| known.parse().ok());
            let next = match base.map(|base| resolve(&base, &next)) {
                Some(Ok(url)) => (url.to_string(), None),
                Some(Err(error)) => (next.into_owned(), Some(Failure::from(error))),
                None => (next.into_owned(), None),
            };
            seen.cursor = Some(followed(cursor.clone(), next));
        }
        Ok(seen)
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.call(self.shape.cancel, cursor, "the wire type declares no cancel call")
    }

    fn delete(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.call(self.shape.delete, cursor, "the wire type declares no delete call")
    }

    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        let list = self.declared_list()?;
        // Replicate gives the URL of the next page instead of a token. It goes to a trusted origin,
        // or is refused by the client.
        if is_absolute(&query.page_token) {
            return Ok(Call::get(query.page_token.as_str()));
        }
        let path = template::query(list.path, |word| match word {
            "page_size" => query.page_size.map(|size| size.to_string()).unwrap_or_default(),
            "page_token" => query.page_token.clone(),
            "filter" => query.filter.clone(),
            "parent" => query.parent.clone(),
            _ => String::new(),
        })?;
        Ok(Call::get(path))
    }

    fn read_list<'a>(&self, query: &ListQuery, reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        let (page, next) = self.page(self.declared_list()?, reply, |name| Self::cursor(name, query.options))?;
        Ok(page.with_next(next))
    }

    fn coverage(&self, cursor: &Cursor, options: &'static Options) -> Option<Coverage> {
        let list = self.shape.list.as_ref()?;
        let (most, parent) = (list.most?, self.parent_of(list, cursor)?);
        // Of the options, only the path is in cursors: methods that differ in others share their
        // list.
        let options = if options.iter().any(|(option, _)| *option == PATH) { options } else { &[] };
        // No entry has the headers of a caller, or the URL that the server gave for the next poll.
        if *cursor != Self::cursor(cursor.key(), options) {
            return None;
        }
        if list.named.is_some() {
            let place = template::path_alone(list.path).replace("{parent}", &parent);
            return is_one_name(cursor.key()).then(|| Coverage::Named(Named::new(place, most)));
        }
        let filter = list.unfinished.unwrap_or_default().to_owned();
        let query = ListQuery { parent, filter, options, page_size: Some(most), ..ListQuery::default() };
        let shows = if list.unfinished.is_some() { Shows::Running } else { Shows::All };
        Some(Coverage::Sweep(Sweep::new(query).with_shows(shows)))
    }

    fn poll_named(&self, cursors: &[&Cursor]) -> Result<Call, Failure> {
        let (list, parameter) = self.declared_named()?;
        let unfit = |cursor: &Cursor| {
            let name = excerpt(cursor.key().as_bytes());
            Failure::protocol(format!("`{name}` cannot be asked for together with others"))
        };
        let of = |cursor| self.parent_of(list, cursor).filter(|_| is_one_name(cursor.key()));
        // Without a name the call would ask for all.
        let first = cursors.first().ok_or_else(|| Failure::protocol("the call names no operation"))?;
        let parent = of(first).ok_or_else(|| unfit(first))?;
        if let Some(other) = cursors.iter().find(|cursor| of(cursor).as_ref() != Some(&parent)) {
            return Err(unfit(other));
        }
        let mut path = template::query(list.path, |word| match word {
            "page_size" => cursors.len().to_string(),
            "parent" => parent.clone(),
            _ => String::new(),
        })?;
        let names: Vec<_> = cursors.iter().map(|cursor| encode_query(cursor.key())).collect();
        path.push(if path.contains('?') { '&' } else { '?' });
        path += &[parameter, "=", &names.join(",")].concat();
        Ok(Call::get(path))
    }

    fn read_named<'a>(&self, cursors: &[&Cursor], reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        let (list, _) = self.declared_named()?;
        let named: HashMap<_, _> = cursors.iter().map(|cursor| (cursor.key(), *cursor)).collect();
        let cursor = |name: &str| named.get(name).map_or_else(|| Cursor::new(name), |cursor| (*cursor).clone());
        Ok(self.page(list, reply, cursor)?.0)
    }
}

impl Declared {
    fn declared_list(self) -> Result<&'static WireList, Failure> {
        self.shape.list.as_ref().ok_or_else(|| Failure::unsupported("the wire type declares no list call"))
    }

    /// Returns the list call and the parameter of it that takes names.
    fn declared_named(self) -> Result<(&'static WireList, &'static str), Failure> {
        let list = self.shape.list.as_ref();
        let named = list.and_then(|list| list.named.map(|parameter| (list, parameter)));
        named.ok_or_else(|| Failure::unsupported("the wire type declares no list call that takes several names"))
    }

    /// Returns the parent of the list that has the operation at this cursor, unless it is polled
    /// elsewhere.
    fn parent_of(self, list: &WireList, cursor: &Cursor) -> Option<String> {
        if cursor.part(NEXT).is_some() || cursor.refusal().is_some() {
            return None;
        }
        let poll = cursor.part(PATH).or(self.shape.poll)?;
        template::parent_in(list.path, poll, cursor.key(), self.shape.name_template)
    }

    /// Reads a page, and the token of the next one. `cursor_of` makes an entry's cursor from its
    /// name.
    fn page<'a>(
        self,
        list: &WireList,
        reply: &'a Reply,
        cursor_of: impl Fn(&str) -> Cursor,
    ) -> Result<(ListPage<'a>, Result<String, Failure>), Failure> {
        expect_success(reply)?;
        let mut found = [None; 2];
        let body = reply.body();
        seek(body, &list.paths, &mut found).map_err(|e| unexpected_body("a page of operations", &e, body))?;
        let [items, next] = found;
        let items = items.map(|raw| {
            first_elements(raw, MOST_ENTRIES).map_err(|e| unexpected_body("a list of operations", &e, body))
        });
        let read = |message| {
            let mut found = Found::default();
            self.shape.find(message, &mut found)?;
            let mut seen = self.shape.observe(message, &found)?;
            seen.name = self.shape.operation_name(&found)?;
            seen.cursor = seen.name.as_deref().filter(|name| !name.is_empty()).map(&cursor_of);
            Ok(seen)
        };
        let name = |message| {
            let mut found = Found::default();
            self.shape.find(message, &mut found).ok()?;
            self.shape.operation_name(&found).ok()?
        };
        let (items, left_out) = items.transpose()?.unwrap_or_default();
        let operations = items.into_iter().map(|item| Listed::read(item.get().as_bytes(), read, name)).collect();
        let next = next.map(|raw| scalar(raw, || list.paths.at(WireList::NEXT).written())).transpose();
        let next = next.map(|token| token.unwrap_or_default().into_owned());
        Ok((ListPage::new(operations).with_left_out(left_out), next))
    }
}

/// Whether a name is one among names with commas between them.
fn is_one_name(name: &str) -> bool {
    !name.contains(',')
}

/// Returns the cursor whose polls go to the URL `next`, or are refused if it cannot be read.
fn followed(cursor: Cursor, (next, unreadable): (String, Option<Failure>)) -> Cursor {
    unreadable.iter().fold(cursor.with(NEXT, next), Cursor::refused)
}

/// Returns the cursor, in which the URL of the start call is the caller's: a reference of the reply
/// that has neither path nor query leads to it.
fn of_caller(cursor: Cursor, start: &str) -> Cursor {
    let cursor = if cursor.part(NEXT) == Some(start) { cursor.with_own(NEXT, start) } else { cursor };
    if cursor.key() == start && cursor.refusal().is_none() { cursor.at_own(start) } else { cursor }
}

#[cfg(test)]
mod tests;
