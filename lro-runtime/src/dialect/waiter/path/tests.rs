use serde_json::value::RawValue;

use super::Path;

#[test]
fn paths_find_what_jmespath_finds() {
    let output: &RawValue = serde_json::from_str(
        r#"{"state":"ok","odd name":1,"n":3,"yes":true,"list":[{"s":"a","in":[1,2]},{"s":"b","in":[3]},{"other":0}],"empty":[],"lists":[[1,2],[[3]],4,null],"groups":[{"members":[{"s":"a"},{}]},{"members":[{"s":"b"}]}],"deep":{"x":{"y":"z"}}}"#,
    )
    .unwrap();
    let cases = [
        ("state", r#""ok""#),
        ("deep.x.y", r#""z""#),
        ("\"odd name\"", "1"),
        ("missing.x", "null"),
        ("list[0].s", r#""a""#),
        ("list[-2].s", r#""b""#),
        ("list[9]", "null"),
        ("list[].s", r#"["a","b"]"#),
        ("list[*].s", r#"["a","b"]"#),
        ("list[].in[]", "[1,2,3]"),
        ("state[]", "null"),
        ("missing[*].s", "null"),
        ("length(missing[]) == `0`", "false"),
        ("lists[]", "[1,2,[3],4]"),
        ("lists[][]", "[1,2,3,4]"),
        ("lists[*]", "[[1,2],[[3]],4]"),
        ("lists[*][*]", "[[1,2],[[3]]]"),
        ("list[*].in", "[[1,2],[3]]"),
        ("list[*].in[*]", "[[1,2],[3]]"),
        ("list[*].in[0]", "[1,3]"),
        ("list[].in[].x", "[]"),
        ("groups[].members[].s", r#"["a","b"]"#),
        ("groups[*].members[*].s", r#"[["a"],["b"]]"#),
        ("groups[*].members[].s", r#"["a","b"]"#),
        ("length(list)", "3"),
        ("length(list[].s)", "2"),
        ("length(empty) == `0`", "true"),
        ("n > `2`", "true"),
        ("n >= `3`", "true"),
        ("n < `3`", "false"),
        ("n <= `4`", "true"),
        ("n <= `2`", "false"),
        ("n > `3`", "false"),
        ("length(deep)", "1"),
        ("length(state)", "2"),
        ("length(n)", "null"),
        ("state == 'ok'", "true"),
        ("state != `\"ok\"`", "false"),
        ("state > `1`", "null"),
        ("yes", "true"),
        ("yes == `true`", "true"),
        ("yes == `false`", "false"),
        ("n == `true`", "false"),
        ("@.n", "3"),
        ("n == `3.0`", "true"),
        ("deep == `{\"x\": {\"y\": \"z\"}}`", "true"),
        ("deep == `{\"x\": {}}`", "false"),
        ("list[].s == `[\"a\", \"b\"]`", "true"),
        ("list[].s == `[\"a\"]`", "false"),
        ("list[0].in == list[1].in", "false"),
        ("lists == lists", "true"),
        ("length(deep)", "1"),
        ("groups[*].members[*][0].s", "[[],[]]"),
        ("groups[*].members[*].s[]", r#"["a","b"]"#),
        ("list[-9]", "null"),
    ];
    for (path, found) in cases {
        assert_eq!(Path::parse(path).unwrap().find(Some(output)).into_json(), found, "{path}");
    }
    for wrong in ["", "a..b", "a[", "a[x]", "length(a", "a ==", "a b", "1a", "a == `{`"] {
        assert!(Path::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn objects_are_the_same_if_they_have_the_same_members() {
    let output: &RawValue =
        serde_json::from_str(r#"{"of":{"a":1,"b":null,"\u0063":[{"d":""}],"a":2},"odd":{"\ud800":1},"none":{}}"#)
            .unwrap();
    for (path, found) in [
        (r#"of == `{"c":[{"d":""}],"a":2.0,"b":null}`"#, "true"),
        (r#"of == `{"c":[{"d":""}],"a":1,"b":null}`"#, "false"),
        (r#"of == `{"c":[{"d":""}],"a":2}`"#, "false"),
        (r#"of == `{"c":[{"d":""}],"a":2,"b":null,"e":null}`"#, "false"),
        (r#"of == `{"c":[{"d":"","e":1}],"a":2,"b":null}`"#, "false"),
        (r#"of != `["a"]`"#, "true"),
        ("odd == `{}`", "false"),
        ("none == `{}`", "true"),
        ("none == `[]`", "false"),
        ("of == of", "true"),
        ("length(of)", "4"),
        ("length(odd)", "1"),
        ("length(none)", "0"),
    ] {
        assert_eq!(Path::parse(path).unwrap().find(Some(output)).into_json(), found, "{path}");
    }
}

#[test]
fn integers_are_compared_exactly_and_other_numbers_by_value() {
    let output: &RawValue = serde_json::from_str(
        r#"{"at":1700000000000000001,"ids":[1700000000000000001],"big":100000000000000000000000000001,"low":-1700000000000000001,"half":0.5}"#,
    )
    .unwrap();
    for (path, found) in [
        ("at == `1700000000000000100`", "false"),
        ("at != `1700000000000000100`", "true"),
        ("at == `1700000000000000001`", "true"),
        ("at < `1700000000000000002`", "true"),
        ("at >= `1700000000000000002`", "false"),
        ("low > `-1700000000000000002`", "true"),
        ("ids == `[1700000000000000100]`", "false"),
        ("ids == `[1700000000000000001]`", "true"),
        ("ids == `[1700000000000000001.0]`", "true"),
        ("big == `100000000000000000000000000002`", "false"),
        ("big == `1e29`", "true"),
        ("half < `1`", "true"),
        ("length(ids) == `1.0`", "true"),
    ] {
        assert_eq!(Path::parse(path).unwrap().find(Some(output)).into_json(), found, "{path}");
    }
}
