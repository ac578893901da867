//! The service: it remembers start ids, and when it was asked what.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use lro_runtime::{
    Code, StartIdIn,
    testing::{Fault, Job, LroServer},
};
use serde_json::{Value, json};

/// Where start calls have their start id.
pub(crate) const PLACE: StartIdIn = StartIdIn::Header("Idempotency-Key");

/// A look at an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Look {
    pub(crate) at: SystemTime,
    /// Which poll it was; 0 is a start call. Polls after the last have its number.
    pub(crate) number: u32,
    pub(crate) is_last: bool,
}

/// What the service has seen of each operation, by its number.
#[derive(Default)]
struct Seen {
    /// How often each was started.
    starts: Vec<usize>,
    looks: Vec<Vec<Look>>,
    refused: HashMap<usize, usize>,
}

pub(crate) struct Service {
    server: LroServer,
    seen: Arc<Mutex<Seen>>,
}

/// Returns how many polls this operation takes.
pub(crate) fn polls_of(key: usize) -> u32 {
    [3, 4, 5, 6][key % 4]
}

impl Service {
    pub(crate) fn start(operations: usize) -> Self {
        let seen = Seen { starts: vec![0; operations], looks: vec![Vec::new(); operations], refused: HashMap::new() };
        let seen = Arc::new(Mutex::new(seen));
        let job = {
            let seen = Arc::clone(&seen);
            move |request: &Value| job(&seen, request)
        };
        let server = LroServer::builder().on("v1/exports", job).start_id_in(PLACE).start().unwrap();
        Self { server, seen }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    /// Returns how often each operation was started.
    pub(crate) fn starts(&self) -> Vec<usize> {
        self.seen.lock().unwrap().starts.clone()
    }

    /// Returns how many operations there are.
    pub(crate) fn started(&self) -> usize {
        self.starts().iter().filter(|count| **count > 0).count()
    }

    /// Returns how many operations the server says that it has started.
    pub(crate) fn operations_started(&self) -> usize {
        usize::try_from(self.server.started()).unwrap()
    }

    pub(crate) fn polls(&self) -> usize {
        self.seen().iter().flatten().filter(|look| look.number > 0).count()
    }

    /// Returns all looks at each operation.
    pub(crate) fn seen(&self) -> Vec<Vec<Look>> {
        self.seen.lock().unwrap().looks.clone()
    }

    pub(crate) fn counts(&self) -> String {
        let needed: u32 = (0..self.starts().len()).map(polls_of).sum();
        let starts = self.seen().iter().flatten().filter(|look| look.number == 0).count();
        let refused: usize = self.seen.lock().unwrap().refused.values().sum();
        format!(
            "{} operations started by {starts} start calls and {refused} that were refused, {} polls where {needed} \
             are needed",
            self.operations_started(),
            self.polls(),
        )
    }
}

/// The job of a start call. Replies take a while, so that a kill finds calls under way; those to
/// some start calls are lost, and some start calls are refused at first.
fn job(seen: &Arc<Mutex<Seen>>, request: &Value) -> Job {
    let key = usize::try_from(request["key"].as_u64().unwrap()).unwrap();
    {
        let mut seen = seen.lock().unwrap();
        if key % 10 == 3 && !seen.refused.contains_key(&key) {
            seen.refused.insert(key, 1);
            return Job::refused(Code::Unavailable, "come back later");
        }
        seen.starts[key] += 1;
    }
    let polls = polls_of(key);
    let looks = Arc::clone(seen);
    let mut job = Job::polls(polls)
        // No list shows what has such a name: every look is a poll.
        .named(format!("exports/{key}"))
        .responds(json!({ "key": key }))
        .metadata(move |done| {
            // The share that is done is that of the polls.
            let number = (0..=polls).find(|n| done * f64::from(polls) < f64::from(*n) + 0.5).unwrap_or(polls);
            let look = Look { at: SystemTime::now(), number, is_last: number == polls };
            looks.lock().unwrap().looks[key].push(look);
            json!({})
        });
    for poll in 1..=polls {
        job = job.fault(poll, Fault::Latency(Duration::from_millis(20)));
    }
    job.fault(
        0,
        match key % 10 {
            7 => Fault::Reset,
            8 => Fault::Close,
            9 => Fault::HalfBody,
            _ => Fault::Latency(Duration::from_millis(20)),
        },
    )
}
