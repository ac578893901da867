use super::*;
use crate::secrets::{
    of_caller, redacted, stored_text,
    tests::{hidden, stored},
};

#[test]
fn a_value_ends_where_it_ends_in_its_document() {
    let cases = [
        (
            r#"{"next":"https://h/p?a=1\u0026sig=x\u002by\/z\u0026b=2"}"#,
            r#"{"next":"https://h/p?a=…\u0026sig=…\u0026b=…"}"#,
        ),
        ("<next>https://h/p?a=1&amp;sig=x&amp;b=2</next>", "<next>https://h/p?a=…&amp;sig=…&amp;b=…</next>"),
        (r#"\"/p?sig=x\" is gone"#, r#"\"/p?sig=…\" is gone"#),
        ("see /p?sig=x%26y&top=2", "see /p?sig=…&top=2"),
        ("see /p?filter=%2F%3Fsig%3Dx%26top%3D2&c=3", "see /p?filter=%2F%3Fsig%3D…%26top%3D2&c=…"),
        ("Host=h;AccountKey=x==;More=y", "Host=h;AccountKey=…"),
        ("password=x, then client_secret=y", "password=… then client_secret=…"),
        ("a;code=5 and #access_token=x\ny", "a;code=… and #access_token=…\ny"),
    ];
    for (said, shown) in cases {
        assert_eq!(hidden(said), shown);
    }
}

#[test]
fn user_info_is_hidden_wherever_it_stands() {
    for (said, shown) in [
        ("https://u:hunter2@h/p", "https://h/p"),
        ("https://u@x:hunter2@h", "https://h"),
        ("//u:hunter2@h/p", "//h/p"),
        ("https:\\/\\/u:hunter2@h\\/p", "https:\\/\\/h\\/p"),
        ("https://h/p?filter=https%3A%2F%2Fu%3Ahunter2%40x%2Fy", "https://h/p?filter=https%3A%2F%2Fx%2Fy"),
        ("https://a?top=1\nhttps://u:hunter2@b?sig=hunter2", "https://a?top=1\nhttps://b?sig=…"),
    ] {
        assert_eq!(hidden(said), shown);
        assert_eq!(redacted(said), shown);
        assert_eq!(stored(said), shown.replace("?sig=…", ""));
    }
    assert_eq!(hidden("//u:hunter2@sig=hunter2"), "//sig=…");
    let said = "cannot read https://u:hunter2@h/p, ask me@example.com";
    assert_eq!(hidden(said), "cannot read https://h/p, ask me@example.com");
}

#[test]
fn what_is_no_secret_stays() {
    let url = "https://user:pw@h/p?api-version=1&sig=hunter2&Key=hunter2&t=5";
    assert_eq!(redacted(url), "https://h/p?api-version=1&sig=…&Key=…&t=…");
    assert_eq!(stored(url), "https://h/p?api-version=1&t=5");
    assert_eq!(stored("https://h/p?sig=x"), "https://h/p");
    assert_eq!(stored("https://h/p?u=%2F%3Fsig%3Dx%26b%3D2&c=3"), "https://h/p?u=%2F%3Fb%3D2&c=3");
    assert_eq!(stored("https://h/p?u=/?sig=x&c=3"), "https://h/p?u=/&c=3");
    assert_eq!(stored("https://h/p?sig=x&a=1;b=2&key=y#top"), "https://h/p?a=1;b=2#top");
    for plain in [
        "",
        "operations/7",
        "ä ö?",
        "a?b?c#d#",
        "??&&;;#=",
        "a=b",
        "https://h/p?pageSize=5&%24filter=x%26y&x",
        "code=5",
        "a & b = c; d = e",
        "what? that: key = 5",
        "https://h/a//b@c?filter=me@example.com",
        "100%25 of %7Bx%7D %%25%2 \\\\ \\u00 &amp &#x; &#;",
    ] {
        if !plain.contains(" = ") {
            assert_eq!(redacted(plain), plain);
            assert_eq!(stored(plain), plain);
        }
        assert_eq!(hidden(plain), plain);
        assert_eq!(stored_text(plain), plain);
    }
}

#[test]
fn of_a_query_the_names_are_shown_and_only_values_known_to_be_harmless() {
    for (url, shown) in [
        ("https://h/p?pin=hunter2&alt=json#state=hunter2", "https://h/p?pin=…&alt=json#state=…"),
        ("https://h/p?flag&pin=hunter2", "https://h/p?flag&pin=…"),
        ("https://h/p?pin=a;hunter2&=hunter2", "https://h/p?pin=…&=…"),
        (
            "https://h/p?page_size=5&%24top=2&ORDERBY=a&pageToken=hunter2",
            "https://h/p?page_size=5&%24top=2&ORDERBY=a&pageToken=…",
        ),
        ("/p?next=https%3A%2F%2Fx%3Fpin%3Dhunter2&view=FULL", "/p?next=…&view=FULL"),
        ("/p?filter=%3Fpin%3Dhunter2%26top%3D1", "/p?filter=%3Fpin%3D…%26top%3D1"),
    ] {
        assert_eq!(redacted(url), shown);
        assert_eq!(hidden(&format!("see {url} or \"{url}\" now")), format!("see {shown} or \"{shown}\" now"));
    }
    let long = format!("https://h/p?{}hunter2&alt=json", "x".repeat(NAME));
    assert_eq!(redacted(&long), format!("https://h/p?{}…&alt=json", "x".repeat(NAME)));
    assert_eq!(stored(&long), long);
}

#[test]
fn of_a_url_of_the_caller_only_what_is_known_to_be_harmless_is_stored() {
    let mut left_out = vec![];
    let url = "https://u:p@h/p;jwt=x/q?pin=1&api-version=2&flag&%24filter=a&pin=2&top=/?sig=y#f=3";
    assert_eq!(of_caller(url, &mut left_out), "https://h/p/q?api-version=2&%24filter=a&top=/");
    assert_eq!(left_out, ["pin", "…", "pin", "jwt", "sig"]);
    assert_eq!(of_caller("operations/7", &mut left_out), "operations/7");
}

#[test]
fn a_value_without_a_name_is_no_name_for_its_padding() {
    for (url, shown, own, names) in [
        ("/x?aHVudGVyMg==", "/x?…=", "/x", &["…"][..]),
        ("/x?aHVudGVyMg%3D%3D", "/x?…%3D", "/x", &["…"]),
        ("/x?aHVudGVyMjE=&top=1", "/x?…=&top=1", "/x?top=1", &["…"]),
        ("/x?top=1&aHVudGVyMjE=;b=2", "/x?top=1&…=", "/x?top=1", &["…"]),
        ("/x?filter=%3FaHVudGVyMg%3D%3D%26top=1", "/x?filter=%3F…%3D%26top=1", "/x?filter=%3Ftop=1", &["…"]),
        ("/x?top=&sig=&pin==", "/x?top=&sig=&…=", "/x?top=", &["sig", "…"]),
    ] {
        assert_eq!(redacted(url), shown);
        assert_eq!(hidden(&format!("see {url} now")), format!("see {shown} now"));
        let mut left_out = vec![];
        assert_eq!(of_caller(url, &mut left_out), own);
        assert_eq!(left_out, names, "{url}");
    }
    assert_eq!(redacted("/x;aHVudGVyMg==/y"), "/x;…=/y");
    assert_eq!(of_caller("/x;aHVudGVyMg==/y", &mut vec![]), "/x/y");
}

#[test]
fn of_a_url_of_the_caller_no_value_is_stored_however_its_parameter_is_written() {
    for (url, own, names) in [
        ("/x?pin%3Dhunter2", "/x", ["pin"]),
        ("/x?pin%253Dhunter2&top=1", "/x?top=1", ["pin"]),
        ("/x?api-version=1;pin=hunter2", "/x?api-version=1", ["pin"]),
        ("/x?view=a?pin=hunter2", "/x?view=a", ["pin"]),
        ("/x?filter=%3Fpin%3Dhunter2&top=1", "/x?filter=&top=1", ["pin"]),
        ("/x%3Fpin=hunter2", "/x", ["pin"]),
        ("/x?hunter2", "/x", ["…"]),
        ("/x?hunter2;top=1", "/x", ["…"]),
        ("/x?hunter2%26top=1", "/x", ["…"]),
        ("/x;a;pin=hunter2/b=c", "/x;a/b=c", ["pin"]),
        ("/x?filter=a;hunter2hunter2hunter2hunter2hunter2hunter2&top=1", "/x?filter=a&top=1", ["…"]),
    ] {
        let mut left_out = vec![];
        assert_eq!(of_caller(url, &mut left_out), own);
        assert_eq!(left_out, names, "{url}");
        assert_eq!(redacted(own), own);
    }
    // Where the parameter of a segment has gone, the one around it goes on.
    assert_eq!(of_caller("/a&b;c=1/=d", &mut vec![]), "/a");
}
