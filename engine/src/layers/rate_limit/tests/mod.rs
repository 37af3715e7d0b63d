mod buckets;
mod leasing;
mod outages;
mod spending;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{
        Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use async_trait::async_trait;
use doorward_keys::{Digest, KeyId, KeyRecord, KeyStatus, Secret};

use super::*;
use crate::{
    config::{Config, ConfigEnv},
    identity::{Client, Subject},
    limits::{State, state},
    test_support::NOW,
};

/// A store that counts its calls and can be out.
#[derive(Default)]
struct Counting {
    buckets: Mutex<HashMap<Bucket, State>>,
    calls: AtomicUsize,
    returned: AtomicU64,
    is_down: Mutex<bool>,
    /// How often other futures have their turn before it answers.
    yields: usize,
}

impl Counting {
    fn calls(&self) -> usize {
        self.calls.load(Ordering::Relaxed)
    }

    fn set_down(&self, is_down: bool) {
        *self.is_down.lock().unwrap() = is_down;
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
        for _ in 0..self.yields {
            tokio::task::yield_now().await;
        }
        if *self.is_down.lock().unwrap() {
            return Err(LimitStoreError::Unavailable(
                "connection refused".to_owned(),
            ));
        }
        let mut buckets = self.buckets.lock().unwrap();
        let spent = state::spend(rule, buckets.get(bucket).copied(), cost, now);
        if spent.is_admitted() {
            buckets.insert(bucket.clone(), spent.state);
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

/// The microseconds that were slept, all together, in tests that use [`noting`].
static SLEPT: AtomicU64 = AtomicU64::new(0);

fn noting(time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    if time < outage::STORE_BUDGET {
        SLEPT.fetch_add(u64::try_from(time.as_micros()).unwrap(), Ordering::Relaxed);
    }
    sleeping(time)
}

fn sleeping(time: Duration) -> Pin<Box<dyn Future<Output = ()> + Send>> {
    Box::pin(tokio::time::sleep(time))
}

const fn still() -> Duration {
    Duration::ZERO
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
        let env = ConfigEnv {
            read_file: &|_| Err("there are no files".to_owned()),
            secret: &|_| Ok(Secret::new("secret".to_owned())),
        };
        let config = Config::read(text, "test", &env).unwrap().config;
        let store = Arc::new(store);
        Self {
            limits: RateLimits::new(
                config.limits.clone(),
                Arc::clone(&store) as _,
                noting,
                still,
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
        let asked = Asked {
            route: &self.config.routes.routes()[route],
            caller,
            address: self.address,
            now: self.now,
            time_left: self.time_left,
        };
        let mut visited = Vec::new();
        let answer = match self.limits.spend(&asked, &mut visited).await {
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
        rotated_from: None,
        rotated_to: None,
        usage_plan_key: None,
        plan: plan.map(str::to_owned),
        metadata: BTreeMap::new(),
        version: 1,
    };
    Authenticated {
        client: Some(Client {
            record: Arc::new(record),
        }),
        subject: None,
        certificate: None,
    }
}

fn with_token(subject: &str, tenant: Option<&str>, client: Option<&str>) -> Authenticated {
    Authenticated {
        client: None,
        subject: Some(Subject {
            issuer_name: "people".to_owned(),
            issuer: "https://people.example".to_owned(),
            subject: subject.to_owned(),
            is_client: false,
            client_id: client.map(str::to_owned),
            tenant: tenant.map(str::to_owned),
            scopes: BTreeSet::new(),
            roles: BTreeSet::new(),
            valid_until: NOW.plus(60),
            expires_at: NOW.plus(60),
            confirmation: None,
            context: BTreeMap::new(),
            introspected: None,
        }),
        certificate: None,
    }
}

/// One open route that spends from these limits.
fn open(limits: &str, tables: &str) -> String {
    format!(
        "default_limits = {limits}\n{tables}\n[[routes]]\nroute = \"GET /\"\ncredentials = [\"anonymous\"]\n"
    )
}
