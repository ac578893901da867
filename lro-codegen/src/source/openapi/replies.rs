//! What an operation answers, and which of its answers is the response.

use super::{
    body,
    document::{Document, Language},
    files::{Files, Place, Problem, excerpt},
    operation::Operation,
};
use crate::{
    context::Context,
    document::{Node, Value},
    model::Type,
    source::json_schema::{Parent, Schemas},
};

/// The declared replies of an operation.
pub(super) struct Replies<'a> {
    replies: Vec<(&'a str, Place<'a>)>,
    language: Language,
}

/// What a reply has.
enum Content<'a> {
    Nothing,
    Json(Place<'a>),
    /// Something that is not read, by what it is.
    Other(Problem),
}

/// The types of an operation's end and way.
pub(super) struct Types {
    pub(super) response: Type,
    pub(super) unknown_response: bool,
    pub(super) metadata: Type,
}

/// The properties that a monitor has beside its `status`.
const OF_MONITORS: [&str; 6] =
    ["error", "percentComplete", "operationId", "startTime", "createdDateTime", "resourceLocation"];

impl<'a> Replies<'a> {
    pub(super) fn read(
        files: &'a Files,
        context: &mut Context,
        document: &Document<'a>,
        operation: &Operation<'a>,
    ) -> Result<Self, Problem> {
        let replies = operation.place.members_of("responses").into_iter();
        let replies = replies.map(|(code, _, reply)| Ok((code, files.resolved(context, &reply)?)));
        Ok(Self { replies: replies.collect::<Result<_, Problem>>()?, language: document.language })
    }

    /// Returns the names of a reply's headers.
    pub(super) fn headers(reply: &Place<'a>) -> Vec<&'a str> {
        reply.members_of("headers").into_iter().map(|(name, _, _)| name).collect()
    }

    fn has(&self, code: &str) -> bool {
        self.replies.iter().any(|(known, _)| *known == code)
    }

    fn content(&self, code: &str) -> Content<'a> {
        let Some((_, reply)) = self.replies.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)) else {
            return Content::Nothing;
        };
        let other = |at: &Node, what: String| Content::Other(Problem::new(&at.at, what));
        let schema = match self.language {
            Language::Swagger2 => reply.get("schema"),
            Language::OpenApi3 => {
                let contents = reply.members_of("content");
                let kinds: Vec<&str> = contents.iter().map(|(kind, _, _)| *kind).collect();
                let Some(chosen) = body::chosen(&kinds) else {
                    return match kinds.first() {
                        None => Content::Nothing,
                        Some(kind) => {
                            other(reply.node, format!("the response is `{}`; only JSON is read", excerpt(kind)))
                        }
                    };
                };
                contents.into_iter().find(|(kind, _, _)| *kind == chosen).and_then(|(_, _, kind)| kind.get("schema"))
            }
        };
        match schema {
            None => Content::Nothing,
            Some(schema) if schema.node.str_of("type") == Some("file") => {
                other(schema.node, "the response is a file; only JSON is read".to_owned())
            }
            Some(schema) => Content::Json(schema),
        }
    }

    /// Returns the types that the replies declare.
    pub(super) fn types(
        &self,
        schemas: &mut Schemas<'a>,
        context: &mut Context,
        operation: &Operation<'a>,
        final_schema: Option<Place<'a>>,
    ) -> Result<Types, Problem> {
        let name = format!("{}_response", operation.name);
        let parent = Parent { name: &name };
        let accepted = match self.content("202") {
            Content::Json(schema) => {
                Some(schemas.ty(context, &schema, Parent { name: &format!("{name}_accepted") })?)
            }
            Content::Nothing | Content::Other(_) => None,
        };
        // Whether it is a monitor is seen in its members.
        schemas.read_named(context);
        let monitor = accepted.clone().filter(|ty| is_monitor(schemas, ty));
        let mut metadata = monitor.clone().unwrap_or(Type::Value);
        // What answers a `DELETE` is about the deletion.
        if operation.verb == "DELETE" && final_schema.is_none() {
            return Ok(Types { response: Type::Unit, unknown_response: false, metadata });
        }
        let mut found = final_schema.map(|schema| schemas.named(&schema));
        for code in ["200", "201", "2XX"] {
            if found.is_some() {
                break;
            }
            found = match self.content(code) {
                Content::Nothing => None,
                Content::Json(schema) => Some(schemas.ty(context, &schema, parent)?),
                Content::Other(problem) => return Err(problem),
            };
        }
        let found = found.or_else(|| accepted.filter(|_| monitor.is_none()));
        if found == monitor && monitor.is_some() {
            metadata = Type::Value;
        }
        let may_be_absent = self.has("204");
        let response = match found {
            None => Type::Unit,
            Some(ty @ (Type::Option(_) | Type::Value)) => ty,
            Some(ty) if may_be_absent => Type::Option(Box::new(ty)),
            Some(ty) => ty,
        };
        let unknown_response = *schemas.resolved(&response) == Type::Value;
        Ok(Types { response, unknown_response, metadata })
    }

    /// Returns whether a reply has members that only an operation of Google has.
    pub(super) fn is_of_google(&self, schemas: &mut Schemas<'a>, context: &mut Context) -> Result<bool, Problem> {
        let Content::Json(schema) = self.content("200") else { return Ok(false) };
        let ty = schemas.ty(context, &schema, Parent { name: "operation" })?;
        schemas.read_named(context);
        let fields = schemas.fields(&ty);
        let has = |name: &str| fields.iter().any(|field| field.wire == name);
        Ok(has("name") && has("done"))
    }
}

/// Returns whether a type looks like what says how an operation stands.
fn is_monitor(schemas: &Schemas<'_>, ty: &Type) -> bool {
    let fields = schemas.fields(ty);
    let has = |name: &str| fields.iter().any(|field| field.wire == name);
    has("status") && !has("properties") && OF_MONITORS.into_iter().any(has)
}

/// Returns the schema that `final-state-schema` names: a reference, written as text.
pub(super) fn final_schema<'a>(
    files: &'a Files,
    context: &mut Context,
    operation: &Operation<'a>,
    options: &Place<'a>,
) -> Result<Option<Place<'a>>, Problem> {
    match options.node.get("final-state-schema") {
        None => Ok(None),
        Some(node) if node.value == Value::Null => Ok(None),
        Some(node) => files.target(context, operation.place.file, node).map(Some),
    }
}
