//! The command's output. A pipe that is closed and a disk that is full are no reasons to panic.

use std::{
    fmt,
    io::{self, Write},
    sync::{Mutex, PoisonError},
};

/// The secrets that no output may show. The library shows none of its own, but a service may repeat
/// what it was sent.
static SECRETS: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// The shortest secret that is looked for: a shorter one is in text by chance.
const SHORTEST: usize = 8;

/// Hides a secret in all that is written from now on.
pub fn hide(secret: &str) {
    let mut secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    if secret.len() >= SHORTEST && !secrets.iter().any(|known| known == secret) {
        secrets.push(secret.to_owned());
    }
}

/// Returns the text without the secrets.
fn without_secrets(text: &str) -> String {
    let secrets = SECRETS.lock().unwrap_or_else(PoisonError::into_inner);
    secrets.iter().fold(text.to_owned(), |text, secret| text.replace(secret, "…"))
}

/// Writes to stdout, line by line.
pub struct Out(io::Stdout);

/// Why what was to be written is lost.
#[derive(Debug)]
pub struct Lost(io::Error);

impl Out {
    /// Returns the output of the command.
    pub fn stdout() -> Self {
        Self(io::stdout())
    }

    /// Writes text and a line end, and passes them on at once: a reader may wait for them.
    pub fn text(&self, text: &str) -> Result<(), Lost> {
        self.raw(&format!("{text}\n"))
    }

    /// Writes text as it is, and passes it on at once.
    pub fn raw(&self, text: &str) -> Result<(), Lost> {
        let text = without_secrets(text);
        let mut stdout = self.0.lock();
        stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()).map_err(Lost)
    }
}

impl fmt::Display for Lost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.kind() {
            io::ErrorKind::BrokenPipe => f.write_str("stdout was closed before all was written to it"),
            _ => write!(f, "cannot write to stdout: {}", self.0),
        }
    }
}

/// Tells the user something that is not output: on stderr, on a line of its own.
pub fn tell(message: &str) {
    // Nobody is left to be told if this fails.
    let _ = writeln!(io::stderr().lock(), "lro: {}", without_secrets(message));
}

/// Writes to stderr what has a form of its own: what clap says about the arguments, and lines that
/// begin with a place in a file.
pub fn tell_as_it_is(message: &str) {
    // Nobody is left to be told if this fails.
    let _ = write!(io::stderr().lock(), "{}", without_secrets(message));
}
