//! All of Google's documents, which are not kept here: CI takes them from public packages.

use std::{collections::BTreeMap, env, fs, path::PathBuf, time::Instant};

use super::super::*;
use crate::{model::Type, report::Severity};

#[test]
#[ignore = "needs all discovery documents, in the folder LRO_DISCOVERY, and protos, in LRO_GOOGLEAPIS"]
fn every_long_running_method_of_google_is_read_or_skipped_by_name() {
    let folder = PathBuf::from(env::var_os("LRO_DISCOVERY").expect("LRO_DISCOVERY is not set"));
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    // The list of all documents is none.
    files.retain(|file| file.extension().is_some_and(|e| e == "json") && !file.ends_with("index.json"));
    files.sort();
    let protos: Vec<_> = env::var_os("LRO_GOOGLEAPIS").map(PathBuf::from).into_iter().collect();
    let (mut context, mut model) = (Context::default(), Model::default());
    let start = Instant::now();
    read(&Discovery { files, protos }, &mut context, &mut model);
    let time = start.elapsed();
    let mut counts: BTreeMap<String, [usize; 2]> = BTreeMap::new();
    let mut deletes = [0; 2];
    let mut metadata = BTreeMap::new();
    for service in &model.services {
        for method in &service.methods {
            let dialect = format!("{:?}", method.dialect.as_ref().unwrap_or(&service.dialect));
            let count = counts.entry(dialect).or_default();
            count[0] += 1;
            count[1] += usize::from(!method.unknown_response);
            if matches!(&method.call, crate::model::Call::Http { verb, .. } if verb == "DELETE")
                && service.dialect == Dialect::Google
                && !method.unknown_response
            {
                deletes[usize::from(method.response == Type::Unit)] += 1;
            }
            *metadata.entry(method.metadata == Type::Value).or_insert(0) += 1;
        }
    }
    println!("{time:?} {} {counts:#?} {deletes:?} {metadata:?} types {}", model.methods_seen, model.types.len());
    let mut why: BTreeMap<_, usize> = BTreeMap::new();
    for d in &context.report.diagnostics {
        let m = d.message.split('`').step_by(2).collect::<String>();
        *why.entry((d.severity, m)).or_default() += 1;
        if d.severity != Severity::Note {
            println!("{d}");
        }
    }
    println!("{why:#?}");
}
