//! One call for several waits: it takes the names of their resources, and what its reply has of
//! each is judged as if it had come alone.

use std::{collections::HashMap, fmt::Write as _};

use serde_json::value::RawValue;

use super::{
    Elements, NAME, Waiter,
    acceptor::{self, Acceptor, Comparator, Matcher},
    checked, in_json, output_of,
    path::{Found, Path},
};
use crate::{
    dialect::{Call, Coverage, Cursor, ListPage, Listed, Named, Observation, error_reply},
    message::Reply,
    status::Failure,
    text::excerpt,
    url::encode_query,
};

impl Waiter {
    /// Declares that a poll takes several names, up to `most`, and that the elements at the path
    /// `items` of its output have their names at the path `id`. Then a fleet may ask for many
    /// resources in one call. Default: one call for each.
    ///
    /// The name stands in a list of the body (`{"tasks": ["{name}"]}`), or in the query of the path
    /// (`v1/tasks?ids={name}`), where several have commas between them. The elements of one name
    /// are judged as if they were all of the output. That is possible where each acceptor of
    /// outputs looks at the elements, or for [any](Comparator::Any) string elsewhere: a reply in
    /// which one such matches (`failures[].reason` is `MISSING`) says nothing of any name, because
    /// it does not say whose it is. A waiter with other acceptors is polled one by one.
    ///
    /// ```
    /// use lro_runtime::dialect::{Acceptor, Comparator, Matcher, Meaning, Waiter};
    ///
    /// const RUNNING: Waiter = Waiter::post("", r#"{"cluster": "c", "tasks": ["{name}"]}"#)
    ///     .name_at("tasks[0].taskArn")
    ///     .named("tasks[]", "taskArn", 100)
    ///     .acceptors(&[
    ///         Acceptor::new(Meaning::Failure, Matcher::Output("failures[].reason", Comparator::Any("MISSING"))),
    ///         Acceptor::failure_when("tasks[0].lastStatus", "STOPPED"),
    ///         Acceptor::success_when("tasks[0].lastStatus", "RUNNING"),
    ///     ]);
    /// # let _ = RUNNING;
    /// ```
    #[must_use]
    pub const fn named(mut self, items: &'static str, id: &'static str, most: u32) -> Self {
        self.named = Some(Elements { at: items, id, most });
        self
    }

    pub(super) fn named_coverage(&self, cursor: &Cursor) -> Option<Coverage> {
        let (named, path) = (self.named?, self.path?);
        // A header of the start call goes into each poll, unless the waiter has one of that name.
        let mut headers = cursor.headers();
        self.headers.iter().for_each(|(name, _)| drop(headers.remove(*name)));
        let is_alone = !headers.is_empty() || cursor.refusal().is_some() || checked(cursor.key()).is_err();
        if is_alone || self.names([cursor.key()].into_iter()).is_none() || !self.judges_elements(named) {
            return None;
        }
        // Entries have neither the response nor what is beside the elements.
        let place = format!("{path} {}", self.body.unwrap_or_default());
        Some(Coverage::Named(Named::new(place, named.most).with_whole(false)))
    }

    pub(super) fn poll_several(&self, cursors: &[&Cursor]) -> Result<Call, Failure> {
        let first = cursors.first().filter(|_| self.named.is_some());
        let first = first.ok_or_else(|| Failure::unsupported("this waiter asks for one name at a time"))?;
        if let Some(other) = cursors.iter().find(|cursor| self.named_coverage(cursor).is_none()) {
            let name = excerpt(other.key().as_bytes());
            return Err(Failure::protocol(format!("`{name}` cannot be asked for together with others")));
        }
        let filled = self.names(cursors.iter().map(|cursor| cursor.key()));
        let (path, body) =
            filled.ok_or_else(|| Failure::unsupported("the names have no place in the call of this waiter"))?;
        self.call(path, body, first)
    }

