//! One method: its start call, its types, and what its attribute says.

use super::{
    arguments,
    candidate::Found,
    document::Document,
    files::{Files, Place, Problem, excerpt, nearest, nearest_or_stop},
    operation::Operation,
    replies::{self, Replies, Types},
    services::Read,
};
use crate::{
    context::Context,
    model::{Dialect, Method, Options, Type},
    overrides::{FINAL_STATE_VIA, Override},
    position::Position,
    source::json_schema::Schemas,
};

pub(super) fn read<'a>(
    files: &'a Files,
    schemas: &mut Schemas<'a>,
    context: &mut Context,
    document: &Document<'a>,
    operation: &Operation<'a>,
    found: &Found,
) -> Result<Read, Problem> {
    let start = arguments::read(files, schemas, context, document, operation)?;
    let replies = Replies::read(files, context, document, operation)?;
    let dialect = dialect(&replies, schemas, context, operation, found)?;
    let extension = operation.place.get("x-ms-long-running-operation-options");
    let mut options = Options::default();
    let mut final_schema = None;
    if let Some(extension) = extension.filter(|_| dialect == Dialect::Azure) {
        options.final_state_via = final_state_via(&extension)?;
        final_schema = replies::final_schema(files, context, operation, &extension)?;
    }
    let Types { response, unknown_response, metadata } = replies.types(schemas, context, operation, final_schema)?;
    let node = operation.place.node;
    let mut method = Method {
        name: operation.name.clone(),
        alias: None,
        docs: docs(operation),
        deprecated: node.is_true("deprecated"),
        call: start.call,
        arguments: start.arguments,
        response,
        unknown_response,
        metadata,
        dialect: Some(dialect),
        options,
        at: operation.at.clone(),
    };
    // The user's file goes over what the description says.
    for said in [&found.described, &found.said].into_iter().flatten() {
        apply(&mut method, said, schemas, document)?;
    }
    Ok(Read { method, of_client: start.of_client })
}

/// Returns how the method is polled.
fn dialect<'a>(
    replies: &Replies<'a>,
    schemas: &mut Schemas<'a>,
    context: &mut Context,
    operation: &Operation<'a>,
    found: &Found,
) -> Result<Dialect, Problem> {
    let said = [&found.said, &found.described].into_iter().flatten().find_map(|said| said.dialect.clone());
    if let Some(dialect) = said.or_else(|| found.dialect.clone()) {
        return Ok(dialect);
    }
    if replies.is_of_google(schemas, context)? {
        return Ok(Dialect::Google);
    }
    let message = "how it is polled is not known: no reply `202` names a monitor by a header, and none is an \
                   operation; say it with `dialect` or `wire`";
    Err(Problem::new(operation.at, message))
}

/// Returns the word that says where the response is.
fn final_state_via(extension: &Place<'_>) -> Result<Option<String>, Problem> {
    let Some(node) = extension.node.get("final-state-via") else { return Ok(None) };
    let word = node.as_str().unwrap_or_default();
    if FINAL_STATE_VIA.contains(&word) {
        return Ok(Some(word.to_owned()));
    }
    let near = nearest_or_stop(word, FINAL_STATE_VIA.into_iter());
    let legal = FINAL_STATE_VIA.join(", ");
    let message = format!("`final-state-via` is `{}`{near} Legal words are {legal}", excerpt(word));
    Err(Problem::new(&node.at, message))
}

/// Puts what is said over what was read.
fn apply<'a>(
    method: &mut Method,
    said: &Override,
    schemas: &mut Schemas<'a>,
    document: &Document<'a>,
) -> Result<(), Problem> {
    if let Some((name, at)) = &said.response {
        method.response = named(name, at, schemas, document)?;
        method.unknown_response = false;
    }
    if let Some((name, at)) = &said.metadata {
        method.metadata = named(name, at, schemas, document)?;
    }
    if said.name.is_some() {
        method.alias.clone_from(&said.name);
    }
    said.apply(&mut method.options);
    Ok(())
}

/// Returns the type that an override names.
fn named<'a>(name: &str, at: &Position, schemas: &mut Schemas<'a>, document: &Document<'a>) -> Result<Type, Problem> {
    match name {
        "()" => return Ok(Type::Unit),
        _ if name.contains("::") => return Ok(Type::Path(name.to_owned())),
        _ => {}
    }
    let root = &document.root;
    let definitions = root.get("definitions").or_else(|| root.get("components").and_then(|all| all.get("schemas")));
    let definition = definitions.as_ref().and_then(|all| Some((all, all.get(name)?)));
    if let Some((_, definition)) = definition {
        return Ok(schemas.named(&definition));
    }
    let legal = definitions.as_ref().map_or(&[][..], |all| all.node.members());
    let near = nearest(name, legal.iter().map(|member| member.key.as_str()));
    let message =
        format!("`{}` is no schema of `{}`, not `()`, and no path with `::`{near}", excerpt(name), root.file.id);
    Err(Problem::new(at, message))
}

/// Returns what the description says about an operation: the summary is its first line.
fn docs(operation: &Operation<'_>) -> String {
    let text = |key: &str| operation.place.node.str_of(key).map(str::trim).filter(|text| !text.is_empty());
    match (text("summary"), text("description")) {
        (Some(summary), Some(description)) if !description.starts_with(summary.trim_end_matches('.')) => {
            format!("{summary}\n\n{description}")
        }
        (summary, description) => description.or(summary).unwrap_or_default().to_owned(),
    }
}
