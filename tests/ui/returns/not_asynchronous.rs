use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running]
impl Client {
    #[long_running(response = (), metadata = ())]
    fn export(&self) -> Result<RawOperation> {
        lro_runtime::block_on(self.operations.post("v1/images:export", &()))
    }
}

fn main() {}
