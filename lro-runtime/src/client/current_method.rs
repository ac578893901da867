//! Which annotated method is starting an operation: known to the start call without the author passing it on.

use std::{
    cell::Cell,
    future::{Future, poll_fn},
    pin::pin,
};

use crate::operation::Method;

thread_local! {
    static CURRENT: Cell<Option<&'static Method>> = const { Cell::new(None) };
}

/// The method whose body is being polled on this thread.
pub(crate) fn current() -> Option<&'static Method> {
    CURRENT.with(Cell::get)
}

/// Puts the outer method back, also when the body panics.
struct Restore(Option<&'static Method>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.with(|current| current.set(self.0));
    }
}

/// Polls `body` as the body of `method`.
pub(crate) async fn within<F: Future>(method: &'static Method, body: F) -> F::Output {
    let mut body = pin!(body);
    poll_fn(|context| {
        let _restore = Restore(CURRENT.with(|current| current.replace(Some(method))));
        body.as_mut().poll(context)
    })
    .await
}
