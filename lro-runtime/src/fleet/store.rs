//! Where a fleet writes down what it must not lose.

use std::{borrow::Cow, error::Error as StdError, fmt, sync::Arc};

/// A durable map, in which a fleet writes down what it must not lose: the embedded store of the
/// crate `lro-redb`, or one of your own.
///
/// It keeps a few [tables](Table), each of which has numbers as keys and bytes as values, and the
/// *notes*: one number for each place, which may be lost. Bytes are the fleet's business: a store
/// neither reads nor compares them.
///
/// A fleet reads everything once, when it is built, and writes from one thread. While it has the
/// store, no other fleet may: of a file, a store takes the lock.
///
/// `lro_runtime::testing::check_store` tests whether a store does what is said here.
pub trait Store: Send + Sync + 'static {
    /// Passes every record of a table to `each`, in the ascending order of their keys, and stops at
    /// the first error that `each` returns.
    ///
    /// # Errors
    ///
    /// That of `each`; and [`Damaged`](StoreErrorKind::Damaged) where the store finds that what it
    /// reads is not what was written. A damaged record is never passed over.
    #[expect(clippy::type_complexity, reason = "a reader of the trait sees at once what `each` is")]
    fn read(&self, table: Table, each: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError>;

    /// Carries out all of these writes in their order, or none of them. They are durable when this
    /// returns: they survive the loss of power.
    ///
    /// # Errors
    ///
    /// When they are not, or nobody knows. The fleet writes nothing more then, and says so
    /// everywhere: after a failed sync, a second one may succeed without having written anything.
    fn commit(&self, writes: &[Write]) -> Result<(), StoreError>;

    /// Keeps these notes. Any of them may be lost, also a part of one; notes that survive the end
    /// of the process, though not the loss of power, save polls after a restart. Default: none is
    /// kept.
    ///
    /// # Errors
    ///
    /// When they cannot be kept. The fleet goes on without.
    fn write_notes(&self, notes: &[Note]) -> Result<(), StoreError> {
        let _ = notes;
        Ok(())
    }

    /// Passes the notes to `each`, in any order.
    ///
    /// # Errors
    ///
    /// When they cannot be read. The fleet goes on without.
    fn read_notes(&self, each: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
        let _ = each;
        Ok(())
    }
}

/// So that a program can keep hold of the store that a fleet has, for its own calls, such as one
/// that compacts a file.
impl<S: Store + ?Sized> Store for Arc<S> {
    fn read(&self, table: Table, each: &mut dyn FnMut(u64, &[u8]) -> Result<(), StoreError>) -> Result<(), StoreError> {
        (**self).read(table, each)
    }

    fn commit(&self, writes: &[Write]) -> Result<(), StoreError> {
        (**self).commit(writes)
    }

    fn write_notes(&self, notes: &[Note]) -> Result<(), StoreError> {
        (**self).write_notes(notes)
    }

    fn read_notes(&self, each: &mut dyn FnMut(Note)) -> Result<(), StoreError> {
        (**self).read_notes(each)
    }
}

/// A table of a [`Store`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Table {
    /// The operations, by ticket: 200 to 600 bytes each, more where a start call is kept.
    Live,
    /// What has changed since, by ticket: where an operation is polled now, that its cancel was
    /// asked for.
    Amendments,
    /// How waits have ended that were not acknowledged, by ticket: the bodies of replies, too.
    Outcomes,
    /// A few records of the fleet itself.
    Fleet,
}

impl Table {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Live, Self::Amendments, Self::Outcomes, Self::Fleet];

    /// Returns the name of the table: a word of small letters, which stays the same in all
    /// versions.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Amendments => "amendments",
            Self::Outcomes => "outcomes",
            Self::Fleet => "fleet",
        }
    }
}

/// One write to a [`Store`]: the record of `key` is `value` from now on, or is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Of which table.
    pub table: Table,
    /// Of which record.
    pub key: u64,
    /// Its bytes; `None` deletes it. To delete what is not there changes nothing.
    pub value: Option<Vec<u8>>,
}

/// A note of a [`Store`]: when the operation in a place is polled next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// The place: the numbers of places begin at 0 and stay below the largest number of operations
    /// that there ever were at once.
    pub place: u32,
    /// What is noted. Every number is legal, one that was never written included.
    pub value: u64,
}

/// Why a [`Store`] failed.
#[derive(Clone, Debug)]
pub struct StoreError {
    kind: StoreErrorKind,
    message: Cow<'static, str>,
    source: Option<Arc<dyn StdError + Send + Sync>>,
}

/// The kind of a [`StoreError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// Another process, or another fleet of this one, has it.
    InUse,
    /// What is there is not what was written, or was not written by a fleet.
    Damaged,
    /// It was written by a newer version of this library.
    Newer,
    /// There is no room, or no permission to write.
    Unwritable,
    /// Reading or writing failed otherwise.
    Io,
}

impl StoreError {
    /// Makes an error that says what failed, and where.
    pub fn new(kind: StoreErrorKind, message: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, message: message.into(), source: None }
    }

    /// Adds the cause.
    #[must_use]
    pub fn with_source(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Returns the kind.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for StoreError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Changes the bytes of records on their way to a [`Store`] and back: the place for encryption.
///
/// ```
/// use lro_runtime::fleet::{Seal, StoreError, StoreErrorKind, Table};
///
/// /// Not a cipher: it only shows the shape.
/// struct Flipped;
///
/// impl Seal for Flipped {
///     fn seal(&self, _: Table, _: u64, plain: Vec<u8>) -> Vec<u8> {
///         plain.into_iter().map(|byte| !byte).collect()
///     }
///
///     fn open(&self, _: Table, _: u64, sealed: &[u8]) -> Result<Vec<u8>, StoreError> {
///         if sealed.is_empty() {
///             return Err(StoreError::new(StoreErrorKind::Damaged, "nothing was sealed"));
///         }
///         Ok(sealed.iter().map(|byte| !byte).collect())
///     }
/// }
/// ```
pub trait Seal: Send + Sync + 'static {
    /// Returns what is stored in place of `plain`. Table and key are for a cipher that
    /// authenticates where a value belongs.
    fn seal(&self, table: Table, key: u64, plain: Vec<u8>) -> Vec<u8>;

    /// Returns what was sealed.
    ///
    /// # Errors
    ///
    /// When the bytes are not of this seal, or of another record. The fleet is not built then.
    fn open(&self, table: Table, key: u64, sealed: &[u8]) -> Result<Vec<u8>, StoreError>;
}
