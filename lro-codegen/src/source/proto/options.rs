//! The options of services, methods and fields that other files declare.

use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, MethodDescriptor, ReflectMessage, ServiceDescriptor, Value,
};

/// The types of the result and the progress of a method, as its description writes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct OperationInfo {
    pub(super) response: String,
    pub(super) metadata: String,
}

/// A rule of `google.api.http`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Rule {
    /// In capitals.
    pub(super) verb: String,
    pub(super) path: String,
    /// A field of the request, `*`, or nothing.
    pub(super) body: String,
}

/// A parameter of `google.api.routing`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Parameter {
    pub(super) field: String,
    pub(super) template: String,
}

const VERBS: [(&str, &str); 5] =
    [("get", "GET"), ("put", "PUT"), ("post", "POST"), ("delete", "DELETE"), ("patch", "PATCH")];

fn extension(pool: &DescriptorPool, options: &DynamicMessage, name: &str) -> Option<Value> {
    let extension = pool.get_extension_by_name(name)?;
    // The option of another kind of element would be a fault of the description.
    let is_here = extension.containing_message() == options.descriptor();
    (is_here && options.has_extension(&extension)).then(|| options.get_extension(&extension).into_owned())
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

/// Returns the option `google.longrunning.operation_info`.
pub(super) fn operation_info(method: &MethodDescriptor) -> Option<OperationInfo> {
    let info = extension(method.parent_pool(), &method.options(), "google.longrunning.operation_info")?;
    let info = info.as_message()?;
    Some(OperationInfo { response: text(info, "response_type"), metadata: text(info, "metadata_type") })
}

/// Returns the service that holds the extended operations of this method.
pub(super) fn operation_service(method: &MethodDescriptor) -> Option<String> {
    let value = extension(method.parent_pool(), &method.options(), "google.cloud.operation_service")?;
    value.as_str().map(str::to_owned)
}

/// Returns the rules of `google.api.http`, the primary one first.
pub(super) fn rules(method: &MethodDescriptor) -> Vec<Rule> {
    let value = extension(method.parent_pool(), &method.options(), "google.api.http");
    let Some(first) = value.as_ref().and_then(Value::as_message) else { return vec![] };
    let mut rules: Vec<Rule> = rule(first).into_iter().collect();
    let more = first.get_field_by_name("additional_bindings");
    let more = more.as_ref().and_then(|more| more.as_list()).unwrap_or_default();
    rules.extend(more.iter().filter_map(Value::as_message).filter_map(rule));
    rules
}

fn rule(message: &DynamicMessage) -> Option<Rule> {
    let body = text(message, "body");
    for (field, verb) in VERBS {
        let path = text(message, field);
        if !path.is_empty() {
            return Some(Rule { verb: verb.to_owned(), path, body });
        }
    }
    let custom = message.get_field_by_name("custom")?;
    let custom = custom.as_message()?;
    let path = text(custom, "path");
    (!path.is_empty()).then(|| Rule { verb: text(custom, "kind").to_ascii_uppercase(), path, body })
}

/// Returns the fields of the first `google.api.method_signature`.
pub(super) fn signature(method: &MethodDescriptor) -> Vec<String> {
    let value = extension(method.parent_pool(), &method.options(), "google.api.method_signature");
    let first = value.as_ref().and_then(|value| value.as_list()?.first()?.as_str());
    let fields = first.unwrap_or_default().split(',').map(|field| field.trim().to_owned());
    fields.filter(|field| !field.is_empty()).collect()
}

/// Returns the parameters of `google.api.routing`; `None` if the method has no such option.
pub(super) fn routing(method: &MethodDescriptor) -> Option<Vec<Parameter>> {
    let value = extension(method.parent_pool(), &method.options(), "google.api.routing")?;
    let list = value.as_message()?.get_field_by_name("routing_parameters")?.into_owned();
    let parameters = list.as_list()?.iter().filter_map(Value::as_message);
    let parameter = |message: &DynamicMessage| Parameter {
        field: text(message, "field"),
        template: text(message, "path_template"),
    };
    Some(parameters.map(parameter).collect())
}

/// Returns the host of a service.
pub(super) fn host(service: &ServiceDescriptor) -> Option<String> {
    let value = extension(service.parent_pool(), &service.options(), "google.api.default_host")?;
    value.as_str().filter(|host| !host.is_empty()).map(str::to_owned)
}

/// What the options of a field say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Behavior {
    pub(super) is_required: bool,
    pub(super) is_output_only: bool,
    /// Whether its format is a UUID.
    pub(super) is_uuid: bool,
}

/// `REQUIRED` and `OUTPUT_ONLY` of `google.api.FieldBehavior`.
const REQUIRED: i32 = 2;
const OUTPUT_ONLY: i32 = 3;

/// `UUID4` of `google.api.FieldInfo.Format`.
const UUID4: i32 = 1;

pub(super) fn behavior(field: &FieldDescriptor) -> Behavior {
    // Most fields of most descriptions have no options at all.
    if field.field_descriptor_proto().options.is_none() {
        return Behavior::default();
    }
    let (pool, options) = (field.parent_pool(), field.options());
    let behaviors = extension(pool, &options, "google.api.field_behavior");
    let has = |number: i32| {
        let list = behaviors.as_ref().and_then(Value::as_list).unwrap_or_default();
        list.iter().any(|value| value.as_enum_number() == Some(number))
    };
    let info = extension(pool, &options, "google.api.field_info");
    let format = info.as_ref().and_then(Value::as_message).and_then(|info| {
        let format = info.get_field_by_name("format")?;
        format.as_enum_number()
    });
    Behavior { is_required: has(REQUIRED), is_output_only: has(OUTPUT_ONLY), is_uuid: format == Some(UUID4) }
}
