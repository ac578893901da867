//! JSON types: plain structs and enums of serde.
//!
//! Every member is an `Option`, since services leave out what their descriptions require, and what
//! is absent is not what is empty. Enums keep words that the description does not have, since
//! services add some. (typify was looked at: it refuses both.)

use std::collections::BTreeMap;

use proc_macro2::TokenStream;
use quote::quote;

use super::reached;
use crate::{
    docs,
    model::{EnumValue, Field, Model, Shape, Type, TypeDef, TypeId},
    names::{self, Scope},
    report::Report,
};

/// What the module of types means by these names already.
const TAKEN: [&str; 12] = [
    "BTreeMap",
    "Box",
    "Clone",
    "Debug",
    "Default",
    "Deserialize",
    "Map",
    "Option",
    "PartialEq",
    "Serialize",
    "String",
    "Vec",
];

/// The JSON types that methods reach, with their names.
pub(crate) struct JsonTypes<'a> {
    model: &'a Model,
    names: BTreeMap<&'a TypeId, String>,
    groups: BTreeMap<&'a TypeId, usize>,
    /// The types that the user has written, by their id or their name, with their paths in Rust.
    externs: &'a BTreeMap<String, String>,
}

impl<'a> JsonTypes<'a> {
    pub(crate) fn new(model: &'a Model, externs: &'a BTreeMap<String, String>, report: &mut Report) -> Self {
        let reached = reached::reached(model);
        let groups = reached::groups(model, &reached);
        let mut scope = Scope::with(&TAKEN);
        let mut names = BTreeMap::new();
        for id in reached {
            let Some(def) = model
                .types
                .get(id)
                .filter(|def| !matches!(def.shape, Shape::Alias(_)) && external(externs, id, def).is_none())
            else {
                continue;
            };
            let wanted = names::camel(&def.name);
            let name = scope.take(&wanted);
            if name != wanted {
                report.note(&def.at, &def.name, format!("its name is taken: the type is `{name}`"));
            }
            names.insert(id, name);
        }
        Self { model, names, groups, externs }
    }

    /// Returns whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the name of a type that is written.
    pub(crate) fn name(&self, id: &str) -> Option<&str> {
        self.names.get(&id.to_owned()).map(String::as_str)
    }

