//! The ends of names: what operations do not share of them, in pages of many.
//!
//! A name of its own in memory takes the allocator's header and rounding as well: when the ends of
//! 10⁶ names moved into pages, a fleet of as many operations went from 272 to 212 resident bytes an
//! operation (`benches/README.md`).

/// How many bytes a page has. One operation that outlives the others of its page keeps that much.
const PAGE: usize = 4096;

/// The longest text there is place for, in bytes. A URL cannot be longer.
pub(super) const LONGEST: usize = u16::MAX as usize;

/// Where the end of a name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Tail {
    page: u32,
    at: u16,
    length: u16,
}

/// See the module.
#[derive(Default)]
pub(super) struct Tails {
    pages: Vec<Page>,
    /// The page that is filled now.
    open: usize,
    /// The pages that have nothing in them.
    free: Vec<usize>,
}

#[derive(Default)]
struct Page {
    text: String,
    /// How many texts of it are kept.
    kept: u32,
}

impl Tails {
    /// Keeps a text, and returns where it is; `None` if it is longer than [`LONGEST`].
    pub(super) fn add(&mut self, text: &str) -> Option<Tail> {
        let length = u16::try_from(text.len()).ok()?;
        let has_room = |page: &Page| page.text.len() + text.len() <= PAGE;
        if !self.pages.get(self.open).is_some_and(has_room) {
            self.open = self.free.pop().unwrap_or_else(|| {
                self.pages.push(Page::default());
                self.pages.len() - 1
            });
        }
        let page = self.pages.get_mut(self.open)?;
        if page.text.capacity() == 0 {
            page.text.reserve_exact(PAGE.max(text.len()));
        }
        let tail = Tail { page: u32::try_from(self.open).ok()?, at: u16::try_from(page.text.len()).ok()?, length };
        page.text.push_str(text);
        page.kept += 1;
        Some(tail)
    }

    pub(super) fn get(&self, tail: Tail) -> &str {
        let (from, length) = (usize::from(tail.at), usize::from(tail.length));
        let text = self.pages.get(tail.page as usize).and_then(|page| page.text.get(from..from + length));
        text.unwrap_or_default()
    }

    /// Forgets a text. Each is forgotten once.
    pub(super) fn remove(&mut self, tail: Tail) {
        let index = tail.page as usize;
        let Some(page) = self.pages.get_mut(index) else { return };
        page.kept = page.kept.saturating_sub(1);
        if page.kept == 0 && index == self.open {
            page.text.clear();
        } else if page.kept == 0 {
            *page = Page::default();
            self.free.push(index);
        }
    }
}

#[cfg(test)]
mod tests {
    use fastrand::Rng;

    use super::*;

    #[test]
    fn every_text_is_found_again_until_it_is_forgotten() {
        let (mut tails, mut rng, mut known) = (Tails::default(), Rng::with_seed(1), Vec::<(Tail, String)>::new());
        for round in 0..50_000_u32 {
            if known.len() > 3_000 || !known.is_empty() && rng.u8(..) < 100 {
                let (tail, text) = known.swap_remove(rng.usize(..known.len()));
                assert_eq!(tails.get(tail), text);
                tails.remove(tail);
            } else {
                // Some are longer than a page, and some are empty.
                let length = if rng.u8(..) == 0 { rng.usize(..20_000) } else { rng.usize(..90) };
                let text: String = format!("{round}é").chars().cycle().take(length).collect();
                known.push((tails.add(&text).unwrap(), text));
            }
        }
        assert!(known.iter().all(|(tail, text)| tails.get(*tail) == text));
        for (tail, _) in known {
            tails.remove(tail);
        }
        let kept: usize = tails.pages.iter().map(|page| page.text.capacity()).sum();
        assert!(kept <= 2 * LONGEST, "only the open page keeps its memory: {kept}");
        assert_eq!(tails.free.len() + 1, tails.pages.len());
    }

    #[test]
    fn what_is_too_long_is_refused() {
        assert_eq!(Tails::default().add(&"x".repeat(LONGEST + 1)), None);
        assert!(Tails::default().add(&"x".repeat(LONGEST)).is_some());
        assert_eq!(size_of::<Tail>(), 8);
    }
}
