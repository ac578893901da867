//! Checks that the front pages agree with the code: the README of the repository, and those of the
//! crates.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{collections::BTreeSet, path::Path};

use lro_runtime::State;

const README: &str = include_str!("../../README.md");
const OF_RUNTIME: &str = include_str!("../../lro-runtime/README.md");
const OF_MACROS: &str = include_str!("../../lro-macros/README.md");
const OF_CODEGEN: &str = include_str!("../../lro-codegen/README.md");
const MANIFEST: &str = include_str!("../../lro-runtime/Cargo.toml");
const WORKSPACE: &str = include_str!("../../Cargo.toml");
const CRATE: &str = include_str!("../../lro-runtime/src/lib.rs");

/// Returns the lines after the line with `from`, up to the one that begins with `to`.
fn between<'a>(text: &'a str, from: &str, to: &str) -> Vec<&'a str> {
    let (_, after) = text.split_once(from).unwrap();
    after.lines().skip(1).take_while(|line| !line.starts_with(to)).collect()
}

#[test]
fn the_picture_of_the_states_says_in_words_what_the_code_allows() {
    let sentence = |from: &State| {
        let next: Vec<String> =
            State::ALL.iter().filter(|to| *to != from && from.can_become(**to)).map(|to| format!("{to:?}")).collect();
        let (last, others) = next.split_last()?;
        Some(format!("{from:?} becomes {} or {last}.", others.join(", ")))
    };
    let sentences: Vec<String> = State::ALL.iter().filter_map(sentence).collect();
    let words = format!("![{} The last three are terminal.]", sentences.join(" "));
    assert!(README.replace('\n', " ").contains(&words), "{words}");
}

#[test]
fn the_front_pages_name_the_minimum_rust() {
    let minimum = stated("rust-version");
    for page in [README, OF_RUNTIME] {
        assert!(page.replace('\n', " ").contains(&format!("Rust {minimum} or later")), "{page}");
    }
}

/// Returns the targets of the links of a page.
fn links(page: &str) -> Vec<&str> {
    page.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)).collect()
}

#[test]
fn what_a_page_links_to_in_the_repository_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    // The pages of the crates are read far from the repository.
    let repository = stated("repository");
    for page in [OF_RUNTIME, OF_MACROS, OF_CODEGEN] {
        for link in links(page) {
            let path = link.strip_prefix(repository).unwrap();
            let path = path.trim_start_matches("/blob/main/").trim_start_matches("/tree/main/");
            assert!(root.join(path.trim_start_matches('/')).exists(), "{link}");
        }
        assert!(!page.contains("cargo run"), "what runs in a clone alone");
    }
    for link in links(README) {
        assert!(root.join(link).exists(), "{link}");
    }
}

#[test]
fn the_readme_says_that_there_is_no_release_for_as_long_as_the_changelog_has_none() {
    let changelog = include_str!("../../CHANGELOG.md");
    let has_release = changelog.lines().any(|line| line.starts_with("## ") && line.contains("0.1.0"));
    assert_eq!(README.contains("is not released yet"), !has_release);
    let first_steps = include_str!("../../docs/book/first-steps.md");
    assert_eq!(first_steps.contains("version 0.1 is released"), !has_release);
    let command = include_str!("../../docs/book/command.md");
    assert_eq!(command.contains("version 0.1 is released"), !has_release);
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

/// Returns what the manifest of the workspace says about `name`.
fn stated(name: &str) -> &'static str {
    let line = WORKSPACE.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
    line.split('"').nth(1).unwrap()
}

/// Returns the version that the workspace asks for, as far as it matters to types: `1`, `0.13`.
fn version(name: &str) -> String {
    let parts: Vec<&str> = stated(name).split('.').collect();
    let significant = parts.iter().position(|part| *part != "0").unwrap();
    parts.get(..=significant).unwrap().join(".")
}

#[test]
fn the_feature_table_names_the_versions_of_what_is_adapted() {
    let table = between(README, "## Features", "##").join("\n");
    for name in ["hyper", "async-io", "tokio", "surf", "reqwest", "ureq", "tonic", "prost", "indicatif"] {
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
fn the_documentation_of_the_crate_begins_with_what_to_depend_on() {
    let shown: Vec<&str> = between(CRATE, "//! ```toml", "//! ```");
    let own = format!("//! lro-runtime = \"{}\"", version("version"));
    assert!(shown.contains(&own.as_str()), "{own}: {shown:?}");
    assert!(CRATE.contains(&format!("Rust {} or later", stated("rust-version"))));
    let serde = WORKSPACE.lines().find(|line| line.starts_with("serde = ")).unwrap();
    assert!(shown.contains(&format!("//! {serde}").as_str()), "{serde}: {shown:?}");
}

#[test]
fn what_the_documentation_of_the_crate_links_to_in_the_repository_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let repository = format!("{}/blob/main/", stated("repository"));
    let paths: Vec<&str> = CRATE.split(&repository).skip(1).map(|rest| rest.lines().next().unwrap()).collect();
    assert!(paths.len() >= 2 && paths.iter().all(|path| root.join(path).exists()), "{paths:?}");
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
    assert!((80..=200).contains(&README.lines().count()));
}
