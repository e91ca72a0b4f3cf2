//! Messages to people and programs: the broker that was named, or a private one; the mail server that was named, or a folder.

use anyhow::Context;

use super::servers::Servers;
use super::{Arguments, Settings, ui};
use crate::api::notifications::{Broker, Mailer, Notifications, Topology, webhooks};
use crate::shop::databases::hide_password;

/// Whom letters are from that nobody sends.
const LOCAL_SENDER: &str = "Chimera <shop@localhost>";

/// `None`: nothing is sent, which was wanted, or RabbitMQ is not there. And where letters go, in words.
pub async fn start(settings: &Settings, arguments: &Arguments, servers: &Servers) -> anyhow::Result<(Option<Notifications>, String)> {
    if arguments.no_notifications {
        return Ok((None, "not sent, as --no-notifications wants it".to_owned()));
    }
    let (mailer, goes) = mailer(settings)?;
    let step = ui::Step::new("RabbitMQ");
    let url = match servers.rabbitmq_url(settings).await {
        Ok((url, what)) => {
            step.done(what);
            url
        }
        // The shop works without: what there is to tell waits in the databases.
        Err(error) => {
            step.done(format!("not there, and no messages are sent: {error:#}"));
            return Ok((None, "not sent: there is no RabbitMQ".to_owned()));
        }
    };
    let webhooks = webhooks::Client::new(arguments.private_webhooks).context("cannot set up the client of webhooks")?;
    Ok((Some(Notifications { broker: Broker::new(&url, Topology::default()), mailer, webhooks }), goes))
}

fn mailer(settings: &Settings) -> anyhow::Result<(Mailer, String)> {
    match (&settings.smtp_url, &settings.mail_from) {
        (Some(url), Some(from)) => Ok((Mailer::smtp(url, from)?, format!("by {}", hide_password(url)))),
        (Some(_), None) => anyhow::bail!("--smtp-url needs --mail-from: mail servers ask whom a letter is from"),
        (None, from) => {
            let folder = settings.data_dir.join("mail");
            let shown = format!("written into {}", folder.display());
            Ok((Mailer::folder(folder, from.as_deref().unwrap_or(LOCAL_SENDER))?, shown))
        }
    }
}
