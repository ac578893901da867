//! The annotated method that is starting an operation, found by its start call without a parameter.
//!
//! The body of an annotated method calls `self.operations.post(…)`, which has no parameter for the
//! method: the author writes nothing but the attribute. The start call still needs the method's
//! dialect and options before it sends anything. So the method stands in a thread-local while its
//! body is polled. Only then: between two polls the task may move to another thread, and this
//! thread may poll the body of another method.
//!
//! A start call that the body hands to another task is polled outside the body: it runs with the
//! client's dialect and without options. The operation that comes back is then judged by the method
//! all the same, and refused where its dialect or its options differ: see
//! `RawOperation::taken_by`.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    task::{Context, Poll},
};

use crate::operation::Method;

thread_local! {
    /// The method whose body this thread is polling.
    static CURRENT: Cell<Option<&'static Method>> = const { Cell::new(None) };
}

/// Returns the method whose body is being polled on this thread; `None` outside any.
pub(crate) fn current() -> Option<&'static Method> {
    CURRENT.with(Cell::get)
}

/// Puts the outer method back when dropped. A guard, so that a body that panics does not leave its
/// method behind for the next task of this thread; and the outer method instead of `None`, because
/// the body of one method may call another.
struct Restore(Option<&'static Method>);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.with(|current| current.set(self.0));
    }
}

/// Polls `body` as the body of `method`: it sees `method` as the current one.
pub(crate) fn poll_as<T>(
    method: &'static Method,
    body: Pin<&mut (dyn Future<Output = T> + '_)>,
    context: &mut Context<'_>,
) -> Poll<T> {
    let _restore = Restore(CURRENT.with(|current| current.replace(Some(method))));
    body.poll(context)
}
