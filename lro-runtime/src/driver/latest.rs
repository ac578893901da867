//! The latest snapshot of a wait, whose reply is packed while the wait sleeps.

use std::sync::Arc;

use crate::{
    message::Reply,
    operation::{
        RawOperation,
        snapshot::{Alike, ReplyTime},
    },
    status::Failure,
};

/// The latest snapshot of a wait.
///
/// Whoever looks at the reply asks for the [`whole`](Self::whole) operation. So nobody else ever
/// sees a packed one.
pub(super) struct Latest {
    operation: RawOperation,
    /// The body of the snapshot while it has none, else that of an earlier reply, which the next is
    /// packed after.
    packed: Option<Alike>,
}

impl Latest {
    pub(super) fn new(operation: RawOperation) -> Self {
        Self { operation, packed: None }
    }

    /// Returns the operation, perhaps without its reply: for all that does not look at that.
    pub(super) fn known(&self) -> &RawOperation {
        &self.operation
    }

    /// Returns the operation.
    pub(super) fn whole(&mut self) -> &RawOperation {
        if let (None, Some(packed)) = (&self.operation.snapshot.body, &self.packed) {
            Arc::make_mut(&mut self.operation.snapshot).body = Some(packed.unpack());
        }
        &self.operation
    }

    /// Packs the reply, unless somebody else has the same snapshot and would keep it all the same.
    pub(super) fn pack(&mut self) {
        let Some(snapshot) = Arc::get_mut(&mut self.operation.snapshot) else { return };
        let Some(body) = &snapshot.body else { return };
        let next = self.packed.take().and_then(|packed| packed.next(body));
        self.packed = next.or_else(|| self.operation.client.samples().pack(body));
        if self.packed.is_some() {
            snapshot.body = None;
        }
    }

    /// Moves on to the snapshot that follows from the reply to a poll: see
    /// [`RawOperation::advance`].
    pub(super) fn advance(&mut self, reply: &mut Reply, replied: ReplyTime) -> Result<(), Failure> {
        self.operation.advance_from(self.packed.as_ref(), reply, replied)
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::time::Instant;

    use bytes::Bytes;

    use super::*;
    use crate::testing::{Script, ScriptedTransport, VirtualClock};

    /// A reply, with metadata or without.
    fn reply(percent: u32, has_metadata: bool) -> Reply {
        let metadata = if has_metadata {
            format!(r#""metadata":{{"percent":{percent},"stage":"copying the image to the bucket"}},"#)
        } else {
            String::new()
        };
        Reply::new(
            format!(
                r#"{{"name":"operations/1","padding":"so that it is worth it to pack this",{metadata}"done":false}}"#
            )
            .into(),
        )
    }

    fn latest() -> Latest {
        let transport = ScriptedTransport::new(Script::new());
        Latest::new(transport.operations(&VirtualClock::new()).unwrap().resume("operations/1").unwrap())
    }

    fn now() -> ReplyTime {
        ReplyTime::of_poll(Instant::now().into(), Instant::now().into())
    }

    fn body(reply: &Reply) -> Bytes {
        reply.body().clone()
    }

    #[test]
    fn what_was_packed_is_whole_for_whoever_looks_at_it() {
        let mut latest = latest();
        for percent in [7, 7, 8, 9, 10, 10] {
            latest.advance(&mut reply(percent, true), now()).unwrap();
            latest.pack();
            assert!(latest.known().snapshot.body.is_none(), "{percent}");
        }
        let snapshot = latest.whole().clone();
        assert_eq!(*snapshot.raw(), body(&reply(10, true)));
        assert!(snapshot.metadata().unwrap().bytes().starts_with(br#"{"percent":10,"#));
        latest.pack();
        assert_eq!(*latest.known().raw(), body(&reply(10, true)), "somebody else has it");
    }

    #[test]
    fn metadata_outlives_a_packed_reply_that_had_it() {
        let mut latest = latest();
        latest.advance(&mut reply(7, true), now()).unwrap();
        latest.pack();
        let end = Bytes::from_static(br#"{"name":"operations/1","done":true,"response":{}}"#);
        latest.advance(&mut Reply::new(end.clone()), now()).unwrap();
        let snapshot = latest.whole();
        assert!(snapshot.is_succeeded() && *snapshot.raw() == end);
        assert!(snapshot.metadata().unwrap().bytes().starts_with(br#"{"percent":7,"#));
    }

    #[test]
    fn a_reply_that_cannot_be_read_or_goes_backwards_leaves_the_packed_one() {
        let mut latest = latest();
        latest.advance(&mut reply(7, true), now()).unwrap();
        latest.pack();
        assert!(latest.advance(&mut Reply::new(Bytes::from_static(b"{")), now()).is_err());
        let mut backwards =
            reply(0, false).map(|body| String::from_utf8(body.to_vec()).unwrap().replace("padding", "x").into());
        latest.advance(&mut backwards, now()).unwrap();
        assert!(latest.whole().metadata().unwrap().bytes().starts_with(br#"{"percent":7,"#));
    }
}
