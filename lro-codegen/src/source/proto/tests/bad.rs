//! Descriptions with mistakes, and such as mean harm: everything ends in a diagnostic.

use std::fs;

use super::kitchen::{Kitchen, Read, proto};
use crate::{context::Context, model::Transport, source::proto::Proto};

/// What is said of a service with one method that has these options.
fn said_of(name: &str, transport: Transport, options: &str) -> Vec<String> {
    let definitions = format!(
        "service Bakery {{\n  rpc Bake(Order) returns (google.longrunning.Operation) {{\n{options}\n  }}\n}}\n\
         message Order {{ string parent = 1; Cake cake = 2; repeated string names = 3; }}\n\
         message Cake {{ string name = 1; }}\nenum State {{ NEW = 0; }}\n"
    );
    Kitchen::with(name, &definitions).read(transport).said()
}

fn info(response: &str, metadata: &str) -> String {
    let value = format!("{{ response_type: \"{response}\" metadata_type: \"{metadata}\" }}");
    format!("option (google.longrunning.operation_info) = {value};")
}

#[test]
fn an_unknown_type_is_named_with_the_nearest_one() {
    let said = said_of("unknown", Transport::Grpc, &info("Cke", "Empty"));
    assert_eq!(
        said,
        ["bakery.proto:12:3: error: Bakery.Bake: the response type `Cke` is no message of the package `bakery.v1`, \
             and \
          none in full; did you mean `Cake`?"]
    );
    let said = said_of(
        "enum",
        Transport::Rest,
        &format!("option (google.api.http).post = \"/v1/x\";{}", info("Cake", "State")),
    );
    assert_eq!(
        said,
        ["bakery.proto:12:3: error: Bakery.Bake: the metadata type `State` is an enumeration, and no message"]
    );
}

#[test]
fn every_error_is_told_at_once() {
    let kitchen = Kitchen::new("all");
    kitchen.file("bakery/v1/a.proto", "syntax = \"proto3\";\nmessage {");
    kitchen.file("bakery/v1/b.proto", "syntax = \"proto3\";\nimport \"google/api/none.proto\";\n");
    kitchen.file("bakery/v1/c.proto", "syntax = \"proto3\";\nmessage A {\n  Nothing nothing = 1;\n}\n");
    kitchen.file("bakery/v1/d.proto", b"syntax = \"proto3\"; // \xff");
    kitchen.file("bakery/v1/e.proto", "syntax = \"proto3\";\nimport \"bakery/v1/f.proto\";\n");
    kitchen.file("bakery/v1/f.proto", "syntax = \"proto3\";\nimport \"bakery/v1/e.proto\";\n");
    kitchen.file("bakery/v1/g.proto", "syntax = \"proto3\";\nimport \"../../secret.proto\";\n");
    let said = kitchen.read(Transport::Grpc).said();
    let starts = [
        "a.proto:2:9: error: ",
        "b.proto:2:1: error: import 'google/api/none.proto' not found; it is among the protos of",
        "c.proto:3:3: error: ",
        "d.proto: error: file 'bakery/v1/d.proto' is not valid utf-8",
        "e.proto: error: import cycle detected",
        "f.proto: error: import cycle detected",
        "g.proto:2:8: error: ",
    ];
    for start in starts {
        assert!(said.iter().any(|line| line.starts_with(start)), "{start} in {said:#?}");
    }
}

#[test]
fn folders_that_are_not_there_are_told() {
    let kitchen = Kitchen::with("folders", "");
    let mut input = kitchen.input(Transport::Grpc);
    input.include = vec!["bakery/v2".into(), "bakery/v1".into()];
    let said = Read::of(&input, Context::default()).said();
    assert!(said[0].starts_with("bakery/v2: error: no such file or folder is below"), "{said:?}");
    assert!(said[0].ends_with("did you mean `v1`?"), "{said:?}");
    // Outside of the roots, and within them by its whole path.
    input.include = vec!["../bakery".into(), kitchen.0.join("./bakery/v1")];
    let said = Read::of(&input, Context::default()).said();
    assert!(said.len() == 1 && said[0].starts_with("../bakery: error: no such file or folder"), "{said:?}");
    input.roots = vec![kitchen.0.join("none")];
    let said = Read::of(&input, Context::default()).said();
    assert!(said[0].contains("there is no such folder"), "{said:?}");
    let input = Proto { descriptors: vec![kitchen.0.join("none.bin")], ..Proto::default() };
    assert!(Read::of(&input, Context::default()).said()[0].contains("the file cannot be read"));
    fs::write(kitchen.0.join("none.bin"), b"\xff\xff\xff").unwrap();
    assert!(Read::of(&input, Context::default()).said()[0].contains("this is no complete set of descriptors"));
}

