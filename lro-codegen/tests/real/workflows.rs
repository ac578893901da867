//! A client of Workflows, generated from Google's protos, against Google's own types: over gRPC and
//! over REST.

use std::{
    env,
    io::{BufRead, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use lro_codegen::{Transport, proto};

use crate::{cargo::Crate, descriptions};

/// A running server. It is killed when the value is dropped.
struct Server(Child);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

#[test]
#[ignore = "needs LRO_PYTHON, a python with tests/servers/requirements.txt, and descriptions: `.ci/run` brings both"]
fn a_generated_client_of_workflows_creates_updates_and_deletes() {
    let root = descriptions("protos");
    let modules = [("grpc", Transport::Grpc), ("rest", Transport::Rest)].map(|(name, transport)| {
        let sdk = proto(&root).include("google/cloud/workflows/v1").transport(transport).deny_skipped().generate();
        (name.to_owned(), sdk.unwrap_or_else(|report| panic!("{report}")).one_file().unwrap())
    });
    let program = Crate::new("workflows", &modules);
    program.has_main(include_str!("workflows/main.rs"));

    let python = env::var_os("LRO_PYTHON").expect("LRO_PYTHON names a python with tests/servers/requirements.txt");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/servers/workflows_server.py");
    let mut process = Command::new(python).arg(script).stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let _server = Server(process);
    let address = |key: &str| {
        let address = line.split_whitespace().find_map(|word| word.strip_prefix(key));
        format!("http://{}", address.unwrap_or_else(|| panic!("the server did not start: {line:?}")))
    };
    let output = program.cargo(&["run", "--quiet", "--", &address("grpc="), &address("rest=")], "");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "grpc created projects/p/locations/l/workflows/w, run projects/p/locations/l/workflows/w\n\
         grpc updated 000002-abc\ngrpc deleted\n\
         rest created projects/p/locations/l/workflows/w, run projects/p/locations/l/workflows/w\n\
         rest updated 000002-abc\nrest deleted\n"
    );
}
