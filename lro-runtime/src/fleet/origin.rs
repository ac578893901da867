//! What one origin may be asked: a budget of requests, and what its answers have taught about it.
//!
//! A throttle or an outage is the origin's, not an operation's. It is learned here, once, and every
//! operation of the origin waits; none of them pays for it.

use std::time::Duration;

use super::{
    budget::Budget,
    moment::{Moment, approximately},
};

const SECOND: i64 = 1_000_000_000;

/// The share of the burst that only urgent requests may use. The rate is the same for all: what is
/// held back is a head start, not a part of what is sent.
const HELD_BACK: f64 = 0.1;

/// How many requests in a row must not have reached the origin before it counts as down.
const DOWN_AFTER: u32 = 3;

/// The delays between probes of an origin that is down: the first, and the longest.
const FIRST_PROBE: i64 = SECOND;
const LAST_PROBE: i64 = 60 * SECOND;

/// What a throttle without a hint leaves of the rate, and how much of the whole rate comes back
/// with each second of good answers.
const THROTTLED: f64 = 0.5;
const REGAINED_PER_SECOND: f64 = 0.05;

/// The longest pause that an origin is granted: one that asks for more is asked again, and says so
/// again.
const LONGEST_PAUSE: i64 = 600 * SECOND;

/// The least rate that throttles leave, in requests per second, unless the budget is less.
const LEAST_RATE: f64 = 1.0;

/// Why an origin is asked nothing for now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// The budget is spent for the moment.
    Budget,
    /// As many requests are in flight as may be.
    Concurrency,
    /// The origin has asked for a pause.
    Throttled,
    /// The origin is not reached.
    Down,
}

/// Whether a request may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Permit {
    Now,
    /// Not before this time.
    At(Moment, Why),
    /// Not before another one has ended.
    Later,
}

/// What a request taught about its origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lesson {
    /// It answered. What it said is the operation's.
    Answered,
    /// It refused, because it was asked too often. With its hint, if it gave one.
    Throttled(Option<Duration>),
    /// It was not reached: refused, cut off, or out of time.
    Unreached,
    /// Nothing: the request was given up before it was answered.
    Nothing,
}

pub(super) struct Origin {
    budget: Budget,
    /// The bucket: a request takes a token, and as many come back each second as the rate says.
    tokens: f64,
    /// The part of the rate that throttles have left.
    left: f64,
    /// When `tokens` and `left` were as they are told here.
    told_at: Moment,
    /// When a throttle without a hint was last obeyed.
    slowed_at: Moment,
    paused_until: Moment,
    in_flight: u32,
    /// Requests in a row that did not reach the origin.
    unreached: u32,
    /// When an origin that is down is probed next, and the delay after that.
    probe: Option<Probe>,
}

struct Probe {
    at: Moment,
    delay: i64,
    is_in_flight: bool,
    down_since: Moment,
}

impl Origin {
    /// An origin that was not asked anything yet, with a full bucket.
    pub(super) fn new(budget: Budget, now: Moment) -> Self {
        Self {
            budget,
            tokens: f64::from(budget.burst),
            left: 1.0,
            told_at: now,
            slowed_at: Moment::MIN,
            paused_until: Moment::MIN,
            in_flight: 0,
            unreached: 0,
            probe: None,
        }
    }

    /// Returns whether a request may be sent now, or when to ask again.
    pub(super) fn permit(&self, now: Moment, is_urgent: bool) -> Permit {
        match &self.probe {
            Some(probe) if probe.is_in_flight => return Permit::Later,
            Some(probe) if now < probe.at => return Permit::At(probe.at, Why::Down),
            _ => {}
        }
        if now < self.paused_until {
            return Permit::At(self.paused_until, Why::Throttled);
        }
        if self.in_flight >= self.budget.concurrency {
            return Permit::Later;
        }
        let held_back =
            if is_urgent || self.probe.is_some() { 0.0 } else { (f64::from(self.budget.burst) * HELD_BACK).floor() };
        let missing = held_back + 1.0 - self.tokens(now);
        if missing <= ROUNDED {
            return Permit::Now;
        }
        // Not later than that: the rate only grows until then.
        Permit::At(now.saturating_add(nanos(missing / self.rate(now)).max(1)), Why::Budget)
    }

