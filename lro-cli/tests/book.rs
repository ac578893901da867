//! The commands on the book's pages print what stands there. `BLESS=1 cargo test -p lro-cli --test
//! book` writes it down anew.

#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod support;

use std::{
    fmt::Write as _,
    io::Read as _,
    path::Path,
    process::{Command, Stdio},
};

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
        let printed;
        (printed, code) = on_a_terminal(lro(&words));
        out.push_str(&abridged(&printed.replace(&server.url(), BASE)));
    }
    out
}

/// Runs a command with one pipe for both outputs, as on a terminal, and returns its exit code, too.
fn on_a_terminal(mut process: Command) -> (String, Option<i32>) {
    let (mut reader, writer) = std::io::pipe().unwrap();
    process.stdout(Stdio::from(writer.try_clone().unwrap())).stderr(Stdio::from(writer));
    let mut child = process.spawn().unwrap();
    drop(process);
    let mut printed = String::new();
    reader.read_to_string(&mut printed).unwrap();
    (printed, child.wait().unwrap().code())
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

/// Checks each block of a page, or writes the page anew.
fn check(page: &str, mut played: impl FnMut(&str, &str) -> Option<String>) {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/book").join(page);
    let text = std::fs::read_to_string(&page).unwrap();
    let mut blessed = String::new();
    for (index, part) in text.split("```").enumerate() {
        let block = part.split_once('\n').filter(|_| index % 2 == 1);
        let played = block.and_then(|(kind, block)| Some(format!("{kind}\n{}", played(kind, block)?)));
        let separator = if index > 0 { "```" } else { "" };
        write!(blessed, "{separator}{}", played.as_deref().unwrap_or(part)).unwrap();
    }
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(page, blessed).unwrap();
    } else {
        assert_eq!(text, blessed);
    }
}

#[test]
fn the_commands_on_the_page_print_what_stands_there() {
    check("command.md", |kind, block| (kind == "console").then(|| played(block)));
}

/// The page in which descriptions are blocks, and what is written from them, too.
#[cfg(feature = "generate")]
#[test]
fn what_the_page_generates_is_what_stands_there() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("book-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).unwrap();
    let mut excerpts = 0;
    check("generate-your-sdk.md", |kind, block| match kind {
        "console" => Some(generated(&folder, block)),
        // A description, whose first line is a comment with its path.
        "proto" | "yaml" | "toml" => {
            let path = folder.join(block.lines().next().unwrap().trim_start_matches(['/', '#', ' ']));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, block).unwrap();
            None
        }
        "rust,ignore" if !block.starts_with("// src/lib.rs\n") => {
            excerpts += 1;
            let written = std::fs::read_to_string(folder.join("src/sdk/images.rs")).unwrap();
            // The block with the methods.
            let from = written.find("#[long_running").unwrap();
            let end = from + written[from..].find("\n}\n").unwrap() + "\n}\n".len();
            Some(written[from..end].to_owned())
        }
        _ => None,
    });
    assert_eq!(excerpts, 1);
    std::fs::remove_dir_all(folder).unwrap();
}

/// Runs the commands of a block in a folder, and returns it with what they print.
#[cfg(feature = "generate")]
fn generated(folder: &Path, block: &str) -> String {
    let (mut code, mut out) = (None, String::new());
    for command in block.lines().filter_map(|line| line.strip_prefix("$ ")) {
        writeln!(out, "$ {command}").unwrap();
        if command == "echo $?" {
            writeln!(out, "{}", code.unwrap()).unwrap();
            continue;
        }
        let words: Vec<&str> = command.strip_prefix("lro ").unwrap().split(' ').collect();
        let mut process = lro(&words);
        process.current_dir(folder);
        let (printed, ended) = on_a_terminal(process);
        (code, out) = (ended, out + &printed);
    }
    out
}
