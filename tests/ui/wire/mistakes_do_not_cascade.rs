use lro_runtime::{Operations, RawOperation, Result, WireOperation, long_running};
use serde::Deserialize;

#[derive(Deserialize, WireOperation)]
#[operation(poll = "v1/jobs/{name}")]
struct Job {
    #[operation(nmae)]
    id: String,
    #[operation(state, running = "busy", succeeded = "busy", failed = "broken", absent(pending, cancelled))]
    status: String,
    #[operation(response = ())]
    result: Option<String>,
}

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = (), metadata = (), wire = Job)]
    async fn run(&self) -> Result<RawOperation> {
        self.operations.post("v1/jobs", &()).await
    }
}

fn main() {
    let _: fn(Job) -> String = |job| job.id;
}
