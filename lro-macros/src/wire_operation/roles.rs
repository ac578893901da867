//! Reads `#[operation(…)]`, role by role; what the roles mean together is left to the model.

use proc_macro2::Ident;
use quote::ToTokens;
use syn::{
    Attribute, Data, DeriveInput, Error, Field, Lit, LitStr, Path, Result, Token, Type, bracketed, parenthesized,
    parse::{Parse, ParseStream},
    punctuated::Punctuated,
};

use super::{
    keys,
    path::{Steps, steps},
    serde::{self, Case, Keys},
};
use crate::{
    list::{each, value},
    most,
    nearest::nearest,
    report::Report,
    runtime_path,
    total::{self, Total},
};

/// Everything that the attributes of a type and its fields say.
#[derive(Default)]
pub(crate) struct Roles {
    pub(crate) members: Vec<Role>,
    pub(crate) calls: Vec<(Ident, LitStr)>,
    /// The value of `most`, and where it is.
    pub(crate) most: Option<(Ident, u32)>,
    pub(crate) krate: Option<Path>,
    /// Every key that was written or probably meant, even if it was a mistake: it is not reported
    /// as missing.
    pub(crate) attempted: Vec<String>,
}

/// One member of the message that has a role, and the keys that add to the role.
pub(crate) struct Role {
    pub(crate) key: Ident,
    pub(crate) place: Place,
    /// The type of the member, if the member is a field and not inside of one.
    pub(crate) leaf: Option<Type>,
    /// The field that is the member, or that contains it.
    pub(crate) field: Option<(Ident, Type)>,
    pub(crate) words: Vec<Words>,
    pub(crate) absent: Vec<Ident>,
    pub(crate) missing: Option<Ident>,
    pub(crate) after: Option<LitStr>,
    pub(crate) of: Option<Total>,
    pub(crate) unit: Option<LitStr>,
}

/// Where a role's value is in the message.
pub(crate) enum Place {
    At(Steps),
    /// A name made of several members.
    Template(LitStr),
    /// `= self`: the whole message.
    Whole,
    /// `= ()`: the service gives none.
    Nothing,
}

/// The words of one meaning: `pending = ["a", "b"]`.
pub(crate) struct Words {
    pub(crate) meaning: Ident,
    pub(crate) words: Vec<Lit>,
}

/// What an attribute is on.
enum At<'a> {
    Type,
    Field(&'a Field, Keys),
}

/// The role that the next keys add to.
enum Current {
    None,
    /// The last role that was read.
    Last,
    /// A role that is a mistake. It is dropped, but the keys that add to it are still legal.
    Mistaken(Box<Role>),
}

/// Reads the attributes of a type and of its fields.
pub(crate) fn read(item: &DeriveInput, report: &mut Report) -> Roles {
    let mut roles = Roles::default();
    roles.attributes(&item.attrs, &At::Type, report);
    let Data::Struct(item_struct) = &item.data else {
        report.at(&item.ident, "`WireOperation` is derived on the struct that a reply is read as; if a struct cannot express it, implement the trait by hand");
        // An enum has no fields that could have a role: nothing else is missing.
        roles.attempted.extend(keys::ROLES.map(str::to_owned));
        return roles;
    };
    let case: Case = serde::case(&item.attrs);
    for field in &item_struct.fields {
        let keys = if field.ident.is_some() { serde::keys(field, case) } else { Keys::Skipped };
        roles.attributes(&field.attrs, &At::Field(field, keys), report);
    }
    roles
}

