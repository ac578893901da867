//! Schemas as types, each as the response of a method.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests may fail")]

use crate::{
    model::{Shape, Type, TypeDef},
    source::openapi::tests::{Found, read_text, swagger},
};

/// Reads a response of the type `A`, which is this schema.
fn read_a(schema: &str, others: &str) -> Found {
    let operation = "responses: {200: {schema: {$ref: '#/definitions/A'}}}";
    read_text(&swagger(operation, &format!("definitions:\n  A: {schema}\n{others}")))
}

fn def<'f>(found: &'f Found, name: &str) -> &'f TypeDef {
    found.service();
    found.model.types.iter().find(|(id, _)| id.ends_with(name)).map(|(_, def)| def).unwrap()
}

/// Returns what the schema is another name for.
fn alias(schema: &str) -> Type {
    let found = read_a(schema, "  B: {properties: {b: {type: string}}}");
    match &def(&found, "/A").shape {
        Shape::Alias(ty) => ty.clone(),
        shape => panic!("{schema}: {shape:?}"),
    }
}

/// Returns the members with their types, and whether there may be others.
fn members(found: &Found, name: &str) -> (Vec<(String, Type)>, bool) {
    match &def(found, name).shape {
        Shape::Struct { fields, open } => {
            (fields.iter().map(|field| (field.wire.clone(), field.ty.clone())).collect(), *open)
        }
        shape => panic!("{name}: {shape:?}"),
    }
}

fn member(name: &str, ty: Type) -> (String, Type) {
    (name.to_owned(), ty)
}

#[test]
fn scalars_by_type_and_format() {
    for (schema, ty) in [
        ("{type: boolean}", Type::Bool),
        ("{type: integer}", Type::I64),
        ("{type: integer, format: int32}", Type::I32),
        ("{type: integer, format: uint8}", Type::U32),
        ("{type: integer, format: uint64}", Type::U64),
        ("{type: integer, format: unixtime}", Type::I64),
        ("{type: integer, enum: [1, 2]}", Type::I64),
        ("{type: number}", Type::F64),
        ("{type: number, format: float}", Type::F32),
        ("{type: string, format: date-time}", Type::String),
        ("{type: string, format: byte}", Type::String),
        ("{type: string, format: int64}", Type::Quoted(Box::new(Type::I64))),
        ("{type: [string, 'null']}", Type::Option(Box::new(Type::String))),
        ("{type: [string, integer]}", Type::Value),
        ("{type: string, x-nullable: true}", Type::Option(Box::new(Type::String))),
        ("{}", Type::Value),
        ("{description: anything}", Type::Value),
        ("{type: object}", Type::Value),
    ] {
        assert_eq!(alias(schema), ty, "{schema}");
    }
}

#[test]
fn lists_and_maps() {
    let list = |ty| Type::List(Box::new(ty));
    let map = |ty| Type::Map(Box::new(ty));
    for (schema, ty) in [
        ("{type: array, items: {type: string}}", list(Type::String)),
        ("{items: {type: string, nullable: true}}", list(Type::Option(Box::new(Type::String)))),
        ("{type: array}", list(Type::Value)),
        ("{type: object, additionalProperties: true}", map(Type::Value)),
        ("{type: object, additionalProperties: {type: integer, format: int32}}", map(Type::I32)),
        ("{additionalProperties: {type: array, items: {type: string}}}", map(list(Type::String))),
        ("{type: object, additionalProperties: false}", Type::Value),
    ] {
        assert_eq!(alias(schema), ty, "{schema}");
    }
}

#[test]
fn one_real_alternative_is_the_type_and_several_are_any() {
    let named = || Type::Named("api.yaml#/definitions/B".to_owned());
    let option = |ty| Type::Option(Box::new(ty));
    for (schema, ty) in [
        ("{anyOf: [{type: string}, {type: 'null'}]}", option(Type::String)),
        ("{oneOf: [{$ref: '#/definitions/B'}]}", named()),
        ("{oneOf: [{type: string}, {type: integer}]}", Type::Value),
        ("{anyOf: [{$ref: '#/definitions/B'}, {enum: [null]}]}", option(named())),
    ] {
        assert_eq!(alias(schema), ty, "{schema}");
    }
}

