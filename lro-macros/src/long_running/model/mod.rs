//! The model: what to generate. It cannot hold an invalid operation, so expansion cannot fail.
//!
//! A mistake is reported, and the model gets a legal value in its place (`()` for a type, for
//! example). The method and its types are then generated all the same, and code that uses them
//! causes no further errors.

use proc_macro2::{Ident, Span, TokenStream};
use quote::ToTokens;
use syn::{Attribute, FnArg, Generics, Type, Visibility, ext::IdentExt};

use super::{
    args::{Args, Function, Level, Progress, Shape},
    generics, inherited,
    returns::Form,
    settings::Poll,
    source::{Block, BlockKind, Member, Method, Source},
    types,
};
use crate::report::Report;

mod operation;

/// The annotated item: a block, a free function, or an item that the attribute does not work on.
pub(crate) enum Model {
    Block { head: TokenStream, entries: Vec<Entry>, brace: Span },
    Function(Box<Entry>),
    Other(TokenStream),
}

/// One member of a block, in source order.
pub(crate) enum Entry {
    Verbatim(TokenStream),
    Operation(Box<Operation>),
}

/// One method, and everything that its generated items need.
pub(crate) struct Operation {
    /// Path of `lro_runtime`.
    pub(crate) krate: TokenStream,
    /// The method's name in tokens, to which they are bound: `ImageClient.export_image`.
    pub(crate) label: String,
    /// The method's path in doc links: `ImageClient::export_image`.
    pub(crate) link: String,
    pub(crate) names: Names,
    pub(crate) vis: Visibility,
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) deprecated: Vec<Attribute>,
    pub(crate) docs: Vec<String>,
    pub(crate) response: Type,
    pub(crate) metadata: Type,
    /// The parameters that the two types mention, with the author's bounds.
    pub(crate) generics: Generics,
    /// The same parameters with `Send + Sync + 'static` added, which an operation needs.
    pub(crate) kept: Generics,
    pub(crate) settings: Settings,
    pub(crate) method: Method,
    pub(crate) form: Form,
    /// The resume function, or `None` after a mistake that leaves nothing to write.
    pub(crate) resume: Option<Resume>,
    /// Whether its types are generated. `false` if another method has types of the same name, which
    /// is a mistake.
    pub(crate) has_types: bool,
}

impl Operation {
    /// Returns the attributes that every generated item needs: the conditions (`cfg(…)` and the
    /// like), without `doc(…)`, which is for the items that users see.
    pub(crate) fn conditions(&self) -> impl Iterator<Item = &Attribute> + Clone {
        self.attrs.iter().filter(|attr| !attr.path().is_ident("doc"))
    }
}

/// The names of the generated items.
pub(crate) struct Names {
    pub(crate) operation: Ident,
    pub(crate) state: Ident,
    pub(crate) resume: Ident,
}

/// The keys that end up in the method's constant and its capabilities.
pub(crate) struct Settings {
    pub(crate) poll: Poll,
    pub(crate) pending: Option<Function>,
    pub(crate) progress: Option<Progress>,
    pub(crate) classify: Option<Function>,
    pub(crate) response_type: Option<syn::LitStr>,
    pub(crate) metadata_type: Option<syn::LitStr>,
    pub(crate) shape: Shape,
    pub(crate) options: Vec<(String, syn::LitStr)>,
    /// The place of the flag, where the method has it.
    pub(crate) cancel: Option<Span>,
    pub(crate) delete: Option<Span>,
}

/// How the resume function is declared.
pub(crate) struct Resume {
    /// `&self`, or the arguments that the key `operations` names.
    pub(crate) inputs: Vec<FnArg>,
    pub(crate) generics: Generics,
    /// The expression of a reference to the `Operations` to resume with.
    pub(crate) operations: TokenStream,
    /// Whether the argument is `Resume` itself and not `impl Into<Resume>`.
    ///
    /// So it is in a trait: a generic method cannot be called on a `dyn`, and crates that mock
    /// traits refuse it.
    pub(crate) concrete: bool,
}

/// The block that contains a method, or the module of a free function.
struct Host {
    kind: HostKind,
    /// `ImageClient`; empty for a free function.
    path: String,
    generics: Generics,
    /// Names of the block's methods without the attribute.
    plain: Vec<Ident>,
}

enum HostKind {
    Impl,
    Trait(Visibility),
    Module,
}

/// Builds the model. `args` are those of the outermost attribute: the block's, or a free function's
/// own.
pub(crate) fn build(args: TokenStream, source: Source, report: &mut Report) -> Model {
    match source {
        Source::Other(tokens) => Model::Other(tokens),
        Source::Block(block) => of_block(args, *block, report),
        Source::Function(method) => of_function(args, *method, report),
    }
}

/// Builds the model of a free function. A method whose block lacks the attribute is a mistake.
fn of_function(args: TokenStream, method: Method, report: &mut Report) -> Model {
    // The attribute of a method runs by itself only if its block has none. There is no direct sign
    // of that: a receiver, a missing body or the word `Self` tell a method from a free function.
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

/// Builds the model of a block.
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
    // Methods report their own mistakes first; "no method carries the attribute" is only worth
    // saying after none of them.
    let mut entries: Vec<Entry> =
        block.members.into_iter().map(|member| of_member(member, &defaults, &host, report)).collect();
    if !entries.iter().any(|entry| matches!(entry, Entry::Operation(_))) && report.is_empty() {
        report.at(&block.head, "no method of this block carries `#[long_running(response = …, metadata = …)]`: add it to those that start an operation");
    }
    collisions(&mut entries, report);
    Model::Block { head: block.head, entries, brace: block.brace }
}

/// Builds the entry of one member. `defaults` are the keys of the block.
fn of_member(member: Member, defaults: &Args, host: &Host, report: &mut Report) -> Entry {
    match member {
        Member::Verbatim(tokens) | Member::Plain(_, tokens) => Entry::Verbatim(tokens),
        Member::Method(method) => {
            let args = Args::parse(method.args.clone(), Level::Method, report).or(defaults, report);
            operation::entry(*method, args, host, report)
        }
    }
}

/// Reports two methods of one block whose types would have the same name.
fn collisions(entries: &mut [Entry], report: &mut Report) {
    let mut seen: Vec<&Operation> = Vec::new();
    for entry in entries {
        let Entry::Operation(operation) = entry else { continue };
        let same = |other: &&Operation| other.names.state == operation.names.state;
        // Two methods under opposite `cfg`s share a name on purpose. The macro cannot evaluate a
        // `cfg`, so it believes that two conditional methods never exist together.
        let apart =
            |other: &&Operation| inherited::is_conditional(&other.attrs) && inherited::is_conditional(&operation.attrs);
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
