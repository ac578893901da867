//! Names of Rust from names of descriptions: all of a scope at once, so that collisions are decided
//! in one place, and always alike: who comes first in the description has the plain name.

use std::collections::{BTreeMap, BTreeSet};

use heck::{ToSnakeCase, ToUpperCamelCase};
use proc_macro2::{Ident, Span};

/// The names of one scope.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    taken: BTreeSet<String>,
    /// The number that a name gets when it is wanted again: many of one name take no longer.
    next: BTreeMap<String, usize>,
}

impl Scope {
    /// A scope in which these names mean something already.
    pub(crate) fn with(taken: &[&str]) -> Self {
        Self { taken: taken.iter().map(|&name| name.to_owned()).collect(), next: BTreeMap::new() }
    }

    /// Takes a name. One that is taken gets a number, from 2.
    pub(crate) fn take(&mut self, wanted: &str) -> String {
        self.take_with(wanted, &[""])
    }

    /// Takes a name with each of these endings: all of them are free, or it gets a number.
    pub(crate) fn take_with(&mut self, wanted: &str, endings: &[&str]) -> String {
        self.take_all(wanted, &|name| endings.iter().map(|ending| format!("{name}{ending}")).collect())
    }

    /// Takes a name, and the same name after `prefix`: both are free, or it gets a number.
    pub(crate) fn take_prefixed(&mut self, wanted: &str, prefix: &str) -> String {
        self.take_all(wanted, &|name| vec![name.to_owned(), format!("{prefix}{name}")])
    }

    fn take_all(&mut self, wanted: &str, names_of: &dyn Fn(&str) -> Vec<String>) -> String {
        let mut number = self.next.get(wanted).copied().unwrap_or(1);
        loop {
            let name = if number == 1 { wanted.to_owned() } else { format!("{wanted}{number}") };
            let names = names_of(&name);
            number += 1;
            if names.iter().all(|name| !self.taken.contains(name)) {
                self.taken.extend(names);
                self.next.insert(wanted.to_owned(), number);
                return name;
            }
        }
    }

    /// Returns whether a name is free.
    pub(crate) fn is_free(&self, name: &str) -> bool {
        !self.taken.contains(name)
    }
}

/// The name of a value, a function or a module. A keyword gets an underscore by [`ident`] only.
pub(crate) fn snake(name: &str) -> String {
    started(&plain(name).to_snake_case(), "value", 'n')
}

/// The name of a type or a variant.
pub(crate) fn camel(name: &str) -> String {
    let camel = started(&plain(name).to_upper_camel_case(), "Value", 'N');
    if camel == "Self" { "Self2".to_owned() } else { camel }
}

/// Replaces what no name can have: dots, dollars, dashes, and letters beyond ASCII.
fn plain(name: &str) -> String {
    let mut plain: String = name.chars().take(100).map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    // A `+` or a `-` before a number makes another name of it.
    if name.starts_with('-') && name.len() > 1 {
        plain.insert_str(0, "minus");
    }
    plain
}

fn started(name: &str, empty: &str, before_digit: char) -> String {
    match name.chars().next() {
        None => empty.to_owned(),
        Some(c) if c.is_ascii_digit() => format!("{before_digit}{name}"),
        Some(_) => name.to_owned(),
    }
}

/// The identifier of a name: raw if it is a keyword, with an underscore where it cannot be raw.
pub(crate) fn ident(name: &str) -> Ident {
    match name {
        "self" | "super" | "crate" | "Self" | "_" => Ident::new(&format!("{name}_"), Span::call_site()),
        _ if syn::parse_str::<Ident>(name).is_ok() && name != "gen" => Ident::new(name, Span::call_site()),
        _ => Ident::new_raw(name, Span::call_site()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_names_of_rust() {
        for (name, snaked, cameled) in [
            ("CreateWorkflow", "create_workflow", "CreateWorkflow"),
            ("HTTPHealthCheck", "http_health_check", "HttpHealthCheck"),
            ("$filter", "filter", "Filter"),
            ("header.bypassBillingFilter", "header_bypass_billing_filter", "HeaderBypassBillingFilter"),
            ("4x", "n4x", "N4x"),
            ("", "value", "Value"),
            ("ü", "value", "Value"),
            ("self", "self", "Self2"),
            ("a\"; fn evil() {}", "a_fn_evil", "AFnEvil"),
        ] {
            assert_eq!((snake(name), camel(name)), (snaked.to_owned(), cameled.to_owned()), "{name}");
        }
        for (name, written) in [("type", "r#type"), ("self", "self_"), ("gen", "r#gen"), ("move", "r#move"), ("a", "a")]
        {
            assert_eq!(ident(name).to_string(), written);
        }
    }

    #[test]
    fn a_name_that_is_taken_gets_a_number() {
        let mut scope = Scope::with(&["RawOperation"]);
        assert_eq!(scope.take_with("Raw", &["Operation", "State"]), "Raw2");
        assert_eq!(scope.take("RawState"), "RawState");
        assert_eq!(scope.take("RawState"), "RawState2");
        assert!(!scope.is_free("Raw2State"));
    }
}
