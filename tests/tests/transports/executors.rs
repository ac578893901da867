//! Cases about executors: any, none, and one whose thread is blocked.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::{Context, Waker},
};

use crate::{
    server::{Server, Then},
    subject::{MAX_BODY, Outcome, PATIENCE, Subject, patiently, request, text},
};

/// Returns a server that answers every request with `hello`.
fn greeting() -> Server {
    Server::new(|_, peer| {
        peer.reply("hello");
        Then::KeepOpen
    })
}

async fn ask(subject: Subject, url: String) -> Outcome {
    subject.transport.send(&request("GET", &url, ""), MAX_BODY).await
}

fn one_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

pub(crate) fn it_runs_on_smol_on_tokio_and_on_none(subject: &Subject) {
    let server = greeting();
    let asked = || ask(subject.clone(), server.url("/"));
    for _ in 0..2 {
        assert_eq!(text(patiently(asked())), "hello");
        assert_eq!(text(smol::block_on(smol::spawn(asked()))), "hello");
        assert_eq!(text(one_thread().block_on(asked())), "hello");
        let many = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
        assert_eq!(text(many.block_on(async { many.spawn(asked()).await.unwrap() })), "hello");
        assert_eq!(text(futures_lite::future::block_on(asked())), "hello");
    }
}

pub(crate) fn a_caller_that_blocks_its_executor_gets_its_reply(subject: &Subject) {
    let server = greeting();
    let asked = || ask(subject.clone(), server.url("/"));
    // The second request blocks the executor's thread and reuses the connection of the first one.
    // If a task of that executor drove the connection, the request would wait for ever.
    let executor = smol::LocalExecutor::new();
    let twice = executor.run(async {
        asked().await.unwrap();
        text(patiently(asked()))
    });
    assert_eq!(smol::block_on(twice), "hello");
    let twice = async {
        asked().await.unwrap();
        text(patiently(asked()))
    };
    assert_eq!(one_thread().block_on(twice), "hello");
}

/// A task of tokio that does much in one turn, such as many requests, is told by tokio's channels
/// to come again, and is woken when it has returned.
pub(crate) fn a_request_of_a_task_that_has_used_up_its_turn_goes_on_in_the_next(subject: &Subject) {
    fn use_up_the_turn() {
        let mut context = Context::from_waker(Waker::noop());
        while pin!(tokio::task::consume_budget()).as_mut().poll(&mut context).is_ready() {}
    }
    let server = greeting();
    for skipped in 0..6 {
        let mut asked = pin!(ask(subject.clone(), server.url("/")));
        let mut turns = 0;
        let every_other = poll_fn(|context| {
            turns += 1;
            if turns % 2 == skipped % 2 && turns > skipped / 2 {
                use_up_the_turn();
            }
            asked.as_mut().poll(context)
        });
        let hanging = async {
            async_io::Timer::after(PATIENCE).await;
            panic!("no outcome within {PATIENCE:?}");
        };
        assert_eq!(text(one_thread().block_on(futures_lite::future::or(every_other, hanging))), "hello");
    }
}

pub(crate) fn a_transport_outlives_the_executor_of_its_first_request(subject: &Subject) {
    let server = greeting();
    for _ in 0..3 {
        assert_eq!(text(one_thread().block_on(ask(subject.clone(), server.url("/")))), "hello");
    }
}
