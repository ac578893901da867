//! Waits, in every form: each ends for a reason, and polls when it may.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_core::Stream;
use lro_runtime::{Error, Handle as _, RawOperation, State, transport::BoxFuture};

use super::{Held, History, Sdk};
use crate::simulate::{
    drive::{Patience, drive},
    plan::Plan,
    promises::{Promise, broken, check_error, check_successor, holds},
    speech::name_of,
    waits::{Over, Waited},
    world::{Class, Sent},
};

impl History {
    /// Checks the requests of a wait of what is held, from where it began to when it ended, and
    /// returns them.
    pub(super) fn check_wait(
        &self,
        held: &Held,
        plan: &Plan,
        mark: Mark,
        (ended, end): (Duration, Over<'_>),
    ) -> Vec<Sent> {
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
            ended,
            overslept,
            longest,
            end,
        }
        .check();
        polls
    }

    pub(super) fn mark(&self) -> Mark {
        let (began, state) = (self.world.now(), self.world.lock());
        Mark { from: state.sent.len(), began, overslept: state.overslept }
    }

    /// Ends a wait with its outcome.
    pub(super) fn waited(&mut self, at: usize, plan: &Plan, mark: Mark, outcome: Option<Result<RawOperation, Error>>) {
        let Some(held) = self.held.get(at).cloned() else { return };
        let polls = self.check_wait(&held, plan, mark, (self.world.now(), outcome.as_ref().into()));
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

    pub(super) fn wait(&mut self, at: usize) {
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

    pub(super) fn stream(&mut self, at: usize) {
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

    pub(super) fn share(&mut self, at: usize) {
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

    /// Waits with a guard that cancels.
    pub(super) fn guard(&mut self, at: usize) {
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

    /// Returns how many requests had been sent before the client's next cancel call, if it comes.
    fn sent_before_cancel(&self, client: usize, from: usize) -> usize {
        let state = self.world.lock();
        let mut polls =
            state.sent.iter().enumerate().skip(from).filter(|(_, sent)| sent.client == client && sent.is_poll());
        polls.next_back().map_or(from, |(at, _)| at + 1)
    }

    /// Waits with observers.
    pub(super) fn observe(&mut self, at: usize) {
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
pub(super) struct Mark {
    pub(super) from: usize,
    pub(super) began: Duration,
    pub(super) overslept: Duration,
}
