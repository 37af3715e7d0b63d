use std::sync::Mutex as Plain;

use async_trait::async_trait;
use doorward_engine::{
    config::{Config, ConfigEnv},
    layers::jwt::{FetchError, Fetched, Origin},
};

use super::*;

/// What GitHub published and signed, from its documentation.
const KEY: &str = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE9MJJHnMfn2+H4xL4YaPDA4RpJqUq\nkCmRCBnYERxZanmcpzQSXs1X/AljlKkbJ8qpVIW4clayyef9gWhFbNHWAA==\n-----END PUBLIC KEY-----\n";
const NAME: &str = "90a421169f0a406205f1563a953312f0be898d3c7b6c06b681aa86a874555f4a";
const BODY: &[u8] = br#"[{"token":"some_token","type":"some_type","url":"some_url"}]"#;
const SIGNATURE: &str = "MEUCIQDKZokqnCjrRtw0tni+2Ltvl/uiMJ1EGumEsp1BsNr32AIgQY1YXD2nlj+XNfGK4rBfkMJ1JDOQcYXxa2sY8FNkrKc=";

const NOW: Timestamp = Timestamp::from_unix(1_795_428_000);

/// Answers one fetch after another with what it was given; the last answer stays.
struct Answers {
    answers: Plain<Vec<Result<String, String>>>,
    fetches: Plain<usize>,
}

#[async_trait]
impl KeySetSource for Answers {
    async fn fetch(&self, url: &str, _: Origin) -> Result<Fetched, FetchError> {
        *self.fetches.lock().unwrap() += 1;
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 {
            answers.remove(0)
        } else {
            answers[0].clone()
        };
        match answer {
            Ok(body) => Ok(Fetched {
                body: body.into_bytes(),
                max_age: None,
            }),
            Err(why) => Err(FetchError::Failed(url.to_owned(), why)),
        }
    }
}

struct Desk {
    keys: PublicKeys,
    source: Arc<Answers>,
    config: LeaksConfig,
}

impl Desk {
    fn new(answers: Vec<Result<String, String>>) -> Self {
        let source = Arc::new(Answers {
            answers: Plain::new(answers),
            fetches: Plain::new(0),
        });
        Self {
            keys: PublicKeys::new(source.clone()),
            source,
            config: config(),
        }
    }

    async fn verify(&self, name: &str, signature: &str, body: &[u8], at: i64) -> &'static str {
        let signed = Signed {
            key: name,
            signature,
            body,
        };
        match self.keys.verify(&self.config, signed, NOW.plus(at)).await {
            Ok(()) => "verified",
            Err(Unverified::Forged(_)) => "forged",
            Err(Unverified::Unavailable(_)) => "unavailable",
        }
    }

    async fn good(&self, at: i64) -> &'static str {
        self.verify(NAME, SIGNATURE, BODY, at).await
    }

    fn fetches(&self) -> usize {
        *self.source.fetches.lock().unwrap()
    }
}

fn config() -> LeaksConfig {
    let text = "[api_keys]\nprefix = 'ck'\nenvironments = ['live']\n[leaks]\n[[routes]]\nroute = 'GET /'\ncredentials = ['api_key']\n";
    let env = ConfigEnv {
        read_file: &|_| Err(String::new()),
        secret: &|_| Err(String::new()),
    };
    Config::read(text, "t", &env).unwrap().config.leaks.unwrap()
}

#[expect(clippy::unnecessary_wraps, reason = "as a fetch that went well")]
fn document(entries: &[(&str, &str)]) -> Result<String, String> {
    let entries: Vec<_> = entries
        .iter()
        .map(|(name, key)| serde_json::json!({"key_identifier": name, "key": key, "is_current": true}))
        .collect();
    Ok(serde_json::json!({"public_keys": entries}).to_string())
}

#[tokio::test]
async fn what_github_signed_holds_and_nothing_else() {
    let desk = Desk::new(vec![document(&[(NAME, KEY)])]);
    assert_eq!(desk.good(0).await, "verified");
    let mut other = BODY.to_vec();
    other[12] ^= 1;
    let cut = SIGNATURE.split_at(SIGNATURE.len() - 4).0;
    for (name, signature, body) in [
        (NAME, SIGNATURE, &other[..]),
        (NAME, SIGNATURE, b""),
        (NAME, cut, BODY),
        (NAME, "", BODY),
        (NAME, "***", BODY),
        (NAME, &SIGNATURE.repeat(2), BODY),
        ("", SIGNATURE, BODY),
        (&NAME.repeat(3), SIGNATURE, BODY),
    ] {
        assert_eq!(desk.verify(name, signature, body, 0).await, "forged");
    }
    assert_eq!(desk.fetches(), 1);
}

#[tokio::test]
async fn an_unknown_name_has_the_keys_fetched_once_a_minute() {
    let desk = Desk::new(vec![document(&[("old", KEY)]), document(&[(NAME, KEY)])]);
    assert_eq!(desk.good(0).await, "forged");
    assert_eq!(desk.good(59).await, "forged");
    assert_eq!(desk.fetches(), 1);
    assert_eq!(desk.good(60).await, "verified");
    assert_eq!(desk.verify("other", SIGNATURE, BODY, 61).await, "forged");
    assert_eq!(desk.fetches(), 2);
}

#[tokio::test]
async fn keys_are_fetched_daily_and_serve_for_a_week_without_an_answer() {
    let down = || Err("down".to_owned());
    let desk = Desk::new(vec![document(&[(NAME, KEY)]), down()]);
    assert_eq!(desk.good(0).await, "verified");
    assert_eq!(desk.good(DAY - 1).await, "verified");
    assert_eq!(desk.fetches(), 1);
    assert_eq!(desk.good(DAY).await, "verified");
    assert_eq!(desk.fetches(), 2);
    // It may be a new one, which cannot be seen now.
    let unknown = desk.verify("other", SIGNATURE, BODY, DAY).await;
    assert_eq!(unknown, "unavailable");
    assert_eq!(desk.good(WEEK).await, "unavailable");
}

#[tokio::test]
async fn before_the_first_keys_nothing_is_believed() {
    for answer in [
        Err("down".to_owned()),
        Ok("{}".to_owned()),
        Ok("[]".to_owned()),
        document(&[]),
        document(&[(
            NAME,
            "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----",
        )]),
        document(&vec![(NAME, KEY); MAX_KEYS + 1]),
    ] {
        let desk = Desk::new(vec![answer, document(&[(NAME, KEY)])]);
        assert_eq!(desk.good(0).await, "unavailable");
        assert_eq!(desk.good(30).await, "unavailable");
        assert_eq!(desk.good(60).await, "verified");
    }
}

#[tokio::test]
async fn keys_of_another_address_are_not_taken_over() {
    let mut desk = Desk::new(vec![document(&[(NAME, KEY)]), document(&[("x", KEY)])]);
    assert_eq!(desk.good(0).await, "verified");
    desk.config.public_keys = "https://other.example/keys".to_owned();
    assert_eq!(desk.good(1).await, "forged");
}
