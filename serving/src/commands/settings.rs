//! What the commands are told: defaults, then a file, then the environment, then flags.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use chimera_pipelines::hosts;
use clap::Args;
use serde::{Deserialize, Serialize};

use super::size::Size;
use crate::grpc::tls::{Files, Tls};
use crate::shop::databases::{self, Server, hide_password};
use crate::shop::shards;

/// Options that every command takes. Flags and environment are one here: clap lets a flag win.
#[derive(Clone, Debug, Default, Args)]
pub struct Arguments {
    /// A settings file [default: <DATA_DIR>/chimera.toml, if there is one]
    #[arg(long, global = true, env = "CHIMERA_CONFIG", value_name = "FILE", hide_env_values = true)]
    config: Option<PathBuf>,
    /// Where everything is kept [default: ~/.local/share/chimera; as root /var/lib/chimera]
    #[arg(long, global = true, env = "CHIMERA_HOME", value_name = "DIR", hide_env_values = true)]
    data_dir: Option<PathBuf>,
    /// A PostgreSQL server (wal_level=logical) to use instead of a private one
    #[arg(long, global = true, env = "DATABASE_URL", value_name = "URL", hide_env_values = true)]
    database_url: Option<String>,
    /// A Redis server to use instead of a private one
    #[arg(long, global = true, env = "REDIS_URL", value_name = "URL", hide_env_values = true)]
    redis_url: Option<String>,
    /// A RabbitMQ server to use instead of a private one
    #[arg(long, global = true, env = "RABBITMQ_URL", value_name = "URL", hide_env_values = true)]
    rabbitmq_url: Option<String>,
    /// Who sends mail: smtp://HOST, smtp://USER:PASSWORD@HOST?tls=required or smtps://… [default: letters are written into the folder `mail` in the data folder]
    #[arg(long, global = true, env = "CHIMERA_SMTP_URL", value_name = "URL", hide_env_values = true)]
    smtp_url: Option<String>,
    /// Whom mail is from: `The shop <shop@example.com>`; needed with --smtp-url
    #[arg(long, global = true, env = "CHIMERA_MAIL_FROM", value_name = "SENDER", hide_env_values = true)]
    mail_from: Option<String>,
    /// Bootstrap servers of an Apache Kafka to use instead of the embedded log
    #[arg(long, global = true, env = "CHIMERA_KAFKA", value_name = "HOST:PORT,…", hide_env_values = true)]
    kafka: Option<String>,
    /// Address that the HTTP server listens on, or where other commands find it [default: 127.0.0.1:8080]
    #[arg(long, global = true, env = "CHIMERA_LISTEN", value_name = "ADDRESS", hide_env_values = true)]
    listen: Option<SocketAddr>,
    /// Address by which people reach the HTTP server, if that is another: https://shop.example.com behind a proxy. Access tokens name it
    #[arg(long, global = true, env = "CHIMERA_PUBLIC_URL", value_name = "URL", hide_env_values = true)]
    public_url: Option<String>,
    /// Origins whose pages may call the API from a browser, besides this server's own: https://shop.example.com
    #[arg(
        long = "cors-origin",
        global = true,
        env = "CHIMERA_CORS_ORIGINS",
        value_name = "ORIGIN,…",
        value_delimiter = ',',
        hide_env_values = true
    )]
    cors_origins: Vec<String>,
    /// Proxies in front of the HTTP server: 127.0.0.1, 10.0.0.0/8. Who sends a request is whom their X-Forwarded-For names [default: none]
    #[arg(long, global = true, env = "CHIMERA_TRUSTED_PROXIES", value_name = "NETWORK,…", value_delimiter = ',', hide_env_values = true)]
    trusted_proxies: Vec<String>,
    /// A payment provider to use instead of the simulated one
    #[arg(long, global = true, env = "CHIMERA_PAYMENT_URL", value_name = "URL", hide_env_values = true)]
    payment_url: Option<String>,
    /// What the shop and the payment provider know each other by
    #[arg(long, global = true, env = "CHIMERA_PAYMENT_SECRET", value_name = "SECRET", hide_env_values = true)]
    payment_secret: Option<String>,
    /// Address on which live views speak PostgreSQL's protocol [default: 127.0.0.1:5433, or a free port if that is taken]
    #[arg(long, global = true, env = "CHIMERA_LISTEN_PG", value_name = "ADDRESS", hide_env_values = true)]
    listen_pg: Option<SocketAddr>,
    /// Address on which programs ask for discounts by gRPC [default: 127.0.0.1:5051, or a free port if that is taken]
    #[arg(long, global = true, env = "CHIMERA_LISTEN_GRPC", value_name = "ADDRESS", hide_env_values = true)]
    listen_grpc: Option<SocketAddr>,
    /// The certificate of gRPC, with those between it and its CA; with it gRPC is spoken by TLS
    #[arg(long, global = true, env = "CHIMERA_GRPC_CERTIFICATE", value_name = "PEM", hide_env_values = true)]
    grpc_certificate: Option<PathBuf>,
    /// The private key of --grpc-certificate
    #[arg(long, global = true, env = "CHIMERA_GRPC_KEY", value_name = "PEM", hide_env_values = true)]
    grpc_key: Option<PathBuf>,
    /// A CA: who speaks gRPC must show a certificate of it
    #[arg(long, global = true, env = "CHIMERA_GRPC_CLIENT_CA", value_name = "PEM", hide_env_values = true)]
    grpc_client_ca: Option<PathBuf>,
    /// Machines that run `chimera host` and compute the pipelines, instead of this process
    #[arg(long, global = true, env = "CHIMERA_HOSTS", value_name = "HOST:PORT,…", value_delimiter = ',', hide_env_values = true)]
    hosts: Vec<String>,
    /// The token that `chimera up` and its hosts share
    #[arg(long, global = true, env = "CHIMERA_HOSTS_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    hosts_token: Option<String>,
    /// This machine's certificate, for the others that compute pipelines, with those between it and their CA: connections between them are by TLS then
    #[arg(long, global = true, env = hosts::TLS_VARIABLES[0], value_name = "PEM", hide_env_values = true)]
    hosts_certificate: Option<PathBuf>,
    /// The private key of --hosts-certificate
    #[arg(long, global = true, env = hosts::TLS_VARIABLES[1], value_name = "PEM", hide_env_values = true)]
    hosts_key: Option<PathBuf>,
    /// The CA of all these machines' certificates
    #[arg(long, global = true, env = hosts::TLS_VARIABLES[2], value_name = "PEM", hide_env_values = true)]
    hosts_ca: Option<PathBuf>,
    /// An object store in which checkpoints are kept too, for a machine that loses its disk
    #[arg(long, global = true, env = "CHIMERA_CHECKPOINTS", value_name = "URL", hide_env_values = true)]
    checkpoints: Option<String>,
    /// A streaming replica of the PostgreSQL server, for reads that need not see its last moment
    #[arg(long, global = true, env = "CHIMERA_REPLICA_URL", value_name = "URL", hide_env_values = true)]
    replica_url: Option<String>,
    /// Databases that orders are spread over, by who bought; to be decided before the first order [default: 1]
    #[arg(long, global = true, env = "CHIMERA_ORDER_SHARDS", value_name = "N", value_parser = clap::value_parser!(u8).range(1..=i64::from(shards::MAX)), hide_env_values = true)]
    order_shards: Option<u8>,
    /// PostgreSQL servers of the second of these databases, of the third, …; the others are on the server of --database-url
    #[arg(long, global = true, env = "CHIMERA_ORDER_SHARD_URLS", value_name = "URL,…", value_delimiter = ',', hide_env_values = true)]
    order_shard_urls: Vec<String>,
    /// Where large pictures of products are kept: file:///FOLDER or s3://BUCKET/PREFIX [default: the folder `objects` in the data folder]
    #[arg(long, global = true, env = "CHIMERA_PICTURES", value_name = "URL", hide_env_values = true)]
    pictures: Option<String>,
    /// Where outside data is found: online-retail/, icecat/, … [default: ../shared/data]
    #[arg(long, global = true, env = "CHIMERA_DATA", value_name = "DIR", hide_env_values = true)]
    outside_data: Option<PathBuf>,
    /// Memory that the state of all pipelines may take; what is more is on disk [default: 1GiB]
    #[arg(long, global = true, env = "CHIMERA_MEMORY", value_name = "SIZE", hide_env_values = true)]
    memory: Option<Size>,
}

