//! Reads the annotated item: parses its header and the signatures, and leaves every body as tokens.
//!
//! Bodies stay tokens for two reasons. Parsing them would cost compile time in every SDK, and a
//! syntax error in a body is for rustc to report: it does so better than `syn`, and an editor gets
//! an expansion while a body is being typed.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::{
    Attribute, Generics, ItemImpl, ItemTrait, Meta, Result, Signature, Token, Type, Visibility,
    ext::IdentExt,
    parse::{ParseStream, Parser},
    spanned::Spanned,
    token,
};

use crate::report::Report;

/// The item that the attribute is on.
pub(crate) enum Source {
    Block(Box<Block>),
    Function(Box<Method>),
    /// An item that the attribute does not work on. The mistake is reported already; the item is
    /// emitted as it is.
    Other(TokenStream),
}

/// An `impl` block or a trait.
pub(crate) struct Block {
    /// All tokens before the braces, attributes included.
    pub(crate) head: TokenStream,
    pub(crate) kind: BlockKind,
    pub(crate) generics: Generics,
    pub(crate) members: Vec<Member>,
    pub(crate) brace: Span,
    /// Mistakes about misplaced attributes. `members` does not have these attributes any more.
    pub(crate) mistakes: Vec<syn::Error>,
}

pub(crate) enum BlockKind {
    Impl(Box<Type>),
    Trait { name: Ident, vis: Visibility },
}

/// One item of a block, in source order.
pub(crate) enum Member {
    /// Not a method: emitted as written.
    Verbatim(TokenStream),
    /// A method without the attribute, emitted as written. Its name matters for collisions only.
    Plain(Ident, TokenStream),
    Method(Box<Method>),
}

/// A function that carries the attribute.
pub(crate) struct Method {
    /// All attributes but `#[long_running]`.
    pub(crate) attrs: Vec<Attribute>,
    /// The arguments of the method's own `#[long_running]`.
    pub(crate) args: TokenStream,
    /// The method's own `#[long_running]`, the place of mistakes such as a missing key. Empty for a
    /// free function.
    pub(crate) marker: TokenStream,
    /// The word `long_running` in it, the place of mistakes in generated code. For a free function,
    /// its name.
    pub(crate) word: Span,
    pub(crate) vis: Visibility,
    pub(crate) default: Option<Token![default]>,
    pub(crate) sig: Signature,
    /// The braces, or the `;` of a trait method without body.
    pub(crate) body: TokenTree,
}

impl Method {
    pub(crate) fn has_body(&self) -> bool {
        matches!(self.body, TokenTree::Group(_))
    }
}

