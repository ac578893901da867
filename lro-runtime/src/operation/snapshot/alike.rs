//! Replies that are alike: of a reply that is kept while its operation waits, only what tells it
//! from others.
//!
//! Replies about operations of one method have the same members in the same order. Names, times and
//! counts differ, which is a small part of the text. So a client keeps a few replies as *models*,
//! and an operation keeps the differences to one of them. With a hundred thousand operations in
//! flight, their last replies would otherwise be the greatest part of their memory.

use std::{
    ops::RangeInclusive,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
};

use bytes::Bytes;

/// How many models a client keeps: as many as it has kinds of replies, in most programs.
const MODELS: usize = 8;

/// Shorter replies are not worth a model, and longer ones are rare.
const LENGTHS: RangeInclusive<usize> = 64..=8 * 1024;

/// After so many replies in a row that were like no model, only one in so many is compared.
const HOPELESS: u32 = 64;

/// How many replies in a row a model survives that are like none, besides one for each that is
/// packed with it.
const PATIENCE: u32 = 8;

/// How much of a word or a number is kept whole.
const LONGEST_WORD: usize = 16;

/// A reply that others are compared with.
type Model = Box<[u8]>;

/// The models of a client.
#[derive(Default)]
pub(crate) struct Models {
    models: Mutex<Vec<Arc<Model>>>,
    /// How many replies in a row were like no model.
    misses: AtomicU32,
}

/// The body of a reply, as a model with differences.
pub(crate) struct Alike {
    model: Arc<Model>,
    /// Steps, one behind the other: see [`Step`]. After the last, the rest of the model follows.
    steps: Box<[u8]>,
}

/// One difference: so many bytes are those of the model, so many of the model are left out, and
/// these stand in their place.
struct Step<'a> {
    same: usize,
    left_out: usize,
    own: &'a [u8],
}

