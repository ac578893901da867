//! Detects what this machine has, and sets a `cfg` for each thing.
//!
//! A test that needs something the machine lacks is then ignored with a reason. It never passes
//! without having run.

use std::{net::TcpListener, process::Command};

/// The compiler whose output is committed in `ui/`. The same version as in `rust-toolchain.toml`.
const PINNED: &str = "rustc 1.95.0";

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rustc-check-cfg=cfg(pinned_compiler, ipv6_loopback)");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let version = Command::new(rustc).arg("--version").output().map(|output| output.stdout).unwrap_or_default();
    if String::from_utf8_lossy(&version).starts_with(PINNED) {
        println!("cargo::rustc-cfg=pinned_compiler");
    }
    if TcpListener::bind("[::1]:0").is_ok() {
        println!("cargo::rustc-cfg=ipv6_loopback");
    }
}
