//! The constants in which a type declares how its service writes an operation: data, no code.

use super::{seek::Paths, wire_path::WirePath};
use crate::status::State;

/// A type that declares how its service writes an operation: which member is the name, the state,
/// the response, and which words mean which state.
///
/// `#[derive(WireOperation)]` implements it for the serde type that an SDK already has. What the
/// derive cannot express is declared by hand:
///
/// ```
/// use lro_runtime::wire::{WireState, WireOperation, WirePath, WireShape};
///
/// /// `{"job": {"id": 7, "phase": "busy"}}`
/// struct Job;
///
/// impl WireOperation for Job {
///     const SHAPE: &'static WireShape = &WireShape::new("declared:Job")
///         .name(WirePath::at(&[&["job"], &["id"]]))
///         .state(WirePath::at(&[&["job"], &["phase"]]))
///         .words(&[("waiting", WireState::Pending), ("busy", WireState::Running), ("over", WireState::Done)])
///         .error(WirePath::at(&[&["job"], &["problem"]]))
///         .response(WirePath::WHOLE)
///         .poll("v1/jobs/{name}");
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say how its service writes an operation",
    label = "declares no wire shape",
    note = "write `#[derive(WireOperation)]` on it, with `#[operation(…)]` on the fields for the name, the state, the response, …"
)]
pub trait WireOperation {
    /// The declaration.
    const SHAPE: &'static WireShape;
}

/// The meaning of a status word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WireState {
    /// Accepted, not started.
    Pending,
    /// Started, not finished.
    Running,
    /// Finished with a response.
    Succeeded,
    /// Finished with an error.
    Failed,
    /// Finished because it was cancelled.
    Cancelled,
    /// Finished: failed or cancelled if the message has an error, else succeeded.
    Done,
}

/// The number that means that everything is done.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Total {
    /// This number: 1 for a fraction, 100 for per cent.
    Of(f64),
    /// The number in this member.
    At(WirePath),
}

/// The unit of a retry hint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HintUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Milliseconds,
}

/// The role of a member, which is also the index of its path in a shape. `Error` is last: it has
/// several indices, and those of the name's parts follow.
#[derive(Clone, Copy)]
pub(super) enum Role {
    State,
    Name,
    Response,
    Metadata,
    Progress,
    Total,
    Next,
    Hint,
    Error,
}

// What is found in a message lies in an array on the stack, so that a poll allocates nothing for
// it. That is why the numbers are fixed. The derive checks the same two. The types that come with
// the crate need two errors (OpenAI's responses, GKE) and a name of three parts (BigQuery).
/// The number of members that may be the error. The first that holds an error counts.
pub(super) const ERRORS: usize = 3;
/// The number of members that a name may be made of.
pub(super) const PARTS: usize = 4;
/// The index of the first part of a name.
const PART: usize = Role::Error as usize + ERRORS;
/// The number of paths of a shape. At most 32, because a set of paths is a `u32`.
pub(super) const PATHS: usize = PART + PARTS;

/// The whole declaration of a [`WireOperation`], built as a constant. The dialect
/// [`Declared`](super::Declared) interprets it.
#[derive(Clone, Copy, Debug)]
pub struct WireShape {
    pub(super) id: &'static str,
    pub(super) paths: Paths<PATHS>,
    pub(super) words: &'static [(&'static str, WireState)],
    pub(super) cancelled_errors: &'static [&'static str],
    pub(super) missing: Option<State>,
    pub(super) name_after: Option<&'static str>,
    pub(super) name_template: Option<&'static str>,
    pub(super) total: f64,
    pub(super) hint_unit: HintUnit,
    pub(super) poll: Option<&'static str>,
    pub(super) cancel: Option<&'static str>,
    pub(super) delete: Option<&'static str>,
    pub(super) list: Option<WireList>,
}

/// The declaration of a list call: the path of a page, and where a page has its operations.
#[derive(Clone, Copy, Debug)]
pub struct WireList {
    pub(super) path: &'static str,
    pub(super) paths: Paths<2>,
    pub(super) most: Option<u32>,
    pub(super) unfinished: Option<&'static str>,
    pub(super) named: Option<&'static str>,
}

impl WireList {
    const ITEMS: usize = 0;
    pub(super) const NEXT: usize = 1;

