//! The arguments of the attribute, each value of the right kind; what they mean together is for the model.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Expr, ExprClosure, ExprPath, LitBool, LitStr, Path, Result, Token, Type};

use super::keys;
use super::report::Report;
use super::settings::Poll;

/// Where the attribute stands: on a block its keys are defaults, on a method they are the method's own.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Level {
    Block,
    Method,
}

/// What was written, key by key.
#[derive(Clone, Default)]
pub(crate) struct Args {
    pub(crate) response: Option<Type>,
    pub(crate) metadata: Option<Type>,
    pub(crate) name: Option<LitStr>,
    pub(crate) operations: Option<Expr>,
    pub(crate) poll: Poll,
    pub(crate) cancel: Option<bool>,
    pub(crate) delete: Option<bool>,
    pub(crate) pending: Option<Function>,
    pub(crate) progress: Option<Progress>,
    pub(crate) classify: Option<Function>,
    pub(crate) response_type: Option<LitStr>,
    pub(crate) metadata_type: Option<LitStr>,
    pub(crate) shape: Option<Shape>,
    /// Options of the dialect, in source order.
    pub(crate) options: Vec<(String, LitStr)>,
    pub(crate) krate: Option<Path>,
    /// Every key that was written or meant, also where its value was a mistake: it is not missing.
    pub(crate) attempted: Vec<String>,
}

/// How the service writes: by an encoding we know, or as a type declares.
#[derive(Clone)]
pub(crate) enum Shape {
    Json,
    Proto,
    Wire(Box<Type>),
}

/// A closure or the path of a function.
#[derive(Clone)]
pub(crate) enum Function {
    Closure(ExprClosure),
    Path(ExprPath),
}

/// Where the fraction done is.
#[derive(Clone)]
pub(crate) enum Progress {
    Field(Expr),
    Closure(ExprClosure),
}

impl Args {
    /// Reads the arguments. A mistake costs its key and no other.
    pub(crate) fn parse(tokens: TokenStream, level: Level, report: &mut Report) -> Self {
        let mut args = Self::default();
        each(tokens, report, &mut |key, input, report| {
            let word = key.to_string();
            if level == Level::Block && word == "name" {
                report.at(key, "`name` names one method's types: move it to the `#[long_running(…)]` of that method");
                return text(key, input, "ExportImage").map(drop);
            }
            conflict(key, &args.attempted, report);
            args.attempted.push(keys::nearest(&word, &keys::KEYS).map_or(word, str::to_owned));
            args.key(key, input, report)
        });
        args
    }

    /// Fills what is not written here from the block's defaults.
    pub(crate) fn or(self, block: &Self, report: &mut Report) -> Self {
        let block = block.clone();
        let mut options = self.options;
        let inherited = block.options.into_iter().filter(|(key, _)| options.iter().all(|(own, _)| own != key));
        let inherited: Vec<_> = inherited.collect();
        options.extend(inherited);
        Self {
            response: self.response.or(block.response),
            metadata: self.metadata.or(block.metadata),
            name: self.name,
            operations: self.operations.or(block.operations),
            poll: self.poll.or(block.poll, report),
            cancel: self.cancel.or(block.cancel),
            delete: self.delete.or(block.delete),
            pending: self.pending.or(block.pending),
            progress: self.progress.or(block.progress),
            classify: self.classify.or(block.classify),
            response_type: self.response_type.or(block.response_type),
            metadata_type: self.metadata_type.or(block.metadata_type),
            shape: self.shape.or(block.shape),
            options,
            krate: self.krate.or(block.krate),
            attempted: [self.attempted, block.attempted].concat(),
        }
    }

