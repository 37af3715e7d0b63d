//! No token but the one that was signed.

use doorward_engine::layers::jwt::Algorithm;
use doorward_tests::tokens::SigningKey;
use proptest::prelude::*;
use tokio::runtime::{Builder, Runtime};

use crate::{Gate, NOW, access};

fn runtime() -> Runtime {
    Builder::new_current_thread().build().unwrap()
}

fn algorithm() -> impl Strategy<Value = Algorithm> {
    prop_oneof![
        Just(Algorithm::Rs256),
        Just(Algorithm::Ps256),
        Just(Algorithm::Es256),
        Just(Algorithm::Es512),
        Just(Algorithm::Ed25519),
    ]
}

#[test]
fn refuses_every_change_of_a_single_byte() {
    // Every place of a token, with every character that could stand there.
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ ";
    runtime().block_on(async {
        let key = SigningKey::shared(Algorithm::Ed25519, "k");
        let gate = Gate::new(&[Algorithm::Ed25519], &[&key]);
        let token = access().signed_by(&key);
        gate.accepts(&token).await;
        for place in 0..token.len() {
            for byte in alphabet {
                let mut changed = token.clone().into_bytes();
                if changed[place] == *byte {
                    continue;
                }
                changed[place] = *byte;
                let changed = String::from_utf8(changed).unwrap();
                let verified = gate.verify_at(&changed, NOW).await;
                assert!(verified.is_err(), "{changed}");
            }
        }
        gate.accepts(&token).await;
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn refuses_changes_insertions_and_removals(
        algorithm in algorithm(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<char>(), 0..3_u8), 1..4),
    ) {
        let key = SigningKey::shared(algorithm, "k");
        let token = access().signed_by(&key);
        let mut changed: Vec<char> = token.chars().collect();
        for (place, character, kind) in edits {
            let place = place.index(changed.len());
            match kind {
                0 => changed[place] = character,
                1 => changed.insert(place, character),
                _ => { changed.remove(place); }
            }
        }
        let changed: String = changed.into_iter().collect();
        prop_assume!(changed != token);
        let gate = Gate::new(&[algorithm], &[&key]);
        runtime().block_on(async {
            gate.accepts(&token).await;
            prop_assert!(gate.verify_at(&changed, NOW).await.is_err());
            Ok(())
        })?;
    }

    #[test]
    fn never_panics_on_any_text(text in ".{0,300}") {
        let key = SigningKey::shared(Algorithm::Ed25519, "k");
        let gate = Gate::new(&[Algorithm::Ed25519], &[&key]);
        prop_assert!(runtime().block_on(gate.verify_at(&text, NOW)).is_err());
    }

    #[test]
    fn never_panics_on_any_signed_header_and_payload(header in ".{0,100}", payload in ".{0,100}") {
        let key = SigningKey::shared(Algorithm::Ed25519, "k");
        let gate = Gate::new(&[Algorithm::Ed25519], &[&key]);
        let token = doorward_tests::tokens::compact(&header, &payload, &key);
        prop_assert!(runtime().block_on(gate.verify_at(&token, NOW)).is_err());
    }
}
