//! The live view in a pseudo-terminal, whose output is read as a screen; and Ctrl-C.

#![cfg(target_os = "linux")] // opens pseudo-terminals that no other process inherits
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, missing_docs, reason = "tests may fail")]

mod support;

use std::{
    fs::File,
    io::Read,
    os::fd::{AsFd, OwnedFd},
    process::{Child, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use lro_runtime::{
    Code,
    testing::{Fault, Job, LroServer},
};
use rustix::{
    process::{Pid, Signal, kill_process},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use support::lro;

/// A command that runs in a terminal.
struct Terminal {
    child: Child,
    controller: OwnedFd,
    screen: Arc<Mutex<vt100::Parser>>,
    /// All that was written to the terminal.
    written: Arc<Mutex<Vec<u8>>>,
    reader: Option<thread::JoinHandle<()>>,
}

impl Terminal {
    /// Runs the command in a terminal of this size. Its stderr is the terminal as well.
    fn run(arguments: &[&str], (columns, rows): (u16, u16)) -> Self {
        Self::run_with(arguments, (columns, rows), "xterm-256color")
    }

    fn run_with(arguments: &[&str], (columns, rows): (u16, u16), term: &str) -> Self {
        let (controller, user) = open(columns, rows);
        let child = lro(arguments)
            .env("TERM", term)
            .env_remove("NO_COLOR")
            .stdin(Stdio::from(user.try_clone().unwrap()))
            .stdout(Stdio::from(user.try_clone().unwrap()))
            .stderr(Stdio::from(user))
            .spawn()
            .unwrap();
        let screen = Arc::new(Mutex::new(vt100::Parser::new(rows, columns, 1000)));
        let written = Arc::new(Mutex::new(Vec::new()));
        let (mut from, into, all) =
            (File::from(controller.try_clone().unwrap()), Arc::clone(&screen), Arc::clone(&written));
        // Ends with an error once nobody has the terminal open any longer.
        let reader = thread::spawn(move || {
            let mut chunk = [0; 4096];
            while let Ok(length) = from.read(&mut chunk) {
                into.lock().unwrap().process(&chunk[..length]);
                all.lock().unwrap().extend_from_slice(&chunk[..length]);
            }
        });
        Self { child, controller, screen, written, reader: Some(reader) }
    }

    /// Returns what the terminal shows.
    fn shown(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Waits until the terminal shows what is expected. The time is no expectation, but the end of
    /// a test that would never end.
    fn until(&self, expected: impl Fn(&str) -> bool) -> String {
        let began = Instant::now();
        loop {
            let shown = self.shown();
            if expected(&shown) {
                return shown;
            }
            assert!(began.elapsed() < Duration::from_secs(30), "the terminal shows:\n{shown}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn resize(&self, columns: u16, rows: u16) {
        self.screen.lock().unwrap().screen_mut().set_size(rows, columns);
        set_size(&self.controller, columns, rows);
    }

    fn interrupt(&self) {
        kill_process(Pid::from_child(&self.child), Signal::INT).unwrap();
    }

    /// Waits for the end, and returns the exit code, what the terminal shows, and what was written.
    fn end(mut self) -> (Option<i32>, String, String) {
        let code = self.child.wait().unwrap().code();
        self.reader.take().unwrap().join().unwrap();
        let written = String::from_utf8_lossy(&self.written.lock().unwrap()).into_owned();
        (code, self.shown(), written)
    }
}

/// Opens a terminal: the side of the one who looks at it, and that of the program in it.
fn open(columns: u16, rows: u16) -> (OwnedFd, File) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let name = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    let user = File::options().read(true).write(true).open(name).unwrap();
    set_size(&controller, columns, rows);
    (controller, user)
}

fn set_size(terminal: impl AsFd, columns: u16, rows: u16) {
    tcsetwinsize(terminal, Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 }).unwrap();
}

/// A server with an operation that ends well, one that fails and one that runs on.
fn server() -> (LroServer, String) {
    let server = LroServer::builder().start().unwrap();
    server.add(Job::polls(2).named("operations/cat"));
    server.add(Job::polls(2).fails(Code::DataLoss, "torn\u{1b}[2J").named("operations/cow"));
    server.add(Job::endless().named("operations/elephant"));
    let url = server.url();
    (server, url)
}

const NAMES: [&str; 3] = ["operations/cat", "operations/cow", "operations/elephant"];

fn watch<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["watch", "--base", url, "--interval", "20ms"], &NAMES as &[_], more].concat()
}

#[test]
fn a_table_has_a_line_for_each_operation_and_stays_after_the_end() {
    let (_server, url) = server();
    let terminal = Terminal::run(&watch(&url, &["--timeout", "2s"]), (80, 24));
    let shown = terminal.until(|shown| shown.contains("failed") && shown.contains("succeeded"));
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines[0], "NAME                 STATE       DONE      AGE  MESSAGE", "{shown}");
    assert!(lines[1].starts_with("operations/cat       succeeded  100 %  "), "{shown}");
    assert!(lines[2].starts_with("operations/cow       failed"), "{shown}");
    assert!(lines[2].contains(r"DATA_LOSS: torn\u{1b}[2J"), "{shown}");
    assert!(lines[3].starts_with("operations/elephant  running"), "{shown}");
    let (code, shown, written) = terminal.end();
    assert_eq!(code, Some(3), "{shown}");
    // The table, and then how to go on.
    assert!(shown.starts_with("NAME                 STATE") && shown.contains("to go on: lro wait"), "{shown}");
    assert!(written.contains("\u{1b}[?1049h") && written.contains("\u{1b}[?25h\u{1b}[?1049l"), "{written}");
}

#[test]
fn a_narrow_terminal_shows_names_and_states_without_wrapped_lines() {
    let (_server, url) = server();
    let terminal = Terminal::run(&watch(&url, &[]), (20, 8));
    let shown = terminal.until(|shown| shown.contains("failed") && shown.contains("succeeded"));
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines, ["NAME       STATE", "…ions/cat  succeeded", "…ions/cow  failed", "…elephant  running"]);
    terminal.interrupt();
    assert_eq!(terminal.end().0, Some(130));
}

