mod buckets;
mod lease_bounds;
mod leasing;
mod outages;
mod spending;

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use doorward_keys::{Digest, KeyId, KeyRecord, KeyStatus, Secret};

use super::{watch::RESERVE, *};
use crate::{
    config::{Config, ConfigEnv},
    identity::{Client, Known, Subject},
    limits::{Algorithm, State, state},
    test_support::NOW,
};

/// A store that counts its calls and can be out.
#[derive(Default)]
struct Counting {
    buckets: Mutex<HashMap<Bucket, State>>,
    calls: AtomicUsize,
    returned: AtomicU64,
    /// What is answered for buckets whose name begins like this.
    fault: Mutex<Option<(&'static str, LimitStoreError)>>,
    /// How often other futures have their turn before it answers, for buckets whose name begins like this.
    yields: (&'static str, usize),
    /// How much later it is after each answer.
    takes: Duration,
    /// How often other futures have their turn after it has counted.
    late_yields: usize,
}

impl Counting {
    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    fn set_down(&self, is_down: bool) {
        let fault = LimitStoreError::Unavailable("connection refused".to_owned());
        *self.fault.lock().unwrap() = is_down.then_some(("", fault));
    }

    fn set_fault(&self, bucket: &'static str, fault: LimitStoreError) {
        *self.fault.lock().unwrap() = Some((bucket, fault));
    }

    fn holds(&self, bucket: &str) -> bool {
        let buckets = self.buckets.lock().unwrap();
        buckets.keys().any(|held| held.as_str().starts_with(bucket))
    }
}

#[async_trait]
impl LimitStore for Counting {
    async fn spend(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        cost: NonZeroU64,
        now: Moment,
    ) -> Result<Spent, LimitStoreError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let is_slow = bucket.as_str().starts_with(self.yields.0);
        for _ in 0..if is_slow { self.yields.1 } else { 0 } {
            tokio::task::yield_now().await;
        }
        CLOCK.set(CLOCK.get() + self.takes);
        if let Some((of, fault)) = &*self.fault.lock().unwrap()
            && bucket.as_str().starts_with(of)
        {
            return Err(fault.clone());
        }
        let spent = {
            let mut buckets = self.buckets.lock().unwrap();
            let spent = state::spend(rule, buckets.get(bucket).copied(), cost, now);
            if spent.is_admitted() {
                buckets.insert(bucket.clone(), spent.state);
            }
            spent
        };
        for _ in 0..self.late_yields {
            tokio::task::yield_now().await;
        }
        Ok(spent)
    }

    async fn give_back(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        amount: NonZeroU64,
        spent: &Spent,
    ) -> Result<(), LimitStoreError> {
        self.returned.fetch_add(amount.get(), Ordering::Relaxed);
        let mut buckets = self.buckets.lock().unwrap();
        if let Some(held) = buckets.get_mut(bucket) {
            *held = state::give_back(rule, *held, amount, spent.state.mark);
        }
        Ok(())
    }
}

thread_local! {
    /// How long was slept to the end, all together. Each test has a thread of its own.
    static SLEPT: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    /// What the stopwatch shows.
    static CLOCK: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

fn sleeping(time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(async move {
        tokio::time::sleep(time).await;
        SLEPT.set(SLEPT.get() + time);
    })
}

fn stopwatch() -> Duration {
    CLOCK.get()
}

/// Limits over a store, with the routes of the configuration.
struct Bench {
    limits: RateLimits,
    store: Arc<Counting>,
    config: Config,
    now: Moment,
    address: Option<IpAddr>,
    time_left: Option<Duration>,
}

/// What came of asking.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Within(u64),
    Over(String, u64),
    Refused(Reason),
}

impl Bench {
    /// The limits of `text`, which says what `GET /` spends and the like.
    fn new(text: &str) -> Self {
        Self::over(text, Counting::default())
    }

    fn over(text: &str, store: Counting) -> Self {
        Self::sharing(text, Arc::new(store))
    }

