//! One history: what a user does with a service, drawn from a seed, and the checks after each step.

mod call;
mod resume;
mod start;
mod wait;

use std::{
    future::{Future, poll_fn},
    sync::Arc,
    time::Duration,
};

use lro_runtime::{
    Error, ErrorKind, Operations, RawOperation, block_on, long_running,
    transport::{BoxFuture, Transport},
};

use super::{
    SECRET_IN_HEADER,
    drive::{Patience, drive},
    lies::Lie,
    plan::Plan,
    promises::{Promise, broken, check_error, check_snapshot, check_successor, check_token},
    speech::{HOST, name_of},
    truth::Stage,
    waits::Before,
    world::{Class, Sent, World},
};

/// One process that speaks with the service.
struct Client {
    id: usize,
    operations: Operations,
    has_start_id: bool,
    start_retries: u32,
}

/// An operation in the hands of the user.
#[derive(Clone)]
struct Held {
    client: usize,
    snapshot: RawOperation,
    /// Which operation of the service it is.
    of: usize,
    before: Before,
    /// Whether a poll has found it; `None` after a reply that only the dialect could say was one
    /// of it.
    found: Option<bool>,
    started: Option<Duration>,
    /// Whether a reply has led it to another origin: only its name leads back.
    is_astray: bool,
}

/// An SDK of the service, with one method.
struct Sdk {
    operations: Operations,
}

#[long_running]
impl Sdk {
    /// Exports an image.
    #[long_running(response = serde_json::Value, metadata = serde_json::Value, cancel)]
    #[expect(dead_code, reason = "the operations are started in many dialects, and resumed as this method's")]
    async fn export(&self) -> lro_runtime::Result<RawOperation> {
        self.operations.post("v1/things", &()).await
    }
}

pub(super) struct History {
    world: Arc<World>,
    clients: Vec<Client>,
    held: Vec<Held>,
    starts: usize,
}

/// Asks everything twice, for the checks' own test.
struct Twice<T> {
    line: T,
    at_once: bool,
}

impl<T: Transport> Transport for Twice<T> {
    fn send<'a>(
        &'a self,
        request: &'a lro_runtime::transport::Request,
        max: usize,
    ) -> BoxFuture<'a, Result<lro_runtime::transport::Reply, lro_runtime::transport::TransportError>> {
        Box::pin(async move {
            if !self.at_once {
                let _ = self.line.send(request, max).await;
                return self.line.send(request, max).await;
            }
            let (mut one, mut two) = (self.line.send(request, max), self.line.send(request, max));
            poll_fn(move |context| {
                let _ = one.as_mut().poll(context);
                two.as_mut().poll(context)
            })
            .await
        })
    }
}

impl History {
    pub(super) fn new(world: Arc<World>) -> Self {
        let mut history = Self { world, clients: vec![], held: vec![], starts: 0 };
        history.add_client();
        history
    }

    /// Adds a process with a client of its own.
    fn add_client(&mut self) -> usize {
        let id = self.clients.len();
        let world = &self.world;
        let ahead = Duration::from_secs(u64::from(world.draw(1_000_000)));
        let line = world.transport(id);
        let builder = Operations::builder(format!("https://{HOST}"))
            .timer(world.timer(ahead))
            .header("x-api-key", SECRET_IN_HEADER)
            .header("authorization", format!("Bearer {SECRET_IN_HEADER}"));
        let at_once = world.lies(Lie::AsksTwiceAtOnce);
        let builder = if at_once || world.lies(Lie::AsksTwice) {
            builder.transport(Twice { line, at_once })
        } else {
            builder.transport(line)
        };
        let has_start_id = world.draw(2) == 0;
        let builder = if has_start_id { builder.start_id("operation-id") } else { builder };
        let start_retries = world.draw(4);
        let builder = world.tongue.spoken_by(builder).start_retries(start_retries).cookies(world.draw(2) == 0);
        match builder.build() {
            Ok(operations) => self.clients.push(Client { id, operations, has_start_id, start_retries }),
            Err(error) => broken(Promise::EndsForAReason, &format!("no client: {error}")),
        }
        id
    }

    /// Lives the whole history.
    pub(super) fn live(mut self) {
        let steps = 3 + self.world.draw(8);
        for _ in 0..steps {
            self.step();
        }
        self.end();
    }

    fn step(&mut self) {
        let started = self.world.lock().truths.len();
        if self.held.is_empty() || (self.world.draw(8) == 0 && started < 6) {
            return self.start();
        }
        let at = self.world.draw(u32::try_from(self.held.len()).unwrap_or(1)) as usize;
        if self.held.get(at).is_some_and(|held| held.is_astray) {
            // Nothing is sent there; its name leads back.
            if self.world.draw(2) == 0 {
                self.stray(at);
            }
            return self.resume(at);
        }
        match self.world.draw(23) {
            20 => self.guard(at),
            21 => self.observe(at),
            22 => self.hold(at),
            0..=3 => self.poll_once(at),
            4..=8 => self.wait(at),
            9..=10 => self.stream(at),
            11..=12 => self.share(at),
            13..=14 => self.cancel(at),
            15..=16 => self.resume(at),
            17 => self.resume_twice(at),
            18 => self.list(at),
            _ => {
                let millis = self.world.pick(&[10, 3_000, 60_000, 3_600_000], 10);
                self.world.tell(|| format!("{millis} ms pass"));
                self.world.pass(Duration::from_millis(millis));
            }
        }
    }

