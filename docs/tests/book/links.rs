//! Every page of the book is in its table of contents and is tested, and no link in it leads
//! nowhere.

use std::{collections::BTreeSet, fs, path::Path};

use super::{book, pages};

/// The targets of the links and pictures of a page. Code is left out: `a[0](b)` is not a link.
fn links(text: &str) -> Vec<String> {
    let mut in_code = false;
    let mut found = Vec::new();
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        if in_code {
            continue;
        }
        let prose: String = line.split('`').step_by(2).collect();
        found.extend(prose.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0.to_owned())));
    }
    found
}

/// The anchors of a page: those of its headings, as mdBook and GitHub make them.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |heading: &str| -> String {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

#[test]
fn every_page_is_in_the_table_of_contents_and_is_tested() {
    let of_book: BTreeSet<String> =
        pages().iter().map(|page| page.strip_prefix(book()).unwrap().to_string_lossy().into_owned()).collect();
    let summary = fs::read_to_string(book().join("SUMMARY.md")).unwrap();
    let mut listed: BTreeSet<String> = links(&summary).into_iter().collect();
    let code = include_str!("../../src/lib.rs");
    let tested: BTreeSet<String> = code
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(|text| Path::new(text).extension().is_some_and(|is| is == "md") && !text.starts_with(".."))
        .map(str::to_owned)
        .collect();
    assert_eq!(tested, listed, "src/lib.rs and SUMMARY.md list the same pages");
    listed.insert("SUMMARY.md".into());
    assert_eq!(of_book, listed, "SUMMARY.md lists every page");
}

/// Where a file of the repository that is no page of the book is read.
const REPOSITORY: [&str; 2] = ["https://github.com/lro-rs/lro/blob/main/", "https://github.com/lro-rs/lro/tree/main/"];

#[test]
fn every_link_leads_to_a_page_and_its_heading_or_to_a_file_of_the_repository() {
    let root = book().join("../..");
    let mut broken = Vec::new();
    for page in pages() {
        let text = fs::read_to_string(&page).unwrap();
        for link in links(&text) {
            if let Some(file) = REPOSITORY.iter().find_map(|place| link.strip_prefix(place)) {
                if !root.join(file.split('#').next().unwrap()).exists() {
                    broken.push(format!("{}: {link}", page.display()));
                }
                continue;
            }
            if link.contains("://") || link.starts_with("mailto:") {
                continue;
            }
            let (file, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if file.is_empty() { page.clone() } else { page.parent().expect("a folder").join(file) };
            // The built book has no files from outside its folder.
            let is_inside =
                target.canonicalize().is_ok_and(|target| target.starts_with(book().canonicalize().unwrap()));
            let is_there = is_inside
                && match fs::read_to_string(&target) {
                    Ok(text) => anchor.is_empty() || anchors(&text).contains(anchor),
                    Err(_) => anchor.is_empty(),
                };
            if !is_there {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn every_page_says_something() {
    for page in pages() {
        assert!(fs::read_to_string(&page).unwrap().lines().count() > 15, "{} has hardly begun", page.display());
    }
}
