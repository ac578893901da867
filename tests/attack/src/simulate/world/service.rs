//! The service: does what is asked, and answers as well as the weather lets it.

use std::time::Duration;

use fastrand::Rng;
use lro_runtime::{
    Timer as _,
    transport::{Reply, Request, TransportError, TransportErrorKind},
};

use super::{
    World, WorldState, pick,
    record::{Class, Wish},
    weather::Fault,
};
use crate::simulate::{
    SECRET_IN_HEADER,
    lies::Lie,
    speech::{self, Asked, Place, Said, Tongue},
    truth::{End, Stage, Truth},
};

impl World {
    /// Lets the service do what is asked, and makes the answer.
    pub(super) fn answer(
        &self,
        index: usize,
        asked: Asked,
        fault: Fault,
        request: &Request,
    ) -> Result<Reply, TransportError> {
        let now = self.now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let fails = |kind| Err(TransportError::message(kind, "simulated"));
        let reaches = !matches!(fault, Fault::Refused | Fault::Status(429 | 503) | Fault::Forbidden);
        // A server that breaks may have done the work before.
        let happens = reaches && (!matches!(fault, Fault::Status(_)) || state.rng.bool());
        state.sent_at(index).happened = reaches;
        let said = if happens { self.said(state, asked, fault, now, request) } else { None };
        let sent = state.sent_at(index);
        let class = match fault {
            Fault::Refused | Fault::Status(429 | 503) => Class::Origin,
            Fault::Reset | Fault::Stall | Fault::Status(_) => Class::Own,
            Fault::Forbidden => Class::Permanent,
            Fault::Garbage(_) => Class::Garbage,
            Fault::Astray => Class::Astray,
            Fault::None | Fault::Stale(_) | Fault::Redirect => Class::Good,
        };
        sent.class = class;
        let mut reply = match (fault, said) {
            (Fault::Refused, _) => return fails(TransportErrorKind::Connect),
            (Fault::Reset | Fault::Stall, _) => return fails(TransportErrorKind::Closed),
            (Fault::Status(status), _) => speech::error(self.tongue, status, "try again"),
            (Fault::Forbidden, _) => speech::error(self.tongue, 403, "not yours"),
            (Fault::Garbage(kind), Some(said)) => speech::garbage(kind, &said.reply),
            (Fault::Redirect, Some(_)) => {
                sent.follow = true;
                let path = request.uri().path().trim_end_matches("/on").to_owned() + "/on";
                speech::with(speech::reply(307, ""), "location", &path)
            }
            (Fault::Astray, Some(_)) => {
                let url = format!("https://elsewhere.example.net{}", request.uri().path());
                speech::with(speech::reply(307, ""), "location", &url)
            }
            (_, Some(said)) => {
                (sent.is_end, sent.follow, sent.is_intact) = (said.is_end, said.follow, true);
                said.reply
            }
            (_, None) => {
                sent.class = if self.tongue == Tongue::Waiter { Class::Good } else { Class::Missing };
                speech::error(
                    self.tongue,
                    404,
                    if self.lies(Lie::EchoesSecrets) { SECRET_IN_HEADER } else { "no such operation" },
                )
            }
        };
        let mut wish = Wish::None;
        if !state.is_calm && state.rng.u32(..1000) < state.weather.hints {
            let (value, meant) = match state.rng.u32(..10) {
                0 => ("0".to_owned(), Wish::After(Duration::ZERO)),
                1 => ("-5".to_owned(), Wish::After(Duration::ZERO)),
                2 => ("1e300".to_owned(), Wish::Odd),
                3 => (format!("1{}", "0".repeat(300)), Wish::Odd),
                4 => {
                    let at = self.clock.system_time() + Duration::from_secs(state.rng.u64(..300));
                    (httpdate::fmt_http_date(at), Wish::Odd)
                }
                5 => ("Thu, 01 Jan 1970 00:00:00 GMT".to_owned(), Wish::Odd),
                _ => {
                    let seconds = state.rng.u64(..120);
                    (seconds.to_string(), Wish::After(Duration::from_secs(seconds)))
                }
            };
            reply = speech::with(reply, "retry-after", &value);
            wish = meant;
        }
        state.sent_at(index).wish = wish;
        Ok(reply)
    }

