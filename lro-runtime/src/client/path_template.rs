//! Path templates of start calls: a path with variables, filled so that no value leaves its place.

use crate::{
    text::excerpt,
    url::{after_scheme, encode_query as encode, is_absolute, redacted},
};

/// Fills the variables of `template` and returns the target of a call: a path below the base URL,
/// or an absolute URL if the template is one. The error says what is wrong, ready to be shown.
///
/// The syntax is that of
/// [`google.api.http`](https://github.com/googleapis/googleapis/blob/master/google/api/http.proto):
/// `{name}` is one path segment, `{name=projects/*/locations/*}` and `{name=**}` are several. The
/// latter may be written as in [RFC 6570](https://www.rfc-editor.org/rfc/rfc6570) (`{+name}`) and
/// as in Smithy (`{name+}`).
pub(super) fn fill(template: &str, values: &[(String, String)]) -> Result<String, String> {
    let (path, query) = split_query(template);
    let parts = parts(path)?;
    check_names(template, &parts, values)?;
    check_origin_is_literal(template)?;
    let mut out = String::with_capacity(template.len());
    // A path that begins with a slash cannot become an absolute URL, whatever follows.
    if !is_absolute(template) && !template.starts_with('/') {
        out.push('/');
    }
    for part in &parts {
        match part {
            Part::Literal(text) => out.push_str(checked_literal(template, text)?),
            Part::Variable(variable) => variable.push_filled(&mut out, values)?,
        }
    }
    // No value is a dot segment or a part of one: what is found here stands in the template.
    if out.split('/').any(is_dot_segment) {
        return Err(leads_elsewhere(template));
    }
    if let Some(query) = query {
        if query.contains(['{', '}']) {
            return Err(format!(
                "the path `{}` has a brace in its query: a value of the query is given with `query`",
                shown(template)
            ));
        }
        out.push('?');
        out.push_str(checked_literal(template, query)?);
    }
    Ok(out)
}

/// Splits a template at the `?` of its query. One inside a variable is an operator of RFC 6570, and
/// an error about that variable.
fn split_query(template: &str) -> (&str, Option<&str>) {
    let mut is_inside = false;
    let mark = template.find(|c| {
        is_inside = c == '{' || (is_inside && c != '}');
        c == '?' && !is_inside
    });
    match mark.and_then(|mark| template.split_at_checked(mark)) {
        Some((path, query)) => (path, query.strip_prefix('?')),
        None => (template, None),
    }
}

/// Appends a query parameter to a target.
pub(super) fn push_parameter(target: &mut String, name: &str, value: &str) {
    target.push(if target.contains('?') { '&' } else { '?' });
    // `$` has no meaning in a query, and some services expect OData's `$filter` as it is.
    target.push_str(&encode(name).replace("%24", "$"));
    target.push('=');
    target.push_str(&encode(value));
}

/// Returns a template fit to print: its query may have secrets.
fn shown(template: &str) -> String {
    redacted(&excerpt(template.as_bytes()))
}

/// Fails if the path of a whole URL, which is sent as it is, has a segment `.` or `..`.
pub(super) fn check(url: &str) -> Result<(), String> {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    if path.split('/').any(is_dot_segment) { Err(leads_elsewhere(url)) } else { Ok(()) }
}

/// The message about a dot segment that stands in a path itself.
fn leads_elsewhere(path: &str) -> String {
    format!("the path `{}` has the segment `.` or `..`, which would lead elsewhere: {PASS_VALUES}", shown(path))
}

/// What to do about a path that was put together from values.
const PASS_VALUES: &str = "give values with `Operations::call` and `path`, which encodes them";

/// A piece of a template.
enum Part<'a> {
    Literal(&'a str),
    Variable(Variable<'a>),
}

/// A variable: its name, and the pattern that its value must match.
struct Variable<'a> {
    name: &'a str,
    pattern: &'a str,
}

/// Splits the path of a template at its braces.
fn parts(path: &str) -> Result<Vec<Part<'_>>, String> {
    let unbalanced = || format!("the braces of the path `{}` do not match: {PASS_VALUES}", shown(path));
    let mut parts = Vec::new();
    let mut rest = path;
    while let Some((literal, after)) = rest.split_once('{') {
        let (variable, after) = after.split_once('}').ok_or_else(unbalanced)?;
        if literal.contains('}') || variable.contains('{') {
            return Err(unbalanced());
        }
        parts.extend([Part::Literal(literal), Part::Variable(Variable::parse(variable)?)]);
        rest = after;
    }
    if rest.contains('}') {
        return Err(unbalanced());
    }
    parts.push(Part::Literal(rest));
    Ok(parts)
}