    /// Returns the path and the body with these names; `None` if there is no place for several, or
    /// one of them would be taken for two.
    fn names<'n>(&self, names: impl Iterator<Item = &'n str>) -> Option<(String, Option<String>)> {
        const QUOTED: &str = "\"{name}\"";
        let path = self.path?;
        let Some(body) = self.body else {
            let (before, after) = path.split_once(NAME)?;
            if !before.contains('?') || after.contains(NAME) {
                return None;
            }
            let names = names.map(|name| (!name.contains(',')).then(|| encode_query(name)));
            return Some(([before, &names.collect::<Option<Vec<_>>>()?.join(","), after].concat(), None));
        };
        let (before, after) = body.split_once(QUOTED)?;
        let is_list = before.trim_end().ends_with('[') && after.trim_start().starts_with(']');
        if !is_list || [path, before, after].iter().any(|text| text.contains(NAME)) {
            return None;
        }
        let names: Vec<_> = names.map(|name| format!("\"{}\"", in_json(name))).collect();
        Some((path.to_owned(), Some([before, &names.join(","), after].concat())))
    }

    /// Whether an element alone decides what the acceptors say of it.
    fn judges_elements(&self, named: Elements) -> bool {
        wrapped(named.at, "").is_some()
            && self.acceptors.iter().all(|acceptor| acceptor.is_of_elements(named) || acceptor.looks_for_any())
    }

    pub(super) fn read_several<'a>(&self, cursors: &[&Cursor], reply: &'a Reply) -> Result<ListPage<'a>, Failure> {
        let named = self.named.ok_or_else(|| Failure::unsupported("this waiter asks for one name at a time"))?;
        if !reply.status().is_success() {
            return Err(error_reply(reply));
        }
        let output = output_of(reply)?;
        // Of whom such an acceptor speaks, only a poll of each tells.
        let elsewhere: Vec<Acceptor> =
            self.acceptors.iter().filter(|acceptor| !acceptor.is_of_elements(named)).copied().collect();
        if acceptor::decide(&elsewhere, &acceptor::Outcome::Output(output))?.is_some() {
            return Err(Failure::protocol("beside its elements, the reply says what is true of only some of them"));
        }
        let mut asked: HashMap<_, Vec<&'a RawValue>> = cursors.iter().map(|cursor| (cursor.key(), vec![])).collect();
        let (items, id) = (Path::parse(named.at)?, Path::parse(named.id)?);
        items.find(output).for_each(&mut |element| {
            let Found::Value(element) = element else { return };
            let found = id.find(Some(element));
            // An id that is a number is a name as well. What has none of these names was not asked
            // for.
            let name = found.string().or_else(|| found.number_text());
            if let Some(elements) = name.and_then(|name| asked.get_mut(&*name)) {
                elements.push(element);
            }
        });
        let entries = cursors.iter().filter_map(|cursor| {
            let elements = asked.get(cursor.key())?;
            let read = |_| self.observe_elements(named, cursor, elements);
            Some(Listed::read(elements.first()?.get().as_bytes(), read, |_| None))
        });
        Ok(ListPage::new(entries.collect()))
    }

    /// Judges what a reply has of one name as if there were nothing else in the output.
    fn observe_elements(
        &self,
        named: Elements,
        cursor: &Cursor,
        elements: &[&RawValue],
    ) -> Result<Observation<'static>, Failure> {
        let elements: Vec<_> = elements.iter().map(|element| element.get()).collect();
        let alone = wrapped(named.at, &elements.join(","));
        let alone = alone.ok_or_else(|| Failure::unsupported(format!("`{}` is no path of elements", named.at)))?;
        let alone = serde_json::from_str(&alone).map_err(|error| Failure::protocol(error.to_string()))?;
        let mut seen = self.judge(Some(alone))?;
        seen.cursor = Some(cursor.clone());
        Ok(seen)
    }
}

impl Acceptor {
    /// Whether it looks only at the elements, if at the output at all. A comparison may look
    /// elsewhere as well.
    fn is_of_elements(&self, named: Elements) -> bool {
        let elements = without_indices(named.at);
        let elements = elements.strip_suffix(']').unwrap_or(&elements);
        self.path().is_none_or(|path| without_indices(path).starts_with(elements) && !path.contains(['=', '<', '>']))
    }

    /// Whether it matches a reply of fewer names only if it matches one of more.
    fn looks_for_any(&self) -> bool {
        let is_plain = |path: &str| {
            let of_each = |rest: &str| rest.starts_with(']') || rest.starts_with("*]");
            !path.contains(['=', '<', '>', '(']) && path.split('[').skip(1).all(of_each)
        };
        matches!(self.matcher(), Matcher::Output(path, Comparator::Any(_)) if is_plain(path))
    }
}

/// Returns the path with `[]` for each `[0]` and `[*]`.
fn without_indices(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    let mut is_inside = false;
    for c in path.chars() {
        is_inside = (is_inside || c == '[') && c != ']';
        if !is_inside || c == '[' {
            out.push(c);
        }
    }
    out
}