    /// Another process over the same store.
    fn sharing(text: &str, store: Arc<Counting>) -> Self {
        let env = ConfigEnv {
            read_file: &|_| Err("there are no files".to_owned()),
            secret: &|_| Ok(Secret::new("secret".to_owned())),
        };
        let config = Config::read(text, "test", &env).unwrap().config;
        Self {
            limits: RateLimits::new(
                config.limits.clone(),
                Arc::clone(&store) as _,
                sleeping,
                stopwatch,
            ),
            store,
            config,
            now: Moment::from(NOW),
            address: Some("198.51.100.7".parse().unwrap()),
            time_left: None,
        }
    }

    fn later(&mut self, millis: u64) {
        self.now = self.now.plus(Span::from_millis(millis));
    }

    async fn ask_as(&self, caller: &Authenticated, route: usize) -> (Answer, Vec<Visited>) {
        self.ask_within(caller, route, Reach::All).await
    }

    async fn ask_within(
        &self,
        caller: &Authenticated,
        route: usize,
        reach: Reach,
    ) -> (Answer, Vec<Visited>) {
        let asked = Asked {
            route: &self.config.routes.routes()[route],
            caller,
            address: self.address,
            now: self.now,
            elapsed: Duration::ZERO,
            time_left: self.time_left,
        };
        let mut visited = Vec::new();
        let answer = match self.limits.spend(&asked, reach, &mut visited).await {
            Err(denial) => Answer::Refused(denial.reason()),
            Ok(quota) => match (quota.exceeded(), quota.report()) {
                (None, report) => Answer::Within(report.map_or(u64::MAX, |r| r.remaining)),
                (Some(_), None) => panic!("a limit that is used up has no report"),
                (Some(_), Some(report)) => {
                    Answer::Over(report.name.clone(), report.retry_after.unwrap())
                }
            },
        };
        (answer, visited)
    }

    async fn ask(&self) -> Answer {
        self.ask_as(&anonymous(), 0).await.0
    }
}

fn anonymous() -> Authenticated {
    Authenticated {
        client: None,
        subject: None,
        certificate: None,
    }
}

fn with_key(number: char, plan: Option<&str>) -> Authenticated {
    let id = format!("key_01ARZ3NDEKTSV4RRFFQ69G5FA{number}");
    let record = KeyRecord {
        digest: Digest::from_bytes([7; 32]),
        id: KeyId::parse(&id).unwrap(),
        tenant: "acme".to_owned(),
        name: "partner".to_owned(),
        environment: "live".to_owned(),
        scopes: Vec::new(),
        routes: None,
        addresses: None,
        created_at: NOW,
        expires_at: None,
        status: KeyStatus::Active,
        changed_at: NOW,
        rotated_from: None,
        rotated_to: None,
        rotates_at: None,
        usage_plan_key: None,
        plan: plan.map(str::to_owned),
        decoy: false,
        metadata: BTreeMap::new(),
        version: 1,
    };
    Authenticated {
        client: Some(Client {
            record: Arc::new(record.into()),
        }),
        subject: None,
        certificate: None,
    }
}

fn with_token(subject: &str, tenant: Option<&str>, client: Option<&str>) -> Authenticated {
    Authenticated {
        client: None,
        subject: Some(Arc::new(Known::from(Subject {
            issuer_name: "people".into(),
            issuer: "https://people.example".into(),
            subject: subject.to_owned(),
            is_client: false,
            client_id: client.map(str::to_owned),
            tenant: tenant.map(str::to_owned),
            scopes: crate::identity::Words::default(),
            roles: crate::identity::Words::default(),
            valid_until: NOW.plus(60),
            expires_at: NOW.plus(60),
            confirmation: None,
            context: BTreeMap::new(),
            token: crate::identity::TokenFacts::default(),
            introspected: None,
        }))),
        certificate: None,
    }
}

/// One open route that spends from these limits.
fn open(limits: &str, tables: &str) -> String {
    format!(
        "default_limits = {limits}\n{tables}\n[[routes]]\nroute = \"GET /\"\ncredentials = [\"anonymous\"]\n"
    )
}
