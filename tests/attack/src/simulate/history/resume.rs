//! Resumes, by token and by name, in other processes.

use std::sync::Arc;

use lro_runtime::{State, transport::BoxFuture};

use super::{Held, History};
use crate::simulate::{
    drive::{Patience, drive},
    plan::Plan,
    promises::{Promise, broken, check_error, check_token, holds},
    speech::name_of,
    waits::Before,
};

impl History {
    /// Writes a token, and resumes from it in another process.
    pub(super) fn resumed(&mut self, held: &Held) -> Option<Held> {
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

    pub(super) fn resume(&mut self, at: usize) {
        let Some(held) = self.held.get(at).cloned() else { return };
        let Some(resumed) = self.resumed(&held) else { return };
        self.check_held(&resumed);
        match self.held.get_mut(at) {
            Some(place) if place.is_astray || self.world.draw(2) == 0 => *place = resumed,
            _ => self.held.push(resumed),
        }
    }

    /// Resumes in two processes that wait at the same time.
    pub(super) fn resume_twice(&mut self, at: usize) {
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
            let polls = self.check_wait(&held, plan, mark, (ended, Some(&outcome).into()));
            match outcome {
                Ok(done) => self.take(first + n, done, &polls),
                Err(error) => self.take_error(first + n, &error, &polls),
            }
        }
    }
}
