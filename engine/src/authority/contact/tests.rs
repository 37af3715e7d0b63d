use std::{
    cell::Cell,
    pin::Pin,
    sync::{
        Mutex as StdMutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use doorward_keys::Secret;

use super::*;
use crate::{
    authority::{BreakerStoreError, Client, ClientAuth, Secrets, TokenEndpoints},
    layers::jwt::Origin,
};

const URL: &str = "https://a.example/introspect";

thread_local! {
    /// What the stopwatch shows.
    static PASSED: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

/// Answers with a status that can be changed; 0 for none at all, 1 for none in time. Takes one of two secrets.
#[derive(Default)]
struct Server {
    status: AtomicUsize,
    takes_previous: AtomicBool,
    calls: AtomicUsize,
    previous: StdMutex<Vec<bool>>,
    gate: async_lock::Mutex<()>,
}

#[async_trait]
impl TokenEndpoints for Server {
    async fn post(&self, call: &Call<'_>) -> Result<Answered, CallError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        self.previous.lock().unwrap().push(call.previous_secret);
        let _open = self.gate.lock().await;
        let status = match self.status.load(Ordering::SeqCst) {
            0 => return Err(CallError::Failed(URL.to_owned(), "refused".to_owned())),
            1 => return Err(CallError::Late(URL.to_owned(), call.within.as_millis())),
            200 if call.previous_secret != self.takes_previous.load(Ordering::SeqCst) => 401,
            status => u16::try_from(status).unwrap(),
        };
        Ok(Answered {
            status,
            media_type: String::new(),
            body: vec![],
        })
    }
}

/// What sandboxes share.
#[derive(Default)]
struct Shared {
    /// Whether it never answers.
    hangs: AtomicBool,
    until: StdMutex<Option<Moment>>,
    probe: StdMutex<Option<Moment>>,
    reads: AtomicUsize,
    writes: AtomicUsize,
}

#[async_trait]
impl BreakerStore for Shared {
    async fn open_until(&self, _: &str) -> Result<Option<Moment>, BreakerStoreError> {
        self.reads.fetch_add(1, Ordering::SeqCst);
        Ok(*self.until.lock().unwrap())
    }

    async fn claim(
        &self,
        _: &str,
        now: Moment,
        until: Moment,
    ) -> Result<Option<Moment>, BreakerStoreError> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        let open = *self.until.lock().unwrap();
        let mut probe = self.probe.lock().unwrap();
        let ends = open.map(|open| probe.map_or(open, |end| end.max(open)));
        if let Some(ends) = ends.filter(|ends| *ends > now) {
            return Ok(Some(ends));
        }
        *probe = Some(until);
        Ok(None)
    }

    async fn opened(&self, _: &str, until: Moment) -> Result<(), BreakerStoreError> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        if self.hangs.load(Ordering::SeqCst) {
            std::future::pending::<()>().await;
        }
        *self.until.lock().unwrap() = Some(until);
        *self.probe.lock().unwrap() = None;
        Ok(())
    }

    async fn closed(&self, _: &str, _: Moment) -> Result<(), BreakerStoreError> {
        self.writes.fetch_add(1, Ordering::SeqCst);
        *self.until.lock().unwrap() = None;
        *self.probe.lock().unwrap() = None;
        Ok(())
    }
}

/// One sandbox.
struct Sandbox {
    contact: Contact,
    told: Arc<StdMutex<Vec<String>>>,
}

const TIMING: Timing = Timing {
    stopwatch: || PASSED.get(),
    // A pause costs no time here: it ends when everything else waits.
    pause: |long| {
        Box::pin(async move {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            PASSED.set(PASSED.get() + long);
        })
    },
};

const fn at(seconds: u64) -> Moment {
    Moment::from_micros(seconds * 1_000_000)
}

fn sandbox(server: &Arc<Server>, shared: Option<&Arc<Shared>>) -> Sandbox {
    let secret = |text: &str| Secret::new(text.to_owned());
    let endpoint = Endpoint {
        url: URL.to_owned(),
        origin: Origin::Public,
        client: Client {
            id: "gate".to_owned(),
            auth: ClientAuth::Basic(Secrets {
                current: secret("new"),
                previous: Some(secret("old")),
            }),
        },
        authority: None,
        timeout: Duration::from_secs(2),
        max_bytes: 1000,
    };
    let breaker = BreakerConfig {
        failures: 3,
        open_seconds: 10,
        shared: shared.is_some(),
    };
    let told = Arc::new(StdMutex::new(vec![]));
    let kept = Arc::clone(&told);
    let authorities = Authorities {
        endpoints: Arc::clone(server) as _,
        breakers: shared.map(|shared| Arc::clone(shared) as _),
        watch: Arc::new(move |change: &BreakerChange| {
            let line = format!("{} {}: {}", change.from, change.to, change.cause);
            kept.lock().unwrap().push(line);
        }),
    };
    Sandbox {
        contact: Contact::new("a", endpoint, breaker, authorities, TIMING),
        told,
    }
}

impl Sandbox {
    async fn call(&self, now: u64) -> Result<bool, Stopped> {
        self.call_within(None, now).await
    }

    async fn call_within(&self, within: Option<Duration>, now: u64) -> Result<bool, Stopped> {
        let judge = async |answered: Result<Answered, CallError>| match answered {
            Ok(Answered { status: 200, .. }) => (Health::Well, true),
            Ok(answered) => (Health::Ill(format!("status {}", answered.status)), false),
            Err(error) => (Health::Ill(error.to_string()), false),
        };
        let form = [("token", "x")];
        self.contact
            .post(&form, "*/*", at(now), within, judge)
            .await
    }

    fn told(&self) -> Vec<String> {
        std::mem::take(&mut *self.told.lock().unwrap())
    }
}

#[tokio::test]
async fn opens_after_failures_probes_once_and_closes_again() {
    let server = Arc::new(Server::default());
    let one = sandbox(&server, None);
    for _ in 0..3 {
        assert_eq!(one.call(0).await, Ok(false));
    }
    for now in [0, 5, 9] {
        assert_eq!(one.call(now).await, Err(Stopped));
    }
    assert_eq!(server.calls.load(Ordering::SeqCst), 3);
    assert_eq!(one.call(10).await, Ok(false));
    assert_eq!(one.call(19).await, Err(Stopped));
    server.status.store(200, Ordering::SeqCst);
    assert_eq!(one.call(20).await, Ok(true));
    assert_eq!(one.call(20).await, Ok(true));
    assert_eq!(
        one.told(),
        [
            "closed open: `https://a.example/introspect` cannot be asked: refused",
            "open half_open: the time to try again has come",
            "half_open open: `https://a.example/introspect` cannot be asked: refused",
            "open half_open: the time to try again has come",
            "half_open closed: it answered",
        ]
    );
}

#[tokio::test]
async fn fifty_calls_at_once_send_one_probe() {
    let server = Arc::new(Server::default());
    let one = sandbox(&server, None);
    for _ in 0..3 {
        let _ = one.call(0).await;
    }
    server.status.store(200, Ordering::SeqCst);
    let shut = server.gate.lock().await;
    let mut calls: Vec<Pin<Box<_>>> = (0..50).map(|_| Box::pin(one.call(10))).collect();
    let mut outcomes = vec![];
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    for call in &mut calls {
        outcomes.push(call.as_mut().poll(&mut context));
    }
    drop(shut);
    let waiting = outcomes.iter().filter(|one| one.is_pending()).count();
    assert_eq!((waiting, server.calls.load(Ordering::SeqCst)), (1, 4));
    for (call, outcome) in calls.into_iter().zip(outcomes) {
        match outcome {
            std::task::Poll::Pending => assert_eq!(call.await, Ok(true)),
            std::task::Poll::Ready(outcome) => assert_eq!(outcome, Err(Stopped)),
        }
    }
    assert_eq!(one.call(10).await, Ok(true));
}

#[tokio::test]
async fn a_call_that_is_given_up_midway_counts_as_a_failure() {
    let server = Arc::new(Server::default());
    let one = sandbox(&server, None);
    let _shut = server.gate.lock().await;
    for _ in 0..3 {
        let mut call = Box::pin(one.call(0));
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(call.as_mut().poll(&mut context).is_pending());
    }
    assert_eq!(one.call(0).await, Err(Stopped));
    assert!(one.told()[0].contains("given up"), "{:?}", one.told());
}

#[tokio::test]
async fn a_rotated_secret_is_found_and_remembered() {
    let server = Arc::new(Server::default());
    server.status.store(200, Ordering::SeqCst);
    server.takes_previous.store(true, Ordering::SeqCst);
    let one = sandbox(&server, None);
    assert_eq!(one.call(0).await, Ok(true));
    assert_eq!(one.call(0).await, Ok(true));
    server.takes_previous.store(false, Ordering::SeqCst);
    assert_eq!(one.call(0).await, Ok(true));
    assert_eq!(one.call(0).await, Ok(true));
    let asked = server.previous.lock().unwrap().clone();
    assert_eq!(asked, [false, true, true, true, false, false]);
    server.status.store(401, Ordering::SeqCst);
    assert_eq!(one.call(0).await, Ok(false));
    assert_eq!(server.calls.load(Ordering::SeqCst), 8);
}

#[tokio::test]
async fn sandboxes_tell_each_other_and_ask_only_when_something_changes() {
    let server = Arc::new(Server::default());
    let shared = Arc::new(Shared::default());
    let (one, two) = (
        sandbox(&server, Some(&shared)),
        sandbox(&server, Some(&shared)),
    );
    server.status.store(200, Ordering::SeqCst);
    for _ in 0..20 {
        assert_eq!(one.call(0).await, Ok(true));
    }
    let counts = || {
        (
            shared.reads.load(Ordering::SeqCst),
            shared.writes.load(Ordering::SeqCst),
        )
    };
    assert_eq!(counts(), (0, 0));
    server.status.store(0, Ordering::SeqCst);
    for _ in 0..3 {
        let _ = one.call(0).await;
    }
    assert_eq!(counts(), (1, 1));
    // One that is warm needs one failure, a cold one none.
    assert_eq!(two.call(1).await, Ok(false));
    assert_eq!(two.call(1).await, Err(Stopped));
    let cold = sandbox(&server, Some(&shared));
    cold.contact.recall(at(1)).await;
    let before = server.calls.load(Ordering::SeqCst);
    assert_eq!(cold.call(1).await, Err(Stopped));
    assert_eq!(server.calls.load(Ordering::SeqCst), before);
    // A probe that failed elsewhere is not repeated.
    assert_eq!(one.call(10).await, Ok(false));
    assert_eq!(two.call(12).await, Err(Stopped));
    assert_eq!(server.calls.load(Ordering::SeqCst), before + 1);
    server.status.store(200, Ordering::SeqCst);
    assert_eq!(one.call(20).await, Ok(true));
    assert_eq!(*shared.until.lock().unwrap(), None);
    assert_eq!(two.call(20).await, Ok(true));
}

#[tokio::test]
async fn of_many_sandboxes_one_sends_the_probe_and_the_others_wait_for_it() {
    let server = Arc::new(Server::default());
    let shared = Arc::new(Shared::default());
    let all: Vec<_> = (0..10)
        .map(|_| Arc::new(sandbox(&server, Some(&shared))))
        .collect();
    for _ in 0..3 {
        let _ = all[0].call(0).await;
    }
    for other in &all[1..] {
        other.contact.recall(at(1)).await;
    }
    let before = server.calls.load(Ordering::SeqCst);
    let closed = server.gate.lock().await;
    server.status.store(200, Ordering::SeqCst);
    let probing = Arc::clone(&all[3]);
    let probe = tokio::spawn(async move { probing.call(10).await });
    while server.calls.load(Ordering::SeqCst) == before {
        tokio::task::yield_now().await;
    }
    for (number, other) in all.iter().enumerate() {
        if number != 3 {
            assert_eq!(other.call(10).await, Err(Stopped), "{number}");
        }
    }
    drop(closed);
    assert_eq!(probe.await.unwrap(), Ok(true));
    assert_eq!(server.calls.load(Ordering::SeqCst), before + 1);
    // They come back when its time is over, and find that it was good.
    for other in &all {
        assert_eq!(other.call(13).await, Ok(true));
    }
}

#[tokio::test]
async fn a_request_without_time_says_nothing_of_the_server() {
    let server = Arc::new(Server::default());
    server.status.store(1, Ordering::SeqCst);
    let one = sandbox(&server, None);
    for within in [0, 1, 999] {
        for _ in 0..5 {
            let within = Some(Duration::from_millis(within));
            assert_eq!(one.call_within(within, 0).await, Ok(false));
        }
    }
    let sent = server.calls.load(Ordering::SeqCst);
    assert_eq!(sent, 10, "nothing is sent without any time");
    assert_eq!(one.told(), [""; 0]);
    // With half of its time and more it is the server's fault.
    for _ in 0..3 {
        let within = Some(Duration::from_secs(1));
        assert_eq!(one.call_within(within, 0).await, Ok(false));
    }
    assert_eq!(one.call(0).await, Err(Stopped));
}

#[tokio::test]
async fn what_sandboxes_share_is_waited_for_within_the_time_of_the_request() {
    let server = Arc::new(Server::default());
    let shared = Arc::new(Shared::default());
    let one = sandbox(&server, Some(&shared));
    shared.hangs.store(true, Ordering::SeqCst);
    let within = Some(Duration::from_millis(1200));
    for _ in 0..3 {
        assert_eq!(one.call_within(within, 0).await, Ok(false));
    }
    assert_eq!(PASSED.take(), STORE_BUDGET, "for the note that it opened");
    // The probe is claimed in vain for a while, sent with what is left, and its end noted in vain.
    assert_eq!(one.call_within(within, 20).await, Ok(false));
    assert_eq!(PASSED.take(), STORE_BUDGET * 2);
    let within = Some(Duration::from_millis(300));
    assert_eq!(one.call_within(within, 40).await, Ok(false));
    assert_eq!(PASSED.take(), Duration::from_millis(300));
}

#[tokio::test]
async fn a_claim_of_another_is_no_change_to_tell_of() {
    let server = Arc::new(Server::default());
    let shared = Arc::new(Shared::default());
    let one = sandbox(&server, Some(&shared));
    for _ in 0..3 {
        let _ = one.call(0).await;
    }
    assert_eq!(one.told().len(), 1);
    *shared.probe.lock().unwrap() = Some(at(30));
    for now in [10, 12, 20, 25] {
        assert_eq!(one.call(now).await, Err(Stopped), "{now}");
    }
    assert_eq!(one.told(), [""; 0]);
}
