//! A store of which something cannot be read: the fleet is not built, and nothing is lost.

use lro_runtime::{
    ErrorKind,
    fleet::{Seal, StoreError, StoreErrorKind, Table},
};

use super::{SECOND, World, every};

/// A world whose store has something in each table.
fn world() -> World {
    let world = World::new();
    world.cloud.add("operations/1", SECOND * 5);
    let process = world.process();
    process.watch("operations/1", every(10));
    process.run(20);
    assert_eq!(process.take().len(), 1);
    let ticket = process.watch("operations/2", every(10));
    assert!(process.fleet.cancel(ticket).unwrap());
    drop(process);
    for table in Table::ALL {
        assert!(world.store.count(table) > 0, "{table:?}");
    }
    world
}

/// Returns the error of a fleet on this store, which does not change it.
fn refused(world: &World) -> (StoreErrorKind, String) {
    let before = world.store.records();
    let client = world.client(|client| client);
    let service = lro_runtime::fleet::Service::new("images", &client);
    let error = world.builder().service(service).build().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Store);
    assert_eq!(world.store.records(), before, "nothing is lost");
    let source = std::error::Error::source(&error).unwrap().downcast_ref::<StoreError>().unwrap();
    (source.kind(), error.to_string())
}

#[test]
fn a_store_of_a_newer_version_is_refused() {
    let world = world();
    world.store.change(Table::Fleet, |value| {
        if value.len() == 1 {
            value[0] = 2;
        }
    });
    let (kind, words) = refused(&world);
    assert_eq!(kind, StoreErrorKind::Newer);
    assert!(words.contains("the store is of version 2, and this library reads versions up to 1"), "{words}");
}

#[test]
fn a_record_of_a_newer_version_is_named() {
    for table in [Table::Live, Table::Amendments, Table::Outcomes] {
        let world = world();
        world.store.change(table, |value| value[0] = 9);
        let (kind, words) = refused(&world);
        assert_eq!(kind, StoreErrorKind::Newer);
        assert!(
            words.contains("the record ") && words.contains(&format!("of the table `{}`", table.name())),
            "{words}"
        );
    }
}

#[test]
fn a_record_that_is_damaged_is_named_and_none_panics() {
    let damages: [fn(&mut Vec<u8>); 7] = [
        |value| value.clear(),
        |value| value[0] = 0,
        |value| value.truncate(3),
        |value| value.truncate(20),
        |value| value[1..5].fill(0xff),
        |value| value[6] ^= 0x5a,
        |value| value[1..5].fill(0),
    ];
    for table in [Table::Live, Table::Amendments, Table::Outcomes] {
        for damage in damages {
            let world = world();
            world.store.change(table, damage);
            let (kind, words) = refused(&world);
            assert_eq!(kind, StoreErrorKind::Damaged);
            assert!(words.contains(&format!("of the table `{}` is damaged", table.name())), "{words}");
        }
    }
}

#[test]
fn no_byte_of_the_store_makes_the_fleet_panic() {
    let world = world();
    let records = world.store.records();
    for ((table, key), value) in &records {
        for at in 0..value.len() {
            for flip in [0x01, 0x10, 0x80] {
                let mut changed = records.clone();
                changed.get_mut(&(*table, *key)).unwrap()[at] ^= flip;
                world.store.set_records(changed);
                let client = world.client(|client| client);
                let service = lro_runtime::fleet::Service::new("images", &client);
                if let Ok(fleet) = world.builder().service(service).build() {
                    while fleet.completions().try_next().is_some() {}
                }
            }
        }
    }
}

#[test]
fn a_time_that_no_calendar_has_is_no_reason_to_panic() {
    let world = World::new();
    let process = world.process();
    let stuck = process.fleet.start("order-17", std::future::pending::<lro_runtime::Result<lro_runtime::RawOperation>>);
    let world = super::dies_at(&world, stuck, || world.store.count(Table::Live) == 1);
    // In the 21st century a time in milliseconds has 13 digits; the year is 33658 then.
    world.store.replace(Table::Live, "\"at\":18934560", "\"at\":99999999");
    world.store.change(Table::Live, |value| {
        let key = value.windows(8).position(|part| part == b"order-17").unwrap();
        assert!(key > 0);
        let digits = value.iter().rposition(u8::is_ascii_digit).unwrap();
        value.splice(digits..=digits, *b"999");
        let length = u32::try_from(value.len() - 5).unwrap();
        value[1..5].copy_from_slice(&length.to_le_bytes());
    });
    let process = world.process();
    assert_eq!(process.take().pop().unwrap().outcome().unwrap_err().kind(), ErrorKind::Start);
}

