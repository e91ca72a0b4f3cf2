//! What every log accepts, and which partition a key belongs to.

use super::{Append, Record};
use crate::{Error, Result};

pub(super) const CONNECTOR: &str = "log";

/// Key, value and headers of one record together.
pub const MAX_RECORD_BYTES: usize = 16 << 20;
/// All records of one atomic append together.
pub const MAX_APPEND_BYTES: usize = 256 << 20;
pub const MAX_PARTITIONS: u32 = 1024;
/// Headers of one record.
pub const MAX_HEADERS: usize = 64;
/// Bytes of a header's name.
pub const MAX_HEADER_NAME_BYTES: usize = 255;
/// A read stops here before it has `max_records`; one larger record is still given.
pub const MAX_READ_BYTES: usize = 16 << 20;

/// Kafka's rule for names, so that a topic can move from one log to the other.
pub(super) fn check_topic(name: &str) -> Result<()> {
    let legal = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if legal && (1..=249).contains(&name.len()) && name != "." && name != ".." {
        return Ok(());
    }
    let shown: String = name.chars().take(80).collect();
    Err(Error::config(CONNECTOR, format!("`{shown}` cannot name a topic: use 1 to 249 of the characters a-z A-Z 0-9 . _ -")))
}

pub(super) fn check_partitions(topic: &str, partitions: u32) -> Result<()> {
    if (1..=MAX_PARTITIONS).contains(&partitions) {
        return Ok(());
    }
    Err(Error::config(CONNECTOR, format!("topic `{topic}` cannot have {partitions} partitions: choose 1 to {MAX_PARTITIONS}")))
}

/// Refuses records that are too large, one by one or together, and headers that no log would keep.
pub(super) fn check_records(records: &[Append]) -> Result<()> {
    let mut total = 0;
    for append in records {
        let headers = &append.record.headers;
        if headers.len() > MAX_HEADERS
            || headers.iter().any(|header| header.name.len() > MAX_HEADER_NAME_BYTES || header.name.contains('\0'))
        {
            let message = format!(
                "a record for topic `{}` may have {MAX_HEADERS} headers, each with a name of {MAX_HEADER_NAME_BYTES} bytes without a NUL",
                append.topic
            );
            return Err(Error::config(CONNECTOR, message));
        }
        let size = size(&append.record);
        if size > MAX_RECORD_BYTES {
            let topic = &append.topic;
            return Err(Error::config(
                CONNECTOR,
                format!("a record of {size} bytes for topic `{topic}` is larger than {MAX_RECORD_BYTES}"),
            ));
        }
        total += size;
    }
    if total > MAX_APPEND_BYTES {
        return Err(Error::config(CONNECTOR, format!("{total} bytes are too much for one append: {MAX_APPEND_BYTES} is the most")));
    }
    Ok(())
}

pub(super) fn size(record: &Record) -> usize {
    let headers: usize = record.headers.iter().map(|header| header.name.len() + header.value.len()).sum();
    record.key.as_ref().map_or(0, |key| key.len()) + record.value.as_ref().map_or(0, |value| value.len()) + headers
}

/// The partition of a record among `partitions`: the one asked for, else the key's, else 0.
pub(super) fn partition_of(append: &Append, partitions: u32) -> Result<u32> {
    match (append.partition, &append.record.key) {
        (Some(partition), _) if partition < partitions => Ok(partition),
        (Some(partition), _) => Err(Error::NoSuchTopic { topic: append.topic.clone(), partition }),
        (None, Some(key)) => Ok((murmur2(key) & 0x7fff_ffff) % partitions),
        (None, None) => Ok(0),
    }
}

/// MurmurHash2 (Austin Appleby) with the seed that Kafka's Java client uses to choose a partition.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    const SEED: u32 = 0x9747_b28c;
    let mut hash = SEED ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in words.by_ref() {
        let mut k = u32::from_le_bytes(word.try_into().expect("four bytes")).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (place, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * place);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that Kafka's own tests of its Java client expect.
    #[test]
    fn keys_are_hashed_as_kafka_does() {
        for (key, expected) in [
            ("21", -973_932_308),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(key.as_bytes()) as i32, expected, "{key}");
        }
    }

    #[test]
    fn names_that_kafka_refuses_are_refused() {
        for good in ["orders.public.order_items", "a", "dlq", "x-1"] {
            assert!(check_topic(good).is_ok(), "{good}");
        }
        let long = "x".repeat(250);
        for bad in ["", ".", "..", "a/b", "a b", "ü", "a\0", long.as_str()] {
            assert!(check_topic(bad).is_err(), "{bad}");
        }
    }
}
