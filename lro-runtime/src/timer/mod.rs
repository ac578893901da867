//! Timers: the only place where time passes.

use std::{
    future::Future,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use crate::transport::BoxFuture;

#[cfg(feature = "smol")]
mod async_io;
pub(crate) mod park;
#[cfg(feature = "tokio")]
mod tokio;

#[cfg(feature = "smol")]
pub use self::async_io::AsyncIoTimer;
#[cfg(feature = "tokio")]
pub use self::tokio::TokioTimer;

/// The timer that a call brings instead of the client's.
pub(crate) type OwnTimer = Option<Arc<dyn Timer>>;

/// Tells the time and sleeps. The engine never reads a clock: what a timer says is all it knows.
///
/// A closure is a timer too:
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
    /// A future that is ready once `duration` has passed.
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()>;

    /// The monotonic time: delays and deadlines.
    fn now(&self) -> Instant {
        Instant::now()
    }

    /// The wall clock: server hints that are dates, and the age of a token.
    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    /// Whether time here is not the machine's. The blocking calls wait by parking their thread, which needs no executor and no
    /// reactor; with a virtual clock they ask [`sleep`](Self::sleep) instead.
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