#[test]
fn a_resize_is_followed() {
    let (_server, url) = server();
    let terminal = Terminal::run(&watch(&url, &[]), (80, 24));
    terminal.until(|shown| shown.contains("failed") && shown.contains("succeeded"));
    terminal.resize(20, 8);
    let shown = terminal.until(|shown| shown.starts_with("NAME       STATE\n…ions/cat  succeeded\n"));
    assert!(shown.lines().count() == 4, "{shown}");
    terminal.resize(60, 3);
    let shown = terminal.until(|shown| shown.contains("… 2 more: "));
    assert!(shown.contains("operations/elephant  running") && shown.contains("1 succeeded, 1 failed"), "{shown}");
    terminal.interrupt();
    assert_eq!(terminal.end().0, Some(130));
}

#[test]
fn of_more_operations_than_lines_those_that_go_on_are_shown() {
    let server = LroServer::builder().start().unwrap();
    let mut names: Vec<String> = (0..30).map(|_| server.add(Job::polls(1))).collect();
    names.push(server.add(Job::endless().named("operations/last")));
    let url = server.url();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let words = [&["watch", "--base", &url, "--interval", "20ms"], &names[..]].concat();
    let terminal = Terminal::run(&words, (80, 10));
    let shown = terminal.until(|shown| shown.contains("23 more: 23 succeeded"));
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines.len() == 10 && lines[1].starts_with("operations/last"), "{shown}");
    terminal.interrupt();
    let (code, shown, _) = terminal.end();
    assert_eq!(code, Some(130), "{shown}");
}

#[test]
fn ctrl_c_cancels_nothing_and_says_how_to_go_on() {
    let (server, url) = server();
    let terminal = Terminal::run(&watch(&url, &[]), (400, 24));
    terminal.until(|shown| shown.contains("elephant  running"));
    terminal.interrupt();
    let (code, shown, _) = terminal.end();
    assert_eq!(code, Some(130), "{shown}");
    // On a slow machine the others may be running still, and are told of before.
    let mut of_elephant = shown.lines().skip_while(|line| !line.contains("lro: operation operations/elephant running"));
    let go_on = of_elephant.find(|line| line.starts_with("lro: to go on: ")).unwrap();
    let words: Vec<&str> = go_on.trim_start_matches("lro: to go on: lro ").split(' ').collect();
    assert!(shown.trim_end().ends_with("lro: interrupted; nothing was cancelled"), "{shown}");
    assert_eq!(server.requests("operations/elephant"), server.polls("operations/elephant"), "no cancel call");
    let resumed = support::ran(&[&words[..], &["--timeout", "50ms"]].concat());
    assert!(resumed.code == Some(3) && resumed.stdout.contains("operations/elephant"), "{resumed:?}");
}

