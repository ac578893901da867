//! One document that is being read: its methods, and the types that they reach.

use std::collections::BTreeMap;

use super::{
    api::Api,
    call,
    join::Join,
    methods::Found,
    notes::Notes,
    polls::{self, Polls},
    response::{Asked, Source},
    said,
    shape::Family,
    types::Types,
};
use crate::{
    context::Context,
    model::{Dialect, Method, Options, TypeDef, TypeId},
    position::Position,
};

/// A document that is being read.
pub(super) struct Document<'a> {
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
    pub(super) fn new(api: &'a Api<'a>, join: &'a Join, methods: &'a [Found<'a>], context: &Context) -> Self {
        let families = [Family::Google, Family::Extended, Family::CloudSql, Family::Gke];
        Self {
            api,
            join,
            polls: families.map(|family| (family, polls::all(api, methods, family))).into(),
            types: Types::new(api, context.overrides.externs.clone()),
            methods,
            notes: Notes::default(),
        }
    }

    /// Returns the types that methods reach, and what is wrong with them.
    pub(super) fn finish(self, context: &mut Context) -> (BTreeMap<TypeId, TypeDef>, Vec<(Position, String)>) {
        self.notes.report(&self.api.document.at, &mut context.report);
        self.types.finish()
    }

    /// Returns the method and its dialect, if it is long-running and wanted, and notes why not.
    pub(super) fn wanted(&mut self, method: &Found<'a>, context: &mut Context) -> Option<(Method, Dialect)> {
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
        let dialect = match said.and_then(|said| said.dialect.clone()) {
            Some(dialect) => dialect,
            None => self.dialect(method, family).map_err(Refusal::Skipped)?,
        };
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
        let is_compute = matches!(dialect, Dialect::Compute | Dialect::ComputeBelow(_));
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
                result: outcome.result.filter(|_| is_compute),
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

    /// Returns how the operations of a method are polled, or why they cannot be.
    fn dialect(&self, method: &Found<'_>, family: Option<Family>) -> Result<Dialect, String> {
        let Some(family) = family else {
            return Err("its reply is no operation that is known: name its `dialect` in the overrides file".to_owned());
        };
        let is_polled = |place: &&str| method.path().contains(*place);
        if family == Family::Extended && !["projects/", "locations/global/"].iter().any(is_polled) {
            let why = "its operations are of a folder or an organisation: the dialect polls those below `projects/` \
                       and `locations/global/`";
            return Err(why.to_owned());
        }
        let version = polls::version_of(method.path()).unwrap_or_default();
        family.dialect(polls::prefix(self.polls_of(family)), version)
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
