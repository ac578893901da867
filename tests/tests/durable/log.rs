//! What the processes write down beside the store: plain lines at the end of a file, each by one
//! call, so that a killed process leaves all of them.

use std::{
    collections::HashSet,
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use lro_runtime::fleet::{Recovered, Ticket};

use crate::scratch::Scratch;

const WORDS: &str = "log";
const NOTES: &str = "notes";

pub(crate) struct Log(File);

impl Log {
    pub(crate) fn new(folder: &Path) -> Self {
        Self::open(folder, WORDS)
    }

    /// The log of notes.
    pub(crate) fn notes(folder: &Path) -> Self {
        Self::open(folder, NOTES)
    }

    fn open(folder: &Path, name: &str) -> Self {
        Self(OpenOptions::new().create(true).append(true).open(folder.join(name)).unwrap())
    }

    fn line(&self, line: &str) {
        (&self.0).write_all(format!("{line}\n").as_bytes()).unwrap();
    }

    pub(crate) fn began(&self, recovered: &Recovered) {
        let Recovered { waiting, ended, starting, unknown, unbound, .. } = recovered;
        assert!(unbound.is_empty());
        self.line(&format!("began {waiting}+{ended}+{starting}+{unknown}"));
    }

    pub(crate) fn has_ticket(&self, key: usize, ticket: Ticket) {
        self.line(&format!("ticket {key} {}", u64::from(ticket)));
    }

    /// To be called before the acknowledgement.
    pub(crate) fn told(&self, key: usize, outcome: &str) {
        self.line(&format!("told {key} {}", outcome.replace('\n', " ")));
    }

    /// To be called after the acknowledgement.
    pub(crate) fn acked(&self, key: usize) {
        self.line(&format!("acked {key}"));
    }

    pub(crate) fn is_unknown(&self, key: usize, ticket: Ticket) {
        self.line(&format!("unknown {key} {}", u64::from(ticket)));
    }

    pub(crate) fn noted(&self, places: impl Iterator<Item = u32>) {
        let at = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros();
        let places: Vec<String> = places.map(|place| place.to_string()).collect();
        self.line(&format!("{at} {}", places.join(" ")));
    }
}

/// What one process wrote down.
#[derive(Default)]
pub(crate) struct Life {
    /// How many operations it found that wait, have ended, were being started, and are unknown.
    pub(crate) recovered: String,
    pub(crate) tickets: Vec<(usize, u64)>,
    pub(crate) told: Vec<Told>,
    pub(crate) acked: Vec<usize>,
    /// The tickets of starts that were never sent.
    pub(crate) unknown: Vec<u64>,
}

#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) key: usize,
    pub(crate) outcome: String,
}

impl Life {
    pub(crate) fn ticket_of(&self, key: usize) -> Option<u64> {
        self.tickets.iter().find(|(known, _)| *known == key).map(|(_, ticket)| *ticket)
    }
}

/// Reads what the processes of a test have written down.
pub(crate) fn read(folder: &Scratch) -> Vec<Life> {
    lives(&folder.join(""))
}

pub(crate) fn lives(folder: &Path) -> Vec<Life> {
    let text = fs::read_to_string(folder.join(WORDS)).unwrap_or_default();
    let mut lives: Vec<Life> = Vec::new();
    for line in text.lines() {
        let (word, rest) = line.split_once(' ').unwrap();
        let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
        if word == "began" {
            lives.push(Life { recovered: rest.to_owned(), ..Life::default() });
            continue;
        }
        let (life, key) = (lives.last_mut().unwrap(), first.parse().unwrap());
        match word {
            "ticket" => life.tickets.push((key, second.parse().unwrap())),
            "told" => life.told.push(Told { key, outcome: second.to_owned() }),
            "acked" => life.acked.push(key),
            "unknown" => life.unknown.push(second.parse().unwrap()),
            _ => panic!("{line}"),
        }
    }
    let unknown: HashSet<u64> = lives.iter().flat_map(|life| life.unknown.clone()).collect();
    for life in &mut lives {
        life.tickets.retain(|(_, ticket)| !unknown.contains(ticket));
    }
    lives
}

/// Reads which places were noted, and when.
pub(crate) fn notes(folder: &Scratch) -> Vec<(SystemTime, u32)> {
    let text = fs::read_to_string(folder.join(NOTES)).unwrap_or_default();
    let mut notes = Vec::new();
    for line in text.lines() {
        let mut numbers = line.split(' ').map(|number| number.parse::<u64>().unwrap());
        let at = UNIX_EPOCH + Duration::from_micros(numbers.next().unwrap());
        notes.extend(numbers.map(|place| (at, u32::try_from(place).unwrap())));
    }
    notes
}
