//! Methods over gRPC.

use super::kitchen::{Kitchen, Read, proto};
use crate::model::{Dialect, Progress, Transport, Type};

const BAKERY: &str = r#"
// Bakes.
//
// (-- Between us: the oven is old. --)
service Bakery {
  option (google.api.default_host) = "bakery.example.com:443";

  // Bakes a cake,
  // slowly.
  rpc BakeCake(BakeCakeRequest) returns (google.longrunning.Operation) {
    option deprecated = true;
    option (google.api.http) = { post: "/v1/{parent=shops/*}/cakes" body: "cake"
      additional_bindings { post: "/v1/{cake.name=shops/*/cakes/*}" } };
    option (google.longrunning.operation_info) = { response_type: "Cake" metadata_type: "bakery.v1.Progress" };
  }
  rpc Clean(BakeCakeRequest) returns (google.longrunning.Operation) {
    option (google.api.routing) = { routing_parameters { field: "parent" }
      routing_parameters { field: "cake.name" path_template: "{cake=**}" } };
    option (google.longrunning.operation_info) = { response_type: "google.protobuf.Empty" metadata_type: "Batch.Step" };
  }
  rpc Sell(BakeCakeRequest) returns (google.longrunning.Operation) {
    option (google.api.http) = { post: "/v1/{parent=shops/*}:sell" };
    option (google.api.routing) = { routing_parameters { field: "parent" path_template: "{shop=shops/*}/**" } };
    option (google.longrunning.operation_info) =
      { response_type: ".bakery.v1.Cake" metadata_type: "google.protobuf.Any" };
  }
  rpc GetCake(BakeCakeRequest) returns (Cake);
  rpc Old(Cake) returns (google.longrunning.Operation);
  rpc Grow(Cake) returns (Cake) { option (google.cloud.operation_service) = "Bakery"; }
  rpc Watch(Cake) returns (stream google.longrunning.Operation);
}
// A cake.
message Cake { string name = 1; }
message BakeCakeRequest { string parent = 1; Cake cake = 2; }
message Progress { string text = 1; double progress_percent = 2; }
message Batch { message Step { optional int32 percent_complete = 1; } }
"#;

#[test]
fn a_method_with_operation_info_is_read() {
    let read = Kitchen::with("grpc", BAKERY).read(Transport::Grpc);
    let service = &read.model.services[0];
    assert_eq!(service.name, ["bakery", "v1", "Bakery"]);
    assert_eq!((&*service.docs, &*service.base), ("Bakes.", "https://bakery.example.com"));
    assert_eq!((&service.dialect, read.model.methods_seen), (&Dialect::Grpc, 7));
    assert_eq!((service.at.line, service.at.column), (15, 1));

    let bake = read.method("BakeCake");
    let request = "request request=Body:Message(\"bakery.v1.BakeCakeRequest\")";
    assert_eq!(
        read.line("BakeCake"),
        format!("/bakery.v1.Bakery/BakeCake [parent=parent cake.name=cake?.name] | {request}")
    );
    assert_eq!(bake.docs, "Bakes a cake,\nslowly.");
    assert!(bake.deprecated);
    assert_eq!(bake.response, Type::Message("bakery.v1.Cake".to_owned()));
    assert_eq!(bake.metadata, Type::Message("bakery.v1.Progress".to_owned()));
    assert_eq!(bake.options.response_type.as_deref(), Some("bakery.v1.Cake"));
    assert_eq!(bake.options.metadata_type.as_deref(), Some("bakery.v1.Progress"));
    assert_eq!((bake.dialect.as_ref(), bake.options.path.as_ref()), (None, None));
    let progress = Progress { field: "progress_percent".to_owned(), is_float: true, is_optional: false };
    assert_eq!(bake.options.progress, Some(progress));
    assert_eq!((bake.at.line, bake.at.column), (20, 3));

    let clean = read.method("Clean");
    assert_eq!((&clean.response, clean.options.response_type.as_ref()), (&Type::Unit, None));
    assert_eq!(clean.metadata, Type::Message("bakery.v1.Batch.Step".to_owned()));
    assert!(read.line("Clean").contains("[parent=parent cake=cake?.name]"));
    let progress = Progress { field: "percent_complete".to_owned(), is_float: false, is_optional: true };
    assert_eq!(clean.options.progress, Some(progress));

    let sell = read.method("Sell");
    assert_eq!((&sell.metadata, sell.unknown_response), (&Type::Unit, false));
    assert!(read.line("Sell").contains("[parent=parent]"));
}

