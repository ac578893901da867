#[long_running(response = T, metadata = (), operations = transport)]
async fn export<'a, T, C, R>(transport: &'a Operations<C>, request: R) -> Result<RawOperation>
where
    T: DeserializeOwned,
    C: Channel + 'a,
    R: Into<ExportRequest>,
{
    transport.post("v1/images:export", request.into()).await
}
