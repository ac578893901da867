#[long_running(encoding = proto)]
impl BucketClient {
    #[long_running(response = Bucket, metadata = (), dialect = BUCKET_EXISTS)]
    pub async fn create_bucket(&self) -> Result<RawOperation> {
        self.operations.post("v1/buckets", &()).await
    }

    #[long_running(response = Bucket, metadata = (), dialect = Azure::new(), final_state_via = "location", words(succeeded = "partiallySucceeded", failed = ["aborted", "expired"]))]
    pub async fn move_bucket(&self) -> Result<RawOperation> {
        self.operations.post("v1/buckets:move", &()).await
    }
}
