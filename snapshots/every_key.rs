#[long_running]
impl ImageClient {
    #[long_running(
        response = ExportedImage,
        metadata = ExportProgress,
        name = "ImageExport",
        operations = self.service.operations(),
        cancel,
        delete,
        pending = |metadata| metadata.queued,
        progress = stats.percent,
        classify = failure_in_disguise,
        response_type = "type.googleapis.com/example.ExportedImage",
        metadata_type = "type.googleapis.com/example.ExportProgress",
        wire = ExampleOperation,
        result = "target_link",
        final_state_via = "location",
        path = "v1/{name}",
        crate = crate::sdk::lro_runtime,
    )]
    pub async fn export_image(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }
}
