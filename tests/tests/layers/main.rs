//! Checks the layers of the crates: a lower layer never imports a higher one, and circles of
//! imports are small.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a source file that cannot be read fails the test")]

use std::collections::BTreeSet;

use self::imports::{Crate, Import};

mod circles;
mod forwarders;
mod imports;

/// The layers of `lro-runtime`, lowest first. A module may import itself and the modules of lower
/// rows.
const RUNTIME: &[&[&str]] = &[
    &["percent", "quoted", "stamp"],
    &["secrets"],
    &["text", "duration", "hint", "message", "protobuf"],
    &["url"],
    &["status"],
    &["settings"],
    &["dialect", "engine"],
    &["telemetry"],
    &["transport"],
    &["timer"],
    // The types that users hold refer to each other: an error to its operation, an operation to its
    // client.
    &["client", "driver", "error", "operation"],
    &["fleet"],
    &["wire", "grpc", "progress", "testing", "macro_support"],
    &["lib"],
];

/// A module of the one row whose modules may import each other.
const CIRCULAR: &str = "operation";

/// The layers of `lro-macros`, lowest first.
const MACROS: &[&[&str]] = &[
    &["grammar", "nearest", "report"],
    &["list"],
    &["most", "runtime_path", "total"],
    &["long_running", "wire_operation"],
    &["lib"],
];

/// The layers of `lro-codegen`, lowest first.
const CODEGEN: &[&[&str]] = &[
    &["position"],
    &["docs", "document", "model", "names", "nearest", "report"],
    &["overrides"],
    &["context"],
    &["source", "types"],
    &["write"],
    &["error"],
    &["sdk"],
    &["generator"],
    &["lib"],
];

/// The largest number of files in a circle of imports. Lower it when a circle gets smaller.
const LARGEST_CIRCLE: usize = 7;

#[test]
fn no_import_of_the_runtime_goes_up() {
    assert_no_import_goes_up(&Crate::read("../lro-runtime/src"), RUNTIME);
}

#[test]
fn no_import_of_the_generator_goes_up() {
    assert_no_import_goes_up(&Crate::read("../lro-codegen/src"), CODEGEN);
}

#[test]
fn no_import_of_the_macros_goes_up() {
    assert_no_import_goes_up(&Crate::read("../lro-macros/src"), MACROS);
}

#[test]
fn the_one_circle_of_imports_is_small() {
    let circles = circles::of(&Crate::read("../lro-runtime/src").imports);
    for circle in &circles {
        println!("{} files: {}", circle.len(), circle.join(", "));
    }
    assert!(circles.len() <= 1, "more than one circle of imports: {circles:#?}");
    assert!(circles.iter().all(|circle| circle.len() <= LARGEST_CIRCLE), "a circle of many files: {circles:#?}");
    assert_eq!(circles::of(&Crate::read("../lro-macros/src").imports), Vec::<Vec<String>>::new());
}

/// Proves that the reader finds imports: a check that reads nothing would pass too.
#[test]
fn an_import_that_goes_up_is_found_with_its_file_and_line() {
    let source = "use crate::{\n    status::Code,\n    client::{Operations, start::Calls as Starts},\n};\n\nfn f() {\n    crate::driver::wait();\n}\n";
    let crate_of = Crate::of([
        ("engine/mod.rs", source),
        ("status/mod.rs", "mod code;\npub use self::code::Code;\n"),
        ("status/code.rs", "pub enum Code {}\n#[cfg(test)]\nmod tests {\n    use crate::client::Operations;\n}\n"),
        ("client/mod.rs", "pub struct Operations;\n"),
        ("client/start.rs", "pub struct Calls;\n"),
        ("driver/mod.rs", "pub fn wait() {}\n"),
    ]);
    let layers: &[&[&str]] = &[&["status"], &["engine"], &["client", "driver"]];
    assert_eq!(
        going_up(&crate_of, layers),
        [
            "engine/mod.rs:3: `engine` imports client/mod.rs",
            "engine/mod.rs:3: `engine` imports client/start.rs",
            "engine/mod.rs:7: `engine` imports driver/mod.rs",
        ]
    );
    let to_code = crate_of.imports.iter().filter(|import| import.to == "status/code.rs");
    assert_eq!(to_code.count(), 1, "a re-export leads to the file that defines");
}

fn assert_no_import_goes_up(crate_of: &Crate, layers: &[&[&str]]) {
    let known: BTreeSet<_> = layers.iter().flat_map(|layer| layer.iter().copied()).collect();
    let found: BTreeSet<_> = crate_of.files.iter().map(|file| module_of(file)).collect();
    assert_eq!(found, known, "the table of layers names every module, and no other");
    let up = going_up(crate_of, layers);
    assert!(up.is_empty(), "imports that go up:\n{}", up.join("\n"));
}

/// Returns every import of a higher layer, or of another module in the same row, except in the
/// circular row.
fn going_up(crate_of: &Crate, layers: &[&[&str]]) -> Vec<String> {
    let row_of = |module: &str| layers.iter().position(|layer| layer.contains(&module)).unwrap();
    let goes_up = |import: &&Import| {
        let (from, to) = (module_of(&import.from), module_of(&import.to));
        let (row, target) = (row_of(from), row_of(to));
        from != to && (target > row || target == row && !layers[row].contains(&CIRCULAR))
    };
    let shown = |import: &Import| {
        format!("{}:{}: `{}` imports {}", import.from, import.line, module_of(&import.from), import.to)
    };
    crate_of.imports.iter().filter(goes_up).map(shown).collect()
}

/// Returns the top-level module of a file: `client` for `client/start.rs`.
fn module_of(file: &str) -> &str {
    file.split('/').next().unwrap().trim_end_matches(".rs")
}
