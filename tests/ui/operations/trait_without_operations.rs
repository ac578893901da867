use lro_runtime::{RawOperation, Result, long_running};

#[long_running]
trait Service {
    #[long_running(response = (), metadata = ())]
    async fn export(&self) -> Result<RawOperation>;
}

fn main() {}
