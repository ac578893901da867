//! A fleet whose process is killed, again and again: what was started is started once, everything
//! is told, nothing that was acknowledged comes again, and nothing is polled early that was noted.
//!
//! The service is in the process of the test, and counts. The fleet is in a process that the test
//! starts: this program, for the same test alone. It has a store in a file.

#![cfg(unix)] // a process is killed by a signal that it cannot see coming
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]

mod child;
mod log;
#[path = "../support/scratch.rs"]
mod scratch;
mod service;

use std::{
    env,
    os::unix::process::ExitStatusExt,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant, SystemTime},
};

use self::{
    log::{Life, Told},
    scratch::Scratch,
    service::Service,
};

/// What is started, and how.
#[derive(Clone, Copy)]
struct Load {
    operations: usize,
    /// Between two polls of an operation.
    delay: Duration,
    /// How many calls start operations at once.
    starters: usize,
    /// How long each waits before it starts the next operation.
    pause: Duration,
}

/// When a process is killed.
enum When {
    /// After this time.
    After(Duration),
    /// When so many operations were started.
    Started(usize),
    /// When the service has answered so many polls.
    Polls(usize),
    /// When so many completions were told.
    Told(usize),
}

/// After this time something hangs.
const TOO_LONG: Duration = Duration::from_secs(300);

/// Ends with the test, also with one that fails.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One run: the service, the file of the store, and what the processes wrote down.
struct Run {
    load: Load,
    service: Service,
    folder: Scratch,
    began: Instant,
    kills: Vec<SystemTime>,
}

impl Run {
    fn new(load: Load) -> Self {
        Self {
            load,
            service: Service::start(load.operations),
            folder: Scratch::new(),
            began: Instant::now(),
            kills: Vec::new(),
        }
    }

    /// Starts a process with the fleet, and kills it then. Returns false if it came to its end
    /// before.
    fn live(&mut self, test: &str, when: Option<&When>) -> bool {
        let mut command = Command::new(env::current_exe().unwrap());
        command.args(["--exact", test, "--include-ignored", "--nocapture", "--test-threads", "1"]);
        child::describe(&mut command, self.load, &self.folder, &self.service.url());
        let mut process = Killed(command.stdout(Stdio::null()).spawn().unwrap());
        let booted = Instant::now();
        loop {
            if let Some(status) = process.0.try_wait().unwrap() {
                assert!(status.success(), "the process with the fleet has failed: {status}");
                return false;
            }
            assert!(self.began.elapsed() < TOO_LONG, "it hangs: {}", self.service.counts());
            if when.is_some_and(|when| self.is_time(when, booted)) {
                break;
            }
            thread::sleep(Duration::from_millis(3));
        }
        process.0.kill().unwrap();
        let status = process.0.wait().unwrap();
        if status.success() {
            return false; // it was faster
        }
        assert_eq!(status.signal(), Some(9), "{status}");
        self.kills.push(SystemTime::now());
        true
    }

    fn is_time(&self, when: &When, booted: Instant) -> bool {
        match when {
            When::After(time) => booted.elapsed() >= *time,
            When::Started(count) => self.service.started() >= *count,
            When::Polls(count) => self.service.polls() >= *count,
            When::Told(count) => log::read(&self.folder).iter().map(|life| life.told.len()).sum::<usize>() >= *count,
        }
    }

    /// Checks what has come of it, and prints the counts.
    fn check(&self) {
        let lives = log::read(&self.folder);
        self.each_was_started_once_and_told(&lives);
        nothing_acknowledged_comes_again(&lives);
        tickets_stay(&lives);
        let (again, early) = (self.polls_beyond_the_end(), self.early_polls(&lives));
        let told: usize = lives.iter().map(|life| life.told.len()).sum();
        let unknown: usize = lives.iter().map(|life| life.unknown.len()).sum();
        let recovered: Vec<&str> = lives.iter().map(|life| life.recovered.as_str()).collect();
        println!(
            "{} kills in {:.1} s: {}, {told} completions, {unknown} starts that were unknown and not sent, {again} \
             polls of an end that was not written down, {early} early ones that were not noted",
            self.kills.len(),
            self.began.elapsed().as_secs_f64(),
            self.service.counts(),
        );
        println!("recovered: {}", recovered.join(", "));
    }

    fn each_was_started_once_and_told(&self, lives: &[Life]) {
        for (key, count) in self.service.starts().iter().enumerate() {
            assert_eq!(*count, 1, "operation {key} was started {count} times");
            let told: Vec<&Told> = lives.iter().flat_map(|life| &life.told).filter(|told| told.key == key).collect();
            assert!(!told.is_empty(), "the end of operation {key} was not told");
            assert!(told.iter().all(|told| told.outcome == format!("{key}")), "{key}: {told:?}");
        }
        assert_eq!(self.service.operations_started(), self.load.operations);
    }

