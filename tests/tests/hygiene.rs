//! Tests of generated code in an SDK where only absolute paths work.
//!
//! Most of the proof is that `fixtures/hygiene` compiles; here its operations are used as well.

use lro_fixture_hygiene::{Client, ExportOperation, ExportState, ImportState, build, resume_build};
use lro_runtime::{LongRunning, Operations, Result};

fn operations() -> Result<Operations> {
    Operations::builder("http://localhost").build()
}

#[test]
fn an_sdk_without_prelude_that_renames_the_runtime_resumes_like_any_other() -> Result<()> {
    let client = Client::new(operations()?);
    let export: ExportOperation = client.resume_export("operations/1")?;
    assert!(matches!(export.state(), ExportState::Running { metadata: None } | ExportState::Pending));
    let import = client.resume_import(String::from("operations/2"))?;
    assert!(!matches!(import.state(), ImportState::Succeeded { .. }));
    Ok(())
}

#[test]
fn a_function_of_such_an_sdk_is_generic_over_its_response() -> Result<()> {
    fn name(operation: &impl LongRunning<Response = Vec<u8>>) -> String {
        operation.name().to_owned()
    }
    let operations = operations()?;
    drop(build::<Vec<u8>>(&operations));
    assert_eq!(name(&resume_build(&operations, "operations/3")?), "operations/3");
    Ok(())
}