    /// Does what is asked. `None` if the operation is not found.
    fn said(
        &self,
        state: &mut WorldState,
        asked: Asked,
        fault: Fault,
        now: Duration,
        request: &Request,
    ) -> Option<Said> {
        let tongue = self.tongue;
        match asked {
            Asked::Start(start) => {
                let id = request.headers().get("operation-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
                let known = state.truths.iter().position(|truth| truth.id == id && id.is_some());
                let of = known.unwrap_or_else(|| {
                    let truth = self.begin(state, start, id, now);
                    state.truths.push(truth);
                    state.truths.len() - 1
                });
                let stands = state.truths.get(of)?.stage(now);
                Some(speech::started(tongue, self.accent, of, stands))
            }
            Asked::Poll(place) | Asked::Hold(place, _) => {
                let of = match place {
                    Place::Operation(of) | Place::Result(of) => of,
                    Place::Made(start) => state.truths.iter().rposition(|truth| truth.start == start)?,
                };
                let count = state.truths.len();
                let truth = state.truths.get(of).filter(|truth| truth.is_known(now))?;
                let mut at = match fault {
                    Fault::Stale(lag) => now.saturating_sub(lag).max(truth.created),
                    _ => now,
                };
                if self.lies(Lie::EndsEarly) {
                    at = at.saturating_add(Duration::from_secs(7));
                }
                let mut stands = truth.stage(at);
                if let Stage::Ended(End::Failed) = stands
                    && self.lies(Lie::EndsOtherwise)
                {
                    stands = Stage::Ended(End::Succeeded);
                }
                let of = if self.lies(Lie::SwapsOperations) && count > 1 { (of + 1) % count } else { of };
                Some(speech::polled(tongue, self.accent, place, of, stands))
            }
            Asked::Cancel(place) => {
                let Place::Operation(of) = place else { return None };
                let takes = Duration::from_millis(state.rng.u64(..20_000));
                let heeds = state.rng.u32(..3) > 0 && tongue.ends().contains(&End::Cancelled);
                let truth = state.truths.get_mut(of).filter(|truth| truth.is_known(now))?;
                if heeds {
                    truth.cancel(now, takes);
                }
                Some(Said { reply: speech::cancelled(tongue), is_end: false, follow: false })
            }
            Asked::List => {
                let known = state.truths.iter().enumerate().filter(|(_, truth)| truth.is_known(now));
                let listed: Vec<_> = known.map(|(of, truth)| (of, truth.stage(now))).take(12).collect();
                Some(Said { reply: speech::listed(tongue, &listed), is_end: false, follow: false })
            }
            Asked::Unknown => None,
        }
    }

    /// Makes a new operation.
    fn begin(&self, state: &mut WorldState, start: usize, id: Option<String>, now: Duration) -> Truth {
        let rng = &mut state.rng;
        let millis = |rng: &mut Rng, most: u64| Duration::from_millis(rng.u64(..=most));
        let lag = if rng.u32(..4) == 0 { millis(rng, 8_000) } else { Duration::ZERO };
        let queued = *pick(rng, &[0, 0, 5_000, 60_000]);
        let runs = now + millis(rng, queued);
        let longest = *pick(rng, &[0, 5_000, 60_000, 600_000, 7_200_000, 86_400_000]);
        // A service that forgets an end after seconds is polled every few of them.
        let longest = if self.tongue.remembers().is_some() { longest.min(1_200_000) } else { longest };
        let ends = runs + millis(rng, longest);
        let end = *pick(rng, self.tongue.ends());
        let kept = self.tongue.remembers().or_else(|| {
            (rng.u32(..6) == 0).then(|| {
                let kept = *pick(rng, &[20_000, 3_600_000]);
                millis(rng, kept)
            })
        });
        // To a waiter that is told to wait for what is not there, what is gone may yet come.
        let kept = kept.filter(|_| self.tongue != Tongue::Waiter);
        state.counts.add("operation_seconds", ends.saturating_sub(now).as_secs());
        state.counts.add("operations", 1);
        Truth {
            start,
            id,
            created: now,
            visible: now + lag,
            runs,
            ends,
            end,
            expires: kept.map(|kept| ends.max(now + lag) + kept),
        }
    }
}
