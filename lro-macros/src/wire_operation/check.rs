//! Checks the roles of a declaration against each other, and reports each mistake at the token that
//! caused it.

use syn::{DeriveInput, LitStr};

use super::{
    path,
    roles::{Place, Role, Roles, text},
};
use crate::{grammar::states::STATES, report::Report};

/// How many members may be the error. The runtime's `WireShape` has this many slots for it.
const ERRORS: usize = 3;
/// How many members a name may consist of. The runtime's `WireShape` has this many slots for them.
const PARTS: usize = 4;

/// Runs every check.
pub(crate) fn all(item: &DeriveInput, roles: &Roles, report: &mut Report) {
    duplicates(roles, report);
    required(item, roles, report);
    name(roles, report);
    calls(roles, report);
    coverage(roles, report);
    if let Some(state) = roles.role("state") {
        words(state, report);
        states(state, roles, report);
        response(state, roles, report);
    }
    for role in &roles.members {
        details(role, report);
    }
}

impl Roles {
    /// Returns the first member with this role.
    fn role(&self, key: &str) -> Option<&Role> {
        self.members.iter().find(|role| role.key == key)
    }

    /// Returns the value of a key of the type, such as `poll`.
    fn call(&self, key: &str) -> Option<&LitStr> {
        self.calls.iter().find(|(word, _)| word == key).map(|(_, call)| call)
    }

    /// Whether the key was written or probably meant. If it was a mistake, it is not reported as
    /// missing as well.
    fn says(&self, key: &str) -> bool {
        self.attempted.iter().any(|word| word == key)
    }
}

/// Reports roles that too many members have.
fn duplicates(roles: &Roles, report: &mut Report) {
    for (index, role) in roles.members.iter().enumerate() {
        let before = roles.members.iter().take(index).filter(|other| other.key == role.key).count();
        match (role.key == "error", before) {
            (_, 0) | (true, ..ERRORS) => {}
            (true, _) => report
                .at(&role.key, format!("at most {ERRORS} members can be the `error`; the first that is there counts")),
            (false, _) => report.at(&role.key, format!("two members are the `{}`; keep one", role.key)),
        }
    }
}

/// Reports what is missing: the state, the name, the place to poll, and one half of a list.
fn required(item: &DeriveInput, roles: &Roles, report: &mut Report) {
    if !roles.says("state") {
        report.at(
            &item.ident,
            "no field is the state: mark it `#[operation(state, running = \"…\", succeeded = \"…\", …)]`",
        );
    }
    if !roles.says("name") && !roles.says("next") {
        report.at(&item.ident, "no field is the name: mark it `#[operation(name)]`, or `#[operation(next)]` if the service gives a URL instead");
    }
    if !roles.says("poll") && !roles.says("next") {
        report.at(&item.ident, "nothing says where to poll: add `#[operation(poll = \"v1/jobs/{name}\")]` on the type, or `#[operation(next)]` on the field that is a URL");
    }
    if let (true, false) = (roles.says("poll"), roles.says("name"))
        && let Some(poll) = roles.call("poll")
        && roles.says("next")
    {
        report.at(
            poll,
            "`poll` contains the name, and no field is marked as the name: mark it `#[operation(name)]`, or leave `poll` out",
        );
    }
    for (key, other, example) in [
        ("list", "items", "\"data\""),
        ("items", "list", "\"v1/jobs\""),
        ("next_page", "list", "\"v1/jobs\""),
        ("unfinished", "most", "100"),
        ("named", "most", "100"),
    ] {
        if let (Some(call), false) = (roles.call(key), roles.says(other)) {
            report.at(call, format!("`{key}` needs `{other}`: `{other} = {example}`"));
        }
    }
    if let (Some((most, _)), false) = (&roles.most, roles.says("list")) {
        report.at(most, "`most` needs `list`: `list = \"v1/jobs\"`");
    }
}

/// Checks how a list shows many operations at once.
fn coverage(roles: &Roles, report: &mut Report) {
    let (unfinished, named) = (roles.call("unfinished"), roles.call("named"));
    if let (Some(filter), Some(list)) = (unfinished, roles.call("list"))
        && !list.value().contains("{filter}")
    {
        report.at(filter, "`unfinished` stands at `{filter}` in `list`: add it, such as `v1/jobs?filter={filter}`");
    }
    if let (Some(filter), Some(_)) = (unfinished, named) {
        report.at(filter, "operations that are asked for by name need no filter: keep `unfinished` or `named`");
    }
    let is_word =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~[]".contains(c));
    if let Some(parameter) = named.filter(|parameter| !is_word(&parameter.value())) {
        report.at(parameter, format!("`{}` is not the name of a parameter, such as `ids`", parameter.value()));
    }
}

/// Checks the template of a name that consists of several members.
fn name(roles: &Roles, report: &mut Report) {
    let Some(Role { place: Place::Template(template), key, .. }) = roles.role("name") else { return };
    let parts = path::placeholders(template).map_or(0, |parts| parts.len());
    if parts > PARTS {
        report.at(template, format!("a name is made of at most {PARTS} members, this one of {parts}"));
    }
    // A resume gets the name and has to fill its parts into the path of `poll`.
    if !path::can_be_taken_apart(&template.value()) {
        report.at(template, format!("the `{key}` could not be taken apart again: a `/` must follow each placeholder"));
    }
}

