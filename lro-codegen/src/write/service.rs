//! One module: the client of a service, its methods and their options.

use std::collections::BTreeSet;

use proc_macro2::{Ident, TokenStream};
use quote::quote;

use super::{
    Row, Types,
    attribute::{attributes, shown},
    format::{Attribute, placeholder},
    method,
};
use crate::{
    model::{Argument, Call, Dialect, Service, Type},
    names::{self, Scope},
    types::json::{documentation, documented},
};

/// A written module.
pub(super) struct Written {
    pub(super) items: TokenStream,
    pub(super) attributes: Vec<Attribute>,
    pub(super) rows: Vec<Row>,
}

/// The names of a service's methods.
struct Names {
    /// The functions, in snake case.
    functions: Vec<String>,
    /// The bases of aliases and enums, where they are not those of the functions.
    aliases: Vec<Option<String>>,
    /// The structs of options.
    options: Vec<String>,
}

impl Names {
    fn of(service: &Service, client: &str) -> Self {
        let mut functions = Scope::with(&["new", "builder", "resume_new", "resume_builder"]);
        // What the module imports, and what the attribute writes beside each method.
        let mut types = Scope::with(&[
            client,
            "RawOperation",
            "Operations",
            "OperationsBuilder",
            "StartCall",
            "StartIdIn",
            "Method",
            "Result",
            "Option",
            "Azure",
            "Google",
            "Compute",
            "Http",
            "String",
            "Vec",
        ]);
        let mut names = Self { functions: vec![], aliases: vec![], options: vec![] };
        for method in &service.methods {
            let function = functions.take_prefixed(&names::snake(&method.name), "resume_");
            let own = names::camel(&function);
            let base = method.alias.as_deref().map_or_else(|| own.clone(), names::camel);
            let base = types.take_with(&base, &["Operation", "State"]);
            names.aliases.push((base != own).then_some(base));
            names.options.push(types.take(&format!("{own}Options")));
            names.functions.push(function);
        }
        names
    }
}

pub(super) fn write(service: &Service, client: &str, types: &Types<'_>) -> Written {
    let names = Names::of(service, client);
    let (block, own) = attributes(service, &names.aliases, types);
    let mut methods = vec![];
    let mut options = vec![];
    for (number, method) in service.methods.iter().enumerate() {
        let (Some(name), Some(options_name)) = (names.functions.get(number), names.options.get(number)) else {
            continue;
        };
        let written = method::write(service, method, (name, options_name), &placeholder(number + 1), types);
        methods.push(written.code);
        options.extend(written.options);
    }
    let place = placeholder(0);
    let client_ident = names::ident(client);
    let structure = structure(service, client, types);
    let imports = imports(service, &options, types);
    let items = quote! {
        #imports
        #structure
        #place
        impl #client_ident { #(#methods)* }
        #(#options)*
    };
    let rows = service.methods.iter().zip(&names.functions).map(|(method, function)| Row {
        method: format!("{client}::{function}"),
        response: shown(&types.rust(&method.response)),
        metadata: shown(&types.rust(&method.metadata)),
        dialect: format!("{:?}", method.dialect.as_ref().unwrap_or(&service.dialect)),
        at: method.at.clone(),
    });
    Written { items, attributes: std::iter::once(block).chain(own).collect(), rows: rows.collect() }
}

