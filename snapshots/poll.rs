#[long_running(poll(delay = "1s", timeout = "1h"), cancel)]
impl ImageClient {
    #[long_running(
        response = ExportedImage,
        metadata = ExportProgress,
        poll(multiplier = 2, max_delay = "1m 30s", initial_delay = "500ms", timeout = "10m")
    )]
    pub async fn export_image(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
    #[long_running(
        response = (),
        metadata = (),
        poll(
            timeout = "never",
            jitter = "equal",
            poll_timeout = "10s",
            hint(floor = "1s", ceiling = "5m"),
            error_budget(failures = 5, elapsed = "1m", delay = "200ms", max_delay = "2s"),
            not_found_grace = "0s",
            long_poll = "30s",
            unknown_status = "error",
        )
    )]
    pub async fn every_other_key(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }

    #[long_running(response = (), metadata = (), poll(hint = "ignore", error_budget = 3))]
    pub async fn short_forms(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
}
