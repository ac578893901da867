//! All public protos: every method with `operation_info` becomes a method or is named as skipped.

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use crate::{
    Severity,
    context::Context,
    model::{Model, Transport},
    source::proto::{self, Proto},
};

/// Returns the folders below `root` whose protos have long-running methods.
fn packages(root: &Path) -> Vec<(PathBuf, usize)> {
    let (mut packages, mut open) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "proto") {
                let text = fs::read_to_string(&path).unwrap();
                let options = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                let count = options.filter(|line| line.contains("(google.longrunning.operation_info)")).count();
                *packages.entry(folder.strip_prefix(root).unwrap().to_owned()).or_default() += count;
            }
        }
    }
    packages.into_iter().filter(|(_, count)| *count > 0).collect()
}

fn count(transport: Transport) {
    let root = PathBuf::from(env::var_os("LRO_DESCRIPTIONS").expect("the folder of descriptions")).join("protos");
    let packages = packages(&root);
    assert!(packages.len() > 200, "{} packages", packages.len());
    let (mut declared, mut read, mut errors, mut types, mut time) = (0, 0, 0, 0, Duration::ZERO);
    let mut skipped: BTreeMap<String, usize> = BTreeMap::new();
    let mut notes: BTreeMap<String, usize> = BTreeMap::new();
    let mut with: BTreeMap<&str, usize> = BTreeMap::new();
    for (package, methods) in &packages {
        declared += methods;
        let mut context = Context::default();
        let mut model = Model::default();
        let include = vec![package.clone()];
        let begun = Instant::now();
        let input = Proto { roots: vec![root.clone()], include, transport, ..Proto::default() };
        proto::read(&input, &mut context, &mut model);
        time += begun.elapsed();
        types += model.types.len();
        for method in model.services.iter().flat_map(|service| &service.methods) {
            read += 1;
            let options = &method.options;
            for (name, is_there) in [
                ("path", options.path.is_some()),
                ("cancel", options.cancel),
                ("delete", options.delete),
                ("poll", options.poll != crate::model::Poll::default()),
                ("progress", options.progress.is_some()),
                ("unknown", method.unknown_response),
            ] {
                *with.entry(name).or_default() += usize::from(is_there);
            }
        }
        for diagnostic in &context.report.diagnostics {
            match diagnostic.severity {
                Severity::Error => {
                    errors += 1;
                    println!("{diagnostic}");
                }
                Severity::Skipped => *skipped.entry(kind(&diagnostic.message)).or_default() += 1,
                Severity::Note => *notes.entry(kind(&diagnostic.message)).or_default() += 1,
            }
        }
    }
    let all: usize = skipped.values().sum();
    println!(
        "{transport:?}: {} packages, {declared} declared, {read} methods, {all} skipped, {types} types",
        packages.len()
    );
    println!("with {with:?}; skipped {skipped:#?}; notes {notes:#?}; {:.1} s", time.as_secs_f64());
    assert_eq!(errors, 0);
    // Methods without the option are skipped as well.
    assert!(read + all >= declared, "{read} and {all} of {declared}");
    assert!(read > 2_500);
}

/// A message without its names.
fn kind(message: &str) -> String {
    message.split('`').step_by(2).collect::<Vec<_>>().join("…")
}

#[test]
#[ignore = "needs descriptions from registries: `.ci/descriptions`"]
fn every_method_is_read_for_grpc() {
    count(Transport::Grpc);
}

#[test]
#[ignore = "needs descriptions from registries: `.ci/descriptions`"]
fn every_method_is_read_for_rest() {
    count(Transport::Rest);
}
