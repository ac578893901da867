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
        Arc, Mutex, TryLockError,
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
    /// Returns `body` as a model with differences; `None` if that would save little, or another
    /// thread is comparing at this moment.
    pub(crate) fn pack(&self, body: &[u8]) -> Option<Alike> {
        let misses = self.misses.load(Relaxed);
        let is_hopeless = misses > HOPELESS && !misses.is_multiple_of(HOPELESS);
        let packed = if LENGTHS.contains(&body.len()) && !is_hopeless { self.compare(body) } else { None };
        if packed.is_none() {
            self.misses.fetch_add(1, Relaxed);
        } else if misses > 0 {
            self.misses.store(0, Relaxed);
        }
        packed
    }

    fn compare(&self, body: &[u8]) -> Option<Alike> {
        // A panic cannot leave a half of a model.
        let mut models = match self.models.try_lock() {
            Ok(models) => models,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return None,
        };
        // What the differences may take: a pointer and their own allocation are needed as well.
        let most = body.len() / 2;
        let steps = models.iter().enumerate().find_map(|(at, model)| Some((at, differences(model, body, most)?)));
        if let Some((at, steps)) = steps {
            let model = Arc::clone(models.get(at)?);
            // What is asked for often is found soon.
            models.swap(at, at.saturating_sub(1));
            return Some(Alike { model, steps });
        }
        let model: Arc<Model> = Arc::new(body.into());
        if models.len() < MODELS {
            models.push(Arc::clone(&model));
        } else {
            // One that no operation is packed with any more. From behind: those are asked for less.
            let unused = models.iter_mut().rev().find(|model| Arc::strong_count(model) == 1)?;
            *unused = Arc::clone(&model);
        }
        Some(Alike { model, steps: Box::default() })
    }
}

impl Alike {
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

    /// Returns `body` packed as this one is, if it differs from the model at the same places and in
    /// as many bytes: the next reply mostly does, and to compare it anew costs ten times as much.
    pub(crate) fn updated(mut self, body: &[u8]) -> Option<Self> {
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
    let mut steps = Vec::new();
    let (mut before, mut now) = (model, body);
    loop {
        let same = common(before, now);
        if same == before.len() && same == now.len() {
            return Some(steps.into());
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
            let is_alike = match before_rest.first_chunk::<ALIKE>() {
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
        assert_eq!(models.models.lock().unwrap().len(), 1);
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

    #[test]
    fn models_are_few_and_one_that_nobody_needs_makes_place() {
        let models = Models::default();
        let kind = |number: u8| String::from_utf8(vec![b'a' + number; 100]).unwrap();
        let mut all: Vec<Alike> = (0..8).map(|number| packed(&models, &kind(number))).collect();
        assert!(models.pack(kind(8).as_bytes()).is_none(), "all are in use");
        drop(all.pop());
        assert!(packed(&models, &kind(9)).is(kind(9).as_bytes()));
        assert_eq!(models.models.lock().unwrap().len(), MODELS);
        for (number, alike) in (0..).zip(&all) {
            assert!(alike.is(kind(number).as_bytes()));
        }
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
        let strange = |seed: u64| {
            let mut random = fastrand::Rng::with_seed(seed);
            (0..200).map(|_| random.u8(..)).collect::<Vec<_>>()
        };
        let kept: Vec<Alike> = (0..8).map(|seed| models.pack(&strange(seed)).unwrap()).collect();
        assert!((8..150).all(|seed| models.pack(&strange(seed)).is_none()));
        let known = kept[3].unpack();
        let tries = (0..100).position(|_| models.pack(&known).is_some()).unwrap();
        assert!((1..64).contains(&tries), "{tries}");
        assert!(models.pack(&known).is_some(), "one that is like another ends that");
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
                if let Some(updated) = alike.updated(&other) {
                    prop_assert_eq!(&updated.unpack()[..], &other[..]);
                }
            }
        }

        #[test]
        fn differences_lead_from_any_text_to_any_other(model: Vec<u8>, body: Vec<u8>) {
            let steps = differences(&model, &body, usize::MAX).unwrap();
            let alike = Alike { model: Arc::new(model.into()), steps };
            prop_assert_eq!(&alike.unpack()[..], &body[..]);
        }
    }
}