#[test]
fn a_path_is_checked_against_the_request() {
    for (name, rule, message) in [
        (
            "variable",
            "post: \"/v1/{parnt=shops/*}\"",
            "has the variable `parnt`, which is no field of `Order`; did you mean `parent`?",
        ),
        ("message", "post: \"/v1/{cake}\"", "the variable `cake` of the path `/v1/{cake}` is a message"),
        ("list", "post: \"/v1/{names}\"", "the variable `names` of the path `/v1/{names}` is a list"),
        ("braces", "post: \"/v1/{parent\"", "the path `/v1/{parent` is no template"),
        (
            "body",
            "post: \"/v1/x\" body: \"cakes\"",
            "the body is `cakes`, which is no field of `Order`; did you mean `cake`?",
        ),
    ] {
        let options = format!("option (google.api.http) = {{ {rule} }};{}", info("Cake", "Cake"));
        let said = said_of(name, Transport::Rest, &options);
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(
            said[0].starts_with("bakery.proto:12:3: error: Bakery.Bake: ") && said[0].contains(message),
            "{said:?}"
        );
    }
}

#[test]
fn what_cannot_be_called_over_rest_is_skipped() {
    let said = said_of("rule", Transport::Rest, &info("Cake", "Cake"));
    assert_eq!(said.len(), 1);
    assert!(said[0].contains("skipped: Bakery.Bake: it has no `google.api.http`"), "{said:?}");
    let custom = "option (google.api.http) = { custom { kind: \"bake\" path: \"/v1/x\" } };";
    let said = said_of("custom", Transport::Rest, &format!("{custom}{}", info("Cake", "Cake")));
    assert!(said[0].contains("skipped: Bakery.Bake: its verb is `BAKE`; those of calls are GET, PUT"), "{said:?}");
}

#[test]
fn deep_and_circular_messages_end() {
    let mut deep = String::new();
    for _ in 0..60 {
        deep = format!("message Inner {{ {deep} string name = 1; }}");
    }
    let definitions = format!(
        "service Bakery {{ rpc Bake(Order) returns (google.longrunning.Operation) {{
           option (google.api.http) = {{ post: \"/v1/x\" }}; {} }} }}
         message Order {{ Order order = 1; Cake cake = 2; }}
         message Cake {{ Order order = 1; repeated Cake cakes = 2; string name = 3; }}\n{deep}",
        info("Inner", "Cake")
    );
    let read = Kitchen::with("deep", &definitions).read(Transport::Rest);
    assert_eq!(read.line("Bake"), "POST v1/x | cake_name? cake.name=Query:String");
    assert!(
        read.said().iter().any(|line| line.contains("a query has no place for `order`, `cake.order`, `cake.cakes`"))
    );
    assert!(read.model.types.contains_key("bakery.v1.Cake"));
}

#[test]
fn comments_are_kept_as_text() {
    let definitions = format!(
        "service Bakery {{\n  // */ \"#]\n  // </script> (-- never closed\n  \
         rpc Bake(Order) returns (google.longrunning.Operation) {{ {} }} }}\nmessage Order {{}}",
        info("Order", "Order")
    );
    let kitchen = Kitchen::new("comments");
    kitchen.file("bakery/v1/bakery.proto", proto("bakery.v1", &definitions));
    assert_eq!(kitchen.read(Transport::Grpc).method("Bake").docs, "*/ \"#]\n</script>");
}
