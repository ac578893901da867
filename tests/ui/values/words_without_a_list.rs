use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = (), metadata = (), words = "partiallySucceeded")]
    async fn export(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
}

fn main() {}
