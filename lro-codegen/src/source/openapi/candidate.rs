//! Which operations are long-running, and how they are polled.

use super::{
    files::{Files, excerpt},
    operation::Operation,
    replies::Replies,
};
use crate::{
    context::Context,
    model::Dialect,
    overrides::{From, Override},
};

/// The extensions by which a description says it: of Azure, and of Fabric, whose operations are
/// polled in the same way.
const FLAGS: [&str; 2] = ["x-ms-long-running-operation", "x-ms-fabric-sdk-long-running-operation"];

/// The headers by which a reply names a monitor, with how it is polled. A `Location` alone may lead
/// to a result, too.
const MONITORS: [(&str, Dialect); 4] = [
    ("Operation-Location", Dialect::Azure),
    ("Azure-AsyncOperation", Dialect::Azure),
    ("x-ms-operation-id", Dialect::Azure),
    ("Location", Dialect::Http),
];

/// What makes an operation long-running.
pub(super) struct Found {
    /// How it is polled, unless the overrides say otherwise. `None` if nothing says so.
    pub(super) dialect: Option<Dialect>,
    /// What the description says in `x-lro`.
    pub(super) described: Option<Override>,
    /// What the overrides file says.
    pub(super) said: Option<Override>,
}

/// Returns what makes an operation long-running, if it is and is wanted.
pub(super) fn judge<'a>(
    files: &'a Files,
    context: &mut Context,
    operation: &Operation<'a>,
    accept_202: bool,
) -> Option<Found> {
    let node = operation.place.node;
    let is_flagged = FLAGS.iter().any(|flag| node.is_true(flag));
    let described = node.get("x-lro").map(|node| Override::read(node, From::Description, &mut context.report));
    let said = context.overrides.of(&operation.service, &operation.name).cloned();
    let monitor = monitor(files, context, operation);
    if !is_flagged && described.is_none() && said.is_none() {
        let (header, _) = monitor.as_ref()?;
        if !accept_202 {
            let text = format!(
                "may be long-running: it answers `202` with the header `{header}`. Accept all such methods, or say so \
                 of this one: `[method.\"{}\"]` in the overrides file",
                excerpt(&operation.subject())
            );
            context.report.note(operation.at, operation.subject(), text);
            return None;
        }
    }
    if !context.wants(operation.at, &operation.service, &operation.name) {
        return None;
    }
    if described.as_ref().is_some_and(|described| described.skip) {
        context.report.skipped(operation.at, operation.subject(), "by `x-lro`");
        return None;
    }
    let dialect = if is_flagged { Some(Dialect::Azure) } else { monitor.map(|(_, dialect)| dialect) };
    Some(Found { dialect, described, said })
}

/// Returns the header by which the reply `202` names a monitor.
fn monitor<'a>(files: &'a Files, context: &mut Context, operation: &Operation<'a>) -> Option<(&'static str, Dialect)> {
    let accepted = operation.place.get("responses")?.get("202")?;
    let accepted = files.resolved(context, &accepted).ok()?;
    let headers = Replies::headers(&accepted);
    let mut known = MONITORS.into_iter();
    known.find(|(monitor, _)| headers.iter().any(|header| header.eq_ignore_ascii_case(monitor)))
}
