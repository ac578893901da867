//! How the service writes what is true, in each dialect.

use std::{fmt::Write as _, time::Duration};

use lro_runtime::{
    Operations, OperationsBuilder, StartCall, WireOperation,
    dialect::{Acceptor, Azure, Compute, Declared, Google, GoogleGrpc, Http, Jobs, Lxd, Redfish, Waiter},
    http::Method,
    transport::Request,
};
use serde_json::{Value, json};

use super::truth::End;

mod replies;

pub(super) use self::replies::{Said, cancelled, error, garbage, listed, polled, reply, started, with};

/// The service's own origin: no request may go to another.
pub(super) const HOST: &str = "service.example.com";

/// A dialect, and the form of it that the service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tongue {
    Google,
    Grpc,
    Compute,
    Jobs,
    AzureMonitor,
    AzureLocation,
    AzureResource,
    Http,
    Lxd,
    Redfish,
    Waiter,
    Declared,
}

impl Tongue {
    pub(super) const ALL: [Self; 12] = [
        Self::Google,
        Self::Grpc,
        Self::Compute,
        Self::Jobs,
        Self::AzureMonitor,
        Self::AzureLocation,
        Self::AzureResource,
        Self::Http,
        Self::Lxd,
        Self::Redfish,
        Self::Waiter,
        Self::Declared,
    ];

    /// The name under which its histories are counted.
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Google => "google",
            Self::Grpc => "grpc",
            Self::Compute => "compute",
            Self::Jobs => "jobs",
            Self::AzureMonitor => "azure_monitor",
            Self::AzureLocation => "azure_location",
            Self::AzureResource => "azure_resource",
            Self::Http => "http",
            Self::Lxd => "lxd",
            Self::Redfish => "redfish",
            Self::Waiter => "waiter",
            Self::Declared => "declared",
        }
    }

    /// The ends that the dialect can say.
    pub(super) fn ends(self) -> &'static [End] {
        match self {
            // HTTP has no status that says that the work failed.
            Self::Http => &[End::Succeeded],
            Self::Compute | Self::AzureLocation | Self::Waiter => &[End::Succeeded, End::Failed],
            _ => &[End::Succeeded, End::Failed, End::Cancelled],
        }
    }

    /// Whether the dialect has a cancel call.
    pub(super) fn has_cancel(self) -> bool {
        matches!(self, Self::Google | Self::Grpc | Self::Jobs | Self::Lxd | Self::Redfish | Self::Declared)
    }

    /// Whether the dialect has a list call that needs no parent.
    pub(super) fn has_list(self) -> bool {
        matches!(self, Self::Google | Self::Grpc)
    }

    /// Whether a name says as much as a token. Azure's name is a URL, from which the place of the
    /// result cannot be told.
    pub(super) fn has_whole_names(self) -> bool {
        !matches!(self, Self::AzureMonitor | Self::AzureLocation | Self::AzureResource)
    }

    /// Whether a reply of `200` that is no operation can be told from a result. Where a `200` is
    /// the result, whatever it says, it cannot.
    pub(super) fn knows_garbage(self) -> bool {
        !matches!(self, Self::AzureLocation | Self::AzureResource | Self::Http | Self::Redfish | Self::AzureMonitor)
    }

    /// Whether a `403` is a failed poll. A waiter takes it for the failure of what it waits for.
    pub(super) fn knows_refusals(self) -> bool {
        self != Self::Waiter
    }

    /// How long the service remembers an end, if that is part of the dialect.
    pub(super) fn remembers(self) -> Option<Duration> {
        (self == Self::Lxd).then_some(Duration::from_secs(5))
    }

    /// Whether waits hold polls unasked.
    pub(super) fn prefers_held_polls(self) -> bool {
        self == Self::Lxd
    }

    /// Whether the dialect has a poll that the service can hold.
    pub(super) fn has_held_polls(self) -> bool {
        matches!(self, Self::Google | Self::Grpc | Self::Compute | Self::Lxd)
    }

    /// Sets the dialect of a client.
    pub(super) fn spoken_by(self, builder: OperationsBuilder) -> OperationsBuilder {
        match self {
            Self::Google => builder.dialect(Google::new()),
            Self::Grpc => builder.dialect(GoogleGrpc::new()),
            Self::Compute => builder.dialect(Compute::new()),
            Self::Jobs => builder.dialect(Jobs::new()),
            Self::AzureMonitor | Self::AzureLocation | Self::AzureResource => builder.dialect(Azure::new()),
            Self::Http => builder.dialect(Http::new()),
            Self::Lxd => builder.dialect(Lxd::new()),
            Self::Redfish => builder.dialect(Redfish),
            Self::Waiter => builder.dialect(INSTANCE),
            Self::Declared => builder.dialect(Declared::of::<Prediction>()),
        }
    }

    /// Makes the start call with this number.
    pub(super) fn start(self, client: &Operations, start: usize) -> StartCall {
        let name = format!("start-{start:03}");
        match self {
            Self::Grpc => client.call_message("/sim.Images/Export", &Text { text: name }),
            Self::Compute => client
                .call(Method::POST, "compute/v1/projects/p/zones/z/{start}")
                .path("start", name)
                .query("sig", super::SECRET_IN_QUERY)
                .json(&json!({})),
            Self::AzureMonitor | Self::AzureResource => client
                .call(Method::PUT, "things/{start}")
                .path("start", name)
                .query("api-version", "2024-01-01")
                .query("sig", super::SECRET_IN_QUERY)
                .json(&json!({})),
            _ => client
                .call(Method::POST, "v1/things/{start}")
                .path("start", name)
                .query("sig", super::SECRET_IN_QUERY)
                .json(&json!({"size": 7})),
        }
    }
}