impl Roles {
    fn attributes(&mut self, attributes: &[Attribute], at: &At<'_>, report: &mut Report) {
        // Keys that add to a role may be in the next attribute: lists of words are long.
        let mut current = Current::None;
        for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("operation")) {
            match &attribute.meta {
                syn::Meta::List(list) => {
                    each(list.tokens.clone(), report, &mut |key, input, _| {
                        let word = key.to_string();
                        let meant = [nearest(&word, &keys::ROLES), nearest(&word, &keys::CONTAINER)];
                        self.attempted.extend(meant.into_iter().flatten().map(str::to_owned));
                        self.key(key, input, at, &mut current)
                    });
                }
                other => report.at(other, "`operation` takes what the field is: `#[operation(name)]`"),
            }
        }
    }

    /// Reads one key: a role, a key of the type, or a key that adds to the role before it.
    fn key(&mut self, key: &Ident, input: ParseStream<'_>, at: &At<'_>, current: &mut Current) -> Result<()> {
        let word = key.to_string();
        if keys::ROLES.contains(&word.as_str()) {
            // Mistaken until it is read: both `?` below leave the function.
            *current = Current::Mistaken(Box::new(Role::at(key, Place::Nothing)));
            let role_value = RoleValue::parse(key, input)?;
            self.members.push(Role::new(key, role_value, at)?);
            *current = Current::Last;
            return Ok(());
        }
        if let (At::Type, true) = (at, keys::CONTAINER.contains(&word.as_str())) {
            match word.as_str() {
                "crate" => self.krate = Some(runtime_path::parse(key, input)?),
                "most" => self.most = Some((key.clone(), most::parse(key, input)?)),
                _ => self.calls.push((key.clone(), value(key, input, example(&word))?)),
            }
            return Ok(());
        }
        let role = match current {
            Current::None => None,
            Current::Last => self.members.last_mut(),
            Current::Mistaken(role) => Some(&mut **role),
        };
        match role {
            Some(role) => role.add_key(key, input, matches!(at, At::Field(..))),
            None => Err(Error::new(key.span(), keys::unknown(&word, matches!(at, At::Field(..))))),
        }
    }
}

/// Returns what a key of the type takes, with an example.
fn example(key: &str) -> &'static str {
    match key {
        "id" => "a word: `id = \"replicate.prediction\"`",
        "poll" => "the path to poll: `poll = \"v1/jobs/{name}\"`",
        "cancel" => "a call: `cancel = \"POST v1/jobs/{name}/cancel\"`",
        "delete" => "a call: `delete = \"DELETE v1/jobs/{name}\"`",
        "list" => "a path: `list = \"v1/jobs?limit={page_size}&after={page_token}\"`",
        "items" => "the path of the operations in a page: `items = \"data\"`",
        "unfinished" => {
            "the filter of the list for operations that have not finished: `unfinished = \"status != DONE\"`"
        }
        "named" => "the parameter of the list that takes names, separated by commas: `named = \"ids\"`",
        _ => "the path of the next page's token or URL in a page: `next_page = \"next\"`",
    }
}

/// What follows a role: nothing, `= self`, `= ()` or `= "path"`.
enum RoleValue {
    Nothing,
    Whole(Token![self]),
    Unit,
    Text(LitStr),
}

impl RoleValue {
    fn parse(key: &Ident, input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(Token![=]) {
            return Ok(Self::Nothing);
        }
        value(key, input, "nothing, or where it is: `= \"status.state\"`, or `= self` for the whole message")
    }
}

impl Parse for RoleValue {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if input.peek(Token![self]) {
            return input.parse().map(Self::Whole);
        }
        if input.peek(syn::token::Paren) {
            let inside;
            parenthesized!(inside in input);
            return if inside.is_empty() { Ok(Self::Unit) } else { Err(inside.error("expected `()`")) };
        }
        input.parse().map(Self::Text)
    }
}

impl Role {
    /// Finds the place of a role from what follows its key, and from the field that it is on.
    fn new(key: &Ident, role_value: RoleValue, at: &At<'_>) -> Result<Self> {
        let wrong = |message: String| Err(Error::new(key.span(), message));
        let (mut place, field) = match at {
            At::Type => (vec![], None),
            At::Field(field, Keys::These(keys)) => (vec![keys.clone()], named(field)),
            At::Field(field, Keys::Flattened) => (vec![], named(field)),
            At::Field(field, Keys::Skipped) => {
                let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
                return wrong(match field.ident {
                    Some(_) => format!(
                        "`{name}` is not read from the reply (`#[serde(skip)]`), so that it cannot be the `{key}`"
                    ),
                    None => format!("a field without a name has no key on the wire, so that it cannot be the `{key}`"),
                });
            }
        };
        let mut leaf = field.as_ref().map(|(_, ty)| ty.clone());
        let place = match role_value {
            RoleValue::Whole(token) if !matches!(key.to_string().as_str(), "response" | "metadata") => {
                return Err(Error::new(
                    token.span,
                    format!("only `response` and `metadata` can be the whole message, not `{key}`"),
                ));
            }
            RoleValue::Whole(_) => Place::Whole,
            RoleValue::Unit if key == "response" => Place::Nothing,
            RoleValue::Unit => {
                return wrong(format!("`()` is for a `response` that the service does not give; leave `{key}` out"));
            }
            RoleValue::Text(text) if key == "name" && field.is_none() && text.value().contains('{') => {
                Place::Template(text)
            }
            // On a field, the path starts inside of it; the member's type is then not the field's.
            RoleValue::Text(text) => {
                place.extend(steps(&text)?);
                leaf = None;
                Place::At(place)
            }
            RoleValue::Nothing if place.is_empty() => {
                return wrong(match field {
                    Some(_) => format!(
                        "the members of this field are the message's own (`#[serde(flatten)]`): say which one, `{key} = \"…\"`"
                    ),
                    None => {
                        format!("say where it is, `{key} = \"status.{key}\"`, or move `{key}` to the field that is it")
                    }
                });
            }
            RoleValue::Nothing => Place::At(place),
        };
        Ok(Self { leaf, field, ..Self::at(key, place) })
    }