/// Returns an output that has nothing but these elements, with commas between them, at the path;
/// `None` if the path is not one of plain members, the last of which is a list.
fn wrapped(items: &str, elements: &str) -> Option<String> {
    let is_plain =
        |name: &str| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b));
    let (mut out, mut end) = (String::with_capacity(items.len() * 2 + elements.len()), String::new());
    for member in items.split('.') {
        let (name, list) = member.strip_suffix("[]").map_or((member, false), |name| (name, true));
        if !is_plain(name) {
            return None;
        }
        let _ = write!(out, "{{\"{name}\":{}", if list { "[" } else { "" });
        end.insert_str(0, if list { "]}" } else { "}" });
    }
    items.ends_with("[]").then(|| out + elements + &end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        dialect::{Dialect, Meaning},
        message::Request,
        status::State,
    };

    /// The waiter for running tasks of Amazon ECS, but for the failures.
    const TASK: Waiter = Waiter::post("ecs", r#"{"cluster":"c","tasks":["{name}"]}"#)
        .headers(&[("x-amz-target", "DescribeTasks")])
        .name_at("tasks[0].taskArn")
        .named("tasks[]", "taskArn", 100)
        .acceptors(&[
            Acceptor::new(Meaning::Failure, Matcher::Output("failures[].reason", Comparator::Any("MISSING"))),
            Acceptor::failure_when("tasks[0].lastStatus", "STOPPED"),
            Acceptor::new(Meaning::Failure, Matcher::Output("tasks[].health", Comparator::Any("BAD"))),
            Acceptor::new(Meaning::Success, Matcher::Output("tasks[].lastStatus", Comparator::All("RUNNING"))),
            Acceptor::retry_on_error("ServerException"),
        ]);

    fn reply(body: &str) -> Reply {
        Reply::new(body.to_owned().into())
    }

    fn cursors(names: &[&str]) -> Vec<Cursor> {
        names.iter().map(|name| Cursor::new(*name)).collect()
    }

    #[test]
    fn what_a_reply_has_of_each_name_is_judged_as_if_it_had_come_alone() {
        let elements = [
            ("a", r#"{"taskArn":"a","lastStatus":"PENDING"}"#),
            ("b", r#"{"taskArn":"b","lastStatus":"RUNNING"}"#),
            ("c", r#"{"taskArn":"c","lastStatus":"STOPPED"}"#),
            ("d", r#"{"taskArn":"d","lastStatus":"RUNNING","health":"BAD"}"#),
            ("7", r#"{"taskArn":7,"lastStatus":"RUNNING"}"#),
            ("b2", r#"{"taskArn":"b2","lastStatus":"RUNNING"},{"taskArn":"b2","lastStatus":"PENDING"}"#),
            ("e", r#"{"taskArn":"e"}"#),
        ];
        let names = cursors(&elements.map(|(name, _)| name));
        let names: Vec<_> = names.iter().collect();
        let others = r#"{"taskArn":"z","lastStatus":"STOPPED"},{"taskArn":null},7,[]"#;
        let all = format!(r#"{{"tasks":[{},{others}],"failures":[]}}"#, elements.map(|(_, element)| element).join(","));
        let all = reply(&all);
        let page = TASK.read_named(&names, &all).unwrap();
        assert_eq!((page.operations.len(), page.next_page_token.as_str()), (elements.len(), ""));
        for (((_, element), name), entry) in elements.iter().zip(&names).zip(page.operations) {
            let alone = reply(&format!(r#"{{"tasks":[{element}],"failures":[]}}"#));
            let (alone, seen) = (TASK.read(name, &alone).unwrap(), entry.seen.unwrap());
            assert_eq!(seen.cursor.as_ref(), Some(*name));
            assert_eq!((seen.state, seen.is_known_status), (alone.state, alone.is_known_status), "{element}");
            assert_eq!((seen.raw_status, seen.status), (alone.raw_status, alone.status), "{element}");
            assert!(seen.metadata.is_none() && seen.response.is_none(), "what is beside the elements is not known");
            assert!(element.as_bytes().starts_with(entry.message));
        }
        let states: Vec<_> = TASK.read_named(&names, &all).unwrap().operations;
        let states: Vec<_> = states.into_iter().map(|entry| entry.seen.unwrap().state).collect();
        let (running, succeeded, failed) = (State::Running, State::Succeeded, State::Failed);
        assert_eq!(states, [running, succeeded, failed, failed, succeeded, running, running]);
    }

    #[test]
    fn a_reply_that_says_something_of_one_name_says_nothing_of_any() {
        let [a, b] = ["a", "b"].map(Cursor::new);
        let task = r#"{"taskArn":"a","lastStatus":"RUNNING"}"#;
        let missing = reply(&format!(r#"{{"tasks":[{task}],"failures":[{{"arn":"b","reason":"MISSING"}}]}}"#));
        assert!(TASK.read_named(&[&a, &b], &missing).unwrap_err().to_string().contains("only some of them"));
        let other = reply(&format!(r#"{{"tasks":[{task}],"failures":[{{"arn":"b","reason":"SLOW"}}]}}"#));
        assert_eq!(
            TASK.read_named(&[&a, &b], &other).unwrap().operations.len(),
            1,
            "b is missing, and asked for alone"
        );
        let mut refused = reply(r#"{"__type":"ServerException"}"#);
        *refused.status_mut() = http::StatusCode::BAD_REQUEST;
        assert!(TASK.read_named(&[&a, &b], &refused).is_err());
        assert!(TASK.read_named(&[&a, &b], &reply("<html>")).is_err());
    }

    #[test]
    fn names_stand_where_the_one_stands() {
        let started = {
            let request = Request::new(bytes::Bytes::new());
            let began = reply(r#"{"tasks":[{"taskArn":"arn:a/1"}]}"#);
            TASK.read_start(&request, &began, &[]).unwrap().cursor.unwrap()
        };
        assert_eq!(started, TASK.locate("arn:a/1", &[]).unwrap());
        let Some(Coverage::Named(named)) = TASK.coverage(&started, &[]) else { panic!("not named") };
        assert_eq!((named.place.as_str(), named.most), (r#"ecs {"cluster":"c","tasks":["{name}"]}"#, 100));
        assert!(!named.whole, "the response is all of the output");
        let call = TASK.poll_named(&[&started, &Cursor::new("b\"")]).unwrap();
        assert_eq!((call.method.as_str(), call.target.as_str()), ("POST", "ecs"));
        assert_eq!(call.body, r#"{"cluster":"c","tasks":["arn:a/1","b\""]}"#);
        assert_eq!(call.headers["x-amz-target"], "DescribeTasks");
        let by_query = Waiter::get("v1/tasks?x=1&ids={name}").named("tasks[]", "id", 9);
        let [one, two] = ["a b", "c"].map(Cursor::new);
        assert_eq!(by_query.poll_named(&[&one, &two]).unwrap().target, "v1/tasks?x=1&ids=a%20b,c");
        let error = by_query.poll_named(&[&one, &Cursor::new("a,b")]).unwrap_err().to_string();
        assert!(error.contains("`a,b` cannot be asked for together"), "{error}");
        assert!(by_query.poll_named(&[]).is_err() && Waiter::get("{name}").poll_named(&[&one]).is_err());
    }

    const GET: Waiter = Waiter::get("v1/tasks?ids={name}");

    const fn output(path: &'static str, comparator: Comparator) -> Acceptor {
        Acceptor::new(Meaning::Failure, Matcher::Output(path, comparator))
    }

    const LEGAL: &[Acceptor] = &[
        output("tasks[1].state", Comparator::Is("x")),
        output("tasks[*].steps[0].state", Comparator::All("x")),
        output("other[].state", Comparator::Any("x")),
        Acceptor::new(Meaning::Retry, Matcher::Success(true)),
    ];

    const ILLEGAL: &[&[Acceptor]] = &[
        &[output("state", Comparator::Is("x"))],
        &[output("other[].state", Comparator::All("x"))],
        &[output("other[0].states", Comparator::Any("x"))],
        &[output("length(tasks[]) == `1`", Comparator::IsTrue(true))],
        &[output("tasks[0].state == other", Comparator::IsTrue(true))],
        &[output("tasksOfOthers[].state", Comparator::All("x"))],
    ];

    #[test]
    fn a_waiter_that_cannot_judge_elements_alone_is_polled_alone() {
        let covered = |waiter: Waiter| waiter.coverage(&Cursor::new("a"), &[]).is_some();
        assert!(covered(GET.named("tasks[]", "id", 9)) && covered(GET.named("a.tasks[].parts[]", "id", 9)));
        for items in ["tasks", "tasks[0]", "tasks[*]", "\"a b\"[]", "tasks[].x", "[]"] {
            assert!(!covered(GET.named(items, "id", 9)), "{items}");
        }
        for call in [
            Waiter::get("v1/tasks/{name}"),
            Waiter::get("v1/tasks?ids={name}&or={name}"),
            Waiter::get("v1/tasks"),
            Waiter::start_url(),
            Waiter::post("v1/tasks", r#"{"task":"{name}"}"#),
            Waiter::post("v1/tasks", r#"{"tasks":["{name}","x"]}"#),
            Waiter::post("v1/{name}", r#"{"tasks":["{name}"]}"#),
        ] {
            assert!(!covered(call.named("tasks[]", "id", 9)), "{call:?}");
        }
        assert!(covered(GET.named("tasks[]", "id", 9).acceptors(LEGAL)));
        for acceptors in ILLEGAL {
            assert!(!covered(GET.named("tasks[]", "id", 9).acceptors(acceptors)), "{acceptors:?}");
        }
        let mut headers = http::HeaderMap::new();
        headers.insert("x-amz-target", "RunTask".parse().unwrap());
        assert!(TASK.coverage(&Cursor::new("a").with_headers(headers.clone()), &[]).is_some(), "it is replaced");
        headers.insert("x-mine", "1".parse().unwrap());
        for cursor in [Cursor::new("a").with_headers(headers), Cursor::new(""), Cursor::new("..")] {
            assert_eq!(TASK.coverage(&cursor, &[]), None, "{cursor:?}");
        }
    }
}