#[test]
fn what_is_left_out_is_named() {
    let read = Kitchen::with("left", BAKERY).read(Transport::Grpc);
    let said = read.said();
    assert_eq!(said.len(), 5, "{said:#?}");
    assert!(said[0].starts_with("bakery.proto:31:3: note: Bakery.Sell: the routing header is that of the path"));
    assert!(said[1].starts_with("bakery.proto:31:3: note: Bakery.Sell: its metadata may be any message"));
    assert!(said[2].starts_with("bakery.proto:38:3: skipped: Bakery.Old: it returns an operation, but has no "));
    assert!(
        said[3].starts_with("bakery.proto:39:3: skipped: Bakery.Grow: extended operations are polled over REST only")
    );
    assert!(said[4].starts_with("bakery.proto:40:3: skipped: Bakery.Watch: it is a stream"));
    assert_eq!((read.context.report.coverage.skipped, read.model.services[0].methods.len()), (3, 3));
}

#[test]
fn types_may_stand_in_another_file_of_the_folder() {
    let kitchen = Kitchen::with(
        "folder",
        r#"
service Bakery {
  rpc Bake(Order) returns (google.longrunning.Operation) {
    option (google.longrunning.operation_info) = { response_type: "Bread" metadata_type: "Empty" };
  }
}
message Order {}
"#,
    );
    kitchen.file("bakery/v1/bread.proto", proto("bakery.v1", "message Bread {} message Empty {}"));
    kitchen.file("bakery/v1/broken.proto", "nonsense");
    let mut input = kitchen.input(Transport::Grpc);
    // A file alone: those beside it are read for their types, and may be broken.
    input.include = vec!["bakery/v1/bakery.proto".into()];
    let read = Read::of(&input, crate::context::Context::default());
    assert_eq!(read.method("Bake").response, Type::Message("bakery.v1.Bread".to_owned()));
    assert_eq!(read.method("Bake").metadata, Type::Message("bakery.v1.Empty".to_owned()));
    let said = read.said();
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("broken.proto:1:1: note: ") && said[0].ends_with("; the file is left out"), "{said:?}");
    let files: Vec<&str> = read.model.messages.file.iter().map(prost_types::FileDescriptorProto::name).collect();
    assert!(files.contains(&"bakery/v1/bread.proto") && !files.contains(&"bakery/v1/broken.proto"));
}

#[test]
fn compiled_descriptors_are_read_as_files_are() {
    let kitchen = Kitchen::with("descriptors", BAKERY);
    let mut compiler = protox::Compiler::new([&kitchen.0]).unwrap();
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file("bakery/v1/bakery.proto").unwrap();
    kitchen.file("set.bin", compiler.encode_file_descriptor_set());
    let mut input = kitchen.input(Transport::Grpc);
    input.roots.clear();
    input.descriptors = vec![kitchen.0.join("set.bin")];
    let read = Read::of(&input, crate::context::Context::default());
    assert_eq!(read.line("BakeCake"), kitchen.read(Transport::Grpc).line("BakeCake"));
    assert_eq!(read.method("BakeCake").at.to_string(), "bakery/v1/bakery.proto:20:3");

    compiler.include_imports(false);
    kitchen.file("set.bin", compiler.encode_file_descriptor_set());
    let said = Read::of(&input, crate::context::Context::default()).said();
    assert!(said[0].contains("this is no complete set of descriptors"), "{said:?}");
}
