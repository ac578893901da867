//! The recorded scripts of `tests/scripts` as material: the services they are of, and what those
//! were asked and answered. Suites damage it.

#![expect(clippy::panic, reason = "a script that cannot be read fails every suite")]

use std::{collections::BTreeMap, fs, path::Path, sync::OnceLock};

use http::Request;
use lro_runtime::{
    Dialect, Operations, OperationsBuilder,
    dialect::{GoogleGrpc, Options},
};

use self::{dialects::WithOptions, parse::Reply};

#[path = "../../../tests/scripts/dialects.rs"]
mod dialects;
#[path = "../../../tests/scripts/parse.rs"]
#[expect(dead_code, reason = "what must follow from a script is for the suite that plays it")]
mod parse;

/// The base URL of the clients of every suite. It has a path, which names and paths are below.
pub const BASE: &str = "https://api.test/base";

/// Dialects that no script names.
const NO_SCRIPT: &[&str] = &[GRPC];
const GRPC: &str = "google grpc";

/// A dialect with the options of a method.
pub struct Service {
    /// The dialect's name in the scripts.
    pub name: &'static str,
    /// The method's options.
    pub options: &'static Options,
    dialect: fn(&str) -> std::sync::Arc<dyn Dialect>,
}

impl Service {
    /// Returns the dialect, which gets the options as from a method's attribute.
    #[must_use]
    pub fn dialect(&self) -> impl Dialect + use<> {
        WithOptions { inner: (self.dialect)(self.name), options: self.options }
    }

    /// Returns the builder of a client of this service.
    pub fn client(&self) -> OperationsBuilder {
        Operations::builder(BASE).dialect(self.dialect())
    }

    /// Whether names, not URLs, say where this service's operations are polled: then a poll stays
    /// below the base URL.
    #[must_use]
    pub fn has_names(&self) -> bool {
        !["azure", "http", "lxd", "redfish", "declared render", "waiter deleted", "waiter named"].contains(&self.name)
    }

    /// Whether bodies are protobuf messages.
    #[must_use]
    pub fn is_grpc(&self) -> bool {
        self.name == GRPC
    }
}

fn dialect(name: &str) -> std::sync::Arc<dyn Dialect> {
    if name == GRPC {
        return std::sync::Arc::new(GoogleGrpc::new());
    }
    dialects::dialect(name).unwrap_or_else(|| panic!("a script names the dialect `{name}`, which is none"))
}

/// One request of a script and the reply to it.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The position of the service in [`Recorded::services`].
    pub service: usize,
    /// `METHOD TARGET` of the script's first request.
    pub start: String,
    /// The target of this request.
    pub target: String,
    /// The status of the reply.
    pub status: u16,
    /// The headers of the reply.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body of the reply.
    pub body: Vec<u8>,
}

/// Everything that the scripts hold.
pub struct Recorded {
    /// Every dialect with every option that a script gives it, in the order of their names.
    pub services: Vec<Service>,
    /// Every exchange with a reply, by script. In each script the first is that of the start call,
    /// unless it resumes.
    pub scripts: Vec<Vec<Exchange>>,
}

impl Recorded {
    /// Returns the service at `index`, counted round and round.
    #[must_use]
    pub fn service(&self, index: usize) -> &Service {
        self.services.get(index % self.services.len()).unwrap_or_else(|| unreachable!("there are scripts"))
    }

    /// Returns the scripts of a service; those of Google's REST interface for its gRPC interface.
    #[must_use]
    pub fn scripts_of(&self, service: usize) -> Vec<&[Exchange]> {
        let name = self.service(service).name;
        let source = if name == GRPC { "google" } else { name };
        let of =
            |script: &&Vec<Exchange>| script.first().is_some_and(|first| self.service(first.service).name == source);
        self.scripts.iter().filter(of).map(Vec::as_slice).collect()
    }

    /// Returns the names of the dialects, each once.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        let mut names: Vec<_> = self.services.iter().map(|service| service.name).collect();
        names.dedup();
        names.into_iter()
    }
}

/// Returns what the scripts hold, which is read once.
///
/// # Panics
///
/// When a script cannot be read.
pub fn recorded() -> &'static Recorded {
    static RECORDED: OnceLock<Recorded> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let mut paths = Vec::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts"), &mut paths);
        paths.sort();
        let read = |path: &String| {
            let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path}: {error}"));
            parse::script(&text).unwrap_or_else(|why| panic!("{path}: {why}"))
        };
        of(paths.iter().map(read).collect())
    })
}

fn of(scripts: Vec<parse::Script>) -> Recorded {
    let mut known = BTreeMap::new();
    let without = NO_SCRIPT.iter().map(|name| ((*name).to_owned(), Vec::new()));
    for key in scripts.iter().map(|script| (script.dialect.clone(), script.options.clone())).chain(without) {
        known.insert(key, 0);
    }
    let mut services: Vec<Service> = Vec::new();
    for (position, ((name, options), index)) in known.iter_mut().enumerate() {
        *index = position;
        // A dialect keeps its options for ever, as they are constants of a method.
        let leaked = |text: &String| &*Box::leak(text.clone().into_boxed_str());
        let name = services.last().map(|last| last.name).filter(|last| last == name).unwrap_or_else(|| leaked(name));
        let options = options.iter().map(|(name, value)| (leaked(name), leaked(value))).collect();
        services.push(Service { name, options: Vec::leak(options), dialect });
    }
    let exchanges = scripts.into_iter().map(|script| {
        let service = known.get(&(script.dialect, script.options)).copied().unwrap_or_default();
        let start = script.steps.first().map(|step| format!("{} {}", step.method, step.target)).unwrap_or_default();
        let mut exchanges = Vec::new();
        for step in script.steps {
            if let Reply::Http { status, headers, body } = step.reply {
                exchanges.push(Exchange { service, start: start.clone(), target: step.target, status, headers, body });
            }
        }
        exchanges
    });
    let scripts = exchanges.filter(|exchanges| !exchanges.is_empty()).collect();
    Recorded { services, scripts }
}

fn collect(folder: &Path, paths: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten() {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|extension| extension == "lro") {
            paths.push(path.to_string_lossy().into_owned());
        }
    }
}

/// Returns the start request of `METHOD TARGET`, on the own origin; a `POST` to the base URL where
/// the text is no request.
#[must_use]
pub fn start_request(text: &str) -> Request<bytes::Bytes> {
    let (method, target) = text.split_once(' ').unwrap_or(("POST", text));
    let path = target.split_once("://").map_or(target, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    let mut request = Request::new(bytes::Bytes::new());
    *request.method_mut() = method.parse().unwrap_or(http::Method::POST);
    let uri = format!("{BASE}{}{path}", if path.starts_with(['/', '?']) { "" } else { "/" });
    *request.uri_mut() = uri.parse().unwrap_or(http::Uri::from_static(BASE));
    request
}
