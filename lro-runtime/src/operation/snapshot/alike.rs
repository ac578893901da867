//! Replies that are alike: of a reply that is kept while its operation waits, only what tells it
//! from others.
//!
//! Replies about operations of one method have the same members in the same order. Names, times and
//! counts differ, which is a small part of the text. So a client keeps a few replies as *samples*,
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

/// How many samples a client keeps: as many as it has kinds of replies, in most programs.
const SAMPLES: usize = 8;

/// Shorter replies are not worth a sample, and longer ones are rare.
const LENGTHS: RangeInclusive<usize> = 64..=8 * 1024;

/// After so many replies in a row that were like no sample, only one in so many is compared.
const HOPELESS: u32 = 64;

/// How many replies in a row a sample survives that are like none, besides one for each that is
/// packed with it.
const PATIENCE: u32 = 8;

/// How much of a word or a number is kept whole.
const LONGEST_WORD: usize = 16;

/// A reply that others are compared with.
type Sample = Box<[u8]>;

/// The samples of a client.
#[derive(Default)]
pub(crate) struct Samples {
    samples: Mutex<Vec<Arc<Sample>>>,
    /// How many replies in a row were like no sample.
    misses: AtomicU32,
}

/// The body of a reply, as a sample with differences.
pub(crate) struct Alike {
    sample: Arc<Sample>,
    /// Steps, one behind the other: see [`Step`]. After the last, the rest of the sample follows.
    steps: Box<[u8]>,
}

/// One difference: so many bytes are those of the sample, so many of the sample are left out, and
/// these stand in their place.
struct Step<'a> {
    same: usize,
    left_out: usize,
    own: &'a [u8],
}

