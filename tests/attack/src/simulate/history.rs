//! One history: what a user does with a service, drawn from a seed, and the checks after each step.

use std::{
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_core::Stream;
use lro_runtime::{
    CancelOutcome, Error, ErrorKind, Handle as _, Operations, RawOperation, State, block_on, long_running,
    transport::{BoxFuture, Transport},
};

use super::{
    SECRET_IN_HEADER,
    drive::{Patience, drive},
    lies::Lie,
    plan::Plan,
    promises::{Promise, broken, check_error, check_snapshot, check_successor, check_token, holds},
    speech::{HOST, name_of, number_after},
    truth::Stage,
    waits::{Before, Over, Waited},
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

    fn start(&mut self) {
        let client = self.world.draw(u32::try_from(self.clients.len()).unwrap_or(1)) as usize;
        let start = self.starts;
        self.starts += 1;
        let (from, began) = (self.sent(), self.world.now());
        self.world.tell(|| format!("client {client} starts, start-{start:03}"));
        let Some(known) = self.clients.get(client) else { return };
        let call = self.world.tongue.start(&known.operations, start);
        let call = call.header("x-caller", SECRET_IN_HEADER).start_timeout(Duration::from_secs(20));
        let outcome = self.run(async move { call.await });
        let sent = self.sent_since(client, from);
        let (has_id, retries) = (known.has_start_id, known.start_retries);
        let made = self.world.lock().truths.iter().filter(|truth| truth.start == start).count();
        holds(Promise::StartIsSentOnce, made <= 1, || format!("start-{start:03} made {made} operations"));
        let ids: Vec<_> = sent.iter().filter_map(|sent| sent.start_id.as_deref()).collect();
        holds(Promise::StartIsSentOnce, ids.windows(2).all(|pair| pair.first() == pair.last()), || format!("{ids:?}"));
        holds(Promise::StartIsSentOnce, has_id != ids.is_empty(), || format!("an id: {has_id}, sent {ids:?}"));
        let again = sent.len().saturating_sub(1);
        holds(Promise::RequestsAreCounted, again <= retries as usize, || format!("sent {} times", sent.len()));
        if !has_id {
            let unsure = sent.iter().take(again).find(|sent| sent.happened);
            holds(Promise::StartIsSentOnce, unsure.is_none(), || format!("sent again after {unsure:?}"));
        }
        let Some(outcome) = outcome else { return self.world.count("starts_dropped") };
        let is_intact = sent.last().is_some_and(|sent| sent.is_intact && sent.class == Class::Good);
        let snapshot = match outcome {
            Ok(snapshot) => snapshot,
            Err(error) => {
                check_error(&error);
                // The library draws the id from what no seed sets.
                let id = ids.first().copied().unwrap_or("-");
                self.world.tell(|| format!("it fails: {}", error.to_string().replace(id, "id")));
                holds(Promise::AcceptedIsStarted, !is_intact, || format!("the reply was whole: {error}"));
                return self.world.count("starts_failed");
            }
        };
        self.world.tell(|| format!("it is {snapshot:?}"));
        let of = self.world.lock().truths.iter().rposition(|truth| truth.start == start);
        let Some(of) = of else { broken(Promise::AcceptedIsStarted, "an operation that nobody made") };
        let last = sent.last().cloned();
        let mut held = Held {
            client,
            snapshot,
            of,
            before: Before::Unknown,
            found: Some(false),
            started: last.as_ref().map(|sent| sent.at).or(Some(began)),
            is_astray: false,
        };
        if let Some(last) = last {
            held.before = before_of(&last);
        }
        self.check_held(&held);
        self.world.count("starts");
        self.held.push(held);
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

    fn poll_once(&mut self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        self.world.tell(|| format!("client {} polls {} once", held.client, name_of(held.of)));
        self.world.count("calls.poll_once");
        let from = self.sent();
        let snapshot = held.snapshot.clone();
        let outcome = if self.world.is_blocking() {
            Some(snapshot.blocking().poll_once())
        } else {
            self.run(async move { snapshot.poll_once().await })
        };
        let polls = self.sent_since(held.client, from);
        let most = usize::from(!held.snapshot.is_completed());
        holds(Promise::RequestsAreCounted, polls.len() <= most, || format!("one poll sent {}", polls.len()));
        match outcome {
            None => {}
            Some(Ok(snapshot)) => {
                holds(Promise::RequestsAreCounted, polls.len() == most, || format!("one poll sent {}", polls.len()));
                self.take(at, snapshot, &polls);
            }
            Some(Err(error)) => self.take_error(at, &error, &polls),
        }
    }

    /// Checks the requests of a wait of what is held, that began at a time with so many requests
    /// sent and so much overslept.
    fn check_wait(&self, held: &Held, plan: &Plan, mark: Mark, end: Over<'_>) -> Vec<Sent> {
        let polls: Vec<_> = self.sent_since(held.client, mark.from).into_iter().filter(Sent::is_poll).collect();
        if held.snapshot.is_completed() {
            holds(Promise::NothingAfterTheEnd, polls.is_empty(), || format!("{polls:?}"));
            return polls;
        }
        let (overslept, longest) = {
            let state = self.world.lock();
            (state.overslept.saturating_sub(mark.overslept), state.longest + state.overslept)
        };
        Waited {
            tongue: self.world.tongue,
            plan,
            polls: &polls,
            before: held.before,
            found: held.found,
            started: held.started,
            began: mark.began,
            ended: self.world.now(),
            overslept,
            longest,
            end,
        }
        .check();
        polls
    }

    fn mark(&self) -> Mark {
        let (began, state) = (self.world.now(), self.world.lock());
        Mark { from: state.sent.len(), began, overslept: state.overslept }
    }

    /// Ends a wait with its outcome.
    fn waited(&mut self, at: usize, plan: &Plan, mark: Mark, outcome: Option<Result<RawOperation, Error>>) {
        let Some(held) = self.held.get(at).cloned() else { return };
        let polls = self.check_wait(&held, plan, mark, outcome.as_ref().into());
        match outcome {
            None => self.world.count("waits_dropped"),
            Some(Ok(done)) => {
                holds(Promise::EndsForAReason, done.is_completed(), || format!("the wait ended {}", done.state()));
                self.world.count(match done.state() {
                    State::Succeeded => "end.succeeded",
                    State::Failed => "end.failed",
                    _ => "end.cancelled",
                });
                self.take(at, done, &polls);
            }
            Some(Err(error)) => self.take_error(at, &error, &polls),
        }
    }

    fn wait(&mut self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        let plan = Plan::draw(&self.world);
        self.world.tell(|| format!("client {} waits for {} with {plan:?}", held.client, name_of(held.of)));
        self.world.count("calls.wait");
        let mark = self.mark();
        let (snapshot, settings) = (held.snapshot, plan.settings(&self.world));
        let outcome = if self.world.is_blocking() {
            Some(snapshot.blocking().poll_until_completed(settings))
        } else {
            self.run(async move { snapshot.poll_until_completed(settings).await })
        };
        self.waited(at, &plan, mark, outcome);
    }

    fn stream(&mut self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        let plan = Plan::draw(&self.world);
        self.world.tell(|| format!("client {} streams {} with {plan:?}", held.client, name_of(held.of)));
        self.world.count("calls.stream");
        let mark = self.mark();
        let items = Arc::new(Mutex::new(vec![]));
        if self.world.is_blocking() {
            let items = &mut *items.lock().unwrap_or_else(PoisonError::into_inner);
            items.extend(held.snapshot.blocking().snapshots(plan.settings(&self.world)));
        } else {
            let (items, mut stream) = (Arc::clone(&items), held.snapshot.snapshots(plan.settings(&self.world)));
            self.run(async move {
                while let Some(item) = poll_fn(|context| Pin::new(&mut stream).poll_next(context)).await {
                    items.lock().unwrap_or_else(PoisonError::into_inner).push(item);
                }
            });
        }
        let items = std::mem::take(&mut *items.lock().unwrap_or_else(PoisonError::into_inner));
        let mut before = held.snapshot;
        for item in items.iter().flatten() {
            check_successor(&before, item);
            before = item.clone();
        }
        let outcome = items.into_iter().last().and_then(|last| match last {
            Ok(last) => last.is_completed().then_some(Ok(last)),
            Err(error) => Some(Err(error)),
        });
        // A stream that was given up has given the last snapshot that was read.
        if outcome.is_none() {
            let polls = self.sent_since(held.client, mark.from);
            self.waited(at, &plan, mark, None);
            return self.take(at, before, &polls);
        }
        self.waited(at, &plan, mark, outcome);
    }

    fn share(&mut self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        if self.world.is_blocking() {
            return;
        }
        let plan = Plan::draw(&self.world);
        let waiters = 1 + self.world.draw(5);
        self.world.tell(|| format!("{waiters} waiters share {} with {plan:?}", name_of(held.of)));
        self.world.count("calls.shared");
        let mark = self.mark();
        let shared = held.snapshot.shared(plan.settings(&self.world));
        let mut tasks: Vec<(BoxFuture<'static, _>, Patience)> = vec![];
        for _ in 0..waiters {
            let shared = shared.clone();
            let patience = match self.world.draw(4) {
                0 => Patience::Drop(1 + self.world.draw(8)),
                1 => Patience::Keep(self.world.draw(4)),
                _ => Patience::End,
            };
            tasks.push((Box::pin(async move { shared.await }), patience));
        }
        let all_end = tasks.iter().all(|(_, patience)| *patience == Patience::End);
        let mut outcomes: Vec<_> = drive(&self.world, tasks).into_iter().flatten().collect();
        for pair in outcomes.windows(2) {
            let text = |outcome: &Result<RawOperation, Error>| match outcome {
                Ok(done) => format!("{:?}", done.raw()),
                Err(error) => error.to_string(),
            };
            let is_same = pair.iter().map(text).collect::<Vec<_>>().windows(2).all(|pair| pair.first() == pair.last());
            holds(Promise::TheEndIsTrue, is_same, || "two waiters got two ends".to_owned());
        }
        match outcomes.pop() {
            // With nobody left a wait begins again, with another time and another budget.
            Some(outcome) if !all_end => {
                let polls: Vec<_> = self.sent_since(held.client, mark.from);
                match outcome {
                    Ok(done) => self.take(at, done, &polls),
                    Err(error) => self.take_error(at, &error, &polls),
                }
            }
            Some(outcome) => self.waited(at, &plan, mark, Some(outcome)),
            None => {
                let polls = self.sent_since(held.client, mark.from);
                self.take(at, shared.snapshot(), &polls);
            }
        }
    }

    fn cancel(&mut self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        self.world.tell(|| format!("client {} cancels {}", held.client, name_of(held.of)));
        self.world.count("calls.cancel");
        let from = self.sent();
        let snapshot = held.snapshot.clone();
        let outcome = self.run(async move { snapshot.cancel().await });
        let sent = self.sent_since(held.client, from);
        let is_sent = self.world.tongue.has_cancel() && !held.snapshot.is_completed();
        holds(Promise::RequestsAreCounted, sent.len() <= usize::from(is_sent), || format!("{sent:?}"));
        match outcome {
            Some(Ok(outcome)) => {
                let is_late = outcome == CancelOutcome::AlreadyCompleted;
                holds(Promise::NothingAfterTheEnd, is_late == held.snapshot.is_completed(), || format!("{outcome:?}"));
            }
            Some(Err(error)) => {
                check_error(&error);
                if !self.world.tongue.has_cancel() {
                    holds(Promise::EndsForAReason, error.kind() == ErrorKind::Unsupported, || error.to_string());
                }
            }
            None => {}
        }
        if self.world.draw(2) == 0 {
            self.wait(at);
        }
    }

    /// Writes a token, and resumes from it in another process.
    fn resumed(&mut self, held: &Held) -> Option<Held> {
        let token = held.snapshot.token();
        check_token(&token);
        let client = self.add_client();
        let known = self.clients.get(client)?;
        let by_name = self.world.tongue.has_whole_names()
            && !held.snapshot.name().is_empty()
            && (self.world.draw(3) == 0 || held.is_astray);
        let word = if by_name { held.snapshot.name().to_owned() } else { token.to_string() };
        self.world.tell(|| format!("client {} resumes {} from {word}", known.id, name_of(held.of)));
        self.world.count(if by_name { "resumes.name" } else { "resumes.token" });
        let snapshot = match known.operations.resume(word.as_str()) {
            Ok(snapshot) => snapshot,
            Err(error) => {
                check_error(&error);
                broken(Promise::ResumeReachesTheEnd, &format!("{error}"))
            }
        };
        let (old, new) = (held.snapshot.state(), snapshot.state());
        // A success is fetched again; from a name nothing is known.
        let is_older =
            old == new || by_name && new == State::Pending || old == State::Succeeded && new == State::Running;
        holds(Promise::TokenIsNotNewer, is_older, || format!("{old} was resumed as {new}"));
        let same = by_name || snapshot.token().name() == token.name();
        holds(Promise::TokenIsNotNewer, same, || format!("{} became {}", token.name(), snapshot.name()));
        let found = if by_name { Some(false) } else { held.found };
        // The other process counts the time since the start by its own wall clock.
        Some(Held { client, snapshot, of: held.of, before: Before::Nothing, found, started: None, is_astray: false })
    }

    fn resume(&mut self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        let Some(resumed) = self.resumed(&held) else { return };
        self.check_held(&resumed);
        match self.held.get_mut(at) {
            Some(place) if place.is_astray || self.world.draw(2) == 0 => *place = resumed,
            _ => self.held.push(resumed),
        }
    }

    /// Resumes in two processes that wait at the same time.
    fn resume_twice(&mut self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        if self.world.is_blocking() {
            return;
        }
        let (Some(one), Some(two)) = (self.resumed(&held), self.resumed(&held)) else { return };
        self.world.count("calls.twice");
        let first = self.held.len();
        // The clock may jump between the two waits.
        let plan = || Plan { by_wall_clock: false, ..Plan::draw(&self.world) };
        let plans = [plan(), plan()];
        let mark = self.mark();
        let mut tasks: Vec<(BoxFuture<'static, _>, Patience)> = vec![];
        for (held, plan) in [&one, &two].into_iter().zip(&plans) {
            let (snapshot, settings) = (held.snapshot.clone(), plan.settings(&self.world));
            let (world, of) = (Arc::clone(&self.world), held.of);
            let wait = async move {
                let outcome = snapshot.poll_until_completed(settings).await;
                world.tell(|| format!("one wait of two for {} ends", name_of(of)));
                (outcome, world.now())
            };
            tasks.push((Box::pin(wait), Patience::End));
        }
        let outcomes = drive(&self.world, tasks);
        self.held.extend([one, two]);
        for ((n, plan), outcome) in plans.iter().enumerate().zip(outcomes) {
            let Some((outcome, ended)) = outcome else { continue };
            let Some(held) = self.held.get(first + n).cloned() else { continue };
            // The other wait may go on for longer: this one ended when its future did.
            let polls = self.sent_since(held.client, mark.from);
            if !held.snapshot.is_completed() {
                let state = self.world.lock();
                let overslept = state.overslept.saturating_sub(mark.overslept);
                let longest = state.longest + state.overslept;
                drop(state);
                let waited = Waited {
                    tongue: self.world.tongue,
                    plan,
                    polls: &polls,
                    before: held.before,
                    found: held.found,
                    started: held.started,
                    began: mark.began,
                    ended,
                    overslept,
                    longest,
                    end: Some(&outcome).into(),
                };
                waited.check();
            }
            match outcome {
                Ok(done) => self.take(first + n, done, &polls),
                Err(error) => self.take_error(first + n, &error, &polls),
            }
        }
    }

    /// Waits with a guard that cancels.
    fn guard(&mut self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        if !self.world.tongue.has_cancel() {
            return;
        }
        let Some(known) = self.clients.get(held.client) else { return };
        let sdk = Sdk { operations: known.operations.clone() };
        let typed = match sdk.resume_export(held.snapshot.token()) {
            Ok(typed) => typed,
            Err(error) => broken(Promise::ResumeReachesTheEnd, &error.to_string()),
        };
        self.world.tell(|| format!("client {} guards {}", held.client, name_of(held.of)));
        self.world.count("calls.guard");
        let (from, was_completed) = (self.sent(), typed.is_completed());
        let guard = typed.cancel_on_drop();
        let plan = Plan::draw(&self.world);
        let settings = plan.settings(&self.world);
        let outcome = if self.world.is_blocking() {
            Some(guard.poll_until_completed_blocking(settings))
        } else {
            self.run(guard.poll_until_completed(settings))
        };
        let is_done = matches!(&outcome, Some(Ok(_)));
        if !is_done && !was_completed {
            self.world.settle(held.client, self.sent_before_cancel(held.client, from));
        }
        let cancels = self.sent_since(held.client, from).iter().filter(|sent| !sent.is_poll()).count();
        let expected = usize::from(!is_done && !was_completed);
        holds(Promise::CancelsWhatIsDropped, cancels == expected, || format!("{cancels} cancel calls: {outcome:?}"));
        match outcome {
            Some(Ok(done)) => self.check_held(&Held { snapshot: done.raw_operation().clone(), ..held }),
            Some(Err(error)) => check_error(&error),
            None => {}
        }
    }

    /// Waits with observers.
    fn observe(&mut self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        if self.world.is_blocking() {
            return;
        }
        let plan = Plan { hold: None, ..Plan::draw(&self.world) };
        self.world.tell(|| format!("client {} observes {} with {plan:?}", held.client, name_of(held.of)));
        self.world.count("calls.observe");
        let mark = self.mark();
        let told = Arc::new(Mutex::new(Told::default()));
        let (progress, completed, failed) = (Arc::clone(&told), Arc::clone(&told), Arc::clone(&told));
        let mut observed = held
            .snapshot
            .on_progress(move |now| Told::lock(&progress).fractions.extend(now.progress()))
            .on_completed(move |_| Told::lock(&completed).ends += 1)
            .on_failed_poll(move |_| Told::lock(&failed).failures += 1);
        let settings = plan.settings(&self.world);
        let outcome = drive(
            &self.world,
            vec![(Box::pin(observed.poll_until_completed(settings)) as BoxFuture<'_, _>, Patience::End)],
        )
        .pop()
        .flatten();
        let Told { ends, failures, fractions } = std::mem::take(&mut *Told::lock(&told));
        let is_done = matches!(&outcome, Some(Ok(_)));
        holds(Promise::ObserversAreTold, ends == usize::from(is_done), || format!("told {ends} times of the end"));
        let polls = self.sent_since(held.client, mark.from);
        let is_sure = !polls.iter().any(|poll| matches!(poll.class, Class::Garbage | Class::Astray));
        let failed = polls.iter().filter(|poll| poll.class != Class::Good).count();
        let is_held = self.world.tongue.prefers_held_polls();
        holds(Promise::ObserversAreTold, failures == failed || !is_sure || is_held, || {
            format!("told of {failures} failed polls, not of {failed}")
        });
        holds(Promise::ProgressIsAFraction, fractions.iter().all(|of| (0.0..=1.0).contains(of)), || {
            format!("{fractions:?}")
        });
        self.waited(at, &plan, mark, outcome);
    }

    /// Polls where a reply has led to another origin.
    fn stray(&self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        let from = self.sent();
        let outcome = self.run(async move { held.snapshot.poll_once().await });
        holds(Promise::StaysOnItsOrigin, self.sent() == from, || "a poll was sent astray".to_owned());
        match outcome {
            Some(Err(error)) => {
                check_error(&error);
                holds(Promise::StaysOnItsOrigin, error.kind() == ErrorKind::UntrustedUrl, || error.to_string());
            }
            Some(Ok(snapshot)) => holds(Promise::StaysOnItsOrigin, snapshot.is_completed(), || format!("{snapshot:?}")),
            None => {}
        }
    }

    /// Asks the service to hold one poll.
    fn hold(&mut self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        self.world.tell(|| format!("client {} asks to hold a poll of {}", held.client, name_of(held.of)));
        self.world.count("calls.hold");
        let from = self.sent();
        let snapshot = held.snapshot.clone();
        let outcome = self.run(async move { snapshot.wait(Duration::from_secs(40)).await });
        let polls = self.sent_since(held.client, from);
        let most = usize::from(!held.snapshot.is_completed() && self.world.tongue.has_held_polls());
        holds(Promise::RequestsAreCounted, polls.len() <= most, || format!("one held poll sent {}", polls.len()));
        match outcome {
            None => {}
            Some(Ok(snapshot)) => self.take(at, snapshot, &polls),
            Some(Err(error)) => self.take_error(at, &error, &polls),
        }
    }

    /// Returns how many requests had been sent before the client's next cancel call, if it comes.
    fn sent_before_cancel(&self, client: usize, from: usize) -> usize {
        let state = self.world.lock();
        let mut polls =
            state.sent.iter().enumerate().skip(from).filter(|(_, sent)| sent.client == client && sent.is_poll());
        polls.next_back().map_or(from, |(at, _)| at + 1)
    }

    /// Lists the operations, and goes on with one of them.
    fn list(&mut self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        if !self.world.tongue.has_list() || self.world.is_blocking() {
            return;
        }
        let Some(client) = self.clients.get(held.client) else { return };
        self.world.tell(|| format!("client {} lists", client.id));
        self.world.count("calls.list");
        let mut list = client.operations.list("");
        let listed = self.run(async move {
            let mut entries = vec![];
            while let Some(entry) = list.next().await {
                let is_error = entry.is_err();
                entries.push(entry);
                if is_error {
                    break;
                }
            }
            entries
        });
        for entry in listed.into_iter().flatten() {
            match entry {
                Err(error) => check_error(&error),
                Ok(snapshot) => {
                    let Some(of) = number_after(snapshot.name().as_bytes(), "op-") else {
                        broken(Promise::ResultIsItsOwn, &format!("an entry named {}", snapshot.name()))
                    };
                    let entry = Held {
                        client: held.client,
                        snapshot,
                        of,
                        before: Before::Unknown,
                        found: Some(false),
                        started: None,
                        is_astray: false,
                    };
                    self.check_held(&entry);
                    if self.held.len() < 8 && self.world.draw(4) == 0 {
                        self.held.push(entry);
                    }
                }
            }
        }
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

/// What observers were told.
#[derive(Default)]
struct Told {
    ends: usize,
    failures: usize,
    fractions: Vec<f64>,
}

impl Told {
    fn lock(told: &Mutex<Self>) -> MutexGuard<'_, Self> {
        told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where a wait begins.
#[derive(Clone, Copy)]
struct Mark {
    from: usize,
    began: Duration,
    overslept: Duration,
}

fn before_of(sent: &Sent) -> Before {
    match (sent.class, sent.answered) {
        (Class::Good, Some(at)) => Before::Reply { at, wish: sent.wish, follow: sent.follow },
        _ => Before::Unknown,
    }
}
