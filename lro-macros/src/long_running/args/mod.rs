//! Reads the arguments of the attribute, key by key; what they mean together is left to the model.

use proc_macro2::{Ident, TokenStream};
use syn::{Expr, ExprClosure, ExprPath, LitBool, LitStr, Path, Result, Type, parse::ParseStream};

use super::{keys, settings::Poll, waiter::Waiter};
use crate::{
    list::{each, value},
    nearest::nearest,
    report::Report,
    runtime_path,
};

mod values;
mod words;

use values::{encoding, final_state_via, flag, progress, text};
use words::words;

/// What the attribute is on. On a block its keys are defaults, on a method they are the method's
/// own.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Level {
    Block,
    Method,
}

/// The value of each key that was written.
#[derive(Clone, Default)]
pub(crate) struct Args {
    pub(crate) response: Option<Type>,
    pub(crate) metadata: Option<Type>,
    pub(crate) name: Option<LitStr>,
    pub(crate) operations: Option<Expr>,
    pub(crate) poll: Poll,
    pub(crate) cancel: Option<LitBool>,
    pub(crate) delete: Option<LitBool>,
    pub(crate) pending: Option<Function>,
    pub(crate) progress: Option<Progress>,
    pub(crate) classify: Option<Function>,
    pub(crate) response_type: Option<LitStr>,
    pub(crate) metadata_type: Option<LitStr>,
    pub(crate) shape: Option<Shape>,
    /// Options of the dialect, in source order.
    pub(crate) options: Vec<(String, LitStr)>,
    pub(crate) krate: Option<Path>,
    /// Every key that was written or probably meant, even if its value was a mistake.
    ///
    /// A key in this list is not reported as missing: the mistake in it was reported already.
    pub(crate) attempted: Vec<String>,
}

/// How the service writes an operation: the value of `encoding`, `wire`, `dialect` or `waiter`.
#[derive(Clone)]
pub(crate) enum Shape {
    Json,
    Proto,
    Wire(Box<Type>),
    Dialect(Box<Expr>),
    Waiter(Box<Waiter>),
}

/// A closure, or the path of a function.
#[derive(Clone)]
pub(crate) enum Function {
    Closure(ExprClosure),
    Path(ExprPath),
}

/// How to read the fraction done from the metadata.
#[derive(Clone)]
pub(crate) enum Progress {
    /// A field whose type says what the total is.
    Field(Expr),
    /// A field and its total, a number or a field.
    Of(Expr, Of),
    Closure(ExprClosure),
}

/// The total that a field under `progress` is a part of.
#[derive(Clone)]
pub(crate) enum Of {
    Number(f64),
    Field(Box<Expr>),
}

impl Args {
    /// Reads the arguments. A mistake loses the value of its own key only.
    pub(crate) fn parse(tokens: TokenStream, level: Level, report: &mut Report) -> Self {
        let mut args = Self::default();
        each(tokens, report, &mut |key, input, report| {
            let word = key.to_string();
            if level == Level::Block && word == "name" {
                report.at(key, "`name` names one method's types: move it to the `#[long_running(…)]` of that method");
                // The value is still read, so that the list continues at the next key.
                return text(key, input, "ExportImage").map(drop);
            }
            let (conflicts, before) = (conflict(key, &args.attempted, report), args.shape.clone());
            args.attempted.push(nearest(&word, &keys::KEYS).map_or(word, str::to_owned));
            let read = args.key(key, input, report);
            if conflicts {
                // Of two conflicting keys the first one stays. Otherwise rustc would also complain
                // about the type or the expression of the key that the author has to remove.
                args.shape = before;
            }
            read
        });
        args
    }

    /// Fills the keys that are not written here from the block's defaults.
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

    /// Reads the value of one key.
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
            "progress" => self.progress = Some(progress(key, input, report)?),
            "classify" => self.classify = Some(value(key, input, CLASSIFY)?),
            "response_type" => self.response_type = Some(text(key, input, "type.googleapis.com/example.Image")?),
            "metadata_type" => self.metadata_type = Some(text(key, input, "type.googleapis.com/example.Progress")?),
            "encoding" => self.shape = Some(encoding(key, input)?),
            "wire" => self.shape = Some(Shape::Wire(Box::new(value(key, input, "a type: `wire = ExampleOperation`")?))),
            "dialect" => self.shape = Some(Shape::Dialect(Box::new(value(key, input, DIALECT)?))),
            "waiter" => self.shape = Some(Shape::Waiter(Box::new(Waiter::parse(key, input, report)?))),
            "result" => self.option(key, text(key, input, "target_link")?),
            "final_state_via" => self.option(key, final_state_via(key, input)?),
            "path" => self.option(key, text(key, input, "v1/{name}")?),
            "words" => self.options.extend(words(key, input, report)?),
            "crate" => self.krate = Some(runtime_path::parse(key, input)?),
            unknown => return Err(syn::Error::new(key.span(), keys::unknown(unknown))),
        }
        Ok(())
    }

    fn option(&mut self, key: &Ident, value: LitStr) {
        self.options.push((key.to_string(), value));
    }
}

const DIALECT: &str = "an expression: `dialect = Azure::new()`";
const PENDING: &str = "a closure over the metadata: `pending = |metadata| metadata.queued`";
const CLASSIFY: &str = "a closure over the response: `classify = |response| response.error.clone()`";

/// The keys that say how the service writes an operation. A method has at most one of them.
const SHAPES: [&str; 4] = ["encoding", "wire", "dialect", "waiter"];

/// The options of dialects. A waiter reads none of them.
const OPTIONS: [&str; 4] = ["result", "final_state_via", "path", "words"];

/// Whether this key conflicts with an earlier one. Reports every conflict.
fn conflict(key: &Ident, seen: &[String], report: &mut Report) -> bool {
    let word = key.to_string();
    let mut conflicts = false;
    for other in seen {
        if let Some(why) = exclusion(&word, other) {
            report.at(key, format!("`{key}` conflicts with `{other}`: {why}; keep one"));
            conflicts = true;
        }
    }
    conflicts
}

/// Returns why two keys exclude each other, or `None` if they do not.
fn exclusion(word: &str, other: &str) -> Option<&'static str> {
    match (word, other) {
        ("wire", "encoding") | ("encoding", "wire") => Some("a wire type says itself how it is encoded"),
        ("wire", "words") | ("words", "wire") => Some("a wire type says itself what its words mean"),
        _ if word != other && SHAPES.contains(&word) && SHAPES.contains(&other) => {
            Some("each says how the service writes an operation")
        }
        ("waiter", option) | (option, "waiter") if OPTIONS.contains(&option) => {
            Some("a waiter says all of it inside `waiter(…)`")
        }
        _ => None,
    }
}
