//! Services and their long-running methods.

use std::collections::BTreeSet;

use prost_reflect::{FileDescriptor, MessageDescriptor, MethodDescriptor, ServiceDescriptor};
use prost_types::{FileDescriptorSet, MethodOptions};

use super::{
    compile::Compiled,
    config::Config,
    extended,
    fields::well_known,
    http::{self, Why},
    json::JsonTypes,
    options::{self, OperationInfo},
    progress::progress,
    resolve::{Named, resolve},
    routing::routing,
};
use crate::{
    context::Context,
    model::{Argument, Call, Dialect, Method, Model, Options, Place, Service, Transport, Type},
    overrides::Override,
    position::Position,
};

/// What an operation is, over gRPC.
const OPERATION: &str = "google.longrunning.Operation";

/// The service that operations are polled with, which starts none.
const OPERATIONS: &str = "google.longrunning.Operations";

/// Reads the services of files that are compiled.
pub(super) struct Reader<'a> {
    compiled: &'a Compiled,
    config: &'a Config,
    transport: Transport,
    types: JsonTypes<'a>,
}

/// A type that a method names.
struct Payload {
    ty: Type,
    /// The message, if the description has it.
    message: Option<MessageDescriptor>,
    /// Whether it may be any message, so that none is known.
    is_any: bool,
}

