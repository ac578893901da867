//! What front-end parts ask of a field.

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::model::Type;

/// Returns the field that a path such as `workflow.name` leads to, with the fields before it.
pub(super) fn walk(message: &MessageDescriptor, path: &str) -> Option<Vec<FieldDescriptor>> {
    let mut fields = vec![];
    let mut now = Some(message.clone());
    for part in path.split('.') {
        let field = now?.get_field_by_name(part)?;
        now = match field.kind() {
            Kind::Message(message) if !field.is_list() && !field.is_map() => Some(message),
            _ => None,
        };
        fields.push(field);
    }
    Some(fields)
}

/// Returns whether prost holds a field in an `Option`.
pub(super) fn is_optional(field: &FieldDescriptor) -> bool {
    !field.is_list() && !field.is_map() && field.supports_presence() && !field.is_required()
}

/// Returns whether a field is one of several of which a message holds one, and so no field of the
/// Rust type.
pub(super) fn is_of_oneof(field: &FieldDescriptor) -> bool {
    field.containing_oneof().is_some_and(|oneof| !oneof.is_synthetic())
}

/// Returns the type of a number, a boolean or a text, as it is; `None` for a message.
pub(super) fn scalar(kind: &Kind) -> Option<Type> {
    Some(match kind {
        Kind::Double => Type::F64,
        Kind::Float => Type::F32,
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Type::I32,
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Type::I64,
        Kind::Uint32 | Kind::Fixed32 => Type::U32,
        Kind::Uint64 | Kind::Fixed64 => Type::U64,
        Kind::Bool => Type::Bool,
        Kind::String | Kind::Bytes | Kind::Enum(_) => Type::String,
        Kind::Message(_) => return None,
    })
}

/// Returns the type of a message of protobuf itself that JSON writes as something else than an
/// object with its fields. Numbers are not quoted yet.
pub(super) fn well_known(name: &str) -> Option<Type> {
    Some(match name.strip_prefix("google.protobuf.")? {
        "DoubleValue" => Type::F64,
        "FloatValue" => Type::F32,
        "Int64Value" => Type::I64,
        "UInt64Value" => Type::U64,
        "Int32Value" => Type::I32,
        "UInt32Value" => Type::U32,
        "BoolValue" => Type::Bool,
        "StringValue" | "BytesValue" | "Timestamp" | "Duration" | "FieldMask" => Type::String,
        "Struct" | "Value" | "ListValue" | "Any" => Type::Value,
        _ => return None,
    })
}
