//! What must hold of the repository before a release.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap()
}

/// Returns the manifests of the crates that are published, with their folders.
fn published() -> Vec<(String, String)> {
    let workspace = read("Cargo.toml");
    let members = workspace.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    let folders = members.split('"').skip(1).step_by(2).map(str::to_owned);
    let manifests = folders.map(|folder| (read(&format!("{folder}/Cargo.toml")), folder));
    let published = manifests.filter(|(manifest, _)| !manifest.contains("\npublish = false\n"));
    let crates: Vec<_> = published.map(|(manifest, folder)| (folder, manifest)).collect();
    assert!(crates.len() >= 2, "{crates:?}");
    crates
}

/// Returns the value of a key at the beginning of a line: without quotes.
fn value<'a>(manifest: &'a str, key: &str) -> Option<&'a str> {
    let line = manifest.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(" = "))?;
    Some(line.trim_matches('"'))
}

#[test]
fn every_crate_has_the_version_of_the_workspace_and_asks_for_no_other() {
    let workspace = read("Cargo.toml");
    let version = value(&workspace, "version").unwrap();
    for (folder, manifest) in published() {
        assert_eq!(value(&manifest, "version.workspace"), Some("true"), "{folder}");
        let name = value(&manifest, "name").unwrap();
        if let Some(dependency) = workspace.lines().find(|line| line.starts_with(&format!("{name} = "))) {
            assert!(dependency.contains(&format!("version = \"={version}\"")), "{dependency}");
        }
        let own = manifest.lines().filter(|line| line.starts_with("lro-") && line.contains("version = "));
        for dependency in own {
            assert!(dependency.contains(&format!("version = \"={version}\"")), "{folder}: {dependency}");
        }
    }
}

#[test]
fn every_crate_says_what_it_is_and_brings_its_page_and_its_licences() {
    for (folder, manifest) in published() {
        let description = value(&manifest, "description").unwrap();
        assert!((30..=200).contains(&description.len()), "{folder}: {description}");
        for key in ["edition", "license", "repository"] {
            assert_eq!(value(&manifest, &format!("{key}.workspace")), Some("true"), "{folder}: {key}");
        }
        // A newer compiler than the others need has its reason beside it.
        if value(&manifest, "rust-version.workspace") != Some("true") {
            let (version, why) = value(&manifest, "rust-version").unwrap().split_once("\" # ").unwrap();
            let minor = |version: &str| version.strip_prefix("1.").unwrap().parse::<u32>().unwrap();
            let workspace = read("Cargo.toml");
            let others = value(&workspace, "rust-version").unwrap().split('"').next().unwrap();
            assert!(minor(version) > minor(others) && why.len() > 10, "{folder}: {version}, {why}");
        }
        for key in ["keywords", "categories"] {
            let named = [key.to_owned(), format!("{key}.workspace")].iter().any(|key| value(&manifest, key).is_some());
            assert!(named, "{folder}: {key}");
        }
        assert_eq!(value(&manifest, "readme"), Some("README.md"), "{folder}");
        for file in ["README.md", "LICENSE-MIT", "LICENSE-APACHE"] {
            assert!(root().join(&folder).join(file).exists(), "{folder}/{file}");
        }
    }
}

#[test]
fn keywords_and_categories_are_as_many_and_as_long_as_a_registry_takes() {
    for manifest in published().into_iter().map(|(_, manifest)| manifest).chain([read("Cargo.toml")]) {
        for key in ["keywords", "categories"] {
            let Some(list) = value(&manifest, key) else { continue };
            let words: BTreeSet<&str> = list.split('"').skip(1).step_by(2).collect();
            assert!((1..=5).contains(&words.len()), "{words:?}");
            assert!(key != "keywords" || words.iter().all(|word| word.len() <= 20), "{words:?}");
        }
    }
}

#[test]
fn the_changelog_keeps_to_its_form() {
    const KINDS: [&str; 6] = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"];
    let changelog = read("CHANGELOG.md");
    let sections: Vec<&str> = changelog.lines().filter_map(|line| line.strip_prefix("## ")).collect();
    assert!(sections.first().unwrap().starts_with("[Unreleased]("), "{sections:?}");
    for kind in changelog.lines().filter_map(|line| line.strip_prefix("### ")) {
        assert!(KINDS.contains(&kind), "{kind}");
    }
}

#[test]
fn actions_are_named_by_their_commits_and_may_only_read() {
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let workflow = fs::read_to_string(&path).unwrap();
        for action in
            workflow.lines().filter_map(|line| line.trim_start().trim_start_matches("- ").strip_prefix("uses: "))
        {
            let (commit, version) = action.split_once('@').unwrap().1.split_once(" # v").unwrap();
            let is_commit = commit.len() == 40 && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(is_commit && !version.is_empty(), "{}: {action}", path.display());
        }
        assert!(workflow.contains("\npermissions:\n  contents: read\n"), "{}", path.display());
        assert_eq!(workflow.matches("permissions:").count(), 1, "{}", path.display());
    }
    assert!(read(".github/workflows/ci.yml").contains("- run: bash .ci/run\n"), "a public run is that of a person");
}
