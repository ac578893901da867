//! Takes the figures of lro-runtime and prints one per line. README.md explains them.

mod callgrind;
mod count;
mod deps;
mod dialects;
#[cfg(feature = "fleet")]
mod fleet;
#[cfg(feature = "in-flight")]
mod in_flight;
mod long_poll;
mod loopback;
#[cfg(feature = "grpc")]
mod loopback_grpc;
#[cfg(feature = "in-flight")]
mod process;
mod report;
mod schedule;
mod sdk500;
mod service;
mod shared;
mod step;
#[cfg(feature = "store")]
mod store;
#[cfg(feature = "telemetry")]
mod telemetry;
mod virtual_time;

use std::{env, process::ExitCode};

#[global_allocator]
static ALLOCATOR: count::Counting = count::Counting;

const USAGE: &str = "usage: lro-benches all | step | step-instructions | dialects | dialects-instructions | schedule | long-poll | shared | loopback | loopback-grpc | in-flight [OPERATIONS] | fleet [long] | fleet-in-flight [OPERATIONS] | store [FOLDER] | durable [OPERATIONS] | deps | sdk500 [METHODS]";

fn main() -> ExitCode {
    #[cfg(feature = "telemetry")]
    telemetry::subscribe();
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["all"] => {
            step::run(false);
            dialects::run(false);
            schedule::run();
            long_poll::run();
            shared::run();
            return finish(deps::run());
        }
        ["dialects"] => dialects::run(false),
        ["dialects-instructions"] => dialects::run(true),
        ["schedule"] => schedule::run(),
        ["long-poll"] => long_poll::run(),
        ["shared"] => shared::run(),
        ["loopback"] => return finish(loopback::run(None)),
        #[cfg(feature = "grpc")]
        ["loopback-grpc"] => return finish(loopback_grpc::run(None)),
        #[cfg(feature = "in-flight")]
        ["in-flight"] => return finish(in_flight::run(100_000)),
        #[cfg(feature = "in-flight")]
        ["in-flight", operations] => return finish(in_flight::run(operations.parse().unwrap_or(100_000))),
        #[cfg(feature = "in-flight")]
        ["repeat", "in-flight", variant, body, cores, operations] => {
            let (cores, operations) = (cores.parse().unwrap_or(1), operations.parse().unwrap_or(1));
            return finish(in_flight::repeat(variant, body, cores, operations));
        }
        #[cfg(feature = "fleet")]
        ["fleet"] => return finish(fleet::run(false)),
        #[cfg(feature = "fleet")]
        ["fleet", "long"] => return finish(fleet::run(true)),
        #[cfg(feature = "fleet")]
        ["fleet-in-flight"] => return finish(fleet::run_in_flight(100_000)),
        #[cfg(feature = "fleet")]
        ["fleet-in-flight", operations] => {
            return finish(fleet::run_in_flight(operations.parse().unwrap_or(100_000)));
        }
        #[cfg(feature = "fleet")]
        ["repeat", "fleet-in-flight", variant, body, cores, operations] => {
            let (cores, operations) = (cores.parse().unwrap_or(1), operations.parse().unwrap_or(1));
            return finish(fleet::repeat_in_flight(variant, body, cores, operations));
        }
        #[cfg(feature = "fleet")]
        ["repeat", "fleet", what, times] => fleet::repeat(what, times.parse().unwrap_or(1)),
        #[cfg(feature = "store")]
        ["store"] => return finish(store::run(&env::temp_dir())),
        #[cfg(feature = "store")]
        ["store", folder] => return finish(store::run(folder.as_ref())),
        #[cfg(feature = "store")]
        ["durable"] => return finish([100_000, 1_000_000].into_iter().try_for_each(store::recover)),
        #[cfg(feature = "store")]
        ["durable", operations] => return finish(store::recover(operations.parse().unwrap_or(100_000))),
        #[cfg(feature = "store")]
        ["repeat", "durable", path] => return finish(store::recover_once(path.as_ref())),
        ["deps"] => return finish(deps::run()),
        ["step"] => step::run(false),
        ["step-instructions"] => step::run(true),
        ["sdk500"] => return finish(sdk500::run(500)),
        ["sdk500", methods] => return finish(sdk500::run(methods.parse().unwrap_or(500))),
        ["repeat", "step", variant, times] => step::repeat(variant, times.parse().unwrap_or(1)),
        ["repeat", "loopback", variant, times] => {
            return finish(loopback::run(Some((variant, times.parse().unwrap_or(1)))));
        }
        #[cfg(feature = "grpc")]
        ["repeat", "loopback-grpc", variant, times] => {
            return finish(loopback_grpc::run(Some((variant, times.parse().unwrap_or(1)))));
        }
        ["repeat", "dialects", name, times] => dialects::repeat(name, times.parse().unwrap_or(1)),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    }
    ExitCode::SUCCESS
}

fn finish(outcome: Result<(), Box<dyn std::error::Error>>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}
