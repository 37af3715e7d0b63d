//! Against a service on this machine that speaks the protocols of AWS and keeps what it was asked.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use aws_credential_types::{
    Credentials,
    provider::{ProvideCredentials, SharedCredentialsProvider, error::CredentialsError, future},
};
use doorward_engine::config::SecretReference;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
};

use super::*;

mod others;

/// Answers one request after another with what it was given, and keeps the requests.
pub(super) struct Service {
    address: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Service {
    pub(super) async fn answering(answers: impl IntoIterator<Item = String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(vec![]));
        let (kept, mut answers) = (asked.clone(), answers.into_iter().collect::<VecDeque<_>>());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let Some(answer) = answers.pop_front() else {
                    continue;
                };
                let mut request = vec![];
                let mut piece = [0; 4096];
                while !is_whole(&request) {
                    match stream.read(&mut piece).await {
                        Ok(0) | Err(_) => break,
                        Ok(length) => request.extend_from_slice(&piece[..length]),
                    }
                }
                let request = String::from_utf8_lossy(&request).into_owned();
                kept.lock().unwrap().push(request);
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        Self { address, asked }
    }

    pub(super) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }

    pub(super) fn loader(&self, source: &str) -> Loader {
        self.loader_with(source, Credentials::for_tests_with_session_token())
    }

    fn loader_with(&self, source: &str, credentials: impl ProvideCredentials + 'static) -> Loader {
        let endpoints = Endpoints {
            all: Some(self.address.clone()),
            ..Endpoints::default()
        };
        let aws = AwsAccess::new(
            SharedCredentialsProvider::new(credentials),
            "eu-west-1".to_owned(),
            endpoints,
            || SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000),
        );
        Loader::new(ConfigSource::parse(source).unwrap(), ".".into(), Some(aws))
    }
}

fn is_whole(request: &[u8]) -> bool {
    let text = String::from_utf8_lossy(request).to_lowercase();
    let Some((head, body)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    body.len() >= length.map_or(0, |length| length.parse().unwrap())
}

pub(super) fn answer(status: u16, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {length}\r\nconnection: close\r\n{headers}\r\n{body}"
    )
}

pub(super) fn ok(body: &str) -> String {
    answer(200, "", body)
}

async fn why(service: &Service, source: &str) -> String {
    service.loader(source).load().await.unwrap_err().to_string()
}

#[test]
fn reads_where_the_configuration_is() {
    let app = Profile {
        application: "shop".to_owned(),
        environment: "prod".to_owned(),
        profile: "gate".to_owned(),
    };
    for (text, source) in [
        ("doorward.toml", ConfigSource::File("doorward.toml".into())),
        ("/etc/c:d.toml", ConfigSource::File("/etc/c:d.toml".into())),
        ("ssm:/a/b", ConfigSource::Ssm("/a/b".to_owned())),
        (
            "secretsmanager:a/b",
            ConfigSource::SecretsManager("a/b".to_owned()),
        ),
        ("appconfig:shop/prod/gate", ConfigSource::AppConfig(app)),
        (
            " {\"routes\": []}",
            ConfigSource::Text(" {\"routes\": []}".to_owned()),
        ),
        ("[policy]\n", ConfigSource::Text("[policy]\n".to_owned())),
    ] {
        assert_eq!(ConfigSource::parse(text), Ok(source.clone()));
        let is_remote =
            text.starts_with("ssm:") || text.contains("manager:") || text.contains("appconfig:");
        assert_eq!(source.is_remote(), is_remote, "{text}");
    }
}

