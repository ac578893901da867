use super::*;

#[test]
fn a_comment_becomes_paragraphs_and_lists() {
    let text = "Creates a *new* workflow. If [Workflow][google.cloud.workflows.v1.Workflow] exists,\nreturns ALREADY_EXISTS.\n\n* one\n  and more\n* two\n\nSee https://example.com/a_b. The field `a_b`s is in [the docs](https://e.com).";
    assert_eq!(
        markdown(text),
        [
            "Creates a new workflow. If `Workflow` exists, returns `ALREADY_EXISTS`.",
            "",
            "- one and more",
            "- two",
            "",
            "See <https://example.com/a_b>. The field `a_b`s is in the docs (<https://e.com>).",
        ]
    );
}

#[test]
fn nothing_means_anything_to_rustdoc() {
    for (text, expected) in [
        ("a [broken link", "a `[` broken link"),
        ("an `open tick", "an open tick"),
        ("<b>bold</b> <Vec> x<y && a|b", "bold `<Vec>` `x<y` `&&` `a|b`"),
        ("&lt;name&gt; */ \"# #![x]", "`<name>` `*/` \"`#` `#`! `x`"),
        ("projects/*/locations/* or and/or", "`projects/*/locations/*` or and/or"),
        ("- 1", "- 1"),
        ("in [0, 100) or [0-9] or (see [X])", "in `[` 0, 100) or `[0-9]` or (see `X`)"),
        ("\u{202e}evil\u{0}\u{7}", "evil"),
        ("call foo() or an iPhone (IDs)", "call `foo()` or an iPhone (`IDs`)"),
        ("the `names` so", "the `names` so"),
        ("Example of one::", "Example of one:"),
    ] {
        assert_eq!(markdown(text).join("\n"), expected, "{text}");
    }
}

#[test]
fn a_link_leads_to_what_is_written() {
    let find = |name: &str| (name == "a.v1.Farm").then(|| "types::Farm".to_owned());
    let text = "The [farm][a.v1.Farm], not [barn][a.v1.Barn].";
    assert_eq!(linked(text, &find), ["The [`farm`](types::Farm), not `barn`."]);
}
