#![expect(clippy::unwrap_used, clippy::panic, reason = "tests may fail")]

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use super::*;
use crate::model::Progress;

/// Reads a file of overrides, and what is wrong with it.
fn read(text: &str) -> (Overrides, Report) {
    let (file, mut report): (Arc<str>, _) = ("lro.toml".into(), Report::default());
    match Node::read(&file, text) {
        Ok(document) => (Overrides::read(&document, &mut report), report),
        Err(unreadable) => panic!("{unreadable:?}"),
    }
}

/// Returns the diagnostics, a line each.
fn said(report: &Report) -> Vec<String> {
    report.diagnostics.iter().map(ToString::to_string).collect()
}

fn errors(text: &str) -> Vec<String> {
    said(&read(text).1)
}

#[test]
fn every_key_is_read() {
    let (overrides, report) = read(
        r#"
            [method."Images.ExportImage"]
            response = "Image"
            metadata = "crate::Progress"
            wire = "crate::Job"
            name = "Export"
            cancel = true
            delete = false
            path = "v2/{name}"
            result = "result_link"
            final_state_via = "location"
            response_type = "images.v1.Image"
            metadata_type = "images.v1.Progress"
            poll = { delay = "1s", multiplier = 2, max_delay = "1m 30s", timeout = "2h" }
            progress = "stats.percent"

            [method."Images.Drop"]
            skip = true
            dialect = "compute"

            [types]
            "google.rpc" = "::tonic_types::pb"
            Image = "crate::Image"
        "#,
    );
    assert_eq!(said(&report), Vec::<String>::new());
    let export = overrides.of("Images", "ExportImage").unwrap();
    assert_eq!(export.response.as_ref().unwrap().0, "Image");
    assert_eq!(export.response.as_ref().unwrap().1.line, 3);
    assert_eq!(export.metadata.as_ref().unwrap().0, "crate::Progress");
    assert_eq!(export.dialect, Some(Dialect::Wire("crate::Job".to_owned())));
    assert_eq!((export.name.as_deref(), export.skip), (Some("Export"), false));
    let options = &export.options;
    assert_eq!((export.cancel, export.delete, options.cancel, options.delete), (Some(true), Some(false), true, false));
    assert_eq!((options.path.as_deref(), options.result.as_deref()), (Some("v2/{name}"), Some("result_link")));
    assert_eq!(options.final_state_via.as_deref(), Some("location"));
    assert_eq!(options.response_type.as_deref(), Some("images.v1.Image"));
    assert_eq!(options.metadata_type.as_deref(), Some("images.v1.Progress"));
    let poll = crate::model::Poll {
        delay: Some(Duration::from_secs(1)),
        multiplier: Some(2.0),
        max_delay: Some(Duration::from_secs(90)),
        timeout: Some(Duration::from_secs(7200)),
    };
    assert_eq!((&options.poll, options.progress.as_ref().unwrap().field.as_str()), (&poll, "stats.percent"));
    let drop = overrides.of("Images", "Drop").unwrap();
    assert_eq!((drop.skip, drop.dialect.as_ref()), (true, Some(&Dialect::Compute)));
    let externs: Vec<_> = overrides.externs.iter().map(|(name, path)| (name.as_str(), path.as_str())).collect();
    assert_eq!(externs, [("Image", "crate::Image"), ("google.rpc", "::tonic_types::pb")]);
}

#[test]
fn all_mistakes_are_told_at_once_each_at_its_place() {
    let said = errors(
        "[method.\"A.B\"]\nrespons = \"X\"\ncancel = \"yes\"\nname = \"export_image\"\npoll = { delya = \"1s\", delay = \"10\", multiplier = 0.5 }\n\
         delay = \"1s\"\ndialect = \"azur\"\nwire = \"not a path\"\nprogress = \"a b\"\n[typs]\n[types]\nX = 1\n",
    );
    let keys = "`response`, `metadata`, `dialect`, `wire`, `name`, `skip`, `cancel`, `delete`, `path`, `result`, \
                `final_state_via`, `response_type`, `metadata_type`, `poll`, `progress`";
    assert_eq!(
        said,
        [
            &format!("lro.toml:2:1: error: unknown key `respons`; did you mean `response`? Legal keys are {keys}"),
            "lro.toml:3:10: error: `cancel`: found text; it takes `true` or `false`",
            "lro.toml:4:8: error: `name`: `export_image` is no name in UpperCamelCase, such as `ExportImage`",
            "lro.toml:5:10: error: unknown key `delya`; did you mean `delay`? Legal keys of `poll` are `delay`, \
             `multiplier`, `max_delay`, `timeout`",
            "lro.toml:5:32: error: `delay`: `10` is not a duration: `10` has no unit; write `10s` for seconds",
            "lro.toml:5:51: error: `multiplier`: found 0.5; it takes a number that is at least 1, such as 1.5",
            "lro.toml:6:1: error: `delay` belongs inside `poll`: `poll = { delay = … }`",
            "lro.toml:7:11: error: `dialect`: found `azur`; did you mean `azure`? Legal are `google`, `grpc`, `azure`, \
             `compute`, `http`",
            "lro.toml:8:8: error: `wire`: `not a path` is no path of Rust, such as `crate::Job`",
            "lro.toml:9:12: error: `progress`: `a b` is no field, such as `percent` or `stats.done`",
            "lro.toml:8:1: error: `wire` stands beside `dialect`; a method has one of them",
            "lro.toml:10:2: error: unknown table `typs`; did you mean `types`? Legal tables are \
             `[method.\"Service.Method\"]` and `[types]`",
            "lro.toml:12:1: error: X: found a number; a type is a path of Rust: `X = \"crate::X\"`",
        ]
    );
}

