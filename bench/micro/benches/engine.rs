//! What a decision of the engine takes, beside the bare check of the signature: `bench/engine` runs it and keeps the numbers.

#![expect(clippy::expect_used, reason = "a measurement that goes wrong ends")]

use criterion::{Criterion, criterion_group, criterion_main};
use doorward_micro::{
    bare::{self, Bare},
    credentials::Credentials,
    house::stopwatch,
    scene::Scene,
};

/// More than the engine remembers of tokens, so that each is new when its turn comes again.
const CREDENTIALS: usize = 4500;

/// The bare check of each algorithm stands beside the scene that it is compared with.
fn decisions(criterion: &mut Criterion) {
    let credentials = Credentials::make(CREDENTIALS, CREDENTIALS).expect("keys and tokens");
    let mut group = criterion.benchmark_group("engine");
    for scene in Scene::ALL {
        if let Scene::New(algorithm) = scene {
            let signed = credentials.of(algorithm).expect("tokens");
            let bare = Bare::of(algorithm, signed).expect("a key");
            let mut turn = 0;
            group.bench_function(bare::name(algorithm), |bencher| {
                bencher.iter(|| {
                    turn += 1;
                    bare.check(turn).expect("a signature");
                });
            });
        }
        let staged = scene.stage(&credentials, stopwatch).expect("a scene");
        let mut turn = 0;
        group.bench_function(scene.name(), |bencher| {
            bencher.iter(|| {
                turn += 1;
                staged.play(turn).expect("what has to come of it")
            });
        });
    }
    group.finish();
}

criterion_group!(engine, decisions);
criterion_main!(engine);