impl<'a> Variable<'a> {
    fn parse(text: &'a str) -> Result<Self, String> {
        let several = text.strip_prefix('+').or_else(|| text.strip_suffix('+'));
        let (name, pattern) = several.map(|name| (name, "**")).or(text.split_once('=')).unwrap_or((text, "*"));
        // Other characters are operators in RFC 6570, such as `{?query}`.
        let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_.-$".contains(c));
        let last = pattern.split('/').count().saturating_sub(1);
        let is_legal = pattern.split('/').enumerate().all(|(index, part)| match part {
            "" => false,
            "*" => true,
            "**" => index == last,
            literal => !literal.contains('*') && !is_dot_segment(literal),
        });
        if !is_name || !is_legal {
            return Err(format!(
                "the path variable `{{{}}}` is not legal: expected `{{name}}`, `{{name=**}}`, or `{{name=…}}` with \
                 segments that are words or `*`, of which the last may be `**`",
                excerpt(text.as_bytes())
            ));
        }
        Ok(Self { name, pattern })
    }

    /// Appends the value of this variable, encoded for its place.
    fn push_filled(&self, out: &mut String, values: &[(String, String)]) -> Result<(), String> {
        let value = values.iter().find(|(name, _)| name == self.name).map_or("", |(_, value)| value);
        let refused =
            |why: &str| Err(format!("the path variable `{}` is `{}`: {why}", self.name, excerpt(value.as_bytes())));
        // Servers decode a path before or after they resolve its dots, and some take `\` for `/`: a
        // value with such a piece is refused and not encoded.
        if value.split(['/', '\\']).any(is_dot_segment) {
            return refused("a segment `.` or `..` is not legal, because it would lead elsewhere");
        }
        if self.pattern == "*" {
            if value.is_empty() {
                return refused("it must not be empty");
            }
            // Everything but the unreserved characters is encoded, as `google.api.http` asks: in
            // `{name}:cancel`, a `:` of the value would begin another verb.
            out.push_str(&encode(value));
            return Ok(());
        }
        // Resource ids of Azure begin with a slash, and a template has one before the variable.
        let value = if self.pattern == "**" { value.strip_prefix('/').unwrap_or(value) } else { value };
        if !self.accepts(value) {
            return refused(&format!("it must match `{}`, without empty segments", self.pattern));
        }
        for (index, segment) in value.split('/').enumerate() {
            if index > 0 {
                out.push('/');
            }
            out.push_str(&encode(segment));
        }
        Ok(())
    }

    /// Whether `value` matches the pattern, segment by segment.
    fn accepts(&self, value: &str) -> bool {
        let mut segments = value.split('/');
        for part in self.pattern.split('/') {
            let matches = match part {
                // At least one segment, and the rest as well: `**` is the last of its pattern.
                "**" => segments.next().is_some_and(|segment| !segment.is_empty()) && segments.all(|s| !s.is_empty()),
                "*" => segments.next().is_some_and(|segment| !segment.is_empty()),
                literal => segments.next() == Some(literal),
            };
            if !matches {
                return false;
            }
        }
        segments.next().is_none()
    }
}

/// Fails if a variable has no value, a value has no variable, or a value is given twice.
fn check_names(template: &str, parts: &[Part<'_>], values: &[(String, String)]) -> Result<(), String> {
    let variables = || {
        parts.iter().filter_map(|part| match part {
            Part::Variable(variable) => Some(variable.name),
            Part::Literal(_) => None,
        })
    };
    if let Some(missing) = variables().find(|name| !values.iter().any(|(given, _)| given == name)) {
        return Err(format!(
            "the path `{}` needs a value of `{missing}`: give it with `path(\"{missing}\", …)`",
            shown(template)
        ));
    }
    for (index, (name, value)) in values.iter().enumerate() {
        let given = || format!("path(\"{}\", \"{}\")", excerpt(name.as_bytes()), excerpt(value.as_bytes()));
        if !variables().any(|variable| variable == name) {
            let legal: Vec<_> = variables().map(|variable| format!("`{variable}`")).collect();
            let legal = if legal.is_empty() { "no variables".to_owned() } else { legal.join(", ") };
            return Err(format!("`{}`: the path `{}` has {legal}", given(), shown(template)));
        }
        if values.iter().take(index).any(|(earlier, _)| earlier == name) {
            return Err(format!("`{}`: this variable has a value already", given()));
        }
    }
    Ok(())
}

/// Fails if a variable stands in the origin of an absolute URL: a value would decide where the call
/// goes.
fn check_origin_is_literal(template: &str) -> Result<(), String> {
    let origin = after_scheme(template).map(|rest| rest.split(['/', '?']));
    match origin.and_then(|mut pieces| pieces.next()) {
        Some(authority) if authority.contains('{') => Err(format!(
            "the URL `{}` has a variable in its origin: variables are legal in the path only",
            shown(template)
        )),
        _ => Ok(()),
    }
}

/// Returns `text`, which stands in a template as it is sent, or fails if it has a character that is
/// not legal in a URL, or begins a fragment.
fn checked_literal<'a>(template: &str, text: &'a str) -> Result<&'a str, String> {
    match text.chars().find(|c| !c.is_ascii_graphic() || "\"#<>\\^`|".contains(*c)) {
        Some(c) => {
            Err(format!("the path `{}` contains {c:?}, which is not legal there: {PASS_VALUES}", shown(template)))
        }
        None => Ok(text),
    }
}

