//! Calls over REST, from the rules of `google.api.http`.

use std::collections::BTreeSet;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use super::{
    fields::{scalar, walk, well_known},
    json::JsonTypes,
    options::{Rule, behavior, rules, signature},
    sources::Sources,
};
use crate::{
    model::{Argument, Call, Place, StartId, Type},
    nearest::did_you_mean,
};

/// How deep messages in a query nest.
const DEEPEST: usize = 4;

/// A call, its arguments, and what has to be said of it.
pub(super) struct Read {
    pub(super) call: Call,
    pub(super) arguments: Vec<Argument>,
    pub(super) notes: Vec<String>,
}

/// Why a method has no call.
pub(super) enum Why {
    /// It is left out.
    Skipped(String),
    /// The description is wrong.
    Wrong(String),
}

/// A variable of a path.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Variable {
    /// The field that it stands for: `workflow.name`.
    pub(super) name: String,
}

/// Returns the variables of a template.
pub(super) fn variables(template: &str) -> Result<Vec<Variable>, String> {
    let mut variables = vec![];
    let mut rest = template;
    while let Some((literal, after)) = rest.split_once('{') {
        let (variable, after) = after.split_once('}').ok_or_else(|| unbalanced(template))?;
        let name = variable.split('=').next().unwrap_or_default();
        let is_legal = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        if literal.contains('}') || variable.contains('{') || !is_legal {
            return Err(unbalanced(template));
        }
        variables.push(Variable { name: name.to_owned() });
        rest = after;
    }
    if rest.contains('}') { Err(unbalanced(template)) } else { Ok(variables) }
}

fn unbalanced(template: &str) -> String {
    format!("the path `{template}` is no template: expected variables such as `{{name=projects/*}}`")
}

/// Reads the call of a method.
pub(super) fn read(method: &MethodDescriptor, types: &mut JsonTypes<'_>, sources: &Sources) -> Result<Read, Why> {
    let Some(rule) = rules(method).into_iter().next() else {
        return Err(Why::Skipped("it has no `google.api.http`, so it cannot be called over REST".to_owned()));
    };
    let verbs = ["GET", "PUT", "POST", "DELETE", "PATCH"];
    if !verbs.contains(&rule.verb.as_str()) {
        return Err(Why::Skipped(format!("its verb is `{}`; those of calls are {}", rule.verb, verbs.join(", "))));
    }
    let request = method.input();
    let mut reader = Reader {
        request: &request,
        signature: signature(method),
        types,
        sources,
        bound: BTreeSet::new(),
        arguments: vec![],
        notes: vec![],
    };
    reader.path(&rule).map_err(Why::Wrong)?;
    let start_id = reader.start_id(&rule);
    reader.body(&rule, start_id.as_ref()).map_err(Why::Wrong)?;
    if rule.body != "*" {
        reader.query(&rule, start_id.as_ref());
    }
    let Reader { mut arguments, notes, .. } = reader;
    arguments.sort_by_key(|(order, _)| *order); // stable: the parts of one field stay in their order
    let path = rule.path.trim_start_matches('/').to_owned();
    let start_id = start_id.map(|(_, place)| place);
    let call = Call::Http { verb: rule.verb, path, query: vec![], headers: vec![], start_id };
    Ok(Read { call, arguments: arguments.into_iter().map(|(_, argument)| argument).collect(), notes })
}

/// Where an argument comes: by its place in the signature, then by its place in the message.
type Order = (usize, i32);

struct Reader<'r, 's> {
    request: &'r MessageDescriptor,
    signature: Vec<String>,
    types: &'r mut JsonTypes<'s>,
    sources: &'r Sources,
    /// The paths of the fields that stand in the path of the call.
    bound: BTreeSet<String>,
    arguments: Vec<(Order, Argument)>,
    notes: Vec<String>,
}