/// The settings file: every key is optional, unknown ones are errors.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    database_url: Option<String>,
    redis_url: Option<String>,
    rabbitmq_url: Option<String>,
    smtp_url: Option<String>,
    mail_from: Option<String>,
    kafka: Option<String>,
    listen: Option<SocketAddr>,
    public_url: Option<String>,
    cors_origins: Option<Vec<String>>,
    trusted_proxies: Option<Vec<String>>,
    payment_url: Option<String>,
    payment_secret: Option<String>,
    listen_pg: Option<SocketAddr>,
    listen_grpc: Option<SocketAddr>,
    grpc_certificate: Option<PathBuf>,
    grpc_key: Option<PathBuf>,
    grpc_client_ca: Option<PathBuf>,
    hosts: Option<Vec<String>>,
    hosts_token: Option<String>,
    hosts_certificate: Option<PathBuf>,
    hosts_key: Option<PathBuf>,
    hosts_ca: Option<PathBuf>,
    checkpoints: Option<String>,
    replica_url: Option<String>,
    order_shards: Option<u8>,
    order_shard_urls: Option<Vec<String>>,
    pictures: Option<String>,
    outside_data: Option<PathBuf>,
    memory: Option<Size>,
}

/// What is in force.
#[derive(Clone, Debug, Serialize)]
pub struct Settings {
    pub data_dir: PathBuf,
    /// `None`: a private server in the data folder.
    pub database_url: Option<String>,
    /// `None`: a private server in the data folder.
    pub redis_url: Option<String>,
    /// `None`: a private server in the data folder.
    pub rabbitmq_url: Option<String>,
    /// `None`: letters become files in the data folder.
    pub smtp_url: Option<String>,
    pub mail_from: Option<String>,
    /// `None`: the embedded log in the data folder.
    pub kafka: Option<String>,
    pub listen: SocketAddr,
    /// Whether `listen` was asked for, or is only the default.
    #[serde(skip)]
    pub listen_is_given: bool,
    /// Without `/` at its end. `None`: `http://` and the address that is listened on.
    pub public_url: Option<String>,
    /// Empty: pages of this server only.
    pub cors_origins: Vec<String>,
    /// Empty: who sends a request is the peer of its connection.
    pub trusted_proxies: Vec<String>,
    /// `None`: the simulated provider.
    pub payment_url: Option<String>,
    #[serde(skip)]
    pub payment_secret: Option<String>,
    /// `None`: the default, or a free port.
    pub listen_pg: Option<SocketAddr>,
    /// `None`: the default, or a free port.
    pub listen_grpc: Option<SocketAddr>,
    /// `None`: gRPC is spoken without TLS.
    pub grpc_certificate: Option<PathBuf>,
    pub grpc_key: Option<PathBuf>,
    /// `None`: clients of gRPC need no certificate.
    pub grpc_client_ca: Option<PathBuf>,
    /// Empty: this process computes.
    pub hosts: Vec<String>,
    #[serde(skip)]
    pub hosts_token: Option<String>,
    /// `None`, as the two below: connections between machines are neither encrypted nor signed.
    pub hosts_certificate: Option<PathBuf>,
    pub hosts_key: Option<PathBuf>,
    pub hosts_ca: Option<PathBuf>,
    /// `file:///folder` or `s3://bucket/prefix`.
    pub checkpoints: Option<String>,
    /// `None`: the primary.
    pub replica_url: Option<String>,
    /// Databases that orders are spread over.
    pub order_shards: u8,
    /// The servers of those beside the first; where there is none, that of `database_url`.
    pub order_shard_urls: Vec<String>,
    /// `file:///folder` or `s3://bucket/prefix`. `None`: a folder in the data folder.
    pub pictures: Option<String>,
    pub outside_data: PathBuf,
    /// What the state of all pipelines may take of memory.
    pub memory: Size,
}

