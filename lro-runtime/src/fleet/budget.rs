//! How much an origin may be asked.

/// How many requests an origin may get: at most `rate` a second and `burst` at once, so that in any
/// window of `w` seconds there are at most `rate × w + burst`; and at most `concurrency` in flight.
#[derive(Clone, Copy, Debug, PartialEq)]
#[must_use]
pub struct Budget {
    pub(super) rate: f64,
    pub(super) burst: u32,
    pub(super) concurrency: u32,
}

impl Budget {
    /// A budget of so many requests per second, with a burst of a second's requests, at least one,
    /// and 64 in flight.
    pub fn per_origin(rate: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it saturates, and zero is refused"
        )]
        Self { rate, burst: rate.ceil().max(1.0) as u32, concurrency: 64 }
    }

    /// Sets how many requests may be sent at once after a time without any.
    pub fn burst(mut self, requests: u32) -> Self {
        self.burst = requests;
        self
    }

    /// Sets how many requests may be in flight.
    pub fn concurrency(mut self, requests: u32) -> Self {
        self.concurrency = requests;
        self
    }

    /// Checks the budget. An error says which value is illegal, and what is legal.
    pub(super) fn validate(&self) -> Result<(), String> {
        let Self { rate, burst, concurrency } = self;
        if !(rate.is_finite() && *rate >= 1e-6) {
            return Err(format!(
                "the budget's rate is {rate} requests per second: must be at least one in 11 days (1e-6)"
            ));
        }
        for (name, value) in [("burst", burst), ("concurrency", concurrency)] {
            if *value == 0 {
                return Err(format!("the budget's {name} is 0: must be at least 1"));
            }
        }
        Ok(())
    }
}
