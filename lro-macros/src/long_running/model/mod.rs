//! The model: what is to be generated. It cannot hold a wrong operation, so that expansion cannot fail.
//!
//! A mistake is reported and the model gets the nearest legal value in its place, so that callers of a method with a
//! mistake see that one mistake and no echo of it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::{Attribute, FnArg, Generics, Type, Visibility, ext::IdentExt};

use super::{
    args::{Args, Function, Level, Progress, Shape},
    docs, generics,
    returns::Form,
    settings::Poll,
    source::{Block, BlockKind, Member, Method, Source},
    types,
};
use crate::report::Report;

mod operation;

/// The whole item.
pub(crate) enum Model {
    Block { head: TokenStream, entries: Vec<Entry>, brace: Span },
    Function(Box<Entry>),
    Other(TokenStream),
}

/// One piece of it, in source order.
pub(crate) enum Entry {
    Verbatim(TokenStream),
    Operation(Box<Operation>),
}

/// One method and all that it brings along.
pub(crate) struct Operation {
    /// Path of `lro_runtime`.
    pub(crate) krate: TokenStream,
    /// `ImageClient.export_image`, which binds tokens to their method.
    pub(crate) label: String,
    /// `ImageClient::export_image`, for links.
    pub(crate) link: String,
    pub(crate) names: Names,
    pub(crate) vis: Visibility,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) deprecated: Vec<Attribute>,
    pub(crate) docs: Vec<String>,
    pub(crate) response: Type,
    pub(crate) metadata: Type,
    /// What the types mention, with their bounds as the author wrote them.
    pub(crate) generics: Generics,
    /// The same, fit for an operation to keep.
    pub(crate) kept: Generics,
    pub(crate) settings: Settings,
    pub(crate) method: Method,
    pub(crate) form: Form,
    /// None where it cannot be written, after a mistake.
    pub(crate) resume: Option<Resume>,
    /// Whether its types are generated; not if another method, by mistake, has types of the same name.
    pub(crate) has_types: bool,
}

/// Names of generated items.
pub(crate) struct Names {
    pub(crate) operation: Ident,
    pub(crate) state: Ident,
    pub(crate) resume: Ident,
}

/// What goes into the method's constant.
pub(crate) struct Settings {
    pub(crate) poll: Poll,
    pub(crate) pending: Option<Function>,
    pub(crate) progress: Option<Progress>,
    pub(crate) classify: Option<Function>,
    pub(crate) response_type: Option<syn::LitStr>,
    pub(crate) metadata_type: Option<syn::LitStr>,
    pub(crate) shape: Shape,
    pub(crate) options: Vec<(String, syn::LitStr)>,
    pub(crate) cancel: bool,
    pub(crate) delete: bool,
}

/// How the resume function is declared.
pub(crate) struct Resume {
    /// `&self`, or the arguments that `operations` names.
    pub(crate) inputs: Vec<FnArg>,
    pub(crate) generics: Generics,
    /// Where to look.
    pub(crate) operations: TokenStream,
    /// Whether it takes `Resume` itself: a trait whose methods return boxed futures is meant to be used as `dyn`.
    pub(crate) concrete: bool,
}

/// What surrounds a method.
struct Host {
    kind: HostKind,
    /// `ImageClient`; empty for a free function.
    path: String,
    generics: Generics,
    /// Names of the block's methods that are not ours.
    plain: Vec<Ident>,
}

enum HostKind {
    Impl,
    Trait(Visibility),
    Module,
}

/// Builds the model. `args` are those of the attribute that runs: the block's, or a free function's own.
pub(crate) fn build(args: TokenStream, source: Source, report: &mut Report) -> Model {
    match source {
        Source::Other(tokens) => Model::Other(tokens),
        Source::Block(block) => of_block(args, *block, report),
        Source::Function(method) => of_function(args, *method, report),
    }
}

fn of_function(args: TokenStream, method: Method, report: &mut Report) -> Model {
    if method.sig.receiver().is_some() || !method.has_body() || mentions_self(&method) {
        let message = "add `#[long_running]` on the `impl` block or trait that holds this method: an attribute on the \
                       method alone cannot write the operation's types beside the block";
        report.at(&method.sig.ident, message);
        return Model::Other(method.into_token_stream());
    }
    let host = Host { kind: HostKind::Module, path: String::new(), generics: Generics::default(), plain: Vec::new() };
    let args = Args::parse(args, Level::Method, report);
    Model::Function(Box::new(operation::entry(method, args, &host, report)))
}

fn mentions_self(method: &Method) -> bool {
    generics::mentions(&method.sig.to_token_stream(), &Ident::new("Self", Span::call_site()))
}

fn of_block(args: TokenStream, block: Block, report: &mut Report) -> Model {
    let defaults = Args::parse(args, Level::Block, report);
    block.mistakes.into_iter().for_each(|mistake| report.add(mistake));
    let plain = block.members.iter().filter_map(|member| match member {
        Member::Plain(name, _) => Some(name.clone()),
        _ => None,
    });
    let plain = plain.collect();
    let host = match block.kind {
        BlockKind::Impl(this) => {
            Host { kind: HostKind::Impl, path: types::path(&this), generics: block.generics, plain }
        }
        BlockKind::Trait { name, vis } => {
            Host { kind: HostKind::Trait(vis), path: name.unraw().to_string(), generics: block.generics, plain }
        }
    };
    let mut entries: Vec<Entry> =
        block.members.into_iter().map(|member| of_member(member, &defaults, &host, report)).collect();
    if !entries.iter().any(|entry| matches!(entry, Entry::Operation(_))) && report.is_empty() {
        report.at(&block.head, "no method of this block carries `#[long_running(response = …, metadata = …)]`: add it to those that start an operation");
    }
    collisions(&mut entries, report);
    Model::Block { head: block.head, entries, brace: block.brace }
}

fn of_member(member: Member, defaults: &Args, host: &Host, report: &mut Report) -> Entry {
    match member {
        Member::Verbatim(tokens) | Member::Plain(_, tokens) => Entry::Verbatim(tokens),
        Member::Method(method) => {
            let args = Args::parse(method.args.clone(), Level::Method, report).or(defaults, report);
            operation::entry(*method, args, host, report)
        }
    }
}

/// Two methods of one block whose types would have one name.
fn collisions(entries: &mut [Entry], report: &mut Report) {
    let mut seen: Vec<&Operation> = Vec::new();
    for entry in entries {
        let Entry::Operation(operation) = entry else { continue };
        let same = |other: &&Operation| other.names.state == operation.names.state;
        let apart = |other: &&Operation| docs::is_conditional(&other.attrs) && docs::is_conditional(&operation.attrs);
        if let Some(other) = seen.iter().copied().find(|other| same(other) && !apart(other)) {
            let message = format!(
                "`{}` and `{}` would both generate `{}`: give one of them another base with `name = \"…\"`",
                other.method.sig.ident, operation.method.sig.ident, operation.names.state
            );
            report.at(&operation.method.sig.ident, message);
            operation.has_types = false;
        }
        seen.push(operation);
    }
}
