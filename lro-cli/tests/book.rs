//! The commands on the book's page print what stands there. `BLESS=1 cargo test -p lro-cli --test
//! book` writes it down anew.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod support;

use std::{fmt::Write as _, io::Read as _, path::Path, process::Stdio};

use lro_runtime::{
    Code,
    testing::{Job, LroServer},
};
use serde_json::json;
use support::lro;

const BASE: &str = "https://images.example.com";

/// The service of the page, anew for each block.
fn service() -> LroServer {
    let server = LroServer::builder().start().unwrap();
    server.add(Job::polls(2).responds(json!({ "uri": "gs://pictures/cat.png" })).named("operations/cat"));
    server.add(Job::polls(1).fails(Code::DataLoss, "the negative is torn").named("operations/cow"));
    server.add(Job::endless().cancelled_after(2).named("operations/elephant"));
    server
}

/// Runs the commands of a block, and returns it with what they print.
fn played(block: &str) -> String {
    let (server, mut code, mut out) = (service(), None, String::new());
    for command in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
        writeln!(out, "$ {command}").unwrap();
        if command == "echo $?" {
            writeln!(out, "{}", code.unwrap()).unwrap();
            continue;
        }
        let command = command.replace(BASE, &server.url());
        let words: Vec<&str> = command.strip_prefix("lro ").unwrap().split(' ').collect();
        // One pipe for both, as on a terminal.
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut process = lro(&words);
        process.stdout(Stdio::from(writer.try_clone().unwrap())).stderr(Stdio::from(writer));
        let mut child = process.spawn().unwrap();
        drop(process);
        let mut printed = String::new();
        reader.read_to_string(&mut printed).unwrap();
        code = child.wait().unwrap().code();
        out.push_str(&abridged(&printed.replace(&server.url(), BASE)));
    }
    out
}

/// Shortens tokens, and the counts and times of errors, which are not the same twice.
fn abridged(printed: &str) -> String {
    let mut out = String::new();
    for line in printed.lines() {
        let mut line = line.to_owned();
        if let Some(at) = line.find("lro1-") {
            let end = line[at..].find([' ', '"']).map_or(line.len(), |end| at + end);
            line.replace_range(at..end, "lro1-…");
        }
        if let Some(at) = line.find(" (after ") {
            let end = at + line[at..].find(')').unwrap() + 1;
            line.replace_range(at..end, " (after … polls in …)");
        }
        writeln!(out, "{line}").unwrap();
    }
    out
}

#[test]
fn the_commands_on_the_page_print_what_stands_there() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/book/command.md");
    let text = std::fs::read_to_string(&page).unwrap();
    let mut blessed = String::new();
    for (index, part) in text.split("```").enumerate() {
        let block = part.strip_prefix("console\n").filter(|_| index % 2 == 1);
        let played = block.map(|block| format!("console\n{}", played(block)));
        let separator = if index > 0 { "```" } else { "" };
        write!(blessed, "{separator}{}", played.as_deref().unwrap_or(part)).unwrap();
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(page, blessed).unwrap();
    } else {
        assert_eq!(text, blessed);
    }
}
