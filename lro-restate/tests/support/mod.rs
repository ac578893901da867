//! Restate's server, an endpoint and a service, each a process or a thread of its own on loopback.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use lro_restate::{
    Ended, Groups, Watch, Watched, group_of,
    restate_sdk::{context::RequestTarget, prelude::*},
};
use lro_runtime::{
    Operations, PollSettings, StartIdIn, Ticket, block_on,
    fleet::Service,
    http::{Method, Request},
    testing::{Job, LroServer},
    transport::{HyperTransport, Transport},
};
use serde_json::{Value, json};

mod front;

use self::front::Front;

/// Where the server's program is.
pub(crate) const SERVER: &str = "LRO_RESTATE_SERVER";
const SERVICE_URL: &str = "LRO_RESTATE_TEST_SERVICE";
const PORT: &str = "LRO_RESTATE_TEST_PORT";
const RATE: &str = "LRO_RESTATE_TEST_RATE";
/// How many groups an endpoint keeps in memory, if it is set for a worker.
pub(crate) const WARM: &str = "LRO_RESTATE_TEST_WARM";

/// Where the service expects the id of a start call.
const START_ID: StartIdIn = StartIdIn::Header("x-request-id");

/// One at a time: each measures what the others would disturb, on a machine of two cores.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    ONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ports of loopback that are free, each another, below those that Linux gives away. Another
/// program may take one before it is used: whoever starts a process there tries others then.
fn ports<const N: usize>() -> [u16; N] {
    let mut rng = fastrand::Rng::new();
    // All are held until the last is found: else one could be chosen twice.
    let mut held = [const { None }; N];
    held.each_mut().map(|held| {
        let (port, listener) = std::iter::repeat_with(|| rng.u16(20_000..32_000))
            .find_map(|port| TcpListener::bind(("127.0.0.1", port)).ok().map(|listener| (port, listener)))
            .unwrap();
        *held = Some(listener);
        port
    })
}

/// How long the server, or an endpoint, may take until it is up.
const UP_WITHIN: Duration = Duration::from_secs(60);

/// Starts a process, and again while it ends instead of coming up, as it does where one of its
/// ports is not free.
fn up(what: &str, mut start: impl FnMut() -> Option<Process>) -> Process {
    let began = Instant::now();
    loop {
        if let Some(process) = start() {
            return process;
        }
        assert!(began.elapsed() < UP_WITHIN, "{what} is not up in {UP_WITHIN:?}");
        thread::sleep(Duration::from_millis(100));
    }
}

/// Whether a server answers here, and well. Another program that has the port may never answer.
fn is_well(port: u16, path: &str) -> bool {
    let ask = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(Duration::from_secs(2)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        let mut status = *b"HTTP/1.1 200";
        stream.read_exact(&mut status)?;
        std::io::Result::Ok(status == *b"HTTP/1.1 200")
    };
    ask().unwrap_or(false)
}

/// A process that is killed when it is dropped.
pub(crate) struct Process(Child);

impl Process {
    /// As `kill -9`.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }

    /// Whether it has ended by itself within this time.
    pub(crate) fn ends_within(&mut self, limit: Duration) -> bool {
        let began = Instant::now();
        while began.elapsed() < limit {
            if self.0.try_wait().unwrap().is_some() {
                return true;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A cluster of one server and one endpoint, beside the service whose operations it watches.
pub(crate) struct Cluster {
    pub(crate) service: LroServer,
    /// Through which endpoints reach the service.
    pub(crate) front: Front,
    folder: PathBuf,
    node: u16,
    ingress: u16,
    admin: u16,
    endpoint: u16,
    rate: f64,
    variables: Vec<(String, String)>,
    /// Whether an endpoint has said that it waits.
    is_waiting: Arc<AtomicBool>,
    pub(crate) server: Option<Process>,
    pub(crate) worker: Option<Process>,
    client: HyperTransport,
    operations: Operations,
}

impl Cluster {
    /// Starts all; with `place`, the first endpoint dies there, or waits where it is told to:
    /// `waits digest:3`.
    pub(crate) fn start(rate: f64, place: Option<&str>) -> Self {
        Self::start_with(rate, place, &[])
    }

    /// As [`start`](Self::start), with variables for the environment of endpoints.
    pub(crate) fn start_with(rate: f64, place: Option<&str>, variables: &[(&str, &str)]) -> Self {
        let job = |request: &Value| Job::lasting(Duration::from_millis(request["millis"].as_u64().unwrap()));
        let service = LroServer::builder().on("v1/jobs:start", job).start_id_in(START_ID).start().unwrap();
        let (operations, front) = (service.operations().unwrap(), Front::of(&service.url()));
        let [node, ingress, admin, endpoint] = ports();
        let folder = std::env::temp_dir().join(format!("lro-restate-{}-{node}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let (server, worker, client) = (None, None, HyperTransport::new());
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut cluster = Self {
            service,
            front,
            folder,
            node,
            ingress,
            admin,
            endpoint,
            rate,
            variables,
            is_waiting: Arc::default(),
            server,
            worker,
            client,
            operations,
        };
        cluster.server = Some(up("the server", || {
            let server = cluster.spawn_server();
            if server.is_none() {
                let _ = std::fs::remove_dir_all(cluster.folder.join("data"));
                [cluster.node, cluster.ingress, cluster.admin] = ports();
            }
            server
        }));
        cluster.place_worker(place);
        cluster.register(false);
        cluster
    }

    /// Starts the server again that has died, where it was.
    pub(crate) fn start_server(&mut self) {
        self.server = Some(up("the server", || self.spawn_server()));
    }

    /// Starts the server; `None` if it has ended instead of coming up.
    fn spawn_server(&self) -> Option<Process> {
        let program = std::env::var(SERVER).expect("LRO_RESTATE_SERVER names the program `restate-server`");
        let log = std::fs::File::create(self.folder.join("server.log")).unwrap();
        let child = Command::new(program)
            .args(["--no-logo", "--node-name", "one", "--base-dir"])
            .arg(self.folder.join("data"))
            .env("RESTATE_LISTEN_MODE", "tcp")
            .env("RESTATE_BIND_IP", "127.0.0.1")
            .env("RESTATE_BIND_PORT", self.node.to_string())
            .env("RESTATE_ADVERTISED_HOST", "127.0.0.1")
            .env("RESTATE_INGRESS__BIND_IP", "127.0.0.1")
            .env("RESTATE_INGRESS__BIND_PORT", self.ingress.to_string())
            .env("RESTATE_ADMIN__BIND_IP", "127.0.0.1")
            .env("RESTATE_ADMIN__BIND_PORT", self.admin.to_string())
            .env("RESTATE_DEFAULT_NUM_PARTITIONS", "4")
            .env("RESTATE_ROCKSDB_TOTAL_MEMORY_SIZE", "256MB")
            .env("RESTATE_DISABLE_TELEMETRY", "true")
            .env("DO_NOT_TRACK", "1")
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Process(child);
        let began = Instant::now();
        while !(is_well(self.admin, "/health") && is_well(self.ingress, "/restate/health")) {
            if server.ends_within(Duration::from_millis(200)) {
                return None;
            }
            let folder = self.folder.display();
            assert!(began.elapsed() < UP_WITHIN, "the server is not up in {UP_WITHIN:?}; see {folder}");
        }
        Some(server)
    }

    /// Starts an endpoint where none was: this program again, which runs the test [`endpoint`]
    /// then.
    fn place_worker(&mut self, place: Option<&str>) {
        self.worker = Some(up("the endpoint", || {
            let worker = self.spawn_worker(place);
            if worker.is_none() {
                [self.endpoint] = ports();
            }
            worker
        }));
    }

    /// Starts the endpoint again that has died, where it was.
    pub(crate) fn start_worker(&mut self) {
        self.worker = Some(self.revive());
    }

    /// As [`start_worker`](Self::start_worker), for the caller to keep.
    pub(crate) fn revive(&self) -> Process {
        up("the endpoint", || self.spawn_worker(None))
    }

    /// Starts an endpoint; `None` if it has ended instead of listening.
    fn spawn_worker(&self, place: Option<&str>) -> Option<Process> {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "endpoint", "--nocapture"]);
        command
            .env(SERVICE_URL, self.front.url())
            .env(PORT, self.endpoint.to_string())
            .env(RATE, self.rate.to_string());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        match place.map(|place| place.strip_prefix("waits ").ok_or(place)) {
            Some(Ok(place)) => command.env("LRO_RESTATE_WAITS_AT", place),
            Some(Err(place)) => command.env("LRO_RESTATE_DIES_AT", place),
            None => command.env_remove("LRO_RESTATE_DIES_AT"),
        };
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut worker = Process(child);
        if !lines.any(|line| line.unwrap().contains("listening")) {
            assert!(worker.ends_within(UP_WITHIN), "the endpoint says nothing, and does not end");
            return None;
        }
        let is_waiting = Arc::clone(&self.is_waiting);
        // To the end: else its writes would block one day.
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                is_waiting.fetch_or(line.contains("waits at"), Ordering::Relaxed);
            }
        });
        Some(worker)
    }

    /// Has the endpoint move: another process at another address, as with a new version.
    pub(crate) fn deploy_another(&mut self) -> Process {
        [self.endpoint] = ports();
        let old = self.worker.take().unwrap();
        self.place_worker(None);
        self.register(true);
        old
    }

    fn register(&self, force: bool) {
        let uri = format!("http://127.0.0.1:{}", self.endpoint);
        let body = json!({ "uri": uri, "force": force });
        let (status, reply) = self.call(self.admin, Method::POST, "/deployments", Some(body), &[]).unwrap();
        assert!(status < 300, "{status}: {reply}");
    }

    /// Sends a request; `None` if it was not answered.
    fn call(
        &self,
        port: u16,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Option<(u16, Value)> {
        let mut request = Request::builder().method(method).uri(format!("http://127.0.0.1:{port}{path}"));
        if body.is_some() {
            request = request.header("content-type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let request = request.body(body.into()).unwrap();
        let reply = block_on(self.client.send(&request, 64 << 20)).ok()?;
        let body = serde_json::from_slice(reply.body())
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(reply.body()).into_owned()));
        Some((reply.status().as_u16(), body))
    }

    /// Calls a handler of an object, and again while the server does not answer.
    pub(crate) fn ask(&self, object: &str, key: &str, handler: &str, body: &Value) -> Value {
        let id = format!("{:x}", fastrand::u128(..));
        let path = format!("/{object}/{}/{handler}", key.replace('/', "%2F"));
        let began = Instant::now();
        loop {
            let answer = self.call(self.ingress, Method::POST, &path, Some(body.clone()), &[("idempotency-key", &id)]);
            match answer {
                Some((status, body)) if status < 300 => return body,
                _ if began.elapsed() < Duration::from_secs(60) => thread::sleep(Duration::from_millis(200)),
                answer => panic!("{path}: {answer:?}"),
            }
        }
    }

    /// Sends a tick, and does not wait for what becomes of it.
    pub(crate) fn send_tick(&self, group: &str, sequence: u64) {
        let path = format!("/LroGroup/{}/tick/send", group.replace('/', "%2F"));
        let (status, reply) = self.call(self.ingress, Method::POST, &path, Some(json!(sequence)), &[]).unwrap();
        assert!(status < 300, "{status}: {reply}");
    }

    /// Has an operation started that takes so long, and does not wait for it. The server has kept
    /// that it must be when this returns, however often it is asked under this id.
    pub(crate) fn start_job(&self, id: &str, lasts: Duration) {
        let body = || Some(json!(u64::try_from(lasts.as_millis()).unwrap()));
        let began = Instant::now();
        let send = || self.call(self.ingress, Method::POST, "/Starter/start/send", body(), &[("idempotency-key", id)]);
        while send().is_none_or(|(status, _)| status >= 300) {
            assert!(began.elapsed() < Duration::from_secs(60), "the server takes no calls");
            thread::sleep(Duration::from_millis(100));
        }
    }

    /// Watches operations of the service in a group.
    pub(crate) fn watch(&self, group: &str, names: &[String], settings: Option<&PollSettings>) -> Vec<Ticket> {
        let watches: Vec<Watch> = names
            .iter()
            .map(|name| {
                let mut watch = Watch::new(self.operations.resume(name).unwrap().token());
                watch.settings = settings.cloned();
                watch
            })
            .collect();
        let answer = self.ask("LroGroup", group, "watch", &json!(watches));
        let answers: Vec<Watched> = serde_json::from_value(answer).unwrap();
        let ticket = |watched: Watched| match watched {
            Watched::Ticket(ticket) => ticket,
            Watched::Refused(why) => panic!("{why}"),
        };
        answers.into_iter().map(ticket).collect()
    }

    /// Asks the server's own tables, and again while a server that has just started does not find
    /// them.
    pub(crate) fn query(&self, query: &str) -> Vec<Value> {
        let began = Instant::now();
        loop {
            let body = Some(json!({ "query": query }));
            match self.call(self.admin, Method::POST, "/query", body, &[("accept", "application/json")]) {
                Some((200, reply)) => return reply["rows"].as_array().unwrap().clone(),
                _ if began.elapsed() < Duration::from_secs(60) => thread::sleep(Duration::from_millis(200)),
                answer => panic!("{query}: {answer:?}"),
            }
        }
    }

    /// Returns what was told of each operation: how often, and how it was the last time.
    pub(crate) fn told(&self) -> Vec<(String, u64, Ended)> {
        let rows = self.query("SELECT service_key, key, value_utf8 FROM state WHERE service_name = 'Inbox'");
        let value = |row: &Value| serde_json::from_str::<Value>(row["value_utf8"].as_str().unwrap()).unwrap();
        let of = |row: &Value| row["service_key"].as_str().unwrap().to_owned();
        let counts = rows.iter().filter(|row| row["key"] == "times");
        counts
            .map(|row| {
                let ended = rows.iter().find(|other| of(other) == of(row) && other["key"] == "ended").unwrap();
                (of(row), value(row).as_u64().unwrap(), serde_json::from_value(value(ended)).unwrap())
            })
            .collect()
    }

    pub(crate) fn count_told(&self) -> usize {
        let rows = self.query("SELECT count(*) AS told FROM state WHERE service_name = 'Inbox' AND key = 'times'");
        usize::try_from(rows[0]["told"].as_u64().unwrap()).unwrap()
    }

    /// Waits until the endpoint waits where it was told to.
    pub(crate) fn until_waiting(&self) {
        let is_waiting = |cluster: &Self| cluster.is_waiting.load(Ordering::Relaxed);
        self.until("the endpoint waits", Duration::from_secs(60), is_waiting);
    }

    /// Waits until this many were told.
    pub(crate) fn until_told(&self, count: usize, limit: Duration) {
        self.until(&format!("{count} are told"), limit, |cluster| cluster.count_told() >= count);
    }

    pub(crate) fn until(&self, what: &str, limit: Duration, is: impl Fn(&Self) -> bool) {
        let began = Instant::now();
        while !is(self) {
            assert!(began.elapsed() < limit, "in vain for {limit:?}: {what}; see {}", self.folder.display());
            thread::sleep(Duration::from_millis(200));
        }
    }

    /// How many requests the service got about these operations, with lists.
    pub(crate) fn requests(&self) -> usize {
        self.service.log().len()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        (self.worker, self.server) = (None, None);
        if !thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Where completions go: an object for each operation.
struct Inbox;

#[restate_sdk::object]
impl Inbox {
    #[handler]
    async fn ended(&self, ctx: ObjectContext<'_>, ended: Json<Ended>) -> HandlerResult<()> {
        let times = ctx.get::<u64>("times").await?.unwrap_or_default();
        ctx.set("times", times + 1);
        ctx.set("ended", ended);
        Ok(())
    }
}

/// Starts operations, as a program would: `examples/endpoint.rs` says how.
struct Starter {
    operations: Operations,
}

#[restate_sdk::service]
impl Starter {
    #[handler]
    async fn start(&self, ctx: Context<'_>, millis: u64) -> HandlerResult<()> {
        let (operations, id) = (self.operations.clone(), ctx.invocation_id().to_owned());
        let start = || async move {
            let call = operations.call(Method::POST, "v1/jobs:start").json(&json!({ "millis": millis }));
            Ok(Json(call.start_id_in(START_ID).with_start_id(id).await?.token()))
        };
        let token = ctx.run(start).name("start").await?.into_inner();
        let group = RequestTarget::object("LroGroup", group_of("api", token.name(), 1), "watch");
        drop(ctx.request::<_, ()>(group, Json(vec![Watch::new(token)])).send());
        Ok(())
    }
}

/// Whether this process was started as an endpoint.
pub(crate) fn is_endpoint() -> bool {
    std::env::var_os(PORT).is_some()
}

/// Is the endpoint, in a process of its own; nothing where no test has started it.
pub(crate) fn serve() {
    let (Ok(url), Ok(port)) = (std::env::var(SERVICE_URL), std::env::var(PORT)) else { return };
    let rate = std::env::var(RATE).unwrap().parse().unwrap();
    let settings = PollSettings::default().with_delay(Duration::from_millis(700)).with_multiplier(1.0);
    let client = Operations::builder(url).poll_settings(settings).build().unwrap();
    let groups = Groups::builder()
        .service(Service::new("api", &client))
        .requests_per_second("api", rate)
        .completions_to_object("Inbox", "ended")
        .max_warm(std::env::var(WARM).map_or(1000, |groups| groups.parse().unwrap()))
        .build()
        .unwrap();
    let endpoint = groups.bind(Endpoint::builder()).bind(Inbox).bind(Starter { operations: client }).build();
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(async {
        let address = format!("127.0.0.1:{port}");
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        println!("listening");
        HttpServer::new(endpoint).serve(listener).await;
    });
}
