//! Folders of real descriptions, which are not a part of this project: every operation that is
//! flagged becomes a method, or is skipped by name.

use std::{env, ops::AddAssign};

use super::*;

/// What a folder has, counted without the front end.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Count {
    documents: usize,
    operations: usize,
    flagged: usize,
}

impl AddAssign for Count {
    fn add_assign(&mut self, other: Self) {
        self.documents += other.documents;
        self.operations += other.operations;
        self.flagged += other.flagged;
    }
}

fn files_below(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| !path.is_symlink()).collect();
    entries.sort();
    for path in entries {
        let ending = path.extension().unwrap_or_default();
        if path.is_dir() {
            files_below(&path, found);
        } else if ending == "json" {
            found.push(path);
        }
    }
}

/// Counts the operations of a description by its text; `None` if it is none.
fn count(path: &Path) -> Option<Count> {
    let text = fs::read_to_string(path).ok()?;
    let document: serde_json::Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    if document.get("swagger").and_then(serde_json::Value::as_str) != Some("2.0")
        && !document.get("openapi").and_then(serde_json::Value::as_str).is_some_and(|version| version.starts_with("3."))
    {
        return None;
    }
    let mut count = Count { documents: 1, ..Count::default() };
    for paths in ["paths", "x-ms-paths"] {
        let items = document.get(paths).and_then(serde_json::Value::as_object).into_iter().flatten();
        for (path, item) in items {
            if path.starts_with("x-") {
                continue;
            }
            for (verb, operation) in item.as_object().into_iter().flatten() {
                if ["get", "put", "post", "delete", "options", "head", "patch", "trace"].contains(&verb.as_str()) {
                    let is_flagged = |flag: &str| operation.get(flag) == Some(&serde_json::Value::Bool(true));
                    count.operations += 1;
                    count.flagged += usize::from(
                        is_flagged("x-ms-long-running-operation")
                            || is_flagged("x-ms-fabric-sdk-long-running-operation"),
                    );
                }
            }
        }
    }
    Some(count)
}

#[test]
#[ignore = "needs descriptions from registries: `.ci/descriptions`"]
fn every_flagged_operation_of_a_folder_is_a_method_or_is_skipped_by_name() {
    // Other folders, which no registry has, may be named with `:` between them.
    let folders = env::var("LRO_OPENAPI_CORPUS")
        .unwrap_or_else(|_| format!("{}/autorest", env::var("LRO_DESCRIPTIONS").unwrap()));
    for folder in folders.split(':') {
        let mut files = vec![];
        files_below(Path::new(folder), &mut files);
        let mut sum = Count::default();
        let (mut methods, mut types, mut candidates, mut skips, mut notes) = (0, 0, 0, vec![], vec![]);
        for path in files {
            let Some(counted) = count(&path) else { continue };
            let found = read_files(vec![path.clone()], false);
            let of = |severity| found.diagnostics.iter().filter(move |diagnostic| diagnostic.severity == severity);
            let written: usize = found.model.services.iter().map(|service| service.methods.len()).sum();
            assert_eq!(found.model.methods_seen, counted.operations, "{}", path.display());
            assert_eq!(written + of(Severity::Skipped).count(), counted.flagged, "{}", path.display());
            sum += counted;
            methods += written;
            types += found.model.types.len();
            candidates += of(Severity::Note).filter(|note| note.message.starts_with("may be")).count();
            skips.extend(of(Severity::Skipped).chain(of(Severity::Error)).map(ToString::to_string));
            notes
                .extend(of(Severity::Note).filter(|note| !note.message.starts_with("may be")).map(ToString::to_string));
        }
        assert!(sum.flagged > 0, "{folder} has no long-running method");
        println!("{folder}: {sum:?}: {methods} methods, {types} types, {candidates} candidates");
        skips.iter().chain(&notes).for_each(|line| println!("  {line}"));
    }
}
