//! All public protos of Google.

use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use lro_codegen::{Transport, proto};

use crate::{all, cargo::Crate, descriptions, figure, lines_of_methods, mean};

/// The packages that are compiled where not all are: each has something that the others have not.
const FEW: [&str; 8] = [
    // A comment with two colons, and an enumeration of 100 values.
    "google/api/servicemanagement/v1",
    "google/cloud/networkmanagement/v1",
    "google/cloud/workflows/v1",
    "google/cloud/vmwareengine/v1",
    "google/cloud/aiplatform/v1",
    "google/spanner/admin/database/v1",
    "google/bigtable/admin/v2",
    "google/cloud/redis/v1",
];

/// Returns the folders below `root` with a method that says what its operation gives.
fn packages(root: &Path) -> Vec<PathBuf> {
    let (mut packages, mut open) = (vec![], vec![root.join("google")]);
    while let Some(folder) = open.pop() {
        let mut is_package = false;
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "proto") {
                is_package |= fs::read_to_string(&path).unwrap().contains("option (google.longrunning.operation_info)");
            }
        }
        if is_package {
            packages.push(folder.strip_prefix(root).unwrap().to_owned());
        }
    }
    packages.sort();
    packages
}

fn every_method_is_written_and_compiles(transport: Transport, name: &str) {
    let root = descriptions("protos");
    let packages = packages(&root);
    assert!(packages.len() > 200, "{} packages", packages.len());
    let (mut written, mut generated, mut declared, mut time) = (vec![], 0, 0, Duration::ZERO);
    let mut lines = vec![];
    for package in &packages {
        let begun = Instant::now();
        let sdk = proto(&root).include(package).transport(transport).generate();
        let sdk = sdk.unwrap_or_else(|report| panic!("{}:\n{report}", package.display()));
        let code = sdk.one_file().unwrap();
        time += begun.elapsed();
        let of_package = declarations(&root.join(package));
        declared += of_package;
        let coverage = sdk.report.coverage;
        if coverage.generated + coverage.skipped != of_package {
            println!("{}: {of_package} declared, {coverage}", package.display());
        }
        generated += sdk.report.coverage.generated;
        for skipped in
            sdk.report.diagnostics.iter().filter(|diagnostic| diagnostic.severity == lro_codegen::Severity::Skipped)
        {
            println!("{skipped}");
        }
        lines.extend(lines_of_methods(&code));
        if all() || FEW.iter().any(|few| Path::new(few) == package) {
            written.push((package.to_string_lossy().replace(['/', '.'], "_"), code));
        }
    }
    figure(&format!("{name}_packages"), packages.len());
    figure(&format!("{name}_methods_declared"), declared);
    figure(&format!("{name}_methods_written"), generated);
    figure(&format!("{name}_lines_per_method"), mean(&lines));
    figure(&format!("{name}_generator_seconds"), time.as_secs_f64());
    let methods: usize = written.iter().map(|(_, code)| lines_of_methods(code).len()).sum();
    figure(&format!("{name}_methods_compiled"), methods);
    assert!(methods > 150);
    Crate::new(name, &written).has_no_warning();
}

/// Counts the options in the text of a folder's protos: another way of counting than the
/// generator's.
fn declarations(folder: &Path) -> usize {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let protos = files.filter(|path| path.extension().is_some_and(|ending| ending == "proto"));
    protos
        .map(|path| fs::read_to_string(path).unwrap().matches("option (google.longrunning.operation_info)").count())
        .sum()
}

#[test]
#[ignore = "needs descriptions from registries: `.ci/descriptions`"]
fn every_method_of_googles_protos_is_written_for_grpc() {
    every_method_is_written_and_compiles(Transport::Grpc, "grpc");
}

#[test]
#[ignore = "needs descriptions from registries: `.ci/descriptions`"]
fn every_method_of_googles_protos_is_written_for_rest() {
    every_method_is_written_and_compiles(Transport::Rest, "rest");
}