impl Reader<'_, '_> {
    fn path(&mut self, rule: &Rule) -> Result<(), String> {
        for Variable { name } in variables(&rule.path)? {
            let Some(fields) = walk(self.request, &name) else {
                let names: Vec<String> = self.request.fields().map(|field| field.name().to_owned()).collect();
                let hint = did_you_mean(&name, names.iter().map(String::as_str));
                let message = format!(
                    "the path `{}` has the variable `{name}`, which is no field of `{}`{hint}",
                    rule.path,
                    self.request.name()
                );
                return Err(message);
            };
            let Some((field, ty)) = fields.last().and_then(|field| Some((field, scalar(&field.kind())?))) else {
                return Err(format!("the variable `{name}` of the path `{}` is a message", rule.path));
            };
            if field.is_list() {
                return Err(format!("the variable `{name}` of the path `{}` is a list", rule.path));
            }
            let order = self.order(fields.first().unwrap_or(field));
            if self.bound.insert(name.clone()) {
                let argument = self.argument(field, &name, &name.replace('.', "_"), ty, true, Place::Path);
                self.arguments.push((order, argument));
            }
        }
        Ok(())
    }

    fn body(&mut self, rule: &Rule, start_id: Option<&(String, StartId)>) -> Result<(), String> {
        match rule.body.as_str() {
            "" => {}
            "*" => {
                let start = start_id.map(|(name, _)| name.clone());
                let left_out = self.bound.iter().filter(|path| !path.contains('.')).cloned().chain(start).collect();
                // A start id needs a body that it is put into.
                let Some(ty) = self.types.without(self.request, &left_out, start_id.is_some()) else { return Ok(()) };
                let file = self.request.parent_file();
                let argument = Argument {
                    wire: "body".to_owned(),
                    name: "body".to_owned(),
                    docs: self.sources.docs(&file, self.request.path()),
                    ty,
                    required: true,
                    place: Place::Body,
                    at: self.sources.at(&file, self.request.path()),
                };
                self.arguments.push(((self.signature.len(), 0), argument));
            }
            name => {
                let Some(field) = self.request.get_field_by_name(name) else {
                    let names: Vec<String> = self.request.fields().map(|field| field.name().to_owned()).collect();
                    let hint = did_you_mean(name, names.iter().map(String::as_str));
                    return Err(format!("the body is `{name}`, which is no field of `{}`{hint}", self.request.name()));
                };
                let ty = self.types.field(&field);
                let required = self.is_required(&field);
                let argument = self.argument(&field, field.json_name(), field.name(), ty, required, Place::Body);
                self.arguments.push((self.order(&field), argument));
            }
        }
        Ok(())
    }

    fn query(&mut self, rule: &Rule, start_id: Option<&(String, StartId)>) {
        let mut fields: Vec<FieldDescriptor> = self.request.fields().collect();
        fields.sort_by_key(|field| field.path().last().copied());
        let mut left_out = vec![];
        for field in fields {
            let is_start_id = start_id.is_some_and(|(name, _)| name == field.name());
            if field.name() != rule.body && !is_start_id {
                let required = self.is_required(&field);
                let parents = vec![self.request.full_name().to_owned()];
                self.parameter(&field, &Parent::default(), required, self.order(&field), &parents, &mut left_out);
            }
        }
        if !left_out.is_empty() {
            let names: Vec<String> = left_out.iter().map(|name| format!("`{name}`")).collect();
            self.notes.push(format!("a query has no place for {}", names.join(", ")));
        }
    }

