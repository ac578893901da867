#[long_running]
impl ImageClient {
    /// Exports an image, as [`Self::import_image`] and [others][guide] do.
    /// To a bucket.
    ///
    /// Second paragraph.
    ///
    /// [guide]: https://example.com/guide
    #[deprecated(since = "1.2.0", note = "use `import_image`")]
    #[must_use = "futures do nothing"]
    #[lro_runtime::long_running(response = (), metadata = ())]
    pub async fn export_image(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:export", &()).await
    }

    #[doc(hidden)]
    #[long_running(response = (), metadata = ())]
    pub async fn import_image(&self) -> Result<RawOperation> {
        self.operations.post("v1/images:import", &()).await
    }
}
