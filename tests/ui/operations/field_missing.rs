use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    ops: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = (), metadata = ())]
    async fn export(&self) -> Result<RawOperation> {
        self.ops.post("v1/images:export", &()).await
    }
}

fn main() {}
