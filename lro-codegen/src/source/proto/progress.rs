//! The number in the metadata that says how much is done.

use prost_reflect::{Kind, MessageDescriptor};

use super::fields::{is_of_oneof, is_optional, scalar};
use crate::model::{Progress, Transport, Type};

/// The names that such a field has, the surest first.
const NAMES: [&str; 6] = [
    "progress_percent",
    "percent_complete",
    "progress_percentage",
    "completed_percent",
    "percent_completed",
    "progress",
];

pub(super) fn progress(metadata: &MessageDescriptor, transport: Transport) -> Option<Progress> {
    let field = NAMES.iter().filter_map(|name| metadata.get_field_by_name(name)).find(|field| {
        let is_number = matches!(scalar(&field.kind()), Some(ty) if ty != Type::Bool && ty != Type::String);
        is_number && !matches!(field.kind(), Kind::Enum(_)) && !field.is_list() && !is_of_oneof(field)
    })?;
    let is_float = matches!(field.kind(), Kind::Double | Kind::Float);
    Some(match transport {
        Transport::Grpc => Progress { field: field.name().to_owned(), is_float, is_optional: is_optional(&field) },
        // The back end holds every member of a JSON type in an `Option`.
        Transport::Rest => Progress { field: field.json_name().to_owned(), is_float, is_optional: true },
    })
}
