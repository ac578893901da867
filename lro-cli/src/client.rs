//! The client of the service that the arguments name.

use std::{fs, sync::Arc};

use lro_runtime::{
    Dialect as AnyDialect, Operations,
    dialect::{Azure, Compute, Declared, Google, Http, Jobs, Lxd, Redfish, Vertex},
    transport::{BoxFuture, HyperTransport, Reply, Request, Transport, TransportError},
    wire::{bigquery, cloud_sql, gke, meilisearch, openai, replicate},
};

use crate::{
    args::{Dialect, Service},
    credentials::{Source, variable_of},
    fields::WithFields,
    out::{hide, tell},
    outcome::Problem,
};

/// Makes the client of a service. No request is sent.
pub fn of(service: &Service) -> Result<Operations, Problem> {
    let dialect = WithFields::new(dialect(service)?, service.percent.clone(), service.message.clone());
    let builder = Operations::builder(base(service)?).dialect(dialect);
    let transport = transport(service)?;
    let mut builder =
        if service.verbose { builder.transport(Verbose(transport)) } else { builder.transport(transport) };
    if let Some(source) = Source::of(service)? {
        let source = Arc::new(source);
        builder = builder.credentials(move || {
            let headers = source.headers();
            async move { headers }
        });
    }
    for pair in &service.query {
        let (name, value) = split("--query", pair, "VALUE")?;
        builder = builder.query(name, value);
    }
    for pair in &service.query_env {
        let (name, variable) = split("--query-env", pair, "VARIABLE")?;
        let value = variable_of("--query-env", variable)?;
        hide(&value);
        builder = builder.query(name, value);
    }
    for origin in &service.allow_origin {
        builder = builder.allow_origin(origin);
    }
    for origin in &service.allow_origin_with_credentials {
        builder = builder.allow_origin_with_credentials(origin);
    }
    Ok(builder.build()?)
}

fn base(service: &Service) -> Result<&str, Problem> {
    if let Some(base) = &service.base {
        return Ok(base);
    }
    #[cfg(unix)]
    if service.unix_socket.is_some() {
        return Ok("http://localhost");
    }
    Err(Problem::usage("--base is missing: the URL of the service, also from the variable LRO_BASE"))
}

fn transport(service: &Service) -> Result<HyperTransport, Problem> {
    let mut builder = HyperTransport::builder();
    #[cfg(unix)]
    if let Some(socket) = &service.unix_socket {
        builder = builder.unix(socket);
    }
    if let Some(file) = &service.ca_file {
        let fail = |why: &dyn std::fmt::Display| Problem::usage(format!("--ca-file `{}`: {why}", file.display()));
        let pem = fs::read(file).map_err(|error| fail(&error))?;
        builder = builder.root_certificates(&pem).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            fail(&cause.unwrap_or_else(|| error.to_string()))
        })?;
    }
    Ok(builder.build())
}

/// Makes the dialect that the arguments name.
fn dialect(service: &Service) -> Result<Arc<dyn AnyDialect>, Problem> {
    let Some(path) = service.path.clone() else { return Ok(dialect_of(service.dialect)) };
    Ok(match service.dialect {
        Dialect::Google => Arc::new(Google::new().with_path(path)),
        Dialect::Vertex => Arc::new(Vertex::new().with_path(path)),
        Dialect::Jobs => Arc::new(Jobs::new().with_path(path)),
        Dialect::Compute => Arc::new(Compute::new().with_prefix(path)),
        other => {
            return Err(Problem::usage(format!(
                "--path: the dialect {} has none; it is for google, vertex, jobs and compute",
                other.word()
            )));
        }
    })
}

