//! Google's discovery documents.
//!
//! A document says everything about a method but what its operation ends with: `response` is the
//! operation. So types come from elsewhere: from the resource that Compute's `targetLink` leads to,
//! from protos that have the same method, from the overrides file.

use std::{path::PathBuf, sync::Arc};

use self::{api::Api, document::Document, join::Join};
use crate::{
    context::Context,
    document::Node,
    model::{Method, Model, Service},
};

mod api;
mod call;
mod document;
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
    let mut document = Document::new(api, join, &methods, context);
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
    let (types, mistakes) = document.finish(context);
    model.types.extend(types);
    model.services.extend(services);
    for (at, message) in mistakes {
        context.report.error(&at, "", message);
    }
}
