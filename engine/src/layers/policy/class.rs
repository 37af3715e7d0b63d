//! What of a caller and a request decides what the policy says: callers of one class get one policy.
//!
//! Everything is left out that no route asks about, so that callers with different names, tenants and tokens are of one class.
//! Nothing can be left out by mistake: the policy of a class is made for the caller that [`Class::caller`] makes of the class
//! alone, not for the one who asked.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    hash::{BuildHasher as _, Hash, Hasher, RandomState},
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use doorward_keys::{Digest, KeyId, KeyRecord, KeyStatus, Timestamp};
use ipnet::IpNet;

use super::{
    build::Placed,
    case::{Bounds, Case},
};
use crate::{
    identity::{
        Authenticated, Certificate, Client, Introspected, Known, Subject, TokenFacts, Words,
    },
    layers::certificate::{Identity, NameKind},
    routes::{Demand, Route, RouteTable},
};

/// The words that routes ask for.
#[derive(Debug)]
pub(super) struct Vocabulary {
    scopes: BTreeSet<String>,
    roles: BTreeSet<String>,
    tenants: BTreeSet<String>,
    /// What stands for tenants that no route names: no tenant that one names.
    somebody: String,
    /// Whether a list of addresses stands anywhere.
    by_address: bool,
    /// For each route a number that those with the same facts for the backend share.
    contexts: Vec<usize>,
    hasher: RandomState,
}

impl Vocabulary {
    /// The words of `table`; `by_address` says whether a list of addresses concerns every route.
    pub(super) fn of(table: &RouteTable, by_address: bool) -> Self {
        let routes = table.routes();
        let words = |demand: fn(&Route) -> &Demand| {
            let demands = routes.iter().map(demand);
            let words = demands.flat_map(|demand| demand.all.iter().chain(&demand.any));
            words.cloned().collect()
        };
        let tenants = routes.iter().filter_map(|route| route.tenants.as_ref());
        let tenants: BTreeSet<String> = tenants.flatten().cloned().collect();
        let mut somebody = "?".to_owned();
        while tenants.contains(&somebody) {
            somebody.push('?');
        }
        let mut numbers = HashMap::new();
        let contexts = routes.iter().enumerate();
        let contexts = contexts.map(|(at, route)| *numbers.entry(&route.context).or_insert(at));
        Self {
            contexts: contexts.collect(),
            hasher: RandomState::new(),
            scopes: words(|route| &route.scopes),
            roles: words(|route| &route.roles),
            tenants,
            somebody,
            by_address: by_address || routes.iter().any(|route| route.addresses.is_some()),
        }
    }
}

/// What decides; see above.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Class {
    stage: Arc<str>,
    /// What was asked for; `None` where the policy is the same for all its routes.
    place: Option<Placed>,
    slash: bool,
    /// The number of the facts for the backend, which go with the routes that have the same; `None` where no route answers.
    context: Option<usize>,
    caller: Arc<CallerClass>,
    /// Where lists of addresses decide; elsewhere only whether there is one.
    address: Option<IpAddr>,
    ends: bool,
    exchange: Option<String>,
    /// Where a proof decided, the one route that it opens.
    proved: Option<Placed>,
    /// Whether the address was refused: each route stands under its lists, wherever the caller is.
    elsewhere: bool,
}

/// What of a caller decides, wherever they are and whatever they ask for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct CallerClass {
    key: Option<KeyClass>,
    token: Option<TokenClass>,
    certificate: Option<CertificateClass>,
    /// Of all the others, worked out once.
    hash: u64,
}

