//! The back end alone, on models that no front end would give.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests may fail")]

use super::*;
use crate::{
    model::{Argument, Call, EnumValue, Field, Method, Options, Place, Poll, Progress, Shape, StartId, TypeDef},
    position::Position,
};

fn at() -> Position {
    Position { file: "farm.json".into(), line: 7, column: 3 }
}

fn argument(name: &str, ty: Type, required: bool, place: Place) -> Argument {
    Argument { wire: name.to_owned(), name: name.to_owned(), docs: String::new(), ty, required, place, at: at() }
}

fn field(wire: &str, ty: Type) -> Field {
    Field { wire: wire.to_owned(), docs: String::new(), ty, read_only: false }
}

fn structure(name: &str, fields: Vec<Field>) -> (String, TypeDef) {
    (
        name.to_owned(),
        TypeDef { name: name.to_owned(), docs: String::new(), shape: Shape::Struct { fields, open: false }, at: at() },
    )
}

fn method(name: &str, path: &str, arguments: Vec<Argument>) -> Method {
    Method {
        name: name.to_owned(),
        alias: None,
        docs: "Builds a *farm*. See https://example.com/a_b for [more][x.y.Z].".to_owned(),
        deprecated: false,
        call: Call::Http {
            verb: "POST".to_owned(),
            path: path.to_owned(),
            query: vec![],
            headers: vec![],
            start_id: None,
        },
        arguments,
        response: Type::Named("Farm".to_owned()),
        unknown_response: false,
        metadata: Type::Named("Progress".to_owned()),
        dialect: None,
        options: Options::default(),
        at: at(),
    }
}

fn model() -> Model {
    let mut build = method(
        "Build",
        "v1/{parent=projects/*}/farms",
        vec![
            argument("parent", Type::String, true, Place::Path),
            argument("farmId", Type::String, true, Place::Query),
            argument("farm", Type::Named("Farm".to_owned()), true, Place::Body),
            argument("$filter", Type::String, false, Place::Query),
            argument("zones", Type::List(Box::new(Type::String)), false, Place::Query),
            argument("ids", Type::List(Box::new(Type::I64)), false, Place::QueryList),
            argument("If-Match", Type::String, false, Place::Header),
        ],
    );
    build.options = Options {
        cancel: true,
        poll: Poll {
            delay: Some(std::time::Duration::from_millis(500)),
            multiplier: Some(1.5),
            max_delay: None,
            timeout: Some(std::time::Duration::from_secs(7200)),
        },
        progress: Some(Progress { field: "percentDone".to_owned(), is_float: true, is_optional: true }),
        response_type: Some("example.farms.v1.AVeryLongNameOfAFarmThatMustBeWrittenDownInFull".to_owned()),
        ..Options::default()
    };
    let mut moved = method("move", "v1/farms/{name}", vec![argument("name", Type::String, true, Place::Path)]);
    moved.options.cancel = true;
    moved.response = Type::Unit;
    if let Call::Http { start_id, .. } = &mut moved.call {
        *start_id = Some(StartId::Query("requestId".to_owned()));
    }
    let mut new = method(
        "new",
        "v1/{+name}/x",
        vec![
            argument("name", Type::String, true, Place::Path),
            argument("type", Type::List(Box::new(Type::String)), true, Place::Query),
        ],
    );
    new.options.cancel = true;
    let service = Service {
        name: vec!["farms".to_owned()],
        docs: String::new(),
        base: "https://farms.example.com".to_owned(),
        dialect: Dialect::Azure,
        parameters: vec![argument("subscriptionId", Type::String, true, Place::Query)],
        query: vec![("api-version".to_owned(), "2026-01-01".to_owned())],
        methods: vec![build, moved, new],
        at: at(),
    };
    let mut types = BTreeMap::from([
        structure(
            "Farm",
            vec![
                field("name", Type::String),
                field("parentFarm", Type::Named("Farm".to_owned())),
                field("@odata.type", Type::String),
                field("size", Type::Quoted(Box::new(Type::I64))),
                field("state", Type::Named("State".to_owned())),
                field("labels", Type::Map(Box::new(Type::String))),
            ],
        ),
        structure("Progress", vec![field("percentDone", Type::F64), field("targetName", Type::String)]),
        structure("Unreached", vec![]),
    ]);
    let values =
        ["STATE_ACTIVE", "STATE_4", "STATE_OTHER"].map(|wire| EnumValue { wire: wire.to_owned(), docs: String::new() });
    types.insert(
        "State".to_owned(),
        TypeDef {
            name: "State".to_owned(),
            docs: "*/ <script>".to_owned(),
            shape: Shape::Enum(values.to_vec()),
            at: at(),
        },
    );
    Model { services: vec![service], types, methods_seen: 9, ..Model::default() }
}

