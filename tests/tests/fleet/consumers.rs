//! Consumers that compete for completions, and sometimes let one fall: at least once, and never
//! again once it was acknowledged.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    rc::Rc,
    time::Duration,
};

use futures_lite::future::{yield_now, zip};
use lro_runtime::{Budget, Timer};

use super::{SECOND, world};

/// What the consumers of one round have seen.
#[derive(Default)]
struct Seen {
    acknowledged: BTreeSet<String>,
    deliveries: BTreeMap<String, u32>,
    dropped: u32,
}

/// One history: `consumers` that each do something else with what they take, as the seed says.
fn history(seed: u64) -> Seen {
    let world = world(|fleet| fleet.budget(Budget::per_origin(1_000.0)).redeliver_after(SECOND * 10));
    let mut random = fastrand::Rng::with_seed(seed);
    for n in 0..40 {
        world.watch(&format!("operations/{n}"), random.u64(0..60));
    }
    world.fleet.close();
    let book = Rc::new(RefCell::new(Seen::default()));
    let consumer = |mut random: fastrand::Rng| {
        let (mut completions, clock, book) = (world.fleet.completions(), world.clock.clone(), Rc::clone(&book));
        async move {
            while let Some(completion) = completions.next().await {
                let name = completion.name().to_owned();
                assert!(!book.borrow().acknowledged.contains(&name), "{name} comes again (seed {seed})");
                let delivery = {
                    let mut noted = book.borrow_mut();
                    let deliveries = noted.deliveries.entry(name.clone()).or_default();
                    *deliveries += 1;
                    *deliveries
                };
                assert_eq!(completion.deliveries(), delivery, "seed {seed}");
                match random.u32(0..5) {
                    0 => {
                        book.borrow_mut().dropped += 1;
                        drop(completion);
                        yield_now().await;
                        continue;
                    }
                    // Within its time, or long after it was handed to another consumer.
                    1 => clock.sleep(Duration::from_millis(random.u64(0..9_000))).await,
                    2 if delivery == 1 => {
                        clock.sleep(SECOND * 25).await;
                        if book.borrow().acknowledged.contains(&name) {
                            completion.ack().await.unwrap(); // twice, which is nothing
                            continue;
                        }
                    }
                    _ => {}
                }
                completion.ack().await.unwrap();
                book.borrow_mut().acknowledged.insert(name);
            }
        }
    };
    let [one, two, three, four] = std::array::from_fn(|_| consumer(random.fork()));
    lro_runtime::block_on(zip(world.fleet.run(), zip(zip(one, two), zip(three, four))));
    assert_eq!(world.fleet.health().unacknowledged, 0);
    Rc::try_unwrap(book).ok().unwrap().into_inner()
}

#[test]
fn consumers_that_let_completions_fall_get_them_again_until_one_acknowledges_and_never_after() {
    let (mut dropped, mut again) = (0, 0);
    for seed in 0..60 {
        let seen = history(seed);
        assert_eq!(seen.acknowledged.len(), 40, "seed {seed}");
        dropped += seen.dropped;
        again += seen.deliveries.values().filter(|deliveries| **deliveries > 1).count();
    }
    assert!(dropped > 300 && again > 300, "{dropped} dropped, {again} handed out again");
}
