//! Turns: a fleet that is driven for a while, and left alone until something is due.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use crate::{
    Budget, ErrorKind, Fleet, Operations, PollSettings, Timer, Token, block_on,
    fleet::{Note, Service, Store, StoreError, Table, Write},
    message::{Reply, Request},
    testing::VirtualClock,
    transport::TransportError,
};

const SECOND: Duration = Duration::from_secs(1);

/// A store in memory.
#[derive(Default)]
struct Memory {
    records: Mutex<BTreeMap<(Table, u64), Vec<u8>>>,
    notes: Mutex<BTreeMap<u32, u64>>,
}

impl Store for Memory {
    fn read(&self, table: Table, each: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        for ((of, key), value) in &*self.records.lock().unwrap() {
            if *of == table {
                each(*key, value)?;
            }
        }
        Ok(())
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        let mut records = self.records.lock().unwrap();
        for Write { table, key, value } in writes {
            match value {
                Some(value) => drop(records.insert((*table, *key), value.clone())),
                None => drop(records.remove(&(*table, *key))),
            }
        }
        Ok(())
    }

    fn write_notes(&self, notes: &[Note]) -> Result<(), StoreError> {
        self.notes.lock().unwrap().extend(notes.iter().map(|note| (note.place, note.value)));
        Ok(())
    }

    fn read_notes(&self, each: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
        self.notes.lock().unwrap().iter().for_each(|(place, value)| each(Note { place: *place, value: *value }));
        Ok(())
    }
}

struct World {
    clock: VirtualClock,
    client: Operations,
    polls: Arc<AtomicUsize>,
    store: Arc<Memory>,
}

impl World {
    /// A service whose operations take 35 seconds, and whose replies take `latency`.
    fn new(latency: Duration) -> Self {
        let clock = VirtualClock::new();
        let polls = Arc::<AtomicUsize>::default();
        let send = {
            let (clock, polls) = (clock.clone(), Arc::clone(&polls));
            move |request: Request| {
                let (clock, polls) = (clock.clone(), Arc::clone(&polls));
                async move {
                    clock.sleep(latency).await;
                    let path = request.uri().path().trim_start_matches("/v1/").to_owned();
                    let (status, body) = if path.ends_with("operations") {
                        (501, serde_json::json!({ "error": { "code": 501, "status": "UNIMPLEMENTED" } }))
                    } else {
                        polls.fetch_add(1, Ordering::Relaxed);
                        let is_done = clock.elapsed() >= 35 * SECOND;
                        let response = is_done.then(|| serde_json::json!({}));
                        (200, serde_json::json!({ "name": path, "done": is_done, "response": response }))
                    };
                    let mut reply = Reply::new(body.to_string().into());
                    *reply.status_mut() = status.try_into().unwrap();
                    Ok::<_, TransportError>(reply)
                }
            }
        };
        let settings = PollSettings::default().with_delay(10 * SECOND).with_multiplier(1.0);
        let client = Operations::builder("https://api.example.com")
            .transport(send)
            .timer(clock.clone())
            .poll_settings(settings)
            .build()
            .unwrap();
        Self { clock, client, polls, store: Arc::default() }
    }

    fn polls(&self) -> usize {
        self.polls.load(Ordering::Relaxed)
    }

    fn fleet(&self, budget: Budget) -> Fleet {
        let store = Arc::clone(&self.store);
        let service = Service::new("api", &self.client);
        let builder = Fleet::builder().timer(self.clock.clone()).budget(budget).service(service);
        builder.store(store).commits_inline().build().unwrap()
    }

    fn watch(&self, fleet: &Fleet, count: usize) {
        for number in 0..count {
            fleet.try_watch(&self.client.resume(format!("operations/{number}")).unwrap()).unwrap();
        }
    }
}

