//! Builds the operation of one method from its signature and its keys.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{Expr, FnArg, Pat, ext::IdentExt, spanned::Spanned};

use super::{
    super::{
        args::{Args, Shape},
        generics, inherited, returns,
        source::Method,
        types,
    },
    Entry, Host, HostKind, Names, Operation, Resume, Settings,
};
use crate::report::Report;

/// Returns the operation of one method, or the method unchanged if its signature cannot start an
/// operation.
pub(super) fn entry(mut method: Method, args: Args, host: &Host, report: &mut Report) -> Entry {
    let form = match returns::form(&method.sig) {
        Ok(form) => form,
        Err(error) => {
            report.add(error);
            return Entry::Verbatim(method.into_token_stream());
        }
    };
    let response = types::kept("response", args.response.as_ref(), &args, &method, report);
    let metadata = types::kept("metadata", args.metadata.as_ref(), &args, &method, report);
    let names = Names::new(args.name.as_ref(), &method.sig.ident, report);
    let generics = generics::chosen(&host.generics, &method.sig.generics, &quote!(#response #metadata));
    let resume = resume(&args, &method, &quote!(#response #metadata), host, report);
    let mut resume = resume.filter(|_| names.resume_is_free(&method, host, report));
    let name = method.sig.ident.unraw();
    let link = if host.path.is_empty() { name.to_string() } else { format!("{}::{name}", host.path) };
    let label = match host.path.rsplit("::").next() {
        None | Some("") => name.to_string(),
        Some(this) => format!("{this}.{name}"),
    };
    // The method and its resume function name the operation's type, so they need the bounds that
    // this type has.
    let kept_types = generics::types(&generics);
    let mut kept = generics.clone();
    generics::keep(&mut kept, &kept_types);
    generics::keep(&mut method.sig.generics, &kept_types);
    if let Some(resume) = &mut resume {
        generics::keep(&mut resume.generics, &kept_types);
    }
    Entry::Operation(Box::new(Operation {
        krate: krate(&args),
        label,
        link,
        names,
        vis: match &host.kind {
            // Methods of a trait have no visibility of their own.
            HostKind::Trait(vis) => vis.clone(),
            _ => method.vis.clone(),
        },
        attrs: inherited::attributes(&method.attrs),
        deprecated: inherited::deprecated(&method.attrs),
        docs: inherited::first_paragraph(&method.attrs, &host.path),
        response,
        metadata,
        generics,
        kept,
        settings: Settings::new(args, report),
        method,
        form,
        resume,
        has_types: true,
    }))
}

impl Names {
    fn new(name: Option<&syn::LitStr>, method: &Ident, report: &mut Report) -> Self {
        let span = method.span();
        let base =
            name.and_then(|name| types::upper_camel_base(name, report)).unwrap_or_else(|| types::upper_camel(method));
        if name.is_none() && base.starts_with(|c: char| !c.is_alphabetic()) {
            report.at(
                method,
                format!("no type can be named `{base}State`: name this method's types with `name = \"…\"`"),
            );
        }
        // A base that begins with a digit was reported above; `_` makes it an identifier all the
        // same.
        let ident = |suffix: &str| {
            syn::parse_str::<Ident>(&format!("{base}{suffix}")).unwrap_or_else(|_| format_ident!("_{base}{suffix}"))
        };
        let resume = format_ident!("resume_{}", method.unraw(), span = span);
        // Spanned at the method's name: rustc reports a clash with another type there.
        let [mut operation, mut state] = [ident("Operation"), ident("State")];
        operation.set_span(span);
        state.set_span(span);
        Self { operation, state, resume }
    }

    /// Whether no method of the author's has the resume function's name. Reports one that has.
    fn resume_is_free(&self, method: &Method, host: &Host, report: &mut Report) -> bool {
        let taken = host.plain.iter().find(|plain| **plain == self.resume);
        if let Some(plain) = taken {
            let (resume, method) = (&self.resume, &method.sig.ident);
            let message =
                format!("`{resume}` is what `#[long_running]` on `{method}` generates: rename one of the two");
            report.at(plain, message);
        }
        taken.is_none()
    }
}

impl Settings {
    fn new(args: Args, report: &mut Report) -> Self {
        let shape = args.shape.unwrap_or(Shape::Json);
        let mut flag = |name: &str, flag: Option<syn::LitBool>| {
            let at = flag.filter(|flag| flag.value)?.span();
            // What a wire type declares only rustc sees (see `expand/state.rs`), and what another
            // dialect can do is known at run time.
            if matches!(shape, Shape::Waiter(_)) {
                let message = format!(
                    "`{name}` beside `waiter`: a waiter has no {name} call, so remove `{name}`; if it is the block's \
                     default, write `{name} = false` on the method"
                );
                report.add(syn::Error::new(at, message));
                return None;
            }
            Some(at)
        };
        let (cancel, delete) = (flag("cancel", args.cancel), flag("delete", args.delete));
        Self {
            poll: args.poll,
            pending: args.pending,
            progress: args.progress,
            classify: args.classify,
            response_type: args.response_type,
            metadata_type: args.metadata_type,
            shape,
            options: args.options,
            cancel,
            delete,
        }
    }
}

/// Returns the path of `lro_runtime`.
fn krate(args: &Args) -> TokenStream {
    args.krate.as_ref().map_or_else(|| quote!(::lro_runtime), ToTokens::to_token_stream)
}

/// Returns how the resume function is declared, or `None` if no `Operations` is known to resume
/// with.
fn resume(args: &Args, method: &Method, types: &TokenStream, host: &Host, report: &mut Report) -> Option<Resume> {
    let concrete = matches!(host.kind, HostKind::Trait(_));
    let krate = krate(args);
    let has_self = method.sig.receiver().is_some();
    // Located at the word `long_running`: an error such as "no field `operations`" points at the
    // attribute.
    let at = Span::call_site().located_at(method.word);
    let operations = match (&args.operations, &host.kind) {
        // Already a reference: a second `&` would have to be undone by deref coercion.
        (Some(Expr::Reference(reference)), _) => reference.to_token_stream(),
        (Some(expr), _) => quote_spanned!(Span::call_site().located_at(expr.span())=> &#expr),
        (None, HostKind::Impl) if has_self => {
            quote_spanned!(at=> &#krate::__private::AddFieldOrKeyOperations(self).operations)
        }
        (None, HostKind::Trait(_)) if has_self => quote_spanned!(at=> &self.operations()),
        (None, _) => {
            let message = "missing `operations`: without `self` the resume function needs an expression for the \
                           `Operations` to poll with, like `operations = client`, where `client` is an argument";
            if !args.attempted.iter().any(|word| word == "operations") {
                report.at(types::place(method), message);
            }
            return None;
        }
    };
    let inputs: Vec<FnArg> = if has_self {
        vec![syn::parse_quote!(&self)]
    } else {
        method.sig.inputs.iter().filter(|input| is_named(input, &operations)).cloned().collect()
    };
    let generics = generics::chosen_inside(&host.generics, &method.sig.generics, &quote!(#types #(#inputs)*));
    Some(Resume { inputs, generics, operations, concrete })
}

/// Whether the expression mentions the argument by name.
fn is_named(input: &FnArg, expression: &TokenStream) -> bool {
    match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(pat) => generics::mentions(expression, &pat.ident),
            _ => false,
        },
        FnArg::Receiver(_) => false,
    }
}
