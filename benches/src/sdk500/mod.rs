//! Measures what an SDK of 500 methods pays for its operations, in compile time and machine code.
//!
//! The same SDK is written in several ways. Most figures are differences to the SDK without
//! operations.

use std::{
    env,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::SystemTime,
};

use crate::report::Subject;

mod source;

/// The ways in which an SDK writes its operations and a program uses them.
const VARIANTS: &[&str] = &["base", "hand", "ours", "ours-progress"];

/// Writes, compiles and measures SDKs with this many methods.
pub fn run(methods: usize) -> Result<(), Box<dyn Error>> {
    let at = target().join(format!("sdk{methods}"));
    source::write(&at, methods)?;
    let mut base = None;
    for variant in VARIANTS {
        let figures = measure(&at, variant)?;
        let subject = Subject { bench: "sdk500", variant };
        let base = *base.get_or_insert(figures);
        subject.print("text", figures.text, "bytes");
        if *variant != "base" {
            let over = |of: fn(&Figures) -> f64| of(&figures) - of(&base);
            subject.print("check-over-base", over(|figures| figures.check), "CPU-s");
            subject.print("release-library-over-base", over(|figures| figures.library), "CPU-s");
            subject.print("release-program-over-base", over(|figures| figures.program), "CPU-s");
            subject.print("text-over-base", over(|figures| figures.text) / methods as f64, "bytes/method");
        } else {
            subject.print("check", figures.check, "CPU-s");
            subject.print("release-library", figures.library, "CPU-s");
            subject.print("release-program", figures.program, "CPU-s");
        }
    }
    Ok(())
}

/// The figures of one variant: processor seconds, and bytes of machine code.
#[derive(Clone, Copy)]
struct Figures {
    check: f64,
    library: f64,
    program: f64,
    text: f64,
}

fn measure(at: &Path, variant: &str) -> Result<Figures, Box<dyn Error>> {
    let library = variant.strip_suffix("-progress").unwrap_or(variant);
    let (sdk, program) = (format!("sdk-{library}"), format!("use-{variant}"));
    // Builds the dependencies first, so that only the SDK's own cost is counted.
    cargo(at, &["check", "-p", &sdk])?;
    cargo(at, &["build", "--release", "-p", &sdk])?;
    Ok(Figures {
        check: again(at, &sdk, "lib.rs", 3, &["check", "-p", &sdk])?,
        library: again(at, &sdk, "lib.rs", 2, &["build", "--release", "-p", &sdk])?,
        program: again(at, &program, "main.rs", 1, &["build", "--release", "-p", &program])?,
        text: text(&at.join("target/release").join(program))?,
    })
}

/// Returns the least of several runs. Touches the package's root file before each, so that cargo
/// builds the package again.
fn again(at: &Path, package: &str, root: &str, times: usize, arguments: &[&str]) -> Result<f64, Box<dyn Error>> {
    let root = at.join(package).join("src").join(root);
    let mut least = f64::INFINITY;
    for _ in 0..times {
        fs::File::options().append(true).open(&root)?.set_modified(SystemTime::now())?;
        least = least.min(cargo(at, arguments)?);
    }
    Ok(least)
}

/// Runs cargo, and returns the processor seconds that it and its children took.
fn cargo(at: &Path, arguments: &[&str]) -> Result<f64, Box<dyn Error>> {
    let before = children()?;
    let status = Command::new("cargo")
        .args(arguments)
        .args(["--quiet", "--target-dir"])
        .arg(at.join("target"))
        .env("CARGO_INCREMENTAL", "0")
        .env_remove("CARGO_TARGET_DIR")
        .current_dir(at)
        .stdin(Stdio::null())
        .status()?;
    if status.success() { Ok(children()? - before) } else { Err(format!("cargo {arguments:?} failed").into()) }
}

/// Returns the processor seconds of all children that have ended.
fn children() -> Result<f64, Box<dyn Error>> {
    // `cutime` and `cstime` of proc(5), in ticks. Linux reports 100 ticks per second on every
    // common architecture.
    const TICKS_PER_SECOND: f64 = 100.0;
    let stat = fs::read_to_string("/proc/self/stat")?;
    // The program's name, in parentheses, may contain spaces: the fields are counted after it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |at: usize| fields.get(at).copied().unwrap_or_default().parse::<f64>();
    Ok((field(13)? + field(14)?) / TICKS_PER_SECOND)
}

/// Returns the size of a program's machine code, in bytes.
fn text(program: &Path) -> Result<f64, Box<dyn Error>> {
    let output = Command::new("size").args(["-A", "-d"]).arg(program).output()?;
    let sections = String::from_utf8(output.stdout)?;
    let line = sections.lines().find(|line| line.starts_with(".text")).ok_or("no .text")?;
    Ok(line.split_whitespace().nth(1).ok_or("no size")?.parse()?)
}

/// Returns the target directory of this program.
fn target() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map(Path::to_path_buf).unwrap_or_else(env::temp_dir)
}