impl Payload {
    fn of(ty: Type) -> Self {
        Self { ty, message: None, is_any: false }
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(compiled: &'a Compiled, config: &'a Config, transport: Transport) -> Self {
        Self { compiled, config, transport, types: JsonTypes::new(&compiled.sources) }
    }

    pub(super) fn read(mut self, context: &mut Context, model: &mut Model) {
        let first = model.services.len();
        for file in &self.compiled.wanted {
            for service in file.services() {
                self.service(&service, context, model);
            }
        }
        let services = model.services.get(first..).unwrap_or_default();
        model.messages.file.extend(self.messages(services).file);
        model.types.extend(self.types.finish());
    }

    fn service(&mut self, service: &ServiceDescriptor, context: &mut Context, model: &mut Model) {
        let file = service.parent_file();
        let at = self.compiled.sources.at(&file, service.path());
        let mut methods = vec![];
        let mut guesses = BTreeSet::new();
        for method in service.methods() {
            model.methods_seen += 1;
            methods.extend(self.method(&method, &mut guesses, context));
        }
        let Some(dialect) = methods.first().and_then(|method| method.dialect.clone()) else { return };
        for method in &mut methods {
            method.dialect = method.dialect.take().filter(|own| *own != dialect);
        }
        if !guesses.is_empty() {
            let guesses: Vec<String> = guesses.iter().map(|path| format!("`{path}`")).collect();
            let message = format!(
                "no service configuration says where its operations are polled: {} is guessed from the paths of its \
                 methods",
                guesses.join(" and ")
            );
            context.report.note(&at, service.name(), message);
        }
        let host = options::host(service).map(|host| host.trim_end_matches(":443").to_owned());
        model.services.push(Service {
            name: service.full_name().split('.').map(str::to_owned).collect(),
            docs: self.docs(&file, service.path(), service.full_name()),
            base: host.map(|host| format!("https://{host}")).unwrap_or_default(),
            dialect,
            parameters: vec![],
            query: vec![],
            methods,
            at,
        });
    }

    /// Reads a method. Its dialect is given in any case.
    fn method(
        &mut self,
        method: &MethodDescriptor,
        guesses: &mut BTreeSet<String>,
        context: &mut Context,
    ) -> Option<Method> {
        let service = method.parent_service();
        let said = context.overrides.of(service.name(), method.name()).cloned();
        let info = options::operation_info(method);
        let extended = options::operation_service(method).is_some();
        let is_operation = method.output().full_name() == OPERATION && service.full_name() != OPERATIONS;
        if info.is_none() && !extended && !is_operation && said.is_none() {
            return None;
        }
        let at = self.compiled.sources.at(&method.parent_file(), method.path());
        let subject = format!("{}.{}", service.name(), method.name());
        if !context.wants(&at, service.name(), method.name()) {
            return None;
        }
        match self.wanted(method, info, extended, said.as_ref(), guesses, context) {
            Ok(method) => Some(method),
            Err((_, Why::Skipped(why))) => {
                context.report.skipped(&at, subject, why);
                None
            }
            Err((place, Why::Wrong(why))) => {
                context.report.error(&place.unwrap_or(at), subject, why);
                None
            }
        }
    }

    fn wanted(
        &mut self,
        method: &MethodDescriptor,
        info: Option<OperationInfo>,
        extended: bool,
        said: Option<&Override>,
        guesses: &mut BTreeSet<String>,
        context: &mut Context,
    ) -> Result<Method, (Option<Position>, Why)> {
        let here = |why: Why| (None, why);
        let skipped = |why: &str| (None, Why::Skipped(why.to_owned()));
        if method.is_client_streaming() || method.is_server_streaming() {
            return Err(skipped("it is a stream, which starts no operation"));
        }
        let own_dialect = said.and_then(|said| said.dialect.clone());
        let is_operation = method.output().full_name() == OPERATION;
        match self.transport {
            Transport::Grpc if extended => {
                return Err(skipped("extended operations are polled over REST only: choose that transport"));
            }
            Transport::Grpc if own_dialect.is_some() => {
                let at = said.and_then(|said| said.at.clone());
                let why = "over gRPC, operations are those of `google.longrunning`: a dialect is for REST".to_owned();
                return Err((at, Why::Wrong(why)));
            }
            _ if is_operation || extended || (own_dialect.is_some() && self.transport == Transport::Rest) => {}
            _ => {
                let why = format!("it returns a `{}`, which is no `{OPERATION}`", method.output().full_name());
                return Err(here(Why::Skipped(why)));
            }
        }
        let at = self.compiled.sources.at(&method.parent_file(), method.path());
        let subject = format!("{}.{}", method.parent_service().name(), method.name());
        let (call, arguments, notes) = self.call(method).map_err(here)?;
        let path = options::rules(method).first().map(|rule| rule.path.clone()).unwrap_or_default();
        let (mut options, is_guess) = self.config.options(method.parent_service().full_name(), method.name(), &path);
        let (response, metadata) = self.payloads(method, info, extended, said, &mut options)?;
        for note in notes {
            context.report.note(&at, &subject, note);
        }
        for (payload, what) in [(&response, "response"), (&metadata, "metadata")] {
            if payload.is_any && payload.ty == Type::Unit {
                context.report.note(&at, &subject, format!("its {what} may be any message, and is not decoded"));
            }
        }
        let dialect = match self.transport {
            Transport::Grpc => Dialect::Grpc,
            Transport::Rest if extended => extended::dialect(method),
            Transport::Rest => Dialect::Google,
        };
        let dialect = own_dialect.unwrap_or(dialect);
        // The path is that of the dialect of Google over REST.
        if dialect != Dialect::Google {
            options.path = None;
        } else if is_guess && said.is_none_or(|said| said.options.path.is_none()) {
            guesses.insert(options.path.clone().unwrap_or_else(|| "v1/{name}".to_owned()));
        }
        options.progress = metadata.message.as_ref().and_then(|message| progress(message, self.transport));
        if self.transport == Transport::Grpc {
            let name = |payload: &Payload| payload.message.as_ref().map(|message| message.full_name().to_owned());
            (options.response_type, options.metadata_type) = (name(&response), name(&metadata));
        }
        if let Some(said) = said {
            said.apply(&mut options);
        }
        let deprecated = method.method_descriptor_proto().options.as_ref().is_some_and(MethodOptions::deprecated);
        Ok(Method {
            name: method.name().to_owned(),
            alias: said.and_then(|said| said.name.clone()),
            docs: self.docs(&method.parent_file(), method.path(), method.full_name()),
            deprecated,
            call,
            arguments,
            unknown_response: response.is_any,
            response: response.ty,
            metadata: metadata.ty,
            dialect: Some(dialect),
            options,
            at,
        })
    }

    fn call(&mut self, method: &MethodDescriptor) -> Result<(Call, Vec<Argument>, Vec<String>), Why> {
        match self.transport {
            Transport::Rest => {
                let read = http::read(method, &mut self.types, &self.compiled.sources)?;
                Ok((read.call, read.arguments, read.notes))
            }
            Transport::Grpc => {
                let (routing, notes) = routing(method);
                let path = format!("/{}/{}", method.parent_service().full_name(), method.name());
                let input = method.input();
                let (file, sources) = (input.parent_file(), &self.compiled.sources);
                let request = Argument {
                    wire: "request".to_owned(),
                    name: "request".to_owned(),
                    docs: sources.docs(&file, input.path()),
                    ty: message(&input),
                    required: true,
                    place: Place::Body,
                    at: sources.at(&file, input.path()),
                };
                Ok((Call::Rpc { path, routing }, vec![request], notes))
            }
        }
    }

    /// Returns the types of the response and the metadata.
    fn payloads(
        &mut self,
        method: &MethodDescriptor,
        info: Option<OperationInfo>,
        extended: bool,
        said: Option<&Override>,
        options: &mut Options,
    ) -> Result<(Payload, Payload), (Option<Position>, Why)> {
        let package = method.parent_service().package_name().to_owned();
        let mut by_user = |said: Option<&(String, Position)>| {
            let Some((name, at)) = said else { return Ok(None) };
            let payload = match name.as_str() {
                "()" => Ok(Payload::of(Type::Unit)),
                path if path.contains("::") => Ok(Payload::of(Type::Path(path.to_owned()))),
                name => self.payload(&package, name),
            };
            payload.map(Some).map_err(|why| (Some(at.clone()), Why::Wrong(why)))
        };
        let said_response = by_user(said.and_then(|said| said.response.as_ref()))?;
        let said_metadata = by_user(said.and_then(|said| said.metadata.as_ref()))?;
        if extended {
            let operation = method.output();
            let metadata = Payload { ty: self.types.message(&operation), message: None, is_any: false };
            let response = match http::body_type(method).filter(|_| extended::writes_whole_resource(method)) {
                Some(resource) => {
                    options.result = Some("target_link".to_owned());
                    Payload { ty: self.types.message(&resource), message: Some(resource), is_any: false }
                }
                None => Payload::of(Type::Unit),
            };
            return Ok((said_response.unwrap_or(response), said_metadata.unwrap_or(metadata)));
        }
        let info = info.unwrap_or_default();
        let response = match said_response {
            Some(response) => response,
            None if info.response.is_empty() => {
                let why = "it returns an operation, but has no `google.longrunning.operation_info` that names the \
                           type of the response; the overrides file can name it";
                return Err((None, Why::Skipped(why.to_owned())));
            }
            None => {
                let response = self.payload(&package, &info.response);
                response.map_err(|why| (None, Why::Wrong(format!("the response type {why}"))))?
            }
        };
        let metadata = match said_metadata {
            Some(metadata) => metadata,
            None if info.metadata.is_empty() => Payload::of(Type::Unit),
            None => {
                let metadata = self.payload(&package, &info.metadata);
                metadata.map_err(|why| (None, Why::Wrong(format!("the metadata type {why}"))))?
            }
        };
        Ok((response, metadata))
    }

    fn payload(&mut self, package: &str, name: &str) -> Result<Payload, String> {
        Ok(match (resolve(&self.compiled.pool, package, name)?, self.transport) {
            (Named::Nothing, _) => Payload::of(Type::Unit),
            // The payload is some message, and not an `Any` in an `Any`.
            (Named::Anything, Transport::Grpc) => Payload { ty: Type::Unit, message: None, is_any: true },
            (Named::Anything, Transport::Rest) => Payload { ty: Type::Value, message: None, is_any: true },
            (Named::Message(message), Transport::Grpc) => {
                Payload { ty: self::message(&message), message: Some(message), is_any: false }
            }
            (Named::Message(message), Transport::Rest) => {
                Payload { ty: self.types.message(&message), message: Some(message), is_any: false }
            }
        })
    }

    fn docs(&self, file: &FileDescriptor, path: &[i32], name: &str) -> String {
        let docs = self.compiled.sources.docs(file, path);
        if docs.is_empty() { self.config.docs(name).unwrap_or_default().to_owned() } else { docs }
    }

    /// Returns the files with the messages of methods, and those that these need.
    fn messages(&self, services: &[Service]) -> FileDescriptorSet {
        let methods = services.iter().flat_map(|service| &service.methods);
        let types = methods.flat_map(|method| {
            method.arguments.iter().map(|argument| &argument.ty).chain([&method.response, &method.metadata])
        });
        let messages = types.filter_map(|ty| match ty {
            Type::Message(name) => self.compiled.pool.get_message_by_name(name),
            _ => None,
        });
        let mut open: Vec<FileDescriptor> = messages.map(|message| message.parent_file()).collect();
        let mut names = BTreeSet::new();
        while let Some(file) = open.pop() {
            if names.insert(file.name().to_owned()) {
                open.extend(file.dependencies());
            }
        }
        let files = self.compiled.pool.files().filter(|file| names.contains(file.name()));
        FileDescriptorSet { file: files.map(|file| file.file_descriptor_proto().clone()).collect() }
    }
}

/// Returns the type of a message over gRPC: prost has the simplest ones as types of Rust.
fn message(message: &MessageDescriptor) -> Type {
    match message.full_name() {
        "google.protobuf.Empty" => Type::Unit,
        "google.protobuf.BytesValue" => Type::Path("Vec<u8>".to_owned()),
        name => match well_known(name) {
            Some(ty) if name.ends_with("Value") && ty != Type::Value => ty,
            _ => Type::Message(name.to_owned()),
        },
    }
}
