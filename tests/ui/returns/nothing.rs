use lro_runtime::{Operations, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = (), metadata = ())]
    async fn export(&self) {
        let _ = self.operations.post("v1/images:export", &()).await;
    }
}

fn main() {}