/// Returns the dialect of a word, with the paths that it usually has.
pub fn dialect_of(word: Dialect) -> Arc<dyn AnyDialect> {
    match word {
        Dialect::Google => Arc::new(Google::new()),
        Dialect::Vertex => Arc::new(Vertex::new()),
        Dialect::Jobs => Arc::new(Jobs::new()),
        Dialect::Compute => Arc::new(Compute::new()),
        Dialect::Gke => Arc::new(Declared::of::<gke::Operation>()),
        Dialect::CloudSql => Arc::new(Declared::of::<cloud_sql::Operation>()),
        Dialect::Bigquery => Arc::new(Declared::of::<bigquery::Job>()),
        Dialect::Azure => Arc::new(Azure::new()),
        Dialect::Http => Arc::new(Http::new()),
        Dialect::Lxd => Arc::new(Lxd::new()),
        Dialect::Redfish => Arc::new(Redfish),
        Dialect::OpenaiResponse => Arc::new(Declared::of::<openai::Response>()),
        Dialect::OpenaiBatch => Arc::new(Declared::of::<openai::Batch>()),
        Dialect::OpenaiFineTuning => Arc::new(Declared::of::<openai::FineTuningJob>()),
        Dialect::OpenaiVideo => Arc::new(Declared::of::<openai::Video>()),
        Dialect::Replicate => Arc::new(Declared::of::<replicate::Prediction>()),
        Dialect::ReplicateTraining => Arc::new(Declared::of::<replicate::Training>()),
        Dialect::Meilisearch => Arc::new(Declared::of::<meilisearch::Task>()),
    }
}

fn split<'a>(option: &str, pair: &'a str, what: &str) -> Result<(&'a str, &'a str), Problem> {
    // The pair is not shown: a secret may be in it.
    pair.split_once('=').ok_or_else(|| Problem::usage(format!("{option}: expected `NAME={what}`, found no `=`")))
}

/// Returns the arguments that lead to the same service, for a command that goes on where this one
/// ended. There are no secrets in them: the values of parameters are left out, and a client whose
/// base URL has a query or user info cannot be made.
pub fn words(service: &Service) -> String {
    let mut words = vec![format!("--dialect {}", service.dialect.word())];
    let mut option = |name: &str, value: &str| words.push(format!("--{name} {}", quoted(value)));
    if let Some(base) = &service.base {
        option("base", base);
    }
    let members = [("path", &service.path), ("percent", &service.percent), ("message", &service.message)];
    for (name, value) in members {
        if let Some(value) = value {
            option(name, value);
        }
    }
    #[cfg(unix)]
    if let Some(socket) = &service.unix_socket {
        option("unix-socket", &socket.to_string_lossy());
    }
    let files =
        [("ca-file", &service.ca_file), ("bearer-file", &service.bearer_file), ("headers-file", &service.headers_file)];
    for (name, file) in files {
        if let Some(file) = file {
            option(name, &file.to_string_lossy());
        }
    }
    for (name, variable) in [("bearer-env", &service.bearer_env), ("headers-env", &service.headers_env)] {
        if let Some(variable) = variable {
            option(name, variable);
        }
    }
    for pair in &service.query {
        let name = pair.split_once('=').map_or("", |(name, _)| name);
        option("query", &format!("{name}=…"));
    }
    for pair in &service.query_env {
        option("query-env", pair);
    }
    for origin in &service.allow_origin {
        option("allow-origin", origin);
    }
    for origin in &service.allow_origin_with_credentials {
        option("allow-origin-with-credentials", origin);
    }
    words.join(" ")
}

/// Returns a word as a shell reads it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-:=@%+,…".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Tells of each request and its reply. Headers, queries and bodies are not shown: secrets may be
/// in all of them.
struct Verbose(HyperTransport);

impl Transport for Verbose {
    fn send<'a>(&'a self, request: &'a Request, max_body: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(async move {
            let sent = self.0.send(request, max_body).await;
            let answered = match &sent {
                Ok(reply) => format!("{}, {} bytes", reply.status(), reply.body().len()),
                Err(error) => error.to_string(),
            };
            tell(&format!("{} {}: {answered}", request.method(), request.uri().path()));
            sent
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_for_a_shell() {
        assert_eq!(quoted("http://h:1/v1"), "http://h:1/v1");
        assert_eq!(quoted("it's $HOME"), r"'it'\''s $HOME'");
    }
}
