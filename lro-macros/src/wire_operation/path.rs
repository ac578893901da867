//! Where members are, and templates made of them, as they are written in string literals.

use syn::{Error, LitStr, Result};

/// A member's place: for each step the key and its aliases.
pub(crate) type Steps = Vec<Vec<String>>;

/// `status.state` as steps.
pub(crate) fn steps(path: &LitStr) -> Result<Steps> {
    let text = path.value();
    let keys: Vec<&str> = text.split('.').collect();
    let is_wrong = |key: &&str| key.is_empty() || key.contains(|c: char| c.is_whitespace() || "{}/".contains(c));
    if keys.iter().any(is_wrong) {
        return Err(Error::new(
            path.span(),
            format!("`{text}` is not a path: keys as on the wire, with dots between them, such as `status.state`"),
        ));
    }
    Ok(keys.into_iter().map(|key| vec![key.to_owned()]).collect())
}

/// The placeholders of a template, in order.
pub(crate) fn placeholders(template: &LitStr) -> Result<Vec<String>> {
    let text = template.value();
    let broken = |why: &str| Error::new(template.span(), format!("`{text}`: {why}"));
    let mut found = Vec::new();
    let mut rest = text.as_str();
    while let Some(at) = rest.find(['{', '}']) {
        let (_, after) = rest.split_at(at);
        let Some((word, after)) = after.strip_prefix('{').and_then(|after| after.split_once('}')) else {
            return Err(broken("a `{` and its `}` do not match"));
        };
        if word.is_empty() || word.contains(|c: char| c.is_whitespace() || c == '{' || c == '/') {
            return Err(broken("a placeholder is a word in braces, such as `{name}`"));
        }
        found.push(word.to_owned());
        rest = after;
    }
    Ok(found)
}

/// Whether every placeholder fills whole segments' ends, so that the name can be taken apart again: a `/` or nothing follows each.
pub(crate) fn can_be_taken_apart(template: &str) -> bool {
    template.split('}').skip(1).all(|after| after.is_empty() || after.starts_with('/'))
}

/// The HTTP method and the path of `POST v1/jobs/{name}/cancel`.
pub(crate) fn call(call: &LitStr) -> Result<()> {
    const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let text = call.value();
    let mut words = text.splitn(3, ' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    if !METHODS.contains(&method) || path.is_empty() {
        let legal = "expected an HTTP method and a path, such as `POST v1/jobs/{name}/cancel`";
        return Err(Error::new(call.span(), format!("`{text}`: {legal}")));
    }
    Ok(())
}
