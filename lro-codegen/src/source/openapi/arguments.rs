//! What a call is made of: the arguments, and what is the same in every call.

use std::collections::BTreeMap;

use super::{
    body,
    document::{Document, Language},
    files::{Files, Place, Problem},
    operation::Operation,
    parameter::{Becomes, Parameter},
    path::{Template, Variable},
    server::Server,
};
use crate::{
    context::Context,
    model::{Argument, Call, Place as Where, StartId},
    source::json_schema::{Parent, Schemas},
};

/// The start call of a method.
pub(super) struct Start {
    pub(super) call: Call,
    pub(super) arguments: Vec<Argument>,
    /// Those that the description gives to the client.
    pub(super) of_client: Vec<Argument>,
}

/// What was read of a call so far.
#[derive(Default)]
struct Parts {
    variables: BTreeMap<String, Variable>,
    query: Vec<(String, String)>,
    headers: Vec<(String, String)>,
    start_id: Option<StartId>,
    arguments: Vec<Argument>,
    of_client: Vec<Argument>,
    body: Option<body::Body>,
}

/// The methods of HTTP that can start an operation.
const STARTS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

pub(super) fn read<'a>(
    files: &'a Files,
    schemas: &mut Schemas<'a>,
    context: &mut Context,
    document: &Document<'a>,
    operation: &Operation<'a>,
) -> Result<Start, Problem> {
    let at = operation.at;
    if !STARTS.contains(&operation.verb.as_str()) {
        let message = format!("a start call is one of {}, and not {}", STARTS.join(", "), operation.verb);
        return Err(Problem::new(at, message));
    }
    let mut parts = Parts::default();
    let name = format!("{}_request", operation.name);
    for parameter in parameters(files, context, document, operation)? {
        let is_required = parameter.is_required();
        let taken = match parameter.location {
            "body" | "formData" => body::of_parameter(schemas, context, document, operation, &parameter, &name)
                .map(|body| parts.body = Some(body)),
            _ => parameter.read(files, schemas, context, document).map(|becomes| parts.take(&parameter, becomes)),
        };
        left_out(context, operation, taken, is_required)?;
    }
    if document.language == Language::OpenApi3
        && let Some(request) = operation.place.get("requestBody")
    {
        let request = files.resolved(context, &request)?;
        let is_required = request.node.is_true("required");
        let body = body::of_request(schemas, context, &request, Parent { name: &name });
        left_out(context, operation, body.map(|body| parts.body = Some(body)), is_required)?;
    }
    let prefix = match servers(operation) {
        Some(server) => server.prefix,
        None => document.server.prefix.clone(),
    };
    let path = format!("{prefix}/{}", operation.path.trim_start_matches('/'));
    parts.finish(operation, &path)
}

/// Returns the server of the operation or the path, if they have one of their own.
fn servers<'a>(operation: &Operation<'a>) -> Option<Server<'a>> {
    let of = |place: &Place<'a>| place.items_of("servers").first().map(Server::of_openapi);
    of(&operation.place).or_else(|| of(&operation.item))
}

/// Notes what an operation takes and is left out; what is required cannot be.
fn left_out(
    context: &mut Context,
    operation: &Operation<'_>,
    taken: Result<(), Problem>,
    is_required: bool,
) -> Result<(), Problem> {
    match taken {
        Err(problem) if !is_required => {
            context.report.note(&problem.at, operation.subject(), format!("left out: {}", problem.message));
            Ok(())
        }
        taken => taken,
    }
}

/// Returns the parameters of an operation: its own, those of its path, and those of the address.
fn parameters<'a>(
    files: &'a Files,
    context: &mut Context,
    document: &Document<'a>,
    operation: &Operation<'a>,
) -> Result<Vec<Parameter<'a>>, Problem> {
    let mut parameters: Vec<Parameter<'a>> = vec![];
    let places = [operation.item.items_of("parameters"), operation.place.items_of("parameters")];
    let places = document.server.parameters.iter().cloned().chain(places.into_iter().flatten());
    for place in places {
        let parameter = Parameter::new(document, files.resolved(context, &place)?)?;
        let is_same = |known: &Parameter<'_>| known.name == parameter.name && known.location == parameter.location;
        // An operation's own stands for the one of its path.
        match parameters.iter_mut().find(|known| is_same(known)) {
            Some(known) => *known = parameter,
            None => parameters.push(parameter),
        }
    }
    Ok(parameters)
}

impl Parts {
    fn take(&mut self, parameter: &Parameter<'_>, becomes: Becomes) {
        let name = parameter.name.to_owned();
        match becomes {
            Becomes::Nothing => {}
            Becomes::StartId(id) => self.start_id = Some(id),
            Becomes::Constant(value) => match parameter.location {
                "path" => _ = self.variables.insert(name, Variable::Constant(value)),
                "header" => self.headers.push((name, value)),
                _ => self.query.push((name, value)),
            },
            Becomes::Argument { argument, of_client } => {
                if argument.place == Where::Path {
                    let is_long = parameter.has_segments();
                    let variable = if is_long { Variable::Segments } else { Variable::Segment };
                    self.variables.insert(name, variable);
                }
                if of_client { &mut self.of_client } else { &mut self.arguments }.push(argument);
            }
        }
    }

    fn finish(mut self, operation: &Operation<'_>, path: &str) -> Result<Start, Problem> {
        let template = Template::read(operation.at, path, &self.variables)?;
        // A parameter that the path does not have goes nowhere.
        let stands = |argument: &Argument| argument.place != Where::Path || template.variables.contains(&argument.wire);
        self.arguments.retain(stands);
        self.of_client.retain(stands);
        // The path's variables first, in its order.
        let number = |argument: &Argument| template.variables.iter().position(|variable| *variable == argument.wire);
        self.arguments.sort_by_key(|argument| match argument.place {
            Where::Path => number(argument).unwrap_or_default(),
            _ => usize::MAX,
        });
        if let Some(body) = self.body {
            self.headers.extend(body.content_type.map(|kind| ("content-type".to_owned(), kind)));
            self.arguments.push(body.argument);
        }
        let mut query = template.query;
        query.extend(self.query);
        let call = Call::Http {
            verb: operation.verb.clone(),
            path: template.path,
            query,
            headers: self.headers,
            start_id: self.start_id,
        };
        Ok(Start { call, arguments: self.arguments, of_client: self.of_client })
    }
}
