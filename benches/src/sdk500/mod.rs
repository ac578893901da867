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

/// The ways in which an SDK writes its operations and a program uses them. The first is without
/// operations.
const VARIANTS: [&str; 4] = ["base", "ours", "hand", "ours-progress"];

/// The peer, whose dependencies take minutes: measured if `PEERS` is set.
const PEER: &str = "google";

/// Writes, compiles and measures SDKs with this many methods. Prints each figure as it is taken:
/// with 500 methods the whole takes the better part of an hour.
pub fn run(methods: usize) -> Result<(), Box<dyn Error>> {
    let peer = env::var_os("PEERS").map(|_| PEER);
    let variants: Vec<&str> = VARIANTS.into_iter().chain(peer).collect();
    let target = target().join(format!("sdk{methods}"));
    // The machine code of one method, so that what all methods share can be told apart.
    let one = Sdks::write(&target, &variants, 1)?;
    let many = Sdks::write(&target, &variants, methods)?;
    let mut base = None;
    for variant in variants {
        let figures = measure(Subject { bench: "sdk500", variant }, &many, &one, base.as_ref())?;
        base.get_or_insert(figures);
    }
    Ok(())
}

/// The figures of the SDK without operations, by their names.
type Figures = Vec<(&'static str, f64)>;

/// Measures one variant. Prints each figure, and by how much it is over that of `base`.
fn measure(subject: Subject<'_>, many: &Sdks, one: &Sdks, base: Option<&Figures>) -> Result<Figures, Box<dyn Error>> {
    let mut figures = Figures::new();
    let mut print = |metric, value, unit| {
        subject.print(metric, value, unit);
        let of_base = base.and_then(|base| base.iter().find(|figure| figure.0 == metric));
        if let Some((_, of_base)) = of_base {
            subject.print(&format!("{metric}-over-base"), value - of_base, unit);
        }
        figures.push((metric, value));
    };
    let library = subject.variant.strip_suffix("-progress");
    let sdk = format!("sdk-{}", library.unwrap_or(subject.variant));
    let program = format!("use-{}", subject.variant);
    // The program with one method brings the dependencies, so that only the SDK's own cost is
    // counted below.
    one.touch(&sdk, "lib.rs")?;
    one.touch(&program, "main.rs")?;
    one.cargo(&["check", "-p", &sdk])?;
    one.cargo(&["build", "--release", "-p", &program])?;
    let of_one = one.text(&program)?;
    many.touch(&sdk, "lib.rs")?;
    // A library that was measured already is only built.
    if library.is_some() {
        many.cargo(&["build", "--release", "-p", &sdk])?;
    } else {
        print("check", many.again(&sdk, "lib.rs", &["check", "-p", &sdk])?, "CPU-s");
        print("release-library", many.again(&sdk, "lib.rs", &["build", "--release", "-p", &sdk])?, "CPU-s");
    }
    print("release-program", many.again(&program, "main.rs", &["build", "--release", "-p", &program])?, "CPU-s");
    let text = many.text(&program)?;
    print("text", text, "bytes");
    print("text-per-method", text / many.methods as f64, "bytes");
    print("text-per-further-method", (text - of_one) / many.methods.saturating_sub(1).max(1) as f64, "bytes");
    Ok(figures)
}

/// A workspace with SDKs of some number of methods.
struct Sdks {
    at: PathBuf,
    /// Where it is built, with its dependencies.
    target: PathBuf,
    methods: usize,
}

impl Sdks {
    fn write(target: &Path, variants: &[&str], methods: usize) -> Result<Self, Box<dyn Error>> {
        let at = target.join(format!("of-{methods}"));
        source::write(&at, variants, methods)?;
        Ok(Self { at, target: target.join("target"), methods })
    }

    /// Touches the package's root file, so that cargo builds the package again.
    fn touch(&self, package: &str, root: &str) -> Result<(), Box<dyn Error>> {
        let root = self.at.join(package).join("src").join(root);
        Ok(fs::File::options().append(true).open(&root)?.set_modified(SystemTime::now())?)
    }

    /// Returns the least of several runs of cargo, which build the package again. One run where it
    /// takes long: what disturbs it weighs little then.
    fn again(&self, package: &str, root: &str, arguments: &[&str]) -> Result<f64, Box<dyn Error>> {
        let times = if self.methods < 100 { 3 } else { 1 };
        let mut least = f64::INFINITY;
        for _ in 0..times {
            self.touch(package, root)?;
            least = least.min(self.cargo(arguments)?);
        }
        Ok(least)
    }

    /// Runs cargo, and returns the processor seconds that it and its children took.
    fn cargo(&self, arguments: &[&str]) -> Result<f64, Box<dyn Error>> {
        let before = children()?;
        let status = Command::new("cargo")
            .args(arguments)
            .args(["--quiet", "--target-dir"])
            .arg(&self.target)
            .env("CARGO_INCREMENTAL", "0")
            .env_remove("CARGO_TARGET_DIR")
            .current_dir(&self.at)
            .stdin(Stdio::null())
            .status()?;
        if status.success() { Ok(children()? - before) } else { Err(format!("cargo {arguments:?} failed").into()) }
    }

    /// Returns the size of a program's machine code, in bytes.
    fn text(&self, program: &str) -> Result<f64, Box<dyn Error>> {
        let program = self.target.join("release").join(program);
        let output = Command::new("size").args(["-A", "-d"]).arg(program).output()?;
        let sections = String::from_utf8(output.stdout)?;
        let line = sections.lines().find(|line| line.starts_with(".text")).ok_or("no .text")?;
        Ok(line.split_whitespace().nth(1).ok_or("no size")?.parse()?)
    }
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

/// Returns the target directory of this program.
fn target() -> PathBuf {
    let program = env::current_exe().unwrap_or_default();
    program.ancestors().nth(2).map(PathBuf::from).unwrap_or_else(env::temp_dir)
}
