//! The generated SDKs are those of their descriptions. To write them anew after a change, run the
//! commands in their `main.rs`, or `BLESS=1 cargo test -p lro-examples --test generated`.

use std::path::Path;

use lro_codegen::{Generator, Result, Transport};

/// Checks that a folder or file is what is generated, or writes it where that is wanted.
fn holds(generator: &Generator, path: &str) -> Result<()> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("generated").join(path);
    if std::env::var_os("BLESS").is_some() {
        generator.write_to(&path)?;
    }
    generator.check(&path).map(drop)
}

fn description(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("generated").join(path)
}

#[test]
fn the_sdk_of_images_is_that_of_its_proto() -> Result<()> {
    holds(&lro_codegen::proto(description("images")).transport(Transport::Rest).deny_skipped(), "images/sdk")
}

#[test]
fn the_sdk_of_machines_is_that_of_its_swagger() -> Result<()> {
    holds(&lro_codegen::openapi(description("machines/machines.json")).deny_skipped(), "machines/sdk.rs")
}
