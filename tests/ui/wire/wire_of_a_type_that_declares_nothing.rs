use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Job;

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

fn main() {}
