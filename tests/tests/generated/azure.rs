// Written by lro-codegen. Do not edit: change the description, or the overrides, and run it again.

/// Long-running methods of `Users`, from `users.yaml`.
pub mod users {
    use super::types;
    use lro_runtime::{
        Operations, OperationsBuilder, RawOperation, Result, dialect::Azure, http::Method,
        long_running,
    };

    /// Starts the long-running operations of `Users`.
    #[derive(Clone, Debug)]
    pub struct UsersClient {
        operations: Operations,
    }

    impl UsersClient {
        /// Begins to build what the calls are sent through, to the service at `base_url`.
        pub fn builder(base_url: impl Into<String>) -> OperationsBuilder {
            Operations::builder(base_url).dialect(Azure::new())
        }

        /// Makes a client that sends its calls through `operations`: those of
        /// [`builder`](Self::builder), with credentials.
        #[must_use]
        pub fn new(operations: Operations) -> Self {
            Self { operations }
        }
    }

    #[long_running(dialect = Azure::new())]
    impl UsersClient {
        /// Makes a user, or puts another in its place.
        #[long_running(response = types::User, metadata = serde_json::Value)]
        pub async fn create_or_replace(&self, name: &str, user: &types::User) -> Result<RawOperation> {
            self.operations
                .call(Method::PUT, "azure/core/lro/standard/users/{name}")
                .path("name", name)
                .query("api-version", "2022-12-01-preview")
                .json(user)
                .await
        }

        /// Deletes a user.
        #[long_running(response = (), metadata = types::Monitor)]
        pub async fn delete(&self, name: &str) -> Result<RawOperation> {
            self.operations
                .call(Method::DELETE, "azure/core/lro/standard/users/{name}")
                .path("name", name)
                .query("api-version", "2022-12-01-preview")
                .await
        }

        /// Writes a user down in another format.
        #[long_running(
            response = types::Exported, metadata = types::Monitor,
            final_state_via = "operation-location",
        )]
        pub async fn export(&self, name: &str, format: &str) -> Result<RawOperation> {
            let path = "azure/core/lro/standard/users/{name}:export";
            self.operations
                .call(Method::POST, path)
                .path("name", name)
                .query("format", format)
                .query("api-version", "2022-12-01-preview")
                .await
        }
    }
}

/// Long-running methods of `Generations`, from `users.yaml`.
pub mod generations {
    use super::types;
    use lro_runtime::{
        Operations, OperationsBuilder, RawOperation, Result, dialect::Azure, http::Method,
        long_running,
    };

    /// Starts the long-running operations of `Generations`.
    #[derive(Clone, Debug)]
    pub struct GenerationsClient {
        operations: Operations,
    }

    impl GenerationsClient {
        /// Begins to build what the calls are sent through, to the service at `base_url`.
        pub fn builder(base_url: impl Into<String>) -> OperationsBuilder {
            Operations::builder(base_url).dialect(Azure::new())
        }

        /// Makes a client that sends its calls through `operations`: those of
        /// [`builder`](Self::builder), with credentials.
        #[must_use]
        pub fn new(operations: Operations) -> Self {
            Self { operations }
        }
    }

    #[long_running(dialect = Azure::new())]
    impl GenerationsClient {
        /// Answers a prompt.
        #[long_running(
            response = types::Generation, metadata = types::Monitor,
            final_state_via = "operation-location",
        )]
        pub async fn submit(&self, body: &types::SubmitRequest) -> Result<RawOperation> {
            self.operations
                .call(Method::POST, "azure/core/lro/rpc/generations:submit")
                .query("api-version", "2022-12-01-preview")
                .json(body)
                .await
        }
    }
}

/// Long-running methods of `Orders`, from `orders.json`.
pub mod orders {
    use super::types;
    use lro_runtime::{
        Operations, OperationsBuilder, RawOperation, Result, dialect::Azure, http::Method,
        long_running,
    };

    /// Starts the long-running operations of `Orders`.
    #[derive(Clone, Debug)]
    pub struct OrdersClient {
        operations: Operations,
        subscription_id: String,
    }

