//! What stands beside the protos: the configuration of a service, and the older one of generators.
//! They say where operations are polled, whether they can be cancelled and deleted, and how often a
//! client asks.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use crate::{
    context::Context,
    document::Node,
    model::{Options, Poll},
};

/// The path that the library polls by itself.
const OWN_PATH: &str = "v1/{name}";

/// What all configurations say.
#[derive(Default)]
pub(super) struct Config {
    services: Vec<Service>,
    /// By the full name of the method.
    polls: BTreeMap<String, Settings>,
    docs: BTreeMap<String, String>,
}

/// The configuration of one service.
#[derive(Default)]
struct Service {
    /// The full names of the proto services that it is made of.
    apis: BTreeSet<String>,
    /// The paths that one operation is read at, over REST.
    paths: Vec<String>,
    cancel: bool,
    delete: bool,
}

/// How often a client asks.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Settings {
    delay: Option<Duration>,
    multiplier: Option<f64>,
    max_delay: Option<Duration>,
    timeout: Option<Duration>,
}

impl Config {
    /// Reads configurations. If they were only found beside the protos, one that cannot be read is
    /// noted, and left out.
    pub(super) fn read(paths: &[PathBuf], are_named: bool, context: &mut Context) -> Self {
        let mut config = Self::default();
        for path in paths.iter().filter(|path| are_named || !is_of_others(path)) {
            let file: Arc<str> = path.to_string_lossy().into();
            let Some(text) = context.text(path) else { continue };
            // The repaired text is not tried first: it might stand for something else.
            let read = Node::read(&file, &text).or_else(|error| Node::read(&file, &repaired(&text)).map_err(|_| error));
            match read {
                Ok(document) if document.str_of("type") == Some("google.api.Service") => config.service(&document),
                Ok(document) if document.get("interfaces").is_some() => config.gapic(&document),
                Ok(document) if are_named => {
                    let message = "this is no service configuration (`type: google.api.Service`), and has no \
                                   `interfaces` as the configuration of a generator has";
                    context.report.error(&document.at, "", message);
                }
                Ok(_) => {}
                Err(error) if are_named => context.report.error(&error.at, "", error.message),
                Err(error) => context.report.note(&error.at, "", format!("{}; the file is left out", error.message)),
            }
        }
        config
    }

    /// Returns what is said of a method: where its operations are polled, and the other options.
    /// The path is a guess if no configuration has the service.
    pub(super) fn options(&self, service: &str, method: &str, path: &str) -> (Options, bool) {
        let mut options = Options { poll: self.poll(&format!("{service}.{method}")), ..Options::default() };
        let found = self.services.iter().find(|config| config.apis.contains(service));
        let version = path.trim_start_matches('/').split('/').next().unwrap_or_default();
        let begins = |candidate: &&String| candidate.split('/').next() == Some(version);
        // Of several, that of the method's own version.
        let read_at = found.and_then(|config| config.paths.iter().find(begins).or(config.paths.first()));
        let is_version = version.strip_prefix('v').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let guess = || if is_version { format!("{version}/{{name}}") } else { OWN_PATH.to_owned() };
        let polled = read_at.cloned().unwrap_or_else(guess);
        options.path = (polled != OWN_PATH).then_some(polled);
        if let Some(config) = found {
            (options.cancel, options.delete) = (config.cancel, config.delete);
        }
        (options, read_at.is_none())
    }

    /// Returns the text about an element, by its full name.
    pub(super) fn docs(&self, name: &str) -> Option<&str> {
        self.docs.get(name).map(String::as_str)
    }

    fn service(&mut self, document: &Node) {
        let mut service = Service::default();
        let items = |keys: &[&str]| {
            document.at_path(keys.iter().copied()).map(Node::items).unwrap_or_default().iter().collect::<Vec<_>>()
        };
        service.apis = items(&["apis"]).iter().filter_map(|api| api.str_of("name")).map(str::to_owned).collect();
        for rule in items(&["http", "rules"]) {
            match rule.str_of("selector").and_then(|selector| selector.strip_prefix("google.longrunning.Operations.")) {
                Some("GetOperation") => {
                    let more = rule.get("additional_bindings").map(Node::items).unwrap_or_default();
                    let gets = std::iter::once(rule).chain(more).filter_map(|rule| rule.str_of("get"));
                    service.paths.extend(gets.filter_map(polled));
                }
                Some("CancelOperation") => service.cancel = true,
                Some("DeleteOperation") => service.delete = true,
                _ => {}
            }
        }
        for rule in items(&["documentation", "rules"]) {
            if let (Some(selector), Some(text)) = (rule.str_of("selector"), rule.str_of("description")) {
                self.docs.entry(selector.to_owned()).or_insert_with(|| text.to_owned());
            }
        }
        for settings in items(&["publishing", "method_settings"]) {
            let (Some(selector), Some(long)) = (settings.str_of("selector"), settings.get("long_running")) else {
                continue;
            };
            let time = |key: &str| long.str_of(key).and_then(seconds);
            let settings = Settings {
                delay: time("initial_poll_delay"),
                multiplier: long.get("poll_delay_multiplier").and_then(Node::as_number),
                max_delay: time("max_poll_delay"),
                timeout: time("total_poll_timeout"),
            };
            self.polls.insert(selector.to_owned(), settings);
        }
        self.services.push(service);
    }

