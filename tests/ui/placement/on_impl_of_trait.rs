use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

trait Service {
    async fn export(&self) -> Result<RawOperation>;
}

#[long_running]
impl Service for Client {
    #[long_running(response = (), metadata = ())]
    async fn export(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
}

fn main() {}
