//! The checks of endpoints, clients and breakers.

use std::{sync::Arc, time::Duration};

use doorward_keys::Secret;

use super::{
    Assertion, BreakerConfig, Client, ClientAuth, Endpoint, RawBreaker, RawClient, RawEndpoint,
    Secrets, SigningKey,
    raw::{FAILURES, OPEN, RawClientAuth, TIMEOUT},
};
use crate::{
    config::{ConfigEnv, Faults, Problem, RawSecret, pem, values::shown},
    layers::jwt::{Algorithm, Fields, Origin, check_address},
};

/// The longest `client_id`, in bytes.
const MAX_ID: usize = 256;

/// Where an endpoint stands in the configuration.
#[derive(Clone, Copy)]
pub(crate) struct EndpointAt<'a> {
    /// The path of its table.
    pub(crate) path: &'a str,
    /// The setting with its address.
    pub(crate) setting: &'static str,
    /// Whom assertions are for where nothing is said; its address where this is empty.
    pub(crate) audience: &'a str,
    /// The longest answer, in bytes.
    pub(crate) max_bytes: usize,
}

impl EndpointAt<'_> {
    /// The endpoint; with faults it must not be used.
    pub(crate) fn check(
        self,
        raw: RawEndpoint,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Option<Endpoint> {
        let at = |field: &str| format!("{}.{field}", self.path);
        match &raw.url {
            None if faults.is_replaced(&at(self.setting)) => {}
            None => {
                let what = "the https address to ask";
                faults.problem(at(self.setting), Problem::Missing { what });
            }
            Some(url) => {
                let mut fields = Fields {
                    path: self.path,
                    faults,
                };
                check_address(self.setting, url, raw.http, &mut fields, "");
            }
        }
        let timeout = TIMEOUT.check(raw.timeout_ms, &at("timeout_ms"), faults);
        let authority = raw
            .ca_file
            .and_then(|file| pem::authorities(&file, &at("ca_file"), env, faults));
        let url = raw.url.unwrap_or_default();
        let audience = if self.audience.is_empty() {
            &url
        } else {
            self.audience
        };
        if raw.client.is_none() && !faults.is_replaced(&at("client")) {
            let what = "who this gate is at the server: `id`, and what proves it";
            faults.problem(at("client"), Problem::Missing { what });
        }
        let client = raw
            .client
            .and_then(|client| client.check(&at("client"), audience, env, faults));
        Some(Endpoint {
            url,
            origin: if raw.http {
                Origin::Anywhere
            } else {
                Origin::Public
            },
            client: client?,
            authority,
            timeout: Duration::from_millis(timeout.into()),
            max_bytes: self.max_bytes,
        })
    }
}

