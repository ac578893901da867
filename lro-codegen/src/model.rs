//! What the descriptions say, in no description language: front ends write it, the back end reads
//! it. Names and texts are those of the description, unchanged: only the back end makes Rust of
//! them.

use std::{collections::BTreeMap, time::Duration};

use prost_types::FileDescriptorSet;

use crate::position::Position;

/// Everything that is generated together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// The services that have methods, in the order of the descriptions.
    pub services: Vec<Service>,
    /// The JSON types that may be named, by their id. The back end writes those that are reached.
    pub types: BTreeMap<TypeId, TypeDef>,
    /// The messages that may be named by [`Type::Message`].
    pub messages: FileDescriptorSet,
    /// How many methods the descriptions have, long-running or not.
    pub methods_seen: usize,
}

/// What becomes one module with one client: a service of a proto, a resource of a discovery
/// document, an operation group of an `OpenAPI` document.
#[derive(Clone, Debug)]
pub(crate) struct Service {
    /// The name, in parts: `["Workflows"]`, `["projects", "locations", "datasets"]`. The client is
    /// named after the last part, and after more of them where that is taken.
    pub name: Vec<String>,
    /// The description's text about it, as Markdown.
    pub docs: String,
    /// The public address, such as `https://workflows.googleapis.com`; empty if none is known.
    pub base: String,
    /// How its operations are polled, unless a method says otherwise.
    pub dialect: Dialect,
    /// What the client holds and each call takes from it, such as `subscriptionId`.
    pub parameters: Vec<Argument>,
    /// Query parameters with a fixed value that every request carries, polls included, such as the
    /// `api-version` of a service whose polls need it.
    pub query: Vec<(String, String)>,
    /// The long-running methods.
    pub methods: Vec<Method>,
    /// Where it stands.
    pub at: Position,
}

/// One long-running method.
#[derive(Clone, Debug)]
pub(crate) struct Method {
    /// The name: `CreateWorkflow`, `insert`, `CreateOrUpdate`.
    pub name: String,
    /// What the overrides want the type alias and the enum to be named after.
    pub alias: Option<String>,
    /// The description's text about it, as Markdown.
    pub docs: String,
    /// Whether the description calls it deprecated.
    pub deprecated: bool,
    /// The call that starts the operation.
    pub call: Call,
    /// What the caller gives, in the order of the method's arguments: what is required first
    /// becomes arguments, the rest an options struct.
    pub arguments: Vec<Argument>,
    /// The type of the result of success.
    pub response: Type,
    /// Whether the description does not say the response, so that it is any JSON value.
    pub unknown_response: bool,
    /// The type of the progress.
    pub metadata: Type,
    /// Its own dialect, if it is not the service's.
    pub dialect: Option<Dialect>,
    /// What is said in the attribute beside the types.
    pub options: Options,
    /// Where it stands.
    pub at: Position,
}

/// Keys of the attribute.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Options {
    /// Whether the service can cancel operations of this method.
    pub cancel: bool,
    /// Whether the service can delete operations of this method.
    pub delete: bool,
    /// The polling path, such as `v1beta1/{name}`, if it is not the dialect's own.
    pub path: Option<String>,
    /// The key `result`: where the response is found.
    pub result: Option<String>,
    /// The key `final_state_via`.
    pub final_state_via: Option<String>,
    /// The type URL of the response on the wire, without the host.
    pub response_type: Option<String>,
    /// The type URL of the metadata on the wire, without the host.
    pub metadata_type: Option<String>,
    /// The poll settings that differ from the library's own.
    pub poll: Poll,
    /// The field of the metadata that says how much is done.
    pub progress: Option<Progress>,
}

/// Poll settings of a description.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Poll {
    /// The delay between polls.
    pub delay: Option<Duration>,
    /// What each delay is multiplied by for the next.
    pub multiplier: Option<f64>,
    /// The longest delay.
    pub max_delay: Option<Duration>,
    /// The time limit of a wait.
    pub timeout: Option<Duration>,
}

/// A number in the metadata that says how much is done.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Progress {
    /// The field, as it is named in the description.
    pub field: String,
    /// Whether it is a floating-point number. Those of descriptions are per cent, and not the
    /// fractions that the attribute takes floats for.
    pub is_float: bool,
    /// Whether the generated type holds it in an `Option`.
    pub is_optional: bool,
}

/// The call that starts an operation.
#[derive(Clone, Debug)]
pub(crate) enum Call {
    /// A request of HTTP, whose arguments say where they stand.
    Http {
        /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
        verb: String,
        /// The path below the base, without a leading slash, with the variables of
        /// `Operations::call`: `v1/{parent=projects/*}/workflows`.
        path: String,
        /// Query parameters with a fixed value, such as `api-version`.
        query: Vec<(String, String)>,
        /// Headers with a fixed value, such as the content type of a merge patch.
        headers: Vec<(String, String)>,
        /// Where the service looks for the start id, if it knows one.
        start_id: Option<StartId>,
    },
    /// A unary call of gRPC. It has one argument, the request, of the place [`Place::Body`].
    Rpc {
        /// `/package.Service/Method`.
        path: String,
        /// The fields of the request that the routing header carries.
        routing: Vec<Routing>,
    },
}

