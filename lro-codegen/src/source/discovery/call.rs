//! A method as a call of HTTP: the template of its path, its arguments, its start id.

use super::{Api, methods::Found};
use crate::{
    document::{Member, Node},
    model::{Argument, Call, Place, StartId, Type},
};

/// The header that says for which revision of the API a caller was written.
const API_VERSION: &str = "X-Goog-Api-Version";

/// The parameter, and the member of a body, that names a start call that is sent again.
const REQUEST_ID: &str = "requestId";

const VERBS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Returns the call of a method whose whole path has this template, and its arguments; the body is
/// the last of those that are required. The error says what is wrong with the description.
pub(super) fn call(
    api: &Api<'_>,
    method: &Found<'_>,
    path: String,
    body: Option<Type>,
) -> Result<(Call, Vec<Argument>), String> {
    let verb = method.verb();
    if !VERBS.contains(&verb) {
        return Err(format!("`httpMethod` is {verb:?}: expected one of {}", VERBS.join(", ")));
    }
    let parameters = parameters(method);
    let start_id = start_id(api, method, parameters);
    let mut arguments: Vec<_> = ordered(method, parameters)
        .into_iter()
        .filter(|member| start_id != Some(StartId::Query(member.key.clone())))
        .filter_map(argument)
        .collect();
    if let Some(ty) = body {
        let at = method.node().get("request").map_or(&method.member.at, |request| &request.at).clone();
        let place = arguments.iter().position(|argument| !argument.required).unwrap_or(arguments.len());
        let body = Argument {
            wire: "body".to_owned(),
            name: "body".to_owned(),
            docs: String::new(),
            ty,
            required: true,
            place: Place::Body,
            at,
        };
        arguments.insert(place, body);
    }
    let version = method.node().str_of("apiVersion").filter(|version| !version.is_empty());
    let headers = version.map(|version| (API_VERSION.to_owned(), version.to_owned())).into_iter().collect();
    Ok((Call::Http { verb: verb.to_owned(), path, query: vec![], headers, start_id }, arguments))
}

fn parameters<'a>(method: &Found<'a>) -> &'a [Member] {
    method.node().get("parameters").map(Node::members).unwrap_or_default()
}

/// Returns the method's path with the variables of `Operations::call`.
pub(super) fn path_of(method: &Found<'_>) -> Result<String, String> {
    template(method.path(), parameters(method))
}

// Input:  v1/{+parent}/datasets, where `parent` is `^projects/[^/]+/locations/[^/]+$`
// Output: v1/{parent=projects/*/locations/*}/datasets
fn template(path: &str, parameters: &[Member]) -> Result<String, String> {
    let mut out = String::with_capacity(path.len());
    let mut rest = path.trim_start_matches('/');
    if rest.is_empty() {
        return Err("it has no `path`".to_owned());
    }
    while let Some((literal, after)) = rest.split_once('{') {
        let (variable, after) = after.split_once('}').ok_or_else(|| unbalanced(path))?;
        let name = variable.strip_prefix('+').unwrap_or(variable);
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-$".contains(c)) {
            return Err(format!(
                "the path `{path}` has the variable `{{{variable}}}`: expected `{{name}}` or `{{+name}}`"
            ));
        }
        let of_path = |member: &&Member| member.key == name && member.node.str_of("location") == Some("path");
        let parameter = parameters
            .iter()
            .find(of_path)
            .ok_or_else(|| format!("the path `{path}` has the variable `{name}`, which is no parameter of the path"))?;
        out.push_str(checked(literal, path)?);
        out.push('{');
        out.push_str(name);
        if variable.starts_with('+') {
            let segments = parameter.node.str_of("pattern").and_then(segments).unwrap_or_else(|| "**".to_owned());
            if segments != "*" {
                out.push('=');
                out.push_str(&segments);
            }
        }
        out.push('}');
        rest = after;
    }
    out.push_str(checked(rest, path)?);
    Ok(out)
}

/// Returns a piece of a path that is sent as it is, if it may be.
fn checked<'a>(literal: &'a str, path: &str) -> Result<&'a str, String> {
    if literal.contains('}') {
        return Err(unbalanced(path));
    }
    match literal.chars().find(|c| !c.is_ascii_alphanumeric() && !"/-._~:!$&'()*+,;=@%".contains(*c)) {
        Some(c) => Err(format!("the path `{path}` contains {c:?}, which is not legal there")),
        None if literal.split('/').any(|segment| matches!(segment, "." | "..")) => {
            Err(format!("the path `{path}` has a segment of dots, which leads elsewhere"))
        }
        None => Ok(literal),
    }
}

fn unbalanced(path: &str) -> String {
    format!("the braces of the path `{path}` do not match")
}