    /// A role at this place, without anything else.
    fn at(key: &Ident, place: Place) -> Self {
        let key = key.clone();
        Self {
            key,
            place,
            leaf: None,
            field: None,
            words: vec![],
            absent: vec![],
            missing: None,
            after: None,
            of: None,
            unit: None,
        }
    }

    /// Reads a key that adds to the role.
    fn add_key(&mut self, key: &Ident, input: ParseStream<'_>, on_field: bool) -> Result<()> {
        let role = self.key.to_string();
        match (role.as_str(), key.to_string().as_str()) {
            ("state", "pending" | "running" | "succeeded" | "failed" | "cancelled" | "done")
            | ("error", "cancelled") => {
                let takes = format!("words as the server writes them: `{key} = \"word\"` or `{key} = [\"a\", \"b\"]`");
                let WordList(words) = value(key, input, &takes)?;
                self.words.push(Words { meaning: key.clone(), words });
            }
            ("state", "absent") => {
                if !input.peek(syn::token::Paren) {
                    return Err(Error::new(
                        key.span(),
                        "`absent` takes states that never occur: `absent(pending, cancelled)`",
                    ));
                }
                let inside;
                parenthesized!(inside in input);
                self.absent.extend(Punctuated::<Ident, Token![,]>::parse_terminated(&inside)?);
            }
            ("state", "missing") => self.missing = Some(value(key, input, "a state: `missing = running`")?),
            ("name", "after") => self.after = Some(value(key, input, "the text before the name: `after = \"/v1/\"`")?),
            ("progress", "of") => self.of = Some(total::parse(key, input)?),
            ("hint", "unit") => self.unit = Some(value(key, input, "`\"s\"` or `\"ms\"`: `unit = \"ms\"`")?),
            (_, word) => return Err(Error::new(key.span(), keys::unknown(word, on_field))),
        }
        Ok(())
    }
}

/// Returns the name and the type of a field, or `None` for a field of a tuple struct.
fn named(field: &Field) -> Option<(Ident, Type)> {
    field.ident.clone().map(|ident| (ident, field.ty.clone()))
}

/// One word (`"a"`, `true`, `3`), or several in brackets.
struct WordList(Vec<Lit>);

impl Parse for WordList {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        if !input.peek(syn::token::Bracket) {
            return word(input).map(|word| Self(vec![word]));
        }
        let inside;
        bracketed!(inside in input);
        Punctuated::<Lit, Token![,]>::parse_terminated_with(&inside, word)
            .map(|words| Self(words.into_iter().collect()))
    }
}

/// Reads a word. A state may be a string, a flag or a number on the wire.
fn word(input: ParseStream<'_>) -> Result<Lit> {
    let word: Lit = input.parse()?;
    match word {
        Lit::Str(_) | Lit::Bool(_) | Lit::Int(_) => Ok(word),
        other => Err(Error::new_spanned(other.to_token_stream(), "expected a word")),
    }
}

/// Returns the text of a word as it is on the wire, without quotes.
pub(crate) fn text(word: &Lit) -> String {
    match word {
        Lit::Str(text) => text.value(),
        Lit::Int(number) => number.base10_digits().to_owned(),
        other => other.to_token_stream().to_string(),
    }
}
