use lro_runtime::{Operations, RawOperation, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = (), metadata = ())]
    async fn export(&self) -> RawOperation {
        self.operations.post("v1/images:export", &()).await.expect("started")
    }
}

fn main() {}
