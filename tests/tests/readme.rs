//! Checks that the README agrees with the code.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::collections::BTreeSet;

use lro_runtime::State;

const README: &str = include_str!("../../README.md");
const MANIFEST: &str = include_str!("../../lro-runtime/Cargo.toml");
const WORKSPACE: &str = include_str!("../../Cargo.toml");
const CRATE: &str = include_str!("../../lro-runtime/src/lib.rs");

/// Returns the lines after the line with `from`, up to the one that begins with `to`.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let (_, after) = text.split_once(from).unwrap();
    after.lines().skip(1).take_while(|line| !line.starts_with(to)).collect()
}

#[test]
fn the_state_diagram_is_the_one_the_code_draws() {
    assert_eq!(between(README, "```mermaid", "```").join("\n"), State::diagram());
}

#[test]
fn the_feature_table_lists_every_feature_and_which_are_the_default() {
    let table = between(README, "## Features", "##");
    let rows = table.iter().filter_map(|line| line.strip_prefix("| `")?.split_once("` | "));
    let listed: BTreeSet<(&str, bool)> = rows.map(|(name, rest)| (name, rest.starts_with("yes"))).collect();
    let declared = between(MANIFEST, "[features]", "[");
    let default = declared.iter().find(|line| line.starts_with("default = ")).unwrap();
    let names = declared.iter().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = "));
    let features: BTreeSet<(&str, bool)> = names
        .map(|(name, _)| (name, default.contains(&format!("{name:?}"))))
        .filter(|(name, _)| *name != "default")
        .collect();
    assert_eq!(listed, features);
}

#[test]
fn the_documentation_of_the_crate_has_the_same_feature_table() {
    let of_readme = between(README, "## Features", "##");
    let of_crate: Vec<&str> = between(CRATE, "//! # Features", "\n")
        .into_iter()
        .take_while(|line| line.starts_with("//!"))
        .map(|line| line.trim_start_matches("//!").trim_start())
        .collect();
    assert_eq!(of_crate.join("\n").trim(), of_readme.join("\n").trim());
}

/// Returns the version that the workspace asks for, as far as it matters to types: `1`, `0.13`.
fn version(name: &str) -> String {
    let line = WORKSPACE.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
    let version = line.split('"').nth(1).unwrap();
    let parts: Vec<&str> = version.split('.').collect();
    let significant = parts.iter().position(|part| *part != "0").unwrap();
    parts.get(..=significant).unwrap().join(".")
}

#[test]
fn the_feature_table_names_the_versions_of_what_is_adapted() {
    let table = between(README, "## Features", "##").join("\n");
    for name in ["hyper", "async-io", "tokio", "surf", "reqwest", "ureq", "tonic", "prost"] {
        let (named, before) = (format!("{name} {}", version(name)), ["`", " "]);
        let ends = [" ", ",", "\n"];
        let is_named =
            before.iter().any(|before| ends.iter().any(|end| table.contains(&format!("{before}{named}{end}"))));
        assert!(is_named, "`{named}` is not in the table");
    }
    // The documentation of a re-export names the version as well.
    let documented =
        [include_str!("../../lro-runtime/src/transport/mod.rs"), include_str!("../../lro-runtime/src/grpc/mod.rs")];
    for name in ["surf", "reqwest", "ureq", "tonic", "prost"] {
        let line = format!("/// {name} {}, whose ", version(name));
        assert!(documented.iter().any(|module| module.contains(&line)), "`{line}` is not in the documentation");
    }
}

#[test]
fn adapters_re_export_what_they_adapt() {
    use lro_runtime::{
        grpc::{self, prost, tonic},
        transport::{GrpcTransport, ReqwestTransport, SurfTransport, UreqTransport, reqwest, surf, ureq},
    };
    let _: fn(reqwest::Client) -> ReqwestTransport = ReqwestTransport::over;
    let _: fn(surf::Client) -> SurfTransport = SurfTransport::over;
    let _: fn(ureq::Agent) -> UreqTransport = UreqTransport::over;
    let _: fn(tonic::client::Grpc<()>) -> GrpcTransport<tonic::client::Grpc<()>> = GrpcTransport::over;
    assert!(prost::Message::encode_to_vec(&grpc::longrunning::Operation::default()).is_empty());
}

#[test]
fn it_is_short_enough_to_be_read() {
    assert!((80..=160).contains(&README.lines().count()));
}