    /// Declares pages at `path`, which may have the placeholders `{page_size}`, `{page_token}`,
    /// `{filter}` and `{parent}`. A page has its operations at `items`, and the token or URL of the
    /// next page at `next`.
    #[must_use]
    pub const fn new(path: &'static str, items: WirePath, next: WirePath) -> Self {
        let paths = Paths::NONE.with(Self::ITEMS, items).with(Self::NEXT, next);
        Self { path, paths, most: None, unfinished: None, named: None }
    }

    /// Says that the entries of a page are the messages that polls read, and that a page has at
    /// most so many: then a fleet may list the operations instead of polling each. Default: each is
    /// polled.
    ///
    /// That is possible where a poll's path lies in the list's, as `v1/jobs/{name}` does in
    /// `v1/jobs`, and `v1/{name}` in `v1/{parent}/jobs` for the name `projects/p/jobs/7`.
    #[must_use]
    pub const fn most(mut self, operations: u32) -> Self {
        self.most = Some(operations);
        self
    }

    /// Sets the filter with which the list has only operations that have not finished, for the
    /// place of `{filter}` in its path. Default: all operations are listed.
    #[must_use]
    pub const fn unfinished(mut self, filter: &'static str) -> Self {
        self.unfinished = Some(filter);
        self
    }

    /// Sets the parameter of the query that takes the names of several operations, separated by
    /// commas. Then they are asked for by name, as many as [`most`](Self::most) says. Default:
    /// none.
    #[must_use]
    pub const fn named(mut self, parameter: &'static str) -> Self {
        self.named = Some(parameter);
        self
    }
}

impl WireShape {
    /// Creates a shape that declares nothing yet. `id` identifies the type in tokens, so it must
    /// never change.
    #[must_use]
    pub const fn new(id: &'static str) -> Self {
        Self {
            id,
            paths: Paths::NONE,
            words: &[],
            cancelled_errors: &[],
            missing: None,
            name_after: None,
            name_template: None,
            total: 1.0,
            hint_unit: HintUnit::Seconds,
            poll: None,
            cancel: None,
            delete: None,
            list: None,
        }
    }