    /// Counts a request that is sent now. It was permitted.
    pub(super) fn sent(&mut self, now: Moment) {
        self.in_flight += 1;
        self.tell(now);
        self.tokens = (self.tokens - 1.0).max(0.0);
        if let Some(probe) = &mut self.probe {
            probe.is_in_flight = true;
        }
    }

    /// Learns from a request that has ended. Each that was sent ends once.
    pub(super) fn ended(&mut self, now: Moment, lesson: Lesson) {
        self.in_flight = self.in_flight.saturating_sub(1);
        match lesson {
            Lesson::Nothing => {
                if let Some(probe) = &mut self.probe {
                    probe.is_in_flight = false;
                }
            }
            Lesson::Answered => self.reached(now),
            Lesson::Throttled(hint) => {
                self.reached(now);
                match hint {
                    Some(hint) => self.pause(now, i64::try_from(hint.as_nanos()).unwrap_or(i64::MAX)),
                    None => self.slow_down(now),
                }
            }
            Lesson::Unreached => self.not_reached(now),
        }
    }

    /// How much more is asked than may be: `wanted` requests per second, by the rate that there is.
    pub(super) fn saturation(&self, now: Moment, wanted: f64) -> f64 {
        wanted / self.rate(now)
    }

    /// Returns since when the origin is down.
    pub(super) fn down_since(&self) -> Option<Moment> {
        self.probe.as_ref().map(|probe| probe.down_since)
    }

    /// Returns why nothing but what is urgent is sent now, and until when if that is known.
    pub(super) fn blocked(&self, now: Moment) -> Option<(Why, Option<Moment>)> {
        match self.permit(now, false) {
            Permit::Now => None,
            Permit::At(at, why) => Some((why, Some(at))),
            Permit::Later if self.probe.is_some() => Some((Why::Down, None)),
            Permit::Later => Some((Why::Concurrency, None)),
        }
    }

    pub(super) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The part of the rate that there is: what throttles left, and what has come back since.
    fn left(&self, now: Moment) -> f64 {
        (self.left + self.since_told(now) * REGAINED_PER_SECOND).min(1.0)
    }

    /// The rate that there is, in requests per second.
    fn rate(&self, now: Moment) -> f64 {
        self.budget.rate * self.left(now)
    }

    fn tokens(&self, now: Moment) -> f64 {
        // The rate grows evenly, so that its mean is that of its ends; or it is whole before.
        let come_back = self.since_told(now) * f64::midpoint(self.rate(self.told_at), self.rate(now));
        (self.tokens + come_back).min(f64::from(self.budget.burst))
    }

    fn since_told(&self, now: Moment) -> f64 {
        seconds(now.saturating_sub(self.told_at).max(0))
    }

    fn tell(&mut self, now: Moment) {
        (self.tokens, self.left, self.told_at) = (self.tokens(now), self.left(now), self.told_at.max(now));
    }

    /// Obeys a throttle that does not say for how long.
    fn slow_down(&mut self, now: Moment) {
        // Several requests are in flight when the origin begins to refuse. They say it once.
        if now.saturating_sub(self.slowed_at) < SECOND {
            return;
        }
        self.tell(now);
        let least = (LEAST_RATE / self.budget.rate).min(1.0);
        (self.left, self.slowed_at) = ((self.left * THROTTLED).max(least), now);
        self.tokens = 0.0;
    }

    fn pause(&mut self, now: Moment, duration: i64) {
        self.tell(now);
        self.paused_until = self.paused_until.max(now.saturating_add(duration.min(LONGEST_PAUSE)));
        // Nothing comes back before its end, so that those who have waited are not sent all at
        // once.
        (self.tokens, self.told_at) = (0.0, self.paused_until);
    }

    fn reached(&mut self, now: Moment) {
        self.unreached = 0;
        if self.probe.take().is_some() {
            self.tell(now);
            self.tokens = 0.0;
        }
    }