    /// Adds a field to the query; of a message, its fields.
    fn parameter(
        &mut self,
        field: &FieldDescriptor,
        parent: &Parent,
        required: bool,
        order: Order,
        parents: &[String],
        left_out: &mut Vec<String>,
    ) {
        let here = parent.with(field);
        if self.bound.contains(&here.path) {
            return;
        }
        let ty = match field.kind() {
            Kind::Message(message) if !field.is_map() => {
                well_known(message.full_name()).filter(|ty| *ty != Type::Value)
            }
            kind => scalar(&kind),
        };
        match (ty, field.kind()) {
            (Some(ty), _) => {
                let ty = if field.is_list() { Type::List(Box::new(ty)) } else { ty };
                let mut argument = self.argument(field, &here.wire, &here.name, ty, required, Place::Query);
                if let Kind::Enum(of) = field.kind() {
                    argument.docs += &words(of.values().map(|value| value.name().to_owned()));
                }
                self.arguments.push((order, argument));
            }
            (None, Kind::Message(message))
                if !field.is_list()
                    && !field.is_map()
                    && parents.len() < DEEPEST
                    && well_known(message.full_name()).is_none()
                    && !parents.iter().any(|parent| parent == message.full_name()) =>
            {
                let parents: Vec<String> = parents.iter().cloned().chain([message.full_name().to_owned()]).collect();
                let mut fields: Vec<FieldDescriptor> = message.fields().collect();
                fields.sort_by_key(|field| field.path().last().copied());
                for inner in fields {
                    let behavior = behavior(&inner);
                    if !behavior.is_output_only {
                        let required = required && behavior.is_required;
                        self.parameter(&inner, &here, required, order, &parents, left_out);
                    }
                }
            }
            _ => left_out.push(here.path),
        }
    }

    /// Returns the field that names a start call that is sent again, and where it stands.
    fn start_id(&self, rule: &Rule) -> Option<(String, StartId)> {
        let is_text = |field: &FieldDescriptor| field.kind() == Kind::String && !field.is_list();
        let field = self.request.fields().find(|field| {
            let is_named = field.name() == "request_id";
            is_text(field) && (is_named || behavior(field).is_uuid) && !self.bound.contains(field.name())
        })?;
        let wire = field.json_name().to_owned();
        let place = if rule.body == "*" { StartId::Body(wire) } else { StartId::Query(wire) };
        Some((field.name().to_owned(), place)).filter(|(name, _)| *name != rule.body)
    }

    fn is_required(&self, field: &FieldDescriptor) -> bool {
        behavior(field).is_required || self.signature.iter().any(|name| name == field.name())
    }

    fn order(&self, field: &FieldDescriptor) -> Order {
        let is_field = |name: &String| name.split('.').next() == Some(field.name());
        let place = self.signature.iter().position(is_field).unwrap_or(self.signature.len());
        (place, field.path().last().copied().unwrap_or_default())
    }

    fn argument(
        &self,
        field: &FieldDescriptor,
        wire: &str,
        name: &str,
        ty: Type,
        required: bool,
        place: Place,
    ) -> Argument {
        let file = field.parent_file();
        let docs = self.sources.docs(&file, field.path());
        let at = self.sources.at(&file, field.path());
        Argument { wire: wire.to_owned(), name: name.to_owned(), docs, ty, required, place, at }
    }
}

/// What leads to a field of a query.
#[derive(Default)]
struct Parent {
    /// `read_mask.paths`
    path: String,
    /// `readMask.paths`
    wire: String,
    /// `read_mask_paths`
    name: String,
}

impl Parent {
    fn with(&self, field: &FieldDescriptor) -> Self {
        let joined = |before: &str, between: &str, name: &str| {
            if before.is_empty() { name.to_owned() } else { format!("{before}{between}{name}") }
        };
        Self {
            path: joined(&self.path, ".", field.name()),
            wire: joined(&self.wire, ".", field.json_name()),
            name: joined(&self.name, "_", field.name()),
        }
    }
}

fn words(values: impl Iterator<Item = String>) -> String {
    let items: Vec<String> = values.map(|value| format!("\n- `{value}`")).collect();
    format!("\n\nOne of:\n{}", items.concat())
}

/// Returns the prefixes of the paths of Compute: `compute/v1`.
pub(super) fn prefix(path: &str) -> Option<String> {
    let mut segments = path.trim_start_matches('/').split('/');
    Some(format!("{}/{}", segments.next()?, segments.next()?))
}

/// Returns the message that is the body of a call.
pub(super) fn body_type(method: &MethodDescriptor) -> Option<MessageDescriptor> {
    let rule = rules(method).into_iter().next()?;
    match method.input().get_field_by_name(&rule.body)?.kind() {
        Kind::Message(message) => Some(message),
        _ => None,
    }
}
