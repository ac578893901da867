#[long_running(response = (), metadata = Progress)]
impl Tables {
    #[long_running(progress(percent, of = 100))]
    pub async fn of_a_number(&self) -> Result<RawOperation> {
        self.operations.post("v1/tables:copy", &()).await
    }

    #[long_running(progress(stats.rows.done, of = "total"))]
    pub async fn of_a_field_beside_it(&self) -> Result<RawOperation> {
        self.operations.post("v1/tables:move", &()).await
    }
}