#[test]
fn a_service_is_one_module_and_its_types_are_another() {
    let mut context = Context::default();
    let (modules, rows) = write(&model(), &mut context);
    let one = modules.one_file().unwrap();
    insta::assert_snapshot!(one);
    assert_eq!(rows.len(), 3);
    assert_eq!(modules.files().unwrap().len(), 3);
    assert_eq!(
        context.report.to_string(),
        "of 9 methods 3 long-running: 3 generated, 0 skipped; 0 of unknown response"
    );
}

fn alias(name: &str, ty: Type) -> (String, TypeDef) {
    let (id, def) = structure(name, vec![]);
    (id, TypeDef { shape: Shape::Alias(ty), ..def })
}

fn named(name: &str) -> Type {
    Type::Named(name.to_owned())
}

fn one_file(model: &Model) -> String {
    write(model, &mut Context::default()).0.one_file().unwrap()
}

#[test]
fn a_type_that_stands_for_a_list_of_itself_is_anything() {
    let mut model = model();
    for (name, ty) in
        [("A", Type::List(Box::new(named("A")))), ("B", Type::Option(Box::new(named("B")))), ("C", named("C"))]
    {
        model.types.extend([alias(name, ty)]);
    }
    let many = (0..10_000).map(|at| alias(&format!("L{at}"), Type::List(Box::new(named(&format!("L{}", at + 1))))));
    model.types.extend(many);
    let fields = ["A", "B", "C", "L0"].map(|name| field(name, named(name)));
    model.types.extend([structure("Farm", fields.to_vec())]);
    let code = one_file(&model);
    for name in ["a", "b", "c", "l0"] {
        assert!(code.contains(&format!("pub {name}: Option<serde_json::Value>,")), "{name}: {code}");
    }
}

#[test]
fn a_struct_that_holds_itself_is_boxed_however_often_it_may_be_absent() {
    let mut model = model();
    let absent = |ty| Type::Option(Box::new(ty));
    model.types.extend([alias("Maybe", absent(named("Farm")))]);
    model.types.extend([structure("Farm", vec![field("inner", absent(absent(named("Maybe"))))])]);
    assert!(one_file(&model).contains("pub inner: Option<Box<Farm>>"), "{}", one_file(&model));
}

#[test]
fn what_a_client_holds_is_read_under_the_name_that_it_is_held_under() {
    let mut model = model();
    model.services[0].parameters =
        ["operations", "api-key", "apiKey"].map(|name| argument(name, Type::String, true, Place::Query)).to_vec();
    let code = one_file(&model);
    for (wire, held) in [("operations", "operations2"), ("api-key", "api_key"), ("apiKey", "api_key2")] {
        assert!(code.contains(&format!(".query(\"{wire}\", &self.{held})")), "{wire}: {code}");
        assert!(code.contains(&format!("{held}: String")), "{held}");
    }
}

#[test]
fn poll_settings_are_those_that_the_attribute_takes() {
    let time = std::time::Duration::from_micros;
    let mut model = model();
    let poll = Poll { max_delay: Some(time(500_000)), timeout: Some(time(400)), ..Poll::default() };
    model.services[0].methods[1].options.poll = poll;
    let code = one_file(&model);
    assert!(code.contains(r#"poll(delay = "500ms", max_delay = "500ms")"#), "{code}");
}

#[test]
fn many_of_one_name_are_named_in_no_time() {
    let mut scope = Scope::default();
    let names: std::collections::BTreeSet<String> = (0..100_000).map(|_| scope.take("Same")).collect();
    assert_eq!(names.len(), 100_000);
    assert!(names.contains("Same100000"));
}
