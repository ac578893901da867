//! Runs the command as a process.

#![allow(dead_code, reason = "each test uses a part of it")]

use std::{
    io::{Read, Write},
    net::TcpListener,
    path::PathBuf,
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    thread,
};

use serde_json::Value;

/// How a run has ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ran {
    /// Returns the objects of `--json`, one of each line.
    pub fn objects(&self) -> Vec<Value> {
        self.stdout.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"))).collect()
    }
}

/// Returns the command, with these arguments and without what the environment may say.
pub fn lro(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lro"));
    command.args(arguments).env_remove("LRO_BASE").env_remove("LRO_DIALECT").stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub fn run(mut command: Command) -> Ran {
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Runs the command with these arguments.
pub fn ran(arguments: &[&str]) -> Ran {
    run(lro(arguments))
}

/// Runs the command with these arguments and this text on stdin.
pub fn ran_with_stdin(arguments: &[&str], stdin: &str) -> Ran {
    let mut child = lro(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Returns the path of a new file with this text, which only its owner can read.
pub fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", std::process::id()));
    std::fs::write(&path, text).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    path
}

/// A server on loopback that answers each request with the next of these replies, and the last one
/// again and again.
pub struct Stub {
    pub url: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Stub {
    pub fn new(replies: &[(&str, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::default();
        let (kept, replies) = (Arc::clone(&requests), owned(replies));
        thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                serve(stream.unwrap(), &replies, index, &kept);
            }
        });
        Self { url, requests }
    }

    /// Answers so on a unix socket.
    #[cfg(unix)]
    pub fn on_socket(path: &std::path::Path, replies: &[(&str, &str)]) -> Self {
        let _ = std::fs::remove_file(path);
        let listener = std::os::unix::net::UnixListener::bind(path).unwrap();
        let requests = Arc::default();
        let (kept, replies) = (Arc::clone(&requests), owned(replies));
        thread::spawn(move || {
            for (index, stream) in listener.incoming().enumerate() {
                serve(stream.unwrap(), &replies, index, &kept);
            }
        });
        Self { url: String::new(), requests }
    }

    /// Returns the requests so far, as they were sent.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn owned(replies: &[(&str, &str)]) -> Vec<(String, String)> {
    replies.iter().map(|(head, body)| ((*head).to_owned(), (*body).to_owned())).collect()
}

/// Answers one request and closes the connection. A head is the status line and further headers.
fn serve(mut stream: impl Read + Write, replies: &[(String, String)], index: usize, requests: &Mutex<Vec<String>>) {
    let (mut request, mut chunk) = (Vec::new(), [0; 4096]);
    while !request.windows(4).any(|bytes| bytes == b"\r\n\r\n") {
        match stream.read(&mut chunk) {
            Ok(length) if length > 0 => request.extend_from_slice(&chunk[..length]),
            _ => return,
        }
    }
    requests.lock().unwrap().push(String::from_utf8_lossy(&request).into_owned());
    let (head, body) = replies.get(index).or(replies.last()).unwrap();
    let length = body.len();
    let _ = write!(stream, "HTTP/1.1 {head}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
}
