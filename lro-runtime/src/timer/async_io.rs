//! The timer of async-io: the default.

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use super::{BoxSleep, Sleep, Timer};
use crate::transport::BoxFuture;

/// The timer of [async-io](https://docs.rs/async-io), the default. Its reactor has a thread of its
/// own, so it works on any executor and on none.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncIoTimer;

impl Timer for AsyncIoTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(AsyncIoSleep(async_io::Timer::after(duration)))
    }

    fn reusable_sleep(&self, duration: Duration) -> Option<BoxSleep> {
        Some(Box::pin(AsyncIoSleep(async_io::Timer::after(duration))))
    }
}

struct AsyncIoSleep(async_io::Timer);

impl Future for AsyncIoSleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(context).map(drop)
    }
}

impl Sleep for AsyncIoSleep {
    fn set(mut self: Pin<&mut Self>, duration: Duration) {
        self.0.set_after(duration);
    }
}