const MEMORY: Size = Size(1 << 30);
const LEAST_MEMORY: Size = Size(64 << 20);

impl Settings {
    pub fn load(arguments: &Arguments) -> anyhow::Result<Self> {
        let data_dir = match &arguments.data_dir {
            Some(dir) => std::path::absolute(dir).with_context(|| format!("cannot use {} as data folder", dir.display()))?,
            None => default_data_dir()?,
        };
        let file = match &arguments.config {
            Some(path) => read_file(path)?,
            None => {
                let path = data_dir.join("chimera.toml");
                if path.exists() { read_file(&path)? } else { File::default() }
            }
        };
        let listen = arguments.listen.or(file.listen);
        let order_shards = arguments.order_shards.or(file.order_shards).unwrap_or(1);
        let order_shard_urls = listed(&arguments.order_shard_urls, file.order_shard_urls);
        if !(1..=shards::MAX).contains(&order_shards) {
            bail!("orders can be spread over 1 to {} databases, not over {order_shards}", shards::MAX);
        }
        if order_shard_urls.len() >= usize::from(order_shards) {
            let urls = order_shard_urls.len();
            bail!(
                "{urls} servers for {order_shards} database(s) of orders: the first is on the main server, so give --order-shards {}",
                urls + 1
            );
        }
        let memory = arguments.memory.or(file.memory).unwrap_or(MEMORY);
        if memory < LEAST_MEMORY {
            bail!("{memory} is too little memory for pipelines; give them {LEAST_MEMORY} or more");
        }
        Ok(Self {
            data_dir,
            database_url: given(&arguments.database_url).or(file.database_url),
            redis_url: given(&arguments.redis_url).or(file.redis_url),
            rabbitmq_url: given(&arguments.rabbitmq_url).or(file.rabbitmq_url),
            smtp_url: given(&arguments.smtp_url).or(file.smtp_url),
            mail_from: given(&arguments.mail_from).or(file.mail_from),
            kafka: given(&arguments.kafka).or(file.kafka),
            listen: listen.unwrap_or(SocketAddr::from(([127, 0, 0, 1], 8080))),
            listen_is_given: listen.is_some(),
            public_url: given(&arguments.public_url).or(file.public_url).map(|url| public_url(&url)).transpose()?,
            cors_origins: listed(&arguments.cors_origins, file.cors_origins),
            trusted_proxies: listed(&arguments.trusted_proxies, file.trusted_proxies),
            listen_pg: arguments.listen_pg.or(file.listen_pg),
            listen_grpc: arguments.listen_grpc.or(file.listen_grpc),
            grpc_certificate: arguments.grpc_certificate.clone().or(file.grpc_certificate),
            grpc_key: arguments.grpc_key.clone().or(file.grpc_key),
            grpc_client_ca: arguments.grpc_client_ca.clone().or(file.grpc_client_ca),
            hosts: hosts(listed(&arguments.hosts, file.hosts))?,
            payment_url: given(&arguments.payment_url).or(file.payment_url),
            payment_secret: given(&arguments.payment_secret).or(file.payment_secret),
            hosts_token: given(&arguments.hosts_token).or(file.hosts_token),
            hosts_certificate: arguments.hosts_certificate.clone().or(file.hosts_certificate),
            hosts_key: arguments.hosts_key.clone().or(file.hosts_key),
            hosts_ca: arguments.hosts_ca.clone().or(file.hosts_ca),
            checkpoints: given(&arguments.checkpoints).or(file.checkpoints),
            replica_url: given(&arguments.replica_url).or(file.replica_url),
            order_shards,
            order_shard_urls,
            pictures: given(&arguments.pictures).or(file.pictures),
            outside_data: arguments.outside_data.clone().or(file.outside_data).unwrap_or_else(|| PathBuf::from("../shared/data")),
            memory,
        })
    }

