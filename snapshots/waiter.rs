#[long_running(crate = crate::sdk::lro_runtime)]
impl InstanceClient {
    #[long_running(
        response = Instance,
        metadata = InstanceReply,
        waiter(
            get = "v1/instances/{name}",
            name_at = "instance.id",
            response_at = "instance",
            retry(error = "NotFound"),
            success(output = "instance.state", is = "running"),
            failure(output = "instance.state", is = "terminated"),
            failure(output = "instance.locked", is = true),
            failure(output = "disks[].state", any = "lost"),
            success(output = "disks[].state", all = "ready"),
            retry(success = true),
        ),
    )]
    pub async fn create_instance(&self) -> Result<RawOperation> {
        self.operations.post("v1/instances", &()).await
    }

    #[long_running(response = (), metadata = (), waiter(success(error = "NotFound")))]
    pub async fn delete_instance(&self) -> Result<RawOperation> {
        self.operations.start(delete("v1/instances/7")).await
    }

    #[long_running(
        response = Table,
        metadata = (),
        waiter(
            post = "",
            body = r#"{"TableName":"{name}"}"#,
            headers("x-amz-target" = "Tables.Describe"),
            name_at = "TableDescription.TableName",
            success(output = "Table.TableStatus", is = "ACTIVE"),
        ),
    )]
    pub async fn create_table(&self) -> Result<RawOperation> {
        self.operations.post("", &()).await
    }

    #[long_running(
        response = Tasks,
        metadata = (),
        waiter(
            get = "v1/tasks?ids={name}",
            name_at = "tasks[0].id",
            success(output = "tasks[0].state", is = "OVER"),
            named(items = "tasks[]", id = "id", most = 100),
        ),
    )]
    pub async fn run_task(&self) -> Result<RawOperation> {
        self.operations.post("v1/tasks", &()).await
    }
}