impl ToTokens for Method {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Self { attrs, vis, default, sig, body, .. } = self;
        tokens.extend(quote!(#(#attrs)* #vis #default #sig #body));
    }
}

/// Reads the item. One that the attribute does not work on is reported and kept as it is.
pub(crate) fn parse(item: TokenStream, report: &mut Report) -> Source {
    match item_parser.parse2(item.clone()) {
        Ok(source) => source,
        Err(error) => {
            report.add(error);
            Source::Other(without_ours(item))
        }
    }
}

fn item_parser(input: ParseStream<'_>) -> Result<Source> {
    let attrs = input.call(Attribute::parse_outer)?;
    let vis: Visibility = input.parse()?;
    match keyword(input).as_deref() {
        Some("impl") => block(&attrs, &vis, input, of_impl),
        Some("trait") => block(&attrs, &vis, input, of_trait),
        Some("fn") => Ok(Source::Function(Box::new(method(attrs, vis, input)?))),
        _ => Err(input.error("`#[long_running]` goes on an `impl` block, a trait or a function")),
    }
}

/// Returns the word that says which kind of item comes next.
///
/// Other words may come before it (`unsafe`, `const`, `async`, `extern "C"`), so this is the first
/// word that decides. `=` and the kinds of item that are not ours end the search, or it would find
/// an `fn` inside of them.
fn keyword(input: ParseStream<'_>) -> Option<String> {
    let words = input.fork().parse::<TokenStream>().ok()?.into_iter().map(|token| token.to_string());
    words
        .into_iter()
        .find(|word| matches!(word.as_str(), "impl" | "trait" | "fn" | "struct" | "enum" | "mod" | "type" | "="))
}

fn block(attrs: &[Attribute], vis: &Visibility, input: ParseStream<'_>, of: Header) -> Result<Source> {
    let mut tokens: Vec<TokenTree> = input.parse::<TokenStream>()?.into_iter().collect();
    let Some(TokenTree::Group(braces)) = tokens.pop() else {
        return Err(syn::Error::new(Span::call_site(), "expected a block in braces"));
    };
    // `syn` parses the header with empty braces after it, and so never sees the members.
    let header: TokenStream = tokens.into_iter().collect();
    let (kind, generics) = of(quote!(#vis #header {}))?;
    let mut mistakes = Vec::new();
    let members = (|input: ParseStream<'_>| members(input, &mut mistakes)).parse2(braces.stream())?;
    let head = quote!(#(#attrs)* #vis #header);
    Ok(Source::Block(Box::new(Block { head, kind, generics, members, brace: braces.span(), mistakes })))
}

/// Parses the tokens of a block whose braces are empty.
type Header = fn(TokenStream) -> Result<(BlockKind, Generics)>;

fn of_trait(header: TokenStream) -> Result<(BlockKind, Generics)> {
    let item: ItemTrait = syn::parse2(header)?;
    Ok((BlockKind::Trait { name: item.ident, vis: item.vis }, item.generics))
}

/// Parses the header of an `impl` block. One that implements a trait is a mistake.
fn of_impl(header: TokenStream) -> Result<(BlockKind, Generics)> {
    let item: ItemImpl = syn::parse2(header)?;
    let Some((path, _)) = item.trait_ else {
        return Ok((BlockKind::Impl(item.self_ty), item.generics));
    };
    let name = path.segments.last().map_or_else(String::new, |segment| segment.ident.to_string());
    let message = format!(
        "a trait's operations are declared once, on the trait: put `#[long_running]` on `trait {name}` and remove it \
         here; this block's methods then return the typed operations"
    );
    Err(syn::Error::new_spanned(path, message))
}

fn members(input: ParseStream<'_>, mistakes: &mut Vec<syn::Error>) -> Result<Vec<Member>> {
    // Inner attributes of the block (`#![allow(…)]`) stay at its beginning.
    let inner = input.call(Attribute::parse_inner)?;
    let mut members = vec![Member::Verbatim(quote!(#(#inner)*))];
    while !input.is_empty() {
        members.push(member(input, mistakes)?);
    }
    Ok(members)
}

fn member(input: ParseStream<'_>, mistakes: &mut Vec<syn::Error>) -> Result<Member> {
    let attrs = input.call(Attribute::parse_outer)?;
    let (ours, attrs): (Vec<_>, Vec<_>) = attrs.into_iter().partition(is_ours);
    let vis: Visibility = input.parse()?;
    let is_function = is_function(input);
    // One attribute on a function is right. Every further one, and any on another member, is a
    // mistake.
    let misplaced = ours.iter().skip(usize::from(is_function));
    mistakes.extend(misplaced.map(|attr| syn::Error::new_spanned(attr, misplacement(is_function))));
    if !is_function {
        let rest = until_end(input)?;
        return Ok(Member::Verbatim(quote!(#(#attrs)* #vis #rest)));
    }
    let mut method = method(attrs, vis, input)?;
    let Some(attr) = ours.first() else {
        return Ok(Member::Plain(method.sig.ident.clone(), method.into_token_stream()));
    };
    if let Meta::List(list) = &attr.meta {
        method.args = list.tokens.clone();
    }
    method.marker = attr.to_token_stream();
    method.word = attr.path().span();
    Ok(Member::Method(Box::new(method)))
}

fn misplacement(is_function: bool) -> &'static str {
    if is_function {
        "a second `#[long_running]` on one method; write its keys into the first"
    } else {
        "`#[long_running]` goes on a method, and this is not a method"
    }
}

/// Removes every `#[long_running]` inside an item that is emitted as it is.
///
/// Otherwise each of them would be expanded by itself, and report mistakes of its own.
fn without_ours(item: TokenStream) -> TokenStream {
    let mut output: Vec<TokenTree> = Vec::new();
    for token in item {
        match token {
            TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => {
                output.push(braces(without_ours(group.stream()), group.span()).into());
            }
            TokenTree::Group(group) if group.delimiter() == Delimiter::Bracket => {
                let hash = matches!(output.last(), Some(TokenTree::Punct(punct)) if punct.as_char() == '#');
                let ours = syn::parse2::<Meta>(group.stream()).is_ok_and(|meta| is_long_running(meta.path()));
                if hash && ours {
                    output.pop();
                } else {
                    output.push(group.into());
                }
            }
            other => output.push(other),
        }
    }
    output.into_iter().collect()
}

/// Whether this is `#[long_running]`, by any path (`#[lro_runtime::long_running]`).
fn is_ours(attr: &Attribute) -> bool {
    is_long_running(attr.path())
}

fn is_long_running(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|segment| segment.ident == "long_running")
}

/// Whether a function comes next. Looks ahead over its qualifiers, without taking anything from the
/// input.
fn is_function(input: ParseStream<'_>) -> bool {
    let fork = input.fork();
    while fork.peek(Ident::peek_any) {
        match fork.call(Ident::parse_any).map(|word| word.to_string()).as_deref() {
            Ok("fn") => return true,
            Ok("const" | "async" | "unsafe" | "safe" | "default") => {}
            Ok("extern") => drop(fork.parse::<Option<syn::LitStr>>()),
            _ => return false,
        }
    }
    false
}

/// Reads a function from its qualifiers to its body, which stays one token.
fn method(attrs: Vec<Attribute>, vis: Visibility, input: ParseStream<'_>) -> Result<Method> {
    let default = if input.peek(Token![default]) { Some(input.parse()?) } else { None };
    let sig: Signature = input.parse()?;
    if !input.peek(token::Brace) && !input.peek(Token![;]) {
        return Err(input.error("expected a body in braces or `;`"));
    }
    let body = input.parse()?;
    let word = sig.ident.span();
    Ok(Method { attrs, args: TokenStream::new(), marker: TokenStream::new(), word, vis, default, sig, body })
}

/// Returns the rest of a member that is not a function: a macro call may end with its braces,
/// everything else with `;`.
fn until_end(input: ParseStream<'_>) -> Result<TokenStream> {
    let mut tokens = TokenStream::new();
    let mut bang = false;
    loop {
        let token: TokenTree = input.parse()?;
        let end = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
            // Braces after `!` end the member. Other braces are part of a value:
            // `const LIMIT: Limit = Limit { … };`.
            TokenTree::Group(group) => bang && group.delimiter() == Delimiter::Brace,
            _ => false,
        };
        bang = matches!(&token, TokenTree::Punct(punct) if punct.as_char() == '!');
        tokens.extend([token]);
        if end {
            return Ok(tokens);
        }
    }
}

/// Returns braces around tokens, spanned at the author's braces: errors about a whole body then
/// point at it.
pub(crate) fn braces(tokens: TokenStream, span: Span) -> Group {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(span);
    group
}
