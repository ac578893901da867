//! Calls of one request.

use std::time::Duration;

use lro_runtime::{CancelOutcome, ErrorKind};

use super::{Held, History};
use crate::simulate::{
    promises::{Promise, broken, check_error, holds},
    speech::{name_of, number_after},
    waits::Before,
};

impl History {
    pub(super) fn poll_once(&mut self, at: usize) {
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

    /// Asks the service to hold one poll.
    pub(super) fn hold(&mut self, at: usize) {
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

    pub(super) fn cancel(&mut self, at: usize) {
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

    /// Lists the operations, and goes on with one of them.
    pub(super) fn list(&mut self, at: usize) {
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

    /// Polls where a reply has led to another origin.
    pub(super) fn stray(&self, at: usize) {
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
}
