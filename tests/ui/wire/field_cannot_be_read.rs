use lro_runtime::WireOperation;
use serde::Deserialize;

struct Picture;

#[derive(WireOperation)]
#[operation(poll = "v1/jobs/{name}")]
struct Job {
    #[operation(name)]
    id: String,
    #[operation(state, running = "busy", succeeded = "over", failed = "broken", absent(pending, cancelled))]
    status: String,
    #[operation(response)]
    result: Option<Picture>,
}

#[derive(Deserialize)]
struct Unused;

fn main() {}
