//! Lists of revoked certificates in memory.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use async_trait::async_trait;
use doorward_engine::layers::certificate::{CrlPlace, CrlSource};

/// Lists under their places; what is not there cannot be fetched.
#[derive(Debug, Default)]
pub struct MemoryCrls {
    lists: Mutex<HashMap<String, Vec<u8>>>,
}

impl MemoryCrls {
    /// No lists.
    pub fn new() -> Self {
        Self::default()
    }

    /// Puts a list at `place`, in place of what was there.
    pub fn put(&self, place: &str, list: Vec<u8>) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.insert(place.to_owned(), list);
    }

    /// Takes away what is at `place`.
    pub fn remove(&self, place: &str) {
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.remove(place);
    }
}

#[async_trait]
impl CrlSource for MemoryCrls {
    async fn fetch(&self, place: &CrlPlace) -> Result<Vec<u8>, String> {
        let lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        let found = lists.get(&place.to_string()).cloned();
        found.ok_or_else(|| format!("`{place}`: there is no such list"))
    }
}
