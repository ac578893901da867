//! Replies of a case through a client: every call about an operation, and its token.

use std::time::Duration;

use lro_runtime::{
    ErrorKind, RawOperation, State, block_on,
    testing::VirtualClock,
    transport::{Reply, Request},
};

use super::{
    case::Case,
    promises::{SECRET, fit_error, shown, stored},
};
use crate::{recorded::Service, round::Counts, wire::Wire};

/// Starts an operation with the reply, makes every call about it, and resumes it from its token.
pub(super) fn through_a_client(service: &Service, case: &Case, request: &Request, reply: &Reply, counts: &mut Counts) {
    let answer = reply.clone();
    let wire = Wire::new(move |_, _| answer.clone());
    let client = service.client().transport(wire.clone()).timer(VirtualClock::new()).cookies(true);
    let client = client.header("authorization", format!("Bearer {SECRET}")).build().expect("the client can be built");
    let key = String::from_utf8_lossy(&case.key);
    let started = block_on(client.start(request.clone()));
    let mut list = client.list("").blocking();
    let listed = (0..3).map_while(|_| list.next());
    for operation in listed.chain([started, client.resume(&*key), block_on(client.wait(&key, Duration::ZERO))]) {
        let operation = match operation {
            Ok(operation) => operation,
            Err(error) => {
                fit_error(&error);
                error.snapshot().map(RawOperation::token).iter().for_each(stored);
                continue;
            }
        };
        counts.add("operations", 1);
        let _ = wire.take();
        let polled = block_on(operation.poll_once());
        let sent = wire.take();
        shown(&operation);
        let token = operation.token();
        stored(&token);
        match client.resume(&token) {
            Ok(resumed) => {
                counts.add("resumed", 1);
                shown(&resumed);
                assert_eq!(resumed.is_completed(), operation.is_completed() && !resumed_to_fetch(&operation, &resumed));
                // Secrets of a query and user info are not in a token, and the request has them.
                let place =
                    |sent: &[Request]| sent.first().map(|one| (one.method().clone(), one.uri().path().to_owned()));
                let has_user = sent.first().is_some_and(|one| one.uri().path().contains('@'));
                let again = block_on(resumed.poll_once());
                let sent_again = wire.take();
                // A token keeps no name or URL of any length, and the poll says so.
                let is_long =
                    again.as_ref().is_err_and(|error| error.to_string().contains("bytes long, and a token keeps"));
                assert!(
                    sent.is_empty() || has_user || is_long || place(&sent) == place(&sent_again),
                    "{operation:?} is polled elsewhere"
                );
                again.err().iter().for_each(fit_error);
            }
            Err(error) => {
                fit_error(&error);
                let kinds =
                    [ErrorKind::InvalidToken, ErrorKind::UntrustedUrl, ErrorKind::Protocol, ErrorKind::Unsupported];
                assert!(kinds.contains(&error.kind()), "{:?}: {error}", error.kind());
                assert!(sent.is_empty(), "{operation:?} can be polled, and its token is refused: {error}");
            }
        }
        polled.as_ref().err().into_iter().for_each(fit_error);
        for outcome in [block_on(operation.cancel()).map(drop), block_on(operation.delete())] {
            outcome.err().iter().for_each(fit_error);
        }
        if let Ok(polled) = polled {
            shown(&polled);
            assert!(operation.state().can_become(polled.state()) || operation.state() == polled.state());
            block_on(polled.wait(Duration::from_secs(1))).err().iter().for_each(fit_error);
        }
    }
}

/// Whether a token of an operation that succeeded leads to its response.
fn resumed_to_fetch(operation: &RawOperation, resumed: &RawOperation) -> bool {
    operation.is_succeeded() && resumed.state() == State::Running
}
