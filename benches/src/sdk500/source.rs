//! Writes the source of the SDKs: 20 methods per service, each with its own request, response and
//! metadata types.

use std::{fmt::Write as _, fs, io, path::Path};

const VERBS: [&str; 20] = [
    "export", "import", "create", "delete", "copy", "resize", "encrypt", "restore", "backup", "migrate", "rotate",
    "publish", "scan", "repair", "archive", "compact", "clone", "attach", "detach", "upgrade",
];

/// The source of the package that all SDKs depend on.
const SUPPORT: &str = r#"//! What all SDKs share: one call that is not an operation.
use std::{fmt, sync::Arc, time::Duration};
use bytes::Bytes;
use lro_runtime::{Timer, Transport, transport::{BoxFuture, Reply, Request}};

#[derive(Clone)]
pub struct Http { pub transport: Arc<dyn Transport>, pub timer: Arc<dyn Timer>, pub base: String }

#[derive(Debug)]
pub enum Error {
    Transport(lro_runtime::transport::TransportError),
    Http(http::StatusCode),
    Json(serde_json::Error),
    Operation { code: i32, message: String },
    Timeout(Duration),
    Protocol(&'static str),
    Runtime(lro_runtime::Error),
}
impl fmt::Display for Error { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { fmt::Debug::fmt(self, f) } }
impl std::error::Error for Error {}
impl From<serde_json::Error> for Error { fn from(error: serde_json::Error) -> Self { Self::Json(error) } }
impl From<lro_runtime::Error> for Error { fn from(error: lro_runtime::Error) -> Self { Self::Runtime(error) } }
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Http {
    pub fn call(&self, method: http::Method, path: String, body: Vec<u8>) -> BoxFuture<'_, Result<Reply>> {
        Box::pin(async move {
            let mut request = Request::new(Bytes::from(body));
            *request.method_mut() = method;
            *request.uri_mut() = format!("{}/{path}", self.base).parse().map_err(|_| Error::Protocol("uri"))?;
            self.transport.send(&request, 1 << 24).await.map_err(Error::Transport)
        })
    }
}

/// A transport that never answers with an operation.
pub struct Offline;
impl Transport for Offline {
    fn send<'a>(&'a self, _: &'a Request, _: usize) -> BoxFuture<'a, Result<Reply, lro_runtime::transport::TransportError>> {
        Box::pin(async { Ok(Reply::new(Bytes::from_static(b"{}"))) })
    }
}

pub fn http() -> Http {
    Http { transport: Arc::new(Offline), timer: Arc::new(|_: Duration| std::future::ready(())), base: "http://localhost".to_owned() }
}

pub fn operations() -> lro_runtime::Operations {
    lro_runtime::Operations::builder("http://localhost").transport(Offline).timer(|_: Duration| std::future::ready(())).build().expect("legal")
}

pub fn run<T: std::future::Future>(future: T) -> T::Output {
    let mut future = std::pin::pin!(future);
    loop {
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut std::task::Context::from_waker(std::task::Waker::noop())) { return output }
    }
}
"#;

const MANIFEST: &str = r#"[package]
name = "NAME"
version = "0.1.0"
edition = "2024"

[dependencies]
bytes = "1"
http = "1"
serde = { version = "1", features = ["derive"] }
serde_json = "1"
lro-runtime = { path = "RUNTIME", default-features = false, features = ["macros"] }
"#;

/// The types of one method, which are the same in every SDK. One member of each has a name that no
/// other type has: the compiler would merge the functions of types that differ in nothing.
const TYPES: &str = r#"
/// Asks to VERB a NOUN.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TYPERequest { pub parent: String, pub display_name: String, pub METHOD_labels: Vec<String>, pub force: bool, pub count: u32 }
/// A NOUN after the VERB.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TYPEResponse { pub uri: String, pub size_bytes: u64, pub create_time: String, pub METHOD_etag: Option<String> }
/// How far the VERB of a NOUN is.
#[derive(Clone, Debug, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TYPEProgress { pub percent: u32, pub stage: String, pub create_time: String, pub METHOD_target: Option<String> }
"#;