    /// The server at `url`, and those of the other databases of orders.
    ///
    /// # Errors
    /// One of the addresses is none.
    pub fn server(&self, url: &str) -> Result<Server, databases::Error> {
        Server::with_shards(url, &self.shard_urls(url))
    }

    /// Where the databases of orders are beside the first, which is at `url`.
    pub fn shard_urls(&self, url: &str) -> Vec<String> {
        let given = self.order_shard_urls.iter().map(String::as_str);
        given.chain(std::iter::repeat(url)).take(usize::from(self.order_shards) - 1).map(str::to_owned).collect()
    }

    /// How gRPC is spoken; `None`: without TLS.
    pub fn grpc_tls(&self) -> anyhow::Result<Option<Tls>> {
        match (self.grpc_certificate.clone(), self.grpc_key.clone(), self.grpc_client_ca.clone()) {
            (Some(certificate), Some(key), client_ca) => Ok(Some(Tls::load(&Files { certificate, key, client_ca })?)),
            (None, None, None) => Ok(None),
            _ => bail!("gRPC by TLS needs both --grpc-certificate and --grpc-key"),
        }
    }

    /// How machines that compute pipelines speak to each other; `None`: without TLS.
    pub fn hosts_tls(&self) -> anyhow::Result<Option<hosts::Tls>> {
        match (self.hosts_certificate.clone(), self.hosts_key.clone(), self.hosts_ca.clone()) {
            (Some(certificate), Some(key), Some(ca)) => Ok(Some(hosts::Tls::load(hosts::Files { certificate, key, ca })?)),
            (None, None, None) => Ok(None),
            _ => bail!("TLS between machines needs --hosts-certificate, --hosts-key and --hosts-ca"),
        }
    }

