//! The model: the declaration as a whole, checked and ready to be written.

use proc_macro2::Ident;
use syn::{DeriveInput, LitStr, Path, Type};

use super::{
    check,
    path::{self, Steps},
    roles::{Place, Role, Roles, text},
};
use crate::{grammar::states::STATES, report::Report, runtime_path, total::Total};

/// Everything that the declaration says.
pub(crate) struct Model<'a> {
    pub(crate) item: &'a DeriveInput,
    pub(crate) krate: Path,
    pub(crate) id: String,
    pub(crate) name: Option<Name>,
    pub(crate) state: Option<Steps>,
    pub(crate) words: Vec<(String, &'static str)>,
    pub(crate) missing: Option<&'static str>,
    pub(crate) response: Option<Place>,
    pub(crate) metadata: Option<Place>,
    pub(crate) errors: Vec<Steps>,
    pub(crate) cancelled_errors: Vec<String>,
    pub(crate) progress: Option<(Steps, Of)>,
    pub(crate) next: Option<Steps>,
    pub(crate) hint: Option<(Steps, &'static str)>,
    /// The values of `poll`, `cancel` and `delete`, in source order.
    pub(crate) calls: Vec<(Ident, LitStr)>,
    pub(crate) list: Option<List>,
    /// The fields with a role, each once, and their types.
    pub(crate) read: Vec<(Ident, Type)>,
}

/// The call that lists operations.
pub(crate) struct List {
    pub(crate) path: LitStr,
    pub(crate) items: Steps,
    pub(crate) next: Option<Steps>,
    pub(crate) most: Option<u32>,
    pub(crate) unfinished: Option<LitStr>,
    pub(crate) named: Option<LitStr>,
}

/// Where an operation's name comes from.
pub(crate) enum Name {
    Member { at: Steps, after: Option<LitStr> },
    Template { template: LitStr, parts: Vec<Steps> },
}

/// The total that progress is a part of.
pub(crate) enum Of {
    Number(f64),
    Member(Steps),
    /// The total of this type: 100 for integers, 1 for floats.
    Type(Box<Type>),
}

/// Checks the roles and builds the model.
pub(crate) fn build<'a>(item: &'a DeriveInput, roles: Roles, report: &mut Report) -> Model<'a> {
    check::all(item, &roles, report);
    let Roles { members, calls, most, krate, .. } = roles;
    let mut model = Model {
        item,
        krate: krate.unwrap_or_else(runtime_path::default),
        id: item.ident.to_string().trim_start_matches("r#").to_owned(),
        name: None,
        state: None,
        words: vec![],
        missing: None,
        response: None,
        metadata: None,
        errors: vec![],
        cancelled_errors: vec![],
        progress: None,
        next: None,
        hint: None,
        calls: vec![],
        list: None,
        read: vec![],
    };
    model.calls(calls, most.map(|(_, most)| most), report);
    for role in members {
        let is_new = |field: &(Ident, Type)| model.read.iter().all(|(known, _)| *known != field.0);
        let field = role.field.clone().filter(is_new);
        model.read.extend(field);
        model.role(role, report);
    }
    model
}

impl Model<'_> {
    /// Adds one role.
    fn role(&mut self, role: Role, report: &mut Report) {
        let key = role.key.to_string();
        let at = match role.place {
            Place::At(at) => at,
            Place::Template(template) => {
                self.name = template_of(template, report);
                return;
            }
            place => {
                *(if key == "response" { &mut self.response } else { &mut self.metadata }) = Some(place);
                return;
            }
        };
        match key.as_str() {
            "name" => self.name = Some(Name::Member { at, after: role.after }),
            "state" => {
                self.state = Some(at);
                self.missing = role.missing.and_then(|state| generated(&state.to_string()));
                for words in &role.words {
                    // `done` is not a state: whether it means Succeeded or Failed depends on the
                    // error.
                    let meaning = generated(&words.meaning.to_string()).unwrap_or("Done");
                    self.words.extend(words.words.iter().map(|word| (text(word), meaning)));
                }
            }
            "response" => self.response = Some(Place::At(at)),
            "metadata" => self.metadata = Some(Place::At(at)),
            "error" => {
                self.errors.push(at);
                self.cancelled_errors.extend(role.words.iter().flat_map(|words| &words.words).map(text));
            }
            "progress" => {
                let of = match (role.of, role.leaf) {
                    (Some(Total::Beside(total)), _) => beside(&at, &total, report).map(Of::Member),
                    (Some(Total::Number(total)), _) => Some(Of::Number(total)),
                    (None, Some(leaf)) => Some(Of::Type(Box::new(leaf))),
                    (None, None) => None,
                };
                self.progress = of.map(|of| (at, of));
            }
            "next" => self.next = Some(at),
            _ => {
                let in_milliseconds = role.unit.is_some_and(|unit| unit.value() == "ms");
                self.hint = Some((at, if in_milliseconds { "Milliseconds" } else { "Seconds" }));
            }
        }
    }

    /// Adds the keys of the type.
    fn calls(&mut self, calls: Vec<(Ident, LitStr)>, most: Option<u32>, report: &mut Report) {
        let (mut list, mut items, mut next) = (None, None, None);
        let (mut unfinished, mut named) = (None, None);
        for (key, call) in calls {
            match key.to_string().as_str() {
                "id" => self.id = call.value(),
                "list" => list = Some(call),
                "items" => items = reported(path::steps(&call), report),
                "next_page" => next = reported(path::steps(&call), report),
                "unfinished" => unfinished = Some(call),
                "named" => named = Some(call),
                _ => self.calls.push((key, call)),
            }
        }
        self.list = list.zip(items).map(|(path, items)| List { path, items, next, most, unfinished, named });
    }
}

/// Returns the variant of a state, or `None` if the word is not a state.
fn generated(state: &str) -> Option<&'static str> {
    STATES.iter().find(|(written, _)| *written == state).map(|(_, generated)| *generated)
}

/// Reads the template of a name, whose placeholders are paths of members:
/// `projects/{jobReference.projectId}/jobs/{jobReference.jobId}`.
fn template_of(template: LitStr, report: &mut Report) -> Option<Name> {
    let words = reported(path::placeholders(&template), report)?;
    let parts = words.into_iter().map(|word| reported(path::steps(&LitStr::new(&word, template.span())), report));
    let parts = parts.collect::<Option<Vec<_>>>()?;
    Some(Name::Template { template, parts })
}

/// Returns a path that starts at the parent of `at`: `of = "total"` names a sibling of the
/// progress.
fn beside(at: &Steps, path: &LitStr, report: &mut Report) -> Option<Steps> {
    let steps = reported(path::steps(path), report)?;
    let parent = at.iter().take(at.len().saturating_sub(1)).cloned();
    Some(parent.chain(steps).collect())
}

/// Reports the error, if there is one.
fn reported<T>(result: syn::Result<T>, report: &mut Report) -> Option<T> {
    result.map_err(|error| report.add(error)).ok()
}
