//! What a newcomer does first: each program on the front pages is built in a crate of its own, with
//! what its page says to add and nothing else, and prints what the page says.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{env, fmt::Write, fs, path::Path, process::Command};

const WORKSPACE: &str = include_str!("../../Cargo.toml");
const PAGES: [(&str, &str, usize); 2] = [
    ("README.md", include_str!("../../README.md"), 2),
    ("lro-runtime/README.md", include_str!("../../lro-runtime/README.md"), 1),
];

/// A program of a page: the commands above it, its code, and what it prints.
#[derive(Clone, Copy, Default)]
struct Program<'a> {
    commands: &'a str,
    code: &'a str,
    prints: &'a str,
}

/// Returns the fenced blocks of a page, as their language and their text.
fn blocks(page: &str) -> Vec<(&str, &str)> {
    let fenced = page.split("\n```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').unwrap()).collect()
}

/// Returns the programs of a page. A program is Rust with `main`, between its commands and its
/// output.
fn programs(page: &str) -> Vec<Program<'_>> {
    let (mut programs, mut next) = (vec![], Program::default());
    for (language, text) in blocks(page) {
        match language {
            "sh" => next.commands = text,
            "rust" => next.code = text,
            "text" if next.code.contains("fn main()") => {
                programs.push(Program { prints: text, ..next });
                next = Program::default();
            }
            _ => {}
        }
    }
    programs
}

/// Returns the version of a crate that the workspace asks for.
fn version(name: &str) -> &'static str {
    let line = WORKSPACE.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
    line.split('"').nth(1).unwrap()
}

/// Returns the dependencies that `cargo add` would write, with the library from this repository.
fn dependencies(commands: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut written = String::new();
    for words in commands.lines().filter_map(|line| line.strip_prefix("cargo add ")) {
        let words: Vec<&str> = words.split(' ').collect();
        let is_default = !words.contains(&"--no-default-features");
        let listed = words.iter().skip_while(|word| **word != "--features").nth(1);
        let features: Vec<&str> = listed.map(|names| names.split(',').collect()).unwrap_or_default();
        for name in words.iter().take_while(|word| !word.starts_with("--")) {
            let from = match *name {
                "lro-runtime" => format!("path = {:?}", root.join("lro-runtime")),
                name => format!("version = {:?}", version(name)),
            };
            writeln!(written, "{name} = {{ {from}, default-features = {is_default}, features = {features:?} }}")
                .unwrap();
        }
    }
    written
}

/// Builds a program in a crate of its own, runs it, and returns what it prints.
fn run(name: &str, program: Program<'_>) -> String {
    let (scratch, root) = (Path::new(env!("CARGO_TARGET_TMPDIR")), Path::new(env!("CARGO_MANIFEST_DIR")));
    let package = scratch.join("first-contact").join(name);
    fs::create_dir_all(package.join("src")).unwrap();
    let manifest = format!(
        "[package]\nname = {name:?}\nedition = \"2024\"\n\n[dependencies]\n{}\n[workspace]\n",
        dependencies(program.commands)
    );
    fs::write(package.join("Cargo.toml"), manifest).unwrap();
    fs::write(package.join("src/main.rs"), program.code).unwrap();
    // The versions that are tested are those of the workspace, which are here already.
    fs::copy(root.join("../Cargo.lock"), package.join("Cargo.lock")).unwrap();
    let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--offline", "--quiet"])
        .current_dir(&package)
        .env("CARGO_TARGET_DIR", scratch.join("first-contact").join("target"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{name} builds without a warning");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
#[ignore = "compiles programs and all that they depend on, which takes a minute or two"]
fn every_program_of_a_front_page_is_built_from_what_its_page_says_to_add() {
    for (page, text, count) in PAGES {
        let programs = programs(text);
        assert_eq!(programs.len(), count, "{page}: each program has its `cargo add` above it and its output below");
        for (number, program) in (1..).zip(programs) {
            let name = format!("{}-{number}", page.to_lowercase().replace(['/', '.'], "-"));
            assert_eq!(run(&name, program).trim(), program.prints.trim(), "{page}, program {number}");
        }
    }
}

#[test]
fn every_program_of_a_front_page_says_what_to_add_and_what_it_prints() {
    for (page, text, count) in PAGES {
        let programs = programs(text);
        assert_eq!(programs.len(), count, "{page}");
        for program in programs {
            assert!(program.commands.contains("cargo add lro-runtime"), "{page}: {}", program.code);
            let uses = |name: &str| program.code.contains(&format!("{name}::"));
            for name in ["serde", "serde_json", "smol", "tokio"] {
                let adds = dependencies(program.commands).lines().any(|line| line.starts_with(&format!("{name} = ")));
                assert_eq!(adds, uses(name), "{page}: {name} is added where it is used: {}", program.commands);
            }
        }
    }
}
