//! One actor: asks for something at random, and asks again where no answer came.

use doorward_key_admin::{AdminError, Caller, Command, Reply, SystemEntropy};
use serde_json::{Value, json};

use crate::{
    chance::Chance,
    foreign::Foreign,
    jobs::SECRET,
    world::{TENANT, World},
};

/// Does `steps` things.
pub(crate) async fn act(world: &World, number: u64, steps: u64) {
    let mut chance = Chance::new(world.seed << 8 | number);
    for step in 0..steps {
        if chance.below(8) == 0 {
            Foreign::any(&mut chance).show(world).await;
        }
        let command = command(world, &mut chance, &format!("{number}-{step}"));
        for _ in 0..3 {
            if ask(world, &command).await {
                break;
            }
        }
    }
}

fn command(world: &World, chance: &mut Chance, name: &str) -> Value {
    let known = world.heard.lock().unwrap().ids.clone();
    let Some(id) = chance.one(&known) else {
        return create(name);
    };
    let on = |operation: &str| json!({"operation": operation, "id": id});
    match chance.below(16) {
        0 | 1 => create(name),
        2 | 3 => {
            json!({"operation": "rotate", "id": id, "overlapSeconds": 60, "idempotencyKey": name})
        }
        4 => on("disable"),
        5 => on("enable"),
        6 => on("revoke"),
        7 => on("delete"),
        8 => json!({"operation": "update", "id": id, "scopes": [format!("s:{name}")]}),
        9 => {
            json!({"operation": "update", "id": id, "metadata": {"by": name}, "expectedVersion": 1 + chance.below(4)})
        }
        10 => on("get"),
        11 => schedule(world, chance, id),
        12 => on("unschedule"),
        13 | 14 => Foreign::any(chance).import(world, chance),
        _ => on("audit"),
    }
}

/// A rotation soon, more often than not with a place for the successor.
fn schedule(world: &World, chance: &mut Chance, id: &str) -> Value {
    let at = world.now().unix() + 2 + i64::try_from(chance.below(20)).unwrap();
    let mut command = json!({"operation": "schedule", "id": id, "at": at, "overlapSeconds": 60});
    if chance.below(4) > 0 {
        command["secret"] = json!(SECRET);
    }
    command
}

fn create(name: &str) -> Value {
    json!({
        "operation": "create", "tenant": TENANT, "name": name, "environment": "live", "scopes": ["read"],
        "idempotencyKey": name,
    })
}

/// Asks, notes what is answered, and says whether it was answered at all.
async fn ask(world: &World, command: &Value) -> bool {
    let asked: Command = serde_json::from_value(command.clone()).unwrap();
    let revoked_before = {
        let heard = world.heard.lock().unwrap();
        asked.key_id().is_some_and(|id| heard.revoked.contains(id))
    };
    let caller = Caller::operator("op");
    let admin = &world.admin;
    let outcome = admin.run(asked, &caller, world.now(), &SystemEntropy).await;
    let mut heard = world.heard.lock().unwrap();
    match outcome {
        Ok(Reply::Created { key, secret }) => {
            heard.changes.push((key.id.clone(), key.version));
            heard
                .secrets
                .push((key.id.clone(), secret.expose().to_owned()));
            heard.ids.push(key.id);
        }
        Ok(Reply::Rotated {
            key,
            secret,
            replaced,
        }) => {
            heard.changes.push((key.id.clone(), key.version));
            heard.changes.push((replaced.id.clone(), replaced.version));
            heard
                .secrets
                .push((key.id.clone(), secret.expose().to_owned()));
            heard.ids.push(key.id);
        }
        Ok(Reply::Imported { key, imported }) => {
            if imported {
                heard.changes.push((key.id.clone(), key.version));
            }
            if !heard.ids.contains(&key.id) {
                heard.ids.push(key.id);
            }
        }
        Ok(Reply::Scheduled { key, changed }) => {
            if changed {
                assert!(!revoked_before, "{} was changed after its end", key.id);
                heard.changes.push((key.id, key.version));
            }
        }
        Ok(Reply::Repeated { key, .. }) => {
            if !heard.ids.contains(&key.id) {
                heard.ids.push(key.id);
            }
        }
        Ok(Reply::Changed { key, changed, .. }) => {
            if changed {
                assert!(!revoked_before, "{} was changed after its end", key.id);
                heard.changes.push((key.id.clone(), key.version));
            }
            if key.status == "revoked" {
                heard.revoked.insert(key.id);
            }
        }
        Ok(Reply::Key { key }) => assert!(
            !revoked_before || key.status == "revoked",
            "{} came alive again",
            key.id
        ),
        Ok(Reply::Deleted { id, .. }) => {
            heard.deleted.insert(id);
        }
        Ok(_) | Err(AdminError::Refused(_) | AdminError::Conflict(_) | AdminError::NotFound(_)) => {
        }
        Err(AdminError::Unavailable(_)) => {
            heard.silences += 1;
            return false;
        }
        Err(error) => panic!("{command}: {error}"),
    }
    true
}
