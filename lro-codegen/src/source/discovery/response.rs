//! The types of the response and the metadata, which documents do not say.

use super::{
    Api,
    join::{Join, Messages},
    methods::Found,
    shape::Family,
    types::Types,
};
use crate::{
    document::Node,
    model::{Progress, Type},
};

/// What is known of the result of a method.
#[derive(Debug, PartialEq)]
pub(super) struct Outcome {
    pub(super) response: Type,
    /// Why the response is not known.
    pub(super) unknown: Option<String>,
    pub(super) metadata: Type,
    /// The key `result`.
    pub(super) result: Option<String>,
    pub(super) progress: Option<Progress>,
}

impl Outcome {
    fn of(response: Type, metadata: Type) -> Self {
        Self { response, unknown: None, metadata, result: None, progress: None }
    }
}

/// Returns what is known; the error says that a reference leads nowhere. `methods` are all of the
/// document.
pub(super) fn outcome(
    api: &Api<'_>,
    types: &mut Types<'_>,
    family: Family,
    method: &Found<'_>,
    methods: &[Found<'_>],
    messages: Option<&Messages>,
) -> Result<Outcome, String> {
    if family == Family::Google {
        return google(api, types, messages);
    }
    let operation = method.schema("response").map_or(Ok(Type::Value), |node| types.reference(node))?;
    if family == Family::Extended {
        return extended(types, method, methods, operation);
    }
    // The declared types say that the operation itself is both.
    Ok(Outcome::of(operation.clone(), operation))
}

/// Compute's operations hold no response. Their `targetLink` leads to the resource that they work
/// on, which a method that writes a whole resource answers with: its type is known from two places,
/// the request and the `get` of the same resource. The link of other methods may lead to something
/// else, or, after `delete`, nowhere.
///
/// The progress needs no field: the dialect reads it.
fn extended(
    types: &mut Types<'_>,
    method: &Found<'_>,
    methods: &[Found<'_>],
    operation: Type,
) -> Result<Outcome, String> {
    let get = methods.iter().find(|other| other.resource == method.resource && other.name() == "get");
    let resource = get.and_then(|get| get.schema("response"));
    let writes = matches!(method.name(), "insert" | "patch" | "update");
    match (resource, method.schema("request")) {
        (Some(resource), Some(request)) if writes && resource.value == request.value => {
            let outcome = Outcome::of(types.reference(resource)?, operation);
            Ok(Outcome { result: Some("target_link".to_owned()), ..outcome })
        }
        _ => Ok(Outcome::of(Type::Unit, operation)),
    }
}

fn google(api: &Api<'_>, types: &mut Types<'_>, messages: Option<&Messages>) -> Result<Outcome, String> {
    let Some(messages) = messages else {
        let unknown = "the document does not say the response, and no proto has the method".to_owned();
        return Ok(Outcome { unknown: Some(unknown), ..Outcome::of(Type::Value, Type::Value) });
    };
    let response = message(api, types, &messages.response)?;
    let metadata = message(api, types, &messages.metadata)?;
    let progress = schema_of(api, &messages.metadata).and_then(|name| progress(api.schema(name)?));
    let unknown = match response {
        Some(_) => None,
        None => Some(format!("the response is `{}`, which the document has no schema of", messages.response)),
    };
    let outcome = Outcome::of(response.unwrap_or(Type::Value), metadata.unwrap_or(Type::Value));
    Ok(Outcome { unknown, progress, ..outcome })
}

/// Returns the type of a message; `None` if the document does not have it.
fn message(api: &Api<'_>, types: &mut Types<'_>, name: &str) -> Result<Option<Type>, String> {
    match name {
        "google.protobuf.Empty" => Ok(Some(Type::Unit)),
        "google.protobuf.Struct" => Ok(Some(Type::Map(Box::new(Type::Value)))),
        "google.protobuf.Any" | "google.protobuf.Value" => Ok(Some(Type::Value)),
        _ => schema_of(api, name).map(|schema| types.named(schema)).transpose(),
    }
}

/// Returns the name of the schema of a message.
// Input:  google.cloud.aiplatform.v1.Dataset
// Output: GoogleCloudAiplatformV1Dataset, or Dataset
fn schema_of<'a>(api: &Api<'a>, message: &str) -> Option<&'a str> {
    let is_type = |part: &&str| part.starts_with(|c: char| c.is_ascii_uppercase());
    let short: String = message.split('.').filter(is_type).collect();
    let long: String = message.split('.').map(capital).collect();
    let known = |name: &str| api.schemas.get_key_value(name).map(|(name, _)| *name);
    if let Some(name) = known(&long).or_else(|| known(&short)) {
        return Some(name);
    }
    // A document may have the types of another package, or another version, under their long names.
    let mut alike = api
        .schemas
        .keys()
        .filter(|name| name.strip_suffix(&*short).is_some_and(|before| before.ends_with(|c: char| c.is_ascii_digit())));
    alike.next().filter(|_| alike.next().is_none()).copied()
}

fn capital(part: &str) -> String {
    let pieces = part.split('_').map(|piece| {
        let mut chars = piece.chars();
        chars.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(chars).collect::<String>()
    });
    pieces.collect()
}

/// Returns the member of the metadata that says how much is done.
fn progress(metadata: &Node) -> Option<Progress> {
    const FIELDS: [&str; 4] = ["progressPercent", "percentComplete", "progressPercentage", "completedPercent"];
    FIELDS.into_iter().find_map(|field| {
        let node = metadata.at_path(["properties", field])?;
        let is_float = match node.str_of("type")? {
            "integer" => false,
            "number" => true,
            _ => return None,
        };
        Some(Progress { field: field.to_owned(), is_float, is_optional: true })
    })
}

/// Returns what protos say of a method.
pub(super) fn messages<'j>(api: &Api<'_>, join: &'j Join, method: &Found<'_>, path: &str) -> Option<&'j Messages> {
    join.find(api.host(), method.verb(), path)
}
