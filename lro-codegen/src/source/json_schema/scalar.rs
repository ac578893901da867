//! Scalars by type and format.

use crate::{
    document::Node,
    model::Type,
    source::openapi::files::{Problem, excerpt, nearest_or_stop},
};

/// The types of JSON Schema, and Swagger's `file`.
const KINDS: [&str; 8] = ["array", "boolean", "file", "integer", "null", "number", "object", "string"];

/// Returns the type of a scalar; none if `kind` is no scalar.
///
/// Numbers of 64 bits that are declared as text are those of proto3 JSON. Everything else that is
/// text stays text: dates, durations, bytes in Base64.
pub(crate) fn scalar(kind: &str, format: Option<&str>) -> Option<Type> {
    Some(match (kind, format.unwrap_or_default()) {
        ("boolean", _) => Type::Bool,
        ("integer", "int8" | "int16" | "int32") => Type::I32,
        ("integer", "uint8" | "uint16" | "uint32") => Type::U32,
        ("integer", "uint64") => Type::U64,
        ("integer", _) => Type::I64,
        ("number", "float") => Type::F32,
        ("number", _) => Type::F64,
        ("string", "int64") => Type::Quoted(Box::new(Type::I64)),
        ("string", "uint64") => Type::Quoted(Box::new(Type::U64)),
        ("string", _) => Type::String,
        ("file" | "null", _) => Type::Value,
        _ => return None,
    })
}

/// The problem of a type that there is not.
pub(super) fn unknown(node: &Node, kind: &str) -> Problem {
    let at = node.get("type").map_or(&node.at, |kind| &kind.at);
    let near = nearest_or_stop(kind, KINDS.into_iter());
    Problem::new(at, format!("`{}` is no type{near} Legal types are {}", excerpt(kind), KINDS.join(", ")))
}
