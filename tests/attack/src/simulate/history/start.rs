//! Starts: an operation that was accepted is in hand, and was asked for once.

use std::time::Duration;

use super::{Held, History, before_of};
use crate::simulate::{
    SECRET_IN_HEADER,
    promises::{Promise, broken, check_error, holds},
    waits::Before,
    world::Class,
};

impl History {
    pub(super) fn start(&mut self) {
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
}