    impl OrdersClient {
        /// Begins to build what the calls are sent through, to <https://management.azure.com>.
        pub fn builder() -> OperationsBuilder {
            Operations::builder("https://management.azure.com").dialect(Azure::new())
        }

        /// Makes a client that sends its calls through `operations`: those of
        /// [`builder`](Self::builder), with credentials.
        ///
        /// - `subscription_id`: The id of the subscription.
        #[must_use]
        pub fn new(operations: Operations, subscription_id: impl Into<String>) -> Self {
            Self {
                operations,
                subscription_id: subscription_id.into(),
            }
        }
    }

    #[long_running(dialect = Azure::new(), metadata = serde_json::Value)]
    impl OrdersClient {
        /// Makes an order, or puts another in its place.
        #[long_running(response = types::Order, final_state_via = "azure-async-operation")]
        pub async fn create_or_replace(
            &self,
            resource_group_name: &str,
            order_name: &str,
            resource: &types::Order,
        ) -> Result<RawOperation> {
            let path = "subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Azure.ResourceManager.OperationTemplates/orders/{orderName}";
            self.operations
                .call(Method::PUT, path)
                .path("subscriptionId", &self.subscription_id)
                .path("resourceGroupName", resource_group_name)
                .path("orderName", order_name)
                .query("api-version", "2023-12-01-preview")
                .json(resource)
                .await
        }

        /// Deletes an order.
        #[long_running(response = (), final_state_via = "location")]
        pub async fn delete(
            &self,
            resource_group_name: &str,
            order_name: &str,
        ) -> Result<RawOperation> {
            let path = "subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Azure.ResourceManager.OperationTemplates/orders/{orderName}";
            self.operations
                .call(Method::DELETE, path)
                .path("subscriptionId", &self.subscription_id)
                .path("resourceGroupName", resource_group_name)
                .path("orderName", order_name)
                .query("api-version", "2023-12-01-preview")
                .await
        }

        /// Writes an order down in another format.
        #[long_running(response = types::ExportResult, final_state_via = "location")]
        pub async fn export(
            &self,
            resource_group_name: &str,
            order_name: &str,
            request: &types::ExportRequest,
        ) -> Result<RawOperation> {
            let path = "subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Azure.ResourceManager.OperationTemplates/orders/{orderName}/export";
            self.operations
                .call(Method::POST, path)
                .path("subscriptionId", &self.subscription_id)
                .path("resourceGroupName", resource_group_name)
                .path("orderName", order_name)
                .query("api-version", "2023-12-01-preview")
                .json(request)
                .await
        }

        /// Writes all orders down in another format.
        #[long_running(response = Vec<types::ExportResult>, final_state_via = "location")]
        pub async fn export_all(&self, request: &types::ExportRequest) -> Result<RawOperation> {
            let path = "subscriptions/{subscriptionId}/providers/Azure.ResourceManager.OperationTemplates/exportArray";
            self.operations
                .call(Method::POST, path)
                .path("subscriptionId", &self.subscription_id)
                .query("api-version", "2023-12-01-preview")
                .json(request)
                .await
        }
    }
}

/// Long-running methods of `Products`, from `orders.json`.
pub mod products {
    use super::types;
    use lro_runtime::{
        Operations, OperationsBuilder, RawOperation, Result, dialect::Azure, http::Method,
        long_running,
    };

    /// Starts the long-running operations of `Products`.
    #[derive(Clone, Debug)]
    pub struct ProductsClient {
        operations: Operations,
        subscription_id: String,
    }

    impl ProductsClient {
        /// Begins to build what the calls are sent through, to <https://management.azure.com>.
        pub fn builder() -> OperationsBuilder {
            Operations::builder("https://management.azure.com").dialect(Azure::new())
        }

        /// Makes a client that sends its calls through `operations`: those of
        /// [`builder`](Self::builder), with credentials.
        ///
        /// - `subscription_id`: The id of the subscription.
        #[must_use]
        pub fn new(operations: Operations, subscription_id: impl Into<String>) -> Self {
            Self {
                operations,
                subscription_id: subscription_id.into(),
            }
        }
    }

