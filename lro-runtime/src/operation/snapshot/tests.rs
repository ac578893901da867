//! What follows from every state and every observation.

use std::time::{Duration, Instant};

use super::*;
use crate::status::Code;

const OLD: &[u8] = br#"{"old": 1}"#;
const NEW: &[u8] = br#"{"new": 2}"#;

/// The time of a reply to a poll, read now after one second.
fn replied() -> ReplyTime {
    let began = Instant::now();
    ReplyTime::of_poll(began.into(), (began + Duration::from_secs(1)).into())
}

/// A snapshot in `state` with everything that such a snapshot can have.
fn snapshot(state: State) -> Snapshot {
    let part = || Some(StoredPayload::own(Bytes::from_static(OLD), Encoding::Json));
    let failed = matches!(state, State::Failed | State::Cancelled);
    let more = More {
        raw_status: Some("OLD".into()),
        response: (state == State::Succeeded).then(part).flatten(),
        status: failed.then(|| Arc::new(Status::new(Code::Aborted, "old"))),
        progress: Some(0.5),
        ..More::default()
    };
    Snapshot {
        state,
        body: Some(Bytes::from_static(OLD)),
        metadata: part(),
        more: Some(Arc::new(more)),
        ..Snapshot::unpolled("operations/1", "google", None, None)
    }
}

/// An observation of `state` whose payloads and words differ from those of `snapshot`, with
/// metadata or without.
fn observation(state: State, has_metadata: bool) -> Observation<'static> {
    let mut seen = Observation::new(state);
    seen.name = Some("operations/2".into());
    seen.raw_status = Some("NEW".into());
    seen.metadata = has_metadata.then(|| Part::of(NEW, Encoding::Json));
    seen.response = (state == State::Succeeded).then(|| Part::of(NEW, Encoding::Json));
    seen.status = matches!(state, State::Failed | State::Cancelled).then(|| Status::new(Code::Internal, "new"));
    seen.hint = Some(Hint::After(Duration::from_secs(9)));
    seen.follow = true;
    seen
}

/// Calls `check` with every state, every observation, and the snapshot that follows from the two.
fn every(mut check: impl FnMut(Snapshot, Observation<'static>, Snapshot)) {
    for &from in State::ALL {
        for &to in State::ALL {
            for has_metadata in [false, true] {
                let seen = observation(to, has_metadata);
                let next =
                    snapshot(from).after(seen.clone(), NEW, None, replied()).with_body(|| Bytes::from_static(NEW));
                check(snapshot(from), seen, next);
            }
        }
    }
}

#[test]
fn the_state_follows_the_table() {
    every(|before, seen, next| assert_eq!(next.state, before.state.after(seen.state)));
}

#[test]
fn terminal_is_terminal_nothing_that_is_seen_later_changes_anything() {
    every(|before, seen, next| {
        if before.state.is_terminal() {
            assert_eq!(next.state, before.state, "{:?}", seen.state);
            assert_eq!(next.body, before.body);
            assert_eq!(next.more().status, before.more().status);
            assert_eq!(next.more().raw_status, before.more().raw_status);
            assert_eq!(next.response().map(Payload::bytes), before.response().map(Payload::bytes));
            assert_eq!(next.metadata().map(Payload::bytes), before.metadata().map(Payload::bytes));
            assert!(!next.follow, "there is nothing to follow");
        }
    });
}

#[test]
fn a_backward_observation_changes_nothing() {
    every(|before, seen, next| {
        if !before.state.can_become(seen.state) {
            assert_eq!(next.state, before.state);
            assert_eq!(next.metadata().map(Payload::bytes), Some(OLD));
            assert_eq!(next.body, before.body, "the payloads are parts of it");
            assert_eq!(next.more().raw_status.as_deref(), Some("OLD"));
            assert_eq!(next.more().progress, before.more().progress);
            assert_eq!(next.more().status, before.more().status);
            assert!(next.more().hint.is_some(), "when to poll again is said by every reply");
        }
    });
}

#[test]
fn a_forward_observation_replaces_everything_but_missing_metadata() {
    every(|before, seen, next| {
        if !before.state.is_terminal() && before.state.can_become(seen.state) {
            let metadata = if seen.metadata.is_some() { NEW } else { OLD };
            assert_eq!(next.metadata().map(Payload::bytes), Some(metadata));
            assert_eq!(next.more().status.as_deref(), seen.status.as_ref());
            assert_eq!(next.response().map(Payload::bytes), seen.response.as_ref().map(|_| NEW));
            assert_eq!((&next.body()[..], next.more().raw_status.as_deref()), (NEW, Some("NEW")));
            assert!(next.follow && next.more().hint.is_some());
        }
    });
}

#[test]
fn a_stale_reply_leads_nowhere_and_has_found_the_operation() {
    let before = Snapshot { follow: true, ..snapshot(State::Running) };
    let mut seen = observation(State::Pending, false);
    seen.follow = false;
    let next = before.clone().after(seen, NEW, None, replied()).with_body(Bytes::new);
    assert!(!next.follow && next.is_found && next.replied.is_some());
}

#[test]
fn what_is_left_of_a_reply_that_was_misread_says_so_at_once_and_keeps_what_it_is_of() {
    let mut before = Snapshot { replied: Some(Replied::new(replied())), ..snapshot(State::Running) };
    before.provenance_mut().token_method = Some("m".into());
    let next = before.misread(Arc::new(crate::dialect::Google::new()), Failure::protocol("other rules"));
    assert_eq!(
        (&*next.name, &next.body()[..], next.provenance().token_method.as_deref()),
        ("operations/1", OLD, Some("m"))
    );
    assert!(next.follow && next.replied.is_some() && next.metadata().is_none());
    assert!(next.place().unwrap().request().is_err());
}

#[test]
fn a_word_that_was_read_before_is_not_stored_again() {
    let word = |text: &'static str| {
        let mut seen = observation(State::Running, false);
        seen.raw_status = Some(text.into());
        let before = snapshot(State::Running);
        let next = before.clone().after(seen, NEW, None, replied()).with_body(Bytes::new);
        assert_eq!(next.more().raw_status.as_deref(), Some(text));
        Arc::ptr_eq(before.more().raw_status.as_ref().unwrap(), next.more().raw_status.as_ref().unwrap())
    };
    assert!(word("OLD") && !word("NEW"));
}

#[test]
fn name_and_round_trip_are_kept() {
    every(|_, _, next| {
        assert_eq!(&*next.name, "operations/1");
        assert_eq!(next.replied.map(Replied::round_trip), Some(Duration::from_secs(1)));
    });
}

#[test]
fn a_metadata_that_means_queued_does_not_move_a_running_operation_back() {
    const METHOD: Method = Method::new("m").pending(|_| true);
    let see = |from| snapshot(from).after(observation(State::Running, true), NEW, Some(&METHOD), replied());
    assert_eq!(see(State::Pending).with_body(Bytes::new).state, State::Pending);
    assert_eq!(see(State::Running).with_body(Bytes::new).state, State::Running);
}

#[test]
fn a_snapshot_is_small_because_a_program_may_hold_a_hundred_thousand() {
    assert!(size_of::<Snapshot>() <= 136, "{}", size_of::<Snapshot>());
}
