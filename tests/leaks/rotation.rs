//! Leaked keys whose holder gets another one before they end.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use doorward_key_admin::{Jobs, lambda::Function};
use doorward_keys::{BusError, Event, EventBus, EventKind, KeyEvent, Secret, SuccessorSecrets};
use serde_json::{Value, json};

use crate::house::{Answered, House, Key, NOW, URL, event, report, send};

/// A secret of the holder.
#[derive(Default)]
struct Vault {
    pending: Mutex<Option<(String, String)>>,
    current: Mutex<Option<String>>,
    is_down: bool,
}

#[async_trait]
impl SuccessorSecrets for Vault {
    async fn put_pending(
        &self,
        name: &str,
        version: &str,
        printed: &Secret<String>,
    ) -> Result<(), String> {
        if self.is_down {
            return Err("no answer".to_owned());
        }
        assert_eq!(name, "partner");
        let put = (version.to_owned(), printed.expose().clone());
        *self.pending.lock().unwrap() = Some(put);
        Ok(())
    }

    async fn make_current(&self, _: &str, version: &str) -> Result<(), String> {
        let pending = self.pending.lock().unwrap().clone();
        let (_, printed) = pending.filter(|(put, _)| put == version).unwrap();
        *self.current.lock().unwrap() = Some(printed);
        Ok(())
    }
}

#[derive(Default)]
struct Bus(Mutex<Vec<KeyEvent>>);

#[async_trait]
impl EventBus for Bus {
    async fn publish(&self, events: &[Event]) -> Vec<Result<(), BusError>> {
        let mut heard = self.0.lock().unwrap();
        for event in events {
            let Event::Key(event) = event else {
                panic!("{event:?}");
            };
            heard.push(event.clone());
        }
        events.iter().map(|_| Ok(())).collect()
    }
}

/// A house, and what its function hands keys and events to.
struct Scene {
    house: House,
    vault: Arc<Vault>,
    bus: Arc<Bus>,
}

impl Scene {
    async fn open(vault: Vault) -> Self {
        Self {
            house: House::open("action = 'rotate'\noverlap_seconds = 600").await,
            vault: Arc::new(vault),
            bus: Arc::default(),
        }
    }

    fn function(&self) -> Function {
        let admin = self.house.admin();
        let time: (fn() -> Duration, Duration) = (|| Duration::ZERO, Duration::from_secs(10));
        let (store, bus) = (self.house.keys.clone(), self.bus.clone());
        let jobs = Jobs::new(admin.clone(), store, bus, time, |_| {})
            .with_secrets(Some(self.vault.clone()));
        self.house.function(admin).with_jobs(jobs)
    }

    async fn scheduled(&self) -> Key {
        let key = self.house.key("live").await;
        let schedule = json!({"operation": "schedule", "id": key.id, "inDays": 60, "everyDays": 60,
            "overlapSeconds": 86_400, "secret": "secretsmanager:partner"});
        self.house.asked(schedule).await;
        key
    }

    async fn reported(&self, key: &Key, url: &str) -> Answered {
        let body = report(&[&key.printed], url);
        let signature = self.house.signer.sign(body.as_bytes());
        let signed = event(&self.house.signer.name, &signature, &body);
        send(&self.function(), &signed, 0).await
    }

    async fn shown(&self, id: &str) -> Value {
        let asked = json!({"operation": "get", "id": id});
        self.house.asked(asked).await["key"].clone()
    }

    /// What was said to have been done, of each notice of a leak.
    fn actions(&self) -> Vec<String> {
        let heard = self.bus.0.lock().unwrap();
        let leaks = heard
            .iter()
            .filter(|event| event.kind == EventKind::KeyLeaked);
        leaks.map(|event| event.details["action"].clone()).collect()
    }
}