    #[long_running(dialect = Azure::new())]
    impl ProductsClient {
        /// Finds products.
        #[long_running(
            response = types::ProductPage, metadata = serde_json::Value,
            final_state_via = "location",
        )]
        pub async fn list(&self, resource_group_name: &str) -> Result<RawOperation> {
            let path = "subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Azure.ResourceManager.OperationTemplates/products/default/postPagingLro";
            self.operations
                .call(Method::POST, path)
                .path("subscriptionId", &self.subscription_id)
                .path("resourceGroupName", resource_group_name)
                .query("api-version", "2023-12-01-preview")
                .await
        }
    }
}

/// What the methods take and give.
pub mod types {
    use serde::{Deserialize, Serialize};

    /// How to write something down.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    pub struct ExportRequest {
        /// Such as `csv`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub format: Option<String>,
    }

    /// What was written down.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    pub struct ExportResult {
        /// The text.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub content: Option<String>,
    }

    /// An order.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    pub struct Order {
        /// Where it is.
        #[serde(skip_serializing)]
        pub id: Option<String>,
        /// Its name.
        #[serde(skip_serializing)]
        pub name: Option<String>,
        /// The region.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub location: Option<String>,
        /// The member `properties`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub properties: Option<OrderProperties>,
    }

    /// What was ordered.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    #[serde(rename_all = "camelCase")]
    pub struct OrderProperties {
        /// The product.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub product_id: Option<String>,
        /// How many of it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub amount: Option<i32>,
        /// How the order stands.
        #[serde(skip_serializing)]
        pub provisioning_state: Option<OrderState>,
    }

    /// A product.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    pub struct Product {
        /// Where it is.
        #[serde(skip_serializing)]
        pub id: Option<String>,
        /// Its name.
        #[serde(skip_serializing)]
        pub name: Option<String>,
    }

    /// A page of products.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    pub struct ProductPage {
        /// The products.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub value: Option<Vec<Product>>,
        /// Where the next page is.
        #[serde(rename = "nextLink", skip_serializing_if = "Option::is_none")]
        pub next_link: Option<String>,
    }

    /// How the order stands.
    #[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
    #[non_exhaustive]
    pub enum OrderState {
        /// The word `Succeeded`.
        Succeeded,
        /// The word `Failed`.
        Failed,
        /// The word `Canceled`.
        Canceled,
        /// The word `InProgress`.
        InProgress,
        /// A word that the description does not have.
        #[serde(untagged)]
        Other(String),
    }

    /// Where a user was written down.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    pub struct Exported {
        /// Its name.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        /// Where it is.
        #[serde(rename = "resourceUri", skip_serializing_if = "Option::is_none")]
        pub resource_uri: Option<String>,
    }

    /// The answer to a prompt.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    pub struct Generation {
        /// The answer.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub data: Option<String>,
    }

    /// How an operation stands.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    pub struct Monitor {
        /// The operation's id.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub id: Option<String>,
        /// The word for it.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub status: Option<MonitorStatus>,
        /// Why it has failed.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub error: Option<serde_json::Value>,
    }

    /// The word for it.
    #[derive(Clone, Debug, PartialEq, Eq, Hash, Deserialize, Serialize)]
    #[non_exhaustive]
    pub enum MonitorStatus {
        /// The word `NotStarted`.
        NotStarted,
        /// The word `Running`.
        Running,
        /// The word `Succeeded`.
        Succeeded,
        /// The word `Failed`.
        Failed,
        /// The word `Canceled`.
        Canceled,
        /// A word that the description does not have.
        #[serde(untagged)]
        Other(String),
    }

    /// Someone.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    pub struct User {
        /// Its name.
        #[serde(skip_serializing)]
        pub name: Option<String>,
        /// What it may do.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub role: Option<String>,
    }

    /// `Submit_request` of the description.
    #[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
    pub struct SubmitRequest {
        /// The member `prompt`.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub prompt: Option<String>,
    }
}
