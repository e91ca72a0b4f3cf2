//! Sending mail: by SMTP, or, where no server is named, into a folder.

use std::path::PathBuf;
use std::time::Duration;

use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use tokio::io::AsyncWriteExt;

use super::templates::{self, Rendered};
use super::{Failure, Message};

/// For the server's answer to a command.
const ANSWER_AT_MOST: Duration = Duration::from_secs(20);

/// A mailer could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("`{0}` is no sender, such as `The shop <shop@example.com>`: {1}")]
    Sender(String, lettre::address::AddressError),
    #[error("the address of the SMTP server, such as smtps://user:password@mail.example.com, is wrong: {0}")]
    Server(#[from] lettre::transport::smtp::Error),
    #[error("cannot make the folder {}: {source}", folder.display())]
    Folder { folder: PathBuf, source: std::io::Error },
}

enum Way {
    Smtp(AsyncSmtpTransport<Tokio1Executor>),
    Folder(PathBuf),
}

/// Who carries letters.
pub struct Mailer {
    from: Mailbox,
    way: Way,
}

impl Mailer {
    /// `url`: `smtp://…`, `smtp://…?tls=required` or `smtps://…`, with user and password if the server wants them.
    pub fn smtp(url: &str, from: &str) -> Result<Self, Error> {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(url)?.timeout(Some(ANSWER_AT_MOST)).build();
        Ok(Self { from: sender(from)?, way: Way::Smtp(transport) })
    }

    /// Letters become files `<message>.eml`, which mail programs open.
    pub fn folder(folder: PathBuf, from: &str) -> Result<Self, Error> {
        use std::os::unix::fs::DirBuilderExt;
        // They hold tokens: whoever reads one may come in.
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder);
        made.map_err(|error| Error::Folder { folder: folder.clone(), source: error })?;
        Ok(Self { from: sender(from)?, way: Way::Folder(folder) })
    }

    /// Writes the letter and sends it. `public_url`: where links lead.
    pub async fn send(&self, message: &Message, email: &str, public_url: &str) -> Result<(), Failure> {
        let to: Address = email.parse().map_err(|error| Failure::Permanent(format!("mail cannot be sent to this address: {error}")))?;
        let rendered =
            templates::render(&message.topic, &message.data, public_url).map_err(|error| Failure::Permanent(error.to_string()))?;
        let letter = self.letter(message, to, rendered).map_err(|error| Failure::Permanent(error.to_string()))?;
        match &self.way {
            Way::Smtp(transport) => transport.send(letter).await.map(drop).map_err(|error| {
                let why = with_causes(&error);
                if error.is_permanent() { Failure::Permanent(why) } else { Failure::Temporary(why) }
            }),
            Way::Folder(folder) => {
                let name = format!("{}-{}", message.topic, message.id);
                write(folder, &name, &letter.formatted()).await.map_err(|error| Failure::Temporary(error.to_string()))
            }
        }
    }

    /// A copy that comes after all has the same `Message-ID`, by which mail programs tell it.
    fn letter(&self, message: &Message, to: Address, rendered: Rendered) -> Result<lettre::Message, lettre::error::Error> {
        let id = format!("<{}@{}>", message.id, self.from.email.domain());
        lettre::Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, to))
            .subject(rendered.subject)
            .date(message.created_at.into())
            .message_id(Some(id))
            // RFC 3834: nobody's holiday notice answers.
            .raw_header(HeaderValue::new(HeaderName::new_from_ascii_str("Auto-Submitted"), "auto-generated".to_owned()))
            .multipart(MultiPart::alternative_plain_html(rendered.text, rendered.html))
    }
}

fn sender(text: &str) -> Result<Mailbox, Error> {
    text.parse().map_err(|error| Error::Sender(text.to_owned(), error))
}

fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source()).map(|cause| format!(": {cause}"));
    error.to_string() + &causes.collect::<String>()
}

/// By renaming, so that nobody reads half of it.
async fn write(folder: &std::path::Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let half = folder.join(format!("{name}.new"));
    let mut options = tokio::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&half).await?;
    file.write_all(bytes).await?;
    file.sync_all().await?;
    tokio::fs::rename(&half, folder.join(format!("{name}.eml"))).await
}
