//! What redb does not check: which of its two commits is the newer one.

use std::{io, ops::Bound, sync::Once};

use redb::{BackendError, StorageBackend};

/// A backend whose header is checked when it is read for the first time.
///
/// A redb file keeps its last two commits, and one bit says which of them counts. Checksums cover
/// both commits, and not that bit: flipped, it would take back the last commit without a word. In a
/// file that was closed, the commit that counts is always the newer one. (After a crash it need not
/// be: the newer one may not have returned.)
#[derive(Debug)]
pub(crate) struct Checked<B> {
    backend: B,
    first_read: Once,
}

impl<B> Checked<B> {
    pub(crate) fn new(backend: B) -> Self {
        Self { backend, first_read: Once::new() }
    }
}

/// Where the flags are, and what they are: the layout is part of redb's stable file format.
const FLAGS: usize = 9;
const SECOND_COUNTS: u8 = 1;
const NOT_CLOSED: u8 = 2;
/// Where the numbers of the two commits are, and where the second one ends.
const COMMITS: [usize; 2] = [64 + 104, 64 + 128 + 104];
const END: usize = 64 + 2 * 128;

fn number(header: &[u8], commit: usize) -> Option<u64> {
    let bytes = header.get(commit..)?.first_chunk()?;
    Some(u64::from_le_bytes(*bytes))
}

/// Whether the commit that counts is older than the other one, in a file that was closed.
fn takes_back_a_commit(header: &[u8]) -> bool {
    let [first, second] = COMMITS.map(|commit| number(header, commit));
    match (header.get(FLAGS), first, second) {
        (Some(flags), Some(first), Some(second)) if flags & NOT_CLOSED == 0 => {
            if flags & SECOND_COUNTS == 0 {
                first < second
            } else {
                second < first
            }
        }
        _ => false,
    }
}

impl<B: StorageBackend> StorageBackend for Checked<B> {
    fn len(&self) -> io::Result<u64> {
        self.backend.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.backend.read(offset, out)?;
        let mut wrong = false;
        if offset == 0 && out.len() >= END {
            self.first_read.call_once(|| wrong = takes_back_a_commit(out));
        }
        if wrong {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its header names an old commit as the last one"));
        }
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.backend.set_len(len)
    }

    fn sync_data(&self) -> io::Result<()> {
        self.backend.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.backend.write(offset, data)
    }

    fn close(&self) -> io::Result<()> {
        self.backend.close()
    }

    fn try_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.backend.try_lock_range(start, end)
    }

    fn try_lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.backend.try_lock_shared_range(start, end)
    }

    fn lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.backend.lock_range(start, end)
    }

    fn lock_shared_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.backend.lock_shared_range(start, end)
    }

    fn unlock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<(), BackendError> {
        self.backend.unlock_range(start, end)
    }

    fn query_lock_range(&self, start: Bound<u64>, end: Bound<u64>) -> Result<bool, BackendError> {
        self.backend.query_lock_range(start, end)
    }
}