/// Returns the segments that a regular expression stands for, if it is as simple as that.
// Input:  ^projects/[^/]+/locations/[^/]+$
// Output: projects/*/locations/*
fn segments(pattern: &str) -> Option<String> {
    let pattern = pattern.strip_prefix('^')?.strip_suffix('$')?.replace("[^/]+", "*");
    // `.*` is also nothing, which no path has a place for.
    let pattern = match pattern.strip_suffix(".*").or(pattern.strip_suffix(".+")) {
        Some(before) => format!("{before}**"),
        None => pattern,
    };
    let last = pattern.split('/').count().saturating_sub(1);
    let is_legal = pattern.split('/').enumerate().all(|(index, segment)| match segment {
        "*" => true,
        "**" => index == last,
        word => !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c)),
    });
    is_legal.then_some(pattern)
}

/// Returns the parameters in the order of arguments: those of `parameterOrder`, others that are
/// required, the rest.
fn ordered<'a>(method: &Found<'a>, parameters: &'a [Member]) -> Vec<&'a Member> {
    let order = method.node().get("parameterOrder").map(Node::items).unwrap_or_default();
    let place = |member: &Member| {
        let place = order.iter().position(|name| name.as_str() == Some(&*member.key));
        (!is_required(member), place.unwrap_or(order.len()))
    };
    let mut ordered: Vec<_> = parameters.iter().collect();
    ordered.sort_by_key(|member| place(member)); // stable: the rest stays in the document's order
    ordered
}

fn is_required(member: &Member) -> bool {
    member.node.is_true("required") || member.node.str_of("location") == Some("path")
}

fn argument(member: &Member) -> Option<Argument> {
    let node = &member.node;
    let place = match node.str_of("location") {
        Some("path") => Place::Path,
        Some("query") => Place::Query,
        _ => return None,
    };
    let ty = scalar(node);
    let ty = if node.is_true("repeated") { Type::List(Box::new(ty)) } else { ty };
    Some(Argument {
        wire: member.key.clone(),
        name: member.key.clone(),
        docs: docs(node),
        ty,
        required: is_required(member),
        place,
        at: member.at.clone(),
    })
}

/// Numbers are numbers here, though a document calls those of 64 bits text: a query is text anyway.
fn scalar(node: &Node) -> Type {
    match (node.str_of("type").unwrap_or_default(), node.str_of("format").unwrap_or_default()) {
        ("string" | "integer", "int64") | ("integer", "") => Type::I64,
        ("string" | "integer", "uint64") => Type::U64,
        ("integer", "uint32") => Type::U32,
        ("integer", _) => Type::I32,
        ("number", "float") => Type::F32,
        ("number", _) => Type::F64,
        ("boolean", _) => Type::Bool,
        _ => Type::String,
    }
}

/// Returns the text about a parameter, with the words that are legal and what is taken if it is not
/// given.
fn docs(node: &Node) -> String {
    let mut docs = node.str_of("description").unwrap_or_default().to_owned();
    let words: Vec<_> = node.get("enum").map(Node::items).unwrap_or_default().iter().filter_map(Node::as_str).collect();
    if !words.is_empty() {
        docs += "\n\nOne of:\n";
    }
    for (index, word) in words.into_iter().enumerate() {
        docs.extend(["\n- `", word, "`"]);
        if let Some(text) = node.at_path(["enumDescriptions", &index.to_string()]).and_then(Node::as_str)
            && !text.is_empty()
        {
            docs += ": ";
            docs += text;
        }
    }
    if let Some(default) = node.str_of("default").filter(|default| !default.is_empty()) {
        docs.extend(["\n\nDefault: `", default, "`."]);
    }
    docs
}

/// Returns where the service looks for the start id. A parameter of the name alone is no proof: its
/// text says that the service knows a start call that comes again.
fn start_id(api: &Api<'_>, method: &Found<'_>, parameters: &[Member]) -> Option<StartId> {
    let says_so = |node: &Node| {
        let docs = node.str_of("description").unwrap_or_default().to_ascii_lowercase();
        node.str_of("type") == Some("string")
            && node.get("format").is_none()
            && ["retr", "idempot", "duplicat"].iter().any(|word| docs.contains(word))
    };
    let parameter = parameters.iter().find(|member| member.key == REQUEST_ID);
    if let Some(parameter) = parameter {
        let is_start_id = parameter.node.str_of("location") == Some("query") && says_so(&parameter.node);
        return is_start_id.then(|| StartId::Query(REQUEST_ID.to_owned()));
    }
    let body = api.schema(method.schema("request")?.as_str()?)?;
    body.at_path(["properties", REQUEST_ID]).filter(|node| says_so(node)).map(|_| StartId::Body(REQUEST_ID.to_owned()))
}