    fn not_reached(&mut self, now: Moment) {
        self.unreached = self.unreached.saturating_add(1);
        match &mut self.probe {
            // What was sent before the origin was found down says nothing new.
            Some(probe) if !probe.is_in_flight => {}
            Some(probe) => {
                probe.delay = probe.delay.saturating_mul(2).min(LAST_PROBE);
                (probe.at, probe.is_in_flight) = (now.saturating_add(probe.delay), false);
            }
            None if self.unreached >= DOWN_AFTER => {
                let at = now.saturating_add(FIRST_PROBE);
                self.probe = Some(Probe { at, delay: FIRST_PROBE, is_in_flight: false, down_since: now });
            }
            None => {}
        }
    }
}

/// What rounding may take from a token.
const ROUNDED: f64 = 1e-6;

fn seconds(nanos: i64) -> f64 {
    approximately(nanos.unsigned_abs()) / 1e9
}

/// Returns so many seconds in nanoseconds, rounded up.
#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
fn nanos(seconds: f64) -> i64 {
    (seconds * 1e9).ceil() as i64
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    const MILLI: i64 = SECOND / 1000;

    fn lessons() -> impl Strategy<Value = Lesson> {
        let hint = proptest::option::of((0_u64..40_000).prop_map(Duration::from_millis));
        prop_oneof![
            20 => Just(Lesson::Answered),
            2 => hint.prop_map(Lesson::Throttled),
            3 => Just(Lesson::Unreached),
            1 => Just(Lesson::Nothing),
        ]
    }

    /// Of an origin that is well, or down for long.
    fn answers() -> impl Strategy<Value = Vec<(Lesson, i64)>> {
        prop_oneof![
            3 => vec((lessons(), 0_i64..3_000), 1..60),
            1 => vec((Just(Lesson::Unreached), 0_i64..3_000), 1..60),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_window_has_more_requests_than_the_budget_and_none_is_sent_in_a_pause(
            rate in (-1.3_f64..2.3).prop_map(|digits| 10_f64.powf(digits)), burst in 1_u32..60, concurrency in 1_u32..20,
            answers in answers(), urgent in 0_u32..5, gap in 1_i64..400
        ) {
            let budget = Budget { rate, burst, concurrency };
            let mut origin = Origin::new(budget, 0);
            let (mut now, mut sent, mut in_flight) = (0, Vec::<i64>::new(), Vec::<(i64, Lesson)>::new());
            let mut paused_until = 0;
            for n in 0..600_u32 {
                in_flight.sort_unstable_by_key(|(at, _)| std::cmp::Reverse(*at));
                while let Some((at, lesson)) = in_flight.pop_if(|(at, _)| *at <= now) {
                    origin.ended(at, lesson);
                    if let Lesson::Throttled(Some(hint)) = lesson {
                        paused_until = paused_until.max(at + i64::try_from(hint.as_nanos()).unwrap());
                    }
                }
                match origin.permit(now, urgent > 0 && n % urgent == 0) {
                    Permit::Now => {
                        prop_assert!(now >= paused_until);
                        origin.sent(now);
                        sent.push(now);
                        let (lesson, after) = answers[sent.len() % answers.len()];
                        in_flight.push((now + after * MILLI, lesson));
                        prop_assert!(origin.in_flight() <= concurrency);
                    }
                    Permit::At(at, _) => {
                        prop_assert!(at > now, "a time to ask again at lies ahead");
                        now = at.min(in_flight.iter().map(|(at, _)| *at).min().unwrap_or(at)).max(now + 1);
                    }
                    Permit::Later => {
                        prop_assert!(!in_flight.is_empty(), "another one can end");
                        now = in_flight.iter().map(|(at, _)| *at).min().unwrap().max(now + 1);
                    }
                }
                if n % 7 == 0 {
                    now += gap * MILLI;
                }
            }
            for (from, first) in sent.iter().enumerate() {
                for (count, last) in (1_u32..).zip(&sent[from..]) {
                    let most = rate * (last - first) as f64 / SECOND as f64 + f64::from(burst);
                    prop_assert!(f64::from(count) <= most + 1e-3, "{count} of {most} in {} s", (last - first) / SECOND);
                }
            }
        }
    }

    /// Sends whatever is permitted for so long, with answers that take no time. Returns how many
    /// were sent.
    fn saturate(origin: &mut Origin, from: Moment, to: Moment, mut answer: impl FnMut(Moment) -> Lesson) -> u32 {
        let (mut now, mut sent) = (from, 0);
        while now < to {
            match origin.permit(now, false) {
                Permit::Now => {
                    origin.sent(now);
                    origin.ended(now, answer(now));
                    sent += 1;
                }
                Permit::At(at, _) => now = at,
                Permit::Later => unreachable!("nothing is in flight"),
            }
        }
        sent
    }

    #[test]
    fn a_quota_is_used_to_two_per_cent_for_an_hour() {
        let mut origin = Origin::new(Budget::per_origin(25.0), 0);
        let sent = saturate(&mut origin, 0, 3600 * SECOND, |_| Lesson::Answered);
        assert!((88_200..=91_800).contains(&sent), "{sent} of 90000");
    }

    #[test]
    fn throttles_halve_the_rate_and_good_answers_bring_it_back() {
        let mut origin = Origin::new(Budget::per_origin(100.0), 0);
        saturate(&mut origin, 0, 10 * SECOND, |_| Lesson::Answered);
        origin.sent(10 * SECOND);
        origin.ended(10 * SECOND, Lesson::Throttled(None));
        let next = saturate(&mut origin, 10 * SECOND, 11 * SECOND, |_| Lesson::Answered);
        // The bucket is empty, and its first tokens are held back.
        assert!((40..=54).contains(&next), "{next}");
        saturate(&mut origin, 11 * SECOND, 20 * SECOND, |_| Lesson::Answered);
        let later = saturate(&mut origin, 20 * SECOND, 30 * SECOND, |_| Lesson::Answered);
        assert!((990..=1010).contains(&later), "{later}");
    }

    #[test]
    fn an_origin_that_is_down_gets_one_probe_at_a_time_at_growing_delays() {
        let mut origin = Origin::new(Budget::per_origin(100.0), 0);
        let mut probes = Vec::new();
        saturate(&mut origin, 0, 200 * SECOND, |now| {
            probes.push(now / SECOND);
            Lesson::Unreached
        });
        assert_eq!(probes, [0, 0, 0, 1, 3, 7, 15, 31, 63, 123, 183]);
        assert!(origin.down_since().is_some());
        let sent = saturate(&mut origin, 243 * SECOND, 253 * SECOND, |_| Lesson::Answered);
        assert!((950..=1000).contains(&sent), "no herd after an outage: {sent}");
    }

    #[test]
    fn a_pause_for_years_is_not_granted() {
        let mut origin = Origin::new(Budget::per_origin(20.0), 0);
        origin.sent(0);
        origin.ended(0, Lesson::Throttled(Some(Duration::MAX)));
        assert_eq!(origin.permit(0, false), Permit::At(LONGEST_PAUSE, Why::Throttled));
    }

    #[test]
    fn a_last_look_finds_room_where_others_have_used_what_is_theirs() {
        let mut origin = Origin::new(Budget::per_origin(20.0), 0);
        while origin.permit(0, false) == Permit::Now {
            origin.sent(0);
            origin.ended(0, Lesson::Answered);
        }
        assert_eq!(origin.permit(0, true), Permit::Now);
    }

    #[test]
    fn a_budget_that_lets_nothing_through_is_refused_with_what_is_legal() {
        assert!(Budget::per_origin(0.0).validate().unwrap_err().contains("rate is 0"));
        assert!(Budget::per_origin(f64::NAN).validate().unwrap_err().contains("at least"));
        assert!(Budget::per_origin(5.0).burst(0).validate().unwrap_err().contains("burst is 0"));
        assert!(Budget::per_origin(5.0).concurrency(0).validate().unwrap_err().contains("concurrency is 0"));
        assert_eq!(Budget::per_origin(5.0).validate(), Ok(()));
    }
}
