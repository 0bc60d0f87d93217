//! A store over TLS, to a real server whose certificate an authority of the test's own signed.

#![allow(clippy::unwrap_used, reason = "a test")]

mod redis_server;

use std::{fs, path::PathBuf, time::Duration};

use cache_core::{
    backend::{ConnectError, RedisBuilder, RedisStore},
    entry::Writer,
    key::Key,
    store::Store,
};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use redis_server::{private::Server, unique};

struct SecureServer {
    _server: Server,
    folder: PathBuf,
    port: u16,
    authority: String,
}

impl SecureServer {
    fn start() -> Self {
        let folder = std::env::temp_dir().join(unique());
        fs::create_dir(&folder).unwrap();
        let authority = authority();
        let key = KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let signed = CertificateParams::new(names).unwrap().signed_by(&key, &authority.1).unwrap();
        let file = |name: &str, text: String| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let certificate = file("server.crt", signed.pem());
        let key = file("server.key", key.serialize_pem());
        let ca = file("ca.crt", authority.0.clone());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let server = Server::start_with(&[
            "--requirepass",
            "hunter2",
            "--tls-port",
            &port.to_string(),
            "--tls-auth-clients",
            "no",
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &ca,
        ]);
        SecureServer { _server: server, folder, port, authority: authority.0 }
    }

    fn builder(&self) -> RedisBuilder {
        RedisStore::builder(format!("rediss://:hunter2@localhost:{}/0", self.port))
    }
}

impl Drop for SecureServer {
    fn drop(&mut self) {
        // Nobody minds what is left in the temporary folder.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// The certificate of an authority, and what signs with it.
fn authority() -> (String, Issuer<'static, KeyPair>) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).unwrap().pem();
    (certificate, Issuer::new(params, key))
}

#[tokio::test]
async fn a_server_is_trusted_if_the_authority_given_signed_its_certificate() {
    let server = SecureServer::start();
    let store = server.builder().certificate_authority(server.authority.clone()).connect().await.unwrap();
    let (schema, cells) = (Key::from("{schema}".to_owned()), [Key::from("{a}".to_owned())]);
    store.fence(&schema, &cells, Writer(1), Duration::from_secs(60)).await.unwrap();
    assert_eq!(store.release(&cells, Writer(1)).await.unwrap(), 0);
    assert!(!format!("{store:?}").contains("hunter2"));

    for builder in [server.builder(), server.builder().certificate_authority(authority().0)] {
        let error = builder.connect().await.unwrap_err();
        assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn an_authority_that_is_none_is_refused_before_connecting() {
    for pem in ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let error =
            RedisStore::builder("rediss://nowhere.invalid").certificate_authority(pem).connect().await;
        assert!(matches!(error, Err(ConnectError::InvalidAuthority)), "{error:?}");
    }
    let plain = RedisStore::builder("redis://nowhere.invalid").certificate_authority(authority().0);
    assert!(matches!(plain.connect().await, Err(ConnectError::InvalidUrl { part: "scheme", .. })));
}
