//! All discovery documents of Google.

use std::{
    fs,
    time::{Duration, Instant},
};

use lro_codegen::discovery;

use crate::{all, cargo::Crate, descriptions, figure, lines_of_methods, mean};

/// The documents that are compiled where not all are.
const FEW: [&str; 5] =
    ["compute.v1.json", "workflows.v1.json", "sqladmin.v1.json", "container.v1.json", "deploymentmanager.v2.json"];

#[test]
#[ignore = "needs descriptions from registries: `.ci/descriptions`"]
fn every_method_of_googles_discovery_documents_is_written() {
    let root = descriptions("discovery");
    let mut documents: Vec<_> = fs::read_dir(&root).unwrap().map(|entry| entry.unwrap().path()).collect();
    documents.retain(|path| path.extension().is_some_and(|ending| ending == "json") && !path.ends_with("index.json"));
    documents.sort();
    assert!(documents.len() > 500, "{} documents", documents.len());
    let (mut written, mut generated, mut unknown, mut skipped, mut lines, mut time) =
        (vec![], 0, 0, 0, vec![], Duration::ZERO);
    for document in &documents {
        let begun = Instant::now();
        let sdk = discovery(document).generate();
        let sdk = sdk.unwrap_or_else(|report| panic!("{}:\n{report}", document.display()));
        let code = sdk.one_file().unwrap();
        time += begun.elapsed();
        generated += sdk.report.coverage.generated;
        skipped += sdk.report.coverage.skipped;
        unknown += sdk.report.coverage.unknown_response;
        lines.extend(lines_of_methods(&code));
        let name = document.file_name().unwrap().to_string_lossy().into_owned();
        if sdk.report.coverage.generated > 0 && (all() || FEW.contains(&name.as_str())) {
            written.push((name.trim_end_matches(".json").replace(['.', '-'], "_"), code));
        }
    }
    figure("discovery_documents", documents.len());
    figure("discovery_methods_written", generated);
    figure("discovery_methods_skipped", skipped);
    figure("discovery_methods_of_unknown_response", unknown);
    figure("discovery_lines_per_method", mean(&lines));
    figure("discovery_generator_seconds", time.as_secs_f64());
    let methods: usize = written.iter().map(|(_, code)| lines_of_methods(code).len()).sum();
    figure("discovery_methods_compiled", methods);
    assert!(generated > 6_000, "{generated} methods");
    Crate::new("discovery", &written).has_no_warning();
}
