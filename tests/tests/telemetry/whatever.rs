//! What holds of spans and metrics whatever a service does and whenever a wait is dropped.

use lro_runtime::{
    Code, PollSettings,
    testing::{Script, ScriptedTransport, VirtualClock},
};
use tracing::Level;

use crate::{
    capture::{Meters, Spans},
    support::{cat, percent, poll_once, secs},
};

/// Returns a script of up to six replies that ends with an end of the operation, or never ends.
fn script(random: &mut fastrand::Rng) -> Script {
    let mut script = Script::new().pending();
    for _ in 0..random.usize(..6) {
        script = match random.u8(..8) {
            0 => script.running(1).hint(secs(f64::from(random.u8(..9)))),
            1 => script.running_with(percent(random.u8(..100))).taking(secs(0.5)),
            2 => script.unavailable(),
            3 => script.error(Code::Internal, "a bug"),
            4 => script.error(Code::PermissionDenied, "not yours"),
            5 => script.garbage("<html>"),
            6 => script.silence(),
            _ => script.running(1),
        };
    }
    match random.u8(..4) {
        0 => script.failed(Code::Aborted, "stopped"),
        1 => script.cancelled(),
        2 => script.done(cat()),
        _ => script,
    }
    .running_forever()
}

#[test]
fn every_span_closes_and_every_poll_is_counted_once() {
    let (mut dropped, mut ended) = (0, 0);
    for seed in 0..300 {
        let mut random = fastrand::Rng::with_seed(seed);
        let script = script(&mut random);
        let settings = PollSettings::default().with_timeout(secs(f64::from(random.u8(1..60)))).with_seed(seed);
        let steps = random.usize(1..20);
        let transport = ScriptedTransport::new(script);
        let clock = VirtualClock::manual();
        let ((is_dropped, spans), meters) = Meters::of(|| {
            Spans::of(Level::TRACE, || {
                let operation = smol::block_on(transport.operations(&clock).unwrap().post("v1/x", &())).unwrap();
                let mut waiting = Box::pin(operation.poll_until_completed(settings));
                let is_pending = |_| {
                    let is_pending = poll_once(waiting.as_mut()).is_pending();
                    clock.advance(if is_pending { clock.next_deadline().unwrap() } else { secs(0.0) });
                    is_pending
                };
                (0..steps).all(is_pending)
            })
        });
        *(if is_dropped { &mut dropped } else { &mut ended }) += 1;
        let (tree, table) = (spans.tree(), meters.table());
        assert_eq!(spans.open(), 0, "seed {seed}: {tree}");
        let polls = transport.requests().len() - 1;
        assert_eq!(tree.matches("DEBUG lro.poll").count(), polls, "seed {seed}: {tree}");
        assert_eq!(tree.matches("lro.wait lro").count(), 1, "seed {seed}: {tree}");
        // A poll that is dropped in flight has not ended, and is not counted.
        let in_flight = tree.lines().filter(|line| line.contains("lro.poll ") && line.contains("=dropped")).count();
        let counted = table.lines().find_map(|line| line.strip_prefix("lro.polls{")?.rsplit_once(' ')?.1.parse().ok());
        assert_eq!(counted.unwrap_or(0), polls - in_flight, "seed {seed}: {table}");
        let labels = "{lro.method=unknown,lro.dialect=google}";
        assert!(table.contains(&format!("lro.waits.active{labels} 0\n")), "seed {seed}: {table}");
        assert_eq!(table.matches("lro.outcome=dropped} 1").count(), usize::from(is_dropped), "seed {seed}: {table}");
    }
    assert!(dropped > 50 && ended > 50, "{dropped} dropped, {ended} ended");
}
