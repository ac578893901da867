//! The timer of async-io: the default.

use std::time::Duration;

use super::Timer;
use crate::transport::BoxFuture;

/// The timer of [async-io](https://docs.rs/async-io), the default. Its reactor has a thread of its
/// own, so it works on any executor and on none.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsyncIoTimer;

impl Timer for AsyncIoTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            async_io::Timer::after(duration).await;
        })
    }
}
