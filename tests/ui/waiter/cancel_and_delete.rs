use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running(response = (), metadata = (), cancel)]
impl Client {
    #[long_running(waiter(get = "v1/buckets/{name}", name_at = "id", success(output = "state", is = "READY")))]
    async fn create(&self) -> Result<RawOperation> {
        self.operations.post("v1/buckets", &()).await
    }

    #[long_running(
        cancel = false,
        delete,
        waiter(get = "v1/buckets/{name}", name_at = "id", success(output = "state", is = "READY")),
    )]
    async fn drop(&self) -> Result<RawOperation> {
        self.operations.post("v1/buckets", &()).await
    }

    #[long_running]
    async fn copy(&self) -> Result<RawOperation> {
        self.operations.post("v1/buckets", &()).await
    }
}

fn main() {}
