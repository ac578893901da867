//! Checks that the committed gRPC stubs are what the committed protos generate.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

#[path = "support/scratch.rs"]
mod scratch;

use std::{fs, path::Path};

use crate::scratch::Scratch;

const COMMITTED: &str = "../lro-runtime/src/dialect/google_grpc/longrunning.rs";

/// After a change of the protos or of prost, run `BLESS=1 cargo test -p lro-tests --test stubs`.
#[test]
fn the_committed_stubs_are_what_the_protos_give() {
    let generated = generated();
    if std::env::var_os("BLESS").is_some() {
        fs::write(COMMITTED, &generated).unwrap();
    }
    let committed = fs::read_to_string(COMMITTED).unwrap_or_default();
    assert!(committed == generated, "{COMMITTED} is out of date: run this test with BLESS=1");
}

/// Generates the stubs without protoc: protox reads the protos, prost writes the types.
///
/// The messages of `google.rpc` are not generated: they are those of tonic-types.
fn generated() -> String {
    let protos = Path::new("../lro-runtime/proto");
    let set = protox::compile(["google/longrunning/operations.proto"], [protos]).unwrap();
    let out = Scratch::new();
    let mut config = prost_build::Config::new();
    config
        .extern_path(".google.rpc", "::tonic_types::pb")
        .enable_type_names()
        .out_dir(out.join(""))
        .compile_fds(set)
        .unwrap();
    let source = fs::read_to_string(out.join("google.longrunning.rs")).unwrap();
    let file = syn::parse_file(&source).unwrap();
    format!(
        "// Generated from proto/google/longrunning/operations.proto by tests/tests/stubs.rs.\n\n{}",
        prettyplease::unparse(&file)
    )
}
