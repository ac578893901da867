use lro_runtime::{Operations, RawOperation, Result, WireOperation, long_running};
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}", response = ())]
struct Job {
    #[operation(name)]
    id: String,
    #[operation(state, running = "busy", succeeded = "over", failed = "broken", absent(pending, cancelled))]
    status: String,
}

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = (), metadata = (), wire = Job, cancel, delete)]
    async fn run(&self) -> Result<RawOperation> {
        self.operations.post("v1/jobs", &()).await
    }
}

fn main() {}