/// A method without an operation: it returns the reply of the start call.
const BASE: &str = r#"
    /// Asks to VERB a NOUN.
    pub async fn METHOD(&self, request: &TYPERequest) -> Result<Reply> {
        self.http.call(http::Method::POST, "v1/NOUN:VERB".to_owned(), serde_json::to_vec(request)?).await
    }
"#;

/// A method with its poll loop written by hand.
const HAND: &str = r#"
    /// Asks to VERB a NOUN, and waits until it is done.
    pub async fn METHOD(&self, request: &TYPERequest, on_progress: &mut (dyn FnMut(&TYPEProgress) + Send)) -> Result<TYPEResponse> {
        let body = serde_json::to_vec(request)?;
        let mut reply = self.http.call(http::Method::POST, "v1/NOUN:VERB".to_owned(), body).await?;
        let mut delay = Duration::from_secs(1);
        let mut waited = Duration::ZERO;
        let mut failures = 0;
        let mut name = String::new();
        loop {
            let status = reply.status();
            if status.is_success() {
                failures = 0;
                let operation: TYPEOperation = serde_json::from_slice(reply.body())?;
                if !operation.name.is_empty() {
                    name = operation.name;
                }
                if let Some(progress) = &operation.metadata {
                    on_progress(progress);
                }
                if operation.done {
                    return match (operation.response, operation.error) {
                        (Some(response), _) => Ok(response),
                        (None, Some(error)) => Err(Error::Operation { code: error.code, message: error.message }),
                        (None, None) => Err(Error::Protocol("neither response nor error")),
                    };
                }
            } else {
                failures += 1;
                if failures > 5 || !(status.is_server_error() || status == http::StatusCode::TOO_MANY_REQUESTS) {
                    return Err(Error::Http(status));
                }
            }
            if waited > Duration::from_secs(3600) {
                return Err(Error::Timeout(waited));
            }
            self.http.timer.sleep(delay).await;
            waited += delay;
            delay = delay.mul_f64(1.5).min(Duration::from_secs(20));
            reply = self.http.call(http::Method::GET, format!("v1/{name}"), Vec::new()).await?;
        }
    }
"#;

/// The type that the loop by hand reads replies as.
const HAND_TYPES: &str = r#"
#[derive(serde::Deserialize)]
struct TYPEOperation {
    #[serde(default)]
    name: String,
    #[serde(default)]
    done: bool,
    metadata: Option<TYPEProgress>,
    response: Option<TYPEResponse>,
    error: Option<Status>,
}
"#;

/// A method with our attribute.
const OURS: &str = r#"
    /// Asks to VERB a NOUN.
    #[long_running(response = TYPEResponse, metadata = TYPEProgress)]
    pub async fn METHOD(&self, request: &TYPERequest) -> Result<RawOperation> {
        Ok(self.operations.post("v1/NOUN:VERB", request).await?)
    }
"#;

/// A method with the poller of google-cloud-lro, and the closures that its generated clients give
/// it.
const GOOGLE: &str = r#"
    /// Asks to VERB a NOUN.
    pub fn METHOD(&self, request: &TYPERequest) -> impl Poller<TYPEResponse, TYPEProgress> + use<> {
        let body = serde_json::to_vec(request);
        let (start, query) = (self.http.clone(), self.http.clone());
        new_poller(
            Arc::new(AlwaysContinue),
            Arc::new(ExponentialBackoffBuilder::default().build().expect("legal")),
            move || async move {
                let body = body.map_err(Error::deser)?;
                answer(start.call(http::Method::POST, "v1/NOUN:VERB".to_owned(), body).await).map(Operation::new)
            },
            move |name| {
                let query = query.clone();
                async move { answer(query.call(http::Method::GET, format!("v1/{name}"), Vec::new()).await).map(Operation::new) }
            },
        )
    }
"#;