#[test]
fn a_table_of_another_kind_is_told() {
    assert_eq!(
        errors("types = 3\n[method]\n\"A.B\" = \"skip\"\n"),
        [
            "lro.toml:1:1: error: `types` takes a path of Rust for each type; found a number",
            &format!("lro.toml:3:9: error: found text; a method takes a map of the keys {}", keys::legal(From::File)),
        ]
    );
}

#[test]
fn an_entry_without_a_method_is_an_error_with_the_nearest_method() {
    let text = "[method.\"Images.ExportImages\"]\nskip = true\n\n[method.\"Images.Drop\"]\nskip = true\n";
    let (overrides, mut report) = read(text);
    assert!(overrides.of("Images", "ExportImage").is_none());
    assert!(overrides.of("Images", "Drop").is_some_and(|entry| entry.skip));
    overrides.report_unused(&mut report);
    assert_eq!(
        said(&report),
        ["lro.toml:1:9: error: Images.ExportImages: no description has this method; \
             did you mean `Images.ExportImage`?"]
    );
    // A description that cannot be read is the error, and not that it has no methods.
    let (overrides, mut report) = read(text);
    report.error(&Position::file("images.proto"), "", "it cannot be read");
    overrides.report_unused(&mut report);
    assert_eq!(said(&report).len(), 1);
}

#[test]
fn tables_in_tables_name_a_method_as_well() {
    let (overrides, report) =
        read("[method.projects.images.export]\nresponse = \"Image\"\n[method.projects.drop]\nskip = true\n");
    assert_eq!(said(&report), Vec::<String>::new());
    assert!(overrides.of("projects.images", "export").is_some() && overrides.of("projects", "drop").is_some());
}

#[test]
fn a_description_says_the_same_keys_but_names_no_rust() {
    let file: Arc<str> = "api.json".into();
    let read = |text: &str| {
        let (mut report, node) = (Report::default(), Node::read(&file, text).unwrap());
        let found = Override::read(&node, From::Description, &mut report);
        let said: Vec<String> = report.diagnostics.iter().map(ToString::to_string).collect();
        (found, said)
    };
    let (found, errors) = read(r#"{"response": "Image", "cancel": true, "poll": {"delay": "5s"}}"#);
    assert!(errors.is_empty() && found.cancel == Some(true), "{errors:?}");
    assert_eq!(found.options.poll.delay, Some(Duration::from_secs(5)));
    let (found, errors) = read(r#"{"wire": "evil::Job", "response": "evil::Job", "wir": 1}"#);
    assert_eq!((found.dialect, found.response), (None, None));
    assert_eq!(
        errors,
        [
            "api.json:1:2: error: `wire` names a type of Rust, which no description does: say it in the overrides file",
            "api.json:1:35: error: `response`: `evil::Job` is a path of Rust, which no description names: say it in \
             the overrides file",
            &format!("api.json:1:48: error: unknown key `wir`. Legal keys are {}", keys::legal(From::Description)),
        ]
    );
    assert!(read("true").1.is_empty() && read("false").0.skip);
    assert_eq!(read("3").1.len(), 1);
}

#[test]
fn what_is_said_stands_over_what_the_description_says() {
    let (overrides, _) =
        read("[method.\"A.B\"]\ncancel = false\npath = \"v2/{name}\"\npoll.delay = \"5s\"\nprogress = \"percent\"\n");
    let known = Progress { field: "percent".to_owned(), is_float: true, is_optional: true };
    let mut options = Options { cancel: true, delete: true, progress: Some(known.clone()), ..Options::default() };
    options.poll.timeout = Some(Duration::from_secs(60));
    overrides.of("A", "B").unwrap().apply(&mut options);
    assert_eq!((options.cancel, options.delete, options.path.as_deref()), (false, true, Some("v2/{name}")));
    assert_eq!(
        (options.poll.delay, options.poll.timeout),
        (Some(Duration::from_secs(5)), Some(Duration::from_secs(60)))
    );
    assert_eq!(options.progress, Some(known));
}

#[test]
fn durations_are_read_by_the_rules_of_the_attribute() {
    let ours = include_str!("duration.rs");
    let theirs = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../lro-macros/src/grammar/duration.rs");
    // The package has no macros beside it; the repository has.
    let Ok(theirs) = fs::read_to_string(theirs) else { return };
    let code =
        |text: &str| text.lines().skip(1).take_while(|line| *line != "#[cfg(test)]").collect::<Vec<_>>().join("\n");
    assert_eq!(code(ours).trim_end(), code(&theirs).trim_end());
}
