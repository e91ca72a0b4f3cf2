//! Who moves the money: the provider that was named, or a simulated one.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{Settings, ui};
use crate::api::payments::Provider;
use crate::api::payments::http_provider::HttpProvider;
use crate::shop::databases::Databases;
use crate::simulated_provider::SimulatedProvider;

/// How long a simulated payment that is not decided at once takes.
const SETTLES_AFTER: Duration = Duration::from_secs(1);

/// The provider, and the secret that it shares with the shop. `http_url`: where the shop is.
pub async fn start(
    settings: &Settings,
    databases: &Databases,
    seal: &[u8],
    http_url: &str,
    stop: CancellationToken,
) -> anyhow::Result<(Arc<dyn Provider>, String)> {
    let step = ui::Step::new("Payments");
    let (url, secret) = match (&settings.payment_url, &settings.payment_secret) {
        (Some(url), Some(secret)) => (url.clone(), secret.clone()),
        (None, None) => {
            let listener = TcpListener::bind("127.0.0.1:0").await.context("cannot listen for the simulated payment provider")?;
            let url = format!("http://{}", listener.local_addr().context("the address of the simulated payment provider")?);
            let secret = BASE64_URL_SAFE_NO_PAD.encode(blake3::derive_key("chimera simulated payment provider secret", seal));
            let provider = SimulatedProvider {
                pool: databases.simulated_provider.clone(),
                secret: secret.clone(),
                events_url: format!("{http_url}/api/v1/payments/events"),
                settles_after: SETTLES_AFTER,
            };
            tokio::spawn(async move {
                if let Err(error) = provider.serve(listener, stop).await {
                    tracing::error!(%error, "the simulated payment provider failed");
                }
            });
            (url, secret)
        }
        _ => anyhow::bail!("--payment-url and --payment-secret go together: the provider signs what it tells with the secret"),
    };
    let provider = HttpProvider::new(&url, &secret).context("cannot set up the payment provider's client")?;
    step.done(if settings.payment_url.is_some() { format!("by {url}") } else { "simulated; no money is moved".to_owned() });
    Ok((Arc::new(provider), secret))
}