#[test]
fn records_without_the_record_that_begins_a_store_are_damage() {
    let world = world();
    let mut records = world.store.records();
    records.retain(|(table, _), _| *table != Table::Fleet);
    world.store.set_records(records.clone());
    let (kind, words) = refused(&world);
    assert_eq!(kind, StoreErrorKind::Damaged);
    assert!(words.contains("of the table `live`") || words.contains("the table `live` has the record"), "{words}");
    // A ticket of a generation that was never set aside.
    let world = self::world();
    let mut records = world.store.records();
    records.insert((Table::Live, 4 | 5_000_000 << 32), records[records.keys().next().unwrap()].clone());
    world.store.set_records(records);
    let (kind, words) = refused(&world);
    assert_eq!((kind, words.contains("there is no ticket")), (StoreErrorKind::Damaged, true), "{words}");
}

#[test]
fn generations_without_a_version_are_damage_and_no_ticket_is_given_twice() {
    for is_empty in [false, true] {
        let world = World::new();
        let process = world.process();
        let ticket = process.watch("operations/1", every(10));
        process.fleet.remove(ticket);
        drop(process);
        let mut records = world.store.records();
        records.retain(|_, value| is_empty || value.len() != 1);
        records.values_mut().filter(|value| value.len() == 1).for_each(Vec::clear);
        world.store.set_records(records);
        let (kind, words) = refused(&world);
        assert_eq!(kind, StoreErrorKind::Damaged);
        let why = if is_empty { "it has no version" } else { "the table `fleet` has the record 1, and no fleet" };
        assert!(words.contains(why), "{words}");
    }
}

#[test]
fn what_is_left_of_an_operation_that_is_gone_is_deleted() {
    let world = world();
    let mut records = world.store.records();
    records.retain(|(table, _), _| *table != Table::Live);
    world.store.set_records(records);
    let process = world.process();
    assert_eq!((process.fleet.recovered().waiting, process.fleet.recovered().ended), (0, 0));
    drop(process);
    assert_eq!(world.store.count(Table::Amendments) + world.store.count(Table::Outcomes), 0);
}

/// No cipher: it tells whether it is the right one, for the right record.
struct Masked(u8);

impl Seal for Masked {
    fn seal(&self, table: Table, key: u64, plain: Vec<u8>) -> Vec<u8> {
        let mut sealed = format!("{}/{key}/{}|", table.name(), self.0).into_bytes();
        sealed.extend(plain.into_iter().map(|byte| byte ^ self.0));
        sealed
    }

    fn open(&self, table: Table, key: u64, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
        let prefix = format!("{}/{key}/{}|", table.name(), self.0);
        let rest = sealed.strip_prefix(prefix.as_bytes());
        let rest = rest.ok_or_else(|| StoreError::new(StoreErrorKind::Damaged, "it is not of this seal"))?;
        Ok(rest.iter().map(|byte| byte ^ self.0).collect())
    }
}

#[test]
fn a_seal_lets_no_word_into_the_store_and_another_one_is_refused() {
    let world = World::new();
    world.cloud.add("operations/1", SECOND * 5);
    let sealed = |key| world.process_of(world.client(|client| client), |fleet| fleet.seal(Masked(key)));
    let process = sealed(0xa5);
    process.fleet.watch(&process.operation("operations/1")).key("order-17").try_now().unwrap();
    process.run(20);
    assert_eq!(process.take().len(), 1);
    process.watch("operations/2", every(10));
    drop(process);
    for word in ["operations", "order", "images", "version", "response", "google", "\"of\""] {
        assert!(!world.store.has(word), "`{word}` is in the store");
    }
    let (kind, words) = refused(&world);
    assert!(matches!(kind, StoreErrorKind::Damaged | StoreErrorKind::Newer), "{words}");
    let other = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| sealed(0x5a)));
    assert!(other.is_err(), "another seal");
    assert_eq!(sealed(0xa5).take_and_ack(), 1);
}
