//! Methods over REST.

use super::kitchen::{Kitchen, Read};
use crate::{
    context::Context,
    model::{Dialect, Field, Progress, Shape, Transport, Type},
};

const BAKERY: &str = r#"
import "google/protobuf/any.proto";
import "google/protobuf/field_mask.proto";
import "google/protobuf/struct.proto";
import "google/protobuf/timestamp.proto";
import "google/protobuf/wrappers.proto";

service Bakery {
  option (google.api.default_host) = "bakery.example.com";
  rpc CreateCake(CreateCakeRequest) returns (google.longrunning.Operation) {
    option (google.api.http) = { post: "/v1beta1/{parent=shops/*}/cakes" body: "cake" };
    option (google.api.method_signature) = "parent,cake_id,cake";
    option (google.api.method_signature) = "parent,cake";
    option (google.longrunning.operation_info) = { response_type: "Cake" metadata_type: "Progress" };
  }
  rpc UpdateCake(UpdateCakeRequest) returns (google.longrunning.Operation) {
    option (google.api.http) = { patch: "/v1/{cake.name=shops/*/cakes/*}" body: "cake"
      additional_bindings { patch: "/v1/other" body: "*" } };
    option (google.longrunning.operation_info) = { response_type: "Cake" metadata_type: "google.protobuf.Struct" };
  }
  rpc EatCake(EatCakeRequest) returns (google.longrunning.Operation) {
    option (google.api.http) = { post: "/v1/{name=shops/*/cakes/*}:eat" body: "*" };
    option (google.longrunning.operation_info) =
      { response_type: "google.protobuf.Empty" metadata_type: "google.protobuf.Any" };
  }
  rpc ThrowCake(NameRequest) returns (google.longrunning.Operation) {
    option (google.api.http) = { delete: "/v1/{name=shops/*/cakes/*}" body: "*" };
    option (google.longrunning.operation_info) = { response_type: "google.protobuf.Empty" metadata_type: "Progress" };
  }
}
message NameRequest { string name = 1; }
message EatCakeRequest { string name = 1; int32 pieces = 2; string request_id = 3; }
message UpdateCakeRequest {
  Cake cake = 1;
  google.protobuf.FieldMask update_mask = 2 [(google.api.field_behavior) = REQUIRED];
  bool allow_missing = 3;
}
message CreateCakeRequest {
  // The shop.
  string parent = 1;
  Cake cake = 2 [(google.api.field_behavior) = REQUIRED];
  string cake_id = 3;
  Oven oven = 4;
  repeated Kind kinds = 5;
  map<string, string> labels = 6;
  string token = 7 [(google.api.field_info).format = UUID4];
}
message Oven { int64 degrees = 1; google.protobuf.Timestamp since = 2; google.protobuf.Int64Value number = 3; }
enum Kind {
  KIND_UNSPECIFIED = 0;
  // With cheese.
  CHEESE = 1;
}
message Progress { int32 progress_percent = 1; }
// A cake.
message Cake {
  message Layer { repeated Cake cakes = 1; }
  // Its name.
  string display_name = 1;
  uint64 size_bytes = 2 [(google.api.field_behavior) = OUTPUT_ONLY];
  map<string, int64> counts = 3;
  repeated Layer layers = 4;
  bytes picture = 5;
  google.protobuf.Timestamp bake_time = 6;
  google.protobuf.Any any = 7;
  google.protobuf.UInt64Value limit = 8;
  google.protobuf.FloatValue weight = 9;
  oneof topping { string fruit = 10; Kind kind = 11; }
  double price = 12;
  string name = 13;
  google.protobuf.NullValue nothing = 14;
}
"#;

fn read() -> Read {
    // The name of the folder is that of the calling test's thread: tests run at once.
    let name = std::thread::current().name().unwrap_or_default().replace(':', "-");
    Kitchen::with(&name, BAKERY).read(Transport::Rest)
}

#[test]
fn a_call_has_the_arguments_of_its_rule() {
    let read = read();
    assert_eq!(
        read.line("CreateCake"),
        "POST v1beta1/{parent=shops/*}/cakes Query(\"token\") | parent parent=Path:String, \
         cake_id cakeId=Query:String, cake cake=Body:Named(\"bakery.v1.Cake\"), \
         oven_degrees? oven.degrees=Query:I64, oven_since? oven.since=Query:String, \
         oven_number? oven.number=Query:I64, kinds? kinds=Query:List(String)"
    );
    let create = read.method("CreateCake");
    assert_eq!(create.arguments[0].docs, "The shop.");
    assert!(create.arguments[6].docs.ends_with("One of:\n\n- `KIND_UNSPECIFIED`\n- `CHEESE`"));
    assert_eq!(
        read.line("UpdateCake"),
        "PATCH v1/{cake.name=shops/*/cakes/*} | cake_name cake.name=Path:String, \
         cake? cake=Body:Named(\"bakery.v1.Cake\"), \
         update_mask updateMask=Query:String, allow_missing? allowMissing=Query:Bool"
    );
    let body = "bakery.v1.EatCakeRequest-name-request_id";
    assert_eq!(
        read.line("EatCake"),
        format!(
            "POST v1/{{name=shops/*/cakes/*}}:eat Body(\"requestId\") | name name=Path:String, \
             body body=Body:Named({body:?})"
        )
    );
    let Shape::Struct { fields, .. } = &read.ty(body).shape else { panic!() };
    assert_eq!(fields.iter().map(|field| &*field.wire).collect::<Vec<_>>(), ["pieces"]);
    // A body with nothing left is not sent.
    assert_eq!(read.line("ThrowCake"), "DELETE v1/{name=shops/*/cakes/*} | name name=Path:String");
}

