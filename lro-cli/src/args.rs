//! The arguments, as clap reads them. Their documentation is the help and the man page.

use std::{path::PathBuf, time::SystemTime};

use clap::{Args, Parser, Subcommand, ValueEnum};
use lro_runtime::PollSettings;
use serde_json::json;

use crate::outcome::Problem;

#[cfg(feature = "generate")]
pub mod generate;

const EXIT_CODES: &str = "\
Exit codes:
    0  the operation succeeded, or the call was accepted
    1  it failed
    2  it was cancelled
    3  it has not ended: the time limit has passed, or `get` has come too early
    4  the arguments are wrong, or what they name: an option, a file, a name, a token
    5  the service gave no answer that says how it stands, or refused the call
    6  not all of the output could be written
  130  Ctrl-C, SIGTERM or SIGHUP; nothing is cancelled
Of many operations, the highest counts.";

/// Gets, waits for, watches, cancels, deletes and lists long-running operations, and writes SDKs
/// for them.
#[derive(Parser)]
#[command(name = "lro", version, about, after_help = EXIT_CODES)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Poll operations once, and print what is known of them
    Get(Operations),
    /// Poll operations until each has ended, and print how
    Wait(Wait),
    /// Show operations live until each has ended: a table on a terminal, else a line per change
    Watch(Wait),
    /// Ask the service to cancel operations; `lro wait` tells whether they were
    Cancel(Operations),
    /// Tell the service that operations are no longer needed; this does not cancel them
    Delete(Operations),
    /// List the service's operations
    List(List),
    /// Write the long-running methods of an SDK from descriptions of an API
    #[cfg(feature = "generate")]
    #[command(after_help = generate::EXIT_CODES)]
    Generate(generate::Generate),
    /// Print the completions of a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Print the man page of `lro`, or of one of its commands
    Man {
        /// The command, such as `wait`
        command: Option<String>,
    },
}

/// The arguments of a command about operations that are named.
#[derive(Args)]
pub struct Operations {
    #[command(flatten)]
    pub names: Names,
    #[command(flatten)]
    pub format: Format,
    #[command(flatten)]
    pub service: Service,
}

/// The arguments of a command that waits.
#[derive(Args)]
pub struct Wait {
    #[command(flatten)]
    pub names: Names,
    #[command(flatten)]
    pub limits: Limits,
    #[command(flatten)]
    pub format: Format,
    #[command(flatten)]
    pub service: Service,
}

/// The arguments of `list`.
#[derive(Args)]
pub struct List {
    /// List the operations of this resource, such as `projects/p/locations/l`
    #[arg(long)]
    pub parent: Option<String>,
    /// List only what the service's filter lets through, such as `done=false`
    #[arg(long, default_value = "", hide_default_value = true)]
    pub filter: String,
    /// Ask for so many operations at once
    #[arg(long, value_name = "NUMBER")]
    pub page_size: Option<u32>,
    /// Stop after so many operations
    #[arg(long, value_name = "NUMBER")]
    pub limit: Option<usize>,
    #[command(flatten)]
    pub format: Format,
    #[command(flatten)]
    pub service: Service,
}

/// Which operations.
#[derive(Args)]
pub struct Names {
    /// The names of the operations, or tokens; `-` reads them from stdin, one on a line
    #[arg(required = true, value_name = "NAME-OR-TOKEN")]
    pub names: Vec<String>,
}

/// In which form to print.
#[derive(Args)]
pub struct Format {
    /// Print one JSON object for each operation, on one line
    #[arg(long)]
    pub json: bool,
}

/// How long to wait, and how often to poll.
#[derive(Args)]
pub struct Limits {
    /// Stop waiting after this time, such as `10m` or `1m 30s`; nothing is cancelled
    #[arg(long, value_name = "DURATION", value_parser = duration, conflicts_with = "deadline")]
    timeout: Option<String>,
    /// Stop waiting at this time, such as `2026-11-30T18:00:00Z`; nothing is cancelled
    #[arg(long, value_name = "TIME", value_parser = time)]
    deadline: Option<SystemTime>,
    /// Poll at this interval, where the service has no wish of its own [default: from 1s to 20s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    interval: Option<String>,
    /// Print no progress to stderr
    #[arg(long, short)]
    pub quiet: bool,
}

