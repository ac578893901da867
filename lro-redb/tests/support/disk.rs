//! A disk in memory, which remembers what was not synced, and can fail.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use lro_redb::redb::StorageBackend;

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;

/// What reached the disk's cache and has not been synced.
#[derive(Clone, Debug)]
enum Pending {
    Sector { at: usize, bytes: Arc<[u8]> },
    Length(usize),
}

/// How the disk fails, and from which of its calls on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Fault {
    pub(crate) at: usize,
    pub(crate) how: How,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// There is no room: nothing is written, and syncs of what was written succeed.
    Full,
    /// Every call that changes something fails.
    Broken,
    /// One write or sync fails, and later ones say that they did not.
    Once,
    /// Every call that changes something panics.
    Panics,
    /// One sync fails, and what it should have written is gone; later ones succeed.
    LostSync,
}

#[derive(Debug, Default)]
struct Inner {
    /// What everybody reads.
    cached: Vec<u8>,
    /// What survives the loss of power.
    durable: Arc<Vec<u8>>,
    pending: Vec<Pending>,
    /// How many writes, syncs and changes of the length there were.
    calls: usize,
    fault: Option<Fault>,
    failures: usize,
    /// Before each call that changes something: what a crash there may leave.
    recorded: Option<Vec<Crash>>,
}

/// The moment before a call.
#[derive(Clone, Debug)]
pub(crate) struct Crash {
    durable: Arc<Vec<u8>>,
    pending: Vec<Pending>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Disk(Arc<Mutex<Inner>>);

impl Disk {
    /// A disk with this content, all of it synced.
    pub(crate) fn with(content: Vec<u8>) -> Self {
        let inner = Inner { cached: content.clone(), durable: Arc::new(content), ..Inner::default() };
        Self(Arc::new(Mutex::new(inner)))
    }

    pub(crate) fn content(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).cached.clone()
    }

    /// What there would be after the loss of power, if nothing of what was not synced remains.
    pub(crate) fn durable(&self) -> Vec<u8> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).durable.to_vec()
    }

    pub(crate) fn calls(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).calls
    }

    pub(crate) fn failures(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).failures
    }

    pub(crate) fn fail(&self, fault: Option<Fault>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fault = fault;
    }

    pub(crate) fn record(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).recorded = Some(vec![]);
    }

    /// The crashes since, with that of now.
    pub(crate) fn recorded(&self) -> Vec<Crash> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.remember();
        inner.recorded.take().unwrap()
    }
}

impl Crash {
    pub(crate) fn pending(&self) -> usize {
        self.pending.len()
    }

    /// Nothing that was not synced remains.
    pub(crate) fn nothing(&self) -> Disk {
        Disk::with(self.durable.to_vec())
    }

    /// Everything remains: the process ended, and not the machine.
    pub(crate) fn everything(&self) -> Disk {
        self.of(self.pending.iter())
    }

    /// What came first remains: a disk that writes in order.
    pub(crate) fn first(&self, count: usize) -> Disk {
        self.of(self.pending.iter().take(count))
    }

    /// What came last remains: a disk that writes the other way round.
    pub(crate) fn last(&self, count: usize) -> Disk {
        self.of(self.pending.iter().skip(self.pending.len().saturating_sub(count)))
    }

    /// Any of it remains, and was written in any order.
    pub(crate) fn some(&self, random: &mut fastrand::Rng) -> Disk {
        let share = random.u8(..);
        let mut kept: Vec<_> = self.pending.iter().filter(|_| random.u8(..) <= share).collect();
        if random.bool() {
            random.shuffle(&mut kept);
        }
        self.of(kept.into_iter())
    }

    fn of<'a>(&self, kept: impl Iterator<Item = &'a Pending>) -> Disk {
        let mut content = self.durable.to_vec();
        // A file system orders the lengths of a file, and zeroes what it adds; a sector beyond the
        // end is lost.
        let kept: Vec<_> = kept.collect();
        let mut lengths = kept.iter().filter_map(|pending| match pending {
            Pending::Length(length) => Some(*length),
            Pending::Sector { .. } => None,
        });
        if let Some(length) = lengths.next_back() {
            content.resize(length, 0);
        }
        for pending in kept {
            if let Pending::Sector { at, bytes } = pending
                && let Some(place) = content.get_mut(*at..*at + bytes.len())
            {
                place.copy_from_slice(bytes);
            }
        }
        Disk::with(content)
    }
}

impl Inner {
    fn remember(&mut self) {
        let crash = Crash { durable: self.durable.clone(), pending: self.pending.clone() };
        if let Some(recorded) = &mut self.recorded {
            recorded.push(crash);
        }
    }

    /// Counts a call, and fails if it has to.
    fn call(&mut self, writes: bool, syncs: bool) -> io::Result<()> {
        self.remember();
        let now = self.calls;
        self.calls += 1;
        let Some(Fault { at, how }) = self.fault.filter(|fault| now >= fault.at) else { return Ok(()) };
        let fails = match how {
            How::Full => writes,
            How::Broken | How::Panics => true,
            How::Once => now == at,
            How::LostSync => syncs && self.failures == 0,
        };
        if !fails {
            return Ok(());
        }
        self.failures += 1;
        assert!(how != How::Panics, "the rules are broken");
        if how == How::LostSync {
            // The kernel has dropped the pages, and marks them clean.
            self.pending.clear();
            self.cached.clone_from(&*self.durable);
        }
        Err(if how == How::Full { io::ErrorKind::StorageFull.into() } else { io::Error::other("the disk is broken") })
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.lock().unwrap_or_else(PoisonError::into_inner).cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = usize::try_from(offset).unwrap();
        let end = at.checked_add(out.len()).filter(|end| *end <= inner.cached.len());
        let end = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(&inner.cached[at..end]);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let length = usize::try_from(len).unwrap();
        let grows = length > inner.cached.len();
        inner.call(grows, false)?;
        inner.cached.resize(length, 0);
        inner.pending.push(Pending::Length(length));
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.call(false, true)?;
        let Inner { cached, durable, pending, .. } = &mut *inner;
        *durable = Arc::new(cached.clone());
        pending.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.call(true, false)?;
        let at = usize::try_from(offset).unwrap();
        let end = at + data.len();
        assert!(end <= inner.cached.len(), "redb writes only within the length that it has set");
        inner.cached[at..end].copy_from_slice(data);
        // Sectors are as a disk has them: a write that begins within one is one more.
        let mut from = at;
        while from < end {
            let to = end.min((from / SECTOR + 1) * SECTOR);
            let bytes = inner.cached[from..to].into();
            inner.pending.push(Pending::Sector { at: from, bytes });
            from = to;
        }
        Ok(())
    }
}
