//! Watches an operation until it ends.
//!
//! ```text
//! cargo run --example watch -- https://images.example.com operations/7 --token-env TOKEN
//! cargo run --example watch -- https://images.example.com --resume lro1-… --timeout 10m
//! ```
//!
//! Exit codes: 0 the operation succeeded (its response is on stdout), 1 it failed, 2 it was
//! cancelled, 3 the wait timed out (the token to resume from is on stdout), 4 anything else.
//! Progress goes to stderr. The first line there says how to resume, so that Ctrl-C loses nothing.

use std::{
    env,
    io::{IsTerminal, Write},
    process::ExitCode,
};

use lro_runtime::{Error, ErrorKind, Operations, PollSettings, RawOperation, Resume, State, bearer, dialect::Google};
use serde_json::{Value, json};

const USAGE: &str =
    "usage: watch <URL> (<NAME> | --resume <TOKEN>) [--timeout <10m>] [--token-env <VARIABLE>] [--path <v1/{name}>]";

fn main() -> ExitCode {
    let arguments = env::args().skip(1).collect::<Vec<_>>();
    if arguments.iter().any(|argument| argument == "--help") {
        println!("{USAGE}");
        return ExitCode::SUCCESS;
    }
    match Arguments::parse(arguments).and_then(|arguments| watch(&arguments).map_err(|error| error.to_string())) {
        Ok(ended) => ended.report(),
        Err(why) => {
            eprintln!("watch: {why}");
            ExitCode::from(4)
        }
    }
}

/// The arguments: which operation to watch, and how.
#[derive(Default)]
struct Arguments {
    url: String,
    from: String,
    settings: PollSettings,
    token: Option<String>,
    path: Option<String>,
}

impl Arguments {
    fn parse(arguments: Vec<String>) -> Result<Self, String> {
        let mut parsed = Self::default();
        let mut words = vec![];
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || arguments.next().ok_or(format!("{argument} needs a value\n{USAGE}"));
            match argument.as_str() {
                "--resume" => parsed.from = value()?,
                "--timeout" => parsed.settings = timeout(&value()?)?,
                "--path" => parsed.path = Some(value()?),
                "--token-env" => {
                    let name = value()?;
                    parsed.token = Some(env::var(&name).map_err(|e| format!("--token-env {name}: {e}"))?);
                }
                option if option.starts_with('-') => return Err(format!("unknown option {option}\n{USAGE}")),
                _ => words.push(argument),
            }
        }
        match (<[String; 2]>::try_from(words), parsed.from.is_empty()) {
            (Ok([url, from]), true) => Ok(Self { url, from, ..parsed }),
            (Err(words), false) if words.len() == 1 => Ok(Self { url: words.concat(), ..parsed }),
            _ => Err(USAGE.to_owned()),
        }
    }

    fn client(&self) -> Result<Operations, Error> {
        let mut builder = Operations::builder(&self.url);
        if let Some(path) = self.path.clone() {
            builder = builder.dialect(Google::new().with_path(path));
        }
        if let Some(token) = self.token.clone() {
            // `bearer` checks the token and marks the header as sensitive, so that no log shows it.
            builder = builder.credentials(move || {
                let headers = bearer(&token);
                async { Ok(headers?) }
            });
        }
        builder.build()
    }
}

/// Reads `--timeout`: a duration as a person writes it, such as `1m 30s`, or `never`.
fn timeout(text: &str) -> Result<PollSettings, String> {
    let expiration = if text == "never" { json!("never") } else { json!({ "timeout": text }) };
    serde_json::from_value(json!({ "expiration": expiration })).map_err(|e| format!("--timeout {text}: {e}"))
}

/// How the watch ended.
enum Ended {
    Completed(RawOperation),
    TimedOut(Error),
}

fn watch(arguments: &Arguments) -> Result<Ended, Error> {
    let operation = arguments.client()?.resume(Resume::from(&arguments.from))?;
    // Printed before the first request, so that the token is known whatever happens later.
    eprintln!("to resume: watch {} --resume {}", arguments.url, operation.token());
    let screen = Screen { live: std::io::stderr().is_terminal() };
    let mut observed = operation.on_progress(move |snapshot| screen.show(snapshot));
    match observed.poll_until_completed_blocking(arguments.settings.clone()) {
        Ok(done) => Ok(Ended::Completed(done)),
        Err(error) if error.kind() == ErrorKind::Timeout => Ok(Ended::TimedOut(error)),
        Err(error) => Err(error),
    }
}

impl Ended {
    fn report(&self) -> ExitCode {
        let operation = match self {
            Self::Completed(operation) => operation,
            Self::TimedOut(error) => {
                eprintln!("watch: {error}");
                println!("{}", error.token().map(|token| token.to_string()).unwrap_or_default());
                return ExitCode::from(3);
            }
        };
        if let Some(status) = operation.status() {
            eprintln!("{status}");
            for detail in status.details() {
                eprintln!("  {}", detail.json());
            }
        }
        if let Some(response) = operation.response() {
            println!("{}", pretty(response.bytes()));
        }
        ExitCode::from(match operation.state() {
            State::Succeeded => 0,
            State::Failed => 1,
            State::Cancelled => 2,
            State::Pending | State::Running => 4, // not reached: the wait ends in a terminal state or an error
        })
    }
}

/// Shows progress: one line that changes on a terminal, a new line for each change otherwise.
struct Screen {
    live: bool,
}

impl Screen {
    fn show(&self, snapshot: &RawOperation) {
        let done = snapshot.progress().map(|done| format!(" {:.0} %", done * 100.0)).unwrap_or_default();
        let said = snapshot.metadata().map(|metadata| String::from_utf8_lossy(metadata.bytes()).into_owned());
        let line = format!("{}{done} {}", snapshot.state(), said.unwrap_or_default());
        // The metadata is the server's text: control characters could move the cursor or hide the
        // line.
        let line: String = line.chars().filter(|c| !c.is_control()).take(if self.live { 78 } else { 500 }).collect();
        if self.live {
            let end = if snapshot.is_completed() { "\n" } else { "" };
            eprint!("\r\x1b[2K{line}{end}");
            let _ = std::io::stderr().flush(); // a closed terminal is no reason to stop waiting
        } else {
            eprintln!("{line}");
        }
    }
}

fn pretty(json: &[u8]) -> String {
    let value = serde_json::from_slice::<Value>(json).ok();
    let pretty = value.and_then(|value| serde_json::to_string_pretty(&value).ok());
    pretty.unwrap_or_else(|| String::from_utf8_lossy(json).into_owned())
}