    /// Returns the word that identifies the type in tokens.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    const fn with(mut self, index: usize, path: WirePath) -> Self {
        self.paths = self.paths.with(index, path);
        self
    }

    /// Sets the path of the operation's name, a string or a number.
    #[must_use]
    pub const fn name(self, path: WirePath) -> Self {
        self.with(Role::Name as usize, path)
    }

    /// Sets the text after which the name begins, such as `/v1/` in a URL. Default: the name is the
    /// whole value.
    #[must_use]
    pub const fn name_after(mut self, text: &'static str) -> Self {
        self.name_after = Some(text);
        self
    }

    /// Sets a template for a name that is made of several members, such as
    /// `threads/{thread_id}/runs/{id}`. [`part`](Self::part) declares the members, in the order of
    /// the template.
    #[must_use]
    pub const fn name_template(mut self, template: &'static str) -> Self {
        self.name_template = Some(template);
        self
    }

    /// Sets the path of the value for the placeholder `index` of the name's template, counted from
    /// 0. There are at most four.
    ///
    /// # Panics
    ///
    /// When `index` is greater than 3. In a constant this is a compile error.
    #[must_use]
    pub const fn part(self, index: usize, path: WirePath) -> Self {
        self.with(PART + index, path)
    }

    /// Sets the path of the status word, a string, a number or a bool.
    #[must_use]
    pub const fn state(self, path: WirePath) -> Self {
        self.with(Role::State as usize, path)
    }

    /// Sets what the status words mean. Any other word means running, and is not known.
    #[must_use]
    pub const fn words(mut self, words: &'static [(&'static str, WireState)]) -> Self {
        self.words = words;
        self
    }

    /// Sets the state of a message without a status word. Default: such a message is a protocol
    /// error.
    #[must_use]
    pub const fn missing(mut self, state: State) -> Self {
        self.missing = Some(state);
        self
    }

    /// Sets the path of the response. Default: no response.
    #[must_use]
    pub const fn response(self, path: WirePath) -> Self {
        self.with(Role::Response as usize, path)
    }

    /// Sets the path of the metadata. Default: no metadata.
    #[must_use]
    pub const fn metadata(self, path: WirePath) -> Self {
        self.with(Role::Metadata as usize, path)
    }

    /// Adds the path of the error, a string, an object or an array of either. Of up to three
    /// members, the first that holds an error counts; `null`, `""`, `{}` and `[]` do not. A fourth
    /// path replaces the third.
    #[must_use]
    pub const fn error(self, path: WirePath) -> Self {
        // Takes the first free slot. The derive refuses a fourth error.
        let mut index = Role::Error as usize;
        while index + 1 < PART && self.is_taken(index) {
            index += 1;
        }
        self.with(index, path)
    }

    /// Returns whether the slot at `index` has a path.
    const fn is_taken(&self, index: usize) -> bool {
        self.paths.at(index).is_declared()
    }

    /// Sets the reasons and codes of errors that mean that the operation was cancelled. Default:
    /// none.
    #[must_use]
    pub const fn cancelled_errors(mut self, words: &'static [&'static str]) -> Self {
        self.cancelled_errors = words;
        self
    }

    /// Sets the path of the number that is done, and the total.
    #[must_use]
    pub const fn progress(self, path: WirePath, total: Total) -> Self {
        let mut shape = self.with(Role::Progress as usize, path);
        match total {
            Total::Of(total) => shape.total = total,
            Total::At(path) => shape = shape.with(Role::Total as usize, path),
        }
        shape
    }

    /// Sets the path of the URL of the next poll. It is followed on trusted origins only.
    #[must_use]
    pub const fn next(self, path: WirePath) -> Self {
        self.with(Role::Next as usize, path)
    }

    /// Sets the path and the unit of the delay until the next poll. A hint in the headers takes
    /// precedence.
    #[must_use]
    pub const fn hint(mut self, path: WirePath, unit: HintUnit) -> Self {
        self.hint_unit = unit;
        self.with(Role::Hint as usize, path)
    }

    /// Sets the path of a poll below the base URL, such as `v1/jobs/{name}`.
    #[must_use]
    pub const fn poll(mut self, path: &'static str) -> Self {
        self.poll = Some(path);
        self
    }

    /// Sets the call that cancels, such as `POST v1/jobs/{name}/cancel`. What follows another space
    /// is its JSON body. Default: cancelling is unsupported.
    #[must_use]
    pub const fn cancel(mut self, call: &'static str) -> Self {
        self.cancel = Some(call);
        self
    }

    /// Whether a call that cancels is declared.
    pub(crate) const fn has_cancel(&self) -> bool {
        self.cancel.is_some()
    }

    /// Whether a call that deletes is declared.
    pub(crate) const fn has_delete(&self) -> bool {
        self.delete.is_some()
    }

    /// Sets the call that deletes, such as `DELETE v1/jobs/{name}`. Default: deleting is
    /// unsupported.
    #[must_use]
    pub const fn delete(mut self, call: &'static str) -> Self {
        self.delete = Some(call);
        self
    }

    /// Sets the call that lists operations. Default: listing is unsupported.
    #[must_use]
    pub const fn list(mut self, list: WireList) -> Self {
        self.list = Some(list);
        self
    }

    /// Returns the path of a role.
    pub(super) fn path(&self, role: Role) -> WirePath {
        self.paths.at(role as usize)
    }
}

/// The members that were found in one message, in the order of the shape's paths.
#[derive(Default)]
pub(super) struct Found<'a>(pub(super) [Option<&'a serde_json::value::RawValue>; PATHS]);

impl<'a> Found<'a> {
    /// Returns the member of a role.
    pub(super) fn get(&self, role: Role) -> Option<&'a serde_json::value::RawValue> {
        self.at(role as usize)
    }

    /// Returns the members that may be the error, in the order of their declaration.
    pub(super) fn errors(&self) -> impl Iterator<Item = &'a serde_json::value::RawValue> {
        (0..ERRORS).filter_map(|index| self.at(Role::Error as usize + index))
    }

    /// Returns the part `index` of the name. The parts are the last of the paths: there is nothing
    /// beyond them.
    pub(super) fn part(&self, index: usize) -> Option<&'a serde_json::value::RawValue> {
        self.at(PART + index)
    }

    fn at(&self, index: usize) -> Option<&'a serde_json::value::RawValue> {
        self.0.get(index).copied().flatten()
    }
}
