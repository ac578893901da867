//! Items as files, formatted. Attributes are formatted here, since prettyplease leaves their
//! contents in one line.

use std::{collections::BTreeMap, path::PathBuf};

use proc_macro2::TokenStream;
use quote::quote;

use super::HEADER;
use crate::{names, types::json::documentation};

/// The widest line that an attribute is written on.
const WIDTH: usize = 100;

/// The name by which the place of an attribute is found after formatting.
const PLACE: &str = "lro_attribute";

/// The modules of an output, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Modules {
    modules: Vec<Module>,
}

#[derive(Clone, Debug)]
struct Module {
    name: String,
    docs: Vec<String>,
    items: TokenStream,
    attributes: Vec<Attribute>,
}

/// The attribute `#[long_running(…)]`: its keys with their values, as they are written.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Attribute {
    pub(crate) keys: Vec<String>,
}

impl Attribute {
    fn written(&self, indent: &str) -> String {
        if self.keys.is_empty() {
            return format!("{indent}#[long_running]");
        }
        let line = format!("{indent}#[long_running({})]", self.keys.join(", "));
        if line.chars().count() <= WIDTH {
            return line;
        }
        let mut out = format!("{indent}#[long_running(");
        let mut line = String::new();
        for key in &self.keys {
            let width = indent.len() + 4 + line.chars().count() + 1 + key.chars().count() + 1;
            if width > WIDTH || line.is_empty() {
                out.push_str(line.trim_end());
                out.push('\n');
                line = format!("{indent}    ");
                // The indentation is counted with the line from here on.
                line.push_str(key);
            } else {
                line.push(' ');
                line.push_str(key);
            }
            line.push(',');
        }
        out.push_str(&line);
        format!("{out}\n{indent})]")
    }
}

/// Returns the placeholder of the attribute `number`.
pub(crate) fn placeholder(number: usize) -> TokenStream {
    let place = names::ident(PLACE);
    let number = proc_macro2::Literal::usize_unsuffixed(number);
    quote!(#[#place(#number)])
}

impl Modules {
    pub(crate) fn add(&mut self, name: String, docs: Vec<String>, items: TokenStream, attributes: Vec<Attribute>) {
        self.modules.push(Module { name, docs, items, attributes });
    }

    /// Returns a folder of files: `mod.rs` and one for each module.
    ///
    /// # Errors
    ///
    /// If what was written is not Rust, which is a mistake of this crate.
    pub(crate) fn files(&self) -> Result<BTreeMap<PathBuf, String>, String> {
        let mut files = BTreeMap::new();
        let declared = self.modules.iter().map(|module| {
            let (name, docs) = (names::ident(&module.name), documentation(&module.docs));
            quote!(#docs pub mod #name;)
        });
        let root = formatted(&quote!(#(#declared)*), &[])?;
        files.insert(PathBuf::from("mod.rs"), format!("{HEADER}\n//! Long-running methods of an API.\n\n{root}"));
        for module in &self.modules {
            let text = formatted(&module.items, &module.attributes)?;
            files.insert(PathBuf::from(format!("{}.rs", module.name)), format!("{HEADER}\n{text}"));
        }
        Ok(files)
    }

    /// Returns one file with all modules, without documentation of its own: it can be included
    /// anywhere.
    ///
    /// # Errors
    ///
    /// As [`files`](Self::files).
    pub(crate) fn one_file(&self) -> Result<String, String> {
        let mut out = HEADER.to_owned();
        for module in &self.modules {
            let text = formatted(&module.items, &module.attributes)?;
            out.push('\n');
            for line in &module.docs {
                out.push_str("/// ");
                out.push_str(line);
                out.push('\n');
            }
            out.push_str("pub mod ");
            out.push_str(&names::ident(&module.name).to_string());
            out.push_str(" {\n");
            for line in text.lines() {
                if !line.is_empty() {
                    out.push_str("    ");
                    out.push_str(line);
                }
                out.push('\n');
            }
            out.push_str("}\n");
        }
        Ok(out)
    }
}

/// Joins the signatures that fit into a line of rustfmt, which is longer than one of prettyplease.
fn with_whole_signatures(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut open: Vec<&str> = vec![];
    for line in text.lines() {
        let begins = line.trim_start().starts_with("pub async fn ") && line.ends_with('(');
        if begins || !open.is_empty() {
            open.push(line);
        }
        if open.is_empty() {
            out.push_str(line);
            out.push('\n');
        } else if line.trim_start().starts_with(')') {
            let first = open.first().copied().unwrap_or_default();
            let arguments =
                open.get(1..open.len() - 1).unwrap_or_default().iter().map(|line| line.trim()).collect::<Vec<_>>();
            let joined = format!("{first}{}{}", arguments.join(" ").trim_end_matches(','), line.trim_start());
            if joined.chars().count() <= WIDTH {
                out.push_str(&joined);
            } else {
                out.push_str(&open.join("\n"));
            }
            out.push('\n');
            open.clear();
        }
    }
    out
}

/// Formats items, and puts their attributes in.
fn formatted(items: &TokenStream, attributes: &[Attribute]) -> Result<String, String> {
    let file = syn::parse2(items.clone()).map_err(|error| format!("what was written is not Rust: {error}"))?;
    let text = with_whole_signatures(&prettyplease::unparse(&file));
    let mut out = String::with_capacity(text.len());
    let mut was_end = false;
    for line in text.lines() {
        let code = line.trim_start();
        let indent = line.get(..line.len() - code.len()).unwrap_or_default();
        // An empty line between items, as a person has it.
        let begins =
            code.starts_with("///") || code.starts_with("#[") || code.starts_with("pub ") || code.starts_with("impl");
        if was_end && begins {
            out.push('\n');
        }
        was_end = code == "}" || (code.ends_with(';') && (code.starts_with("use ") || code == "};"));
        let place =
            code.strip_prefix("#[").and_then(|code| code.strip_prefix(PLACE)).and_then(|code| code.strip_prefix('('));
        let number = place.and_then(|code| code.strip_suffix(")]")).and_then(|number| number.parse::<usize>().ok());
        match number.and_then(|number| attributes.get(number)) {
            Some(attribute) => out.push_str(&attribute.written(indent)),
            None => out.push_str(line),
        }
        out.push('\n');
    }
    syn::parse_file(&out).map_err(|error| format!("what was written is not Rust: {error}"))?;
    Ok(out)
}
