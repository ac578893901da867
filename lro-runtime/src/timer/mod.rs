//! Timers: the only code that reads a clock or sleeps, and its adapters.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use crate::transport::BoxFuture;

#[cfg(feature = "smol")]
mod async_io;
pub(crate) mod background;
pub(crate) mod limit;
pub(crate) mod park;
mod queue;
#[cfg(feature = "hyper")]
mod reactor;
#[cfg(feature = "smol")]
mod sleepers;
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
    ///
    /// It is the delay between two polls, and the time limit of every request: of a poll, of a
    /// start call, of a list, cancel or delete call. Most limits are not reached, so most sleeps
    /// are dropped before they are ready, and give back what they hold then: a sleep that leaves a
    /// thread behind leaves one for each request. A limit that ends early is taken at its word: the
    /// request has timed out.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// Returns a [`Sleep`] of `duration`, which a wait sets anew for each of its delays. Default:
    /// `None`, and every delay is a [`sleep`](Self::sleep) of its own.
    ///
    /// A timer that has one saves an allocation per poll. It is called where the wait is polled, so
    /// it may need what the executor brings. A timer that returns the sleeps of another, with a
    /// clock of its own, wraps them: they are set by what its [`now`](Self::now) returns.
    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        let _ = duration;
        None
    }

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

/// A sleep that can be set anew, instead of making another one: what a [`Timer`] returns from
/// [`reusable_sleep`](Timer::reusable_sleep).
///
/// It is ready once its time has passed. It is then not polled again before it is set anew.
///
/// ```
/// use std::{
///     future::Future,
///     pin::Pin,
///     task::{Context, Poll},
///     time::{Duration, Instant},
/// };
/// use lro_runtime::{
///     Timer,
///     timer::{BoxSleep, Sleep},
///     transport::BoxFuture,
/// };
///
/// struct Smol;
///
/// impl Timer for Smol {
///     fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
///         Box::pin(SmolSleep(async_io::Timer::after(duration)))
///     }
///
///     fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
///         Some(Box::pin(SmolSleep(async_io::Timer::after(duration))))
///     }
/// }
///
/// struct SmolSleep(async_io::Timer);
///
/// impl Future for SmolSleep {
///     type Output = ();
///
///     fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
///         Pin::new(&mut self.0).poll(context).map(drop)
///     }
/// }
///
/// impl Sleep for SmolSleep {
///     fn set(mut self: Pin<&mut Self>, duration: Duration) {
///         self.0.set_after(duration);
///     }
///
///     fn set_from(mut self: Pin<&mut Self>, now: Instant, duration: Duration) {
///         match now.checked_add(duration) {
///             Some(end) => self.0.set_at(end),
///             None => self.0.clear(), // further away than an `Instant` can tell
///         }
///     }
/// }
/// ```
pub trait Sleep: Future<Output = ()> + Send {
    /// Sets the sleep anew: it is ready once `duration` has passed from now, whether it was ready
    /// before or not.
    fn set(self: Pin<&mut Self>, duration: Duration);

    /// Sets the sleep anew: it is ready once `duration` has passed from `now`, which is what the
    /// clock of its [`Timer`] said a moment ago. Default: [`set`](Self::set), and the sleep ends
    /// later by that moment.
    ///
    /// A sleep that has it reads no clock, and delays are exact.
    fn set_from(self: Pin<&mut Self>, now: Instant, duration: Duration) {
        let _ = now;
        self.set(duration);
    }
}

/// The boxed [`Sleep`] that a [`Timer`] returns.
pub type BoxSleep = Pin<Box<dyn Sleep>>;

impl<F, S> Timer for F
where
    F: Fn(Duration) -> S + Send + Sync + 'static,
    S: Future<Output = ()> + Send + 'static,
{
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(self(duration))
    }
}

// All methods are passed on: with a default one, a virtual clock in an `Arc` would tell the
// machine's time.
impl<T: Timer + ?Sized> Timer for Arc<T> {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        (**self).sleep(duration)
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        (**self).reusable_sleep(duration)
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
