use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Client {
    operations: Operations,
}

#[long_running(response = (), metadata = ())]
impl Client {
    #[long_running(poll(delay = "0s", poll_timeout = "0.5ms", long_poll = "0s"))]
    async fn hot_loop(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(poll(jitter = "half", unknown_status = "failed", timeout = "forever"))]
    async fn words(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(poll(jitter = equal, error_budget = "5", hint = ignore))]
    async fn other_kinds(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(poll(hint(floor = "2s", ceiling = "1s")))]
    async fn ceiling_below_floor(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(poll(hint(floor = "2s")))]
    async fn half_a_hint(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(poll(hint(floor = "2s", cieling = "1m")))]
    async fn misspelt_hint(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(poll(error_budget(elapsed = "1m", retries = 3)))]
    async fn budget_of_no_failures(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(poll(error_budget(failures = -1)))]
    async fn negative_budget(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(poll(error_budget(failures = 3, max_delay = "500ms")))]
    async fn budget_below_its_delay(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(poll(error_budget(failures = 3, origin = "ignored")))]
    async fn origin_of_a_word(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(poll(error_budget(failures = 3, origin(failure = 20, elapsed = "ten minutes"))))]
    async fn origin_of_mistakes(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }

    #[long_running(poll(error_budget(failures = 3, origin())))]
    async fn origin_of_nothing(&self) -> Result<RawOperation> {
        self.operations.post("v1/exports", &()).await
    }
}

fn main() {}
