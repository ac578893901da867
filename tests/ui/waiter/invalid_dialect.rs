use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(
        response = (),
        metadata = (),
        dialect = "azure",
    )]
    async fn create(&self) -> Result<RawOperation> {
        self.operations.post("v1/buckets", &()).await
    }
}

fn main() {}
