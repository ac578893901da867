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
            get = v1,
            success(output = state, is = "READY"),
            failure(output = "size", is = 3),
            failure(output = "states[]", all = true),
            retry(success = "yes"),
            retry(error = 404),
        ),
    )]
    async fn create(&self) -> Result<RawOperation> {
        self.operations.post("v1/buckets", &()).await
    }
}

fn main() {}
