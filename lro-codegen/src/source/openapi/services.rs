//! The services of all files: what their methods share becomes the client's.

use std::collections::BTreeMap;

use super::{document::Document, operation::Operation};
use crate::{
    context::Context,
    model::{Argument, Method, Place, Service},
    source::json_schema::Schemas,
};

/// A method, with the arguments that the description gives to the client.
pub(super) struct Read {
    pub(super) method: Method,
    pub(super) of_client: Vec<Argument>,
}

/// The services that were found so far.
#[derive(Default)]
pub(super) struct Services {
    services: Vec<(Service, Vec<Read>)>,
    numbers: BTreeMap<String, usize>,
}

impl Services {
    pub(super) fn add(&mut self, document: &Document<'_>, operation: &Operation<'_>, read: Read) {
        let name = &operation.service;
        let number = *self.numbers.entry(name.clone()).or_insert(self.services.len());
        if number == self.services.len() {
            let tags = document.root.items_of("tags");
            let tag = tags.iter().find(|tag| tag.node.str_of("name") == Some(name));
            let service = Service {
                name: vec![name.clone()],
                docs: tag.and_then(|tag| tag.node.str_of("description")).unwrap_or_default().to_owned(),
                base: document.server.base.clone(),
                dialect: read.method.dialect.clone().unwrap_or(crate::model::Dialect::Azure),
                parameters: vec![],
                query: vec![],
                methods: vec![],
                at: operation.at.clone(),
            };
            self.services.push((service, vec![]));
        }
        if let Some((_, methods)) = self.services.get_mut(number) {
            methods.push(read);
        }
    }

    /// Returns the services. Methods that name a type that cannot be read are left out.
    pub(super) fn finish(self, schemas: &Schemas<'_>, context: &mut Context) -> Vec<Service> {
        let finished = self.services.into_iter().map(|(mut service, mut methods)| {
            methods.retain(|read| {
                let Method { response, metadata, arguments, name, .. } = &read.method;
                let types = arguments.iter().map(|argument| &argument.ty).chain([response, metadata]);
                let Some(problem) = types.into_iter().find_map(|ty| schemas.broken_in(ty)) else { return true };
                context.report.skipped(&problem.at, format!("{}.{name}", service.name.join(".")), &problem.message);
                false
            });
            service.parameters = shared(&methods);
            let held = |wire: &str| service.parameters.iter().any(|held| held.wire == wire);
            service.methods = methods
                .into_iter()
                .map(|Read { mut method, of_client }| {
                    let own = of_client.into_iter().filter(|argument| !held(&argument.wire));
                    method.arguments.splice(0..0, own);
                    method.arguments.retain(|argument| argument.place != Place::Path || !held(&argument.wire));
                    method.dialect = method.dialect.filter(|dialect| *dialect != service.dialect);
                    method
                })
                .collect();
            service
        });
        finished.filter(|service| !service.methods.is_empty()).collect()
    }
}

/// Returns what the client holds. A variable of the path is taken by the calls that have it;
/// anything else is sent with every call, so every method must have it.
fn shared(methods: &[Read]) -> Vec<Argument> {
    let mut shared: Vec<Argument> = vec![];
    for argument in methods.iter().flat_map(|read| &read.of_client) {
        let is_everywhere = || {
            let has = |read: &Read| read.of_client.iter().any(|own| own.wire == argument.wire);
            methods.iter().all(has)
        };
        let is_new = shared.iter().all(|known| known.wire != argument.wire);
        if is_new && (argument.place == Place::Path || (argument.required && is_everywhere())) {
            shared.push(argument.clone());
        }
    }
    shared
}
