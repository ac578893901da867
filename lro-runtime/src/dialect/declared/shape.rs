//! What a type declares about how its service writes an operation: data, no code.

use super::{seek::Paths, wire_path::WirePath};
use crate::status::State;

/// A serde type that says how its service writes an operation: which member is the name, the state, the response, and which
/// words mean which state.
///
/// `#[derive(WireOperation)]` writes it from the type that an SDK has anyway. What the derive cannot say is written by hand:
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
    note = "write `#[derive(WireOperation)]` on it, with `#[operation(…)]` on the fields that are the name, the state, the response, …"
)]
pub trait WireOperation {
    /// What is declared.
    const SHAPE: &'static WireShape;
}

/// What a status word means.
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
    /// Cancelled.
    Cancelled,
    /// Finished, and the error says how: failed or cancelled if there is one, else succeeded.
    Done,
}

/// What the number under `progress` is a number of.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Total {
    /// Of this many: 1 for a fraction, 100 for per cent.
    Of(f64),
    /// Of as many as this member says.
    At(WirePath),
}

/// How a retry hint is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HintUnit {
    /// In seconds.
    Seconds,
    /// In milliseconds.
    Milliseconds,
}

/// Which member is which: the index of its path in a shape.
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

/// How many members may be the error; the first that is there counts.
pub(super) const ERRORS: usize = 3;
/// How many members a name may be made of.
pub(super) const PARTS: usize = 4;
const PART: usize = Role::Error as usize + ERRORS;
/// How many paths a shape has.
pub(super) const PATHS: usize = PART + PARTS;

/// Everything that a [`WireOperation`] declares. Built as a constant; [`Declared`](super::Declared) interprets it.
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

/// Where operations are listed, and where they are in a page.
#[derive(Clone, Copy, Debug)]
pub struct WireList {
    pub(super) path: &'static str,
    pub(super) paths: Paths<2>,
}

impl WireList {
    const ITEMS: usize = 0;
    pub(super) const NEXT: usize = 1;

    /// Pages at this path, whose query may have `{page_size}`, `{page_token}` and `{filter}`; the operations under `items`; the token or URL of the
    /// next page under `next`.
    #[must_use]
    pub const fn new(path: &'static str, items: WirePath, next: WirePath) -> Self {
        Self { path, paths: Paths::NONE.with(Self::ITEMS, items).with(Self::NEXT, next) }
    }
}

impl WireShape {
    /// A shape that declares nothing yet. `id` tells it apart in tokens: it never changes.
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

    /// The word that tells it apart in tokens.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    const fn with(mut self, index: usize, path: WirePath) -> Self {
        self.paths = self.paths.with(index, path);
        self
    }

    /// Where the name is: a string or a number.
    #[must_use]
    pub const fn name(self, path: WirePath) -> Self {
        self.with(Role::Name as usize, path)
    }

    /// The name begins after this text: `/v1/` of a URL.
    #[must_use]
    pub const fn name_after(mut self, text: &'static str) -> Self {
        self.name_after = Some(text);
        self
    }

    /// The name is made of several members (`threads/{thread_id}/runs/{id}`): those that [`part`](Self::part) declares, in the order of the template.
    #[must_use]
    pub const fn name_template(mut self, template: &'static str) -> Self {
        self.name_template = Some(template);
        self
    }

    /// Where the value of the placeholder `index` of the name is. There are at most four.
    #[must_use]
    pub const fn part(self, index: usize, path: WirePath) -> Self {
        self.with(PART + index, path)
    }

    /// Where the status word is: a string, a number or a bool.
    #[must_use]
    pub const fn state(self, path: WirePath) -> Self {
        self.with(Role::State as usize, path)
    }

    /// What the words mean. Any other means running.
    #[must_use]
    pub const fn words(mut self, words: &'static [(&'static str, WireState)]) -> Self {
        self.words = words;
        self
    }

    /// The state of a message without a status word. If not said, such a message breaks the rules.
    #[must_use]
    pub const fn missing(mut self, state: State) -> Self {
        self.missing = Some(state);
        self
    }

    /// Where the response is.
    #[must_use]
    pub const fn response(self, path: WirePath) -> Self {
        self.with(Role::Response as usize, path)
    }

    /// Where the metadata is.
    #[must_use]
    pub const fn metadata(self, path: WirePath) -> Self {
        self.with(Role::Metadata as usize, path)
    }

    /// Where the error is: a string, an object, an array of them. Up to three places; the first that is there counts.
    #[must_use]
    pub const fn error(self, path: WirePath) -> Self {
        let mut index = Role::Error as usize;
        while index + 1 < PART && self.is_taken(index) {
            index += 1;
        }
        self.with(index, path)
    }

    const fn is_taken(&self, index: usize) -> bool {
        self.paths.at(index).is_declared()
    }

    /// Errors with one of these reasons or codes mean that it was cancelled.
    #[must_use]
    pub const fn cancelled_errors(mut self, words: &'static [&'static str]) -> Self {
        self.cancelled_errors = words;
        self
    }

    /// Where the number done is, and of how many.
    #[must_use]
    pub const fn progress(self, path: WirePath, total: Total) -> Self {
        let mut shape = self.with(Role::Progress as usize, path);
        match total {
            Total::Of(total) => shape.total = total,
            Total::At(path) => shape = shape.with(Role::Total as usize, path),
        }
        shape
    }

    /// Where the URL to look at next is. Followed on trusted origins only.
    #[must_use]
    pub const fn next(self, path: WirePath) -> Self {
        self.with(Role::Next as usize, path)
    }

    /// Where the wait until the next poll is. Headers that say it too come first.
    #[must_use]
    pub const fn hint(mut self, path: WirePath, unit: HintUnit) -> Self {
        self.hint_unit = unit;
        self.with(Role::Hint as usize, path)
    }

    /// The path to look at, below the base URL: `v1/jobs/{name}`.
    #[must_use]
    pub const fn poll(mut self, path: &'static str) -> Self {
        self.poll = Some(path);
        self
    }

    /// The call that cancels: `POST v1/jobs/{name}/cancel`, and after another space its body.
    #[must_use]
    pub const fn cancel(mut self, call: &'static str) -> Self {
        self.cancel = Some(call);
        self
    }

    /// The call that deletes: `DELETE v1/jobs/{name}`.
    #[must_use]
    pub const fn delete(mut self, call: &'static str) -> Self {
        self.delete = Some(call);
        self
    }

    /// The call that lists.
    #[must_use]
    pub const fn list(mut self, list: WireList) -> Self {
        self.list = Some(list);
        self
    }

    pub(super) fn path(&self, role: Role) -> WirePath {
        self.paths.at(role as usize)
    }
}

/// The members that were found.
#[derive(Default)]
pub(super) struct Found<'a>(pub(super) [Option<&'a serde_json::value::RawValue>; PATHS]);

impl<'a> Found<'a> {
    /// The member of this role.
    pub(super) fn get(&self, role: Role) -> Option<&'a serde_json::value::RawValue> {
        self.at(role as usize)
    }

    pub(super) fn errors(&self) -> impl Iterator<Item = &'a serde_json::value::RawValue> {
        (0..ERRORS).filter_map(|index| self.at(Role::Error as usize + index))
    }

    pub(super) fn part(&self, index: usize) -> Option<&'a serde_json::value::RawValue> {
        (index < PARTS).then(|| self.at(PART + index)).flatten()
    }

    fn at(&self, index: usize) -> Option<&'a serde_json::value::RawValue> {
        self.0.get(index).copied().flatten()
    }
}