/// Where the service looks for the id that tells a repeated start from a new one.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum StartId {
    /// A header.
    Header(String),
    /// A query parameter.
    Query(String),
    /// A member of the JSON body; dots lead inwards.
    Body(String),
}

/// A field of a request message that the routing header carries.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Routing {
    /// The key in the header, such as `workflow.name`.
    pub key: String,
    /// The fields that lead to the value, from the request inwards.
    pub fields: Vec<RoutingField>,
}

/// A step to the value of a routing header.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct RoutingField {
    /// The field's name.
    pub name: String,
    /// Whether the generated type holds it in an `Option`.
    pub is_optional: bool,
}

/// What the caller of a method gives, or the client holds.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Argument {
    /// The name on the wire: of the path variable, the query parameter, the header, the body.
    pub wire: String,
    /// The name in code, before its case is changed. It is `wire` unless the description has a
    /// better one.
    pub name: String,
    /// The description's text about it, as Markdown.
    pub docs: String,
    /// Its type. Everything but a body is a scalar or a list of scalars.
    pub ty: Type,
    /// Whether a call needs it.
    pub required: bool,
    /// Where it stands in the request.
    pub place: Place,
    /// Where it stands in the description.
    pub at: Position,
}

/// Where an argument stands in the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A variable of the path.
    Path,
    /// A query parameter; a list is sent as one parameter for each element.
    Query,
    /// A query parameter that takes a list as one value, separated by commas.
    QueryList,
    /// A header.
    Header,
    /// The whole body, as JSON; of a call of gRPC, the request.
    Body,
}

/// How the operations of a method are polled.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive] // waiters come later
pub(crate) enum Dialect {
    /// `google.longrunning` over REST: the library's own default.
    Google,
    /// `google.longrunning` over gRPC.
    Grpc,
    /// Google's extended operations: Compute and its kin.
    Compute,
    /// The same, of a service whose paths begin with this and not with `compute/v1`:
    /// `compute/beta`.
    ComputeBelow(String),
    /// Azure Resource Manager and Azure Core.
    Azure,
    /// Plain `202` with a `Location`.
    Http,
    /// A type that declares how the operations are written, by its path in Rust. Only from the
    /// overrides file: a description cannot name one.
    Wire(String),
}

/// The name of a type in a description, unique in the model: `Workflow`,
/// `compute.json#/definitions/VirtualMachine`.
pub(crate) type TypeId = String;

/// A type, as a method or a field names it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Type {
    /// Nothing: `()`.
    Unit,
    /// `bool`.
    Bool,
    /// `i32`.
    I32,
    /// `i64`.
    I64,
    /// `u32`.
    U32,
    /// `u64`.
    U64,
    /// `f32`.
    F32,
    /// `f64`.
    F64,
    /// `String`; also bytes in Base64, times, durations and field masks, which JSON writes as text.
    String,
    /// Any JSON value.
    Value,
    /// A number that the service writes as text, as proto3 JSON writes those of 64 bits. Holds an
    /// integer type.
    Quoted(Box<Type>),
    /// A list.
    List(Box<Type>),
    /// An object with any names, all of one type.
    Map(Box<Type>),
    /// A value that may be absent.
    Option(Box<Type>),
    /// A type of [`Model::types`].
    Named(TypeId),
    /// A message of [`Model::messages`], by its full name without a leading dot.
    Message(String),
    /// A type that the user has written, by its path in Rust. Only from the overrides file.
    Path(String),
}

/// A JSON type of the description.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TypeDef {
    /// The name that it is written under, before its case is changed. Several may have the same.
    pub name: String,
    /// The description's text about it, as Markdown.
    pub docs: String,
    /// What it is.
    pub shape: Shape,
    /// Where it stands.
    pub at: Position,
}

/// What a JSON type is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Shape {
    /// An object.
    Struct {
        /// Its members, those that are inherited first.
        fields: Vec<Field>,
        /// Whether it may have members that the description does not name, or that belong to one of
        /// several kinds of it: they are kept as they are.
        open: bool,
    },
    /// A word of a list. Others are kept, since services add some.
    Enum(Vec<EnumValue>),
    /// Another name for a type.
    Alias(Type),
}

/// A member of an object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Field {
    /// The name on the wire.
    pub wire: String,
    /// The description's text about it, as Markdown.
    pub docs: String,
    /// Its type. The back end holds it in an `Option`, lists and maps as well: what is absent is
    /// not what is empty.
    pub ty: Type,
    /// Whether only the service writes it: it is not sent.
    pub read_only: bool,
}

/// A word of an enumeration.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct EnumValue {
    /// The word on the wire.
    pub wire: String,
    /// The description's text about it, as Markdown.
    pub docs: String,
}

/// How the methods of a proto are called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// gRPC, with messages of prost.
    #[default]
    Grpc,
    /// REST by the option `google.api.http`, with types of serde.
    Rest,
}
