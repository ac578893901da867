use lro_runtime::WireOperation;
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}")]
enum Job {
    Queued,
    Over,
}

fn main() {}
