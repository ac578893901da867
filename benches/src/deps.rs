//! Counts the packages in the dependency trees of this library and its peers.

use std::{collections::BTreeSet, error::Error, path::Path, process::Command};

use crate::report::Subject;

/// Prints the number of unique packages of a normal build, the package itself included.
pub fn run() -> Result<(), Box<dyn Error>> {
    let trees: [(&str, &[&str]); 7] = [
        ("ours-macros-without-transports", &["--no-default-features", "--features", "macros"]),
        ("ours-without-anything", &["--no-default-features"]),
        ("ours-default", &[]),
        ("ours-default-with-tokio-timer", &["--features", "tokio"]),
        ("ours-reqwest", &["--no-default-features", "--features", "macros,smol,reqwest"]),
        ("ours-ureq", &["--no-default-features", "--features", "macros,smol,ureq"]),
        ("ours-surf", &["--features", "surf"]),
    ];
    for (variant, features) in trees {
        print(variant, "../Cargo.toml", "lro-runtime", features)?;
    }
    for peer in ["google-cloud-lro", "azure_core"] {
        print_peer(peer)?;
    }
    Ok(())
}

/// Prints the number of packages of one set of features.
fn print(variant: &str, manifest: &str, package: &str, features: &[&str]) -> Result<(), Box<dyn Error>> {
    let output = Command::new("cargo")
        .args(["tree", "--edges", "normal", "--prefix", "none", "--package", package, "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest))
        .args(features)
        .output()?;
    let tree = String::from_utf8(output.stdout)?;
    let packages: BTreeSet<String> = tree.lines().map(package_of).collect();
    if packages.is_empty() {
        return Err(format!("cargo tree says: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Subject { bench: "deps", variant }.print("packages", packages.len() as f64, "packages");
    Ok(())
}

/// Prints the number of packages of a peer, with the features that this program selects.
///
/// It is a part of this program's own tree: the lines below the peer's line.
fn print_peer(peer: &str) -> Result<(), Box<dyn Error>> {
    let output = Command::new("cargo")
        .args([
            "tree",
            "--edges",
            "normal",
            "--prefix",
            "depth",
            "--no-dedupe",
            "--features",
            "peers",
            "--manifest-path",
        ])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .output()?;
    let tree = String::from_utf8(output.stdout)?;
    let is_peer = |line: &&str| line.strip_prefix('1').is_some_and(|package| package.split(' ').next() == Some(peer));
    let below = tree.lines().skip_while(|line| !is_peer(line));
    let below = below.enumerate().take_while(|(at, line)| *at == 0 || !is_direct(line)).map(|(_, line)| line);
    let packages: BTreeSet<String> =
        below.map(|line| package_of(line.trim_start_matches(|c: char| c.is_ascii_digit()))).collect();
    Subject { bench: "deps", variant: peer }.print("packages", packages.len() as f64, "packages");
    Ok(())
}

/// Whether a line is a direct dependency of this program: its depth is 1.
fn is_direct(line: &str) -> bool {
    line.chars().take_while(char::is_ascii_digit).eq(['1'])
}

/// Returns name and version of a line's package.
fn package_of(line: &str) -> String {
    line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}
