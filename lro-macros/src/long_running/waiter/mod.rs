//! Reads `waiter(…)`: the call to repeat, and the ordered acceptors that say what its replies mean.
//!
//! Checks everything that can be known at compile time, so that a wrong declaration does not wait
//! for its first reply.

use proc_macro2::{Ident, TokenStream};
use syn::{
    Error, LitStr, Result, Token,
    parse::{Parse, ParseStream, Parser},
    punctuated::Punctuated,
};

use super::keys;
use crate::{
    grammar::waiter_path,
    list::{each_of, inside, value},
    nearest::nearest,
    report::Report,
};

mod acceptor;
mod named;

pub(crate) use acceptor::{Acceptor, Comparator, Matcher, Meaning};
pub(crate) use named::Named;

/// A valid declaration, from which a constant of the runtime's `Waiter` is written.
#[derive(Clone)]
pub(crate) struct Waiter {
    pub(crate) poll: PollCall,
    /// Name and value of each header.
    pub(crate) headers: Vec<(LitStr, LitStr)>,
    pub(crate) name_at: Option<LitStr>,
    pub(crate) response_at: Option<LitStr>,
    /// In source order: the first that matches decides.
    pub(crate) acceptors: Vec<Acceptor>,
    pub(crate) named: Option<Named>,
}

/// The call that a wait repeats.
#[derive(Clone)]
pub(crate) enum PollCall {
    StartUrl,
    Get(LitStr),
    /// Path and body.
    Post(LitStr, LitStr),
}

/// The keys of `waiter(…)`, before they are checked against each other.
#[derive(Default)]
struct Parts {
    get: Option<LitStr>,
    post: Option<LitStr>,
    body: Option<LitStr>,
    headers: Vec<(LitStr, LitStr)>,
    name_at: Option<LitStr>,
    response_at: Option<LitStr>,
    acceptors: Vec<Acceptor>,
    named: Option<Named>,
    /// Every key that was written or probably meant, even if its value was a mistake.
    attempted: Vec<String>,
}

const LIST: &str = "a list: `waiter(get = \"v1/buckets\", success(output = \"state\", is = \"READY\"))`";

impl Waiter {
    /// Reads `(get = "…", success(…), …)`.
    pub(crate) fn parse(key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<Self> {
        let tokens = inside(key, input, LIST)?;
        let mut parts = Parts::default();
        each_of(tokens, &Meaning::WORDS, report, &mut |key, input, report| {
            let word = key.to_string();
            parts.attempted.push(nearest(&word, &keys::WAITER_KEYS).map_or(word, str::to_owned));
            parts.key(key, input, report)
        });
        parts.check(key, report);
        Ok(parts.waiter())
    }
}

impl Parts {
    /// Reads the value of one key.
    fn key(&mut self, key: &Ident, input: ParseStream<'_>, report: &mut Report) -> Result<()> {
        match key.to_string().as_str() {
            "get" => self.get = Some(target(key, input)?),
            "post" => self.post = Some(target(key, input)?),
            "body" => self.body = Some(value(key, input, "JSON in quotes: `body = \"{}\"`")?),
            "headers" => self.headers = headers(key, input)?,
            "name_at" => self.name_at = Some(output_path(key, input, "bucket.id")?),
            "response_at" => self.response_at = Some(output_path(key, input, "bucket")?),
            "named" => self.named = Named::parse(key, input, report)?,
            word => match Meaning::of(word) {
                Some(meaning) => self.acceptor(Acceptor::parse(meaning, key, input, report)?, key, report),
                None => return Err(Error::new(key.span(), keys::unknown_in_waiter(word))),
            },
        }
        Ok(())
    }

    /// Adds an acceptor. One that an earlier acceptor makes unreachable is a mistake.
    fn acceptor(&mut self, acceptor: Option<Acceptor>, key: &Ident, report: &mut Report) {
        let Some(acceptor) = acceptor else { return };
        if self.acceptors.iter().any(|before| before.matcher == acceptor.matcher) {
            report.at(key, "this never decides: an acceptor before it matches the same replies, and the first decides");
            return;
        }
        self.acceptors.push(acceptor);
    }