    /// Returns how many polls there were more than a run without kills needs, in which each
    /// operation is polled until the poll that shows its end, and never after it.
    ///
    /// With kills it is polled again when the process was killed before the end was durable: at
    /// most once for each kill. For each kill that may be as many operations as were in flight, and
    /// as many again that had been answered while the last commit was under way.
    fn polls_beyond_the_end(&self) -> usize {
        let mut again = 0;
        for (key, polls) in self.service.seen().iter().enumerate() {
            let ends: Vec<SystemTime> = polls.iter().filter(|poll| poll.is_last).map(|poll| poll.at).collect();
            for pair in ends.windows(2) {
                assert!(self.was_killed(pair[0], pair[1]), "{key} was polled after its end: {pair:?}");
                again += 1;
            }
            let needed = service::polls_of(key) as usize;
            assert!(polls.iter().filter(|poll| poll.number > 0).count() < needed + ends.len(), "{key}");
        }
        let most = self.kills.len() * 2 * child::CONCURRENCY as usize;
        assert!(again <= most, "{again} polls of what had ended, for {} kills", self.kills.len());
        again
    }

    /// Returns how many polls came before their delay was over. That is for those only whose poll
    /// before was not noted when the process was killed.
    fn early_polls(&self, lives: &[Life]) -> usize {
        let notes = log::notes(&self.folder);
        let (mut early, mut on_time, mut noted_on_time) = (0, 0, 0);
        for (key, polls) in self.service.seen().iter().enumerate() {
            // Between two polls the operation has its place: what is noted there is noted of it.
            let ticket = lives.iter().find_map(|life| life.ticket_of(key)).unwrap();
            let place = u32::try_from(ticket & 0xffff_ffff).unwrap();
            let polls: Vec<_> = polls.iter().filter(|poll| poll.number > 0 && !poll.is_last).collect();
            for pair in polls.windows(2) {
                let (before, after) = (pair[0].at, pair[1].at);
                let was_noted = notes.iter().any(|(at, of)| *of == place && *at > before && *at < after);
                // A delay is noted to one per cent.
                if after.duration_since(before).unwrap_or_default() >= self.load.delay.mul_f64(0.98) {
                    on_time += 1;
                    noted_on_time += usize::from(was_noted);
                    continue;
                }
                early += 1;
                assert!(self.was_killed(before, after), "{key} was polled early, and nothing was killed");
                assert!(!was_noted, "{key} was polled early, and its poll before was noted");
            }
        }
        assert!(noted_on_time * 2 > on_time, "of {on_time} polls only {noted_on_time} were noted");
        early
    }

    fn was_killed(&self, from: SystemTime, to: SystemTime) -> bool {
        self.kills.iter().any(|kill| (from..=to).contains(kill))
    }
}

/// What a process said after `ack` had returned holds for all that come after it.
fn nothing_acknowledged_comes_again(lives: &[Life]) {
    for (n, life) in lives.iter().enumerate() {
        for acked in &life.acked {
            let later = lives[n + 1..].iter().flat_map(|life| &life.told);
            assert!(later.clone().all(|told| told.key != *acked), "{acked} was acknowledged and came again");
            let here = life.told.iter().filter(|told| told.key == *acked).count();
            assert!(here <= 1, "{acked} came twice in one process, and was acknowledged");
        }
    }
}

/// An operation has one ticket from its start to its acknowledgement, and no other has it.
fn tickets_stay(lives: &[Life]) {
    let mut of_ticket = std::collections::HashMap::new();
    for life in lives {
        for (key, ticket) in &life.tickets {
            assert_eq!(of_ticket.insert(ticket, key).unwrap_or(key), key, "ticket {ticket} is of two operations");
            let others = lives.iter().filter_map(|life| life.ticket_of(*key));
            assert!(others.clone().all(|other| other == *ticket), "the ticket of {key} has changed");
        }
    }
}

#[test]
fn a_fleet_that_is_killed_while_it_starts_polls_and_tells_loses_and_repeats_nothing() {
    const TEST: &str = "a_fleet_that_is_killed_while_it_starts_polls_and_tells_loses_and_repeats_nothing";
    if child::run() {
        return;
    }
    let delay = Duration::from_millis(700);
    let mut run = Run::new(Load { operations: 100, delay, starters: 8, pause: Duration::from_millis(5) });
    let mut random = fastrand::Rng::with_seed(17);
    let kills =
        [When::Started(random.usize(20..60)), When::Polls(random.usize(80..160)), When::Told(random.usize(5..40))];
    for when in kills {
        assert!(run.live(TEST, Some(&when)), "it has ended before it was killed");
    }
    assert!(!run.live(TEST, None));
    run.check();
}

#[test]
#[ignore = "takes a minute: a thousand operations, and a kill about every second"]
fn a_fleet_that_is_killed_every_second_loses_and_repeats_nothing() {
    const TEST: &str = "a_fleet_that_is_killed_every_second_loses_and_repeats_nothing";
    if child::run() {
        return;
    }
    let delay = Duration::from_secs(2);
    let mut run = Run::new(Load { operations: 1_000, delay, starters: 16, pause: Duration::from_millis(200) });
    let mut random = fastrand::Rng::with_seed(18);
    while run.live(TEST, Some(&When::After(Duration::from_millis(random.u64(500..1_500))))) {}
    assert!(run.kills.len() >= 10, "{} kills", run.kills.len());
    run.check();
}
