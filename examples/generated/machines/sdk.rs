// Written by lro-codegen. Do not edit: change the description, or the overrides, and run it again.

/// Long-running methods of `Machines`, from `machines.json`.
pub mod machines {
    use super::types;
    use lro_runtime::{
        Operations, OperationsBuilder, RawOperation, Result, StartCall, dialect::Azure,
        http::Method, long_running,
    };

    /// Starts the long-running operations of `Machines`.
    #[derive(Clone, Debug)]
    pub struct MachinesClient {
        operations: Operations,
        subscription_id: String,
    }

    impl MachinesClient {
        /// Begins to build what the calls are sent through, to <https://management.example.com>.
        pub fn builder() -> OperationsBuilder {
            Operations::builder("https://management.example.com").dialect(Azure::new())
        }

        /// Makes a client that sends its calls through `operations`: those of
        /// [`builder`](Self::builder), with credentials.
        ///
        /// - `subscription_id`: Who pays.
        #[must_use]
        pub fn new(operations: Operations, subscription_id: impl Into<String>) -> Self {
            Self {
                operations,
                subscription_id: subscription_id.into(),
            }
        }
    }

    #[long_running(dialect = Azure::new(), metadata = serde_json::Value)]
    impl MachinesClient {
        /// Creates a machine, or changes one that is there.
        #[long_running(response = types::Machine, final_state_via = "azure-async-operation")]
        pub async fn create_or_update(
            &self,
            resource_group_name: &str,
            machine_name: &str,
            machine: &types::Machine,
            options: &CreateOrUpdateOptions,
        ) -> Result<RawOperation> {
            let path = "subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Example.Compute/machines/{machineName}";
            let call = self
                .operations
                .call(Method::PUT, path)
                .path("subscriptionId", &self.subscription_id)
                .path("resourceGroupName", resource_group_name)
                .path("machineName", machine_name)
                .query("api-version", "2026-01-01");
            options.add_to(call).json(machine).await
        }

        /// Deletes a machine. Its disks stay.
        #[long_running(response = ())]
        pub async fn delete(
            &self,
            resource_group_name: &str,
            machine_name: &str,
            options: &DeleteOptions,
        ) -> Result<RawOperation> {
            let path = "subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Example.Compute/machines/{machineName}";
            let call = self
                .operations
                .call(Method::DELETE, path)
                .path("subscriptionId", &self.subscription_id)
                .path("resourceGroupName", resource_group_name)
                .path("machineName", machine_name)
                .query("api-version", "2026-01-01");
            options.add_to(call).await
        }

        /// Restarts a machine.
        #[long_running(response = ())]
        pub async fn restart(
            &self,
            resource_group_name: &str,
            machine_name: &str,
        ) -> Result<RawOperation> {
            let path = "subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Example.Compute/machines/{machineName}/restart";
            self.operations
                .call(Method::POST, path)
                .path("subscriptionId", &self.subscription_id)
                .path("resourceGroupName", resource_group_name)
                .path("machineName", machine_name)
                .query("api-version", "2026-01-01")
                .await
        }
    }

    /// What `create_or_update` takes beside what it needs.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct CreateOrUpdateOptions {
        /// Changes the machine only if it has this tag.
        pub if_match: Option<String>,
    }

    impl CreateOrUpdateOptions {
        fn add_to(&self, call: StartCall) -> StartCall {
            call.header_opt("If-Match", self.if_match.as_ref())
        }
    }

    /// What `delete` takes beside what it needs.
    #[derive(Clone, Debug, Default, PartialEq)]
    pub struct DeleteOptions {
        /// Deletes it although it runs.
        pub force_deletion: Option<bool>,
    }

    impl DeleteOptions {
        fn add_to(&self, call: StartCall) -> StartCall {
            call.query_opt("forceDeletion", self.force_deletion.as_ref())
        }
    }
}

/// What the methods take and give.
pub mod types {
    use serde::{Deserialize, Serialize};

    /// A machine.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    pub struct Machine {
        /// Its full name.
        #[serde(skip_serializing)]
        pub id: Option<String>,
        /// Where it is, such as `north`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub location: Option<String>,
        /// The member `properties`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub properties: Option<MachineProperties>,
    }

    /// What a machine is like.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    pub struct MachineProperties {
        /// How many cores it has.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub cores: Option<i32>,
        /// How far it is.
        #[serde(rename = "provisioningState", skip_serializing)]
        pub provisioning_state: Option<ProvisioningState>,
    }

    /// How far it is.
    #[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
    #[non_exhaustive]
    pub enum ProvisioningState {
        /// The word `Creating`.
        Creating,
        /// The word `Succeeded`.
        Succeeded,
        /// The word `Failed`.
        Failed,
        /// A word that the description does not have.
        #[serde(untagged)]
        Other(String),
    }
}