/// What the poller of google-cloud-lro asks of the types of its operations.
const GOOGLE_TYPES: &str = r#"
impl Message for TYPEResponse { fn typename() -> &'static str { "type.googleapis.com/example.TYPEResponse" } }
impl Message for TYPEProgress { fn typename() -> &'static str { "type.googleapis.com/example.TYPEProgress" } }
"#;

/// Reads the replies of all methods.
const GOOGLE_ANSWER: &str = r#"
fn answer(reply: support::Result<lro_runtime::transport::Reply>) -> Result<google_cloud_longrunning::model::Operation, Error> {
    serde_json::from_slice(reply.map_err(Error::io)?.body()).map_err(Error::deser)
}
"#;

const GOOGLE_PRELUDE: &str = "use std::sync::Arc;
use google_cloud_gax::{error::Error, exponential_backoff::ExponentialBackoffBuilder, polling_error_policy::AlwaysContinue};
use google_cloud_lro::{Poller, internal::{Operation, new_poller}};
use google_cloud_wkt::message::Message;
use support::Http;
";

const GOOGLE_DEPENDENCIES: &str = r#"
google-cloud-gax = "1.15"
google-cloud-longrunning = "1.14"
google-cloud-lro = "1.11"
google-cloud-wkt = "1.10"
"#;

/// One SDK: what it depends on, its imports, the client's field, the attribute of the block, one
/// method, and the items beside it.
struct Sdk {
    name: &'static str,
    dependencies: &'static str,
    prelude: &'static str,
    field: &'static str,
    attribute: &'static str,
    method: &'static str,
    beside: &'static str,
    after: &'static str,
}

const SDKS: [Sdk; 4] = [
    Sdk {
        name: "sdk-base",
        dependencies: "",
        prelude: "use lro_runtime::transport::Reply;\nuse support::{Http, Result};\n",
        field: "http: Http",
        attribute: "",
        method: BASE,
        beside: "",
        after: "",
    },
    Sdk {
        name: "sdk-hand",
        dependencies: "",
        prelude: "use std::time::Duration;\nuse lro_runtime::Timer as _;\nuse support::{Error, Http, Result};\n",
        field: "http: Http",
        attribute: "",
        method: HAND,
        beside: HAND_TYPES,
        after: "\n#[derive(serde::Deserialize)]\nstruct Status {\n    #[serde(default)]\n    code: i32,\n    #[serde(default)]\n    message: String,\n}\n",
    },
    Sdk {
        name: "sdk-ours",
        dependencies: "",
        prelude: "use lro_runtime::{Operations, RawOperation, long_running};\nuse support::Result;\n",
        field: "operations: Operations",
        attribute: "#[long_running]\n",
        method: OURS,
        beside: "",
        after: "",
    },
    Sdk {
        name: "sdk-google",
        dependencies: GOOGLE_DEPENDENCIES,
        prelude: GOOGLE_PRELUDE,
        field: "http: Http",
        attribute: "",
        method: GOOGLE,
        beside: GOOGLE_TYPES,
        after: GOOGLE_ANSWER,
    },
];

/// Each program: its name, the SDK that it uses, the expression for a client's field, and the call
/// of one method.
const PROGRAMS: [(&str, &str, &str, &str); 5] = [
    ("use-base", "sdk_base", "support::http()", "black_box(client.METHOD(&request).await?);"),
    (
        "use-hand",
        "sdk_hand",
        "support::http()",
        "black_box(client.METHOD(&request, &mut |progress| { black_box(progress.percent); }).await?);",
    ),
    ("use-ours", "sdk_ours", "support::operations()", "black_box(client.METHOD(&request).await?.await?);"),
    (
        "use-ours-progress",
        "sdk_ours",
        "support::operations()",
        "let mut started = client.METHOD(&request).await?.on_progress(|operation| { black_box(operation.metadata().ok().flatten().map(|progress| progress.percent)); });\n    black_box(started.poll_until_completed(PollSettings::default()).await?.into_result()?);",
    ),
    (
        "use-google",
        "sdk_google",
        "support::http()",
        "black_box(google_cloud_lro::Poller::until_done(client.METHOD(&request)).await.map_err(|_| support::Error::Protocol(\"google\"))?);",
    ),
];

/// Writes a workspace with the SDKs and programs of these variants.
pub fn write(at: &Path, variants: &[&str], methods: usize) -> io::Result<()> {
    let runtime = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lro-runtime");
    let manifest =
        |name: &str, more: &str| MANIFEST.replace("NAME", name).replace("RUNTIME", &runtime.to_string_lossy()) + more;
    let put = |package: &str, file: &str, text: &str| {
        let path = at.join(package).join(file);
        fs::create_dir_all(path.parent().unwrap_or(at))?;
        // An unchanged file keeps its time stamp, so that cargo does not build it again.
        if fs::read_to_string(&path).is_ok_and(|old| old == text) { Ok(()) } else { fs::write(path, text) }
    };
    put(".", "Cargo.toml", "[workspace]\nresolver = \"3\"\nmembers = [\"support\", \"sdk-*\", \"use-*\"]\n")?;
    put("support", "Cargo.toml", &manifest("support", ""))?;
    put("support", "src/lib.rs", SUPPORT)?;
    let support = "support = { path = \"../support\" }\n";
    for sdk in SDKS.iter().filter(|sdk| variants.contains(&&sdk.name["sdk-".len()..])) {
        put(sdk.name, "Cargo.toml", &manifest(sdk.name, &[support, sdk.dependencies].concat()))?;
        let modules: String =
            (0..methods.div_ceil(VERBS.len())).map(|service| format!("pub mod service{service};\n")).collect();
        put(sdk.name, "src/lib.rs", &modules)?;
        for (service, methods) in services(methods) {
            put(sdk.name, &format!("src/service{service}.rs"), &sdk_module(sdk, service, methods))?;
        }
    }
    for (name, sdk, client, method) in
        PROGRAMS.into_iter().filter(|program| variants.contains(&&program.0["use-".len()..]))
    {
        let sdk_package = sdk.replace('_', "-");
        let dependencies = SDKS.iter().find(|sdk| sdk.name == sdk_package).map_or("", |sdk| sdk.dependencies);
        let more = format!("{support}{sdk_package} = {{ path = \"../{sdk_package}\" }}\n{dependencies}");
        put(name, "Cargo.toml", &manifest(name, &more))?;
        put(name, "src/main.rs", &program(sdk, client, method, methods))?;
    }
    Ok(())
}

/// Returns each service with its number of methods.
fn services(methods: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..methods.div_ceil(VERBS.len())).map(move |service| (service, VERBS.len().min(methods - service * VERBS.len())))
}

/// Returns the source of one service.
fn sdk_module(sdk: &Sdk, service: usize, methods: usize) -> String {
    let mut text = sdk.prelude.to_owned();
    let all =
        |template: &str| -> String { VERBS[..methods].iter().map(|verb| fill(template, verb, service)).collect() };
    let _ = write!(text, "\n/// Client of service {service}.\npub struct Client {{ pub {} }}\n", sdk.field);
    let _ = write!(text, "\n{}impl Client {{{}}}\n", sdk.attribute, all(sdk.method));
    text + &all(TYPES) + &all(sdk.beside) + sdk.after
}

/// Returns the source of a program that calls every method once.
fn program(sdk: &str, client: &str, method: &str, methods: usize) -> String {
    let mut text = "use std::hint::black_box;\n#[allow(unused_imports)]\nuse lro_runtime::PollSettings;\n".to_owned();
    let field = if client.contains("operations") { "operations" } else { "http" };
    let mut calls = String::new();
    for (service, methods) in services(methods) {
        for verb in &VERBS[..methods] {
            let function = format!("{verb}_{service}");
            let body = fill(method, verb, service);
            let request = fill("TYPERequest::default()", verb, service);
            let _ = write!(
                text,
                "async fn {function}() -> support::Result<()> {{\n    let client = {sdk}::service{service}::Client {{ {field}: {client} }};\n    let request = {sdk}::service{service}::{request};\n    {body}\n    Ok(())\n}}\n"
            );
            let _ = writeln!(calls, "    drop(support::run(Box::pin({function}())));");
        }
    }
    text + "fn main() {\n" + &calls + "}\n"
}

/// Fills the placeholders of a template: `TYPE`, `METHOD`, `VERB`, `NOUN`.
fn fill(template: &str, verb: &str, service: usize) -> String {
    let noun = format!("image{service}");
    let ty = format!("{}{}Image{service}", verb[..1].to_uppercase(), &verb[1..]);
    let method = format!("{verb}_{noun}");
    template.replace("TYPE", &ty).replace("METHOD", &method).replace("VERB", verb).replace("NOUN", &noun)
}