/// What a waiter polls.
const INSTANCE: Waiter = Waiter::get("v1/instances/{name}").name_at("instance.id").acceptors(&[
    Acceptor::success_when("instance.state", "ready"),
    Acceptor::failure_when("instance.state", "broken"),
    Acceptor::retry_on_error("NotFound"),
]);

/// A declared wire type.
#[derive(serde::Deserialize, WireOperation)]
#[operation(poll = "v1/predictions/{name}", cancel = "POST v1/predictions/{name}/cancel")]
struct Prediction {
    #[operation(name)]
    id: String,
    #[operation(state, pending = "starting", running = "processing", succeeded = "succeeded")]
    #[operation(failed = "failed", cancelled = "canceled")]
    status: String,
    #[operation(response)]
    output: Option<Value>,
    #[operation(error)]
    error: Option<String>,
    #[operation(progress, of = 100)]
    percent: Option<u32>,
}

/// A message with one text.
#[derive(Clone, PartialEq, lro_runtime::grpc::prost::Message)]
#[prost(prost_path = "lro_runtime::grpc::prost")]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Start an operation, by the number of the call.
    Start(usize),
    Poll(Place),
    /// A poll to be held for as long.
    Hold(Place, Duration),
    Cancel(Place),
    List,
    Unknown,
}

/// Which operation a request is about, and what of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Operation(usize),
    /// The result, at a URL of its own.
    Result(usize),
    /// What a start call has made, by the number of the call.
    Made(usize),
}

/// Returns the number after `mark`, of three digits.
pub(super) fn number_after(text: &[u8], mark: &str) -> Option<usize> {
    let at = text.windows(mark.len()).position(|window| window == mark.as_bytes())?;
    let digits = text.get(at + mark.len()..at + mark.len() + 3)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Returns the numbers of all operations that are named in a text.
pub(super) fn named_in(text: &[u8]) -> Vec<usize> {
    let mut found = vec![];
    for (at, window) in text.windows(6).enumerate() {
        if window.starts_with(b"op-")
            && let Some(number) = number_after(text.get(at..).unwrap_or_default(), "op-")
            && !found.contains(&number)
        {
            found.push(number);
        }
    }
    found
}

/// Returns the name of an operation within the service.
pub(super) fn name_of(operation: usize) -> String {
    format!("op-{operation:03}")
}

/// Reads a request.
pub(super) fn asked(request: &Request) -> Asked {
    let path = request.uri().path();
    let body = &request.body()[..];
    let operation = number_after(path.as_bytes(), "op-").or_else(|| number_after(body, "op-"));
    let start = number_after(path.as_bytes(), "start-").or_else(|| number_after(body, "start-"));
    let is_read = *request.method() == Method::GET;
    match (operation, start) {
        (Some(operation), _) => {
            let place = if path.contains("result") { Place::Result(operation) } else { Place::Operation(operation) };
            let is_cancel = *request.method() == Method::DELETE || path.to_ascii_lowercase().contains("cancel");
            if is_cancel {
                Asked::Cancel(place)
            } else if path.ends_with("wait") || path.ends_with("WaitOperation") {
                Asked::Hold(place, held_for(request))
            } else {
                Asked::Poll(place)
            }
        }
        (None, Some(start)) if is_read => Asked::Poll(Place::Made(start)),
        (None, Some(start)) => Asked::Start(start),
        (None, None) if path.ends_with("operations") || path.ends_with("ListOperations") => Asked::List,
        (None, None) => Asked::Unknown,
    }
}

/// Returns for how long a poll is to be held: what the request says in seconds, else two minutes.
fn held_for(request: &Request) -> Duration {
    let in_query = request.uri().query().and_then(|query| query.split("timeout=").nth(1));
    let in_body = std::str::from_utf8(request.body()).ok().and_then(|body| body.split("\"timeout\":\"").nth(1));
    let text: String =
        in_query.or(in_body).unwrap_or_default().chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
    text.parse().map_or(Duration::from_secs(120), Duration::from_secs_f64)
}

/// Writes an amount of time as the script of a history shows it.
pub(super) fn clock(at: Duration) -> String {
    let seconds = at.as_secs();
    let mut text = String::new();
    if seconds >= 86_400 {
        let _ = write!(text, "{}d ", seconds / 86_400);
    }
    let _ = write!(
        text,
        "{:02}:{:02}:{:02}.{:03}",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        at.subsec_millis()
    );
    text
}