#[test]
fn ctrl_c_ends_a_wait_whose_poll_is_not_answered() {
    let server = LroServer::builder().start().unwrap();
    let name = server.add(Job::endless().fault(1, Fault::Stall));
    let child = lro(&["wait", "--base", &server.url(), &name]).stderr(Stdio::piped()).stdout(Stdio::null()).spawn();
    let child = child.unwrap();
    while server.polls(&name) == 0 {
        thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let output = child.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(130), "{stderr}");
    assert!(stderr.contains(&name) && stderr.contains(" lro1-"), "{stderr}");
}

#[test]
fn a_table_shows_no_state_before_the_first_reply() {
    let server = LroServer::builder().start().unwrap();
    let name = server.add(Job::endless().fault(1, Fault::Status(500)).fault(2, Fault::Stall));
    let url = server.url();
    let terminal = Terminal::run(&["watch", "--base", &url, &name, "--interval", "20ms"], (100, 24));
    let shown = terminal.until(|shown| shown.contains("HTTP 500"));
    assert!(shown.lines().nth(1).unwrap().starts_with("operations/1  -      "), "{shown}");
    terminal.interrupt();
    let (code, shown, _) = terminal.end();
    assert!(code == Some(130) && !shown.contains("pending"), "{shown}");
}

#[test]
fn a_line_of_the_table_begins_its_message_with_the_cause() {
    let server = LroServer::builder().start().unwrap();
    let url = server.url();
    let terminal = Terminal::run(&["watch", "--base", &url, "operations/nope"], (80, 24));
    let (code, shown, _) = terminal.end();
    let line = shown.lines().nth(1).unwrap();
    assert_eq!(code, Some(5), "{shown}");
    assert!(line.starts_with("operations/nope  -") && line.contains("  HTTP 404: "), "{shown}");
}

#[test]
fn a_failed_poll_is_shown_while_the_wait_goes_on() {
    let server = LroServer::builder().start().unwrap();
    let name = server.add((1..2000).fold(Job::endless(), |job, poll| job.fault(poll, Fault::Status(500))));
    let url = server.url();
    let terminal = Terminal::run(&["watch", "--base", &url, &name, "--interval", "20ms"], (100, 24));
    terminal.until(|shown| shown.contains("failed: HTTP 500"));
    terminal.interrupt();
    assert_eq!(terminal.end().0, Some(130));
}

#[test]
fn a_terminal_that_cannot_be_drawn_on_gets_lines() {
    let server = LroServer::builder().start().unwrap();
    let (name, url) = (server.add(Job::polls(1)), server.url());
    let (code, shown, written) = Terminal::run_with(&["watch", "--base", &url, &name], (80, 24), "dumb").end();
    assert_eq!((code, shown.as_str()), (Some(0), "operations/1 succeeded"));
    assert!(!written.contains('\u{1b}'), "{written}");
    // What is told of requests would be written into a table.
    let name = server.add(Job::polls(1));
    let (code, _, written) = Terminal::run(&["watch", "-v", "--base", &url, &name], (80, 24)).end();
    assert!(code == Some(0) && written.contains("lro: GET /v1/") && !written.contains('\u{1b}'), "{written}");
}

#[test]
fn a_terminal_that_is_closed_ends_the_command_without_a_panic() {
    let (_server, url) = server();
    let (controller, user) = open(80, 24);
    let mut child =
        lro(&watch(&url, &[])).env("TERM", "xterm").stdout(Stdio::from(user)).stderr(Stdio::piped()).spawn().unwrap();
    File::from(controller.try_clone().unwrap()).read_exact(&mut [0; 100]).unwrap();
    drop(controller);
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(6), "{stderr}");
    assert!(stderr.contains("cannot write to stdout") && !stderr.contains("panicked"), "{stderr}");
    assert!(NAMES.iter().all(|name| stderr.contains(name)) && stderr.contains(" lro1-"), "{stderr}");
    // The system tells a program whose terminal is closed by a signal as well.
    let mut terminal = Terminal::run(&watch(&url, &[]), (80, 24));
    terminal.until(|shown| shown.contains("running"));
    kill_process(Pid::from_child(&terminal.child), Signal::HUP).unwrap();
    assert_eq!(terminal.child.wait().unwrap().code(), Some(130));
}
