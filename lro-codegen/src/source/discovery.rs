//! Google's discovery documents.
//!
//! A document says everything about a method but what its operation ends with: `response` is the
//! operation. So types come from elsewhere: from the resource that Compute's `targetLink` leads to,
//! from protos that have the same method, from the overrides file.

use std::{path::PathBuf, sync::Arc};

use self::{
    api::Api,
    join::Join,
    methods::Found,
    notes::Notes,
    polls::Polls,
    response::{Asked, Source},
    shape::Family,
    types::Types,
};
use crate::{
    context::Context,
    document::Node,
    model::{Dialect, Method, Model, Options, Service},
    position::Position,
};

mod api;
mod call;
mod join;
mod methods;
mod notes;
mod polls;
mod response;
mod said;
mod shape;
#[cfg(test)]
mod tests;
mod types;

/// What is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Discovery {
    pub(crate) files: Vec<PathBuf>,
    /// Roots of protos whose methods say the types that a discovery document does not.
    pub(crate) protos: Vec<PathBuf>,
}

pub(crate) fn read(input: &Discovery, context: &mut Context, model: &mut Model) {
    let documents: Vec<Arc<Node>> = input.files.iter().filter_map(|file| context.document(file)).collect();
    let mut apis = vec![];
    for document in &documents {
        match Api::new(document) {
            Ok(api) => apis.push(api),
            Err(message) => context.report.error(&document.at, "", message),
        }
    }
    let hosts: Vec<_> = apis.iter().map(|api| api.host().to_owned()).filter(|host| !host.is_empty()).collect();
    let join = Join::read(&input.protos, &hosts, context);
    for api in &apis {
        read_document(api, &join, context, model);
    }
}

fn read_document(api: &Api<'_>, join: &Join, context: &mut Context, model: &mut Model) {
    let methods = methods::all(api.document);
    model.methods_seen += methods.len();
    let mut document = Document {
        api,
        join,
        polls: vec![],
        types: Types::new(api, context.overrides.externs.clone()),
        methods: &methods,
        notes: Notes::default(),
    };
    for family in [Family::Google, Family::Extended, Family::CloudSql, Family::Gke] {
        document.polls.push((family, polls::all(api, &methods, family)));
    }
    let mut services: Vec<Service> = vec![];
    for method in &methods {
        let Some((read, dialect)) = document.wanted(method, context) else { continue };
        let name: Vec<_> = match &*method.resource {
            [] => vec![api.service(method)],
            parts => parts.iter().map(|&part| part.to_owned()).collect(),
        };
        let index = services.iter().position(|service| service.name == name).unwrap_or_else(|| {
            services.push(Service {
                docs: api.docs(&api.service(method)),
                name,
                base: api.base.clone(),
                dialect: dialect.clone(),
                parameters: vec![],
                query: vec![],
                methods: vec![],
                at: method.member.at.clone(),
            });
            services.len().saturating_sub(1)
        });
        if let Some(service) = services.get_mut(index) {
            let own = Some(dialect).filter(|dialect| *dialect != service.dialect);
            service.methods.push(Method { dialect: own, ..read });
        }
    }
    document.notes.report(&api.document.at, &mut context.report);
    let (types, mistakes) = document.types.finish();
    model.types.extend(types);
    model.services.extend(services);
    for (at, message) in mistakes {
        context.report.error(&at, "", message);
    }
}

/// A document that is being read.
struct Document<'a> {
    api: &'a Api<'a>,
    join: &'a Join,
    polls: Vec<(Family, Vec<Polls<'a>>)>,
    types: Types<'a>,
    methods: &'a [Found<'a>],
    notes: Notes,
}

/// Why a method is not generated.
enum Refusal {
    /// It cannot be said.
    Skipped(String),
    /// Something is wrong with a description, or with the overrides.
    Mistake(Position, String),
}

impl<'a> Document<'a> {
    /// Returns the method and its dialect, if it is long-running and wanted, and notes why not.
    fn wanted(&mut self, method: &Found<'a>, context: &mut Context) -> Option<(Method, Dialect)> {
        let service = self.api.service(method);
        let is_said = context.overrides.of(&service, method.name()).is_some();
        let family = self.api.family(method);
        if !is_said && (family.is_none() || method.is_polling()) {
            return None;
        }
        let at = &method.member.at;
        if !context.wants(at, &service, method.name()) {
            return None;
        }
        let subject = format!("{service}.{}", method.name());
        match self.method(method, family, &subject, context) {
            Ok(read) => return Some(read),
            Err(Refusal::Skipped(why)) => context.report.skipped(at, subject, why),
            Err(Refusal::Mistake(at, message)) => context.report.error(&at, subject, message),
        }
        None
    }