    /// Returns a type as Rust, where the types of this module are below `path`.
    pub(crate) fn rust(&self, ty: &Type, path: &TokenStream) -> TokenStream {
        match self.resolved(ty) {
            Type::Unit => quote!(()),
            Type::Bool => quote!(bool),
            Type::I32 => quote!(i32),
            Type::I64 => quote!(i64),
            Type::U32 => quote!(u32),
            Type::U64 => quote!(u64),
            Type::F32 => quote!(f32),
            Type::F64 => quote!(f64),
            Type::String => quote!(String),
            // Messages are named by who knows the module that they are in.
            Type::Value | Type::Message(_) => quote!(serde_json::Value),
            Type::Quoted(inner) => self.rust(inner, path),
            Type::List(inner) => {
                let inner = self.rust(&in_container(self.resolved(inner)), path);
                quote!(Vec<#inner>)
            }
            Type::Map(inner) => {
                let inner = self.rust(&in_container(self.resolved(inner)), path);
                quote!(std::collections::BTreeMap<String, #inner>)
            }
            Type::Option(inner) => {
                let inner = self.rust(inner, path);
                quote!(Option<#inner>)
            }
            Type::Named(id) => {
                if let Some(name) = self.names.get(id) {
                    let name = names::ident(name);
                    quote!(#path #name)
                } else {
                    let path = self.model.types.get(id).and_then(|def| external(self.externs, id, def));
                    path.and_then(|path| syn::parse_str(path).ok()).unwrap_or_else(|| quote!(serde_json::Value))
                }
            }
            Type::Path(path) => syn::parse_str(path).unwrap_or_else(|_| quote!(serde_json::Value)),
        }
    }

    /// Follows names that only stand for another type. Those that stand for themselves, or for a
    /// list of themselves, are anything.
    pub(crate) fn resolved<'t>(&'t self, mut ty: &'t Type) -> &'t Type {
        if !self.ends(ty) {
            return &Type::Value;
        }
        while let Some(target) = self.alias(ty) {
            ty = target;
        }
        ty
    }

    /// Returns what a name only stands for.
    fn alias<'t>(&'t self, ty: &Type) -> Option<&'t Type> {
        let Type::Named(id) = ty else { return None };
        match &self.model.types.get(id)?.shape {
            Shape::Alias(target) => Some(target),
            _ => None,
        }
    }

    /// Returns whether a type ends in one that stands for nothing else, and does so soon: what is
    /// nested deeper than this is a mistake, or an attack.
    fn ends<'t>(&'t self, mut ty: &'t Type) -> bool {
        for _ in 0..64 {
            ty = match ty {
                Type::Quoted(inner) | Type::List(inner) | Type::Map(inner) | Type::Option(inner) => inner,
                ty => match self.alias(ty) {
                    Some(target) => target,
                    None => return true,
                },
            };
        }
        false
    }

    /// Returns the items of the module of types.
    pub(crate) fn items(&self) -> TokenStream {
        let items = self.names.iter().filter_map(|(id, name)| {
            let def = self.model.types.get(*id)?;
            match &def.shape {
                Shape::Struct { fields, open } => Some(self.structure(id, name, def, fields, *open)),
                Shape::Enum(values) => Some(enumeration(name, def, values)),
                Shape::Alias(_) => None,
            }
        });
        let items: TokenStream = items.collect();
        quote! {
            use serde::{Deserialize, Serialize};
            #items
        }
    }

    fn structure(&self, id: &TypeId, name: &str, def: &TypeDef, fields: &[Field], open: bool) -> TokenStream {
        let docs = documented(&def.docs, &|_| None, || {
            format!("`{}` of the description.", docs::inline(&def.name).replace('`', ""))
        });
        let mut scope = Scope::default();
        let fields: Vec<_> = fields.iter().map(|field| (scope.take(&names::snake(&field.wire)), field)).collect();
        // Most descriptions write names in camel case: said once, and not at each member.
        let in_camel_case = fields.iter().filter(|(name, field)| *name != field.wire && camel_case(name) == field.wire);
        let is_camel = in_camel_case.count() > 1;
        let rename_all = is_camel.then(|| quote!(#[serde(rename_all = "camelCase")]));
        let members = fields.iter().map(|(name, field)| self.member(id, name, field, is_camel));
        let rest = open.then(|| {
            let name = names::ident(&scope.take("others"));
            quote! {
                /// The members that the description does not name here.
                #[serde(flatten)]
                pub #name: serde_json::Map<String, serde_json::Value>,
            }
        });
        let name = names::ident(name);
        quote! {
            #docs
            #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
            #rename_all
            pub struct #name { #(#members)* #rest }
        }
    }

    fn member(&self, id: &TypeId, name: &str, field: &Field, is_camel: bool) -> TokenStream {
        let docs = documented(&field.docs, &|name| self.name(name).map(str::to_owned), || {
            format!("The member `{}`.", docs::inline(&field.wire).replace('`', ""))
        });
        let as_written = if is_camel { camel_case(name) } else { name.to_owned() };
        let mut serde = vec![];
        if as_written != field.wire {
            let wire = &field.wire;
            serde.push(quote!(rename = #wire));
        }
        let mut ty = self.resolved(&field.ty);
        while let Type::Option(inner) = ty {
            ty = self.resolved(inner);
        }
        match ty {
            Type::Quoted(_) => serde.push(quote!(with = "lro_runtime::quoted", default)),
            Type::List(inner) if matches!(self.resolved(inner), Type::Quoted(_)) => {
                serde.push(quote!(with = "lro_runtime::quoted::list", default));
            }
            _ => {}
        }
        let read_only = field.read_only.then(|| quote!(skip_serializing));
        serde.push(read_only.unwrap_or_else(|| quote!(skip_serializing_if = "Option::is_none")));
        let rust = match ty {
            Type::List(inner) if matches!(self.resolved(inner), Type::Quoted(_)) => {
                let inner = self.rust(self.resolved(inner), &quote!());
                quote!(Vec<#inner>)
            }
            Type::Unit => quote!(serde_json::Value),
            ty => self.rust(ty, &quote!()),
        };
        let holds_itself = matches!(ty, Type::Named(other) if self.groups.get(other) == self.groups.get(id));
        let rust = if holds_itself { quote!(Box<#rust>) } else { rust };
        let name = names::ident(name);
        quote! {
            #docs
            #[serde(#(#serde),*)]
            pub #name: Option<#rust>,
        }
    }
}

/// Returns the path of a type that the user has written.
fn external<'a>(externs: &'a BTreeMap<String, String>, id: &str, def: &TypeDef) -> Option<&'a str> {
    externs.get(id).or_else(|| externs.get(&def.name)).map(String::as_str)
}

/// Inside of lists and maps, numbers that are written as text stay text, unless they are directly
/// in a list that is a member.
fn in_container(ty: &Type) -> Type {
    match ty {
        Type::Quoted(_) => Type::String,
        Type::Unit => Type::Value,
        ty => ty.clone(),
    }
}

fn enumeration(name: &str, def: &TypeDef, values: &[EnumValue]) -> TokenStream {
    let docs = documented(&def.docs, &|_| None, || {
        format!("`{}` of the description.", docs::inline(&def.name).replace('`', ""))
    });
    let mut scope = Scope::default();
    let prefix = shared_prefix(&def.name, values);
    let mut seen = std::collections::BTreeSet::new();
    let variants: Vec<_> = values
        .iter()
        .filter(|value| seen.insert(&value.wire))
        .map(|value| {
            let wire = &value.wire;
            let docs =
                documented(&value.docs, &|_| None, || format!("The word `{}`.", docs::inline(wire).replace('`', "")));
            let wanted = names::camel(value.wire.get(prefix..).unwrap_or(&value.wire));
            let name = names::ident(&scope.take(&wanted));
            let rename = (name != wire).then(|| quote!(#[serde(rename = #wire)]));
            quote! { #docs #rename #name, }
        })
        .collect();
    let name = names::ident(name);
    let other = names::ident(&scope.take("Other"));
    quote! {
        #docs
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
        #[non_exhaustive]
        pub enum #name {
            #(#variants)*
            /// A word that the description does not have.
            #[serde(untagged)]
            #other(String),
        }
    }
}

/// Returns how long the words' shared beginning is, if it is the name of the enumeration, as in
/// protos: `STATE_ACTIVE` of `State`.
fn shared_prefix(name: &str, values: &[EnumValue]) -> usize {
    let mut prefix = names::snake(name).to_uppercase();
    prefix.push('_');
    let is_shared = values.iter().all(|value| value.wire.len() > prefix.len() && value.wire.starts_with(&prefix));
    if is_shared { prefix.len() } else { 0 }
}

/// Returns documentation, or what is said where the description says nothing.
pub(crate) fn documented(text: &str, find: docs::Find<'_>, otherwise: impl FnOnce() -> String) -> TokenStream {
    let lines = docs::linked(text, find);
    let lines = if lines.is_empty() { vec![otherwise()] } else { lines };
    documentation(&lines)
}

/// Returns lines as documentation.
pub(crate) fn documentation(lines: &[String]) -> TokenStream {
    let lines = lines.iter().map(|line| if line.is_empty() { String::new() } else { format!(" {line}") });
    quote!(#(#[doc = #lines])*)
}

/// Returns what serde's `rename_all = "camelCase"` makes of a field's name.
fn camel_case(name: &str) -> String {
    let mut parts = name.split('_');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let mut chars = part.chars();
        out.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        out.push_str(chars.as_str());
    }
    out
}