#[test]
fn a_turn_ends_as_soon_as_nothing_more_is_due_within_it_and_tells_when_something_is() {
    let world = World::new(SECOND / 10);
    let fleet = world.fleet(Budget::per_origin(100.0));
    assert_eq!(block_on(fleet.run_for(SECOND)), None, "nothing is left that would be due");
    assert_eq!(world.clock.elapsed(), Duration::ZERO, "and nothing was waited for");

    world.watch(&fleet, 3);
    let mut turns = 0;
    while let Some(left) = block_on(fleet.run_for(SECOND)) {
        assert!(left > SECOND && left <= 10 * SECOND, "{left:?}");
        block_on(world.clock.sleep(left));
        turns += 1;
    }
    assert!((3..=9).contains(&turns), "{turns}: about one for each round of polls");
    let mut completions = fleet.completions();
    let ended = std::iter::from_fn(|| completions.try_next()).map(|completion| block_on(completion.ack()).unwrap());
    assert_eq!(ended.count(), 3);
    assert!((12..=15).contains(&world.polls()), "{} polls, about four each", world.polls());
}

#[test]
fn after_the_end_of_a_turn_nothing_is_sent_and_what_is_in_flight_lands() {
    let world = World::new(3 * SECOND);
    let fleet = world.fleet(Budget::per_origin(1000.0).concurrency(2));
    world.watch(&fleet, 10);
    block_on(world.clock.sleep(11 * SECOND));
    let before = world.polls();
    let left = block_on(fleet.run_for(SECOND / 2));
    assert_eq!(left, Some(Duration::ZERO), "others are due already");
    assert_eq!(world.clock.elapsed(), 14 * SECOND, "as long as the replies took");
    assert_eq!(world.polls(), before + 1, "with a list call that was refused");
    assert_eq!(fleet.health().in_flight, 0);
}

#[test]
fn a_turn_sends_no_more_than_it_was_allotted() {
    let world = World::new(SECOND / 10);
    let fleet = world.fleet(Budget::per_origin(1000.0));
    world.watch(&fleet, 10);
    assert_eq!(block_on(fleet.run_within(SECOND, 0)), Some(Duration::ZERO), "all are due");
    for turn in 1..=4 {
        assert_eq!(block_on(fleet.run_within(SECOND, 2)), Some(Duration::ZERO), "others are due");
        let sent: u64 = fleet.health().origins.iter().map(|origin| origin.requests).sum();
        assert_eq!(sent, 2 * turn);
    }
    assert_eq!(block_on(fleet.run_within(SECOND, 0)), Some(Duration::ZERO));
    let left = block_on(fleet.run_within(SECOND, 100)).unwrap();
    assert!(left > SECOND, "all were polled: {left:?}");
}

#[test]
fn a_fleet_made_anew_for_every_turn_polls_as_often_as_one_that_stays() {
    let stays = World::new(SECOND / 10);
    let fleet = stays.fleet(Budget::per_origin(100.0));
    stays.watch(&fleet, 20);
    while let Some(left) = block_on(fleet.run_for(SECOND / 4)) {
        block_on(stays.clock.sleep(left));
    }
    let anew = World::new(SECOND / 10);
    anew.watch(&anew.fleet(Budget::per_origin(100.0)), 20);
    let mut told = 0;
    loop {
        let fleet = anew.fleet(Budget::per_origin(100.0));
        let left = block_on(fleet.run_for(SECOND / 4));
        let mut completions = fleet.completions();
        while let Some(completion) = completions.try_next() {
            assert!(completion.outcome().unwrap().is_succeeded());
            block_on(completion.ack()).unwrap();
            told += 1;
        }
        drop(fleet);
        match left {
            Some(left) => block_on(anew.clock.sleep(left)),
            None => break,
        }
    }
    assert_eq!(told, 20);
    assert_eq!(anew.store.records.lock().unwrap().keys().filter(|(table, _)| *table != Table::Fleet).count(), 0);
    // A note rounds up to a sixteenth of a second, and there is one place to round in each round.
    let (with, without) = (anew.polls(), stays.polls());
    assert!(with.abs_diff(without) <= 20, "{with} polls, {without} by one fleet");
}

#[test]
fn an_operation_is_made_again_from_its_token_and_its_service() {
    let world = World::new(SECOND);
    let service = Service::new("api", &world.client);
    let token = world.client.resume("operations/7").unwrap().token();
    assert_eq!(service.resume(token.clone()).unwrap().name(), "operations/7");
    let mut content = token.into_content();
    content.method = "export_image".to_owned();
    let of_another = Token::from_content(content);
    let refused = service.resume(of_another).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidToken);
    assert!(refused.to_string().contains("`api` does not have the method `export_image`"), "{refused}");
}
