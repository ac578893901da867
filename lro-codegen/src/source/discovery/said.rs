//! What the overrides file says of a method, over what the description does.

use super::{Api, nearest::nearest, types::Types};
use crate::{
    model::{Method, Options, Poll, Type},
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
    }
    if let Some((name, at)) = &said.metadata {
        method.metadata = ty(name, at, api, types)?;
        method.options.progress = None;
    }
    method.alias.clone_from(&said.name);
    let Options { cancel, delete, path, result, final_state_via, response_type, metadata_type, poll, progress } =
        &said.options;
    let options = &mut method.options;
    options.cancel |= cancel;
    options.delete |= delete;
    over(&mut options.path, path);
    over(&mut options.result, result);
    over(&mut options.final_state_via, final_state_via);
    over(&mut options.response_type, response_type);
    over(&mut options.metadata_type, metadata_type);
    over(&mut options.progress, progress);
    let Poll { delay, multiplier, max_delay, timeout } = poll;
    over(&mut options.poll.delay, delay);
    over(&mut options.poll.multiplier, multiplier);
    over(&mut options.poll.max_delay, max_delay);
    over(&mut options.poll.timeout, timeout);
    Ok(())
}

fn over<T: Clone>(read: &mut Option<T>, said: &Option<T>) {
    if said.is_some() {
        read.clone_from(said);
    }
}

fn ty(name: &str, at: &Position, api: &Api<'_>, types: &mut Types<'_>) -> Result<Type, (Position, String)> {
    match name {
        "()" => Ok(Type::Unit),
        _ if name.contains("::") => Ok(Type::Path(name.to_owned())),
        _ => types.named(name).map_err(|_| {
            let legal = nearest(name, api.schemas.keys().copied());
            let message = format!("`{name}` is no schema of `{}`, not `()`, and no path with `::`{legal}", api.file);
            (at.clone(), message)
        }),
    }
}
