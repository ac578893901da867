//! Tests of what every dialect has: the defaults of the trait, and the values that it reads and
//! writes.

use bytes::Bytes;

use super::*;
use crate::status::{Code, State, Status, details::Detail};

/// A dialect with nothing but what the trait requires.
struct Plain;

impl Dialect for Plain {
    fn id(&self) -> &'static str {
        "plain"
    }

    fn read_start<'a>(&self, _: &Request, _: &'a Reply, _: &Options) -> Result<Observation<'a>, Failure> {
        Err(Failure::protocol("read_start"))
    }

    fn locate(&self, name: &str, _: &Options) -> Result<Cursor, Failure> {
        Err(Failure::protocol(format!("locate {name}")))
    }

    fn poll(&self, cursor: &Cursor) -> Result<Call, Failure> {
        Err(Failure::protocol(format!("poll {}", cursor.key())))
    }

    fn read<'a>(&self, _: &Cursor, _: &'a Reply) -> Result<Observation<'a>, Failure> {
        Err(Failure::protocol("read"))
    }
}

/// A dialect whose every method says that it was called, none of them as the trait's own does.
struct Odd;

impl Dialect for Odd {
    fn id(&self) -> &'static str {
        "odd"
    }

    fn prepare_start(&self, _: &mut Request, _: &Options) -> Result<(), Failure> {
        Err(Failure::protocol("prepare_start"))
    }

    fn read_start<'a>(&self, _: &Request, _: &'a Reply, _: &Options) -> Result<Observation<'a>, Failure> {
        Ok(Observation::new(State::Cancelled))
    }

    fn locate(&self, name: &str, _: &Options) -> Result<Cursor, Failure> {
        Ok(Cursor::new(name))
    }

    fn poll(&self, _: &Cursor) -> Result<Call, Failure> {
        Ok(Call::get("poll"))
    }

    fn read<'a>(&self, _: &Cursor, _: &'a Reply) -> Result<Observation<'a>, Failure> {
        Ok(Observation::new(State::Failed))
    }

    fn read_answer(&self, _: &Reply) -> Result<(), Failure> {
        Err(Failure::protocol("read_answer"))
    }

    fn cancel(&self, _: &Cursor) -> Result<Call, Failure> {
        Ok(Call::get("cancel"))
    }

    fn delete(&self, _: &Cursor) -> Result<Call, Failure> {
        Ok(Call::get("delete"))
    }

    fn wait(&self, _: &Cursor, _: Duration) -> Result<Call, Failure> {
        Ok(Call::get("wait"))
    }

    fn remembers_end(&self) -> Option<Duration> {
        Some(Duration::from_secs(7))
    }

    fn prefers_held_polls(&self) -> bool {
        true
    }

    fn list(&self, _: &ListQuery) -> Result<Call, Failure> {
        Ok(Call::get("list"))
    }

    fn read_list<'a>(&self, _: &ListQuery, _: &'a Reply) -> Result<ListPage<'a>, Failure> {
        Ok(ListPage::new(vec![]).with_next(Ok("next".to_owned())))
    }

    fn coverage(&self, cursor: &Cursor, options: &'static Options) -> Option<Coverage> {
        Some(Coverage::Named(Named::new(cursor.key(), options.len() as u32)))
    }

    fn poll_named(&self, cursors: &[&Cursor]) -> Result<Call, Failure> {
        Ok(Call::get(format!("{} names", cursors.len())))
    }

    fn read_named<'a>(&self, cursors: &[&Cursor], _: &'a Reply) -> Result<ListPage<'a>, Failure> {
        Ok(ListPage::new(vec![]).with_next(Ok(cursors.len().to_string())))
    }
}

