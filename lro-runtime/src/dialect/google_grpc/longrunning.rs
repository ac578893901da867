// Generated from proto/google/longrunning/operations.proto by tests/tests/stubs.rs.

/// One long-running operation as its service sees it.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct Operation {
    /// Its name, given by the service.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// What the service says about its progress.
    #[prost(message, optional, tag = "2")]
    pub metadata: ::core::option::Option<::prost_types::Any>,
    /// Whether it has ended.
    #[prost(bool, tag = "3")]
    pub done: bool,
    /// How it has ended.
    #[prost(oneof = "operation::Result", tags = "4, 5")]
    pub result: ::core::option::Option<operation::Result>,
}
/// Nested message and enum types in `Operation`.
pub mod operation {
    /// How it has ended.
    #[derive(Clone, PartialEq, ::prost::Oneof)]
    pub enum Result {
        /// With an error, or because somebody cancelled it.
        #[prost(message, tag = "4")]
        Error(::tonic_types::pb::Status),
        /// With a response.
        #[prost(message, tag = "5")]
        Response(::prost_types::Any),
    }
}
impl ::prost::Name for Operation {
    const NAME: &'static str = "Operation";
    const PACKAGE: &'static str = "google.longrunning";
    fn full_name() -> ::prost::alloc::string::String {
        "google.longrunning.Operation".into()
    }
    fn type_url() -> ::prost::alloc::string::String {
        "/google.longrunning.Operation".into()
    }
}
/// Asks for one operation.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct GetOperationRequest {
    /// The operation's name.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
}
impl ::prost::Name for GetOperationRequest {
    const NAME: &'static str = "GetOperationRequest";
    const PACKAGE: &'static str = "google.longrunning";
    fn full_name() -> ::prost::alloc::string::String {
        "google.longrunning.GetOperationRequest".into()
    }
    fn type_url() -> ::prost::alloc::string::String {
        "/google.longrunning.GetOperationRequest".into()
    }
}
/// Asks for a page of operations.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct ListOperationsRequest {
    /// The resource whose operations are meant.
    #[prost(string, tag = "4")]
    pub name: ::prost::alloc::string::String,
    /// A filter in the service's language.
    #[prost(string, tag = "1")]
    pub filter: ::prost::alloc::string::String,
    /// At most so many on the page.
    #[prost(int32, tag = "2")]
    pub page_size: i32,
    /// The page to continue with.
    #[prost(string, tag = "3")]
    pub page_token: ::prost::alloc::string::String,
    /// Whether to answer with what can be reached if not everything can.
    #[prost(bool, tag = "5")]
    pub return_partial_success: bool,
}
impl ::prost::Name for ListOperationsRequest {
    const NAME: &'static str = "ListOperationsRequest";
    const PACKAGE: &'static str = "google.longrunning";
    fn full_name() -> ::prost::alloc::string::String {
        "google.longrunning.ListOperationsRequest".into()
    }
    fn type_url() -> ::prost::alloc::string::String {
        "/google.longrunning.ListOperationsRequest".into()
    }
}
/// One page of operations.
#[derive(Clone, PartialEq, ::prost::Message)]
pub struct ListOperationsResponse {
    /// The operations on it.
    #[prost(message, repeated, tag = "1")]
    pub operations: ::prost::alloc::vec::Vec<Operation>,
    /// The token of the next page; empty on the last.
    #[prost(string, tag = "2")]
    pub next_page_token: ::prost::alloc::string::String,
    /// What could not be reached.
    #[prost(string, repeated, tag = "3")]
    pub unreachable: ::prost::alloc::vec::Vec<::prost::alloc::string::String>,
}
impl ::prost::Name for ListOperationsResponse {
    const NAME: &'static str = "ListOperationsResponse";
    const PACKAGE: &'static str = "google.longrunning";
    fn full_name() -> ::prost::alloc::string::String {
        "google.longrunning.ListOperationsResponse".into()
    }
    fn type_url() -> ::prost::alloc::string::String {
        "/google.longrunning.ListOperationsResponse".into()
    }
}
/// Asks for the cancellation of an operation.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct CancelOperationRequest {
    /// The operation's name.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
}
impl ::prost::Name for CancelOperationRequest {
    const NAME: &'static str = "CancelOperationRequest";
    const PACKAGE: &'static str = "google.longrunning";
    fn full_name() -> ::prost::alloc::string::String {
        "google.longrunning.CancelOperationRequest".into()
    }
    fn type_url() -> ::prost::alloc::string::String {
        "/google.longrunning.CancelOperationRequest".into()
    }
}
/// Says that nobody is interested in an operation any more.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct DeleteOperationRequest {
    /// The operation's name.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
}
impl ::prost::Name for DeleteOperationRequest {
    const NAME: &'static str = "DeleteOperationRequest";
    const PACKAGE: &'static str = "google.longrunning";
    fn full_name() -> ::prost::alloc::string::String {
        "google.longrunning.DeleteOperationRequest".into()
    }
    fn type_url() -> ::prost::alloc::string::String {
        "/google.longrunning.DeleteOperationRequest".into()
    }
}
/// Asks for one operation, to be answered when it has ended or the time is over.
#[derive(Clone, PartialEq, Eq, Hash, ::prost::Message)]
pub struct WaitOperationRequest {
    /// The operation's name.
    #[prost(string, tag = "1")]
    pub name: ::prost::alloc::string::String,
    /// How long to wait at most.
    #[prost(message, optional, tag = "2")]
    pub timeout: ::core::option::Option<::prost_types::Duration>,
}
impl ::prost::Name for WaitOperationRequest {
    const NAME: &'static str = "WaitOperationRequest";
    const PACKAGE: &'static str = "google.longrunning";
    fn full_name() -> ::prost::alloc::string::String {
        "google.longrunning.WaitOperationRequest".into()
    }
    fn type_url() -> ::prost::alloc::string::String {
        "/google.longrunning.WaitOperationRequest".into()
    }
}
