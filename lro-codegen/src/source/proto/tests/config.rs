//! Configurations beside the protos.

use std::time::Duration;

use super::kitchen::{Kitchen, Read};
use crate::{
    context::Context,
    model::{Poll, Transport},
};

const BAKERY: &str = r#"
service Bakery {
  rpc Bake(Order) returns (google.longrunning.Operation) {
    option (google.api.http) = { post: "/v1/bake" body: "*" };
    option (google.longrunning.operation_info) = { response_type: "Order" metadata_type: "Order" };
  }
  rpc Sell(Order) returns (google.longrunning.Operation) {
    option (google.api.http) = { post: "/v2/sell" body: "*" };
    option (google.longrunning.operation_info) = { response_type: "Order" metadata_type: "Order" };
  }
}
message Order { string name = 1; }
"#;

const SERVICE: &str = "\
type: google.api.Service
apis:
- name: bakery.v1.Bakery
documentation:
  overview: 'A text that goes on
at the first column.'
  rules:
  - selector: bakery.v1.Bakery.Bake
    description: Bakes.
http:
  rules:
  - selector: google.longrunning.Operations.GetOperation
    get: '/ui/{name=operations/*}'
    additional_bindings:
    - get: '/v2/{name=operations/**}'
  - selector: google.longrunning.Operations.CancelOperation
    post: '/v1/{name=operations/*}:cancel'
publishing:
  method_settings:
  - selector: bakery.v1.Bakery.Bake
    long_running:
      initial_poll_delay: 60s
      poll_delay_multiplier: 1.5
      max_poll_delay: 360s
      total_poll_timeout: 3600s
";

const GAPIC: &str = "\
interfaces:
- name: bakery.v1.Bakery
  methods:
  - name: Bake
    long_running:
      initial_poll_delay_millis: 1
  - name: Sell
    long_running:
      initial_poll_delay_millis: 500
      poll_delay_multiplier: 1.5
      max_poll_delay_millis: 20000
      total_poll_timeout_millis: 600000
";

#[test]
fn a_service_configuration_says_where_and_how_often_operations_are_polled() {
    let kitchen = Kitchen::with("config", BAKERY);
    kitchen.file("bakery/v1/bakery_v1.yaml", SERVICE);
    kitchen.file("bakery/v1/bakery_gapic.yaml", GAPIC);
    kitchen.file("bakery/v1/other.yaml", "steps: [}");
    let read = kitchen.read(Transport::Rest);
    let (bake, sell) = (read.method("Bake"), read.method("Sell"));
    // Of several paths, that of the method's version, or the first.
    assert_eq!(bake.options.path.as_deref(), Some("ui/{name}"));
    assert_eq!(sell.options.path.as_deref(), Some("v2/{name}"));
    assert!(bake.options.cancel && !bake.options.delete);
    let minute = Duration::from_secs(60);
    assert_eq!(bake.options.poll, Poll { delay: Some(minute), max_delay: Some(minute * 6), ..Poll::default() });
    assert_eq!(sell.options.poll, Poll::default());
    assert_eq!((&*bake.docs, &*sell.docs), ("Bakes.", ""));
    assert!(read.said().is_empty(), "{:?}", read.said());
    assert!(read.context.read.iter().any(|path| path.ends_with("bakery_v1.yaml")));

    let read = kitchen.read(Transport::Grpc);
    assert_eq!((read.method("Sell").options.path.as_ref(), read.method("Sell").options.cancel), (None, true));
}

#[test]
fn a_configuration_that_cannot_be_read_is_told() {
    let kitchen = Kitchen::with("unreadable", BAKERY);
    kitchen.file("bakery/v1/bad.yaml", "type: google.api.Service\nhttp: [}\n");
    let said = kitchen.read(Transport::Grpc).said();
    assert_eq!(said.len(), 1);
    assert!(said[0].starts_with("bad.yaml:2:") && said[0].ends_with("the file is left out"), "{said:?}");

    kitchen.file("bakery/v1/other.yaml", "steps: []\n");
    let mut input = kitchen.input(Transport::Grpc);
    input.configs = ["bad.yaml", "other.yaml"].map(|name| kitchen.0.join("bakery/v1").join(name)).to_vec();
    let said = Read::of(&input, Context::default()).said();
    assert!(said[0].starts_with("bad.yaml:2:8: error: not YAML"), "{said:?}");
    assert!(said[1].starts_with("other.yaml:1:1: error: this is no service configuration"), "{said:?}");
}
