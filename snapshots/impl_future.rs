#[long_running]
impl ImageClient {
    #[long_running(response = ExportedImage, metadata = ExportProgress)]
    pub fn export_image<'a>(
        &'a self,
        request: &'a ExportRequest,
    ) -> impl Future<Output = Result<lro_runtime::RawOperation, MyError>> + Send + 'a {
        let path = "v1/images:export";
        async move { Ok(self.operations.post(path, request).await?) }
    }
}