/// Checks the calls and their placeholders. Legal are `{name}` and those of the name's own
/// template.
fn calls(roles: &Roles, report: &mut Report) {
    let mut legal = vec!["name".to_owned()];
    if let Some(Role { place: Place::Template(template), .. }) = roles.role("name") {
        let parts = path::placeholders(template).unwrap_or_default();
        legal.extend(parts.into_iter().filter(|part| part != "name"));
    }
    for (key, call) in &roles.calls {
        let written = key.to_string();
        let (is_call, is_path) =
            (["cancel", "delete"].contains(&written.as_str()), written == "poll" || written == "list");
        if let (true, Err(error)) = (is_call, path::call(call)) {
            report.add(error);
            continue;
        }
        if !is_call && !is_path {
            continue;
        }
        if let (true, Err(error)) = (is_path, path::alone(call)) {
            report.add(error);
            continue;
        }
        // The third word of a call is its JSON body, whose braces are not placeholders.
        let without_body = LitStr::new(&call.value().splitn(3, ' ').take(2).collect::<Vec<_>>().join(" "), call.span());
        let paging = ["page_size", "page_token", "filter", "parent"].map(str::to_owned);
        let legal = if written == "list" { &paging[..] } else { &legal };
        match path::placeholders(&without_body) {
            Err(error) => report.add(error),
            Ok(found) => {
                for word in found.iter().filter(|word| !legal.contains(word)) {
                    let legal: Vec<String> = legal.iter().map(|word| format!("`{{{word}}}`")).collect();
                    report.at(call, format!("nothing fills `{{{word}}}`; legal here: {}", legal.join(", ")));
                }
                if written == "poll" && found.is_empty() {
                    report.at(call, "every operation would be polled at the same path: put `{name}` into the path");
                }
            }
        }
    }
}

/// Reports words of the state that are empty or come twice.
fn words(state: &Role, report: &mut Report) {
    let mut seen: Vec<(String, String)> = Vec::new();
    for (meaning, word) in
        state.words.iter().flat_map(|words| words.words.iter().map(move |word| (&words.meaning, word)))
    {
        let written = text(word);
        match seen.iter().find(|(known, _)| *known == written) {
            Some((_, other)) if *meaning == *other.as_str() => {
                report.at(word, format!("`{written}` is there twice; keep one"));
            }
            Some((_, other)) => report.at(word, format!("`{written}` already means `{other}`; a word means one state")),
            None if written.is_empty() => {
                report.at(word, "a word cannot be empty; use `missing = …` for a reply that has no state");
            }
            None => {}
        }
        seen.push((written, meaning.to_string()));
    }
}

/// Checks that each state is either reachable or declared absent.
///
/// A forgotten word would read as Running for ever, and nothing would say so.
fn states(state: &Role, roles: &Roles, report: &mut Report) {
    let says = |meaning: &str| state.words.iter().any(|words| words.meaning == meaning && !words.words.is_empty());
    let errors = || roles.members.iter().filter(|role| role.key == "error");
    if says("done") && !roles.says("error") {
        let done = state.words.iter().find(|words| words.meaning == "done").map(|words| &words.meaning);
        report.at(done, "`done` means failed if there is an error, and no field is marked as the error: mark it `#[operation(error)]`, or say `succeeded` instead");
    }
    for absent in &state.absent {
        if !STATES.iter().any(|(known, _)| absent == known) {
            let legal: Vec<String> = STATES.iter().map(|(known, _)| format!("`{known}`")).collect();
            report.at(absent, format!("`{absent}` is not a state; the states are {}", legal.join(", ")));
        }
    }
    for (written, _) in STATES {
        // `done` means Succeeded or Failed, and an error with a word of `cancelled` means
        // Cancelled.
        let reachable = says(written)
            || state.missing.as_ref().is_some_and(|missing| missing == written)
            || (says("done") && ["succeeded", "failed"].contains(&written))
            || (written == "cancelled" && errors().any(|error| !error.words.is_empty()));
        match (reachable, state.absent.iter().find(|absent| *absent == written)) {
            (true, Some(absent)) => {
                report.at(absent, format!("`{written}` is declared absent, and words mean it; keep one"));
            }
            (false, None) => report.at(
                &state.key,
                format!(
                    "no word means `{written}`: say `{written} = \"…\"`, or `absent({written})` if it never occurs"
                ),
            ),
            _ => {}
        }
    }
    if let Some(missing) = &state.missing
        && !STATES.iter().any(|(known, _)| missing == known)
    {
        report.at(missing, "`missing` takes a state: `pending`, `running`, `succeeded`, `failed` or `cancelled`");
    }
}

/// Checks that a declaration that can succeed says where the response is.
fn response(state: &Role, roles: &Roles, report: &mut Report) {
    let absent = state.absent.iter().any(|absent| absent == "succeeded");
    if !absent && !roles.says("response") {
        report.at(
            &state.key,
            "operations can succeed, and no field is marked as the response: mark it `#[operation(response)]`; on the type, `response = self` is the whole message and `response = ()` means that there is none",
        );
    }
}

/// Checks the keys of one role.
fn details(role: &Role, report: &mut Report) {
    if role.key == "progress" && role.leaf.is_none() && role.of.is_none() {
        report.at(&role.key, "the total of `progress` is missing: `of = 100` for per cent, `of = 1` for a fraction, `of = \"total\"` for a member beside it");
    }
    if let Some(unit) = role.unit.as_ref().filter(|unit| !["s", "ms"].contains(&unit.value().as_str())) {
        report.at(unit, "`unit` takes `\"s\"` or `\"ms\"`");
    }
}