#[test]
fn a_shared_dialect_does_what_the_dialect_does() {
    let odd: Arc<dyn Dialect> = Arc::new(Odd);
    // `Arc<Arc<…>>`, so that the `Arc`'s own methods are called, not those of what it points to.
    let odd: &dyn Dialect = &odd;
    let (mut request, reply, cursor) = (Request::new(Bytes::new()), Reply::new(Bytes::new()), Cursor::new("7"));
    let (query, second) = (ListQuery::default(), Duration::from_secs(1));
    let target = |call: Result<Call, Failure>| call.unwrap().target;
    assert_eq!(odd.id(), "odd");
    assert!(odd.prepare_start(&mut request, &[]).is_err() && odd.read_answer(&reply).is_err());
    assert_eq!(odd.read_start(&request, &reply, &[]).unwrap().state, State::Cancelled);
    assert_eq!(odd.locate("7", &[]).unwrap(), cursor);
    assert_eq!((target(odd.poll(&cursor)), target(odd.cancel(&cursor))), ("poll".to_owned(), "cancel".to_owned()));
    assert_eq!(odd.read(&cursor, &reply).unwrap().state, State::Failed);
    assert_eq!((target(odd.delete(&cursor)), target(odd.list(&query))), ("delete".to_owned(), "list".to_owned()));
    assert_eq!(target(odd.wait(&cursor, second)), "wait");
    assert_eq!((odd.remembers_end(), odd.prefers_held_polls()), (Some(Duration::from_secs(7)), true));
    assert_eq!(odd.read_list(&query, &reply).unwrap().next_page_token, "next");
    let named = Coverage::Named(Named::new("7", 2));
    assert_eq!(odd.coverage(&cursor, &[("a", "1"), ("b", "2")]), Some(named));
    assert_eq!(target(odd.poll_named(&[&cursor, &cursor])), "2 names");
    assert_eq!(odd.read_named(&[&cursor], &reply).unwrap().next_page_token, "1");
}

#[test]
fn what_a_dialect_does_not_have_is_unsupported_and_says_what() {
    let (cursor, query, reply) = (Cursor::new("7"), ListQuery::default(), Reply::new(Bytes::new()));
    let says = |failure: Failure, what: &str| assert!(failure.to_string().contains(what), "{failure}");
    says(Plain.cancel(&cursor).unwrap_err(), "no cancel call");
    says(Plain.delete(&cursor).unwrap_err(), "no delete call");
    says(Plain.wait(&cursor, Duration::from_secs(1)).unwrap_err(), "no wait call");
    says(Plain.list(&query).unwrap_err(), "no list call");
    says(Plain.read_list(&query, &reply).unwrap_err(), "no list call");
    says(Plain.poll_named(&[&cursor]).unwrap_err(), "no call that takes several names");
    says(Plain.read_named(&[&cursor], &reply).unwrap_err(), "no call that takes several names");
    assert_eq!(Plain.coverage(&cursor, &[]), None);
    Plain.prepare_start(&mut Request::new(Bytes::new()), &[]).unwrap();
    assert_eq!((Plain.remembers_end(), Plain.prefers_held_polls()), (None, false));
}

#[test]
fn debug_output_of_calls_and_cursors_says_where_they_go_without_secrets() {
    let url = "https://h/x?sig=hunter2";
    let call = format!("{:?}", Call::get(url).with_json("hunter2"));
    assert!(["GET", "https://h/x", "content-type", "7 bytes"].iter().all(|part| call.contains(part)), "{call}");
    let cursor = format!("{:?}", Cursor::new(url).with("via", "location"));
    assert!(["https://h/x", "via", "location"].iter().all(|part| cursor.contains(part)), "{cursor}");
    assert!(!call.contains("hunter2") && !cursor.contains("hunter2"), "{call} {cursor}");
}

