//! One method: its documentation, its signature, and the one call that starts the operation.

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{Types, options};
use crate::{
    model::{Argument, Call, Method, Place, Routing, Service, StartId, Type},
    names::{self, Scope},
    types::json::documented,
};

/// The most arguments that a method has beside `self`: clippy takes more for a mistake.
const MOST_ARGUMENTS: usize = 6;

/// The longest path that has room in the line of the call.
const LONG_PATH: usize = 40;

/// A written method.
pub(super) struct Written {
    /// The method.
    pub(super) code: TokenStream,
    /// Its options struct.
    pub(super) options: Option<TokenStream>,
}

/// Returns the argument as it is passed.
fn passed(ty: &Type, types: &Types<'_>) -> TokenStream {
    let rust = types.rust(ty);
    match types.json.resolved(ty) {
        Type::String => quote!(&str),
        Type::Bool | Type::I32 | Type::I64 | Type::U32 | Type::U64 | Type::F32 | Type::F64 | Type::Quoted(_) => rust,
        Type::List(inner) => {
            let inner = types.rust(inner);
            quote!(&[#inner])
        }
        _ => quote!(&#rust),
    }
}

pub(super) fn write(
    service: &Service,
    method: &Method,
    (name, options_name): (&str, &str),
    attribute: &TokenStream,
    types: &Types<'_>,
) -> Written {
    let fits = |argument: &&Argument| argument.required || argument.place == Place::Body;
    let mut needed: Vec<&Argument> = method.arguments.iter().filter(fits).collect();
    let mut rest: Vec<&Argument> = method.arguments.iter().filter(|argument| !fits(argument)).collect();
    // What does not fit stands in the options: what is least seen first.
    while needed.len() + usize::from(!rest.is_empty()) > MOST_ARGUMENTS {
        let last = |is_place: fn(Place) -> bool| needed.iter().rposition(|argument| is_place(argument.place));
        let beside = |place| matches!(place, Place::Query | Place::QueryList | Place::Header);
        let Some(last) = last(beside).or_else(|| last(|place| place == Place::Path)) else { break };
        rest.insert(0, needed.remove(last));
    }
    let mut scope = Scope::with(&["options", "call", "path"]);
    let named: Vec<_> =
        needed.iter().map(|argument| (names::ident(&scope.take(&names::snake(&argument.name))), *argument)).collect();
    let parameters = named.iter().map(|(ident, argument)| {
        let ty = passed(&argument.ty, types);
        let ty = if argument.required { ty } else { quote!(Option<#ty>) };
        quote!(#ident: #ty)
    });
    let options = (!rest.is_empty()).then(|| options::write(options_name, name, &rest, types));
    let options_ident = names::ident(options_name);
    let options_parameter = options.as_ref().map(|_| quote!(options: &#options_ident));
    let parameters = parameters.chain(options_parameter);
    let call = call(service, method, &named, options.is_some());
    let docs =
        documented(&method.docs, &|name| types.link(name), || format!("Starts `{}`.", method.name.replace('`', "")));
    let deprecated = method.deprecated.then(|| quote!(#[deprecated = "the service's description calls it deprecated"]));
    let ident = names::ident(name);
    let code = quote! {
        #docs
        #deprecated
        #attribute
        pub async fn #ident(&self, #(#parameters),*) -> Result<RawOperation> { #call }
    };
    Written { code, options }
}

fn call(service: &Service, method: &Method, named: &[(Ident, &Argument)], has_options: bool) -> TokenStream {
    let body =
        named.iter().find(|(_, argument)| argument.place == Place::Body).map(|(ident, argument)| (ident, *argument));
    match &method.call {
        Call::Rpc { path, routing } => {
            let request = body.map_or_else(|| names::ident("request"), |(ident, _)| ident.clone());
            let mut scope = Scope::with(&["request", "options", "call", "path", &request.to_string()]);
            let routed: Vec<_> = routing.iter().map(|field| routed(&request, field, &mut scope)).collect();
            let values = routed.iter().filter_map(|(value, _)| value.as_ref());
            let calls = routed.iter().map(|(_, call)| call);
            // With the path in a line of its own, the call has room in one more.
            quote!(#(#values)* let path = #path; self.operations.call_message(path, #request) #(#calls)* .await)
        }
        Call::Http { verb, path, query, headers, start_id } => {
            let verb = names::ident(verb);
            let held = super::service::held(service).into_iter();
            let held = held.filter(|(_, held)| held.place != Place::Path || has_variable(path, &held.wire));
            let held = held.map(|(field, argument)| added(&quote!(&self.#field), argument));
            let query = query.iter().map(|(name, value)| quote!(.query(#name, #value)));
            let headers = headers.iter().map(|(name, value)| quote!(.header(#name, #value)));
            let arguments = named.iter().filter(|(_, argument)| argument.place != Place::Body);
            let arguments = arguments.map(
                |(ident, argument)| {
                    if argument.required { added(&quote!(#ident), argument) } else { quote!() }
                },
            );
            let id = start_id.as_ref().map(|place| match place {
                StartId::Header(name) => quote!(.start_id_in(StartIdIn::Header(#name))),
                StartId::Query(name) => quote!(.start_id_in(StartIdIn::Query(#name))),
                StartId::Body(name) => quote!(.start_id_in(StartIdIn::Body(#name))),
            });
            let body = match body {
                Some((ident, argument)) if !argument.required => quote!(.json(&#ident)),
                Some((ident, argument))
                    if matches!(
                        argument.ty,
                        Type::Bool | Type::I32 | Type::I64 | Type::U32 | Type::U64 | Type::F32 | Type::F64
                    ) =>
                {
                    quote!(.json(&#ident))
                }
                Some((ident, _)) => quote!(.json(#ident)),
                None => quote!(),
            };
            // A long path would be given a line of its own in any case, and two for the
            // parentheses.
            let is_long = path.len() > LONG_PATH;
            let before = is_long.then(|| quote!(let path = #path;));
            let path = if is_long { quote!(path) } else { quote!(#path) };
            let call =
                quote!(self.operations.call(Method::#verb, #path) #(#held)* #(#arguments)* #(#query)* #(#headers)* #id);
            if has_options {
                quote!(#before let call = #call; options.add_to(call) #body .await)
            } else {
                quote!(#before #call #body .await)
            }
        }
    }
}

/// Returns whether a template has this variable: `{name}`, `{name=…}`, `{+name}` or `{name+}`.
fn has_variable(path: &str, name: &str) -> bool {
    path.split('{').skip(1).any(|part| {
        let variable = part.split(['}', '=']).next().unwrap_or_default();
        variable.trim_matches('+') == name
    })
}

/// Returns the call of the builder that adds an argument.
pub(super) fn added(value: &TokenStream, argument: &Argument) -> TokenStream {
    let wire = &argument.wire;
    let is_list = matches!(argument.ty, Type::List(_));
    let joined = options::joined(value, &argument.ty);
    match argument.place {
        Place::Path if is_list => quote!(.path(#wire, #joined)),
        Place::Path => quote!(.path(#wire, #value)),
        Place::Query if is_list => quote!(.query_each(#wire, #value)),
        Place::QueryList if is_list => quote!(.query(#wire, #joined)),
        Place::Query | Place::QueryList => quote!(.query(#wire, #value)),
        Place::Header if is_list => quote!(.header(#wire, #joined)),
        Place::Header => quote!(.header(#wire, #value)),
        Place::Body => quote!(),
    }
}

/// Returns the call that adds a field of the request to the routing header, and before it the
/// value, if it takes more than to name it.
fn routed(request: &Ident, routing: &Routing, scope: &mut Scope) -> (Option<TokenStream>, TokenStream) {
    let key = &routing.key;
    let mut value = quote!(#request);
    let mut is_optional = false;
    let last = routing.fields.len().saturating_sub(1);
    for (at, field) in routing.fields.iter().enumerate() {
        let name = names::ident(&names::snake(&field.name));
        value = match (is_optional, field.is_optional) {
            (false, false) => quote!(#value.#name),
            (false, true) => quote!(#value.#name.as_ref()),
            // A field without a value is left out.
            (true, false) if at == last => quote!(#value.map_or("", |part| part.#name.as_str())),
            (true, false) => quote!(#value.map(|part| &part.#name)),
            (true, true) => quote!(#value.and_then(|part| part.#name.as_ref())),
        };
        let is_whole = at == last && is_optional && !field.is_optional;
        if at == last && !is_whole && (is_optional || field.is_optional) {
            value = quote!(#value.map_or("", |value| value.as_str()));
        }
        is_optional |= field.is_optional;
    }
    if !is_optional {
        return (None, quote!(.routing(#key, &#value)));
    }
    let field = routing.fields.last().map_or("value", |field| field.name.as_str());
    let name = names::ident(&scope.take(&names::snake(field)));
    (Some(quote!(let #name = #value;)), quote!(.routing(#key, #name)))
}
