//! Reads what string literals say: paths of members, templates with placeholders, and calls.

use syn::{Error, LitStr, Result};

/// The path of a member: for each step its key, then its aliases.
pub(crate) type Steps = Vec<Vec<String>>;

/// Reads a path such as `status.state`.
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

/// Returns the placeholders of a template, in order.
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

/// Whether a name made by this template can be split into its parts again: `/` or the end follows
/// each placeholder.
pub(crate) fn can_be_taken_apart(template: &str) -> bool {
    template.split('}').skip(1).all(|after| after.is_empty() || after.starts_with('/'))
}

/// Checks that a path stands alone. `GET v1/jobs/{name}` is what the keys of other calls look like,
/// and as a path it would be sent with the word in it.
pub(crate) fn alone(path: &LitStr) -> Result<()> {
    let text = path.value();
    if !text.contains(char::is_whitespace) {
        return Ok(());
    }
    let last = text.split_whitespace().last().unwrap_or("v1/jobs/{name}");
    Err(Error::new(path.span(), format!("`{text}`: expected a path alone, which is always sent with GET: `{last}`")))
}

/// Checks that a call is an HTTP method and a path: `POST v1/jobs/{name}/cancel`.
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
