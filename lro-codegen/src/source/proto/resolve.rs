//! The types that `operation_info` names: relative to the package, or in full.

use prost_reflect::{DescriptorPool, MessageDescriptor};

use crate::nearest::did_you_mean;

/// What a name stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Named {
    /// `google.protobuf.Empty`.
    Nothing,
    /// `google.protobuf.Any`.
    Anything,
    Message(MessageDescriptor),
}

/// Finds the message that `name` stands for in a package: in it, in one that it is in, or in full.
pub(super) fn resolve(pool: &DescriptorPool, package: &str, name: &str) -> Result<Named, String> {
    let bare = name.trim();
    let bare = bare.rsplit('/').next().unwrap_or(bare); // a type URL
    let message = match bare.strip_prefix('.') {
        Some(full) => pool.get_message_by_name(full),
        None => scopes(package, bare).find_map(|full| pool.get_message_by_name(&full)),
    };
    match message {
        Some(message) => Ok(match message.full_name() {
            "google.protobuf.Empty" => Named::Nothing,
            "google.protobuf.Any" => Named::Anything,
            _ => Named::Message(message),
        }),
        // Those of protobuf itself need no import where only an option names them.
        None if bare.trim_start_matches('.') == "google.protobuf.Empty" => Ok(Named::Nothing),
        None if bare.trim_start_matches('.') == "google.protobuf.Any" => Ok(Named::Anything),
        None => Err(unknown(pool, package, name, bare)),
    }
}

fn unknown(pool: &DescriptorPool, package: &str, name: &str, bare: &str) -> String {
    if pool.get_enum_by_name(&format!("{package}.{bare}")).or_else(|| pool.get_enum_by_name(bare)).is_some() {
        return format!("`{name}` is an enumeration, and no message");
    }
    let of_package: Vec<MessageDescriptor> =
        pool.all_messages().filter(|message| message.package_name() == package).collect();
    let short = |message: &MessageDescriptor| {
        let full = message.full_name();
        full.strip_prefix(package).and_then(|rest| rest.strip_prefix('.')).unwrap_or(full).to_owned()
    };
    let last = bare.rsplit('.').next().unwrap_or(bare);
    let names: Vec<String> = of_package.iter().map(short).collect();
    let hint = did_you_mean(last, names.iter().map(String::as_str));
    let place = if package.is_empty() { "no package".to_owned() } else { format!("the package `{package}`") };
    format!("`{name}` is no message of {place}, and none in full{hint}")
}

// Input:  google.cloud.workflows.v1, Workflow
// Output: google.cloud.workflows.v1.Workflow, google.cloud.workflows.Workflow, …, Workflow
fn scopes<'a>(package: &'a str, name: &'a str) -> impl Iterator<Item = String> + 'a {
    let mut scope = Some(package);
    std::iter::from_fn(move || {
        let now = scope?;
        scope = if now.is_empty() { None } else { Some(now.rsplit_once('.').map_or("", |(outer, _)| outer)) };
        Some(if now.is_empty() { name.to_owned() } else { format!("{now}.{name}") })
    })
}
