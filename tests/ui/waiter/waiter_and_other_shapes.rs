use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(
        response = (),
        metadata = (),
        path = "v1/{name}",
        dialect = lro_runtime::dialect::Azure::new(),
        waiter(success(error = "NotFound")),
    )]
    async fn create(&self) -> Result<RawOperation> {
        self.operations.post("v1/buckets", &()).await
    }
}

fn main() {}
