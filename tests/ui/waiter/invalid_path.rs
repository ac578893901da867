use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(
        response = (),
        metadata = (),
        waiter(
            name_at = "bucket..id",
            response_at = "",
            success(output = "items[first].state", is = "READY"),
            failure(output = "length(items", is = true),
        ),
    )]
    async fn create(&self) -> Result<RawOperation> {
        self.operations.post("v1/buckets", &()).await
    }
}

fn main() {}