    /// As TOML, without passwords.
    pub fn printable(&self) -> anyhow::Result<String> {
        let mut shown = self.clone();
        let urls = [&mut shown.database_url, &mut shown.redis_url, &mut shown.rabbitmq_url, &mut shown.smtp_url, &mut shown.replica_url];
        for url in urls.into_iter().flatten().chain(&mut shown.order_shard_urls) {
            *url = hide_password(url);
        }
        toml::to_string(&shown).context("cannot write the settings as TOML")
    }
}

/// Of HTTP, and without a path.
fn public_url(given: &str) -> anyhow::Result<String> {
    let url = reqwest::Url::parse(given).with_context(|| format!("`{given}` is no address such as https://shop.example.com"))?;
    if !matches!(url.scheme(), "http" | "https") || url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
        bail!("`{given}` is no public address: write the scheme and the host only, as in https://shop.example.com");
    }
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

/// Each with a port, and none twice.
fn hosts(given: Vec<String>) -> anyhow::Result<Vec<String>> {
    for (index, host) in given.iter().enumerate() {
        let port = host.rsplit_once(':').and_then(|(name, port)| port.parse::<u16>().ok().filter(|_| !name.is_empty()));
        if port.is_none_or(|port| port == 0) {
            bail!("`{host}` is no address of a host; write HOST:PORT, as in 10.0.0.2:7070");
        }
        if given[..index].contains(host) {
            bail!("host {host} is named twice");
        }
    }
    Ok(given)
}

/// The same of a list.
fn listed(values: &[String], file: Option<Vec<String>>) -> Vec<String> {
    if values.iter().all(String::is_empty) { file.unwrap_or_default() } else { values.to_vec() }
}

/// An empty variable in the environment is as good as none.
fn given(value: &Option<String>) -> Option<String> {
    value.clone().filter(|value| !value.is_empty())
}

fn read_file(path: &Path) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read the settings file {}", path.display()))?;
    toml::from_str(&text).with_context(|| format!("the settings file {} is wrong", path.display()))
}

fn default_data_dir() -> anyhow::Result<PathBuf> {
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    if let Some(share) = folder("XDG_DATA_HOME") {
        return Ok(share.join("chimera"));
    }
    // As root the private servers run as users of their own, who may not enter root's home.
    if std::fs::metadata("/proc/self").is_ok_and(|process| std::os::unix::fs::MetadataExt::uid(&process) == 0) {
        return Ok(PathBuf::from("/var/lib/chimera"));
    }
    match folder("HOME") {
        Some(home) => Ok(home.join(".local/share/chimera")),
        None => bail!("there is no HOME to keep data in; say where with --data-dir"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flag_wins_over_the_file_and_a_misspelt_key_is_an_error() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("chimera.toml"), "listen = \"127.0.0.1:9000\"\nredis_url = \"redis://a:b@127.0.0.1:1/\"\n")
            .expect("written");
        let arguments = Arguments { data_dir: Some(folder.path().to_owned()), redis_url: Some(String::new()), ..Arguments::default() };
        let settings = Settings::load(&arguments).expect("good settings");
        assert_eq!(settings.listen.port(), 9000);
        assert_eq!(settings.redis_url.as_deref(), Some("redis://a:b@127.0.0.1:1/"));
        assert!(!settings.printable().expect("TOML").contains(":b@"));
        let arguments = Arguments { listen: Some(([127, 0, 0, 1], 9001).into()), ..arguments };
        assert_eq!(Settings::load(&arguments).expect("good settings").listen.port(), 9001);
        assert_eq!(settings.memory, Size(1 << 30));
        std::fs::write(folder.path().join("chimera.toml"), "memory = \"2GiB\"\n").expect("written");
        assert_eq!(Settings::load(&arguments).expect("good settings").memory, Size(2 << 30));
        let error = Settings::load(&Arguments { memory: Some(Size(1 << 20)), ..arguments.clone() }).expect_err("too little");
        assert!(error.to_string().contains("1MiB is too little memory"), "{error}");
        std::fs::write(folder.path().join("chimera.toml"), "lisen = \"127.0.0.1:9000\"\n").expect("written");
        let error = format!("{:#}", Settings::load(&arguments).expect_err("a misspelt key"));
        assert!(error.contains("lisen"), "{error}");
    }
}