#[test]
fn what_is_inherited_comes_first_and_once() {
    let found = read_a(
        "{allOf: [{$ref: '#/definitions/B'}, {properties: {c: {type: boolean}}}], properties: {b: {type: integer}, a: {}}}",
        "  B: {allOf: [{$ref: '#/definitions/Base'}], properties: {b: {type: string}}}\n  \
         Base: {properties: {id: {type: string}}, required: [id]}",
    );
    let expected = [("id", Type::String), ("b", Type::I64), ("c", Type::Bool), ("a", Type::Value)];
    let expected: Vec<_> = expected.map(|(name, ty)| member(name, ty)).into_iter().collect();
    assert_eq!(members(&found, "/A"), (expected, false));
    // A base that nothing names is no type.
    assert_eq!(found.model.types.len(), 1);
}

#[test]
fn a_wrapper_that_only_describes_is_what_it_wraps() {
    let found = read_a(
        "{properties: {b: {description: the b, readOnly: true, allOf: [{$ref: '#/definitions/B'}]}}}",
        "  B: {properties: {x: {type: string}}}",
    );
    let Shape::Struct { fields, .. } = &def(&found, "/A").shape else { panic!("no struct") };
    assert_eq!(fields[0].ty, Type::Named("api.yaml#/definitions/B".to_owned()));
    assert_eq!((&*fields[0].docs, fields[0].read_only), ("the b", true));
}

#[test]
fn kinds_of_an_object_keep_their_members() {
    for (schema, open) in [
        ("{properties: {a: {}}}", false),
        ("{properties: {a: {}}, additionalProperties: false}", false),
        ("{properties: {a: {}}, additionalProperties: true}", true),
        ("{properties: {a: {}}, additionalProperties: {type: string}}", true),
        ("{properties: {a: {}}, discriminator: a}", true),
        ("{properties: {a: {}}, oneOf: [{properties: {b: {}}}, {properties: {c: {}}}]}", true),
        ("{properties: {a: {}}, allOf: [{discriminator: kind, type: object}]}", true),
    ] {
        assert_eq!(members(&read_a(schema, ""), "/A"), (vec![member("a", Type::Value)], open), "{schema}");
    }
}

#[test]
fn only_the_service_writes_what_can_only_be_read() {
    let found = read_a(
        "{properties: {a: {readOnly: true}, b: {x-ms-mutability: [read]}, c: {x-ms-mutability: [read, create]}}}",
        "",
    );
    let Shape::Struct { fields, .. } = &def(&found, "/A").shape else { panic!("no struct") };
    assert_eq!(fields.iter().map(|field| field.read_only).collect::<Vec<_>>(), [true, true, false]);
}

#[test]
fn words_of_a_list_are_an_enumeration() {
    let found = read_a(
        "{properties: {a: {type: string, enum: [x, y, x, ''], x-ms-enum: {name: Letter, values: [{value: x, description: an x}]}}, \
         b: {enum: [x, y], x-ms-enum: {name: Letter}}, c: {enum: [z], x-ms-enum: {name: Letter}}, d: {enum: [q, null]}}}",
        "",
    );
    let (fields, _) = members(&found, "/A");
    assert_eq!(fields[0].1, fields[1].1);
    assert_ne!(fields[1].1, fields[2].1);
    let Shape::Enum(values) = &def(&found, "x-ms-enum/Letter").shape else { panic!("no enumeration") };
    let values: Vec<_> = values.iter().map(|value| (&*value.wire, &*value.docs)).collect();
    assert_eq!(values, [("x", "an x"), ("y", "")]);
    assert_eq!((&*def(&found, "/c").name, &*def(&found, "/d").name), ("Letter", "A_d"));
}

#[test]
fn an_object_inside_of_another_is_named_after_its_place_or_its_title() {
    let found = read_a("{properties: {in: {properties: {x: {items: {title: Leaf, properties: {y: {}}}}}}}}", "");
    let names: Vec<_> = found.model.types.iter().map(|(id, def)| (&**id, &*def.name)).collect();
    assert_eq!(
        names,
        [
            ("api.yaml#/definitions/A", "A"),
            ("api.yaml#/definitions/A/properties/in", "A_in"),
            ("api.yaml#/definitions/A/properties/in/properties/x/items", "Leaf"),
        ]
    );
}

#[test]
fn a_type_that_there_is_not_names_the_nearest() {
    let skip = read_a("{properties: {a: {type: strin}}}", "").skip();
    assert!(
        skip.contains(": skipped: Orders.Send: `strin` is no type; did you mean `string`? Legal types are array,"),
        "{skip}"
    );
}
