//! Code of others that panics: one operation fails, or is asked for in another way.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use lro_runtime::{
    Budget, Failure, Fleet, Operations,
    dialect::{Call, Coverage, Cursor, Dialect, Google, ListPage, ListQuery, Observation, Options},
    fleet::Completion,
    testing::VirtualClock,
    transport::{Reply, Request},
};

use crate::cloud::{Cloud, beside, take_all};

/// Google's, of which some calls panic.
struct Panicking {
    google: Google,
    in_lists: bool,
    /// How many cancel calls were made. The first is that of the caller, who is told.
    cancels: AtomicU32,
}

impl Dialect for Panicking {
    fn id(&self) -> &'static str {
        self.google.id()
    }

    fn read_start<'a>(&self, of: &Request, reply: &'a Reply, options: &Options) -> Result<Observation<'a>, Failure> {
        self.google.read_start(of, reply, options)
    }

    fn locate(&self, name: &str, options: &Options) -> Result<Cursor, Failure> {
        self.google.locate(name, options)
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        self.google.poll(cursor)
    }

    fn read<'a>(&self, cursor: &Cursor, reply: &'a Reply) -> Result<Observation<'a>, Failure> {
        self.google.read(cursor, reply)
    }

    fn cancel(&self, cursor: &Cursor) -> Result<Call, Failure> {
        assert_eq!(self.cancels.fetch_add(1, Ordering::Relaxed), 0, "no second one");
        self.google.cancel(cursor)
    }

    fn coverage(&self, cursor: &Cursor, options: &'static Options) -> Option<Coverage> {
        self.google.coverage(cursor, options)
    }

    fn list(&self, query: &ListQuery) -> Result<Call, Failure> {
        assert!(self.in_lists, "no lists");
        self.google.list(query)
    }

    fn read_list<'a>(&self, _: &ListQuery, _: &'a Reply) -> Result<ListPage<'a>, Failure> {
        panic!("no pages")
    }
}

#[test]
fn a_dialect_that_panics_at_a_list_or_a_cancel_call_has_its_operations_polled() {
    for in_lists in [false, true] {
        let clock = VirtualClock::new();
        let cloud = Cloud::new(&clock);
        let dialect = Panicking { google: Google::default(), in_lists, cancels: AtomicU32::new(0) };
        let client = Operations::builder("https://api.example.com").dialect(Arc::new(dialect) as Arc<dyn Dialect>);
        let client = client.transport(cloud.clone()).timer(clock.clone()).build().unwrap();
        let fleet = Fleet::builder().timer(clock).budget(Budget::per_origin(1000.0)).build().unwrap();
        for number in 0..20 {
            let name = format!("operations/{number}");
            cloud.add(&name, std::time::Duration::from_secs(300));
            let ticket = fleet.try_watch(&client.resume(name).unwrap()).unwrap();
            assert!(number > 0 || fleet.cancel(ticket).unwrap());
        }
        fleet.close();
        let succeeded = |completion: &Completion| assert!(completion.outcome().unwrap().is_succeeded());
        let taken = beside(fleet.run(), take_all(&fleet, succeeded));
        assert_eq!(taken, 20, "in_lists: {in_lists}");
        assert_eq!(cloud.requests("GET /v1/operations?") > 0, in_lists);
    }
}
