use lro_runtime::WireOperation;
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}")]
struct Job {
    #[operation(name)]
    id: String,
    #[operation(state, pending = ["new", "queued", "new"], running = ["busy", "over"], succeeded = "over", failed = "broken", cancelled = "stopped")]
    status: String,
    #[operation(response)]
    result: Option<String>,
}

fn main() {}
