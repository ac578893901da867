#[long_running(response = (), metadata = (), operations = OPERATIONS.get_or_init(connect))]
pub async fn restart(name: &str) -> Result<RawOperation> {
    OPERATIONS.get_or_init(connect).post("v1/restart", name).await
}
