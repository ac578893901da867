//! How many packages come along.

use std::{collections::BTreeSet, error::Error, path::Path, process::Command};

use crate::report::Subject;

/// Prints the unique packages of a normal build, the package itself included.
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
        print(peer, "Cargo.toml", peer, &["--features", "peers"])?;
    }
    Ok(())
}

fn print(variant: &str, manifest: &str, package: &str, features: &[&str]) -> Result<(), Box<dyn Error>> {
    let output = Command::new("cargo")
        .args(["tree", "--edges", "normal", "--prefix", "none", "--package", package, "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest))
        .args(features)
        .output()?;
    let tree = String::from_utf8(output.stdout)?;
    let packages: BTreeSet<String> =
        tree.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" ")).collect();
    if packages.is_empty() {
        return Err(format!("cargo tree says: {}", String::from_utf8_lossy(&output.stderr)).into());
    }
    Subject { bench: "deps", variant }.print("packages", packages.len() as f64, "packages");
    Ok(())
}
