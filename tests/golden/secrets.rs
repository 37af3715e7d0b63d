//! The printed keys of the table, and what is stored of them.

use doorward_keys::{
    Digest, KeyId, KeyRecord, KeyStatus, Pepper,
    format::{KeyFormat, MintedKey},
};
use doorward_tests::keys::record;

use crate::world::{ENVIRONMENTS, NOW, PREFIX};

/// A printed key, and its record unless the store does not know it.
pub(crate) struct Sample {
    pub(crate) name: &'static str,
    pub(crate) printed: String,
    pub(crate) record: Option<KeyRecord>,
}

/// The pepper in force and the one before it.
pub(crate) const PEPPER: &str = "the pepper in force, thirty-two bytes and more";
pub(crate) const PREVIOUS_PEPPER: &str = "the pepper before it, thirty-two bytes and more";
/// A pepper that is nowhere configured.
const OTHER_PEPPER: &str = "the pepper of another gate, thirty-two bytes and more";

fn mint(environment: &str, number: u8) -> MintedKey {
    mint_with(environment, number, None)
}

fn mint_with(environment: &str, number: u8, pepper: Option<&str>) -> MintedKey {
    let mut environments: Vec<String> = ENVIRONMENTS.iter().map(|&word| word.to_owned()).collect();
    environments.push("test".to_owned());
    let format = KeyFormat {
        prefix: PREFIX.to_owned(),
        environments,
        pepper: pepper.map(pepper_of),
        previous_pepper: None,
    };
    format.mint(environment, [number; 32]).unwrap()
}

fn pepper_of(text: &str) -> Pepper {
    Pepper::new(text.as_bytes().to_vec()).unwrap()
}

fn sample(name: &'static str, number: u8, change: impl FnOnce(&mut KeyRecord)) -> Sample {
    sample_of(name, number, mint("live", number), change)
}

fn sample_of(
    name: &'static str,
    number: u8,
    minted: MintedKey,
    change: impl FnOnce(&mut KeyRecord),
) -> Sample {
    let mut held = KeyRecord {
        id: KeyId::new(doorward_tests::keys::NOW, u128::from(number)),
        digest: minted.digest,
        ..record("acme", u64::from(number))
    };
    change(&mut held);
    Sample {
        name,
        printed: minted.printed.expose().clone(),
        record: Some(held),
    }
}

/// A good key.
pub(crate) fn good() -> Sample {
    sample("key", 1, |_| {})
}

/// A good key of the tenant `globex` with the scope `orders:admin`.
pub(crate) fn globex() -> Sample {
    sample("key of globex", 2, |key| {
        "globex".clone_into(&mut key.tenant);
        key.scopes.push("orders:admin".to_owned());
    })
}

/// Keys that are restricted to a route or an address.
pub(crate) fn restricted() -> Vec<Sample> {
    let routes = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
    vec![
        sample("key for this route", 3, |key| {
            key.routes = routes(&["any", "any-connect", "any-graphql"]);
        }),
        sample("key for another route", 4, |key| {
            key.routes = routes(&["office"]);
        }),
        sample("key for no route", 5, |key| key.routes = routes(&[])),
        sample("key for this address", 6, |key| {
            key.addresses = Some(vec!["198.51.100.0/24".parse().unwrap()]);
        }),
        sample("key for another address", 7, |key| {
            key.addresses = Some(vec!["192.0.2.0/24".parse().unwrap()]);
        }),
    ]
}

/// A key with a plan that the configuration does not name.
pub(crate) fn planned() -> Sample {
    sample("key of an unknown plan", 21, |key| {
        key.plan = Some("unheard".to_owned());
    })
}

/// What a decoy is like: it says nothing of rights.
fn decoy(key: &mut KeyRecord) {
    key.decoy = true;
    key.scopes.clear();
}

/// Keys that do not hold.
pub(crate) fn bad() -> Vec<Sample> {
    let made_up = |name, printed: String| Sample {
        name,
        printed,
        record: None,
    };
    let mut mistyped = mint("live", 8).printed.expose().clone();
    let last = mistyped.pop().unwrap();
    mistyped.push(if last == '0' { '1' } else { '0' });
    let mut short = mint("live", 9).printed.expose().clone();
    short.pop();
    vec![
        made_up("key, one character short", short),
        made_up("key, mistyped", mistyped),
        made_up("key for testing", mint("test", 10).printed.expose().clone()),
        made_up("key, unknown", mint("live", 11).printed.expose().clone()),
        sample("key, expired", 12, |key| {
            key.expires_at = Some(doorward_keys::Timestamp::from_unix(NOW));
        }),
        sample("key, last second", 13, |key| {
            key.expires_at = Some(doorward_keys::Timestamp::from_unix(NOW + 1));
        }),
        sample("key, disabled", 14, |key| key.status = KeyStatus::Disabled),
        sample("key, revoked", 15, |key| key.status = KeyStatus::Revoked),
        sample("key, decoy", 22, decoy),
        sample("key, expired decoy", 23, |key| {
            decoy(key);
            key.expires_at = Some(doorward_keys::Timestamp::from_unix(NOW));
        }),
        sample("key, revoked decoy", 24, |key| {
            decoy(key);
            key.status = KeyStatus::Revoked;
        }),
        sample("key, record for testing", 16, |key| {
            "test".clone_into(&mut key.environment);
        }),
    ]
}

/// Keys that differ in their pepper. All are in the table.
pub(crate) fn peppered() -> Vec<Sample> {
    let sample =
        |name, number, pepper| sample_of(name, number, mint_with("live", number, pepper), |_| {});
    vec![
        sample("key, pepper in force", 17, Some(PEPPER)),
        sample("key, previous pepper", 18, Some(PREVIOUS_PEPPER)),
        sample("key, pepper of another gate", 19, Some(OTHER_PEPPER)),
        sample("key, no pepper", 20, None),
    ]
}

/// All of them.
pub(crate) fn all() -> Vec<Sample> {
    let mut all = vec![good(), globex(), planned()];
    all.extend(peppered());
    all.extend(restricted());
    all.extend(bad());
    all
}

/// What must not be seen anywhere: the peppers, the keys and their digests.
pub(crate) fn canaries() -> Vec<String> {
    let of_sample = |sample: Sample| {
        let stored = sample.record.map(|record| record.digest);
        let digest = stored.unwrap_or_else(|| Digest::of(&sample.printed, None));
        let encoded = doorward_tests::tokens::encode(digest.as_bytes());
        [sample.printed, digest.to_hex(), encoded]
    };
    let peppers = [PEPPER, PREVIOUS_PEPPER].map(str::to_owned);
    all()
        .into_iter()
        .flat_map(of_sample)
        .chain(peppers)
        .collect()
}
