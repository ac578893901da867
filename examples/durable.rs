//! A fleet that survives its process: twelve exports, a process that dies twice in the middle, and
//! a service that was asked to start each of them once.
//!
//! Run it with `cargo run --example durable`. The service is in this process. The fleet is in
//! another one, which this program starts from itself: it aborts, is started again, and goes on.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{self, Command},
    time::Duration,
};

use futures_lite::future::{or, zip};
use lro_examples::{ExportImageOperation, ExportRequest, ImageClient};
use lro_redb::RedbStore;
use lro_runtime::{
    Fleet, Operations, PollSettings, Result, StartIdIn,
    fleet::{Recovered, Service},
    testing::{Fault, Job, LroServer},
};
use serde_json::{Value, json};

const EXPORTS: usize = 12;
/// Where this service has start ids, by which it knows a start call that comes again.
const START_ID: StartIdIn = StartIdIn::Header("Idempotency-Key");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = env::args().skip(1).collect();
    if let [url, path, dies] = words.as_slice() {
        return Ok(Exports::new(url, Path::new(path))?.run(dies)?);
    }
    let (server, folder) = (service()?, Folder::new()?);
    for dies in ["in a start call", "before an ack", "never"] {
        let mut again = Command::new(env::current_exe()?);
        let status = again.arg(server.url()).arg(folder.0.join("fleet.redb")).arg(dies).status()?;
        println!("-- the process has ended: {status}\n");
    }
    println!("{} exports were started, of {EXPORTS} that were asked for", server.started());
    Ok(())
}

/// The program, in a process that knows of those before it only what the store has.
struct Exports {
    images: ImageClient,
    fleet: Fleet,
}

impl Exports {
    fn new(url: &str, path: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        let often = PollSettings::default().with_delay(Duration::from_millis(200));
        let operations =
            Operations::builder(url).start_id_in(START_ID).start_retries(3).poll_settings(often).build()?;
        // What the store calls this client, and the methods whose operations it has.
        let service = Service::new("images", &operations).with::<ExportImageOperation>();
        let fleet = Fleet::builder().store(RedbStore::open(path)?).service(service).build()?;
        Ok(Self { images: ImageClient::new(operations), fleet })
    }

    fn run(&self, dies: &str) -> Result<()> {
        let Recovered { waiting, ended, starting, .. } = self.fleet.recovered();
        println!("kept: {waiting} that wait, {ended} that have ended, {starting} whose start call is sent again");
        let work = zip(self.start(dies), self.consume(dies));
        let ((), (started, consumed)) = smol::block_on(zip(self.fleet.run(), work));
        started.and(consumed)
    }

    async fn start(&self, dies: &str) -> Result<()> {
        // The last process only finishes. What is under a key already is not started, but a key is
        // free again after the `ack`: what is done for good a program keeps elsewhere.
        let asked = if dies == "never" { 0 } else { EXPORTS };
        for n in 0..asked {
            let request = ExportRequest::new(format!("image-{n}"), "pictures");
            let start = self.fleet.start(format!("export-{n}"), || self.images.export_image(&request));
            if dies == "in a start call" && n == 7 {
                or(start, abort_soon()).await?; // the service has the call, and nobody its reply
            } else {
                start.await?;
            }
        }
        self.fleet.close(); // there will be no more
        Ok(())
    }

    async fn consume(&self, dies: &str) -> Result<()> {
        let (mut completions, mut told) = (self.fleet.completions(), 0);
        while let Some(completion) = completions.next().await {
            if let Some(export) = completion.operation::<ExportImageOperation>() {
                println!("{}: {}", completion.key().unwrap_or_default(), export?.into_result()?.uri);
            }
            told += 1;
            if dies == "before an ack" && told == EXPORTS / 2 {
                println!("(dies now: that one comes again)");
                process::abort();
            }
            completion.ack().await?;
        }
        Ok(())
    }
}

/// Ends the process as a crash does: nothing is tidied up.
async fn abort_soon<T>() -> T {
    smol::Timer::after(Duration::from_millis(300)).await;
    process::abort()
}

/// A service whose exports take two seconds, and one of which it is slow to answer for.
fn service() -> std::io::Result<LroServer> {
    let export = |request: &Value| {
        let image = request["image"].as_str().unwrap_or("?");
        let job = Job::lasting(Duration::from_secs(2)).responds(json!({ "uri": format!("gs://pictures/{image}.png") }));
        if image == "image-7" { job.fault(0, Fault::Latency(Duration::from_secs(20))) } else { job }
    };
    LroServer::builder().on("v1/images:export", export).start_id_in(START_ID).start()
}

/// A folder that is deleted at the end.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let path = env::temp_dir().join(format!("lro-durable-{}", process::id()));
        fs::create_dir_all(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0); // the files in it hold no secrets
    }
}
