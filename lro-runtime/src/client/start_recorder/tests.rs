//! When start calls are written down, which of them, and by whom.

#![expect(unused_must_use, reason = "what a scripted transport starts need not be polled")]

use std::{
    future::{self, IntoFuture, pending, poll_fn, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Mutex,
    task::Waker,
    thread,
};

use super::*;
use crate::{
    client::{OperationsBuilder, StartIdIn, current_method},
    error::{Error, ErrorKind},
    testing::{Script, ScriptedTransport, VirtualClock},
    timer::park::block_on,
};

/// What a recorder was told of a start call.
#[derive(Clone, Debug)]
pub(in crate::client) struct Told {
    client: usize,
    pub(in crate::client) method: Option<&'static str>,
    pub(in crate::client) start_id: Option<String>,
    pub(in crate::client) record: Result<StartRecord, NotKept>,
}

/// A recorder that keeps what it is told. It is done at once, fails, or is not done before it is
/// let.
#[derive(Default)]
pub(in crate::client) struct Recorder {
    told: Mutex<Vec<Told>>,
    fails: bool,
    waits: bool,
}

impl Recorder {
    fn failing() -> Arc<Self> {
        Arc::new(Self { fails: true, ..Self::default() })
    }

    /// What it was told since it was last asked.
    pub(in crate::client) fn told(&self) -> Vec<Told> {
        std::mem::take(&mut self.told.lock().unwrap())
    }

    /// The number of start calls that it was told of.
    fn count(&self) -> usize {
        self.told.lock().unwrap().len()
    }
}

impl StartRecorder for Recorder {
    fn record(
        &self,
        client: &Operations,
        method: Option<&'static Method>,
        start_id: Option<&str>,
        record: Result<StartRecord, NotKept>,
    ) -> BoxFuture<'static, Result<()>> {
        let method = method.map(Method::name);
        let start_id = start_id.map(str::to_owned);
        self.told.lock().unwrap().push(Told { client: client.address(), method, start_id, record });
        match (self.fails, self.waits) {
            (true, _) => Box::pin(ready(Err(Error::new(ErrorKind::Closed, "the disk is full")))),
            (_, true) => Box::pin(pending()),
            _ => Box::pin(ready(Ok(()))),
        }
    }
}

/// Polls `future` with its start calls told to `recorder`.
pub(in crate::client) fn recorded<F: IntoFuture>(
    recorder: &Arc<Recorder>,
    future: F,
) -> impl Future<Output = F::Output> {
    let recorder: Arc<dyn StartRecorder> = Arc::<Recorder>::clone(recorder);
    let mut future = Box::pin(future.into_future());
    poll_fn(move |context| poll_recorded(&recorder, future.as_mut(), context))
}

/// A client, and its transport, which answers with these replies.
fn client_with(
    script: Script,
    with: impl FnOnce(OperationsBuilder) -> OperationsBuilder,
) -> (ScriptedTransport, Operations) {
    let clock = VirtualClock::new();
    let transport = ScriptedTransport::new(script).with_clock(&clock);
    let builder = Operations::builder("http://scripted.test").transport(transport.clone()).timer(clock);
    (transport, with(builder).build().unwrap())
}

/// A client whose service starts every operation.
fn client() -> (ScriptedTransport, Operations) {
    client_with(Script::new().running(9), |builder| builder)
}

fn poll_once<T>(future: Pin<&mut (dyn Future<Output = T> + '_)>) -> Poll<T> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn nothing_is_sent_before_the_call_is_written_down() {
    /// A recorder that is done when it is let.
    struct Gate(Arc<Mutex<bool>>);

    impl StartRecorder for Gate {
        fn record(
            &self,
            _: &Operations,
            _: Option<&'static Method>,
            _: Option<&str>,
            _: Result<StartRecord, NotKept>,
        ) -> BoxFuture<'static, Result<()>> {
            let open = Arc::clone(&self.0);
            let is_open =
                move |_: &mut Context<'_>| if *open.lock().unwrap() { Poll::Ready(Ok(())) } else { Poll::Pending };
            Box::pin(poll_fn(is_open))
        }
    }

    let (transport, operations) = client();
    let open = Arc::new(Mutex::new(false));
    let recorder: Arc<dyn StartRecorder> = Arc::new(Gate(Arc::clone(&open)));
    let mut start = operations.post("v1/images:export", &1);
    let mut start = Box::pin(poll_fn(|context| poll_recorded(&recorder, start.as_mut(), context)));
    for _ in 0..3 {
        assert!(poll_once(start.as_mut()).is_pending());
        assert!(transport.requests().is_empty());
    }
    *open.lock().unwrap() = true;
    assert_eq!(block_on(start).unwrap().name(), "operations/1");
    assert_eq!(transport.requests().len(), 1);
}

#[test]
fn a_call_that_cannot_be_written_down_is_not_sent() {
    let (transport, operations) = client();
    let recorder = Recorder::failing();
    let error = block_on(recorded(&recorder, operations.post("v1/images:export", &1))).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Closed);
    assert!(error.to_string().starts_with("the disk is full"), "{error}");
    assert_eq!(recorder.count(), 1);
    assert!(transport.requests().is_empty());
}

#[test]
fn a_start_that_is_dropped_while_it_is_written_down_sends_nothing() {
    let (transport, operations) = client();
    let recorder = Arc::new(Recorder { waits: true, ..Recorder::default() });
    let mut start = Box::pin(recorded(&recorder, operations.post("v1/images:export", &1)));
    assert!(poll_once(start.as_mut()).is_pending());
    drop(start);
    assert_eq!(recorder.count(), 1);
    assert!(transport.requests().is_empty());
}

