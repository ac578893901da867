use lro_runtime::WireOperation;
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}", response = self)]
struct Job {
    #[operation(name)]
    id: String,
    #[operation(state, running = "busy", done = "over", absent(pending, cancelled))]
    status: String,
}

fn main() {}