    /// Checks the keys against each other.
    ///
    /// `attempted` and not the values decides what is missing: a key with a wrong value was
    /// reported already.
    fn check(&self, waiter: &Ident, report: &mut Report) {
        let tried = |word: &str| self.attempted.iter().any(|attempted| attempted == word);
        if !tried("success") {
            let message = "this waiter has no acceptor for success and would never succeed: add an acceptor like \
                           `success(output = \"state\", is = \"READY\")` or `success(error = \"NotFound\")`";
            report.at(waiter, message);
        }
        if let (Some(_), Some(post)) = (&self.get, &self.post) {
            report.at(post, "`post` conflicts with `get`: a waiter repeats one call; keep one");
        }
        match (&self.post, &self.body) {
            (Some(post), None) if !tried("body") && !tried("get") => {
                report.at(post, "`post` needs a body beside it: `body = \"{}\"`, in which `{name}` is filled in");
            }
            (None, Some(body)) if !tried("post") => {
                report.at(body, "`body` belongs to a `post`: add `post = \"v1/buckets:describe\"`");
            }
            _ => {}
        }
        if let Some(named) = &self.named {
            named.check(self.get.as_ref().or(self.post.as_ref()), self.body.as_ref(), &self.acceptors, report);
        }
        let mut named = [&self.get, &self.post, &self.body].into_iter().flatten();
        if let Some(named) = named.find(|text| text.value().contains(NAME)).filter(|_| !tried("name_at")) {
            let message = "`{name}` is what the reply of the start call says: add where, like `name_at = \"bucket.id\"`; \
                           to poll the URL of the start call, leave `get` out";
            report.at(named, message);
        }
    }

    /// Builds the waiter. After a mistake it takes `get` of two calls, and `{}` for a missing body.
    fn waiter(self) -> Waiter {
        let poll = match (self.get, self.post) {
            (Some(get), _) => PollCall::Get(get),
            (None, Some(post)) => {
                let body = self.body.unwrap_or_else(|| LitStr::new("{}", post.span()));
                PollCall::Post(post, body)
            }
            (None, None) => PollCall::StartUrl,
        };
        let Self { headers, name_at, response_at, acceptors, named, .. } = self;
        Waiter { poll, headers, name_at, response_at, acceptors, named }
    }
}

/// The placeholder of the operation's name.
const NAME: &str = "{name}";

/// Reads the path of the call. The operation's name is its only legal placeholder.
fn target(key: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    let target: LitStr = value(key, input, &format!("a path in quotes: `{key} = \"v1/buckets/{{name}}\"`"))?;
    if target.value().replace(NAME, "").contains(['{', '}']) {
        return Err(Error::new(target.span(), "`{name}` is the only placeholder of a waiter's path"));
    }
    Ok(target)
}

/// Reads `("x-target" = "Tables.Describe", …)`.
fn headers(key: &Ident, input: ParseStream<'_>) -> Result<Vec<(LitStr, LitStr)>> {
    let tokens: TokenStream = inside(key, input, HEADERS)?;
    let headers = Punctuated::<Header, Token![,]>::parse_terminated.parse2(tokens)?;
    Ok(headers.into_iter().map(|Header(name, value)| (name, value)).collect())
}

const HEADERS: &str = "names and values: `headers(\"x-target\" = \"Tables.Describe\")`";

struct Header(LitStr, LitStr);

impl Parse for Header {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let wrong = |error: Error| Error::new(error.span(), format!("`headers` takes {HEADERS}"));
        let name: LitStr = input.parse().map_err(wrong)?;
        input.parse::<Token![=]>().map_err(wrong)?;
        let value: LitStr = input.parse().map_err(wrong)?;
        // `tchar` of RFC 9110, section 5.6.2: a constant with another name could not become a
        // request.
        let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if name.value().is_empty() || !name.value().chars().all(is_token) {
            return Err(Error::new(name.span(), format!("`{}` is not a header's name", name.value())));
        }
        if value.value().chars().any(char::is_control) {
            return Err(Error::new(value.span(), format!("this cannot be the value of the header `{}`", name.value())));
        }
        Ok(Self(name, value))
    }
}

/// Reads `= "path"`: a path into the output.
fn output_path(key: &Ident, input: ParseStream<'_>, example: &str) -> Result<LitStr> {
    let path: LitStr = value(key, input, &format!("a path into the output, in quotes: `{key} = \"{example}\"`"))?;
    waiter_path::check(&path.value()).map_err(|reason| Error::new(path.span(), reason))?;
    Ok(path)
}
