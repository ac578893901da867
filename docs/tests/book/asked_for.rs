//! Every wish of the page `asked-for.md` has an answer that exists: a page, a test, a script, or a
//! plain no.

use std::{fs, path::Path};

use super::{functions, root};

#[test]
fn every_wish_has_an_answer_that_exists() {
    let page = fs::read_to_string(root().join("docs/book/asked-for.md")).unwrap();
    let tests = functions();
    let mut wishes = 0;
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| wish ")) {
        let cells: Vec<&str> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [wish, threads, answer, promises] = cells[..] else { panic!("not four cells: {row}") };
        assert!(threads.contains("/issues/"), "no thread asks for it: {wish}");
        let names: Vec<&str> = promises.split('`').skip(1).step_by(2).collect();
        for name in &names {
            let is_script = Path::new(name).extension().is_some_and(|extension| extension == "lro");
            let exists =
                if is_script { root().join("tests/scripts").join(name).is_file() } else { tests.contains(*name) };
            assert!(exists, "{wish}: `{name}` is neither a test nor a script");
        }
        let is_no = answer.starts_with("Not for us: ") || answer.starts_with("Not yet: ");
        assert!(is_no || !names.is_empty() || answer.contains(".md"), "no answer: {wish}");
        wishes += 1;
    }
    assert!(wishes >= 60, "{wishes} wishes are listed");
}
