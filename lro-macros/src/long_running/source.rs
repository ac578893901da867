//! What the author wrote: the header and the signatures parsed, every body left as tokens.

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

/// The item under the attribute.
pub(crate) enum Source {
    Block(Box<Block>),
    Function(Box<Method>),
    /// Nothing the attribute works on (already reported); handed back as it came.
    Other(TokenStream),
}

/// An `impl` block or a trait.
pub(crate) struct Block {
    /// All tokens before the braces.
    pub(crate) head: TokenStream,
    pub(crate) kind: BlockKind,
    pub(crate) generics: Generics,
    pub(crate) members: Vec<Member>,
    pub(crate) brace: Span,
    /// Misplaced attributes; the members are there without them.
    pub(crate) mistakes: Vec<syn::Error>,
}

pub(crate) enum BlockKind {
    Impl(Box<Type>),
    Trait { name: Ident, vis: Visibility },
}

/// One item of a block, in source order.
pub(crate) enum Member {
    /// Not ours: handed on as written.
    Verbatim(TokenStream),
    /// A method without the attribute; its name matters only for collisions.
    Plain(Ident, TokenStream),
    Method(Box<Method>),
}

/// A function that carries the attribute.
pub(crate) struct Method {
    /// All attributes but ours.
    pub(crate) attrs: Vec<Attribute>,
    /// What the method's own attribute says.
    pub(crate) args: TokenStream,
    /// Our attribute, for mistakes about what it does not say.
    pub(crate) marker: TokenStream,
    /// The word `long_running` in it, for mistakes in what it stands for.
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

/// Reads the item; one that is not ours is reported and kept.
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

/// The word that says what kind of item comes next: the first that no other kind could begin with.
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
    let header: TokenStream = tokens.into_iter().collect();
    let (kind, generics) = of(quote!(#vis #header {}))?;
    let mut mistakes = Vec::new();
    let members = (|input: ParseStream<'_>| members(input, &mut mistakes)).parse2(braces.stream())?;
    let head = quote!(#(#attrs)* #vis #header);
    Ok(Source::Block(Box::new(Block { head, kind, generics, members, brace: braces.span(), mistakes })))
}

/// Reads the tokens before the braces, followed by empty ones.
type Header = fn(TokenStream) -> Result<(BlockKind, Generics)>;

fn of_trait(header: TokenStream) -> Result<(BlockKind, Generics)> {
    let item: ItemTrait = syn::parse2(header)?;
    Ok((BlockKind::Trait { name: item.ident, vis: item.vis }, item.generics))
}

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
        "`#[long_running]` goes on a method; this is none"
    }
}

/// An item that is handed back keeps none of our attributes inside: each would run, and complain, by itself.
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

/// `#[long_running]`, under whatever path it is imported.
fn is_ours(attr: &Attribute) -> bool {
    is_long_running(attr.path())
}

fn is_long_running(path: &syn::Path) -> bool {
    path.segments.last().is_some_and(|segment| segment.ident == "long_running")
}

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

/// The rest of an item that is no function: a macro call ends with its braces, everything else with `;`.
fn until_end(input: ParseStream<'_>) -> Result<TokenStream> {
    let mut tokens = TokenStream::new();
    let mut bang = false;
    loop {
        let token: TokenTree = input.parse()?;
        let end = match &token {
            TokenTree::Punct(punct) => punct.as_char() == ';',
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

/// Braces around tokens, at the place of the author's braces.
pub(crate) fn braces(tokens: TokenStream, span: Span) -> Group {
    let mut group = Group::new(Delimiter::Brace, tokens);
    group.set_span(span);
    group
}
