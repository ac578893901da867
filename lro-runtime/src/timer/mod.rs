//! Timers: the only code that reads a clock or sleeps, and its adapters.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use crate::transport::BoxFuture;

#[cfg(feature = "smol")]
mod async_io;
pub(crate) mod background;
pub(crate) mod park;
mod queue;
#[cfg(feature = "hyper")]
mod reactor;
#[cfg(feature = "tokio")]
mod tokio;

#[cfg(feature = "smol")]
pub use self::async_io::AsyncIoTimer;
#[cfg(feature = "tokio")]
pub use self::tokio::TokioTimer;

/// The timer that a call brings instead of the client's; `None` for the client's.
pub(crate) type TimerOverride = Option<Arc<dyn Timer>>;

/// Tells the time and sleeps.
///
/// The engine reads no clock: it knows only the times that a timer gives it. A timer that sleeps on
/// a clock of its own must also tell the time of that clock.
///
/// A closure that returns a future is a timer, with the machine's clocks:
///
/// ```
/// use std::time::Duration;
///
/// fn takes_a_timer(_timer: impl lro_runtime::Timer) {}
/// takes_a_timer(|duration: Duration| async move {
///     async_io::Timer::after(duration).await;
/// });
/// ```
pub trait Timer: Send + Sync + 'static {
    /// Returns a future that is ready once `duration` has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Returns the monotonic time, for delays and deadlines. Default: `Instant::now()`.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// Returns the time of the wall clock, for server hints that are dates and for the age of a
    /// token. Default: `SystemTime::now()`.
    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Whether this timer's clock is not the machine's. Default: `false`.
    ///
    /// The blocking calls wait by parking their thread, which needs no executor and no reactor.
    /// Parking takes real time, so with a virtual clock they use [`sleep`](Self::sleep) instead.
    fn is_virtual(&self) -> bool {
        false
    }
}

impl<F, S> Timer for F
where
    F: Fn(Duration) -> S + Send + Sync + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self(duration))
    }
}

// All four methods are passed on: with a default one, a virtual clock in an `Arc` would tell the
// machine's time.
impl<T: Timer + ?Sized> Timer for Arc<T> {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        (**self).sleep(duration)
    }

    fn now(&self) -> Instant {
        (**self).now()
    }

    fn system_time(&self) -> SystemTime {
        (**self).system_time()
    }

    fn is_virtual(&self) -> bool {
        (**self).is_virtual()
    }
}
