//! Keys of a former system, which several actors know: they are brought by their hash, by their digest or by the key itself, and shown
//! to the gate.

use doorward_keys::{Digest, KeyLookup as _, KeyRecord, Rehash, RehashSink as _};
use serde_json::{Value, json};

use crate::{
    chance::Chance,
    world::{TENANT, World},
};

/// How many there are.
const COUNT: u64 = 12;

/// One of them.
pub(crate) struct Foreign {
    pub(crate) name: String,
    printed: String,
}

impl Foreign {
    fn numbered(number: u64) -> Self {
        Self {
            name: format!("foreign {number}"),
            printed: format!("partner{number:025}"),
        }
    }

    pub(crate) fn all() -> impl Iterator<Item = Self> {
        (0..COUNT).map(Self::numbered)
    }

    pub(crate) fn any(chance: &mut Chance) -> Self {
        Self::numbered(chance.below(COUNT))
    }

    /// The digest that a key of ours would have.
    fn own(&self, world: &World) -> Digest {
        Digest::of(&self.printed, world.pepper())
    }

    /// The command that brings it: one source knows the hash alone, another the key and so both digests. One that knew nothing but
    /// the digest under the pepper could not be told from another key.
    pub(crate) fn import(&self, world: &World, chance: &mut Chance) -> Value {
        let hash = Digest::of(&self.printed, None).to_hex();
        let mut command = json!({
            "operation": "import", "tenant": TENANT, "name": self.name, "environment": "live",
            "former": [{"hash": "sha256", "value": hash}],
        });
        if chance.below(2) == 0 {
            command["digest"] = json!(self.own(world).to_hex());
        }
        command
    }

    /// The record under any of its digests, past the place where calls get lost; all of them must lead to one.
    pub(crate) async fn record(&self, world: &World) -> Option<KeyRecord> {
        let places = world
            .forms()
            .find(&self.printed, &world.format(), world.now());
        let mut found: Option<KeyRecord> = None;
        for digest in places.unwrap().iter() {
            let here = world.table.lookup(digest).await.unwrap();
            if let (Some(one), Some(other)) = (&found, &here) {
                assert_eq!(one.id, other.id, "{} is there twice", self.name);
            }
            found = found.or(here);
        }
        found
    }

    /// Shows it to the gate, which asks for its move where it stands under its former hash.
    pub(crate) async fn show(&self, world: &World) {
        let Some(record) = self.record(world).await else {
            return;
        };
        let own = self.own(world);
        if record.digest == own {
            return;
        }
        let rehash = Rehash::of(&record, own, world.pepper()).unwrap();
        // What is not asked for is asked for at a later use.
        let _ = world.rehashes.ask(&rehash, world.now().plus(86_400)).await;
    }
}
