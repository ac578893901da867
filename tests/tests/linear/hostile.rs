//! What a server may send to make a reader work: JSON values that grow in one way each, and the
//! places where they stand in the messages of each dialect.

use std::{borrow::Cow, sync::Arc};

use lro_runtime::{
    Dialect, WireOperation,
    dialect::{
        Acceptor, Azure, Comparator, Compute, Declared, Google, Http, Jobs, Lxd, Matcher, Meaning, Redfish, Vertex,
        Waiter,
    },
    wire::{bigquery, cloud_sql, gke, meilisearch, openai, replicate},
};

/// JSON that grows: what stands before, the part that is repeated, and what stands behind, once or,
/// where it is not empty after `close`, as often. A `#` in the part is its number.
pub(crate) struct Growth {
    pub(crate) head: &'static str,
    pub(crate) part: &'static str,
    pub(crate) tail: &'static str,
    pub(crate) close: &'static str,
}

const fn list(element: &'static str) -> Growth {
    Growth { head: "[0", part: element, tail: "]", close: "" }
}

const fn text(part: &'static str) -> Growth {
    Growth { head: "\"", part, tail: "\"", close: "" }
}

/// Every way to grow: by nesting, repetition, length, escapes, and members small or doubled.
pub(crate) const GROWTHS: &[Growth] = &[
    Growth { head: "", part: "[", tail: "0", close: "]" },
    Growth { head: "", part: r#"{"a":"#, tail: "0", close: "}" },
    Growth { head: "", part: r#"{"error":"#, tail: r#""e""#, close: "}" },
    Growth { head: "", part: r#"{"details":["#, tail: "0", close: "]}" },
    Growth { head: "", part: r#"{"innererror":"#, tail: "0", close: "}" },
    text("a"),
    text(r"\u0022"),
    text(r"\\"),
    text("%25"),
    text("?sig=a&"),
    text("/../"),
    text("://a@"),
    text("&amp;"),
    list(",1"),
    list(",null"),
    list(r#","a""#),
    list(",{}"),
    list(",[]"),
    list(r#",{"code":"c","message":"m","target":"t"}"#),
    list(r#",{"@type":"t/google.rpc.ErrorInfo","reason":""}"#),
    list(r#",{"name":"operations/1","id":"1","status":"RUNNING"}"#),
    Growth { head: r#"{"b":0"#, part: r#","a":1"#, tail: "}", close: "" },
    Growth { head: r#"{"b":0"#, part: r#","\u0061":"%""#, tail: "}", close: "" },
    Growth { head: r#"{"b":0"#, part: r#","a#":1"#, tail: "}", close: "" },
    Growth { head: r#"{"b":0"#, part: r#","message":"m","code":"7""#, tail: "}", close: "" },
    Growth { head: r#"{"b":0"#, part: r#","x_progress":"5%""#, tail: "}", close: "" },
    Growth { head: "1", part: "0", tail: "", close: "" },
    Growth { head: "0.", part: "0", tail: "1", close: "" },
    Growth { head: "1e", part: "9", tail: "", close: "" },
    Growth { head: "", part: " ", tail: "1", close: "" },
];

impl Growth {
    /// Returns about this many bytes of it.
    pub(crate) fn of_length(&self, length: usize) -> String {
        let times = length / (numbered(self.part, 0).len() + self.close.len());
        [self.head, &so_many(self.part, times), self.tail, &self.close.repeat(times)].concat()
    }

    pub(crate) fn part(&self) -> &'static str {
        self.part
    }
}

/// Returns a part with its number in place of a `#`. All numbers have one width, so that four times
/// as many parts are four times as long.
pub(crate) fn numbered(part: &str, number: usize) -> Cow<'_, str> {
    if part.contains('#') { part.replace('#', &format!("{number:06}")).into() } else { part.into() }
}

/// Returns about this many bytes of a part, [`numbered`].
pub(crate) fn repeated(part: &str, length: usize) -> String {
    so_many(part, length / numbered(part, 0).len())
}

fn so_many(part: &str, times: usize) -> String {
    if !part.contains('#') {
        return part.repeat(times);
    }
    (0..times).map(|number| numbered(part, number)).collect()
}

/// Where in a message the value that grows stands.
pub(crate) const HOLE: &str = "$";

/// Replies of every dialect to a poll that succeeds.
pub(crate) struct Subject {
    pub(crate) dialect: Arc<dyn Dialect>,
    pub(crate) messages: &'static [&'static str],
}

/// Replies of any dialect that are HTTP errors.
pub(crate) const ERRORS: &[&str] = &[
    "$",
    r#"{"error":$}"#,
    r#"{"error":{"code":$}}"#,
    r#"{"error":{"code":"c","message":$}}"#,
    r#"{"error":{"code":403,"details":$}}"#,
    r#"{"error":{"code":403,"errors":$}}"#,
    r#"{"error":{"code":"c","innererror":$}}"#,
    r#"{"error":{"code":"c","@Message.ExtendedInfo":$}}"#,
    r#"{"code":"c","message":$}"#,
    "<E><Error><Code>$</Code><Message>$</Message></Error></E>",
];

const GOOGLE: &[&str] = &[
    "$",
    r#"{"name":$}"#,
    r#"{"name":"o","done":$}"#,
    r#"{"name":"o","metadata":$}"#,
    r#"{"name":"o","done":true,"response":$}"#,
    r#"{"name":"o","done":true,"error":$}"#,
    r#"{"name":"o","done":true,"error":{"code":$}}"#,
    r#"{"name":"o","done":true,"error":{"code":3,"message":$}}"#,
    r#"{"name":"o","done":true,"error":{"code":3,"details":$}}"#,
    r#"{"name":"o","done":true,"error":{"code":3,"details":[$]}}"#,
    r#"{"name":"o","unknown":$}"#,
    r#"{"operations":$,"nextPageToken":"x"}"#,
    r#"{"operations":[{"name":"o","metadata":$}]}"#,
    r#"{"operations":[],"nextPageToken":$,"unreachable":$}"#,
];

const COMPUTE: &[&str] = &[
    "$",
    r#"{"name":$}"#,
    r#"{"name":"o","status":$}"#,
    r#"{"name":"o","status":"DONE","targetLink":$,"selfLink":$}"#,
    r#"{"name":"o","status":"DONE","error":$}"#,
    r#"{"name":"o","status":"DONE","error":{"errors":$}}"#,
    r#"{"name":"o","status":"DONE","error":{"errors":[{"code":"c","errorDetails":$}]}}"#,
    r#"{"name":"o","status":"DONE","httpErrorStatusCode":$,"httpErrorMessage":$}"#,
    r#"{"name":"o","status":"RUNNING","progress":$,"statusMessage":$}"#,
    r#"{"items":$,"nextPageToken":"x"}"#,
    r#"{"items":{"zones/a":{"operations":$}}}"#,
];

const JOBS: &[&str] = &[
    "$",
    r#"{"name":$,"state":"JOB_STATE_RUNNING"}"#,
    r#"{"name":"j","state":$}"#,
    r#"{"name":"j","metadata":{"state":$}}"#,
    r#"{"name":"j","state":"JOB_STATE_FAILED","error":$}"#,
    r#"{"name":"j","state":"JOB_STATE_FAILED","error":{"code":3,"details":$}}"#,
    r#"{"name":"j","state":"JOB_STATE_SUCCEEDED","response":$}"#,
];

const AZURE: &[&str] = &[
    "$",
    r#"{"status":$}"#,
    r#"{"status":"Running","percentComplete":$,"unknown":$}"#,
    r#"{"status":"Succeeded","resourceLocation":$}"#,
    r#"{"status":"Succeeded","properties":$,"result":$}"#,
    r#"{"properties":{"provisioningState":$}}"#,
    r#"{"status":"Failed","error":$}"#,
    r#"{"status":"Failed","error":{"code":$}}"#,
    r#"{"status":"Failed","error":{"code":"c","message":$}}"#,
    r#"{"status":"Failed","error":{"code":"c","details":$}}"#,
    r#"{"status":"Failed","error":{"code":"c","innererror":$}}"#,
    r#"{"status":"Failed","errors":$}"#,
    r#"{"status":"Failed","odata.error":$}"#,
];

const LXD: &[&str] = &[
    "$",
    r#"{"type":$,"metadata":{}}"#,
    r#"{"type":"async","operation":$,"metadata":{"id":"1","status_code":103}}"#,
    r#"{"type":"sync","metadata":$}"#,
    r#"{"type":"sync","metadata":{"id":"1","status_code":$}}"#,
    r#"{"type":"sync","metadata":{"id":"1","status_code":400,"err":$}}"#,
    r#"{"type":"sync","metadata":{"id":"1","status_code":103,"status":$}}"#,
    r#"{"type":"sync","metadata":{"id":"1","status_code":103,"metadata":$}}"#,
    r#"{"type":"sync","metadata":{"id":"1","status_code":103,"metadata":{"progress":$,"x_progress":$}}}"#,
    r#"{"type":"sync","metadata":{"running":$}}"#,
    r#"{"type":"error","error":$,"error_code":$}"#,
];

const REDFISH: &[&str] = &[
    "$",
    r#"{"TaskState":$}"#,
    r#"{"TaskState":"Running","PercentComplete":$,"TaskMonitor":$,"@odata.id":$}"#,
    r#"{"TaskState":"Exception","Messages":$}"#,
    r#"{"TaskState":"Exception","Messages":[{"MessageId":$,"Message":$,"MessageArgs":$}]}"#,
];

/// Messages that have the members of all types of `wire`.
const DECLARED: &[&str] = &[
    "$",
    r#"{"id":$,"name":$,"uid":$,"taskUid":$}"#,
    r#"{"id":"1","status":$}"#,
    r#"{"id":"1","status":"failed","error":$}"#,
    r#"{"id":"1","status":"failed","error":{"code":$,"message":$}}"#,
    r#"{"id":"1","status":"failed","errors":$,"last_error":$,"incomplete_details":$}"#,
    r#"{"id":"1","status":"failed","errors":{"data":$}}"#,
    r#"{"name":"o","status":"DONE","error":{"errors":$},"statusConditions":$}"#,
    r#"{"jobReference":{"projectId":"p","jobId":$},"status":{"state":"DONE","errorResult":$,"errors":$}}"#,
    r#"{"jobReference":{"projectId":"p","jobId":"j"},"status":{"state":$}}"#,
    r#"{"id":"1","status":"completed","output":$,"details":$,"urls":{"get":$}}"#,
    r#"{"id":"1","uid":1,"status":"processing","progress":$,"logs":$,"metrics":$}"#,
    r#"{"results":$,"data":$,"items":$,"operations":$,"next":"x"}"#,
];

const WAITER: &[&str] = &[
    "$",
    r#"{"instance":$}"#,
    r#"{"instance":{"id":$,"state":$}}"#,
    r#"{"nodes":$}"#,
    r#"{"nodes":[$]}"#,
    r#"{"nodes":[{"state":$,"disks":$}]}"#,
    r#"{"unknown":$}"#,
];

const HTTP: &[&str] = &["$", r#"{"status":$}"#, r#"{"properties":{"provisioningState":$}}"#];

/// Every form of a path of an acceptor.
const FLEET: Waiter = Waiter::get("v1/fleet").name_at("instance.id").response_at("nodes[].state").acceptors(&[
    Acceptor::new(Meaning::Failure, Matcher::Output("nodes[].disks[].state", Comparator::Any("lost"))),
    Acceptor::new(Meaning::Failure, Matcher::Output("nodes[*].disks[*].state[]", Comparator::All("lost"))),
    Acceptor::new(Meaning::Failure, Matcher::Output("nodes[-1].state", Comparator::Is("lost"))),
    Acceptor::new(Meaning::Success, Matcher::Output("length(nodes[].a) == `1`", Comparator::IsTrue(true))),
    Acceptor::new(Meaning::Success, Matcher::Output("nodes == `[{\"a\":[1,{}]}]`", Comparator::IsTrue(true))),
    Acceptor::new(Meaning::Success, Matcher::Output("instance != `{\"a\":1}`", Comparator::IsTrue(true))),
    Acceptor::new(Meaning::Failure, Matcher::ErrorType("Gone")),
]);

fn declared<T: WireOperation>() -> Arc<dyn Dialect> {
    Arc::new(Declared::of::<T>())
}

/// Returns every dialect whose messages are JSON, with its messages.
pub(crate) fn subjects() -> Vec<Subject> {
    let of = |messages: &'static [&'static str], dialect: Arc<dyn Dialect>| Subject { dialect, messages };
    let mut subjects = vec![
        of(GOOGLE, Arc::new(Google::new())),
        of(GOOGLE, Arc::new(Vertex::new())),
        of(COMPUTE, Arc::new(Compute::new())),
        of(JOBS, Arc::new(Jobs::new())),
        of(AZURE, Arc::new(Azure::new())),
        of(HTTP, Arc::new(Http::new())),
        of(LXD, Arc::new(Lxd::new())),
        of(REDFISH, Arc::new(Redfish)),
        of(WAITER, Arc::new(FLEET)),
    ];
    let declared = [
        declared::<bigquery::Job>(),
        declared::<cloud_sql::Operation>(),
        declared::<gke::Operation>(),
        declared::<meilisearch::Task>(),
        declared::<openai::Batch>(),
        declared::<openai::FineTuningJob>(),
        declared::<openai::Response>(),
        declared::<openai::Run>(),
        declared::<openai::Video>(),
        declared::<replicate::Prediction>(),
        declared::<replicate::Training>(),
    ];
    subjects.extend(declared.into_iter().map(|dialect| of(DECLARED, dialect)));
    subjects
}