    /// Runs a call, or gives it up.
    fn run<T: Send + 'static>(&self, call: impl Future<Output = T> + Send + 'static) -> Option<T> {
        if self.world.is_blocking() {
            return Some(block_on(call));
        }
        let patience = match self.world.draw(6) {
            0 => Patience::Drop(1 + self.world.draw(12)),
            _ => Patience::End,
        };
        drive(&self.world, vec![(Box::pin(call), patience)]).pop().flatten()
    }

    fn sent_since(&self, client: usize, from: usize) -> Vec<Sent> {
        let state = self.world.lock();
        state.sent.iter().skip(from).filter(|sent| sent.client == client).cloned().collect()
    }

    fn sent(&self) -> usize {
        self.world.lock().sent.len()
    }

    fn check_held(&self, held: &Held) {
        let now = self.world.now();
        let state = self.world.lock();
        let Some(truth) = state.truths.get(held.of) else { return };
        let truth = truth.clone();
        drop(state);
        check_snapshot(&held.snapshot, held.of, &truth, now);
    }

    /// Takes a later snapshot of what is held.
    fn take(&mut self, at: usize, snapshot: RawOperation, polls: &[Sent]) {
        let Some(held) = self.held.get_mut(at) else { return };
        check_successor(&held.snapshot, &snapshot);
        held.snapshot = snapshot;
        let is_read = |poll: &&Sent| matches!(poll.class, Class::Good | Class::Garbage);
        if let Some(last) = polls.iter().filter(|poll| poll.is_poll()).rfind(is_read) {
            held.before = before_of(last);
            held.found = (last.class == Class::Good).then_some(!last.follow);
        }
        held.is_astray |= polls.iter().any(|poll| poll.class == Class::Astray);
        let held = held.clone();
        self.world.tell(|| format!("{} is {:?}", name_of(held.of), held.snapshot.state()));
        self.check_held(&held);
    }

    /// Checks an error about an operation, and takes the snapshot that it leads back to.
    fn take_error(&mut self, at: usize, error: &Error, polls: &[Sent]) {
        check_error(error);
        self.world.tell(|| format!("it fails: {error}"));
        self.world.count(match error.kind() {
            ErrorKind::Timeout => "end.timeout",
            ErrorKind::Poll => "end.poll",
            ErrorKind::Protocol => "end.protocol",
            _ => "end.other",
        });
        let Some(snapshot) = error.snapshot() else {
            broken(Promise::NoOperationIsLost, &format!("no snapshot in: {error}"))
        };
        let Some(token) = error.token() else { broken(Promise::NoOperationIsLost, &format!("no token in: {error}")) };
        check_token(&token);
        self.take(at, snapshot.clone(), polls);
    }

    /// Lets the service be well, and takes every operation to its end.
    fn end(&mut self) {
        let now = self.world.now();
        let last = self.world.lock().truths.iter().map(|truth| truth.ends.max(truth.visible)).max();
        // Of services that forget an end after seconds, half of the histories look in time.
        if self.world.draw(2) == 0 {
            self.world.calm();
        }
        self.world.pass(last.unwrap_or_default().saturating_sub(now));
        self.world.calm();
        self.world.tell(|| "the service is well".to_owned());
        for at in 0..self.held.len() {
            let Some(held) = self.held.get(at).cloned() else { continue };
            let now = self.world.now();
            let truth = self.world.lock().truths.get(held.of).cloned();
            if !truth.is_some_and(|truth| truth.is_known(now) && matches!(truth.stage(now), Stage::Ended(_))) {
                self.world.count("expired");
                continue;
            }
            let Some(resumed) = self.resumed(&held) else { continue };
            for held in [held, resumed] {
                if held.is_astray {
                    continue;
                }
                let snapshot = held.snapshot.clone();
                let settings = Plan::draw(&self.world).settings(&self.world).with_timeout(Duration::from_secs(86_400));
                let outcome = if self.world.is_blocking() {
                    Some(snapshot.blocking().poll_until_completed(settings))
                } else {
                    drive(
                        &self.world,
                        vec![(Box::pin(snapshot.poll_until_completed(settings)) as BoxFuture<'_, _>, Patience::End)],
                    )
                    .pop()
                    .flatten()
                };
                match outcome {
                    Some(Ok(done)) => {
                        check_successor(&held.snapshot, &done);
                        self.check_held(&Held { snapshot: done, ..held });
                        self.world.count("reached_the_end");
                    }
                    Some(Err(error)) => {
                        check_error(&error);
                        broken(
                            Promise::ResumeReachesTheEnd,
                            &format!("{} of {}: {error}", held.client, name_of(held.of)),
                        );
                    }
                    None => {}
                }
            }
        }
    }
}

fn before_of(sent: &Sent) -> Before {
    match (sent.class, sent.answered) {
        (Class::Good, Some(at)) => Before::Reply { at, wish: sent.wish, follow: sent.follow },
        _ => Before::Unknown,
    }
}
