use lro_runtime::WireOperation;
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}")]
struct Job {
    #[operation(name, unit = "ms")]
    id: String,
    #[operation(state, running = "busy", succeeded = "over", failed = "broken", absent(pending, cancelled))]
    status: String,
    #[operation(response, poll = "v1/jobs/{name}")]
    result: Option<String>,
    #[operation(hint, unit = "minutes")]
    wait: u32,
}

fn main() {}
