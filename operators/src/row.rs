//! A row as bytes: what Z-sets hold.

use rkyv::vec::{ArchivedVec, VecResolver};
use rkyv::{Archive, Deserialize, Fallible, Serialize, ser::ScratchSpace, ser::Serializer};
use size_of::{Context, SizeOf};
use smallvec::SmallVec;

/// Bytes held without an allocation. An order's UUID with a stock code fits, or a stock code with a few numbers.
const INLINE_BYTES: usize = 24;

/// A row as a [`Codec`](crate::Codec) writes it: equal bytes are equal columns, and where the codec was told to sort, the bytes sort as
/// the columns do. Rows may be concatenated: the result reads as the columns side by side.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Row(SmallVec<[u8; INLINE_BYTES]>);

impl Clone for Row {
    /// Copies all bytes at once; `SmallVec` would clone one after another.
    #[inline]
    fn clone(&self) -> Self {
        Row::new(self.bytes())
    }
}

impl Row {
    #[inline]
    pub fn new(bytes: &[u8]) -> Self {
        Row(SmallVec::from_slice(bytes))
    }

    /// The bytes of all parts, one after another.
    #[inline]
    pub fn concat(parts: &[&[u8]]) -> Self {
        let mut bytes = SmallVec::with_capacity(parts.iter().map(|part| part.len()).sum());
        for part in parts {
            bytes.extend_from_slice(part);
        }
        Row(bytes)
    }

    #[inline]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// What it takes beside its own size.
    #[inline]
    pub(crate) fn heap_bytes(&self) -> usize {
        if self.0.spilled() { self.0.capacity() } else { 0 }
    }
}

impl std::fmt::Debug for Row {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Row({:02x?})", self.bytes())
    }
}

impl SizeOf for Row {
    fn size_of_children(&self, context: &mut Context) {
        if self.0.spilled() {
            context.add(self.0.capacity());
            context.add_distinct_allocation();
        }
    }
}

dbsp::never_none!(Row);
impl dbsp::utils::SupportsRoaring for Row {}

/// A row on disk.
#[repr(transparent)]
#[derive(PartialEq, Eq, PartialOrd, Ord)]
pub struct ArchivedRow(ArchivedVec<u8>);

impl Archive for Row {
    type Archived = ArchivedRow;
    type Resolver = VecResolver;

    unsafe fn resolve(&self, position: usize, resolver: VecResolver, out: *mut ArchivedRow) {
        // SAFETY: ArchivedRow is a transparent wrapper of the vector that is resolved here.
        unsafe { ArchivedVec::resolve_from_slice(self.bytes(), position, resolver, out.cast()) }
    }
}

impl<S: Serializer + ScratchSpace + ?Sized> Serialize<S> for Row {
    fn serialize(&self, serializer: &mut S) -> Result<VecResolver, S::Error> {
        // SAFETY: bytes are plain data.
        unsafe { ArchivedVec::serialize_copy_from_slice(self.bytes(), serializer) }
    }
}

impl<D: Fallible + ?Sized> Deserialize<Row, D> for ArchivedRow {
    fn deserialize(&self, _: &mut D) -> Result<Row, D::Error> {
        Ok(Row::new(self.0.as_slice()))
    }
}