#[test]
fn debug_output_of_what_was_seen_names_every_part_of_it() {
    let mut seen = Observation::new(State::Succeeded);
    seen.name = Some("https://h/x?sig=hunter2".into());
    seen.response = Some(Part::of(br#"{"a":1}"#, Encoding::Json));
    let shown = format!("{seen:?}");
    for part in ["Succeeded", "https://h/x", r#"Payload(Json, {"a":1})"#, "follow: false"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn of_the_details_of_an_entry_the_first_eight_are_kept() {
    let kept = |details: usize| {
        let listed = Listed::read(
            b"{}",
            |_| {
                let details = (0..details).map(|index| Detail::from_message(index.to_string(), vec![])).collect();
                let mut seen = Observation::new(State::Failed);
                seen.status = Some(Status::new(Code::Internal, "").with_details(details));
                Ok(seen)
            },
            |_| None,
        );
        let status = listed.seen.unwrap().status.unwrap();
        status.details().iter().map(|detail| detail.type_url().to_owned()).collect::<String>()
    };
    assert_eq!([7, 8, 9, 20].map(kept), ["0123456", "01234567", "01234567", "01234567"]);
}

#[test]
fn debug_output_of_a_page_counts_its_entries_and_shows_no_token() {
    let mut page = ListPage::new(vec![]).with_next(Ok("hunter2".to_owned()));
    page.unreachable = vec!["zone-a".to_owned()];
    let shown = format!("{page:?}");
    for part in ["0 entries", "7 bytes", "zone-a", "failure: None"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn only_the_placeholder_itself_is_the_base_of_the_client() {
    use super::location::{base_of, kept, readable, resolved};
    use crate::url::is_absolute;
    let next = |polled: &str, reference: &str| resolved(&base_of(polled).unwrap(), reference).unwrap();
    assert_eq!((next("jobs/7", "8"), next("/jobs/7", "./9")), ("/jobs/8".to_owned(), "/jobs/9".to_owned()));
    for (polled, reference, next_key) in [
        ("jobs/7", "/x?a=1", "///x?a=1"),
        ("/jobs/7", " /x", "///x"),
        ("///x/y", "z", "///x/z"),
        ("///x/y", "/z", "///z"),
        ("///x/y", "", "///x/y"),
        ("///x/y", "/..//z", "///z"),
        ("////evil.test/x", "y", "///evil.test/y"),
        ("///x", "http://origin.invalid/y", "http://origin.invalid/y"),
    ] {
        assert_eq!(next(polled, reference), next_key, "{reference} at {polled}");
        assert!(readable(next_key).is_ok(), "{next_key}");
    }
    for polled in ["jobs/7", "///x", "https://api.test/x"] {
        let kept = kept("///evil.test/x", polled);
        assert!(readable(&kept).is_err() && is_absolute(&kept), "a reference without a host: {kept}");
    }
    for elsewhere in ["http://base.invalid.example", "http://base.invalid:80"] {
        assert_eq!(next(&format!("{elsewhere}/jobs/7"), "8"), format!("{elsewhere}/jobs/8"));
        assert_eq!(next("/jobs/7", &format!("{elsewhere}/jobs/8")), format!("{elsewhere}/jobs/8"));
    }
}

#[test]
fn a_token_keeps_of_a_cursor_what_is_within_the_limits() {
    let stored = |cursor: Cursor| cursor.stored(&mut Vec::new());
    let length = |cursor: &Cursor| serde_json::to_vec(cursor).unwrap().len();
    // A value counts with its quotes.
    let value = |length: usize| "a".repeat(length - 2);
    assert!(stored(Cursor::new(value(16 * 1024))).refusal().is_none());
    assert!(stored(Cursor::new(value(16 * 1024 + 1))).refusal().is_some());
    let whole = |part: usize| Cursor::new(value(12_000)).with("part", value(part));
    let rest = 24 * 1024 - length(&whole(2)) + 2;
    assert_eq!(length(&whole(rest)), 24 * 1024);
    assert!(stored(whole(rest)).refusal().is_none() && stored(whole(rest + 1)).refusal().is_some());
    let why = "why ".repeat(100);
    let refused = stored(Cursor::new("7").refused(&Failure::protocol(&*why)));
    assert!(refused.refusal().unwrap().to_string().contains(why.trim_end()));
}

#[test]
fn a_coverage_says_what_was_set_and_defaults_to_whole_entries_of_all_operations() {
    let sweep = Sweep::new(ListQuery::default());
    assert_eq!((sweep.shows, sweep.whole, sweep.visible_after), (Shows::All, true, Duration::from_secs(10)));
    let sweep = sweep.with_shows(Shows::Running).with_whole(false).with_visible_after(Duration::from_secs(60));
    assert_eq!((sweep.shows, sweep.whole, sweep.visible_after), (Shows::Running, false, Duration::from_secs(60)));
    let named = Named::new("https://h/x?sig=hunter2", 0);
    assert_eq!((named.most, named.whole, named.clone().with_whole(false).whole), (1, true, false));
    let shown = format!("{:?}", Coverage::Named(named));
    assert!(shown.contains("https://h/x") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn debug_output_of_a_cursor_says_that_there_is_more() {
    let shown =
        |parts: u8| format!("{:?}", (0..parts).fold(Cursor::new("7"), |cursor, n| cursor.with(format!("p{n}"), "v")));
    assert!(!shown(3).contains("..") && !shown(4).contains("..") && shown(5).contains(".."), "{}", shown(5));
}
