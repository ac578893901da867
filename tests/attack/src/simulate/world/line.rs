//! The line between a client and the service: latency, losses, and the record of what was sent.

use std::{
    fmt::Write as _,
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use lro_runtime::{
    Timer as _,
    transport::{BoxFuture, Reply, Request, Transport, TransportError},
};

use super::{
    World,
    record::{Class, Sent, Wish},
    timer::Forever,
    weather::Fault,
};
use crate::simulate::{
    lies::Lie,
    promises::{Promise, broken},
    speech::{self, Asked, HOST, Place},
};

/// How many requests a history may have. The settings are drawn so that a wait has a few hundred.
const MOST_REQUESTS: usize = 20_000;

/// The line between one client and the service.
pub(in crate::simulate) struct Line {
    pub(super) world: Arc<World>,
    pub(super) client: usize,
}

/// Counts a request as in flight until it is answered or dropped.
struct InFlight<'a> {
    world: &'a World,
    client: usize,
    index: usize,
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        let now = self.world.now();
        let mut state = self.world.lock();
        if let Some(count) = state.in_flight.get_mut(&self.client) {
            *count -= 1;
        }
        let sent = state.sent_at(self.index);
        if sent.answered.is_none() {
            (sent.class, sent.wish, sent.answered) = (Class::Dropped, Wish::None, Some(now));
            (sent.follow, sent.is_end, sent.is_intact) = (false, false, false);
        }
    }
}

impl Transport for Line {
    fn send<'a>(&'a self, request: &'a Request, _max: usize) -> BoxFuture<'a, Result<Reply, TransportError>> {
        Box::pin(self.world.serve(self.client, request))
    }
}

impl World {
    async fn serve(self: &Arc<Self>, client: usize, request: &Request) -> Result<Reply, TransportError> {
        let asked = speech::asked(request);
        let (flight, index, fault, up, down) = self.receive(client, request, asked);
        self.tell(|| format!("client {client} sends {} {} ({fault:?})", request.method(), request.uri()));
        if !up.is_zero() {
            self.clock.sleep(up).await;
        }
        if fault == Fault::Stall || (self.lies(Lie::NeverAnswers) && matches!(asked, Asked::Poll(_))) {
            self.lock().sent_at(index).happened = true;
            Forever.await;
        }
        // A poll that is held is answered when the operation ends, or after the time.
        if let (Asked::Hold(Place::Operation(of), hold), Fault::None | Fault::Stale(_)) = (asked, fault) {
            let now = self.now();
            let ends = self.lock().truths.get(of).map(|truth| truth.ends);
            let hold = hold.min(ends.unwrap_or(now).saturating_sub(now)).min(Duration::from_secs(120));
            if !hold.is_zero() {
                self.clock.sleep(hold).await;
            }
        }
        let answer = self.answer(index, asked, fault, request);
        if !down.is_zero() {
            self.clock.sleep(down).await;
        }
        let now = self.now();
        {
            let mut state = self.lock();
            let sent = state.sent_at(index);
            sent.answered = Some(now);
            let took = now.saturating_sub(sent.at);
            state.longest = state.longest.max(took);
        }
        self.tell(|| match &answer {
            Ok(reply) => {
                let body: String = String::from_utf8_lossy(reply.body()).chars().take(160).collect();
                let mut headers = String::new();
                for (name, value) in reply.headers() {
                    let _ = write!(headers, " {name}: {value:?}");
                }
                format!("client {client} gets {}{headers} {body}", reply.status().as_u16())
            }
            Err(error) => format!("client {client} gets nothing: {error}"),
        });
        // Told before: whoever waits for a thread of the library goes on now, and tells the rest.
        drop(flight);
        answer
    }

    /// Takes a request in: records it and decides what goes wrong with it.
    fn receive(
        &self,
        client: usize,
        request: &Request,
        asked: Asked,
    ) -> (InFlight<'_>, usize, Fault, Duration, Duration) {
        let at = self.now();
        let host = request.uri().host().unwrap_or_default().to_owned();
        if host != HOST {
            broken(Promise::StaysOnItsOrigin, &format!("a request went to `{host}`"));
        }
        if request.headers().get("x-api-key").is_none() {
            broken(Promise::KeepsHeaders, &format!("{} came without the client's header", request.uri()));
        }
        if asked == Asked::Unknown {
            broken(Promise::StaysOnItsOrigin, &format!("{} {} is no request", request.method(), request.uri()));
        }
        let start_id = request.headers().get("operation-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let mut state = self.lock();
        if state.sent.len() > MOST_REQUESTS {
            drop(state);
            broken(Promise::RequestsAreCounted, "a history without end");
        }
        let flights = state.in_flight.entry(client).or_default();
        *flights += 1;
        if *flights > 1 {
            drop(state);
            broken(Promise::OneRequestInFlight, &format!("client {client} has two requests in flight"));
        }
        let fault = self.fault(&mut state, asked, at);
        if let Some(word) = fault.word() {
            state.counts.add(word, 1);
        }
        state.counts.add("requests", 1);
        let index = state.sent.len();
        state.sent.push(Sent {
            client,
            asked,
            at,
            answered: None,
            class: Class::Good,
            wish: Wish::None,
            follow: false,
            is_end: false,
            happened: false,
            is_intact: false,
            start_id,
        });
        if !state.is_calm && state.rng.u32(..40) == 0 {
            let hours = state.rng.i64(-5..=5);
            self.skew.store(hours * 3600, Ordering::Relaxed);
            state.counts.add("clock_jumps", 1);
        }
        let is_quick = state.is_calm || matches!(asked, Asked::Cancel(_));
        let slow = state.weather.slow;
        let mut latency = || {
            let millis = match state.rng.u32(..1000) {
                _ if is_quick => 0,
                n if n < slow => state.rng.u64(..60_000),
                n if n < 500 => 0,
                _ => state.rng.u64(..300),
            };
            Duration::from_millis(millis)
        };
        let (up, down) = (latency(), latency());
        drop(state);
        (InFlight { world: self, client, index }, index, fault, up, down)
    }
}