    fn method(
        &mut self,
        method: &Found<'a>,
        family: Option<Family>,
        subject: &str,
        context: &mut Context,
    ) -> Result<(Method, Dialect), Refusal> {
        let at = &method.member.at;
        let mistake = |message: String| Refusal::Mistake(at.clone(), message);
        let said = context.overrides.of(&self.api.service(method), method.name());
        let dialect = match (said.and_then(|said| said.dialect.clone()), family) {
            (Some(dialect), _) => dialect,
            (None, Some(family)) => {
                let version = polls::version_of(method.path()).unwrap_or_default();
                family.dialect(polls::prefix(self.polls_of(family)), version).map_err(Refusal::Skipped)?
            }
            (None, None) => {
                let why = "its reply is no operation that is known: name its `dialect` in the overrides file";
                return Err(Refusal::Skipped(why.to_owned()));
            }
        };
        if family == Some(Family::Extended) && !is_of_project(method.path()) {
            return Err(Refusal::Skipped(
                "its operations are of a folder or an organisation: the dialect polls those below `projects/` and \
                 `locations/global/`"
                    .to_owned(),
            ));
        }
        // What another dialect reads is what the overrides say.
        let family = family.unwrap_or(Family::Google);
        let has_path = said.is_some_and(|said| said.options.path.is_some() || said.dialect.is_some());
        let chosen = match polls::chosen(self.api, self.polls_of(family), method, family) {
            Ok(chosen) => chosen,
            Err(_) if has_path => polls::Chosen { path: None, cancel: false, delete: false, is_guess: false },
            Err(why) => return Err(Refusal::Skipped(why)),
        };
        let body = method.schema("request").map(|node| self.types.reference(node)).transpose().map_err(mistake)?;
        let path = self.api.below(&call::path_of(method).map_err(mistake)?);
        let asked = Asked { api: self.api, method, methods: self.methods, join: self.join, path: &path };
        let outcome = asked.outcome(family, &mut self.types).map_err(mistake)?;
        let (call, arguments) = call::call(self.api, method, path, body).map_err(mistake)?;
        let node = method.node();
        let mut read = Method {
            name: method.name().to_owned(),
            alias: None,
            docs: node.str_of("description").unwrap_or_default().to_owned(),
            deprecated: node.is_true("deprecated"),
            call,
            arguments,
            response: outcome.response,
            unknown_response: matches!(outcome.source, Source::Unknown(_)),
            metadata: outcome.metadata,
            dialect: None,
            options: Options {
                cancel: chosen.cancel,
                delete: chosen.delete,
                path: chosen.path.filter(|_| dialect == Dialect::Google),
                result: outcome.result,
                progress: outcome.progress,
                ..Options::default()
            },
            at: at.clone(),
        };
        if let Some(said) = said {
            said::apply(&mut read, said, self.api, &mut self.types).map_err(|(at, why)| Refusal::Mistake(at, why))?;
        }
        if said.is_none_or(|said| said.response.is_none()) {
            self.note_source(&outcome.source, at, subject, context);
        }
        if chosen.is_guess && !has_path {
            let path = read.options.path.as_deref().unwrap_or("v1/{name}");
            let message = format!("polls go to `{path}`, since the document has no `operations.get` (key `path`)");
            self.notes.add(message, subject);
        }
        Ok((read, dialect))
    }

    fn polls_of(&self, family: Family) -> &[Polls<'a>] {
        self.polls.iter().find(|(of, _)| *of == family).map(|(_, polls)| &**polls).unwrap_or_default()
    }

    /// Says of a response where its type is from, if the description does not say it.
    fn note_source(&mut self, source: &Source, at: &Position, subject: &str, context: &mut Context) {
        let message = match source {
            Source::Said => return,
            Source::OtherVersion => "the response is that of the same method in other versions (key `response`)",
            Source::Resource => "the response is taken to be the resource that is written (key `response`)",
            Source::Delete => "the response of a `DELETE` is taken to be nothing (key `response`)",
            Source::Unknown(why) => {
                let message = format!("{why}: it is any JSON value; say it as `response` in the overrides file");
                return context.report.note(at, subject, message);
            }
        };
        self.notes.add(message, subject);
    }
}

/// Returns whether a method of Compute starts an operation that the dialect can poll.
fn is_of_project(path: &str) -> bool {
    ["projects/", "locations/global/"].iter().any(|place| path.contains(place))
}
