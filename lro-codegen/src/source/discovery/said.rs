//! What the overrides file says of a method, over what the description does.

use super::{Api, response::number, types::Types};
use crate::{
    model::{Method, Type},
    nearest::did_you_mean,
    overrides::Override,
    position::Position,
};

/// Puts what is said over what was read. The error is about the overrides file.
pub(super) fn apply(
    method: &mut Method,
    said: &Override,
    api: &Api<'_>,
    types: &mut Types<'_>,
) -> Result<(), (Position, String)> {
    if let Some((name, at)) = &said.response {
        method.response = ty(name, at, api, types)?;
        method.unknown_response = false;
        // What leads to the response of the description leads elsewhere.
        method.options.result = None;
    }
    if let Some((name, at)) = &said.metadata {
        method.metadata = ty(name, at, api, types)?;
        method.options.progress = None;
    }
    method.alias.clone_from(&said.name);
    said.apply(&mut method.options);
    // Which kind of number a field is, the description knows.
    if let (Some(progress), Type::Named(id)) = (&mut method.options.progress, &method.metadata)
        && let Some(known) = id.split_once('#').and_then(|(_, name)| number(api.schema(name)?, &progress.field))
    {
        *progress = known;
    }
    Ok(())
}

fn ty(name: &str, at: &Position, api: &Api<'_>, types: &mut Types<'_>) -> Result<Type, (Position, String)> {
    match name {
        "()" => Ok(Type::Unit),
        _ if name.contains("::") => Ok(Type::Path(name.to_owned())),
        _ => types.named(name).map_err(|_| {
            let legal = did_you_mean(name, api.schemas.keys().copied());
            let message = format!("`{name}` is no schema of `{}`, not `()`, and no path with `::`{legal}", api.file);
            (at.clone(), message)
        }),
    }
}
