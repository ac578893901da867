//! One small description of each shape, and all that is written from it.

#![expect(clippy::panic, reason = "tests may fail")]

use std::path::{Path, PathBuf};

use lro_codegen::{Generator, Transport, discovery, openapi, proto};

fn shape(name: &str) -> PathBuf {
    Path::new("tests/shapes").join(name)
}

/// Returns what is written, and what is said of it.
fn written(generator: &Generator) -> String {
    let sdk = generator.generate().unwrap_or_else(|report| panic!("{report}"));
    let code = sdk.one_file().unwrap_or_else(|error| panic!("{error}"));
    format!("{}\n\n{code}", sdk.report)
}

#[test]
fn a_proto_over_grpc() {
    let farms = proto(shape("")).include("farms.proto").service_config(shape("farms.yaml"));
    insta::assert_snapshot!(written(&farms));
}

#[test]
fn a_proto_over_rest() {
    let farms = proto(shape("")).include("farms.proto").service_config(shape("farms.yaml"));
    insta::assert_snapshot!(written(&farms.transport(Transport::Rest)));
}

#[test]
fn a_discovery_document() {
    insta::assert_snapshot!(written(&discovery(shape("barns.discovery.json"))));
}

#[test]
fn a_swagger_of_azure() {
    insta::assert_snapshot!(written(&openapi(shape("fields.swagger.json"))));
}

#[test]
fn an_openapi_document_with_x_lro_an_accepted_202_and_overrides() {
    let maps = openapi(shape("maps.openapi.yaml")).accept_202().overrides(shape("maps.toml"));
    insta::assert_snapshot!(written(&maps));
}

#[test]
fn the_same_descriptions_give_the_same_bytes() {
    let both = || proto(shape("")).include("farms.proto").add_discovery(shape("barns.discovery.json"));
    assert_eq!(written(&both()), written(&both()));
}
