//! The back end: the model as Rust. One module for each service, one for the types.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::TokenStream;
use quote::quote;

use crate::{
    context::Context,
    docs,
    model::{Dialect, Model, Service, Type},
    names::{self, Scope},
    position::Position,
    types::{
        json::JsonTypes,
        messages::{self, Messages},
    },
};

mod attribute;
mod format;
mod method;
mod options;
mod service;

pub(crate) use format::Modules;

/// What every file begins with. A file that does not is not ours.
pub(crate) const HEADER: &str =
    "// Written by lro-codegen. Do not edit: change the description, or the overrides, and run it again.\n";

/// A row of the list of what is generated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The client's type and the method: `WorkflowsClient::create_workflow`.
    pub method: String,
    /// The type of the response.
    pub response: String,
    /// The type of the metadata.
    pub metadata: String,
    /// The dialect.
    pub dialect: String,
    /// Where it stands in the description.
    pub at: crate::position::Position,
}

/// How types are named in the modules of services.
pub(crate) struct Types<'a> {
    pub(crate) json: JsonTypes<'a>,
    /// The paths of messages below the module `messages`.
    pub(crate) messages: BTreeMap<String, Vec<String>>,
    /// The package that most messages are in: it is imported as `pb`.
    pub(crate) home: Vec<String>,
}

