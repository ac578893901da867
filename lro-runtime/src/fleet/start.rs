//! Starting under a key: one start, however often it is asked for.

use std::{future::poll_fn, sync::Arc, task::Poll};

use super::{
    Fleet,
    endings::Wakers,
    shared::Keyed,
    ticket::Ticket,
    watch::{self, How},
};
use crate::{
    error::{Error, ErrorKind, Result},
    operation::Handle,
};

/// A place that is kept in a fleet while an operation is started, and its key. Both are given back
/// when it is dropped.
struct Reserved<'a> {
    fleet: &'a Fleet,
    key: Arc<str>,
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        let mut state = self.fleet.shared.lock();
        state.reserved -= 1;
        let mut wakers = vec![state.room.take()];
        if matches!(state.keys.get(&self.key), Some(Keyed::Starting(_)))
            && let Some(Keyed::Starting(waiting)) = state.keys.remove(&self.key)
        {
            wakers.push(waiting);
        }
        if state.is_over() {
            wakers.push(state.endings.consumers.take());
        }
        drop(state);
        self.fleet.shared.wake_drivers();
        wakers.into_iter().for_each(Wakers::wake);
    }
}

/// What came of asking for a key.
enum Asked<'a> {
    Known(Ticket),
    Reserved(Reserved<'a>),
}

/// Starts an operation under `key`, unless there is one: see [`Fleet::start`].
pub(super) async fn start<O, F>(fleet: &Fleet, key: Arc<str>, start: impl FnOnce() -> F) -> Result<Ticket>
where
    O: Handle,
    F: IntoFuture<Output = Result<O>>,
{
    let reserved = match reserve(fleet, &key).await? {
        Asked::Known(ticket) => return Ok(ticket),
        Asked::Reserved(reserved) => reserved,
    };
    let operation = start().into_future().await?;
    let how = How::under(key);
    let entrant = watch::entrant(operation.raw_operation(), how, &*fleet.shared.timer)?;
    let mut state = fleet.shared.lock();
    // The place that was kept is this operation's: another cannot have taken it, nor the key. Nor
    // is it refused because the fleet was closed meanwhile: it has started.
    let is_closed = std::mem::replace(&mut state.is_closed, false);
    state.reserved -= 1;
    let waiting = state.keys.remove(&reserved.key);
    let admitted = state.admit(entrant);
    state.reserved += 1;
    state.is_closed = is_closed;
    drop(state);
    if let Some(Keyed::Starting(waiting)) = waiting {
        waiting.wake();
    }
    admitted
}

/// Keeps a place and the key, or returns the ticket that the key has.
async fn reserve<'a>(fleet: &'a Fleet, key: &Arc<str>) -> Result<Asked<'a>> {
    poll_fn(|context| {
        let mut state = fleet.shared.lock();
        let (is_closed, is_full) = (state.is_closed, state.is_full());
        match state.keys.get_mut(key) {
            Some(Keyed::Watched(ticket)) => return Poll::Ready(Ok(Asked::Known(*ticket))),
            Some(Keyed::Starting(waiting)) => {
                waiting.register(context.waker());
                return Poll::Pending;
            }
            None if is_closed => {
                let message = "the fleet is closed: nothing was started";
                return Poll::Ready(Err(Error::new(ErrorKind::Closed, message)));
            }
            None if is_full => {
                state.room.register(context.waker());
                return Poll::Pending;
            }
            None => {}
        }
        state.reserved += 1;
        state.keys.insert(Arc::clone(key), Keyed::Starting(Wakers::default()));
        Poll::Ready(Ok(Asked::Reserved(Reserved { fleet, key: Arc::clone(key) })))
    })
    .await
}
