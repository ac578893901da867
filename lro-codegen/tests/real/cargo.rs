//! A crate of generated modules, checked as strictly as its author might.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Mutex, PoisonError},
};

/// A crate in a folder of its own, with each of these modules.
pub(crate) struct Crate(PathBuf);

impl Crate {
    pub(crate) fn new(name: &str, modules: &[(String, String)]) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real").join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(folder.join("src")).unwrap();
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2024\"\n\n[workspace]\n\n[dependencies]\n\
             lro-runtime = {{ path = \"{}\", features = [\"grpc\", \"wire\"] }}\n\
             serde = {{ version = \"1\", features = [\"derive\"] }}\nserde_json = \"1\"\n\n\
             [lints.rust]\nmissing_docs = \"warn\"\nunreachable_pub = \"warn\"\n\n\
             [lints.clippy]\npedantic = {{ level = \"warn\", priority = -1 }}\n",
            root.join("lro-runtime").display()
        );
        fs::write(folder.join("Cargo.toml"), manifest).unwrap();
        fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
        let mut lib = "//! Generated modules.\n".to_owned();
        for (module, code) in modules {
            lib.extend(["\n/// Generated.\npub mod ", module, ";\n"]);
            fs::write(folder.join("src").join(format!("{module}.rs")), code).unwrap();
        }
        fs::write(folder.join("src/lib.rs"), lib).unwrap();
        Self(folder)
    }

    /// Fails with all that rustc, clippy with its pedantic lints, and rustdoc say, if they say
    /// anything.
    pub(crate) fn has_no_warning(&self) {
        // The crates share a folder of builds, in which cargo works for one of them at a time.
        static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
        let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
        for (arguments, flags) in
            [(&["clippy", "--", "-D", "warnings"][..], ""), (&["doc", "--no-deps"], "-D warnings")]
        {
            let output = self.cargo(arguments, flags);
            assert!(
                output.status.success(),
                "{arguments:?} in {}:\n{}",
                self.0.display(),
                String::from_utf8_lossy(&output.stderr)
            );
        }
        // Nobody reads the pages, which take hundreds of megabytes.
        let _ = fs::remove_dir_all(self.target().join("doc"));
    }

    /// Adds a program.
    pub(crate) fn has_main(&self, code: &str) {
        fs::write(self.0.join("src/main.rs"), code).unwrap();
    }

    fn target(&self) -> PathBuf {
        self.0.with_file_name("target")
    }

    pub(crate) fn cargo(&self, arguments: &[&str], rustdoc_flags: &str) -> Output {
        let mut command = Command::new(env!("CARGO"));
        command.current_dir(&self.0).env("CARGO_TARGET_DIR", self.target());
        command.env("RUSTDOCFLAGS", rustdoc_flags).env_remove("RUSTFLAGS").args(arguments).output().unwrap()
    }
}
