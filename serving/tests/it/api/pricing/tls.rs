//! gRPC between programs that know each other by certificates. OpenSSL makes them.

use std::path::Path;
use std::sync::Arc;

use chimera_serving::grpc;
use chimera_serving::grpc::proto::GetApplicableDiscountsRequest;
use chimera_serving::grpc::proto::discount_service_client::DiscountServiceClient;
use chimera_serving::grpc::tls::{Files, Tls};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore};
use tonic::Code;
use tonic::transport::{Channel, Endpoint};

use super::super::server::Server;
use crate::certificates;

/// A channel of somebody who trusts the CA `shop`, and shows the certificate of this name.
async fn connect(folder: &Path, port: u16, shown: Option<&str>) -> Result<Channel, tonic::transport::Error> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(folder.join("shop.pem")).unwrap()).unwrap();
    let config =
        ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider())).with_safe_default_protocol_versions().unwrap();
    let config = config.with_root_certificates(roots);
    let mut config = match shown {
        None => config.with_no_client_auth(),
        Some(name) => {
            let certificate = CertificateDer::from_pem_file(folder.join(format!("{name}.pem"))).unwrap();
            let key = PrivateKeyDer::from_pem_file(folder.join(format!("{name}.key"))).unwrap();
            config.with_client_auth_cert(vec![certificate], key).unwrap()
        }
    };
    config.alpn_protocols = vec![b"h2".to_vec()];
    let connector = TlsConnector::from(Arc::new(config));
    let connect = tower::service_fn(move |_| {
        let connector = connector.clone();
        async move {
            let connection = TcpStream::connect(("127.0.0.1", port)).await?;
            let secured = connector.connect(ServerName::try_from("localhost").unwrap(), connection).await?;
            Ok::<_, std::io::Error>(TokioIo::new(secured))
        }
    });
    Endpoint::from_static("http://localhost").connect_with_connector(connect).await
}

/// What a call without a token comes to.
async fn called(channel: Result<Channel, tonic::transport::Error>) -> Option<Code> {
    let mut client = DiscountServiceClient::new(channel.ok()?);
    Some(client.get_applicable_discounts(GetApplicableDiscountsRequest::default()).await.expect_err("no token").code())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_no_certificate_of_the_shops_ca_does_not_get_to_the_service() {
    if !certificates::can_be_made() {
        return;
    }
    let Some(server) = Server::start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    for (ca, name) in [("shop", "server"), ("shop", "program"), ("stranger", "other")] {
        if !folder.path().join(format!("{ca}.pem")).exists() {
            certificates::make_ca(folder.path(), ca);
        }
        certificates::make(folder.path(), ca, name, "DNS:localhost");
    }
    let file = |name: &str| folder.path().join(name);
    let files = Files { certificate: file("server.pem"), key: file("server.key"), client_ca: Some(file("shop.pem")) };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let running = tokio::spawn(grpc::serve(server.app.clone(), listener, Some(Tls::load(&files).unwrap()), std::future::pending()));

    // The service itself is reached, which then asks for a token.
    assert_eq!(called(connect(folder.path(), port, Some("program")).await).await, Some(Code::Unauthenticated));
    for shown in [None, Some("other")] {
        let refused = called(connect(folder.path(), port, shown).await).await;
        // How a broken handshake is told differs; the service would have asked for a token.
        assert_ne!(refused, Some(Code::Unauthenticated), "{shown:?}");
    }
    let plain = Endpoint::from_shared(format!("http://127.0.0.1:{port}")).unwrap().connect().await;
    let refused = called(plain).await;
    assert_ne!(refused, Some(Code::Unauthenticated), "without TLS");
    running.abort();

    // What cannot work is said at the start.
    let wrong = Files { key: file("other.key"), ..files.clone() };
    assert!(Tls::load(&wrong).err().unwrap().to_string().contains("cannot be used"));
    let missing = Files { client_ca: Some(file("nowhere.pem")), ..files.clone() };
    assert!(Tls::load(&missing).err().unwrap().to_string().contains("nowhere.pem"));
    std::fs::write(file("empty.pem"), "").unwrap();
    let empty = Files { certificate: file("empty.pem"), ..files };
    assert!(Tls::load(&empty).err().unwrap().to_string().contains("no certificate"));
}