#[test]
fn operations_are_polled_below_the_version_of_the_method() {
    let read = read();
    assert_eq!(read.model.services[0].dialect, Dialect::Google);
    assert_eq!(read.method("CreateCake").options.path.as_deref(), Some("v1beta1/{name}"));
    assert_eq!(read.method("EatCake").options.path, None);
    let said = read.said();
    assert_eq!(said.len(), 2, "{said:#?}");
    assert!(
        said[0].contains("note: Bakery: no service configuration says where its operations are polled: "),
        "{said:?}"
    );
    assert!(said[0].contains("`v1/{name}` and `v1beta1/{name}`"), "{said:?}");
    assert!(said[1].contains("note: Bakery.CreateCake: a query has no place for `labels`"), "{said:?}");
}

#[test]
fn types_have_the_shape_of_json() {
    let read = read();
    let cake = read.ty("bakery.v1.Cake");
    let Shape::Struct { fields, open: false } = &cake.shape else { panic!("{cake:?}") };
    let shown = |field: &Field| format!("{}{}: {:?}", field.wire, if field.read_only { "!" } else { "" }, field.ty);
    assert_eq!(
        fields.iter().map(shown).collect::<Vec<_>>(),
        [
            "displayName: String",
            "sizeBytes!: Quoted(U64)",
            "counts: Map(Quoted(I64))",
            "layers: List(Named(\"bakery.v1.Cake.Layer\"))",
            "picture: String",
            "bakeTime: String",
            "any: Value",
            "limit: Quoted(U64)",
            "weight: F32",
            "fruit: String",
            "kind: Named(\"bakery.v1.Kind\")",
            "price: F64",
            "name: String",
            "nothing: Value",
        ]
    );
    assert_eq!((&*cake.name, &*cake.docs, &*fields[0].docs), ("Cake", "A cake.", "Its name."));
    assert_eq!(read.ty("bakery.v1.Cake.Layer").name, "Cake.Layer");
    let Shape::Enum(values) = &read.ty("bakery.v1.Kind").shape else { panic!() };
    assert_eq!((&*values[1].wire, &*values[1].docs), ("CHEESE", "With cheese."));
    assert_eq!((&read.method("EatCake").metadata, &read.method("UpdateCake").metadata), (&Type::Value, &Type::Value));
    assert_eq!(read.method("EatCake").response, Type::Unit);
    let progress = Progress { field: "progressPercent".to_owned(), is_float: false, is_optional: true };
    assert_eq!(read.method("CreateCake").options.progress, Some(progress));
}

#[test]
fn extended_operations_have_the_dialect_of_compute() {
    let kitchen = Kitchen::with(
        "extended",
        r#"
service Cakes {
  rpc Get(GetRequest) returns (Cake) { option (google.api.http) = { get: "/compute/v1/cakes/{cake}" }; }
  rpc Insert(InsertRequest) returns (Operation) {
    option (google.api.http) = { post: "/compute/v1/cakes" body: "cake_resource" };
    option (google.cloud.operation_service) = "ZoneOperations";
  }
  rpc Delete(GetRequest) returns (Operation) {
    option (google.api.http) = { delete: "/compute/beta/cakes/{cake}" };
    option (google.cloud.operation_service) = "ZoneOperations";
  }
}
message GetRequest { string cake = 1; optional string request_id = 2; }
message InsertRequest { Cake cake_resource = 1; }
message Cake { string name = 1; }
message Operation { string name = 1; int32 progress = 2; }
"#,
    );
    let read = Read::of(&kitchen.input(Transport::Rest), Context::default());
    let (insert, delete) = (read.method("Insert"), read.method("Delete"));
    assert_eq!(read.model.services[0].dialect, Dialect::Compute);
    assert_eq!(insert.response, Type::Named("bakery.v1.Cake".to_owned()));
    assert_eq!(insert.options.result.as_deref(), Some("target_link"));
    assert_eq!(insert.metadata, Type::Named("bakery.v1.Operation".to_owned()));
    assert_eq!((insert.dialect.as_ref(), insert.options.path.as_ref()), (None, None));
    assert_eq!((&delete.response, delete.options.result.as_ref()), (&Type::Unit, None));
    assert_eq!(delete.dialect, Some(Dialect::ComputeBelow("compute/beta".to_owned())));
    assert_eq!(read.line("Delete"), "DELETE compute/beta/cakes/{cake} Query(\"requestId\") | cake cake=Path:String");
    assert!(read.said().is_empty(), "{:?}", read.said());
}
