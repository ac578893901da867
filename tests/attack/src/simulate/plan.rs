//! The settings of a wait, as a history draws them and as its checks know them.

use std::time::Duration;

use lro_runtime::{ErrorBudget, Failure, HintPolicy, Jitter, PollSettings, Verdict};

use super::{
    lies::Lie,
    world::{Wish, World},
};

/// Settings whose every value is known.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) delay: Duration,
    pub(super) multiplier: f64,
    pub(super) max_delay: Duration,
    pub(super) jitter: Jitter,
    pub(super) timeout: Option<Duration>,
    /// The bounds of hints; `None` if they are ignored.
    pub(super) hint: Option<(Duration, Duration)>,
    pub(super) poll_timeout: Duration,
    pub(super) failures: u32,
    pub(super) elapsed: Duration,
    pub(super) error_delay: Duration,
    pub(super) error_max: Duration,
    /// Whether failures of the origin are counted as all others.
    pub(super) counts_origin: bool,
    pub(super) grace: Duration,
    pub(super) hold: Option<Duration>,
    /// Whether the library is told a time of the wall clock instead of a timeout.
    pub(super) by_wall_clock: bool,
    pub(super) seed: u64,
}

impl Plan {
    pub(super) fn draw(world: &World) -> Self {
        let secs = Duration::from_secs;
        let timeouts = [Some(0), Some(1), Some(30), Some(300), Some(3600), Some(90_000), None];
        let timeout = world.pick(&timeouts, None).map(secs);
        let timeout = timeout.map(|timeout| timeout + Duration::from_millis(u64::from(world.draw(1000))));
        // A wait is to have about a hundred polls at most.
        let grain = timeout.unwrap_or(secs(90_000)) / 60;
        let delay = world.pick(&[1, 100, 1_000, 5_000, 30_000], 1_000);
        let delay = if grain > secs(30) { delay.max(1000) } else { delay };
        let delay = Duration::from_millis(delay).max(grain / 20);
        let failures = world.pick(&[0, 1, 3, 8], 8);
        let error_delay = Duration::from_millis(world.pick(&[100, 1_000, 5_000], 1_000)).max(grain / 20);
        Self {
            delay,
            multiplier: world.pick(&[1.5, 2.0, 10.0], 2.0),
            max_delay: delay.max(grain),
            jitter: world.pick(&[Jitter::None, Jitter::None, Jitter::Equal, Jitter::Full], Jitter::None),
            timeout,
            hint: (world.draw(5) > 0).then(|| (Duration::from_millis(100).max(grain / 10), secs(600).max(grain))),
            poll_timeout: world.pick(&[secs(30), secs(10), secs(1)], secs(30)),
            failures,
            elapsed: world.pick(&[secs(300), secs(30)], secs(300)),
            error_delay,
            error_max: error_delay.max(grain).max(secs(20)),
            // A budget of zero forgives nothing, and so neither what is the origin's.
            counts_origin: failures == 0 || world.draw(6) == 0,
            grace: world.pick(&[secs(10), secs(0), secs(60)], secs(10)),
            hold: (world.tongue.has_held_polls() && world.draw(5) == 0).then(|| secs(u64::from(1 + world.draw(100)))),
            by_wall_clock: world.draw(6) == 0,
            seed: u64::from(world.draw(u32::MAX)),
        }
    }

    /// The settings for the library.
    pub(super) fn settings(&self, world: &World) -> PollSettings {
        let told = self.told(world);
        let settings = match told.timeout {
            Some(timeout) if told.by_wall_clock => told.honest().with_deadline(world.system_time() + timeout),
            _ => told.honest(),
        };
        if world.lies(Lie::NeverStops) {
            return settings.with_failure_policy(|_: &Failure| Verdict::Retry);
        }
        if world.lies(Lie::AlwaysStops) {
            return settings.with_failure_policy(|_: &Failure| Verdict::Stop);
        }
        settings
    }

    /// The plan that the library is told.
    fn told(mut self, world: &World) -> Self {
        let secs = Duration::from_secs;
        match world.lie() {
            Some(Lie::PollsSooner) => (self.delay, self.max_delay) = (self.delay / 2, self.max_delay / 2),
            Some(Lie::PollsLater) => (self.delay, self.max_delay) = (self.delay * 2, self.max_delay * 2),
            Some(Lie::IgnoresHints) => self.hint = None,
            Some(Lie::ExpiresLater) => self.timeout = self.timeout.map(|timeout| timeout + secs(5)),
            Some(Lie::ExpiresSooner) => self.timeout = self.timeout.map(|timeout| timeout / 2),
            Some(Lie::ForgivesMore) => self.failures += 1,
            Some(Lie::ForgivesLess) => self.failures = self.failures.saturating_sub(1),
            Some(Lie::CountsTheOrigin) => self.counts_origin = true,
            Some(Lie::HasNoGrace) => self.grace = secs(0),
            Some(Lie::HasMuchGrace) => self.grace = secs(3600),
            _ => {}
        }
        self.delay = self.delay.max(Duration::from_millis(1));
        self.max_delay = self.max_delay.max(self.delay);
        self
    }

    fn honest(&self) -> PollSettings {
        let budget = ErrorBudget::new(self.failures)
            .with_elapsed(self.elapsed)
            .with_delay(self.error_delay)
            .with_max_delay(self.error_max);
        let budget = if self.counts_origin { budget.with_origin_counted() } else { budget.with_origin_forgiven() };
        let settings = PollSettings::default()
            .with_delay(self.delay)
            .with_multiplier(self.multiplier)
            .with_max_delay(self.max_delay)
            .with_jitter(self.jitter)
            .with_seed(self.seed)
            .with_poll_timeout(self.poll_timeout)
            .with_error_budget(budget)
            .with_not_found_grace(self.grace);
        let settings = match self.timeout {
            Some(timeout) => settings.with_timeout(timeout),
            None => settings.without_expiration(),
        };
        let settings = match self.hint {
            Some((floor, ceiling)) => settings.with_hint(floor..=ceiling),
            None => settings.with_hint(HintPolicy::Ignore),
        };
        match self.hold {
            Some(hold) => settings.with_long_poll(hold),
            None => settings,
        }
    }

    /// The least and the most delay after a reply that says how the operation stands, where
    /// `computed` is one that the hint does not replace.
    fn hinted(&self, wish: Wish, computed: (Duration, Duration)) -> (Duration, Duration) {
        match (self.hint, wish) {
            (None, _) | (_, Wish::None) => computed,
            (Some((floor, ceiling)), Wish::After(wish)) => (wish.clamp(floor, ceiling), wish.clamp(floor, ceiling)),
            (Some(bounds), Wish::Odd) => bounds,
        }
    }

    /// The least and the most delay after a good reply.
    pub(super) fn after_reply(&self, wish: Wish) -> (Duration, Duration) {
        let least = match self.jitter {
            Jitter::Equal => self.delay / 2,
            Jitter::Full => Duration::from_millis(1),
            _ => self.delay,
        };
        self.hinted(wish, (least, self.max_delay))
    }

    /// The least and the most delay after a failure. What is left of the budget may cut it.
    pub(super) fn after_failure(&self, wish: Wish, may_be_cut: bool) -> (Duration, Duration) {
        let least = if may_be_cut { Duration::from_millis(1) } else { self.error_delay };
        self.hinted(wish, (least, self.error_max))
    }
}