impl Samples {
    /// Returns `body` as a sample with differences; `None` if that would save little.
    pub(crate) fn pack(&self, body: &[u8]) -> Option<Alike> {
        let misses = self.misses.load(Relaxed);
        if !LENGTHS.contains(&body.len()) {
            return None;
        }
        // Compared without the lock, which is for no longer than it takes to look.
        let is_hopeless = misses > HOPELESS && !misses.is_multiple_of(HOPELESS);
        let samples = (0..if is_hopeless { 0 } else { SAMPLES }).map_while(|at| self.lock().get(at).cloned());
        let alike = samples.enumerate().find_map(|(at, sample)| Some((at, Alike::new(sample, body)?)));
        let Some((at, alike)) = alike else { return self.add(body) };
        if at > 0 {
            // What is asked for often is found soon.
            let mut samples = self.lock();
            if at < samples.len() {
                samples.swap(at, at - 1);
            }
        }
        if misses > 0 {
            self.misses.store(0, Relaxed);
        }
        Some(alike)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Sample>>> {
        self.samples.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a body that is like no sample as a sample of its own, if there is place for one.
    fn add(&self, body: &[u8]) -> Option<Alike> {
        let misses = self.misses.fetch_add(1, Relaxed);
        let mut samples = self.lock();
        if samples.len() >= SAMPLES {
            // The one that the fewest are packed with. They keep it; nobody else is compared with
            // it any more.
            let holders = |sample: &Arc<Sample>| u32::try_from(Arc::strong_count(sample)).unwrap_or(u32::MAX);
            let (at, least) = samples.iter().map(holders).enumerate().min_by_key(|(_, holders)| *holders)?;
            if misses < least.saturating_add(PATIENCE) {
                return None;
            }
            samples.swap_remove(at);
            self.misses.store(0, Relaxed);
        }
        let sample: Arc<Sample> = Arc::new(body.into());
        samples.push(Arc::clone(&sample));
        Some(Alike { sample, steps: Box::default() })
    }
}

impl Alike {
    /// Returns `body` as this sample with differences; `None` if that would save little.
    fn new(sample: Arc<Sample>, body: &[u8]) -> Option<Self> {
        // A long sample may live for as long as a short reply that is packed with it.
        if sample.len() > 2 * body.len() {
            return None;
        }
        let steps = differences(&sample, body, body.len() / 2)?;
        Some(Self { sample, steps })
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

    /// Returns the body of the next reply packed, with the same sample; `None` if that would save
    /// little.
    pub(crate) fn next(self, body: &[u8]) -> Option<Self> {
        let sample = Arc::clone(&self.sample);
        self.updated(body).or_else(|| Self::new(sample, body))
    }

    /// Returns `body` packed as this one is, if it differs from the sample at the same places and
    /// in as many bytes: the next reply mostly does, and to compare it anew costs much more.
    fn updated(mut self, body: &[u8]) -> Option<Self> {
        let (mut sample, mut rest) = (&**self.sample, body);
        let mut steps = &mut *self.steps;
        while let Some((step, behind)) = Step::read(steps) {
            rest = rest.strip_prefix(sample.get(..step.same)?)?;
            sample = sample.get(step.same + step.left_out..)?;
            let (own, behind) = (step.own.len(), behind.len());
            let (_, at) = steps.split_at_mut_checked(steps.len() - behind - own)?;
            let (mine, behind) = at.split_at_mut_checked(own)?;
            let (new, after) = rest.split_at_checked(own)?;
            mine.copy_from_slice(new);
            (steps, rest) = (behind, after);
        }
        (rest == sample).then_some(self)
    }

    /// Calls `each` with the pieces of the body, in order.
    fn pieces<'a>(&'a self, mut each: impl FnMut(&'a [u8])) {
        let (mut sample, mut steps) = (&**self.sample, &*self.steps);
        while let Some((step, behind)) = Step::read(steps) {
            let (same, rest) = sample.split_at_checked(step.same).unwrap_or((sample, &[]));
            each(same);
            each(step.own);
            (sample, steps) = (rest.get(step.left_out..).unwrap_or_default(), behind);
        }
        each(sample);
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

/// Returns the steps from `sample` to `body`; `None` if they take more than `most` bytes.
fn differences(sample: &[u8], body: &[u8], most: usize) -> Option<Box<[u8]>> {
    if sample == body {
        return Some(Box::default());
    }
    let mut steps = Vec::with_capacity(256);
    let (mut before, mut now) = (sample, body);
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

    fn packed(samples: &Samples, body: &str) -> Alike {
        samples.pack(body.as_bytes()).unwrap()
    }

    #[test]
    fn of_a_hundred_replies_that_are_alike_each_takes_a_third() {
        let samples = Samples::default();
        let replies: Vec<String> = (0..100).map(|number| reply(number, number)).collect();
        let all: Vec<Alike> = replies.iter().map(|reply| packed(&samples, reply)).collect();
        for (alike, reply) in all.iter().zip(&replies) {
            assert_eq!(alike.unpack(), reply.as_bytes());
            assert!(alike.is(reply.as_bytes()));
        }
        let bytes: usize = all.iter().map(|alike| alike.steps.len()).sum();
        let whole: usize = replies.iter().map(String::len).sum();
        assert!(bytes * 3 < whole, "{bytes} of {whole}");
        assert_eq!(samples.lock().len(), 1);
        assert!(size_of::<Option<Alike>>() <= 24);
    }

    #[test]
    fn a_member_more_or_less_costs_itself() {
        let samples = Samples::default();
        drop(packed(&samples, &reply(1, 7)));
        let more = reply(1, 7).replace(r#""verb""#, r#""target":"images/9","verb""#);
        let less = reply(1, 7).replace(r#""verb":"export","#, "");
        for (body, most) in [(more, 32), (less, 16)] {
            let alike = packed(&samples, &body);
            assert_eq!(alike.unpack(), body.as_bytes());
            assert!(alike.steps.len() <= most, "{} for {body}", alike.steps.len());
        }
    }

    #[test]
    fn the_next_reply_is_packed_in_place_if_its_differences_are_as_long() {
        let samples = Samples::default();
        drop(packed(&samples, &reply(1, 70)));
        let (before, next) = (reply(2, 80), reply(2, 81));
        let alike = packed(&samples, &before).updated(next.as_bytes()).unwrap();
        assert_eq!(alike.unpack(), next.as_bytes());
        let (longer, cut) = (reply(2, 100), &next[..next.len() - 1]);
        for other in [longer.as_str(), cut, "", &format!("{next} ")] {
            assert!(packed(&samples, &before).updated(other.as_bytes()).is_none(), "{other}");
        }
    }

    /// A reply that is like no other.
    fn strange(seed: u64) -> Vec<u8> {
        let mut random = fastrand::Rng::with_seed(seed);
        (0..200).map(|_| random.u8(..)).collect()
    }

    #[test]
    fn samples_are_few_and_the_one_that_is_needed_least_makes_place() {
        let samples = Samples::default();
        let all: Vec<Alike> = (0..8).map(|seed| samples.pack(&strange(seed)).unwrap()).collect();
        let _again: Vec<Alike> = (1..8).map(|seed| samples.pack(&strange(seed)).unwrap()).collect();
        let tries = (0..100).position(|_| samples.pack(&strange(8)).is_some()).unwrap();
        assert!((1..20).contains(&tries), "{tries}");
        assert_eq!(samples.lock().len(), SAMPLES);
        for (seed, alike) in (0..).zip(&all) {
            assert!(alike.is(&strange(seed)), "the first is no sample any more, and whole all the same");
        }
        let known = |seed| samples.lock().iter().any(|sample| ***sample == *strange(seed));
        assert!(!known(0) && (1..9).all(known));
    }

    #[test]
    fn short_and_long_replies_stay_as_they_are() {
        let samples = Samples::default();
        for length in [0, 63, 8 * 1024 + 1] {
            assert!(samples.pack(&vec![b'x'; length]).is_none());
        }
        assert!(samples.pack(&[b'x'; 64]).is_some() && samples.pack(&[b'x'; 8 * 1024]).is_some());
    }

    #[test]
    fn where_no_reply_is_like_another_few_are_compared() {
        let samples = Samples::default();
        let kept: Vec<Alike> = (0..8).map(|seed| samples.pack(&strange(seed)).unwrap()).collect();
        // Many are packed with each sample, so that none makes place.
        let _many: Vec<Alike> = (0..800).map(|at| samples.pack(&strange(at % 8)).unwrap()).collect();
        assert!((8..98).all(|seed| samples.pack(&strange(seed)).is_none()));
        let known = kept[3].unpack();
        let tries = (0..100).position(|_| samples.pack(&known).is_some()).unwrap();
        assert!((1..64).contains(&tries), "{tries}");
        assert!(samples.pack(&known).is_some(), "one that is like another ends that");
    }

    #[test]
    fn a_short_reply_keeps_no_long_sample() {
        let samples = Samples::default();
        let long = reply(1, 7).replace("copying", &"copying ".repeat(100));
        let sample = packed(&samples, &long);
        assert!(!Arc::ptr_eq(&packed(&samples, &reply(2, 7)).sample, &sample.sample));
    }

    #[test]
    fn an_indented_reply_differs_in_its_own_lines_only() {
        let samples = Samples::default();
        let text = |number: u32| {
            format!(
                "{{\n    \"kind\": \"Job\",\n    \"metadata\": {{\n        \"name\": \"export-{number}\",\n        \"uid\": \"{:032x}\"\n    }},\n    \"status\": {{\n        \"active\": 1,\n        \"ready\": 0\n    }},\n    \"spec\": {{\n        \"parallelism\": 1,\n        \"completions\": 1\n    }}\n}}\n",
                u64::from(number).wrapping_mul(0x9e37_79b9_7f4a_7c15),
            )
        };
        drop(packed(&samples, &text(1)));
        let missing = text(7).replace("        \"active\": 1,\n", "");
        for (body, most) in [(text(7), 48), (missing, 64)] {
            let alike = packed(&samples, &body);
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
        fn what_is_packed_is_the_very_body((sample, body) in edited(), flipped in any::<prop::sample::Index>()) {
            let samples = Samples::default();
            let _first = samples.pack(&sample);
            if let Some(alike) = samples.pack(&body) {
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
        fn differences_lead_from_any_text_to_any_other(sample: Vec<u8>, body: Vec<u8>) {
            if let Some(steps) = differences(&sample, &body, usize::MAX) {
                let alike = Alike { sample: Arc::new(sample.into()), steps };
                prop_assert_eq!(&alike.unpack()[..], &body[..]);
            }
        }
    }
}
