//! Extended operations: those of Compute, which hold no response.

use prost_reflect::MethodDescriptor;

use super::{
    http::{body_type, prefix},
    options::rules,
};
use crate::model::Dialect;

/// The paths that the dialect of Compute has by itself.
const OWN: &str = "compute/v1";

/// Returns the dialect of a method with `google.cloud.operation_service`.
pub(super) fn dialect(method: &MethodDescriptor) -> Dialect {
    let prefix = rules(method).first().and_then(|rule| prefix(&rule.path));
    match prefix {
        Some(prefix) if prefix != OWN => Dialect::ComputeBelow(prefix),
        _ => Dialect::Compute,
    }
}

/// Returns whether the link of the operation leads to what the method has written. The type of that
/// is known from two places, the body and the `Get` of the same service. The link of other methods
/// may lead to something else, or, after `Delete`, nowhere.
pub(super) fn writes_whole_resource(method: &MethodDescriptor) -> bool {
    let get = method.parent_service().methods().find(|other| other.name() == "Get");
    let resource = get.map(|get| get.output());
    matches!(method.name(), "Insert" | "Patch" | "Update") && resource.is_some() && resource == body_type(method)
}