    fn key(&mut self, key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<()> {
        match key.to_string().as_str() {
            "response" => self.response = Some(value(key, input, "a type: `response = ExportedImage`")?),
            "metadata" => self.metadata = Some(value(key, input, "a type: `metadata = ExportProgress`")?),
            "name" => self.name = Some(text(key, input, "ExportImage")?),
            "operations" => self.operations = Some(value(key, input, "an expression: `operations = &self.client`")?),
            "poll" => self.poll = Poll::parse(key, input, report)?,
            "cancel" => self.cancel = Some(flag(key, input)?),
            "delete" => self.delete = Some(flag(key, input)?),
            "pending" => self.pending = Some(value(key, input, PENDING)?),
            "progress" => self.progress = Some(value(key, input, PROGRESS)?),
            "classify" => self.classify = Some(value(key, input, CLASSIFY)?),
            "response_type" => self.response_type = Some(text(key, input, "type.googleapis.com/example.Image")?),
            "metadata_type" => self.metadata_type = Some(text(key, input, "type.googleapis.com/example.Progress")?),
            "encoding" => self.shape = Some(encoding(key, input)?),
            "wire" => self.shape = Some(Shape::Wire(Box::new(value(key, input, "a type: `wire = ExampleOperation`")?))),
            "result" => self.option(key, text(key, input, "target_link")?),
            "final_state_via" => self.option(key, final_state_via(key, input)?),
            "path" => self.option(key, text(key, input, "v1/{name}")?),
            "crate" => self.krate = Some(path(key, input)?),
            unknown => return Err(syn::Error::new(key.span(), keys::unknown(unknown))),
        }
        Ok(())
    }

    fn option(&mut self, key: &Ident, value: LitStr) {
        self.options.push((key.to_string(), value));
    }
}

const PENDING: &str = "a closure over the metadata: `pending = |metadata| metadata.queued`";
const PROGRESS: &str = "a field of the metadata, `progress = percent`, or a closure over it";
const CLASSIFY: &str = "a closure over the response: `classify = |response| response.error.clone()`";

/// Two keys that answer one question.
fn conflict(key: &Ident, seen: &[String], report: &mut Report) {
    let other = match key.to_string().as_str() {
        "wire" => "encoding",
        "encoding" => "wire",
        _ => return,
    };
    if seen.iter().any(|word| word == other) {
        let message = format!("`{key}` conflicts with `{other}`: a wire type says itself how it is encoded; keep one");
        report.at(key, message);
    }
}

/// Reads `key …` after `key …`, separated by commas. After a mistake it goes on with the next key.
pub(crate) fn each(
    tokens: TokenStream,
    report: &mut Report,
    read: &mut dyn FnMut(&Ident, ParseStream<'_>, &mut Report) -> Result<()>,
) {
    let mut seen: Vec<Ident> = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            if let Err(error) = one(input, &mut seen, report, read) {
                report.add(error);
                skip(input)?;
            }
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        report.add(error);
    }
}

fn one(
    input: ParseStream<'_>,
    seen: &mut Vec<Ident>,
    report: &mut Report,
    read: &mut dyn FnMut(&Ident, ParseStream<'_>, &mut Report) -> Result<()>,
) -> Result<()> {
    let key = input
        .call(Ident::parse_any)
        .map_err(|error| syn::Error::new(error.span(), "expected a key, like `response = ExportedImage`"))?;
    if seen.contains(&key) {
        return Err(syn::Error::new(key.span(), format!("`{key}` is given twice; keep one")));
    }
    seen.push(key.clone());
    read(&key, input, report)?;
    if !input.is_empty() {
        input
            .parse::<Token![,]>()
            .map_err(|error| syn::Error::new(error.span(), format!("expected `,` after the value of `{key}`")))?;
    }
    Ok(())
}

/// Goes to the next comma that a key follows, or stays where a comma is missing before one.
fn skip(input: ParseStream<'_>) -> Result<()> {
    if input.peek(syn::Ident) && input.peek2(Token![=]) {
        return Ok(());
    }
    while !input.is_empty() {
        let comma = input.peek(Token![,]);
        input.parse::<proc_macro2::TokenTree>()?;
        let next = input.fork();
        let key = next.call(Ident::parse_any).is_ok();
        if comma
            && key
            && (next.is_empty() || next.peek(Token![=]) || next.peek(Token![,]) || next.peek(syn::token::Paren))
        {
            break;
        }
    }
    Ok(())
}

/// `= value`, or what the key takes, at the token that is not it.
pub(crate) fn value<T: Parse>(key: &Ident, input: ParseStream<'_>, takes: &str) -> Result<T> {
    let wrong = |span| syn::Error::new(span, format!("`{key}` takes {takes}"));
    if !input.peek(Token![=]) {
        return Err(wrong(key.span()));
    }
    input.parse::<Token![=]>()?;
    let at = if input.is_empty() || input.peek(Token![,]) { key.span() } else { input.span() };
    input.parse().map_err(|_| wrong(at))
}

fn text(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<LitStr> {
    value(key, input, &format!("a string: `{key} = \"{example}\"`"))
}

fn flag(key: &Ident, input: ParseStream<'_>) -> Result<bool> {
    if !input.peek(Token![=]) {
        return Ok(true);
    }
    value::<LitBool>(
        key,
        input,
        &format!("no value: write `{key}`, or `{key} = false` to take back the block's default"),
    )
    .map(|on| on.value)
}

fn encoding(key: &Ident, input: ParseStream<'_>) -> Result<Shape> {
    let takes = "`json` or `proto`: `encoding = proto`";
    let word: Ident = value(key, input, takes)?;
    match word.to_string().as_str() {
        "json" => Ok(Shape::Json),
        "proto" => Ok(Shape::Proto),
        _ => Err(syn::Error::new(word.span(), format!("`encoding` takes {takes}"))),
    }
}

fn final_state_via(key: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    const LEGAL: [&str; 4] = ["location", "original-uri", "operation-location", "azure-async-operation"];
    let text = text(key, input, "location")?;
    if LEGAL.contains(&text.value().as_str()) {
        return Ok(text);
    }
    let legal = LEGAL.map(|word| format!("\"{word}\"")).join(", ");
    Err(syn::Error::new(text.span(), format!("`final_state_via` takes one of {legal}")))
}

fn path(key: &Ident, input: ParseStream<'_>) -> Result<Path> {
    value::<ModPath>(key, input, "a path: `crate = ::my_sdk::lro_runtime`").map(|path| path.0)
}

/// A path that may begin with `crate`, without generics.
struct ModPath(Path);

impl Parse for ModPath {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        input.call(Path::parse_mod_style).map(Self)
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        match input.parse()? {
            Expr::Closure(closure) => Ok(Self::Closure(closure)),
            Expr::Path(path) => Ok(Self::Path(path)),
            other => Err(syn::Error::new_spanned(other, "expected a closure")),
        }
    }
}

impl Parse for Progress {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        match input.parse()? {
            Expr::Closure(closure) => Ok(Self::Closure(closure)),
            field if is_field(&field) => Ok(Self::Field(field)),
            other => Err(syn::Error::new_spanned(other, "expected a field or a closure")),
        }
    }
}

/// `percent`, `stats.done`, `counts.0`.
fn is_field(expr: &Expr) -> bool {
    match expr {
        Expr::Path(path) => path.qself.is_none() && path.path.get_ident().is_some(),
        Expr::Field(field) => is_field(&field.base),
        _ => false,
    }
}
