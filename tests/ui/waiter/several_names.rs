use lro_runtime::{Operations, RawOperation, Result, long_running};

struct Tasks {
    operations: Operations,
}

#[long_running(response = (), metadata = ())]
impl Tasks {
    #[long_running(waiter(
        get = "v1/tasks/{name}",
        name_at = "id",
        success(output = "state", is = "OVER"),
        named(items = "tasks[]", id = "id", most = 10),
    ))]
    async fn names_without_a_place(&self) -> Result<RawOperation> {
        self.operations.post("v1/tasks", "").await
    }

    #[long_running(waiter(
        get = "v1/tasks?ids={name}",
        name_at = "id",
        success(output = "tasks[0].state", is = "OVER"),
        named(items = "tasks", ids = "id", most = "ten"),
    ))]
    async fn values_of_other_kinds(&self) -> Result<RawOperation> {
        self.operations.post("v1/tasks", "").await
    }

    #[long_running(waiter(
        get = "v1/tasks?ids={name}",
        name_at = "id",
        success(output = "tasks[0].state", is = "OVER"),
        named(items = "tasks[]"),
    ))]
    async fn half_of_it(&self) -> Result<RawOperation> {
        self.operations.post("v1/tasks", "").await
    }
}

fn main() {}