    fn gapic(&mut self, document: &Node) {
        for interface in document.get("interfaces").map(Node::items).unwrap_or_default() {
            for method in interface.get("methods").map(Node::items).unwrap_or_default() {
                let (Some(service), Some(name), Some(long)) =
                    (interface.str_of("name"), method.str_of("name"), method.get("long_running"))
                else {
                    continue;
                };
                let time = |key: &str| long.get(key).and_then(Node::as_number).and_then(millis);
                let settings = Settings {
                    delay: time("initial_poll_delay_millis"),
                    multiplier: long.get("poll_delay_multiplier").and_then(Node::as_number),
                    max_delay: time("max_poll_delay_millis"),
                    timeout: time("total_poll_timeout_millis"),
                };
                // The service's own configuration is the newer one.
                self.polls.entry(format!("{service}.{name}")).or_insert(settings);
            }
        }
    }

    fn poll(&self, method: &str) -> Poll {
        let Some(settings) = self.polls.get(method) else { return Poll::default() };
        // What all clients do unless they are told otherwise says nothing about this method.
        let usual = Settings {
            delay: Some(Duration::from_millis(500)),
            multiplier: Some(1.5),
            max_delay: Some(Duration::from_secs(20)),
            timeout: Some(Duration::from_secs(600)),
        };
        if *settings == usual {
            return Poll::default();
        }
        let shortest = Duration::from_millis(1);
        let longest = settings.max_delay.unwrap_or(Duration::from_secs(20));
        let delay = settings.delay.map(|delay| delay.max(shortest));
        let max_delay = Some(longest.max(delay.unwrap_or_default()));
        // What the library does by itself is not said.
        Poll {
            delay: delay.filter(|delay| *delay != Duration::from_secs(1)),
            multiplier: settings
                .multiplier
                .filter(|by| *by >= 1.0 && by.is_finite() && (*by - 1.5).abs() > f64::EPSILON),
            max_delay: max_delay.filter(|longest| *longest != Duration::from_secs(20)),
            timeout: settings.timeout.filter(|limit| !limit.is_zero() && *limit != Duration::from_secs(3600)),
        }
    }
}

/// Returns whether a file is something else: folders of protos hold YAML of other programs, which
/// need not even be readable here. A file that the user named is read in any case, and told.
fn is_of_others(path: &Path) -> bool {
    let is_gapic = path.file_name().is_some_and(|name| name.to_string_lossy().ends_with("_gapic.yaml"));
    !is_gapic
        && fs::read_to_string(path)
            .is_ok_and(|text| !text.contains("google.api.Service") && !text.contains("interfaces:"))
}

/// Joins a line that begins like none of YAML to the one before it: some configurations of Google
/// go on with a quoted text at the first column, which YAML forbids and many readers take.
fn repaired(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let is_of_yaml = line.is_empty()
            || line.starts_with([' ', '#', '-', '.', '{', '[', '\t'])
            || line.split_once(':').is_some_and(|(key, _)| !key.contains(' '));
        if !out.is_empty() {
            out.push(if is_of_yaml { '\n' } else { ' ' });
        }
        out.push_str(line);
    }
    out
}

/// Makes one variable, the operation's name, of that which a path has.
// Input:  /v1beta1/{name=projects/*/operations/*}
// Output: v1beta1/{name}
fn polled(template: &str) -> Option<String> {
    let (before, rest) = template.trim_start_matches('/').split_once('{')?;
    let (_, after) = rest.split_once('}')?;
    let is_plain = |text: &str| !text.contains(['{', '}', '*']);
    (is_plain(before) && after.is_empty()).then(|| format!("{before}{{name}}"))
}

// Input:  60s, 1.500s
fn seconds(text: &str) -> Option<Duration> {
    let seconds: f64 = text.trim().strip_suffix('s')?.parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

fn millis(number: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(number / 1000.0).ok()
}
