//! Limits in Redis and Valkey: what the server may hold and do, who may ask it, and what becomes of the connection.

use std::{net::SocketAddr, time::Duration};

use doorward_backends::{
    dynamodb::Patience,
    redis::{Authority, Identity, RedisAddress, RedisConnection, RedisLimits},
};
use doorward_engine::limits::{
    Algorithm, Bucket, LimitStore, LimitStoreError, Moment, Rule, Span, Spent, state::spend,
};
use doorward_tests::{
    limits::{CALM, NEAR_MIDNIGHT, cost, one_of_each},
    line::{Line, Mode},
    servers::{Certificate, Flavour, RedisServer, connection, identity},
};
use tokio::{io::AsyncWriteExt, net::TcpListener, time::Instant};

const NOW: Moment = Moment::from_micros(NEAR_MIDNIGHT);
/// Beyond the patience itself, what a busy machine may take to notice.
const BUSY: Duration = Duration::from_millis(800);
const BOTH: [Flavour; 2] = [Flavour::Redis, Flavour::Valkey];

fn bucket() -> Bucket {
    Bucket::of("calls", [("key", "key_1")])
}

fn rules() -> Vec<(&'static str, Rule)> {
    one_of_each(10, Duration::from_secs(2))
}

fn hasty(connection: RedisConnection) -> RedisLimits {
    let connection = RedisConnection {
        patience: Patience::LIMITS,
        ..connection
    };
    RedisLimits::new(&connection).unwrap()
}

async fn ask(limits: &RedisLimits, rule: &Rule) -> Result<Spent, LimitStoreError> {
    limits.spend(&bucket(), rule, cost(1), NOW).await
}

/// Spending and giving back are both unavailable, within the patience of those who wait at the gate.
async fn is_unavailable(limits: &RedisLimits, cause: &str) {
    cannot_be_spent_from(limits, cause).await;
    for (_, rule) in rules() {
        let lease = spend(&rule, None, cost(2), NOW);
        let begun = Instant::now();
        let given = limits.give_back(&bucket(), &rule, cost(1), &lease).await;
        let took = begun.elapsed();
        assert!(took <= Patience::LIMITS.total() + BUSY, "{took:?}");
        assert_eq!(given.is_ok(), rule.interval() > Span::ZERO, "{given:?}");
    }
}

async fn cannot_be_spent_from(limits: &RedisLimits, cause: &str) {
    for (_, rule) in rules() {
        let begun = Instant::now();
        let spent = ask(limits, &rule).await;
        let took = begun.elapsed();
        assert!(took <= Patience::LIMITS.total() + BUSY, "{took:?}");
        let Err(LimitStoreError::Unavailable(message)) = spent else {
            panic!("{cause}: {spent:?}");
        };
        assert!(message.contains(cause), "{message}");
        assert!(
            !message.contains('\n') && !message.contains("hunter2"),
            "{message}"
        );
    }
}

/// Says `answer` to whoever connects, again and again.
async fn babbler(answer: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                while stream.write_all(answer).await.is_ok() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            });
        }
    });
    address
}

#[tokio::test]
async fn a_server_that_never_answers_is_unavailable_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let limits = hasty(connection(silent.local_addr().unwrap()));
    is_unavailable(&limits, "no answer in time").await;
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    is_unavailable(&hasty(connection(address)), &address.to_string()).await;
}

