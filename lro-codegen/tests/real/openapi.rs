//! Swaggers: those of the test server of Azure's generators, and any folder of them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use lro_codegen::openapi;

use crate::{all, cargo::Crate, descriptions, figure, lines_of_methods, mean};

/// Where every method of a file is generated, how many there are.
const OF_THE_TEST_SERVER: [(&str, usize); 2] = [("lro.json", 81), ("lro-parameterized-endpoints.json", 2)];

#[test]
#[ignore = "needs descriptions from registries: `.ci/descriptions`"]
fn every_method_of_azures_test_server_is_written() {
    let root = descriptions("autorest");
    let mut written = vec![];
    for (name, methods) in OF_THE_TEST_SERVER {
        let sdk = openapi(root.join(name)).deny_skipped().generate();
        let sdk = sdk.unwrap_or_else(|report| panic!("{name}:\n{report}"));
        assert_eq!(sdk.report.coverage.generated, methods, "{name}");
        written.push((name.trim_end_matches(".json").replace('-', "_"), sdk.one_file().unwrap()));
    }
    let lines: Vec<usize> = written.iter().flat_map(|(_, code)| lines_of_methods(code)).collect();
    figure("autorest_methods_written", lines.len());
    figure("autorest_lines_per_method", mean(&lines));
    Crate::new("autorest", &written).has_no_warning();
}

/// All descriptions of the test server, most of which have no long-running method; or those in the
/// folders that `LRO_OPENAPI_CORPUS` names, with `:` between them, which no registry has. What is
/// only a part of a description is left out.
#[test]
#[ignore = "needs descriptions from registries: `.ci/descriptions`"]
fn folders_of_swaggers_are_written() {
    let folders = env::var("LRO_OPENAPI_CORPUS");
    let folders = folders.unwrap_or_else(|_| descriptions("autorest").to_string_lossy().into_owned());
    for folder in folders.split(':') {
        let mut files = vec![];
        files_below(Path::new(folder), &mut files);
        let (mut written, mut documents, mut generated, mut skipped, mut unknown) = (vec![], 0, 0, 0, 0);
        for file in files {
            let Ok(sdk) = openapi(&file).generate() else { continue };
            let coverage = sdk.report.coverage;
            documents += 1;
            generated += coverage.generated;
            skipped += coverage.skipped;
            unknown += coverage.unknown_response;
            let code = sdk.one_file().unwrap_or_else(|error| panic!("{}: {error}", file.display()));
            // A description that stands in several places is compiled once.
            if coverage.generated > 0 && written.iter().all(|(_, known)| *known != code) {
                written.push((format!("file{}", written.len()), code));
            }
        }
        let name = Path::new(folder).file_name().unwrap().to_string_lossy().replace('-', "_");
        figure(&format!("{name}_documents"), documents);
        figure(&format!("{name}_methods_written"), generated);
        figure(&format!("{name}_methods_skipped"), skipped);
        figure(&format!("{name}_methods_of_unknown_response"), unknown);
        let lines: Vec<usize> = written.iter().flat_map(|(_, code)| lines_of_methods(code)).collect();
        figure(&format!("{name}_lines_per_method"), mean(&lines));
        if !all() {
            written.truncate(20);
        }
        Crate::new(&name, &written).has_no_warning();
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries.into_iter().filter(|path| !path.is_symlink()) {
        if path.is_dir() {
            files_below(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "json") {
            found.push(path);
        }
    }
}