/// Whether a segment is `.` or `..`, also with percent-encoded dots: servers and proxies read both
/// alike.
fn is_dot_segment(segment: &str) -> bool {
    matches!(segment, "." | "..")
        || (segment.len() <= 6 && matches!(&*segment.to_ascii_lowercase().replace("%2e", "."), "." | ".."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str, values: &[(&str, &str)]) -> Result<String, String> {
        let values: Vec<_> = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        fill(template, &values)
    }

    #[test]
    fn a_value_is_encoded_for_its_place() {
        let cases = [
            ("v1/{x}/y", "a b", "/v1/a%20b/y"),
            ("v1/{x}", "a/b?c=d&e#f%2e+g", "/v1/a%2Fb%3Fc%3Dd%26e%23f%252e%2Bg"),
            ("v1/{x}:export", "i:delete", "/v1/i%3Adelete:export"),
            ("/v1/Users('{x}')", "ä", "/v1/Users('%C3%A4')"),
            ("v1/{x.y-z}.json", "1", "/v1/1.json"),
            ("{x}", "https://evil.test", "/https%3A%2F%2Fevil.test"),
            ("{x}://evil.test/", "https", "/https://evil.test/"),
            ("v1/{x=projects/*/locations/*}:run", "projects/a:b/locations/l", "/v1/projects/a%3Ab/locations/l:run"),
            ("{x=**}/providers", "subscriptions/1/a b", "/subscriptions/1/a%20b/providers"),
            ("v1/{x=operations/**}", "operations/a/b", "/v1/operations/a/b"),
            ("https://h.test/v1/{x}?y=1", "2", "https://h.test/v1/2?y=1"),
            ("v1/{x}", "a/...", "/v1/a%2F..."),
            ("/{x=**}/providers/p", "/subscriptions/1", "/subscriptions/1/providers/p"),
            ("{+x}/providers/p", "subscriptions/1", "/subscriptions/1/providers/p"),
            ("b/{x+}", "a/b c", "/b/a/b%20c"),
        ];
        for (template, value, target) in cases {
            let name = if template.contains("x.y-z") { "x.y-z" } else { "x" };
            assert_eq!(filled(template, &[(name, value)]).as_deref(), Ok(target), "{template}");
        }
        assert_eq!(filled("{a}/x/{b}/{a}", &[("b", "2"), ("a", "1")]).as_deref(), Ok("/1/x/2/1"));
    }

    #[test]
    fn a_value_that_would_leave_its_place_is_refused_by_name() {
        let cases = [
            ("v1/{x}", ""),
            ("v1/{x}", "."),
            ("v1/{x}", ".."),
            ("v1/{x}", "group/../../.."),
            ("v1/{x}", "a\\..\\b"),
            ("v1/{x}", "%2e%2E"),
            ("v1/{x}:run", ".."),
            ("v1/{x=projects/*}", "projects"),
            ("v1/{x=projects/*}", "projects/"),
            ("v1/{x=projects/*}", "projects/p/q"),
            ("v1/{x=projects/*}", "folders/p"),
            ("v1/{x=projects/*}", "/projects/p"),
            ("v1/{x=projects/*}", "projects/.."),
            ("v1/{x=**}", ""),
            ("v1/{x=**}", "a//b"),
            ("v1/{x=**}", "/"),
            ("v1/{x=**}", "//a"),
            ("v1/{x=**}", "a/../b"),
            ("v1/{x=a/**}", "a"),
        ];
        for (template, value) in cases {
            let error = filled(template, &[("x", value)]).unwrap_err();
            assert!(error.contains("`x`") && error.contains("must") | error.contains("legal"), "{template}: {error}");
        }
    }

    #[test]
    fn a_template_is_checked_before_it_is_filled() {
        let refused = [
            ("v1/{x", "braces"),
            ("v1/x}", "braces"),
            ("v1/{{x}}", "braces"),
            ("v1/{}", "not legal"),
            ("v1/{+}", "not legal"),
            ("v1/y{?x}", "not legal"),
            ("v1/{x*}", "not legal"),
            ("v1/{x,y}", "not legal"),
            ("v1/{x=}", "not legal"),
            ("v1/{x=a//b}", "not legal"),
            ("v1/{x=**/a}", "not legal"),
            ("v1/{x=a*}", "not legal"),
            ("v1/{x=../*}", "not legal"),
            ("v1/../{x}", "elsewhere"),
            ("v1/%2e%2e/{x}", "elsewhere"),
            ("v1/{x}/a b", "' '"),
            ("v1/{x}#y", "'#'"),
            ("v1/{x}\\y", "'\\\\'"),
            ("v1/{x}?y={z}", "`query`"),
            ("https://{x}/v1", "origin"),
            ("https://{x}.h.test?a", "origin"),
            ("v1/y", "has no variables"),
            ("v1/{y}", "needs a value of `y`"),
        ];
        for (template, said) in refused {
            let error = filled(template, &[("x", "1")]).unwrap_err();
            assert!(error.contains(said), "{template}: {error}");
        }
        assert!(filled("v1/{x}", &[("x", "1"), ("x", "2")]).unwrap_err().contains("already"));
        assert!(filled("v1/{x}", &[("x", "1"), ("y", "2")]).unwrap_err().contains("has `x`"));
    }
}
