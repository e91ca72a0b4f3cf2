//! How two sides of a connection prove to each other that they know the same secret, without telling it: each answers the other's random
//! challenge with a keyed hash (BLAKE3) of both challenges and of what the connection is for. It neither signs nor encrypts what follows: that
//! is what TLS is for ([`super::tls`]).

use std::io::{Error, ErrorKind, Result};

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::Purpose;
use super::frame::{self, MAX_GREETING_BYTES};

/// What a connection begins with, in both directions: another protocol, or another version of this one, is told by it.
const MAGIC: [u8; 8] = *b"chimera1";
const VERSION: &str = env!("CARGO_PKG_VERSION");

type Challenge = [u8; 32];

/// What hosts and those who use them share.
#[derive(Clone)]
pub struct Secret([u8; 32]);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

impl Secret {
    /// The shortest token that is taken for a secret, in bytes.
    pub const TOKEN_BYTES: usize = 16;

    /// `None`: the token is too short to be a secret.
    pub fn new(token: &str) -> Option<Self> {
        let token = token.trim();
        (token.len() >= Self::TOKEN_BYTES)
            .then(|| Self(blake3::derive_key("chimera hosts 2026 the secret of a connection", token.as_bytes())))
    }

    fn proof(&self, side: &str, challenges: [&Challenge; 2], said: &str) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(side.as_bytes()).update(challenges[0]).update(challenges[1]).update(said.as_bytes());
        hasher.finalize()
    }
}

#[derive(Debug, Serialize, Deserialize)]
struct Hello {
    version: String,
    challenge: Challenge,
    /// A [`Purpose`] as JSON, as it is proved.
    purpose: String,
    proof: blake3_hex::Hex,
}

#[derive(Debug, Serialize, Deserialize)]
enum Answer {
    Welcome { proof: blake3_hex::Hex },
    Refused(String),
}

/// Hashes as text. Comparing two takes the same time wherever they differ.
mod blake3_hex {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, Serialize, Deserialize)]
    #[serde(transparent)]
    pub struct Hex(String);

    impl Hex {
        pub fn new(hash: blake3::Hash) -> Self {
            Self(hash.to_hex().to_string())
        }

        pub fn is(&self, hash: blake3::Hash) -> bool {
            blake3::Hash::from_hex(&self.0).is_ok_and(|found| found == hash)
        }
    }
}
use blake3_hex::Hex;

/// Greets a host. `Some`: it refused, and why.
pub async fn offer(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), secret: &Secret, purpose: &Purpose) -> Result<Option<String>> {
    let mut magic = [0; MAGIC.len()];
    stream.read_exact(&mut magic).await?;
    if magic != MAGIC {
        return Ok(Some("what listens there is no `chimera host` of this version".into()));
    }
    let mut theirs = Challenge::default();
    stream.read_exact(&mut theirs).await?;
    let (ours, purpose): (Challenge, String) = (rand::random(), serde_json::to_string(purpose)?);
    let proof = Hex::new(secret.proof("client", [&theirs, &ours], &format!("{VERSION} {purpose}")));
    frame::write(stream, &Hello { version: VERSION.to_owned(), challenge: ours, purpose: purpose.clone(), proof }, &[]).await?;
    match frame::read(stream, MAX_GREETING_BYTES).await? {
        Some((Answer::Welcome { proof }, _)) if proof.is(secret.proof("host", [&ours, &theirs], &purpose)) => Ok(None),
        Some((Answer::Welcome { .. }, _)) => Ok(Some("it does not know the token, and is none of ours".into())),
        Some((Answer::Refused(reason), _)) => Ok(Some(reason)),
        None => Err(ErrorKind::UnexpectedEof.into()),
    }
}

/// Somebody who has proved to know the secret, and waits for an answer.
pub struct Guest {
    pub purpose: Purpose,
    challenges: [Challenge; 2],
    said: String,
}

/// Hears somebody who connects. `None`: refused.
pub async fn hear(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), secret: &Secret) -> Result<Option<Guest>> {
    let ours: Challenge = rand::random();
    stream.write_all(&[&MAGIC[..], &ours].concat()).await?;
    let Some((hello, _)) = frame::read::<Hello>(stream, MAX_GREETING_BYTES).await? else {
        return Err(ErrorKind::UnexpectedEof.into());
    };
    let proof = secret.proof("client", [&ours, &hello.challenge], &format!("{} {}", hello.version, hello.purpose));
    let refused = if !hello.proof.is(proof) {
        Some("it has another token: give both sides the same one".to_owned())
    } else if hello.version != VERSION {
        Some(format!("it runs chimera {VERSION}, this is {}: install the same on both", hello.version))
    } else {
        None
    };
    if let Some(reason) = refused {
        refuse(stream, reason).await?;
        return Ok(None);
    }
    let purpose = serde_json::from_str(&hello.purpose).map_err(|e| Error::new(ErrorKind::InvalidData, e))?;
    Ok(Some(Guest { purpose, challenges: [hello.challenge, ours], said: hello.purpose }))
}

pub async fn welcome(stream: &mut (impl AsyncWrite + Unpin), secret: &Secret, guest: &Guest) -> Result<()> {
    let proof = secret.proof("host", [&guest.challenges[0], &guest.challenges[1]], &guest.said);
    frame::write(stream, &Answer::Welcome { proof: Hex::new(proof) }, &[]).await
}

pub async fn refuse(stream: &mut (impl AsyncWrite + Unpin), reason: String) -> Result<()> {
    frame::write(stream, &Answer::Refused(reason), &[]).await
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpStream;
    use uuid::Uuid;

    use super::*;

    async fn greet(client: &str, host: &str) -> (Option<String>, bool) {
        let (client, host) = (Secret::new(client).expect("a secret"), Secret::new(host).expect("a secret"));
        let (listener, address) = super::super::listen_locally().await.expect("a listener");
        let hears = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.expect("a guest");
            let guest = hear(&mut stream, &host).await.expect("heard");
            if let Some(guest) = &guest {
                welcome(&mut stream, &host, guest).await.expect("welcomed");
            }
            guest.is_some()
        });
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let refused = offer(&mut stream, &client, &Purpose::Exchange { run: Uuid::nil() }).await.expect("answered");
        (refused, hears.await.expect("heard"))
    }

    #[tokio::test]
    async fn only_who_knows_the_token_comes_in() {
        assert_eq!(greet("a token of some length", " a token of some length\n").await, (None, true));
        let (refused, came_in) = greet("a token of some length", "another of some length").await;
        assert!(refused.is_some_and(|reason| reason.contains("token")) && !came_in);
        assert!(Secret::new("short").is_none());
    }
}
