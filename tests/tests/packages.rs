//! How many packages a program gets with the library. Each is one more that its author must trust
//! and compile.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{collections::BTreeSet, env, process::Command};

/// Returns the packages of a normal build for this machine.
fn packages(features: &[&str]) -> BTreeSet<String> {
    packages_of("lro-runtime", features)
}

fn packages_of(package: &str, features: &[&str]) -> BTreeSet<String> {
    let tree = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["tree", "--offline", "-p", package, "-e", "normal", "--prefix", "none", "--no-dedupe"])
        .args(features)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(tree.status.success(), "{}", String::from_utf8_lossy(&tree.stderr));
    let name_and_version = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    String::from_utf8(tree.stdout).unwrap().lines().map(name_and_version).collect()
}

#[test]
fn the_core_is_at_most_20_packages_and_the_default_at_most_60() {
    let core = packages(&["--no-default-features", "--features", "macros"]);
    assert!(core.len() <= 20, "{core:?}");
    let default = packages(&[]);
    assert!(core.is_subset(&default) && default.len() <= 60, "{} packages: {default:?}", default.len());
}

#[test]
fn the_generator_has_no_network_and_no_compiler_of_c() {
    let generator = packages_of("lro-codegen", &[]);
    assert!(generator.len() <= 70, "{} packages: {generator:?}", generator.len());
    let names: BTreeSet<&str> = generator.iter().filter_map(|package| package.split(' ').next()).collect();
    for absent in ["hyper", "rustls", "tokio", "cc", "lro-runtime"] {
        assert!(!names.contains(absent), "{absent}: {names:?}");
    }
    let without = packages_of("lro-cli", &["--no-default-features"]);
    assert!(!without.iter().any(|package| package.starts_with("lro-codegen ")), "{without:?}");
}

#[test]
fn the_embedded_store_brings_three_packages_and_no_transport() {
    let fleet = packages(&["--no-default-features", "--features", "fleet"]);
    let store = packages_of("lro-redb", &[]);
    let more: Vec<&str> = store.difference(&fleet).map(|package| package.split(' ').next().unwrap()).collect();
    assert_eq!(more, ["libc", "lro-redb", "redb"]);
}
