//! A folder of protos for one test.

use std::{env, fs, path::PathBuf, process};

use crate::{
    context::Context,
    model::{Call, Method, Model, Transport, TypeDef},
    source::proto::{self, Proto},
};

/// The options, as small as they can be: what is not asked for is left out.
const OPTIONS: [(&str, &str); 8] = [
    (
        "google/api/annotations.proto",
        r#"
        import "google/api/http.proto";
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.MethodOptions { HttpRule http = 72295728; }"#,
    ),
    (
        "google/api/http.proto",
        r"
        message HttpRule {
          oneof pattern {
            string get = 2; string put = 3; string post = 4; string delete = 5; string patch = 6;
            CustomHttpPattern custom = 8;
          }
          string body = 7;
          repeated HttpRule additional_bindings = 11;
        }
        message CustomHttpPattern { string kind = 1; string path = 2; }",
    ),
    (
        "google/api/client.proto",
        r#"
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.MethodOptions { repeated string method_signature = 1051; }
        extend google.protobuf.ServiceOptions { string default_host = 1049; }"#,
    ),
    (
        "google/api/field_behavior.proto",
        r#"
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.FieldOptions { repeated FieldBehavior field_behavior = 1052; }
        enum FieldBehavior { UNSET = 0; OPTIONAL = 1; REQUIRED = 2; OUTPUT_ONLY = 3; }"#,
    ),
    (
        "google/api/field_info.proto",
        r#"
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.FieldOptions { FieldInfo field_info = 291403980; }
        message FieldInfo { enum Format { UNSET = 0; UUID4 = 1; } Format format = 1; }"#,
    ),
    (
        "google/api/routing.proto",
        r#"
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.MethodOptions { RoutingRule routing = 72295729; }
        message RoutingRule { repeated RoutingParameter routing_parameters = 2; }
        message RoutingParameter { string field = 1; string path_template = 2; }"#,
    ),
    (
        "google/cloud/extended_operations.proto",
        r#"
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.MethodOptions { string operation_service = 1249; }"#,
    ),
    (
        "google/longrunning/operations.proto",
        r#"
        import "google/protobuf/descriptor.proto";
        extend google.protobuf.MethodOptions { OperationInfo operation_info = 1049; }
        message OperationInfo { string response_type = 1; string metadata_type = 2; }
        message Operation { string name = 1; bool done = 3; }"#,
    ),
];

/// A folder that is removed again.
pub(super) struct Kitchen(pub(super) PathBuf);

/// What was read.
pub(super) struct Read {
    pub(super) model: Model,
    pub(super) context: Context,
}

impl Kitchen {
    /// A folder with the options alone.
    pub(super) fn new(name: &str) -> Self {
        let kitchen = Self(env::temp_dir().join(format!("lro-codegen-proto-{}-{name}", process::id())));
        let _ = fs::remove_dir_all(&kitchen.0);
        for (file, text) in OPTIONS {
            let package = file.rsplit_once('/').unwrap().0.replace('/', ".");
            kitchen.file(file, format!("syntax = \"proto3\";\npackage {package};\n{text}"));
        }
        kitchen
    }

    /// A folder with the options, and one more file with these definitions.
    pub(super) fn with(name: &str, definitions: &str) -> Self {
        let kitchen = Self::new(name);
        kitchen.file("bakery/v1/bakery.proto", proto("bakery.v1", definitions));
        kitchen
    }

    pub(super) fn file(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(super) fn input(&self, transport: Transport) -> Proto {
        Proto { roots: vec![self.0.clone()], include: vec!["bakery/v1".into()], transport, ..Proto::default() }
    }

    pub(super) fn read(&self, transport: Transport) -> Read {
        Read::of(&self.input(transport), Context::default())
    }
}

impl Drop for Kitchen {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Returns the text of a file, in which the definitions begin in the line 11.
pub(super) fn proto(package: &str, definitions: &str) -> String {
    let imports = ["api/annotations", "api/client", "api/field_behavior", "api/field_info", "api/routing"];
    let more = ["cloud/extended_operations", "longrunning/operations"];
    let imports: Vec<String> =
        imports.iter().chain(&more).map(|name| format!("import \"google/{name}.proto\";\n")).collect();
    let imports = imports.concat();
    format!("syntax = \"proto3\";\npackage {package};\n{imports}\n{definitions}")
}

impl Read {
    pub(super) fn of(input: &Proto, mut context: Context) -> Self {
        let mut model = Model::default();
        proto::read(input, &mut context, &mut model);
        context.report.finish();
        Self { model, context }
    }

    /// The diagnostics, without the folder.
    pub(super) fn said(&self) -> Vec<String> {
        let lines = self.context.report.diagnostics.iter().map(ToString::to_string);
        lines
            .map(|line| match line.find("/bakery/v1/") {
                Some(at) => line[at + 11..].to_owned(),
                None => line,
            })
            .collect()
    }

    pub(super) fn method(&self, name: &str) -> &Method {
        let mut methods = self.model.services.iter().flat_map(|service| &service.methods);
        methods.find(|method| method.name == name).unwrap_or_else(|| panic!("no {name}: {:?}", self.said()))
    }

    pub(super) fn ty(&self, id: &str) -> &TypeDef {
        self.model.types.get(id).unwrap_or_else(|| panic!("no {id}: {:?}", self.model.types.keys()))
    }

    /// The call in one line: verb, path, and the arguments with their places. A question mark is
    /// after those that a call needs not.
    pub(super) fn line(&self, name: &str) -> String {
        let method = self.method(name);
        let arguments = method.arguments.iter().map(|argument| {
            let mark = if argument.required { "" } else { "?" };
            format!("{}{mark} {}={:?}:{:?}", argument.name, argument.wire, argument.place, argument.ty)
        });
        let arguments: Vec<String> = arguments.collect();
        match &method.call {
            Call::Http { verb, path, start_id, .. } => {
                let id = start_id.as_ref().map(|id| format!(" {id:?}")).unwrap_or_default();
                format!("{verb} {path}{id} | {}", arguments.join(", "))
            }
            Call::Rpc { path, routing } => {
                let routing = routing.iter().map(|routing| {
                    let field = |field: &crate::model::RoutingField| {
                        format!("{}{}", field.name, if field.is_optional { "?" } else { "" })
                    };
                    let fields: Vec<String> = routing.fields.iter().map(field).collect();
                    format!("{}={}", routing.key, fields.join("."))
                });
                format!("{path} [{}] | {}", routing.collect::<Vec<_>>().join(" "), arguments.join(", "))
            }
        }
    }
}