#[tokio::test]
async fn a_revocation_list_is_an_object_of_s3() {
    use doorward_engine::layers::certificate::CrlPlace;
    let place = CrlPlace::S3 {
        bucket: "acme.pki".to_owned(),
        key: "lists/a b+c.crl".to_owned(),
    };
    let denied =
        "<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>";
    let service = Service::answering([ok("bytes"), answer(403, "", denied)]).await;
    let crls = service.loader("doorward.toml").crls();
    assert_eq!(crls.fetch(&place).await.unwrap(), b"bytes");
    let asked = service.asked().remove(0);
    assert!(
        asked.starts_with("GET /acme.pki/lists/a%20b%2Bc.crl HTTP/1.1"),
        "{asked}"
    );
    assert!(
        asked.contains("/20231114/eu-west-1/s3/aws4_request"),
        "{asked}"
    );
    // The digest of nothing: S3 wants it in a header.
    assert!(
        asked.contains(
            "x-amz-content-sha256: e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        ),
        "{asked}"
    );
    let why = crls.fetch(&place).await.unwrap_err();
    assert_eq!(
        why,
        "`s3://acme.pki/lists/a b+c.crl`: status 403: AccessDenied"
    );
    let nowhere = Loader::new(ConfigSource::File("doorward.toml".into()), ".".into(), None);
    let why = nowhere.crls().fetch(&place).await.unwrap_err();
    assert!(why.contains("no region"), "{why}");
    let missing = CrlPlace::File("no-such.crl".to_owned());
    assert!(
        crls.fetch(&missing)
            .await
            .unwrap_err()
            .starts_with("`no-such.crl`: ")
    );
}

#[test]
fn refuses_sources_without_a_proper_name() {
    for text in [
        "",
        "ssm:",
        "ssm:name",
        "secretsmanager:",
        "appconfig:",
        "appconfig:a/b",
        "appconfig:a//c",
        "appconfig:a/b/c/d",
    ] {
        let error = ConfigSource::parse(text).unwrap_err().to_string();
        assert!(
            error.contains(&format!("`{text}` names no source: write")),
            "{error}"
        );
    }
}

#[test]
fn a_text_is_not_shown() {
    let source = ConfigSource::parse("[api_keys]\npepper = \"hunter2\"").unwrap();
    assert_eq!(source.to_string(), "DOORWARD_CONFIG");
}

#[tokio::test]
async fn loads_a_parameter_with_a_signed_request() {
    let service = Service::answering([ok(r#"{"Parameter":{"Value":"the text"}}"#)]).await;
    assert_eq!(
        service.loader("ssm:/doorward/config").load().await.unwrap(),
        "the text"
    );
    let asked = service.asked().remove(0);
    let head = asked.to_lowercase();
    assert!(asked.starts_with("POST / HTTP/1.1\r\n"), "{asked}");
    assert!(
        asked.ends_with(r#"{"Name":"/doorward/config","WithDecryption":true}"#),
        "{asked}"
    );
    for header in [
        "x-amz-target: amazonssm.getparameter\r\n",
        "content-type: application/x-amz-json-1.1\r\n",
        "x-amz-date: 20231114t221320z\r\n",
        "x-amz-security-token: ",
        "authorization: aws4-hmac-sha256 credential=anotreal/20231114/eu-west-1/ssm/aws4_request, \
         signedheaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, signature=",
    ] {
        assert!(head.contains(header), "{header} is missing in {head}");
    }
    assert!(
        !asked.contains("notrealrnrELgWzOk3IfjzDKtFBhDby"),
        "the secret key is sent"
    );
}

#[tokio::test]
async fn loads_a_secret_and_signs_for_its_service() {
    let service = Service::answering([ok(r#"{"SecretString":"the text"}"#)]).await;
    assert_eq!(
        service
            .loader("secretsmanager:doorward")
            .load()
            .await
            .unwrap(),
        "the text"
    );
    let asked = service.asked().remove(0);
    assert!(asked.contains("secretsmanager.GetSecretValue"), "{asked}");
    assert!(
        asked.contains("/eu-west-1/secretsmanager/aws4_request"),
        "{asked}"
    );
}

#[tokio::test]
async fn follows_a_session_of_appconfig_and_begins_a_new_one_when_it_ends() {
    let next = |token: &str, body: &str| {
        answer(
            200,
            &format!("Next-Poll-Configuration-Token: {token}\r\n"),
            body,
        )
    };
    let begun = ok(r#"{"InitialConfigurationToken":"a+/= b"}"#);
    let service = Service::answering([
        begun.clone(),
        next("two", "version 1"),
        next("three", ""),
        next("four", "version 2"),
        answer(
            400,
            "",
            r#"{"__type":"BadRequestException","message":"token"}"#,
        ),
        begun,
        next("five", "version 3"),
    ])
    .await;
    let loader = service.loader("appconfig:shop/prod/gate");
    for text in ["version 1", "version 1", "version 2", "version 3"] {
        assert_eq!(loader.load().await.unwrap(), text);
    }
    let lines: Vec<String> = service
        .asked()
        .iter()
        .map(|asked| asked.lines().next().unwrap().to_owned())
        .collect();
    assert_eq!(lines[0], "POST /configurationsessions HTTP/1.1");
    assert_eq!(
        lines[1],
        "GET /configuration?configuration_token=a%2B%2F%3D+b HTTP/1.1"
    );
    assert_eq!(
        lines[2],
        "GET /configuration?configuration_token=two HTTP/1.1"
    );
    assert_eq!(lines.len(), 7);
    let scope = "/eu-west-1/appconfig/aws4_request";
    assert!(service.asked().iter().all(|asked| asked.contains(scope)));
}

#[tokio::test]
async fn refusals_name_the_source_and_the_cause() {
    let denied =
        r#"{"__type":"com.amazon#AccessDeniedException","Message":"not authorized\nto do this"}"#;
    for (status, body, says) in [
        (
            400,
            denied,
            "`ssm:/a` cannot be read: status 400: AccessDeniedException: not authorized to do this",
        ),
        (400, "<html>", "`ssm:/a` cannot be read: status 400"),
        (302, "", "`ssm:/a` cannot be read: status 302"),
        (
            200,
            "not json",
            "`ssm:/a` cannot be read: the answer is not JSON",
        ),
        (
            200,
            "{}",
            "`ssm:/a` cannot be read: the answer holds no parameter",
        ),
    ] {
        let service = Service::answering([answer(status, "", body)]).await;
        assert_eq!(why(&service, "ssm:/a").await, says);
        assert_eq!(service.asked().len(), 1, "{says}");
    }
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_once_more() {
    let body = r#"{"Parameter":{"Value":"the text"}}"#;
    for status in [500, 503, 429] {
        let service = Service::answering([answer(status, "", ""), ok(body)]).await;
        assert_eq!(service.loader("ssm:/a").load().await.unwrap(), "the text");
    }
    let service = Service::answering([answer(503, "", ""), answer(503, "", ""), ok(body)]).await;
    assert_eq!(
        why(&service, "ssm:/a").await,
        "`ssm:/a` cannot be read: status 503"
    );
}

#[tokio::test]
async fn an_answer_over_the_limit_is_given_up() {
    let service = Service::answering([ok(&"x".repeat(MAX_BYTES + 1))]).await;
    assert!(why(&service, "ssm:/a").await.contains("longer than"));
}

#[tokio::test]
async fn a_service_that_never_answers_is_given_up_in_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let service = Service {
        address: format!("http://{}", listener.local_addr().unwrap()),
        asked: Arc::default(),
    };
    assert!(
        why(&service, "ssm:/a")
            .await
            .contains("no answer within 3 s")
    );
    drop(listener);
    assert!(why(&service, "ssm:/a").await.contains("refused"));
}

#[derive(Debug)]
struct NoCredentials;

impl ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::ready(Err(CredentialsError::unhandled("hunter2")))
    }
}

#[tokio::test]
async fn missing_credentials_are_told_without_what_the_provider_said() {
    let service = Service::answering([]).await;
    let loader = service.loader_with("ssm:/a", NoCredentials);
    let error = loader.load().await.unwrap_err().to_string();
    assert_eq!(
        error,
        "`ssm:/a` cannot be read: no credentials of AWS can be had"
    );
    let without = Loader::new(ConfigSource::Ssm("/a".to_owned()), ".".into(), None);
    let error = without.load().await.unwrap_err().to_string();
    assert_eq!(
        error,
        "`ssm:/a` cannot be read: no region and no credentials of AWS are set here"
    );
}

#[tokio::test]
async fn loads_files_and_texts_and_says_why_a_file_cannot_be_read() {
    let root = std::env::temp_dir().join(format!("doorward-sources-{}", std::process::id()));
    std::fs::create_dir_all(&root).unwrap();
    std::fs::write(root.join("good.toml"), "text").unwrap();
    std::fs::write(root.join("bytes.toml"), [0xff, 0xfe]).unwrap();
    std::fs::write(root.join("long.toml"), vec![b'#'; MAX_BYTES + 1]).unwrap();
    let loader = |name: &str| Loader::new(ConfigSource::File(name.into()), root.clone(), None);
    assert_eq!(loader("good.toml").load().await.unwrap(), "text");
    assert_eq!(loader("good.toml").read_file("good.toml").unwrap(), "text");
    for (name, says) in [
        ("absent.toml", "No such file"),
        ("bytes.toml", "valid UTF-8"),
        ("long.toml", "longer than"),
    ] {
        let error = loader(name).load().await.unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    }
    let text = Loader::new(ConfigSource::Text("{}".to_owned()), root.clone(), None);
    assert_eq!(text.load().await.unwrap(), "{}");
    assert_eq!(text.read_file("good.toml").unwrap(), "text");

    // As in a function whose configuration is a layer of its own.
    std::fs::create_dir_all(root.join("layer")).unwrap();
    std::fs::write(root.join("layer/office.txt"), "192.0.2.1").unwrap();
    for config in [root.join("layer/doorward.toml"), "layer/d.toml".into()] {
        let loader = Loader::new(ConfigSource::File(config), root.clone(), None);
        assert_eq!(loader.read_file("office.txt").unwrap(), "192.0.2.1");
        assert!(loader.read_file("good.toml").is_err(), "not beside it");
    }
    std::fs::remove_dir_all(root).unwrap();
}

#[tokio::test]
async fn fetches_the_secrets_of_a_configuration() {
    let service = Service::answering([ok(r#"{"SecretString":"from afar"}"#)]).await;
    let loader = service.loader("doorward.toml");
    let text = "[api_keys]\npepper = \"secretsmanager:pepper\"\nprevious_pepper = \"env:OLD\"\n";
    let variables = |name: &str| (name == "OLD").then(|| "from here".to_owned());
    let secrets = loader.secrets(text, &variables).await;
    let exposed = |text: &str| {
        let secret = secrets.secret(&SecretReference::parse(text).unwrap());
        secret.map(|secret| secret.expose().clone())
    };
    assert_eq!(exposed("secretsmanager:pepper").unwrap(), "from afar");
    assert_eq!(exposed("env:OLD").unwrap(), "from here");
    assert!(exposed("env:OTHER").is_err());
    assert!(!format!("{secrets:?}").contains("from"));

    let missing = loader.secrets(text, &|_| None).await;
    let old = SecretReference::Env("OLD".to_owned());
    assert_eq!(
        missing.secret(&old).unwrap_err(),
        "`env:OLD`: the environment variable is not set"
    );
    assert_ne!(Version::of(text, &secrets), Version::of(text, &missing));
}

#[test]
fn endpoints_are_ignored_where_the_environment_says_so() {
    let endpoints = Endpoints::from_variables(|name| match name {
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS" => Some("true".to_owned()),
        _ => Some("http://elsewhere".to_owned()),
    });
    assert_eq!(endpoints, Endpoints::default());
}

#[test]
fn endpoints_come_from_the_environment_or_the_region() {
    let endpoints = Endpoints::from_variables(|name| match name {
        "AWS_ENDPOINT_URL" => Some("http://all".to_owned()),
        "AWS_ENDPOINT_URL_SSM" => Some("http://ssm".to_owned()),
        "AWS_ENDPOINT_URL_APPCONFIGDATA" => Some(String::new()),
        _ => None,
    });
    assert_eq!(
        (
            endpoints.all,
            endpoints.ssm,
            endpoints.secrets_manager,
            endpoints.app_config_data
        ),
        (
            Some("http://all".to_owned()),
            Some("http://ssm".to_owned()),
            None,
            None
        )
    );
}