impl Models {
    /// Returns `body` as a model with differences; `None` if that would save little.
    pub(crate) fn pack(&self, body: &[u8]) -> Option<Alike> {
        let misses = self.misses.load(Relaxed);
        if !LENGTHS.contains(&body.len()) {
            return None;
        }
        // Compared without the lock, which is for no longer than it takes to look.
        let is_hopeless = misses > HOPELESS && !misses.is_multiple_of(HOPELESS);
        let models = (0..if is_hopeless { 0 } else { MODELS }).map_while(|at| self.lock().get(at).cloned());
        let alike = models.enumerate().find_map(|(at, model)| Some((at, Alike::new(model, body)?)));
        let Some((at, alike)) = alike else { return self.add(body) };
        if at > 0 {
            // What is asked for often is found soon.
            let mut models = self.lock();
            if at < models.len() {
                models.swap(at, at - 1);
            }
        }
        if misses > 0 {
            self.misses.store(0, Relaxed);
        }
        Some(alike)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Model>>> {
        self.models.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a body that is like no model as a model of its own, if there is place for one.
    fn add(&self, body: &[u8]) -> Option<Alike> {
        let misses = self.misses.fetch_add(1, Relaxed);
        let mut models = self.lock();
        if models.len() >= MODELS {
            // The one that the fewest are packed with. They keep it; nobody else is compared with
            // it any more.
            let holders = |model: &Arc<Model>| u32::try_from(Arc::strong_count(model)).unwrap_or(u32::MAX);
            let (at, least) = models.iter().map(holders).enumerate().min_by_key(|(_, holders)| *holders)?;
            if misses < least.saturating_add(PATIENCE) {
                return None;
            }
            models.swap_remove(at);
            self.misses.store(0, Relaxed);
        }
        let model: Arc<Model> = Arc::new(body.into());
        models.push(Arc::clone(&model));
        Some(Alike { model, steps: Box::default() })
    }
}

impl Alike {
    /// Returns `body` as this model with differences; `None` if that would save little.
    fn new(model: Arc<Model>, body: &[u8]) -> Option<Self> {
        // A long model may live for as long as a short reply that is packed with it.
        if model.len() > 2 * body.len() {
            return None;
        }
        let steps = differences(&model, body, body.len() / 2)?;
        Some(Self { model, steps })
    }

    /// Whether this is the body.
    pub(crate) fn is(&self, body: &[u8]) -> bool {
        let mut rest = Some(body);
        self.pieces(|piece| rest = rest.and_then(|rest| rest.strip_prefix(piece)));
        rest.is_some_and(<[u8]>::is_empty)
    }

    /// Returns the body.
    pub(crate) fn unpack(&self) -> Bytes {
        let mut length = 0;
        self.pieces(|piece| length += piece.len());
        let mut body = Vec::with_capacity(length);
        self.pieces(|piece| body.extend_from_slice(piece));
        body.into()
    }

    /// Returns the body of the next reply packed, with the same model; `None` if that would save
    /// little.
    pub(crate) fn next(self, body: &[u8]) -> Option<Self> {
        let model = Arc::clone(&self.model);
        self.updated(body).or_else(|| Self::new(model, body))
    }

    /// Returns `body` packed as this one is, if it differs from the model at the same places and in
    /// as many bytes: the next reply mostly does, and to compare it anew costs much more.
    fn updated(mut self, body: &[u8]) -> Option<Self> {
        let (mut model, mut rest) = (&**self.model, body);
        let mut steps = &mut *self.steps;
        while let Some((step, behind)) = Step::read(steps) {
            rest = rest.strip_prefix(model.get(..step.same)?)?;
            model = model.get(step.same + step.left_out..)?;
            let (own, behind) = (step.own.len(), behind.len());
            let (_, at) = steps.split_at_mut_checked(steps.len() - behind - own)?;
            let (mine, behind) = at.split_at_mut_checked(own)?;
            let (new, after) = rest.split_at_checked(own)?;
            mine.copy_from_slice(new);
            (steps, rest) = (behind, after);
        }
        (rest == model).then_some(self)
    }

    /// Calls `each` with the pieces of the body, in order.
    fn pieces<'a>(&'a self, mut each: impl FnMut(&'a [u8])) {
        let (mut model, mut steps) = (&**self.model, &*self.steps);
        while let Some((step, behind)) = Step::read(steps) {
            let (same, rest) = model.split_at_checked(step.same).unwrap_or((model, &[]));
            each(same);
            each(step.own);
            (model, steps) = (rest.get(step.left_out..).unwrap_or_default(), behind);
        }
        each(model);
    }
}

impl<'a> Step<'a> {
    /// Reads the first of `steps`, and returns those behind it; `None` after the last.
    fn read(steps: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (same, steps) = number(steps)?;
        let (left_out, steps) = number(steps)?;
        let (own, steps) = number(steps)?;
        let (own, behind) = steps.split_at_checked(own)?;
        Some((Self { same, left_out, own }, behind))
    }

    fn write(&self, steps: &mut Vec<u8>) {
        for number in [self.same, self.left_out, self.own.len()] {
            // Seven bits a byte, the lowest first.
            let mut rest = number;
            while rest >= 0x80 {
                steps.push(u8::try_from(rest & 0x7f).unwrap_or_default() | 0x80);
                rest >>= 7;
            }
            steps.push(u8::try_from(rest).unwrap_or_default());
        }
        steps.extend_from_slice(self.own);
    }
}

/// Reads a number, and returns what stands behind it.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let mut number = 0;
    let mut rest = bytes;
    // No length takes more: see `LENGTHS`.
    for shift in [0, 7, 14] {
        let (byte, behind) = rest.split_first()?;
        number |= usize::from(byte & 0x7f) << shift;
        rest = behind;
        if byte & 0x80 == 0 {
            return Some((number, rest));
        }
    }
    None
}

/// Returns the steps from `model` to `body`; `None` if they take more than `most` bytes.
fn differences(model: &[u8], body: &[u8], most: usize) -> Option<Box<[u8]>> {
    if model == body {
        return Some(Box::default());
    }
    let mut steps = Vec::with_capacity(256);
    let (mut before, mut now) = (model, body);
    // To find each costs as much as to compare some hundred bytes.
    for _ in 0..body.len() / 32 + 8 {
        let same = common(before, now);
        if same == before.len() && same == now.len() {
            // Copied: cut to its length in place, each would leave a hole in the heap.
            return Some(Box::from(&*steps));
        }
        // A word or a number that differs is kept whole: the next reply differs in it, too.
        let is_of_word = |byte: &&u8| byte.is_ascii_alphanumeric();
        let same = same - before.get(..same)?.iter().rev().take(LONGEST_WORD).take_while(is_of_word).count();
        (before, now) = (before.get(same..)?, now.get(same..)?);
        let (left_out, own) = next_common(before, now);
        Step { same, left_out, own: now.get(..own)? }.write(&mut steps);
        if steps.len() > most {
            return None;
        }
        (before, now) = (before.get(left_out..)?, now.get(own..)?);
    }
    None
}

/// Returns how many bytes both begin with.
fn common(one: &[u8], other: &[u8]) -> usize {
    /// Compared at once.
    const CHUNK: usize = 16;
    let chunks = one.chunks_exact(CHUNK).zip(other.chunks_exact(CHUNK));
    let same = CHUNK * chunks.take_while(|(one, other)| one == other).count();
    let rest = one.iter().skip(same).zip(other.iter().skip(same));
    same + rest.take_while(|(one, other)| one == other).count()
}

/// Returns after how many bytes of each the two, of which one is no beginning of the other, go on
/// alike; or how many bytes to give up, if they do not soon. Not both are zero.
fn next_common(before: &[u8], now: &[u8]) -> (usize, usize) {
    /// How far ahead is looked.
    const AHEAD: usize = 128;
    /// How many ends of words of each.
    const ENDS: usize = 6;
    /// How much must be alike.
    const ALIKE: usize = 8;
    let ends = |text: &[u8]| {
        let mut ends = [text.len().min(AHEAD); ENDS];
        let is_end = |byte: &u8| matches!(byte, b'"' | b',' | b'}' | b']');
        let found = text.iter().take(AHEAD).enumerate().filter(|(_, byte)| is_end(byte));
        ends.iter_mut().zip(found).for_each(|(end, (at, _))| *end = at);
        ends
    };
    let (of_before, of_now) = (ends(before), ends(now));
    // What is near is tried first: what both have left out and put in is small, then.
    for total in 0..2 * ENDS - 1 {
        for at in 0..=total {
            let (Some(&left_out), Some(&own)) = (of_before.get(at), of_now.get(total - at)) else { continue };
            let (Some(before_rest), Some(now_rest)) = (before.get(left_out..), now.get(own..)) else { continue };
            // Blanks behind the end of a word are alike everywhere in a text that is indented.
            let blanks = now_rest.iter().skip(1).take_while(|byte| byte.is_ascii_whitespace()).count();
            let is_alike = match before_rest.get(..ALIKE + blanks) {
                Some(alike) => now_rest.starts_with(alike),
                None => before_rest == now_rest,
            };
            if is_alike && (left_out, own) != (0, 0) {
                // The last bytes before it may be alike as well, from the end of a word on.
                let ends = before.iter().take(left_out).rev().zip(now.iter().take(own).rev());
                let alike = ends.take_while(|(before, now)| before == now).count();
                let rest = now.iter().take(own).skip(own - alike);
                let alike = alike - rest.take_while(|byte| byte.is_ascii_alphanumeric()).count();
                return (left_out - alike, own - alike);
            }
        }
    }
    (before.len().min(AHEAD), now.len().min(AHEAD))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A reply about a running operation, as Google's services write it.
    fn reply(number: u32, percent: u32) -> String {
        let digest = format!("{:08x}", number.wrapping_mul(0x9e37_79b9)).repeat(8);
        format!(
            r#"{{"name":"projects/p/locations/l/operations/{number:08}","metadata":{{"@type":"type.googleapis.com/example.ExportProgress","verb":"export","createTime":"2026-11-20T{:02}:{:02}:56.{:03}Z","stage":"copying layer sha256:{digest} to the bucket gs://images","percent":{percent}}},"done":false}}"#,
            number % 24,
            number % 60,
            number % 1000,
        )
    }

    fn packed(models: &Models, body: &str) -> Alike {
        models.pack(body.as_bytes()).unwrap()
    }

    #[test]
    fn of_a_hundred_replies_that_are_alike_each_takes_a_third() {
        let models = Models::default();
        let replies: Vec<String> = (0..100).map(|number| reply(number, number)).collect();
        let all: Vec<Alike> = replies.iter().map(|reply| packed(&models, reply)).collect();
        for (alike, reply) in all.iter().zip(&replies) {
            assert_eq!(alike.unpack(), reply.as_bytes());
            assert!(alike.is(reply.as_bytes()));
        }
        let bytes: usize = all.iter().map(|alike| alike.steps.len()).sum();
        let whole: usize = replies.iter().map(String::len).sum();
        assert!(bytes * 3 < whole, "{bytes} of {whole}");
        assert_eq!(models.lock().len(), 1);
        assert!(size_of::<Option<Alike>>() <= 24);
    }

    #[test]
    fn a_member_more_or_less_costs_itself() {
        let models = Models::default();
        drop(packed(&models, &reply(1, 7)));
        let more = reply(1, 7).replace(r#""verb""#, r#""target":"images/9","verb""#);
        let less = reply(1, 7).replace(r#""verb":"export","#, "");
        for (body, most) in [(more, 32), (less, 16)] {
            let alike = packed(&models, &body);
            assert_eq!(alike.unpack(), body.as_bytes());
            assert!(alike.steps.len() <= most, "{} for {body}", alike.steps.len());
        }
    }

    #[test]
    fn the_next_reply_is_packed_in_place_if_its_differences_are_as_long() {
        let models = Models::default();
        drop(packed(&models, &reply(1, 70)));
        let (before, next) = (reply(2, 80), reply(2, 81));
        let alike = packed(&models, &before).updated(next.as_bytes()).unwrap();
        assert_eq!(alike.unpack(), next.as_bytes());
        let (longer, cut) = (reply(2, 100), &next[..next.len() - 1]);
        for other in [longer.as_str(), cut, "", &format!("{next} ")] {
            assert!(packed(&models, &before).updated(other.as_bytes()).is_none(), "{other}");
        }
    }

    /// A reply that is like no other.
    fn strange(seed: u64) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..200).map(|_| random.u8(..)).collect()
    }

    #[test]
    fn models_are_few_and_the_one_that_is_needed_least_makes_place() {
        let models = Models::default();
        let all: Vec<Alike> = (0..8).map(|seed| models.pack(&strange(seed)).unwrap()).collect();
        let _again: Vec<Alike> = (1..8).map(|seed| models.pack(&strange(seed)).unwrap()).collect();
        let tries = (0..100).position(|_| models.pack(&strange(8)).is_some()).unwrap();
        assert!((1..20).contains(&tries), "{tries}");
        assert_eq!(models.lock().len(), MODELS);
        for (seed, alike) in (0..).zip(&all) {
            assert!(alike.is(&strange(seed)), "the first is no model any more, and whole all the same");
        }
        let known = |seed| models.lock().iter().any(|model| ***model == *strange(seed));
        assert!(!known(0) && (1..9).all(known));
    }

    #[test]
    fn short_and_long_replies_stay_as_they_are() {
        let models = Models::default();
        for length in [0, 63, 8 * 1024 + 1] {
            assert!(models.pack(&vec![b'x'; length]).is_none());
        }
        assert!(models.pack(&[b'x'; 64]).is_some() && models.pack(&[b'x'; 8 * 1024]).is_some());
    }

    #[test]
    fn where_no_reply_is_like_another_few_are_compared() {
        let models = Models::default();
        let kept: Vec<Alike> = (0..8).map(|seed| models.pack(&strange(seed)).unwrap()).collect();
        // Many are packed with each model, so that none makes place.
        let _many: Vec<Alike> = (0..800).map(|at| models.pack(&strange(at % 8)).unwrap()).collect();
        assert!((8..98).all(|seed| models.pack(&strange(seed)).is_none()));
        let known = kept[3].unpack();
        let tries = (0..100).position(|_| models.pack(&known).is_some()).unwrap();
        assert!((1..64).contains(&tries), "{tries}");
        assert!(models.pack(&known).is_some(), "one that is like another ends that");
    }

    #[test]
    fn a_short_reply_keeps_no_long_model() {
        let models = Models::default();
        let long = reply(1, 7).replace("copying", &"copying ".repeat(100));
        let model = packed(&models, &long);
        assert!(!Arc::ptr_eq(&packed(&models, &reply(2, 7)).model, &model.model));
    }

    #[test]
    fn an_indented_reply_differs_in_its_own_lines_only() {
        let models = Models::default();
        let text = |number: u32| {
            format!(
                "{{\n    \"kind\": \"Job\",\n    \"metadata\": {{\n        \"name\": \"export-{number}\",\n        \"uid\": \"{:032x}\"\n    }},\n    \"status\": {{\n        \"active\": 1,\n        \"ready\": 0\n    }},\n    \"spec\": {{\n        \"parallelism\": 1,\n        \"completions\": 1\n    }}\n}}\n",
                u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            )
        };
        drop(packed(&models, &text(1)));
        let missing = text(7).replace("        \"active\": 1,\n", "");
        for (body, most) in [(text(7), 48), (missing, 64)] {
            let alike = packed(&models, &body);
            assert_eq!(alike.unpack(), body.as_bytes());
            assert!(alike.steps.len() <= most, "{} for {body}", alike.steps.len());
        }
    }

    /// A text and another that was made of it by edits.
    fn edited() -> impl Strategy<Value = (Vec<u8>, Vec<u8>)> {
        let text = prop::collection::vec(prop_oneof![Just(b'"'), Just(b','), Just(b'a'), any::<u8>()], 64..400);
        let edits = prop::collection::vec((any::<prop::sample::Index>(), 0..40_usize, any::<Vec<u8>>()), 0..6);
        (text, edits).prop_map(|(text, edits)| {
            let mut other = text.clone();
            for (at, length, new) in edits {
                let at = at.index(other.len() + 1);
                let end = (at + length).min(other.len());
                other.splice(at..end, new);
            }
            (text, other)
        })
    }

    proptest! {
        #[test]
        fn what_is_packed_is_the_very_body((model, body) in edited(), flipped in any::<prop::sample::Index>()) {
            let models = Models::default();
            let _first = models.pack(&model);
            if let Some(alike) = models.pack(&body) {
                prop_assert_eq!(&alike.unpack()[..], &body[..]);
                prop_assert!(alike.is(&body));
                let mut other = body.clone();
                other[flipped.index(body.len())] ^= 1;
                prop_assert!(!alike.is(&other) && !alike.is(&body[1..]) && !alike.is(&[&body[..], b"x"].concat()));
                if let Some(next) = alike.next(&other) {
                    prop_assert_eq!(&next.unpack()[..], &other[..]);
                }
            }
        }

        #[test]
        fn differences_lead_from_any_text_to_any_other(model: Vec<u8>, body: Vec<u8>) {
            if let Some(steps) = differences(&model, &body, usize::MAX) {
                let alike = Alike { model: Arc::new(model.into()), steps };
                prop_assert_eq!(&alike.unpack()[..], &body[..]);
            }
        }
    }
}
