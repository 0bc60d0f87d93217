//! Over TLS, to a real server whose certificate an authority of the test's own signed.

use std::{fs, path::PathBuf};

use cache_values::backend::{ConnectError, RedisBackend, RedisBackendBuilder};
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};

use crate::{
    contract::contract,
    redis_server::{private::Server, unique},
    users::NEEDED,
};

struct SecureServer {
    _server: Server,
    folder: PathBuf,
    port: u16,
    authority: String,
}

impl SecureServer {
    /// With a user who may do only what it takes.
    async fn start() -> Self {
        let folder = std::env::temp_dir().join(unique());
        fs::create_dir(&folder).unwrap();
        let (authority, issuer) = authority();
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        let certificate = certificate.signed_by(&key, &issuer).unwrap().pem();
        let file = |name: &str, text: &str| {
            let path = folder.join(name);
            fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let [certificate, key, ca] = [
            file("server.crt", &certificate),
            file("server.key", &key.serialize_pem()),
            file("ca.crt", &authority),
        ];
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Server::start_with(&[
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
        let () = server.say(&format!("ACL SETUSER app on >hunter2 {NEEDED}")).await;
        SecureServer { _server: server, folder, port, authority }
    }

    fn builder(&self) -> RedisBackendBuilder {
        RedisBackend::builder(format!("rediss://app:hunter2@localhost:{}/0", self.port))
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

#[tokio::test(flavor = "multi_thread")]
async fn a_server_over_tls_keeps_the_contract_for_a_user_with_few_commands() {
    let server = SecureServer::start().await;
    let backend = server.builder().certificate_authority(server.authority.clone()).connect().await.unwrap();
    contract(&backend).await;
    assert!(!format!("{backend:?}").contains("hunter2"));
}

#[tokio::test]
async fn a_server_that_the_authority_did_not_sign_is_refused() {
    let server = SecureServer::start().await;
    for builder in [server.builder(), server.builder().certificate_authority(authority().0)] {
        let error = builder.connect().await.unwrap_err();
        assert!(matches!(error, ConnectError::Unreachable { .. }), "{error:?}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
    }
}

#[test]
fn an_authority_that_is_none_or_would_not_be_asked_is_refused() {
    for scheme in ["rediss", "rediss+cluster"] {
        let builder = RedisBackend::builder(format!("{scheme}://nowhere.invalid"));
        let error = builder.certificate_authority("").open();
        assert!(matches!(error, Err(ConnectError::InvalidAuthority)), "{error:?}");
    }
    for scheme in ["redis", "redis+cluster"] {
        let builder = RedisBackend::builder(format!("{scheme}://nowhere.invalid"));
        let error = builder.certificate_authority(authority().0).open();
        assert!(matches!(error, Err(ConnectError::InvalidUrl { part: "scheme", .. })), "{error:?}");
    }
}