fn imports(service: &Service, options: &[TokenStream], types: &Types<'_>) -> TokenStream {
    let calls = || service.methods.iter().map(|method| &method.call);
    let starts_by_http = calls().any(|call| matches!(call, Call::Http { .. }));
    let has_start_id = calls().any(|call| matches!(call, Call::Http { start_id: Some(_), .. }));
    let own = service.methods.iter().filter_map(|method| method.dialect.as_ref());
    let own = own.filter(|dialect| **dialect != service.dialect);
    // Google's over REST is the library's own: it is named where it differs from the service's.
    let of_service = Some(&service.dialect).filter(|dialect| **dialect != Dialect::Google);
    let dialects: BTreeSet<&str> =
        of_service.into_iter().chain(own).filter_map(|dialect| Some(super::dialect(dialect)?.1)).collect();
    // In the order that rustfmt gives them.
    let named = [
        ("Operations", true),
        ("OperationsBuilder", true),
        ("RawOperation", true),
        ("Result", true),
        ("StartCall", !options.is_empty()),
        ("StartIdIn", has_start_id),
    ];
    let named = named.into_iter().filter(|(_, is_used)| *is_used).map(|(name, _)| names::ident(name));
    let mut runtime: Vec<TokenStream> = named.map(|name| quote!(#name)).collect();
    let dialects: Vec<_> = dialects.iter().map(|name| names::ident(name)).collect();
    match dialects.as_slice() {
        [] => {}
        [one] => runtime.push(quote!(dialect::#one)),
        several => runtime.push(quote!(dialect::{#(#several),*})),
    }
    if starts_by_http {
        runtime.push(quote!(http::Method));
    }
    runtime.push(quote!(long_running));
    let all = || {
        service.methods.iter().flat_map(|method| {
            method.arguments.iter().map(|argument| &argument.ty).chain([&method.response, &method.metadata])
        })
    };
    let json = all().any(|ty| types.names_json(ty)).then(|| {
        quote!(
            use super::types;
        )
    });
    let messages = all().any(|ty| types.is_at_home(ty)).then(|| {
        let home = types.home.iter().map(|part| names::ident(part));
        quote!(use super::messages #(::#home)* as pb;)
    });
    quote! { #messages #json use lro_runtime::{#(#runtime),*}; }
}

/// Returns what the client holds beside `operations`, under the names of its fields.
pub(super) fn held(service: &Service) -> Vec<(Ident, &Argument)> {
    let mut scope = Scope::with(&["operations"]);
    let fields = service.parameters.iter();
    fields.map(|held| (names::ident(&scope.take(&names::snake(&held.name))), held)).collect()
}

/// Writes the client and its two functions.
fn structure(service: &Service, client: &str, types: &Types<'_>) -> TokenStream {
    let docs = documented(&service.docs, &|name| types.link(name), || {
        format!("Starts the long-running operations of `{}`.", service.name.join(".").replace('`', ""))
    });
    let held = held(service);
    let fields = held.iter().map(|(field, argument)| {
        let ty = held_type(&argument.ty);
        quote!(#field: #ty)
    });
    let parameters = held.iter().map(|(field, argument)| match held_type(&argument.ty) {
        ty if ty.to_string() == "String" => quote!(#field: impl Into<String>),
        ty => quote!(#field: #ty),
    });
    let values = held.iter().map(|(field, argument)| match held_type(&argument.ty) {
        ty if ty.to_string() == "String" => quote!(#field: #field.into()),
        _ => quote!(#field),
    });
    let mut lines = vec![
        "Makes a client that sends its calls through `operations`: those of".to_owned(),
        "[`builder`](Self::builder), with credentials.".to_owned(),
    ];
    if !held.is_empty() {
        lines.push(String::new());
        for (field, argument) in &held {
            let docs = crate::docs::inline(&argument.docs);
            let docs =
                if docs.is_empty() { format!("`{}` of each call.", argument.wire.replace('`', "")) } else { docs };
            lines.extend(crate::docs::markdown(&format!("- `{field}`: {docs}")));
        }
    }
    let new_docs = documentation(&lines);
    let builder = builder(service);
    let client = names::ident(client);
    quote! {
        #docs
        #[derive(Clone, Debug)]
        pub struct #client { operations: Operations, #(#fields),* }
        impl #client {
            #builder
            #new_docs
            #[must_use]
            pub fn new(operations: Operations, #(#parameters),*) -> Self { Self { operations, #(#values),* } }
        }
    }
}

fn held_type(ty: &Type) -> TokenStream {
    match ty {
        Type::Bool => quote!(bool),
        Type::I32 => quote!(i32),
        Type::I64 => quote!(i64),
        _ => quote!(String),
    }
}

fn builder(service: &Service) -> TokenStream {
    let base = &service.base;
    let query = service.query.iter().map(|(name, value)| quote!(.query(#name, #value)));
    let dialect = match &service.dialect {
        Dialect::Google => None,
        Dialect::Grpc => Some(quote!(.grpc())),
        named => super::dialect(named).map(|(expression, _)| {
            let expression: TokenStream = expression.parse().unwrap_or_default();
            quote!(.dialect(#expression))
        }),
    };
    let (docs, parameter, base) = if base.is_empty() {
        let docs = "Begins to build what the calls are sent through, to the service at `base_url`.".to_owned();
        (docs, Some(quote!(base_url: impl Into<String>)), quote!(base_url))
    } else {
        (
            format!(
                "Begins to build what the calls are sent through, to <{}>.",
                base.replace(['<', '>', '`', ' '], "")
            ),
            None,
            quote!(#base),
        )
    };
    let docs = documentation(&[docs]);
    quote! {
        #docs
        pub fn builder(#parameter) -> OperationsBuilder { Operations::builder(#base) #dialect #(#query)* }
    }
}

impl Types<'_> {
    /// Returns whether a type is one of the module `types`, or made of one.
    fn names_json(&self, ty: &Type) -> bool {
        match self.json.resolved(ty) {
            Type::Named(id) => self.json.name(id).is_some(),
            Type::Quoted(inner) | Type::List(inner) | Type::Map(inner) | Type::Option(inner) => self.names_json(inner),
            _ => false,
        }
    }

    /// Returns whether a type is a message of the module that is imported as `pb`, or may be one.
    fn is_at_home(&self, ty: &Type) -> bool {
        match ty {
            Type::Message(name) => {
                let path = self.messages.get(name).filter(|_| !self.home.is_empty());
                path.is_some_and(|path| path.starts_with(&self.home))
            }
            Type::Option(inner) => self.is_at_home(inner),
            _ => false,
        }
    }
}