#[tokio::test]
async fn nonsense_in_place_of_an_answer_is_refused_in_time() {
    for answer in [
        &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..],
        b"+OK\r\n",
        b"*2\r\n:1\r\n:1\r\n",
        b"*2\r\n:7\r\n$0\r\n\r\n",
        b"*2\r\n:1\r\n$7\r\n1 x 0 0\r\n",
        b"*-1\r\n",
        b"$99999999999\r\n",
        b"\0\0\0\0",
    ] {
        let limits = hasty(connection(babbler(answer).await));
        let (_, rule) = rules()[0];
        for _ in 0..3 {
            let spent = tokio::time::timeout(Duration::from_secs(2), ask(&limits, &rule)).await;
            assert!(spent.unwrap().is_err(), "{answer:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_follow_from_the_bucket_is_corrupt() {
    // Admitted on a bucket in which nothing is left.
    let full = b"*2\r\n:1\r\n$26\r\n1 1793491190000000 10000 0\r\n";
    let limits = hasty(connection(babbler(full).await));
    let (_, rule) = rules()[0];
    let spent = ask(&limits, &rule).await;
    assert!(
        matches!(spent, Err(LimitStoreError::Corrupt(_))),
        "{spent:?}"
    );
}

#[tokio::test]
async fn a_broken_connection_is_made_anew() {
    for flavour in BOTH {
        let Some(mut server) = RedisServer::start(flavour, &[]).await else {
            continue;
        };
        let line = Line::to(server.address()).await.unwrap();
        let mut patient = connection(line.address());
        patient.patience.attempts = 2;
        let limits = RedisLimits::new(&patient).unwrap();
        let (_, rule) = rules()[0];
        for left in [9, 8, 7] {
            assert_eq!(ask(&limits, &rule).await.unwrap().remaining, left);
        }
        assert_eq!(line.opened(), 1);
        // Cut and whole again between two calls: nobody notices.
        line.set(Mode::Cut);
        tokio::time::sleep(Duration::from_millis(50)).await;
        line.set(Mode::Whole);
        assert_eq!(ask(&limits, &rule).await.unwrap().remaining, 6);
        // Gone with all it knew, and back.
        server.kill();
        assert!(ask(&limits, &rule).await.is_err());
        server.restart(flavour).await;
        assert_eq!(ask(&limits, &rule).await.unwrap().remaining, 9);
    }
}

#[tokio::test]
async fn a_connection_that_went_dumb_is_given_up_in_time_and_made_anew() {
    let Some(server) = RedisServer::start(Flavour::Redis, &[]).await else {
        return;
    };
    let line = Line::to(server.address()).await.unwrap();
    let limits = hasty(connection(line.address()));
    let (_, rule) = rules()[0];
    ask(&limits, &rule).await.unwrap();
    line.set(Mode::Dumb);
    is_unavailable(&limits, "no answer in time").await;
    line.set(Mode::Whole);
    // The first of these may still meet the dumb connection and go on over another.
    let spent = ask(&limits, &rule).await.unwrap();
    assert!(spent.remaining >= 7, "{spent:?}");
    assert!(line.opened() >= 2);
}

#[tokio::test]
async fn a_server_that_forgot_the_scripts_is_told_them_again() {
    for flavour in BOTH {
        let Some(server) = RedisServer::start(flavour, &[]).await else {
            continue;
        };
        let limits = RedisLimits::new(&server.connection()).unwrap();
        for (name, rule) in rules() {
            let bucket = Bucket::of(name, []);
            for left in [9, 8] {
                let answer = server.say(&[b"SCRIPT", b"FLUSH"]).await;
                assert_eq!(answer, "+OK\r\n");
                let spent = limits.spend(&bucket, &rule, cost(1), NOW).await.unwrap();
                assert_eq!(spent.remaining, left, "{name}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_not_a_bucket_of_ours_is_refused_and_left_as_it_is() {
    for flavour in BOTH {
        let Some(server) = RedisServer::start(flavour, &[]).await else {
            continue;
        };
        let limits = RedisLimits::new(&server.connection()).unwrap();
        let key = b"doorward:rate:calls|key=key_1";
        for garbage in [
            &b"GARBAGE"[..],
            b"",
            b"2 1 1 1",
            b"1 1 1",
            b"1 1 1 1 1",
            b"1 -1 1 1",
            b"1 1.5 1 1",
            b"1 0x10 1 1",
            b"1 1 1 1\n",
            b"\xff\xfe\0",
        ] {
            server.say(&[b"SET", key, garbage]).await;
            for (name, rule) in rules() {
                let spent = ask(&limits, &rule).await;
                let Err(LimitStoreError::Corrupt(message)) = spent else {
                    panic!("{name} {garbage:?}: {spent:?}");
                };
                assert!(!message.contains("GARBAGE"), "{message}");
            }
            let held = server.say(&[b"STRLEN", key]).await;
            assert_eq!(held, format!(":{}\r\n", garbage.len()));
        }
        server.say(&[b"DEL", key]).await;
        server.say(&[b"LPUSH", key, b"GARBAGE"]).await;
        for (name, rule) in rules() {
            let spent = ask(&limits, &rule).await;
            assert!(
                matches!(spent, Err(LimitStoreError::Corrupt(_))),
                "{name}: {spent:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_bucket_is_kept_as_long_as_it_means_anything_and_a_minute_more() {
    let Some(server) = RedisServer::start(Flavour::Redis, &[]).await else {
        return;
    };
    let limits = RedisLimits::new(&server.connection()).unwrap();
    for (name, rule) in rules() {
        let bucket = Bucket::of(name, []);
        let lease = limits.spend(&bucket, &rule, cost(2), NOW).await.unwrap();
        limits
            .give_back(&bucket, &rule, cost(1), &lease)
            .await
            .unwrap();
        let key = format!("doorward:rate:{name}");
        let kept = server.say(&[b"PTTL", key.as_bytes()]).await;
        let kept: u64 = kept.trim_matches([':', '\r', '\n']).parse().unwrap();
        let memory = rule.memory().micros() / 1000;
        assert!(kept > memory + 30_000, "{name}: {kept}");
        assert!(kept <= memory + 60_001, "{name}: {kept}");
    }
}

#[tokio::test]
async fn a_user_with_four_commands_on_our_keys_suffices_and_others_are_refused() {
    for flavour in BOTH {
        let Some(server) = RedisServer::start(flavour, &[]).await else {
            continue;
        };
        for (user, right) in [
            ("door", &b"~doorward:* +evalsha +eval +get +set"[..]),
            ("chooser", b"~doorward:* +evalsha +eval +get +set +select"),
            ("elsewhere", b"~other:* +@all"),
            ("reader", b"~doorward:* +evalsha +eval +get"),
        ] {
            let mut words = vec![&b"ACL"[..], b"SETUSER", user.as_bytes(), b"on", b">hunter2"];
            words.extend(right.split(|byte| *byte == b' '));
            assert_eq!(server.say(&words).await, "+OK\r\n");
        }
        server.say(&[b"ACL", b"SETUSER", b"default", b"off"]).await;
        let as_user = |identity: Identity| RedisConnection {
            identity,
            patience: CALM,
            ..server.connection()
        };
        let good = RedisLimits::new(&as_user(identity("door", "hunter2"))).unwrap();
        good.prepare().await.unwrap();
        // Another database than the first takes one command more.
        let text = format!("redis://{}/3", server.address());
        let third = |user: &str| RedisConnection {
            address: RedisAddress::parse(&text).unwrap(),
            ..as_user(identity(user, "hunter2"))
        };
        is_unavailable(&hasty(third("door")), "").await;
        let third = RedisLimits::new(&third("chooser")).unwrap();
        assert_eq!(ask(&third, &rules()[0].1).await.unwrap().remaining, 9);
        for (name, rule) in rules() {
            let bucket = Bucket::of(name, []);
            let lease = good.spend(&bucket, &rule, cost(2), NOW).await.unwrap();
            good.give_back(&bucket, &rule, cost(1), &lease)
                .await
                .unwrap();
        }
        for (identity, cause) in [
            (identity("door", "wrong"), "uthentication"),
            (identity("nobody", "hunter2"), "uthentication"),
            (Identity::default(), "NOAUTH"),
            (identity("elsewhere", "hunter2"), "NoPerm"),
            (identity("reader", "hunter2"), ""),
        ] {
            cannot_be_spent_from(&hasty(as_user(identity)), cause).await;
        }
    }
}

#[tokio::test]
async fn a_server_that_may_not_write_is_unavailable() {
    let full = ["--maxmemory", "1", "--maxmemory-policy", "noeviction"];
    if let Some(server) = RedisServer::start(Flavour::Redis, &full).await {
        cannot_be_spent_from(&hasty(server.connection()), "OOM").await;
    }
    let replica = [
        "--replicaof",
        "127.0.0.1 1",
        "--replica-serve-stale-data",
        "yes",
    ];
    if let Some(server) = RedisServer::start(Flavour::Redis, &replica).await {
        cannot_be_spent_from(&hasty(server.connection()), "ReadOnly").await;
    }
}

#[tokio::test]
async fn an_encrypted_server_is_asked_when_its_authority_is_known_and_not_otherwise() {
    let certificate = Certificate::new();
    let settings = certificate.settings();
    let settings: Vec<&str> = settings.iter().map(String::as_str).collect();
    // Of Valkey the suites have a build without TLS.
    if let Some(server) = RedisServer::start(Flavour::Redis, &settings).await {
        is_asked_under_tls(&server, &certificate).await;
    }
}

async fn is_asked_under_tls(server: &RedisServer, certificate: &Certificate) {
    let port = server.address().port();
    let to = |scheme: &str, authority: Authority| RedisConnection {
        address: RedisAddress::parse(&format!("{scheme}://localhost:{port}")).unwrap(),
        identity: Identity::default(),
        authority,
        patience: CALM,
    };
    let known = || Authority::Pem(certificate.authority.clone());
    let limits = RedisLimits::new(&to("rediss", known())).unwrap();
    let (_, rule) = rules()[0];
    assert_eq!(ask(&limits, &rule).await.unwrap().remaining, 9);
    let another = Authority::Pem(Certificate::new().authority.clone());
    for (scheme, authority) in [
        ("rediss", Authority::System),
        ("rediss", another),
        ("redis", Authority::System),
    ] {
        is_unavailable(&hasty(to(scheme, authority)), "").await;
    }
    for nonsense in [
        "",
        "no PEM",
        "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----",
    ] {
        let authority = Authority::Pem(nonsense.to_owned());
        let built = RedisLimits::new(&to("rediss", authority));
        assert!(built.is_err(), "{nonsense}");
    }
}

#[tokio::test]
async fn many_callers_share_one_connection() {
    let Some(server) = RedisServer::start(Flavour::Redis, &[]).await else {
        return;
    };
    let line = Line::to(server.address()).await.unwrap();
    let limits = std::sync::Arc::new(RedisLimits::new(&connection(line.address())).unwrap());
    let algorithm = Algorithm::FixedWindow {
        limit: 30,
        window: Span::SECOND,
    };
    let rule = Rule::new(algorithm).unwrap();
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let limits = std::sync::Arc::clone(&limits);
            tokio::spawn(async move { ask(&limits, &rule).await.unwrap().is_admitted() })
        })
        .collect();
    let mut admitted = 0;
    for task in tasks {
        admitted += u32::from(task.await.unwrap());
    }
    assert_eq!((admitted, line.opened()), (30, 1));
}
