//! All of Google's documents, which are not kept here: CI takes them from public packages.

#![expect(clippy::print_stdout, reason = "prints figures")]

use std::{collections::BTreeMap, env, fs, time::Instant};

use super::*;
use crate::report::Severity;

#[test]
#[ignore = "needs descriptions from registries: `.ci/descriptions`"]
fn every_long_running_method_of_google_is_read_or_skipped_by_name() {
    let root = env::var_os("LRO_DESCRIPTIONS").map(PathBuf::from);
    let root = root.unwrap_or_else(|| panic!("set LRO_DESCRIPTIONS to the folder that `.ci/descriptions` has written"));
    let mut files: Vec<_> = fs::read_dir(root.join("discovery")).unwrap().map(|entry| entry.unwrap().path()).collect();
    // The list of all documents is none.
    files.retain(|file| file.extension().is_some_and(|ending| ending == "json") && !file.ends_with("index.json"));
    files.sort();
    let begun = Instant::now();
    let (mut context, mut model) = (Context::default(), Model::default());
    read(&Discovery { files, protos: vec![root.join("protos")] }, &mut context, &mut model);
    let time = begun.elapsed();

    let mut families: BTreeMap<&str, [usize; 2]> = BTreeMap::new();
    for service in &model.services {
        for method in &service.methods {
            let family = match method.dialect.as_ref().unwrap_or(&service.dialect) {
                Dialect::Google => "google",
                Dialect::Compute | Dialect::ComputeBelow(_) => "extended",
                _ => "declared",
            };
            let [all, known] = families.entry(family).or_default();
            *all += 1;
            *known += usize::from(!method.unknown_response);
        }
    }
    let skipped = context.report.diagnostics.iter().filter(|found| found.severity == Severity::Skipped);
    let skipped: Vec<_> = skipped.map(|found| found.subject.clone()).collect();
    println!("figure discovery_methods_seen = {}", model.methods_seen);
    println!("figure discovery_types = {}", model.types.len());
    println!("figure discovery_skipped = {}", skipped.len());
    println!("figure discovery_seconds = {}", time.as_secs_f64());
    for (family, [all, known]) in &families {
        println!("figure discovery_{family} = {all}\nfigure discovery_{family}_known = {known}");
    }
    assert!(!context.report.has_errors(), "{}", context.report);
    assert!(skipped.iter().all(|subject| subject.contains('.')), "{skipped:?}");
    let counts = |family| families.get(family).copied().unwrap_or_default();
    assert!(model.methods_seen >= 28_000);
    let [google, known] = counts("google");
    assert!(google >= 3_750, "{google}");
    // By the protos alone, it would be 55 of a hundred.
    assert!(known * 100 >= google * 80, "{known} of {google}");
    assert!(counts("extended").iter().all(|count| *count >= 2_150), "{families:?}");
    assert!(counts("declared").iter().all(|count| *count >= 140), "{families:?}");
}