#[tokio::test]
async fn a_leaked_key_with_a_place_for_its_successor_is_rotated_at_once() {
    let scene = Scene::open(Vault::default()).await;
    let key = scene.scheduled().await;
    let answer = scene.reported(&key, URL).await;
    assert_eq!(
        (answer.status, &answer.body[0]["label"]),
        (200, &json!("true_positive"))
    );

    let old = scene.shown(&key.id).await;
    assert_eq!(
        (&old["status"], &old["expiresAt"]),
        (&json!("active"), &json!(NOW.plus(600).unix()))
    );
    let successor = old["rotatedTo"].as_str().unwrap();
    let printed = scene.vault.current.lock().unwrap().clone().unwrap();
    let verified = scene
        .house
        .asked(json!({"operation": "verify", "key": printed}))
        .await;
    assert_eq!(
        (&verified["valid"], &verified["key"]["id"]),
        (&json!(true), &json!(successor))
    );
    // The successor is rotated in turn, as the leaked one would have been.
    let next = NOW.plus(60 * 86_400).unix();
    assert_eq!(scene.shown(successor).await["rotatesAt"], json!(next));
    assert_eq!(scene.actions(), ["rotated"]);
    let changes = scene
        .house
        .asked(json!({"operation": "audit", "id": key.id}))
        .await;
    let last = &changes["changes"][2];
    assert_eq!(
        (&last["action"], &last["actor"]),
        (&json!("rotate"), &json!("leak:github"))
    );
    assert_eq!(last["reason"], format!("found by GitHub at {URL}"));

    // Found elsewhere too: its end is near already, and the successor is not touched.
    scene.reported(&key, "https://github.com/other").await;
    assert_eq!(scene.shown(&key.id).await["version"], old["version"]);
    assert_eq!(scene.actions(), ["rotated", "none"]);
    scene.house.close().await;
}

#[tokio::test]
async fn a_leaked_key_without_such_a_place_is_ended() {
    let scene = Scene::open(Vault::default()).await;
    let plain = scene.house.key("live").await;
    scene.reported(&plain, URL).await;
    assert_eq!(scene.house.status(&plain).await, "revoked");

    // Somebody was to be told of its rotation, and would not get the new key.
    let told = scene.house.key("live").await;
    let schedule = json!({"operation": "schedule", "id": told.id, "inDays": 30});
    scene.house.asked(schedule).await;
    scene.reported(&told, URL).await;
    assert_eq!(scene.house.status(&told).await, "revoked");

    // It has a successor, but would live on for long.
    let rotated = scene.house.key("live").await;
    let rotate = json!({"operation": "rotate", "id": rotated.id, "overlapSeconds": 86_400});
    scene.house.asked(rotate).await;
    scene.reported(&rotated, URL).await;
    assert_eq!(scene.house.status(&rotated).await, "revoked");
    assert_eq!(scene.actions(), ["revoked", "revoked", "revoked"]);
    scene.house.close().await;
}

#[tokio::test]
async fn a_disabled_key_gets_no_successor() {
    let scene = Scene::open(Vault::default()).await;
    let key = scene.scheduled().await;
    scene
        .house
        .asked(json!({"operation": "disable", "id": key.id}))
        .await;
    scene.reported(&key, URL).await;
    assert_eq!(scene.house.status(&key).await, "disabled");
    assert_eq!(scene.actions(), ["none"]);
    assert!(scene.vault.current.lock().unwrap().is_none());
    scene.house.close().await;
}

#[tokio::test]
async fn while_the_secret_cannot_be_written_github_is_to_come_again() {
    let scene = Scene::open(Vault {
        is_down: true,
        ..Vault::default()
    })
    .await;
    let key = scene.scheduled().await;
    assert_eq!(scene.reported(&key, URL).await.status, 503);
    let shown = scene.shown(&key.id).await;
    assert_eq!(
        (&shown["status"], &shown["rotatedTo"]),
        (&json!("active"), &Value::Null)
    );
    assert!(scene.actions().is_empty());
    scene.house.close().await;
}