impl RawClient {
    fn check(
        self,
        path: &str,
        audience: &str,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Option<Client> {
        let at = |field: &str| format!("{path}.{field}");
        let id = self.id(&at("id"), faults);
        let auth = self.auth.unwrap_or(RawClientAuth::ClientSecretBasic);
        self.needless(auth, path, faults);
        let auth = match auth {
            RawClientAuth::ClientSecretBasic => {
                self.secrets(path, env, faults).map(ClientAuth::Basic)
            }
            RawClientAuth::ClientSecretPost => {
                self.secrets(path, env, faults).map(ClientAuth::Post)
            }
            RawClientAuth::PrivateKeyJwt => self
                .assertion(path, audience, env, faults)
                .map(|assertion| ClientAuth::PrivateKeyJwt(Arc::new(assertion))),
            RawClientAuth::TlsClientAuth => self
                .identity(path, env, faults)
                .map(ClientAuth::Certificate),
        };
        Some(Client {
            id: id?,
            auth: auth?,
        })
    }

    fn id(&self, path: &str, faults: &mut Faults) -> Option<String> {
        match &self.id {
            // RFC 6749 appendix A.1: visible characters and spaces.
            Some(id)
                if (1..=MAX_ID).contains(&id.len())
                    && id.bytes().all(|b| matches!(b, 0x20..=0x7e)) =>
            {
                Some(id.clone())
            }
            Some(id) => {
                let found = shown(id);
                let message = format!(
                    "must be 1 to {MAX_ID} printable characters (RFC 6749 appendix A.1), found `{found}`"
                );
                faults.add(path, message);
                None
            }
            None => {
                if !faults.is_replaced(path) {
                    let what = "the client id that the server knows this gate by";
                    faults.problem(path, Problem::Missing { what });
                }
                None
            }
        }
    }

    /// Settings that do nothing with this `auth` are faults: somebody thinks that they do.
    fn needless(&self, auth: RawClientAuth, path: &str, faults: &mut Faults) {
        use RawClientAuth::{ClientSecretBasic, ClientSecretPost, PrivateKeyJwt, TlsClientAuth};
        let secret: &[RawClientAuth] = &[ClientSecretBasic, ClientSecretPost];
        for (setting, is_set, fits) in [
            ("secret", self.secret.is_some(), secret),
            ("previous_secret", self.previous_secret.is_some(), secret),
            (
                "private_key",
                self.private_key.is_some(),
                &[PrivateKeyJwt, TlsClientAuth],
            ),
            ("key_id", self.key_id.is_some(), &[PrivateKeyJwt]),
            ("algorithm", self.algorithm.is_some(), &[PrivateKeyJwt]),
            ("audience", self.audience.is_some(), &[PrivateKeyJwt]),
            (
                "certificate_file",
                self.certificate_file.is_some(),
                &[TlsClientAuth],
            ),
        ] {
            if is_set && !fits.contains(&auth) && !faults.is_replaced(&format!("{path}.auth")) {
                let place = format!("{path}.{setting}");
                faults.add(
                    place,
                    format!("has no effect with `auth = \"{}\"`", auth.as_str()),
                );
            }
        }
    }

    fn secrets(&self, path: &str, env: &ConfigEnv<'_>, faults: &mut Faults) -> Option<Secrets> {
        let what = "where the client secret is, such as `ssm:/doorward/client-secret`";
        let current = fetch(self.secret.as_ref(), path, "secret", what, env, faults);
        let place = format!("{path}.previous_secret");
        let previous = self
            .previous_secret
            .as_ref()
            .and_then(|raw| raw.fetch(&place, env, faults));
        Some(Secrets {
            current: current?,
            previous,
        })
    }

    fn assertion(
        &self,
        path: &str,
        audience: &str,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Option<Assertion> {
        let place = format!("{path}.algorithm");
        let algorithm = self.algorithm.as_deref().and_then(Algorithm::named);
        match (&self.algorithm, algorithm) {
            (_, Some(_)) => {}
            (None, None) if faults.is_replaced(&place) => {}
            (None, None) => {
                let what = "the algorithm that the server expects, such as `ES256`";
                faults.problem(place, Problem::Missing { what });
            }
            (Some(found), None) => {
                let names: Vec<&str> = Algorithm::ALL.iter().map(|a| a.name()).collect();
                let found = shown(found);
                let message = format!("must be one of {}, found `{found}`", names.join(" "));
                faults.add(place, message);
            }
        }
        let what = "where the private key is, such as `ssm:/doorward/client-key`";
        let pem = fetch(
            self.private_key.as_ref(),
            path,
            "private_key",
            what,
            env,
            faults,
        );
        let key = match SigningKey::parse(pem?.expose(), algorithm?) {
            Ok(key) => Some(key),
            Err(why) => {
                faults.add(format!("{path}.private_key"), why);
                None
            }
        };
        Some(Assertion {
            key: key?,
            key_id: self.key_id.clone(),
            audience: self.audience.clone().unwrap_or_else(|| audience.to_owned()),
        })
    }

    /// Certificate and key in one text, as the client of the network takes them.
    fn identity(
        &self,
        path: &str,
        env: &ConfigEnv<'_>,
        faults: &mut Faults,
    ) -> Option<Secret<String>> {
        let what = "where the private key is, such as `ssm:/doorward/client-key`";
        let key = fetch(
            self.private_key.as_ref(),
            path,
            "private_key",
            what,
            env,
            faults,
        );
        let place = format!("{path}.certificate_file");
        if self.certificate_file.is_none() && !faults.is_replaced(&place) {
            let what = "the file with the client certificate";
            faults.problem(&place, Problem::Missing { what });
        }
        let file = self.certificate_file.as_ref();
        let certificate = file.and_then(|file| read(file, &place, env, faults))?;
        let chain = pem::certificates(&certificate)
            .map_err(|why| faults.add(place, why))
            .ok();
        let key = key?;
        if let Some(chain) = chain
            && let Err(why) = pem::belong_together(&chain, key.expose())
        {
            faults.add(format!("{path}.private_key"), why);
        }
        Some(Secret::new(format!("{certificate}\n{}\n", key.expose())))
    }
}

impl RawBreaker {
    pub(crate) fn check(self, path: &str, faults: &mut Faults) -> BreakerConfig {
        BreakerConfig {
            failures: FAILURES.check(self.failures, &format!("{path}.failures"), faults),
            open_seconds: OPEN.check(self.open_seconds, &format!("{path}.open_seconds"), faults),
            shared: self.shared.unwrap_or(false),
        }
    }
}

fn fetch(
    raw: Option<&RawSecret>,
    path: &str,
    setting: &str,
    what: &'static str,
    env: &ConfigEnv<'_>,
    faults: &mut Faults,
) -> Option<Secret<String>> {
    let place = format!("{path}.{setting}");
    let Some(raw) = raw else {
        if !faults.is_replaced(&place) && !faults.is_replaced(&format!("{path}.auth")) {
            faults.problem(place, Problem::Missing { what });
        }
        return None;
    };
    raw.fetch(&place, env, faults)
}

fn read(file: &str, path: &str, env: &ConfigEnv<'_>, faults: &mut Faults) -> Option<String> {
    (env.read_file)(file)
        .map_err(|reason| {
            let (file, reason) = (shown(file), shown(&reason));
            faults.problem(path, Problem::FileUnread { file, reason });
        })
        .ok()
}
