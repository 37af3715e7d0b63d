//! The process that is counted.

use std::{hint::black_box, io};

use anyhow::Context as _;
use doorward_micro::{
    bare::Bare,
    credentials::{ALGORITHMS, Credentials},
    front::{Asked, Front},
    house::still,
    scene::Scene,
};

/// The argument that makes this program the one that is counted.
pub(crate) const WORD: &str = "--measured";

/// Calls before anything is counted: what is made on first use is there then.
const WARM_UP: usize = 50;

/// Calls that are counted.
const CALLS: usize = 200;

/// Credentials that are all used once.
pub(crate) const CREDENTIALS: usize = WARM_UP + CALLS;

/// Of one call, from what callgrind counted.
pub(crate) fn per_call(counted: u64) -> u64 {
    counted.div_euclid(CALLS as u64)
}

/// Plays the scene of this name, does what stands around one, or checks the signatures of the algorithm of this name. The credentials come as JSON.
pub(crate) fn run(name: &str) -> anyhow::Result<()> {
    let credentials: Credentials = serde_json::from_reader(io::stdin().lock())?;
    if let Some(algorithm) = ALGORITHMS.into_iter().find(|one| one.name() == name) {
        let signed = credentials.of(algorithm).context("no tokens")?;
        let bare = Bare::of(algorithm, signed)?;
        return twice(&|number| bare.check(number));
    }
    if let Some(front) = Front::ALL.into_iter().find(|one| one.name() == name) {
        let asked = Asked::with_key(&credentials)?;
        let decoded = asked.read();
        return match front {
            Front::Event => twice(&|_| {
                drop(black_box(asked.read()));
                Ok(())
            }),
            Front::Answer => twice(&|_| asked.write(&decoded).map(|text| drop(black_box(text)))),
        };
    }
    let scene = Scene::ALL.into_iter().find(|one| one.name() == name);
    let staged = scene.context("no such scene")?.stage(&credentials, still)?;
    twice(&|number| staged.play(number).map(|verdict| drop(black_box(verdict))))
}

fn twice(work: &dyn Fn(usize) -> anyhow::Result<()>) -> anyhow::Result<()> {
    (0..WARM_UP).try_for_each(work)?;
    doorward_counted_part(work)
}

/// callgrind counts while this runs, and finds it by its name.
#[inline(never)]
fn doorward_counted_part(work: &dyn Fn(usize) -> anyhow::Result<()>) -> anyhow::Result<()> {
    (WARM_UP..CREDENTIALS).try_for_each(work)
}
