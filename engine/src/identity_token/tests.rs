//! What a token says, for how long, and what signs it.

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
        Ed25519KeyPair, KeyPair as _, UnparsedPublicKey,
    },
};
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::*;
use crate::{
    config::{Config, ConfigEnv},
    test_support::NOW,
};

fn p256() -> String {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    STANDARD.encode(pair.to_pkcs8v1().unwrap())
}

fn ed25519() -> String {
    let pair = Ed25519KeyPair::generate().unwrap();
    STANDARD.encode(pair.to_pkcs8v1().unwrap())
}

/// The configuration with this signing key, whatever the reference.
fn config(reference: &str, key: &str) -> Arc<IdentityTokenConfig> {
    let text = format!(
        "[identity_token]\nissuer = \"https://gate\"\naudience = \"backend\"\nsigning_key = \"{reference}\"\n\
         [[routes]]\nroute = \"GET /\"\ncredentials = [\"anonymous\"]\n"
    );
    let env = ConfigEnv {
        read_file: &|_| Err(String::new()),
        secret: &|_| Ok(Secret::new(key.to_owned())),
    };
    let checked = Config::read(&text, "test", &env).unwrap();
    checked.config.identity_token.unwrap()
}

fn facts(pairs: &[(&str, &str)]) -> Context {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned().into(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

fn of_alice(context: &Context) -> Bearer<'_> {
    Bearer {
        principal: "user|https://id|alice",
        valid_until: Some(NOW.plus(3600)),
        context,
        carried_bytes: 0,
    }
}

fn part(token: &IdentityToken, index: usize) -> Value {
    let part = token.text().expose().split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

#[tokio::test]
async fn says_who_is_calling_and_nothing_of_limits() {
    let tokens = IdentityTokens::new(config("env:KEY", &p256()), None, 4096);
    let context = facts(&[
        ("subject", "alice"),
        ("tenant", "acmé"),
        ("scopes", "a b"),
        ("credential", "jwt"),
        ("remaining", "3"),
        ("rateLimited", "true"),
        ("area", "orders"),
    ]);
    let token = tokens.mint(of_alice(&context), NOW).await.unwrap();
    assert_eq!(
        part(&token, 1),
        json!({
            "iss": "https://gate", "aud": "backend", "sub": "user|https://id|alice",
            "iat": NOW.unix(), "exp": NOW.unix() + 60,
            "subject": "alice", "tenant": "acmé", "scopes": "a b", "credential": "jwt",
        })
    );
    assert_eq!(part(&token, 0)["typ"], TYPE);
    assert!(!format!("{token:?}").contains(token.text().expose().as_str()));
}

#[tokio::test]
async fn both_kinds_of_keys_sign_what_their_published_part_verifies() {
    for (key, algorithm) in [(p256(), "ES256"), (ed25519(), "EdDSA")] {
        let config = config("env:KEY", &key);
        let tokens = IdentityTokens::new(Arc::clone(&config), None, 4096);
        let token = tokens.mint(of_alice(&Context::new()), NOW).await.unwrap();
        let jwk = &config.key_set()["keys"][0];
        assert_eq!(part(&token, 0)["kid"], jwk["kid"]);
        assert_eq!(
            (&jwk["alg"], &part(&token, 0)["alg"]),
            (&json!(algorithm), &json!(algorithm))
        );
        let (signed, signature) = token.text().expose().rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let number = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
        let verified = if algorithm == "ES256" {
            let point = [vec![4], number("x"), number("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(signed.as_bytes(), &signature)
        } else {
            UnparsedPublicKey::new(&ED25519, number("x")).verify(signed.as_bytes(), &signature)
        };
        assert!(verified.is_ok(), "{algorithm}");
        assert_eq!(jwk.get("d"), None);
    }
}

#[tokio::test]
async fn never_outlives_the_credential() {
    let tokens = IdentityTokens::new(config("env:KEY", &p256()), None, 4096);
    let context = Context::new();
    for (left, lives) in [(Some(7), 7), (Some(60), 60), (Some(61), 60), (None, 60)] {
        let bearer = Bearer {
            valid_until: left.map(|left| NOW.plus(left)),
            ..of_alice(&context)
        };
        let token = tokens.mint(bearer, NOW).await.unwrap();
        assert_eq!(token.expires_at(), NOW.plus(lives), "{left:?}");
        assert_eq!(part(&token, 1)["exp"], NOW.unix() + lives);
    }
}

#[tokio::test]
async fn the_same_facts_get_the_same_token_for_some_seconds_only() {
    let tokens = IdentityTokens::new(config("env:KEY", &p256()), None, 4096);
    let (one, other) = (facts(&[("tenant", "a")]), facts(&[("tenant", "b")]));
    let text = async |bearer, now| {
        tokens
            .mint(bearer, now)
            .await
            .unwrap()
            .text()
            .expose()
            .clone()
    };
    let first = text(of_alice(&one), NOW).await;
    assert_eq!(text(of_alice(&one), NOW.plus(4)).await, first);
    for (bearer, now) in [
        (of_alice(&one), NOW.plus(5)),
        (of_alice(&other), NOW),
        (
            Bearer {
                principal: "user|https://id|bob",
                ..of_alice(&one)
            },
            NOW,
        ),
        (
            Bearer {
                valid_until: None,
                ..of_alice(&one)
            },
            NOW,
        ),
    ] {
        assert_ne!(text(bearer, now).await, first);
    }
    // Nor from a time to come.
    let later = text(of_alice(&one), NOW.plus(100)).await;
    assert_ne!(text(of_alice(&one), NOW).await, later);
}

#[tokio::test]
async fn refuses_when_it_does_not_fit_and_is_never_cut() {
    let context = facts(&[("scopes", &"orders:read ".repeat(40))]);
    let config = config("env:KEY", &p256());
    let minted = async |max, carried_bytes| {
        let tokens = IdentityTokens::new(Arc::clone(&config), None, max);
        let bearer = Bearer {
            carried_bytes,
            ..of_alice(&context)
        };
        // The second one is remembered, and no less held against the limit.
        let first = tokens.mint(bearer, NOW).await;
        let second = tokens.mint(bearer, NOW).await;
        assert_eq!(first.is_ok(), second.is_ok());
        first
    };
    let whole = minted(8192, 0).await.unwrap().text().expose().len();
    let fits = whole + NAME.len() + RESERVED_BYTES;
    for (max, carried, expected) in [
        (fits, 0, true),
        (fits - 1, 0, false),
        (fits + 300, 300, true),
        (fits + 300, 301, false),
        (fits, usize::MAX, false),
    ] {
        let outcome = minted(max, carried).await.map_err(|denial| denial.reason());
        let reason = outcome.as_ref().err();
        assert_eq!(outcome.is_ok(), expected, "{max} {carried}");
        assert!(
            reason.is_none_or(|reason| *reason == Reason::IdentityTokenTooLarge),
            "{reason:?}"
        );
    }
}

/// Signs as KMS does, and counts.
struct Remote {
    pair: EcdsaKeyPair,
    calls: AtomicUsize,
    fails: bool,
}

#[async_trait]
impl RemoteSigner for Remote {
    async fn sign(&self, key: &str, digest: &[u8]) -> Result<Vec<u8>, String> {
        assert_eq!((key, digest.len()), ("alias/gate", 32));
        self.calls.fetch_add(1, Ordering::Relaxed);
        if self.fails {
            return Err("AccessDeniedException".to_owned());
        }
        // The library signs texts and digests that it made itself; what is signed is looked at in the test of the source.
        let signature = self.pair.sign(&SystemRandom::new(), digest);
        Ok(signature.unwrap().as_ref().to_vec())
    }
}

#[tokio::test]
async fn a_key_of_kms_is_asked_once_for_the_same_facts_and_its_refusal_refuses() {
    for fails in [false, true] {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let public = STANDARD.encode(pair.public_key().as_der().unwrap().as_ref());
        let config = config("kms:alias/gate", &public);
        let remote = Arc::new(Remote {
            pair,
            calls: AtomicUsize::new(0),
            fails,
        });
        let tokens = IdentityTokens::new(config, Some(Arc::clone(&remote) as _), 4096);
        let context = Context::new();
        for now in [NOW, NOW.plus(1), NOW.plus(2)] {
            match tokens.mint(of_alice(&context), now).await {
                Ok(token) => assert!(!fails && token.text().expose().len() > 100),
                Err(denial) => {
                    assert!(fails, "{}", denial.detail());
                    assert_eq!(denial.reason(), Reason::IdentityTokenUnavailable);
                    assert!(
                        denial.detail().contains("AccessDenied"),
                        "{}",
                        denial.detail()
                    );
                }
            }
        }
        assert_eq!(
            remote.calls.load(Ordering::Relaxed),
            if fails { 3 } else { 1 }
        );
    }
}

#[tokio::test]
async fn a_key_of_kms_without_kms_refuses() {
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
    let public = STANDARD.encode(pair.public_key().as_der().unwrap().as_ref());
    let tokens = IdentityTokens::new(config("kms:alias/gate", &public), None, 4096);
    let denial = tokens
        .mint(of_alice(&Context::new()), NOW)
        .await
        .unwrap_err();
    assert_eq!(denial.reason(), Reason::IdentityTokenUnavailable);
}

#[test]
fn the_name_of_a_key_is_the_thumbprint_of_the_standards() {
    // RFC 8037 appendix A.3.
    let x = URL_SAFE_NO_PAD
        .decode("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
        .unwrap();
    assert_eq!(
        PublicKey::ed25519(&x).unwrap().id(),
        "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
    );
    // The coordinates of RFC 7517 appendix A.1; the thumbprint was computed from the text that RFC 7638 section 3 prescribes.
    let number = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
    let (x, y) = (
        number("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"),
        number("4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"),
    );
    let key = PublicKey::p256(&[vec![4], x, y].concat()).unwrap();
    assert_eq!(key.id(), "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s");
}

#[test]
fn refuses_what_is_no_private_key_of_the_two_curves() {
    let pem = |label: &str, body: &str| {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    };
    for good in [p256(), ed25519()] {
        assert!(OwnKey::parse(&good).is_some());
        assert!(OwnKey::parse(&pem("PRIVATE KEY", &good)).is_some());
        assert!(OwnKey::parse(&pem("EC PRIVATE KEY", &good)).is_none());
        assert!(OwnKey::parse(&good.chars().take(40).collect::<String>()).is_none());
    }
    let p384 = EcdsaKeyPair::generate(&aws_lc_rs::signature::ECDSA_P384_SHA384_FIXED_SIGNING);
    let p384 = STANDARD.encode(p384.unwrap().to_pkcs8v1().unwrap());
    for bad in ["", "hunter2", "-----BEGIN PRIVATE KEY-----", &p384] {
        assert!(OwnKey::parse(bad).is_none(), "{bad}");
    }
}
