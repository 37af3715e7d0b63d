//! What a decision of the engine takes, beside the bare check of the signature: `bench/engine` runs it and keeps the numbers.
//!
//! What is decided on is made right before it, some calls ahead: a function has just read it from its event. So is the copy of the
//! token of which the bare check verifies the signature.

#![expect(clippy::expect_used, reason = "a measurement that goes wrong ends")]

use std::{cell::Cell, hint::black_box};

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use doorward_micro::{
    bare::{self, Bare},
    credentials::Credentials,
    house::stopwatch,
    scene::Scene,
};

/// More than the engine remembers of tokens, so that each is new when its turn comes again.
const CREDENTIALS: usize = 4500;

/// How many calls ahead requests are made. Those few stay in the processor's nearest memory.
const AHEAD: BatchSize = BatchSize::NumIterations(8);

/// The bare check of each algorithm stands beside the scene that it is compared with.
fn decisions(criterion: &mut Criterion) {
    let credentials = Credentials::make(CREDENTIALS, CREDENTIALS).expect("keys and tokens");
    let mut group = criterion.benchmark_group("engine");
    let turns = Cell::new(0);
    let turn = || {
        turns.set(turns.get() + 1);
        turns.get()
    };
    for scene in Scene::ALL {
        if let Scene::New(algorithm) = scene {
            let signed = credentials.of(algorithm).expect("tokens");
            let bare = Bare::of(algorithm, signed).expect("a key");
            group.bench_function(bare::name(algorithm), |bencher| {
                bencher.iter_batched_ref(
                    || bare.signed(turn()).expect("a token").clone(),
                    |signed| bare.verify(signed).expect("a signature"),
                    AHEAD,
                );
            });
        }
        let staged = scene.stage(&credentials, stopwatch).expect("a scene");
        group.bench_function(scene.name(), |bencher| {
            bencher.iter_batched_ref(
                || {
                    scene
                        .request(&credentials, turn())
                        .expect("something to ask")
                },
                |request| {
                    let verdict = staged.decide(request);
                    // To throw it away is a part of the call.
                    drop(black_box(verdict.expect("what has to come of it")));
                },
                AHEAD,
            );
        });
    }
    group.finish();
}

criterion_group!(engine, decisions);
criterion_main!(engine);
