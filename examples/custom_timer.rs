//! Timers: the default one works on any executor and on none. A custom one implements a trait with
//! one required method.
//!
//! Run it with `cargo run --example custom_timer`.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
        mpsc,
    },
    thread,
    time::Duration,
};

use lro_examples::{ExportRequest, ImageClient, service};
use lro_runtime::{Operations, PollSettings, Result, Timer, timer::TokioTimer, transport::BoxFuture};

/// A timer for programs without a reactor and without a runtime: each sleep is a thread, which ends
/// with its sleep.
#[derive(Clone, Default)]
struct ThreadTimer {
    sleeps: Arc<AtomicU32>,
}

impl Timer for ThreadTimer {
    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.sleeps.fetch_add(1, Ordering::Relaxed);
        let (done, ended) = smol::channel::bounded::<()>(1);
        let (kept, stopped) = mpsc::channel::<()>();
        thread::spawn(move || {
            // Until the time is over, or until the sleep is dropped, and `kept` with it. Most
            // sleeps are time limits, and are dropped when the reply comes.
            let _ = stopped.recv_timeout(duration);
            drop(done);
        });
        Box::pin(async move {
            let _kept = kept;
            let _ = ended.recv().await; // ends with an error when the thread drops its sender
        })
    }
}

/// Starts an export and waits for it, on the executor that runs this.
async fn export(operations: Operations, who: &str) -> Result<()> {
    let operation = ImageClient::new(operations).export_image(&ExportRequest::new(who, "pictures")).await?;
    let done = operation.poll_until_completed(PollSettings::interactive()).await?;
    println!("{who}: {}", done.into_result()?.uri);
    Ok(())
}

fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let server = service()?;
    let client = || Operations::builder(server.url());

    // The default timer: on smol, on tokio, and on a `block_on` without any reactor.
    smol::block_on(export(client().build()?, "smol"))?;
    let tokio = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
    tokio.block_on(export(client().build()?, "tokio"))?;
    futures_lite::future::block_on(export(client().build()?, "bare-block-on"))?;

    // tokio's own timer, for programs that pause tokio's clock in tests.
    tokio.block_on(export(client().timer(TokioTimer).build()?, "tokio-timer"))?;

    // A custom type, or a closure.
    let threads = ThreadTimer::default();
    smol::block_on(export(client().timer(threads.clone()).build()?, "thread-timer"))?;
    println!("{} sleeps", if threads.sleeps.load(Ordering::Relaxed) > 0 { "some" } else { "no" });
    let closure = |duration| async move {
        smol::Timer::after(duration).await;
    };
    smol::block_on(export(client().timer(closure).build()?, "closure"))?;
    Ok(())
}