impl Hash for CallerClass {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.hash.hash(state);
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct KeyClass {
    tenant: String,
    scopes: Vec<String>,
    routes: Option<Vec<String>>,
    addresses: Option<Vec<IpNet>>,
    plan: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct TokenClass {
    tenant: Option<String>,
    scopes: Words,
    roles: Words,
    /// Whether it names a client.
    names_client: bool,
    /// The server that was asked, and how.
    introspected: Option<(Arc<str>, Introspected)>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CertificateClass {
    tenant: Option<String>,
    scopes: Option<BTreeSet<String>>,
}

/// When a credential ends of which it only counts that it does: later than the answer, whose end stands apart.
pub(super) const FOREVER: Timestamp = Timestamp::from_unix(i64::MAX);

/// Where somebody is of whom it only counts that they are somewhere.
const SOMEWHERE: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

impl CallerClass {
    /// The class of `caller`, found out once for a credential that comes again.
    fn shared(caller: &Authenticated, vocabulary: &Vocabulary) -> Arc<Self> {
        let told = || Arc::new(Self::of(caller, vocabulary));
        caller.alone().map_or_else(told, |alone| alone.class(told))
    }

    fn of(caller: &Authenticated, vocabulary: &Vocabulary) -> Self {
        let Authenticated {
            client,
            subject,
            certificate,
        } = caller;
        let alone = caller.kinds().count() == 1;
        let tenant = |tenant: &String| {
            // Whether the tenants of several credentials agree is seen by their names only.
            if alone && !vocabulary.tenants.contains(tenant) {
                vocabulary.somebody.clone()
            } else {
                tenant.clone()
            }
        };
        let key = client.as_ref().map(|client| {
            let record = client.record();
            KeyClass {
                tenant: tenant(&record.tenant),
                scopes: known(&record.scopes, &vocabulary.scopes),
                routes: record.routes.clone(),
                addresses: record.addresses.clone(),
                plan: record.plan.clone(),
            }
        });
        let token = subject.as_ref().map(|subject| TokenClass {
            tenant: subject.tenant.as_ref().map(tenant),
            scopes: subject.scopes.only(|word| vocabulary.scopes.contains(word)),
            roles: subject.roles.only(|word| vocabulary.roles.contains(word)),
            names_client: subject.client_id.is_some(),
            introspected: subject
                .introspected
                .clone()
                .map(|how| (subject.issuer_name.clone(), how)),
        });
        let certificate = certificate.as_ref().map(|certificate| CertificateClass {
            tenant: certificate.tenant.as_ref().map(tenant),
            scopes: certificate
                .scopes
                .as_ref()
                .map(|scopes| known(scopes, &vocabulary.scopes)),
        });
        Self {
            hash: vocabulary.hasher.hash_one((&key, &token, &certificate)),
            key,
            token,
            certificate,
        }
    }

    /// The caller of whom all is known that the class says, and nothing else.
    pub(super) fn caller(&self) -> Authenticated {
        Authenticated {
            client: self.key.as_ref().map(KeyClass::client),
            subject: self
                .token
                .as_ref()
                .map(|token| Arc::new(token.subject().into())),
            certificate: self
                .certificate
                .as_ref()
                .map(|held| Box::new(held.certificate())),
        }
    }
}

impl Class {
    /// The class of the caller of `case`, who asks for what is at `place`.
    pub(super) fn of(case: &Case<'_>, vocabulary: &Vocabulary, place: Placed) -> Self {
        let caller = CallerClass::shared(case.caller, vocabulary);
        let key = caller.key.as_ref();
        let by_address = vocabulary.by_address || key.is_some_and(|key| key.addresses.is_some());
        let table = &case.config.routes;
        let route = table.entry(place.0).and_then(|entry| entry.answer(place.1));
        Self {
            stage: Arc::clone(case.request.stage.shared()),
            place: None,
            slash: case.asked().ends_in_slash(),
            context: route.and_then(|index| vocabulary.contexts.get(index).copied()),
            caller,
            address: case
                .address
                .map(|address| if by_address { address } else { SOMEWHERE }),
            ends: case.end().is_some(),
            exchange: case.bounds.carried.map(|(exchange, _)| exchange.to_owned()),
            proved: case.bounds.by_proof.then_some(place),
            elsewhere: false,
        }
    }

    /// The class of those whose address was refused. The paths of one policy end in a slash or not.
    #[must_use]
    pub(super) fn elsewhere(self) -> Self {
        Self {
            slash: false,
            elsewhere: true,
            ..self
        }
    }

    /// The class of those who ask for what is at `place`.
    #[must_use]
    pub(super) fn at(self, place: Placed) -> Self {
        Self {
            place: Some(place),
            ..self
        }
    }

    /// The caller of whom all is known that the class says, and nothing else.
    pub(super) fn caller(&self) -> Authenticated {
        self.caller.caller()
    }

    /// `case` as it is for everybody of the class, where what ends ends at `end`.
    pub(super) fn case<'a>(
        &'a self,
        case: &Case<'a>,
        caller: &'a Authenticated,
        end: Timestamp,
    ) -> Case<'a> {
        let ends = self.ends.then_some(end);
        let exchange = self.exchange.as_deref();
        Case {
            caller,
            address: self.address,
            bounds: Bounds {
                bound_until: ends,
                carried: exchange.map(|exchange| (exchange, end)),
                moment: ends,
                by_proof: self.proved.is_some(),
            },
            ..*case
        }
    }
}

impl KeyClass {
    fn client(&self) -> Client {
        let never = Timestamp::from_unix(0);
        Client {
            record: Arc::new(Known::from(KeyRecord {
                tenant: self.tenant.clone(),
                scopes: self.scopes.clone(),
                routes: self.routes.clone(),
                addresses: self.addresses.clone(),
                plan: self.plan.clone(),
                digest: Digest::from_bytes([0; 32]),
                id: KeyId::new(never, 0),
                name: String::new(),
                environment: String::new(),
                created_at: never,
                expires_at: None,
                status: KeyStatus::Active,
                changed_at: never,
                rotated_from: None,
                rotated_to: None,
                rotates_at: None,
                usage_plan_key: None,
                decoy: false,
                metadata: BTreeMap::new(),
                version: 0,
            })),
        }
    }
}

impl TokenClass {
    fn subject(&self) -> Subject {
        let server = self.introspected.as_ref();
        Subject {
            tenant: self.tenant.clone(),
            scopes: self.scopes.clone(),
            roles: self.roles.clone(),
            client_id: self.names_client.then(String::new),
            issuer_name: server.map_or_else(Arc::default, |(name, _)| Arc::clone(name)),
            introspected: server.map(|(_, how)| how.clone()),
            issuer: Arc::default(),
            subject: String::new(),
            is_client: false,
            valid_until: FOREVER,
            expires_at: FOREVER,
            confirmation: None,
            context: BTreeMap::new(),
            token: TokenFacts::default(),
        }
    }
}

impl CertificateClass {
    fn certificate(&self) -> Certificate {
        Certificate {
            tenant: self.tenant.clone(),
            scopes: self.scopes.clone(),
            identity: Identity {
                kind: NameKind::Uri,
                name: String::new(),
            },
            authority: String::new(),
            subject: String::new(),
            serial: String::new(),
            valid_until: FOREVER,
        }
    }
}

/// Those of `words` that are known.
fn known<'a, C: FromIterator<String>>(
    words: impl IntoIterator<Item = &'a String>,
    known: &BTreeSet<String>,
) -> C {
    let words = words.into_iter().filter(|word| known.contains(*word));
    words.cloned().collect()
}
