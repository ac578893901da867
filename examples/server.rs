//! A service to try the command `lro` against.
//!
//! `cargo run --example server -- 600` stays up for 600 seconds, and without a number for one.

use std::{env, thread::sleep, time::Duration};

use lro_runtime::{
    Code,
    testing::{Job, LroServer},
};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let seconds = env::args().nth(1).map_or(Ok(1), |text| text.parse())?;
    let server = LroServer::builder().start()?;
    server.add(Job::lasting(Duration::from_secs(20)).responds("gs://pictures/cat.png").named("operations/cat"));
    server.add(Job::lasting(Duration::from_secs(10)).fails(Code::DataLoss, "it is torn").named("operations/cow"));
    server.add(Job::endless().cancelled_after(1).named("operations/elephant"));
    println!("export LRO_BASE={}", server.url());
    println!("lro watch operations/cat operations/cow operations/elephant");
    sleep(Duration::from_secs(seconds));
    Ok(())
}
