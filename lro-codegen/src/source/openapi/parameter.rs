//! One parameter of an operation: what it becomes.

use super::{
    document::{Document, Language, text_of},
    files::{Files, Place, Problem, excerpt},
};
use crate::{
    context::Context,
    document::Node,
    model::{Argument, Place as Where, StartId, Type},
    source::json_schema::{Schemas, docs, kind_of},
};

/// Headers that transports, credentials and the library set.
const NOT_THE_CALLERS: [&str; 10] = [
    "accept",
    "authorization",
    "client-request-id",
    "content-length",
    "content-type",
    "host",
    "repeatability-first-sent",
    "return-client-request-id",
    "x-ms-client-request-id",
    "x-ms-return-client-request-id",
];

/// Headers by which a service tells a repeated start from a new one.
const START_IDS: [&str; 4] = ["idempotency-key", "operation-id", "repeatability-request-id", "x-idempotency-key"];

/// A parameter of an operation.
pub(super) struct Parameter<'a> {
    pub(super) name: &'a str,
    /// `path`, `query`, `header`, `cookie`, `body` or `formData`.
    pub(super) location: &'a str,
    pub(super) place: Place<'a>,
    /// What says the type: in Swagger 2 the parameter itself.
    pub(super) schema: Option<Place<'a>>,
    language: Language,
}

/// What a parameter becomes.
pub(super) enum Becomes {
    Argument {
        argument: Argument,
        of_client: bool,
    },
    /// The same in every call.
    Constant(String),
    StartId(StartId),
    /// It is not the caller's.
    Nothing,
}

impl<'a> Parameter<'a> {
    pub(super) fn new(document: &Document<'_>, place: Place<'a>) -> Result<Self, Problem> {
        let node = place.node;
        let (Some(name), Some(location)) = (node.str_of("name"), node.str_of("in")) else {
            return Err(Problem::new(&node.at, "a parameter without a `name` or an `in`"));
        };
        let schema = match document.language {
            Language::Swagger2 => Some(place.clone()),
            Language::OpenApi3 => place.get("schema"),
        };
        Ok(Self { name, location, place, schema, language: document.language })
    }

    /// The name in code.
    pub(super) fn code_name(&self) -> String {
        self.place.node.str_of("x-ms-client-name").unwrap_or(self.name).to_owned()
    }

    pub(super) fn is_required(&self) -> bool {
        self.location == "path" || self.place.node.is_true("required")
    }

    /// Whether the value of a path variable may have slashes.
    pub(super) fn has_segments(&self) -> bool {
        self.place.node.is_true("x-ms-skip-url-encoding") || self.place.node.is_true("allowReserved")
    }

    /// Returns what the parameter becomes.
    pub(super) fn read(
        &self,
        files: &'a Files,
        schemas: &mut Schemas<'a>,
        context: &mut Context,
        document: &Document<'a>,
    ) -> Result<Becomes, Problem> {
        let node = self.place.node;
        let lower = self.name.to_ascii_lowercase();
        let at = match self.location {
            "path" => Where::Path,
            "query" => Where::Query,
            "header" if NOT_THE_CALLERS.contains(&lower.as_str()) => return Ok(Becomes::Nothing),
            "header" if START_IDS.contains(&lower.as_str()) => {
                return Ok(Becomes::StartId(StartId::Header(self.name.to_owned())));
            }
            "header" => Where::Header,
            "cookie" => return Err(self.problem("is a cookie, which a start call cannot send")),
            other => {
                let other = excerpt(other);
                return Err(self.problem(&format!("is in `{other}`; legal is path, query, header, cookie or body")));
            }
        };
        let schema = match &self.schema {
            Some(schema) => Some(files.resolved(context, schema)?),
            None => None,
        };
        if let Some(constant) = self.constant(schema.as_ref().map(|schema| schema.node), document) {
            return Ok(Becomes::Constant(constant));
        }
        let Some(schema) = schema else {
            return Err(self.problem("has no `schema`; only such parameters can be sent"));
        };
        let Some(ty) = schemas.plain(context, &schema)?.filter(|ty| *ty != Type::Value) else {
            return Err(self.problem("is no scalar, and no list of scalars"));
        };
        let place = self.list_place(at, &ty, schema.node)?;
        let argument = Argument {
            wire: if at == Where::Path { super::path::variable_name(self.name) } else { self.name.to_owned() },
            name: self.code_name(),
            docs: self.docs(&schema),
            ty,
            required: self.is_required(),
            place,
            at: node.at.clone(),
        };
        Ok(Becomes::Argument { argument, of_client: self.is_of_client() })
    }

    /// Returns the value of a parameter that has only one: the version of the API, and the only
    /// word of an enumeration that is required.
    fn constant(&self, schema: Option<&'a Node>, document: &Document<'_>) -> Option<String> {
        let of = |key: &str| self.place.node.get(key).or(schema.and_then(|schema| schema.get(key)));
        let only = || match of("enum").map_or(&[][..], Node::items) {
            [word] => text_of(word),
            _ => of("const").and_then(text_of),
        };
        let is_version = match self.place.node.get("x-ms-api-version").and_then(Node::as_bool) {
            Some(is_version) => is_version,
            None => self.location == "query" && self.name.eq_ignore_ascii_case("api-version"),
        };
        if is_version {
            return only().or_else(|| document.version.clone()).or_else(|| of("default").and_then(text_of));
        }
        if self.is_required() { only() } else { None }
    }

    /// Returns where a list stands, by how it is written.
    fn list_place(&self, at: Where, ty: &Type, schema: &Node) -> Result<Where, Problem> {
        if !matches!(ty, Type::List(_)) || at != Where::Query {
            return Ok(at);
        }
        let node = self.place.node;
        match self.language {
            Language::Swagger2 => match schema.str_of("collectionFormat").unwrap_or("csv") {
                "csv" => Ok(Where::QueryList),
                "multi" => Ok(Where::Query),
                other => {
                    let other = excerpt(other);
                    Err(self.problem(&format!("is a list in the format `{other}`; only csv and multi can be sent")))
                }
            },
            Language::OpenApi3 => match node.str_of("style").unwrap_or("form") {
                "form" if node.get("explode").and_then(Node::as_bool) == Some(false) => Ok(Where::QueryList),
                "form" => Ok(Where::Query),
                other => {
                    Err(self.problem(&format!("is a list in the style `{}`; only form can be sent", excerpt(other))))
                }
            },
        }
    }

    /// Whether the client holds it. By the rule of Azure's generators, what is shared by several
    /// operations is the client's if nothing says otherwise. Here only variables of the path are:
    /// a shared `If-Match` or `$top` is seldom the same in every call.
    fn is_of_client(&self) -> bool {
        let is_path = self.location == "path";
        match self.place.node.str_of("x-ms-parameter-location") {
            Some("client") => true,
            Some(_) => false,
            None => {
                let is_shared = self.language == Language::Swagger2 && Document::is_shared_parameter(&self.place);
                is_path && (is_shared || self.name == "subscriptionId")
            }
        }
    }

    fn docs(&self, schema: &Place<'_>) -> String {
        let own = self.place.node.str_of("description").unwrap_or_default();
        if own.trim().is_empty() && kind_of(schema.node).is_some() { docs(schema.node) } else { own.to_owned() }
    }

    fn problem(&self, what: &str) -> Problem {
        Problem::new(&self.place.node.at, format!("the parameter `{}` {what}", excerpt(self.name)))
    }
}
