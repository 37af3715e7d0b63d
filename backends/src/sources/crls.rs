//! Lists of revoked certificates: files beside the configuration and objects of S3.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use doorward_engine::layers::certificate::{CrlPlace, CrlSource};

use super::{AwsAccess, NO_ACCESS, loader::read_bytes, services};

/// Fetches lists. A relative path begins where those of the configuration do.
#[derive(Debug)]
pub(super) struct Crls {
    pub(super) folder: PathBuf,
    pub(super) aws: Option<Arc<AwsAccess>>,
}

#[async_trait]
impl CrlSource for Crls {
    async fn fetch(&self, place: &CrlPlace) -> Result<Vec<u8>, String> {
        let fetched = match (place, &self.aws) {
            (CrlPlace::File(path), _) => read_bytes(&self.folder.join(path)),
            (CrlPlace::S3 { bucket, key }, Some(aws)) => services::object(aws, bucket, key).await,
            (CrlPlace::S3 { .. }, None) => Err(NO_ACCESS.to_owned()),
        };
        fetched.map_err(|why| format!("`{place}`: {why}"))
    }
}
