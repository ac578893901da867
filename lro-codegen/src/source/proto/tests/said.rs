//! What the overrides file says.

use super::kitchen::{Kitchen, Read};
use crate::{
    context::Context,
    model::{Transport, Type},
    overrides::Overrides,
};

const BAKERY: &str = r#"
service Bakery {
  rpc Old(Cake) returns (google.longrunning.Operation) { option (google.api.http) = { post: "/v1/old" body: "*" }; }
  rpc New(Cake) returns (google.longrunning.Operation) {
    option (google.longrunning.operation_info) = { response_type: "Cake" metadata_type: "Cake" };
  }
  rpc Get(Cake) returns (Cake);
}
message Cake { string name = 1; }
message Progress { int32 progress_percent = 1; }
"#;

fn read(name: &str, overrides: &str) -> Read {
    let kitchen = Kitchen::with(name, BAKERY);
    kitchen.file("bakery/v1/lro.toml", overrides);
    let mut context = Context::default();
    let document = context.document(&kitchen.0.join("bakery/v1/lro.toml")).unwrap();
    context.overrides = Overrides::read(&document, &mut context.report);
    Read::of(&kitchen.input(Transport::Grpc), context)
}

#[test]
fn the_overrides_file_says_what_the_description_does_not() {
    let read = read(
        "said",
        "[method.\"Bakery.Old\"]\nresponse = \"Cake\"\nmetadata = \"Progress\"\nname = \"Aged\"\ncancel = true\n\
         [method.\"Bakery.New\"]\nresponse = \"()\"\nmetadata = \"crate::Mine\"\n",
    );
    let (old, new) = (read.method("Old"), read.method("New"));
    assert_eq!(old.response, Type::Message("bakery.v1.Cake".to_owned()));
    assert_eq!((old.alias.as_deref(), old.options.cancel), (Some("Aged"), true));
    assert_eq!(old.options.progress.as_ref().map(|progress| &*progress.field), Some("progress_percent"));
    assert_eq!((&new.response, &new.metadata), (&Type::Unit, &Type::Path("crate::Mine".to_owned())));
    assert_eq!((new.options.response_type.as_ref(), new.options.metadata_type.as_ref()), (None, None));
    assert!(read.said().is_empty(), "{:?}", read.said());
}

#[test]
fn mistakes_of_the_overrides_file_are_told_at_its_lines() {
    let read = read(
        "mistakes",
        "[method.\"Bakery.Old\"]\nresponse = \"Cak\"\n[method.\"Bakery.Get\"]\nresponse = \"Cake\"\n\
         [method.\"Bakery.New\"]\nskip = true\n",
    );
    let said = read.said();
    assert_eq!(said.len(), 3, "{said:#?}");
    assert!(said[0].contains("skipped: Bakery.New: by the overrides file"), "{said:?}");
    assert!(
        said[1]
            .contains("skipped: Bakery.Get: it returns a `bakery.v1.Cake`, which is no `google.longrunning.Operation`"),
        "{said:?}"
    );
    assert!(said[2].starts_with("lro.toml:2:12: error: Bakery.Old: `Cak` is no message"), "{said:?}");
}
