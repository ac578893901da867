//! What a newcomer does first: what the front pages and the book's first page show is built in a
//! crate of its own, with what the page says to add and nothing else, and prints what the page
//! says.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may fail")]

use std::{
    env,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

const WORKSPACE: &str = include_str!("../../Cargo.toml");
/// The front pages, and how many programs each has.
const PAGES: [(&str, &str, usize); 2] = [
    ("README.md", include_str!("../../README.md"), 2),
    ("lro-runtime/README.md", include_str!("../../lro-runtime/README.md"), 1),
];
const FIRST_STEPS: &str = include_str!("../../docs/book/first-steps.md");

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

/// Returns the code of a page that is shown: without the lines that a reader does not see.
fn shown(code: &str) -> String {
    let lines = code.lines().filter(|line| !line.starts_with("# ") && *line != "#");
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Returns the version of a crate that the workspace asks for.
fn version(name: &str) -> &'static str {
    let line = WORKSPACE.lines().find(|line| line.starts_with(&format!("{name} = "))).unwrap();
    line.split('"').nth(1).unwrap()
}

/// Returns the dependencies that `cargo add` would write, with the library from this repository.
fn dependencies(commands: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let (mut normal, mut dev) = (String::new(), String::new());
    for words in commands.lines().filter_map(|line| line.strip_prefix("cargo add ")) {
        let words: Vec<&str> = words.split(' ').collect();
        let is_default = !words.contains(&"--no-default-features");
        let listed = words.iter().skip_while(|word| **word != "--features").nth(1);
        let features: Vec<&str> = listed.map(|names| names.split(',').collect()).unwrap_or_default();
        let names = words.iter().skip_while(|word| **word == "--dev").take_while(|word| !word.starts_with("--"));
        for name in names {
            let from = match *name {
                "lro-runtime" => format!("path = \"{}\"", root.join("lro-runtime").display()),
                name => format!("version = {:?}", version(name)),
            };
            let into = if words.contains(&"--dev") { &mut dev } else { &mut normal };
            writeln!(into, "{name} = {{ {from}, default-features = {is_default}, features = {features:?} }}").unwrap();
        }
    }
    format!("[dependencies]\n{normal}\n[dev-dependencies]\n{dev}")
}

/// A crate of its own, as `cargo new` and `cargo add` make it.
struct Package {
    folder: PathBuf,
    target: PathBuf,
}

impl Package {
    fn new(name: &str, commands: &str) -> Self {
        let scratch = Path::new(env!("CARGO_TARGET_TMPDIR")).join("first-contact");
        let (folder, target) = (scratch.join(name), scratch.join("target"));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        let manifest =
            format!("[package]\nname = {name:?}\nedition = \"2024\"\n\n{}\n[workspace]\n", dependencies(commands));
        let package = Self { folder, target };
        package.write("Cargo.toml", &manifest);
        // The versions that are tested are those of the workspace, which are here already.
        package.write("Cargo.lock", include_str!("../../Cargo.lock"));
        package
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Runs cargo, and returns what it prints. A warning is a failure.
    fn cargo(&self, words: &str) -> String {
        let output = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["--offline", "--quiet"].into_iter().chain(words.split(' ')))
            .current_dir(&self.folder)
            .env("CARGO_TARGET_DIR", &self.target)
            .output()
            .unwrap();
        let (said, printed) = (String::from_utf8_lossy(&output.stderr), String::from_utf8_lossy(&output.stdout));
        assert!(output.status.success() && said.is_empty(), "cargo {words}: {said}{printed}");
        printed.into_owned()
    }
}

#[test]
#[ignore = "compiles programs and all that they depend on, which takes a minute or two"]
fn every_program_of_a_front_page_is_built_from_what_its_page_says_to_add() {
    for (page, text, _) in PAGES {
        for (number, program) in (1..).zip(programs(text)) {
            let name = format!("{}-{number}", page.to_lowercase().replace(['/', '.'], "-"));
            let package = Package::new(&name, program.commands);
            package.write("src/main.rs", program.code);
            assert_eq!(package.cargo("run").trim(), program.prints.trim(), "{page}, program {number}");
        }
    }
}

#[test]
#[ignore = "compiles a crate and all that it depends on, which takes a minute"]
fn the_first_steps_lead_from_nothing_to_a_program_and_a_test() {
    let blocks = blocks(FIRST_STEPS);
    let package = Package::new("image-sdk", blocks.iter().find(|(language, _)| *language == "sh").unwrap().1);
    for code in blocks.iter().filter(|(language, _)| *language == "rust").map(|(_, code)| shown(code)) {
        // The last one is a part of a program.
        if let Some(path) = code.lines().next().unwrap().strip_prefix("// ") {
            package.write(path, &code);
        }
    }
    let printed: Vec<&str> =
        blocks.iter().filter(|(language, _)| *language == "text").map(|(_, text)| text.trim()).collect();
    let [program, tests] = printed[..] else { panic!("{printed:?}") };
    assert_eq!(package.cargo("run --example export").trim(), program);
    let said = package.cargo("test --test export -- --format=pretty --test-threads=1");
    let passed: Vec<&str> = said.lines().filter(|line| line.starts_with("test ") && line.ends_with("ok")).collect();
    assert_eq!(passed, tests.lines().collect::<Vec<_>>());
}

#[test]
fn every_program_of_a_front_page_says_what_to_add_and_what_it_prints() {
    for (page, text, count) in PAGES {
        let programs = programs(text);
        assert_eq!(programs.len(), count, "{page}: each program has its `cargo add` above it and its output below");
        for program in programs {
            assert!(program.commands.contains("cargo add lro-runtime"), "{page}: {}", program.code);
            for name in ["serde", "serde_json", "smol", "tokio"] {
                let adds = dependencies(program.commands).lines().any(|line| line.starts_with(&format!("{name} = ")));
                let uses = program.code.contains(&format!("{name}::"));
                assert_eq!(adds, uses, "{page}: {name} is added where it is used: {}", program.commands);
            }
        }
    }
}