#[test]
fn a_call_with_a_mistake_is_not_written_down() {
    let (transport, operations) = client();
    let recorder = Arc::new(Recorder::default());
    let call = operations.call(http::Method::POST, "v1/{image}:export").path("image", "..");
    assert_eq!(block_on(recorded(&recorder, call)).unwrap_err().kind(), ErrorKind::Start);
    assert_eq!(recorder.count(), 0);
    assert!(transport.requests().is_empty());
}

#[test]
fn a_recorder_is_told_the_client_the_method_and_the_start_id() {
    static METHOD: Method = Method::new("Images.export");
    let (_, operations) = client_with(Script::new().running(9), |builder| builder.start_id_in(StartIdIn::Query("id")));
    let recorder = Arc::new(Recorder::default());
    let call = operations.call(http::Method::POST, "v1/images:export").with_start_id("7");
    let mut body = call.into_future();
    let as_method = poll_fn(|context| current_method::poll_as(&METHOD, body.as_mut(), context));
    block_on(recorded(&recorder, as_method)).unwrap();
    let told = recorder.told().remove(0);
    assert_eq!((told.client, told.method), (operations.address(), Some("Images.export")));
    assert_eq!(told.start_id.as_deref(), Some("7"));
    let record = told.record.unwrap();
    assert_eq!((record.method(), record.start_id()), (Some("Images.export"), Some("7")));

    block_on(recorded(&recorder, operations.post("v1/images:export", &1))).unwrap();
    let told = recorder.told().remove(0);
    assert_eq!((told.method, told.record.unwrap().method()), (None, None));
}

#[test]
fn a_start_that_is_sent_again_by_the_start_policy_is_one_start() {
    let script = Script::new().unavailable().unavailable().running(1);
    let (transport, operations) = client_with(script, |builder| builder.start_retries(2));
    let recorder = Arc::new(Recorder::default());
    block_on(recorded(&recorder, operations.post("v1/images:export", &1))).unwrap();
    assert_eq!(recorder.count(), 1);
    assert_eq!(transport.requests().len(), 3);
}

#[test]
fn every_start_call_of_one_body_is_told() {
    let (transport, operations) = client();
    let recorder = Arc::new(Recorder::default());
    let body = async {
        operations.post("v1/images:prepare", &1).await?;
        operations.post("v1/images:export", &2).await
    };
    block_on(recorded(&recorder, body)).unwrap();
    let records: Vec<String> = recorder.told().into_iter().map(|told| format!("{:?}", told.record.unwrap())).collect();
    assert!(records[0].contains("v1/images:prepare") && records[1].contains("v1/images:export"), "{records:?}");
    assert_eq!((records.len(), transport.requests().len()), (2, 2));
}

#[test]
fn what_is_no_start_call_is_not_told() {
    let (transport, operations) = client();
    let recorder = Arc::new(Recorder::default());
    block_on(recorded(&recorder, operations.get("operations/1"))).unwrap();
    assert_eq!((recorder.count(), transport.requests().len()), (0, 1));
}

#[test]
fn a_call_that_is_polled_elsewhere_is_not_told() {
    let (transport, operations) = client();
    let recorder = Arc::new(Recorder::default());
    let start = || operations.post("v1/images:export", &1);
    // By another task.
    let handed_over = async {
        thread::spawn({
            let start = start();
            move || block_on(start)
        })
        .join()
        .unwrap()
    };
    block_on(recorded(&recorder, handed_over)).unwrap();
    // Made inside, and polled after the end of what made it.
    let made = block_on(recorded(&recorder, future::ready(start())));
    block_on(made).unwrap();
    // Between two polls of what is recorded.
    let mut outer = Box::pin(recorded(&recorder, pending::<()>()));
    assert!(poll_once(outer.as_mut()).is_pending());
    block_on(start()).unwrap();
    assert_eq!((recorder.count(), transport.requests().len()), (0, 3));
}

#[test]
fn recorders_nest_and_the_outer_one_is_put_back() {
    let (_, operations) = client();
    let (outer, inner) = (Arc::new(Recorder::default()), Arc::new(Recorder::default()));
    let body = async {
        recorded(&inner, operations.post("v1/images:prepare", &1)).await?;
        operations.post("v1/images:export", &2).await
    };
    block_on(recorded(&outer, body)).unwrap();
    assert_eq!((outer.count(), inner.count()), (1, 1));
    assert!(current().is_none());
}

#[test]
fn code_that_panics_leaves_no_recorder_behind() {
    let (_, operations) = client();
    let (outer, inner) = (Arc::new(Recorder::default()), Arc::new(Recorder::default()));
    let body = async {
        let panics = recorded(&inner, async { panic!("on purpose") });
        let caught = catch_unwind(AssertUnwindSafe(|| poll_once(Box::pin(panics).as_mut())));
        assert!(caught.is_err());
        operations.post("v1/images:export", &1).await
    };
    block_on(recorded(&outer, body)).unwrap();
    assert_eq!((outer.count(), inner.count()), (1, 0));
    let panics = recorded(&outer, async { panic!("on purpose") });
    assert!(catch_unwind(AssertUnwindSafe(|| poll_once(Box::pin(panics).as_mut()))).is_err());
    assert!(current().is_none());
}

#[test]
fn a_recorder_is_let_go_when_nothing_is_polled() {
    let (_, operations) = client();
    let recorder = Arc::new(Recorder::default());
    let mut start = Box::pin(recorded(&recorder, operations.post("v1/images:export", &1)));
    assert_eq!(Arc::strong_count(&recorder), 2, "this test's and the future's");
    assert!(poll_once(start.as_mut()).is_ready());
    drop(start);
    assert_eq!(Arc::strong_count(&recorder), 1);
}