/// Which service, and how to talk to it.
#[derive(Args)]
#[command(next_help_heading = "Service")]
pub struct Service {
    /// How the service writes its operations
    #[arg(long, value_enum, default_value_t = Dialect::Google, env = "LRO_DIALECT", hide_env_values = true)]
    pub dialect: Dialect,
    /// The URL below which the service is, such as `https://images.example.com`
    #[arg(long, value_name = "URL", env = "LRO_BASE", hide_env_values = true)]
    pub base: Option<String>,
    /// The path of an operation below the base URL (google, vertex, jobs: `v1/{name}`), or the
    /// prefix of all paths (compute: `compute/v1`)
    #[arg(long)]
    pub path: Option<String>,
    /// The member of the metadata with the per cent done, such as `progressPercent` or `a.b`
    #[arg(long, value_name = "MEMBER")]
    pub percent: Option<String>,
    /// The member of the metadata with what the service says, such as `statusMessage`
    #[arg(long, value_name = "MEMBER")]
    pub message: Option<String>,
    /// Send every request over this unix socket; the base URL is `http://localhost` then
    #[cfg(unix)]
    #[arg(long, value_name = "FILE")]
    pub unix_socket: Option<PathBuf>,
    /// Trust the certificates in this PEM file, too
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// Send the bearer token that is in this environment variable
    #[arg(long, value_name = "VARIABLE", conflicts_with = "bearer_file")]
    pub bearer_env: Option<String>,
    /// Send the bearer token that is in this file, which is read again before each request
    #[arg(long, value_name = "FILE")]
    pub bearer_file: Option<PathBuf>,
    /// Send the headers that are in this environment variable, one `Name: value` on a line
    #[arg(long, value_name = "VARIABLE", conflicts_with = "headers_file")]
    pub headers_env: Option<String>,
    /// Send the headers that are in this file, one `Name: value` on a line
    #[arg(long, value_name = "FILE")]
    pub headers_file: Option<PathBuf>,
    /// Add a parameter to the query of each request, such as `api-version=2024-01-01`; not for
    /// secrets
    #[arg(long, value_name = "NAME=VALUE")]
    pub query: Vec<String>,
    /// Add a parameter whose value is in an environment variable
    #[arg(long, value_name = "NAME=VARIABLE")]
    pub query_env: Vec<String>,
    /// Follow URLs of the service to this origin, too, without credentials
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<String>,
    /// Follow URLs of the service to this origin, too, with credentials
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin_with_credentials: Vec<String>,
    /// Tell on stderr which requests are sent, and what was answered
    #[arg(long, short)]
    pub verbose: bool,
}

/// The dialects that need no declaration of an SDK's author.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Dialect {
    /// google.longrunning over REST
    Google,
    /// Vertex AI predictions
    Vertex,
    /// jobs of Vertex AI, batches of the Gemini API
    Jobs,
    /// Compute Engine and other services with extended operations
    Compute,
    /// Kubernetes Engine
    Gke,
    /// Cloud SQL
    CloudSql,
    /// BigQuery
    Bigquery,
    /// Azure: data plane and Resource Manager
    Azure,
    /// 202 with a Location
    Http,
    /// LXD and Incus
    Lxd,
    /// Redfish tasks
    Redfish,
    /// OpenAI: responses
    OpenaiResponse,
    /// OpenAI: batches
    OpenaiBatch,
    /// OpenAI: fine-tuning jobs
    OpenaiFineTuning,
    /// OpenAI: videos
    OpenaiVideo,
    /// Replicate: predictions
    Replicate,
    /// Replicate: trainings
    ReplicateTraining,
    /// Meilisearch: tasks
    Meilisearch,
}

impl Dialect {
    /// Returns the word of the dialect, as it is given on the command line.
    pub fn word(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

impl Limits {
    /// Returns the settings of the wait. Without a limit it goes on until the operation ends: who
    /// waits can end it.
    pub fn settings(&self) -> Result<PollSettings, Problem> {
        let mut settings = json!({});
        if let Some(interval) = &self.interval {
            settings = json!({ "delay": interval, "multiplier": 1.0, "max_delay": interval });
        }
        let settings = read(&settings).map_err(Problem::usage)?;
        let settings = match (&self.timeout, self.deadline) {
            (Some(timeout), _) => {
                let limit = json!({ "expiration": { "timeout": timeout } });
                merge(settings, &limit).map_err(Problem::usage)?
            }
            (None, Some(deadline)) => settings.with_deadline(deadline),
            (None, None) => settings.without_expiration(),
        };
        settings.validate().map_err(Problem::from)?;
        Ok(settings)
    }
}

/// Checks a duration by the library's own rules, whose words say what is wrong with it.
fn duration(text: &str) -> Result<String, String> {
    read(&json!({ "delay": text })).map(|_| text.to_owned()).map_err(|why| match why.strip_suffix(GENERAL_ADVICE) {
        // One advice is enough.
        Some(specific) if specific.contains("; write `") => specific.to_owned(),
        _ => why,
    })
}

/// How the library ends what it says about a duration.
const GENERAL_ADVICE: &str = "; write it like `1m 30s`";

/// Reads a time.
fn time(text: &str) -> Result<SystemTime, String> {
    let why = |_| format!("`{text}` is not a time; write it like `2026-11-30T18:00:00Z`");
    humantime::parse_rfc3339(text).map_err(why)
}

fn read(settings: &serde_json::Value) -> Result<PollSettings, String> {
    serde_json::from_value(settings.clone()).map_err(|error| error.to_string())
}

/// Returns the settings with those members replaced.
fn merge(settings: PollSettings, members: &serde_json::Value) -> Result<PollSettings, String> {
    let mut all = serde_json::to_value(settings).map_err(|error| error.to_string())?;
    if let (Some(all), Some(members)) = (all.as_object_mut(), members.as_object()) {
        all.extend(members.clone());
    }
    read(&all)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_are_declared_without_contradictions() {
        super::Cli::command().debug_assert();
    }
}
