//! Messages on a connection: a length, the length of a JSON header, the header, and bytes that follow it.

use std::io::{Error, ErrorKind, Result};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest message between parts that have greeted each other.
pub const MAX_BYTES: u32 = 1 << 30;
/// The longest message of somebody who has not yet proved anything.
pub const MAX_GREETING_BYTES: u32 = 16 << 10;

pub async fn write(to: &mut (impl AsyncWrite + Unpin), header: &impl Serialize, payload: &[u8]) -> Result<()> {
    let header = serde_json::to_vec(header)?;
    let length = u32::try_from(4 + header.len() + payload.len()).ok().filter(|length| *length <= MAX_BYTES);
    let length = length.ok_or_else(|| Error::new(ErrorKind::InvalidInput, "a message is too long to be sent"))?;
    let mut start = Vec::with_capacity(8 + header.len());
    start.extend_from_slice(&length.to_le_bytes());
    start.extend_from_slice(&(header.len() as u32).to_le_bytes());
    start.extend_from_slice(&header);
    to.write_all(&start).await?;
    to.write_all(payload).await?;
    to.flush().await
}

/// The next message; `None` when the other side has closed the connection between two of them.
pub async fn read<H: DeserializeOwned>(from: &mut (impl AsyncRead + Unpin), max_bytes: u32) -> Result<Option<(H, Vec<u8>)>> {
    let mut length = [0; 4];
    if from.read(&mut length[..1]).await? == 0 {
        return Ok(None);
    }
    from.read_exact(&mut length[1..]).await?;
    let length = u32::from_le_bytes(length);
    let wrong = |what: &str| Error::new(ErrorKind::InvalidData, what.to_owned());
    if !(4..=max_bytes).contains(&length) {
        return Err(wrong("a message of an impossible length"));
    }
    // Grows as bytes come in: a length alone takes no memory.
    let mut message = Vec::new();
    from.take(u64::from(length)).read_to_end(&mut message).await?;
    if message.len() < length as usize {
        return Err(ErrorKind::UnexpectedEof.into());
    }
    let header_bytes = u32::from_le_bytes([message[0], message[1], message[2], message[3]]) as usize;
    let header = message.get(4..4 + header_bytes).ok_or_else(|| wrong("a message whose header is longer than itself"))?;
    let header = serde_json::from_slice(header)?;
    message.drain(..4 + header_bytes);
    Ok(Some((header, message)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_written_is_read_and_what_is_no_message_is_an_error() {
        let mut bytes = Vec::new();
        write(&mut bytes, &"head", b"tail").await.expect("written");
        let mut from = &bytes[..];
        assert_eq!(read::<String>(&mut from, 100).await.expect("read"), Some(("head".to_owned(), b"tail".to_vec())));
        assert_eq!(read::<String>(&mut from, 100).await.expect("the end"), None);
        for (broken, max_bytes) in [(&bytes[..bytes.len() - 1], 100), (&bytes[..], 10), (&bytes[..2], 100)] {
            read::<String>(&mut &*broken, max_bytes).await.expect_err("no message");
        }
        let longer_than_itself = [8, 0, 0, 0, 9, 0, 0, 0, b'1', b'2', b'3', b'4'];
        read::<u64>(&mut &longer_than_itself[..], 100).await.expect_err("no message");
    }
}