impl Types<'_> {
    /// Returns a type as the module of a service names it.
    pub(crate) fn rust(&self, ty: &Type) -> TokenStream {
        match ty {
            Type::Message(name) => self.message(name),
            Type::Option(inner) => {
                let inner = self.rust(inner);
                quote!(Option<#inner>)
            }
            ty => self.json.rust(ty, &quote!(types::)),
        }
    }

    /// Returns where the documentation of a service finds a type, by its name in the description.
    pub(crate) fn link(&self, name: &str) -> Option<String> {
        if let Some(name) = self.json.name(name) {
            return Some(format!("super::types::{name}"));
        }
        let ty = self.messages.contains_key(name).then(|| Type::Message(name.to_owned()))?;
        let path = attribute::shown(&self.rust(&ty));
        // The module is imported only where a signature names it.
        (path != "()").then(|| path.replacen("pb::", &format!("super::messages::{}::", self.home.join("::")), 1))
    }

    fn message(&self, name: &str) -> TokenStream {
        let Some(path) = self.messages.get(name) else { return quote!(()) };
        // A type of another crate is named in full.
        if let Some(("", rest)) = path.split_first().map(|(first, rest)| (first.as_str(), rest)) {
            let rest = rest.iter().map(|part| names::ident(part));
            return quote!(#(::#rest)*);
        }
        let (prefix, rest) = match path.strip_prefix(self.home.as_slice()) {
            Some(rest) if !self.home.is_empty() => (quote!(pb), rest),
            // As text: the module is one of what is written, and not of this crate.
            _ => ("super::messages".parse().unwrap_or_default(), path.as_slice()),
        };
        let rest = rest.iter().map(|part| names::ident(part));
        quote!(#prefix #(::#rest)*)
    }
}

/// Writes the model. The coverage is of what was written.
pub(crate) fn write(model: &Model, context: &mut Context) -> (Modules, Vec<Row>) {
    let externs = context.overrides.externs.clone();
    let json = JsonTypes::new(model, &externs, &mut context.report);
    let messages = messages(model, context);
    let home = home(model, &messages.paths);
    let types = Types { json, messages: messages.paths, home };
    let mut modules = Modules::default();
    let clients = client_names(&model.services);
    let mut scope = Scope::with(&["types", "messages"]);
    let mut rows = vec![];
    for (service, client) in model.services.iter().zip(&clients) {
        let module = scope.take(&names::snake(client.strip_suffix("Client").unwrap_or(client)));
        let written = service::write(service, client, &types);
        rows.extend(written.rows);
        let docs = vec![format!(
            "Long-running methods of `{}`, from `{}`.",
            docs::inline(&service.name.join(".")).replace('`', ""),
            service.at.file.rsplit(['/', '\\']).next().unwrap_or_default()
        )];
        modules.add(module, docs, written.items, written.attributes);
    }
    if !types.json.is_empty() {
        modules.add("types".to_owned(), vec!["What the methods take and give.".to_owned()], types.json.items(), vec![]);
    }
    if let Some(code) = messages.code {
        modules.add(
            "messages".to_owned(),
            vec!["The messages that the methods take and give.".to_owned()],
            code,
            vec![],
        );
    }
    let methods = || model.services.iter().flat_map(|service| &service.methods);
    let coverage = &mut context.report.coverage;
    coverage.methods = model.methods_seen;
    coverage.generated = methods().count();
    coverage.unknown_response = methods().filter(|method| method.unknown_response).count();
    context.report.finish();
    (modules, rows)
}

/// Names the clients: after the last part of a service's name, and after more of them where that is
/// taken. No two have the same name, since tokens have the client's name in them.
fn client_names(services: &[Service]) -> Vec<String> {
    let mut scope = Scope::with(&["RawClient"]);
    services
        .iter()
        .map(|service| {
            let lengths = 1..=service.name.len();
            let wanted = lengths.map(|length| {
                let parts = service.name.get(service.name.len() - length..).unwrap_or_default();
                names::camel(&parts.join("_"))
            });
            let wanted: Vec<String> = wanted.collect();
            let free = wanted.iter().find(|name| scope.is_free(&format!("{name}Client")));
            let name = free.or(wanted.last()).map_or("Service", String::as_str);
            scope.take(&format!("{name}Client"))
        })
        .collect()
}

/// Writes the messages that methods reach.
fn messages(model: &Model, context: &mut Context) -> Messages {
    let mut wanted = BTreeSet::new();
    for method in model.services.iter().flat_map(|service| &service.methods) {
        let types = method.arguments.iter().map(|argument| &argument.ty).chain([&method.response, &method.metadata]);
        wanted.extend(types.filter_map(|ty| match ty {
            Type::Message(name) => Some(name.clone()),
            _ => None,
        }));
    }
    messages::write(&model.messages, &wanted, &context.overrides.externs).unwrap_or_else(|error| {
        let at = model.services.first().map_or(Position::file(""), |service| service.at.clone());
        context.report.error(&at, "", format!("prost-build cannot write the messages: {error}"));
        Messages::default()
    })
}

/// Returns the module that most messages of the methods are in.
fn home(model: &Model, paths: &BTreeMap<String, Vec<String>>) -> Vec<String> {
    let mut counts: BTreeMap<&[String], usize> = BTreeMap::new();
    for method in model.services.iter().flat_map(|service| &service.methods) {
        let types = method.arguments.iter().map(|argument| &argument.ty).chain([&method.response, &method.metadata]);
        for ty in types {
            let Type::Message(name) = ty else { continue };
            let Some(path) = paths.get(name).filter(|path| path.first().is_some_and(|first| !first.is_empty())) else {
                continue;
            };
            if let Some((_, module)) = path.split_last() {
                *counts.entry(module).or_default() += 1;
            }
        }
    }
    counts
        .into_iter()
        .max_by(|a, b| a.1.cmp(&b.1).then(b.0.cmp(a.0)))
        .map(|(module, _)| module.to_vec())
        .unwrap_or_default()
}

/// Returns the expression of a dialect, and the type that it begins with.
fn dialect(dialect: &Dialect) -> Option<(String, &'static str)> {
    match dialect {
        Dialect::Grpc | Dialect::Wire(_) => None,
        Dialect::Google => Some(("Google::new()".to_owned(), "Google")),
        Dialect::Compute => Some(("Compute::new()".to_owned(), "Compute")),
        Dialect::ComputeBelow(path) => Some((format!("Compute::new().with_prefix({path:?})"), "Compute")),
        Dialect::Azure => Some(("Azure::new()".to_owned(), "Azure")),
        Dialect::Http => Some(("Http::new()".to_owned(), "Http")),
    }
}

#[cfg(test)]
mod tests;
