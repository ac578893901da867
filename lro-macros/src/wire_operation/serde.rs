//! Finds out what a field is called on the wire, from serde's own attributes, read as serde reads
//! them.

use syn::{Attribute, Field, LitStr, Token, ext::IdentExt, meta::ParseNestedMeta, parenthesized, parse::ParseBuffer};

/// The keys that a field is read from.
pub(crate) enum Keys {
    /// The field's key, then its aliases.
    These(Vec<String>),
    /// None: the members of the field are members of the message itself.
    Flattened,
    /// None: the field is not read from a reply.
    Skipped,
}

/// How serde renames the fields of a type: the value of `rename_all`.
#[derive(Clone, Copy, Default)]
pub(crate) enum Case {
    #[default]
    AsIs,
    Lower,
    Upper,
    Pascal,
    Camel,
    Screaming,
    Kebab,
    ScreamingKebab,
}

/// Returns the `rename_all` of a type. Ignores mistakes, which serde's own derive reports.
pub(crate) fn case(attributes: &[Attribute]) -> Case {
    let mut case = Case::default();
    each(attributes, |meta| {
        let found = if meta.path.is_ident("rename_all") { for_reading(meta) } else { None };
        case = found.map_or(case, |word| Case::named(&word));
    });
    case
}

/// Returns the keys that `field` is read from.
pub(crate) fn keys(field: &Field, case: Case) -> Keys {
    let name = field.ident.as_ref().map(|ident| ident.unraw().to_string()).unwrap_or_default();
    let mut renamed = None;
    let mut aliases = Vec::new();
    let (mut flattened, mut skipped) = (false, false);
    each(&field.attrs, |meta| match meta.path.get_ident().map(ToString::to_string).as_deref() {
        Some("rename") => renamed = for_reading(meta).or(renamed.take()),
        Some("alias") => aliases.extend(for_reading(meta)),
        Some("flatten") => flattened = true,
        Some("skip" | "skip_deserializing") => skipped = true,
        _ => {}
    });
    match () {
        () if skipped => Keys::Skipped,
        () if flattened => Keys::Flattened,
        () => Keys::These(std::iter::once(renamed.unwrap_or_else(|| case.of(&name))).chain(aliases).collect()),
    }
}

/// Calls `read` for each word in the type's or field's `#[serde(…)]`. `read` may take the word's
/// value.
fn each(attributes: &[Attribute], mut read: impl FnMut(&ParseNestedMeta<'_>)) {
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("serde")) {
        let _ = attribute.parse_nested_meta(|meta| {
            read(&meta);
            // Takes the value or the parentheses that `read` left, so that the list continues at
            // the next word.
            let _ = meta.value().and_then(ParseBuffer::parse::<syn::Expr>);
            if meta.input.peek(syn::token::Paren) {
                let rest;
                parenthesized!(rest in meta.input);
                rest.parse::<proc_macro2::TokenStream>()?;
            }
            Ok(())
        });
    }
}

/// Returns `x` of `rename = "x"` or `rename(serialize = "y", deserialize = "x")`: the name when
/// reading.
fn for_reading(meta: &ParseNestedMeta<'_>) -> Option<String> {
    if meta.input.peek(Token![=]) {
        return meta.value().ok()?.parse::<LitStr>().ok().map(|text| text.value());
    }
    let mut found = None;
    meta.parse_nested_meta(|inner| {
        let text = inner.value()?.parse::<LitStr>()?.value();
        if inner.path.is_ident("deserialize") {
            found = Some(text);
        }
        Ok(())
    })
    .ok()?;
    found
}

impl Case {
    fn named(word: &str) -> Self {
        match word {
            "lowercase" => Self::Lower,
            "UPPERCASE" => Self::Upper,
            "PascalCase" => Self::Pascal,
            "camelCase" => Self::Camel,
            "SCREAMING_SNAKE_CASE" => Self::Screaming,
            "kebab-case" => Self::Kebab,
            "SCREAMING-KEBAB-CASE" => Self::ScreamingKebab,
            _ => Self::AsIs,
        }
    }

    // Input:
    //     job_id
    // Output, in camel case:
    //     jobId
    fn of(self, name: &str) -> String {
        match self {
            // serde takes a field's snake case for lower case and leaves the underscores.
            Self::AsIs | Self::Lower => name.to_owned(),
            Self::Upper | Self::Screaming => name.to_ascii_uppercase(),
            Self::Pascal => name.split('_').map(capitalised).collect(),
            Self::Camel => {
                let pascal = Self::Pascal.of(name);
                let mut letters = pascal.chars();
                letters.next().map(|first| first.to_ascii_lowercase()).into_iter().chain(letters).collect()
            }
            Self::Kebab => name.replace('_', "-"),
            Self::ScreamingKebab => name.to_ascii_uppercase().replace('_', "-"),
        }
    }
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wire_key(field: &str, container: &str) -> Vec<String> {
        let item = syn::parse_str::<syn::ItemStruct>(&format!("{container} struct Job {{ {field} }}"));
        let keys = item.iter().flat_map(|item| item.fields.iter().map(|field| keys(field, case(&item.attrs))));
        keys.flat_map(|keys| match keys {
            Keys::These(keys) => keys,
            Keys::Flattened => vec!["<flattened>".to_owned()],
            Keys::Skipped => vec!["<skipped>".to_owned()],
        })
        .collect()
    }

    #[test]
    fn a_field_is_called_what_serde_calls_it() {
        for (field, container, key) in [
            ("job_id: u8", "", "job_id"),
            ("r#type: u8", "", "type"),
            ("job_id: u8", r#"#[serde(rename_all = "camelCase")]"#, "jobId"),
            ("job_id: u8", r#"#[serde(rename_all = "PascalCase")]"#, "JobId"),
            ("job_id: u8", r#"#[serde(rename_all = "kebab-case")]"#, "job-id"),
            ("job_id: u8", r#"#[serde(rename_all = "SCREAMING-KEBAB-CASE")]"#, "JOB-ID"),
            ("job_id: u8", r#"#[serde(rename_all(serialize = "kebab-case", deserialize = "UPPERCASE"))]"#, "JOB_ID"),
            (r#"#[serde(rename = "id")] job_id: u8"#, r#"#[serde(rename_all = "camelCase")]"#, "id"),
            (r#"#[serde(default, rename(deserialize = "id", serialize = "x"))] job_id: u8"#, "", "id"),
            (r#"#[serde(default = "f", deserialize_with = "g", rename = "id")] job_id: u8"#, "", "id"),
            (r#"#[serde(bound(deserialize = "T: X"), rename = "id")] job_id: u8"#, "", "id"),
            ("#[serde(flatten)] job_id: u8", "", "<flattened>"),
            ("#[serde(skip)] job_id: u8", "", "<skipped>"),
        ] {
            assert_eq!(wire_key(field, container), [key], "{container} {field}");
        }
        assert_eq!(wire_key(r#"#[serde(alias = "a", alias = "b")] id: u8"#, ""), ["id", "a", "b"]);
    }
}
