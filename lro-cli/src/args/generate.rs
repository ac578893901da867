//! The arguments of `generate`.

use std::path::PathBuf;

use clap::{ArgGroup, Args, ValueEnum};

pub const EXIT_CODES: &str = "\
Exit codes:
    0  all was written; with --check, nothing would change
    1  a description has an error, --deny forbids what was skipped, or --check has found a difference
    4  the arguments are wrong, or the output is a file that was not generated
    6  not all of the output could be written
The last line on stderr says how many methods there are, and what became of them.";

/// The arguments that name a description: one is needed at least.
const DESCRIPTIONS: [&str; 4] = ["proto", "descriptors", "discovery", "openapi"];

/// The arguments of `generate`.
#[derive(Args)]
pub struct Generate {
    #[command(flatten)]
    pub sources: Sources,
    /// Read what is said of methods whose description says too little from this file: `lro.toml`
    #[arg(long, value_name = "FILE")]
    pub overrides: Option<PathBuf>,
    /// Write to this folder, or to this file if it ends in `.rs`
    #[arg(long, short, value_name = "PATH", required_unless_present = "list")]
    pub out: Option<PathBuf>,
    /// Write nothing, and fail if the files are not those that would be written
    #[arg(long, conflicts_with = "list")]
    pub check: bool,
    /// Write nothing, and print the methods: name, response, metadata, dialect, place
    #[arg(long)]
    pub list: bool,
    /// Write only methods that match: a service, a method or `Service.Method`, with `*` for any
    /// characters
    #[arg(long, value_name = "PATTERN")]
    pub only: Vec<String>,
    /// Write no methods that match
    #[arg(long, value_name = "PATTERN")]
    pub skip: Vec<String>,
    /// Fail, and write nothing, if a method is skipped that no `--skip` or `--only` leaves out
    #[arg(long, value_enum, value_name = "WHAT")]
    pub deny: Option<Denied>,
    /// Name this type of Rust where the description names a type or a package, such as
    /// `google.rpc=::tonic_types::pb`
    #[arg(long = "extern", value_name = "NAME=PATH")]
    pub externs: Vec<String>,
}

/// What is read. Several may be combined.
#[derive(Args)]
#[command(next_help_heading = "Descriptions")]
#[group(skip)]
#[command(group = ArgGroup::new("description").required(true).multiple(true).args(DESCRIPTIONS))]
pub struct Sources {
    /// Read protobuf files below this folder, which imports are found in
    #[arg(long, value_name = "ROOT")]
    pub proto: Vec<PathBuf>,
    /// Read a set of compiled descriptors, as `protoc --descriptor_set_out` writes it
    #[arg(long, value_name = "FILE")]
    pub descriptors: Vec<PathBuf>,
    /// Take only the services of this folder or file below a root of protos
    #[arg(long, value_name = "PATH", requires = "proto")]
    pub include: Vec<PathBuf>,
    /// Call the methods of protos over REST, by `google.api.http`; otherwise over gRPC
    #[arg(long)]
    pub rest: bool,
    /// Read a service configuration of protos, such as `workflows_v1.yaml`
    #[arg(long, value_name = "FILE")]
    pub service_config: Vec<PathBuf>,
    /// Read a discovery document of Google
    #[arg(long, value_name = "FILE")]
    pub discovery: Vec<PathBuf>,
    /// Take types that a discovery document does not say from protos below this folder
    #[arg(long, value_name = "ROOT", requires = "discovery")]
    pub join: Vec<PathBuf>,
    /// Read an OpenAPI 3 or Swagger 2 document, JSON or YAML
    #[arg(long, value_name = "FILE")]
    pub openapi: Vec<PathBuf>,
    /// Take methods of OpenAPI that answer 202 with the header of a monitor for long-running
    #[arg(long, requires = "openapi")]
    pub accept_202: bool,
}

/// What may not be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Denied {
    /// Methods that are skipped
    Skipped,
}
