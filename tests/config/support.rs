//! Files, the environment of the tests, and the comparison with expected texts.

use std::{
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::OnceLock,
};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use doorward_engine::config::{ConfigEnv, ConfigFaults, SecretReference};
use doorward_keys::Secret;

pub(crate) const PEPPER: &str = "a pepper of more than thirty-two bytes";

pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

pub(crate) fn dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config")
}

pub(crate) fn cases(folder: &str) -> Vec<Case> {
    let entries = std::fs::read_dir(dir().join(folder)).unwrap();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        matches!(extension, Some("toml" | "json"))
    });
    paths.sort();
    assert!(!paths.is_empty());
    let case = |path: PathBuf| Case {
        name: path.file_name().unwrap().to_str().unwrap().to_owned(),
        text: std::fs::read_to_string(&path).unwrap(),
        path,
    };
    paths.into_iter().map(case).collect()
}

/// A private key of this run, in PEM. None is kept in the project.
fn signing_key() -> &'static str {
    static KEY: OnceLock<String> = OnceLock::new();
    KEY.get_or_init(|| {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let body = STANDARD.encode(pair.to_pkcs8v1().unwrap());
        format!("-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----\n")
    })
}

/// Files beside the tests, and a few secrets.
pub(crate) fn env() -> ConfigEnv<'static> {
    ConfigEnv {
        read_file: &|path| {
            let path = dir().join("files").join(path);
            std::fs::read_to_string(path).map_err(|error| error.kind().to_string())
        },
        secret: &|reference| match reference {
            SecretReference::Env(name) if name == "PEPPER" => Ok(Secret::new(PEPPER.to_owned())),
            SecretReference::Env(name) if name == "PEPPER_OLD" => {
                Ok(Secret::new(format!("old {PEPPER}")))
            }
            SecretReference::Env(name) if name == "SHORT" => Ok(Secret::new("short".to_owned())),
            SecretReference::Env(name) if name == "REDIS_PASSWORD" => {
                Ok(Secret::new("hunter2".to_owned()))
            }
            SecretReference::Env(name) if name == "PENALTY_KEY" => {
                Ok(Secret::new("hunter2-hunter2-hunter2".to_owned()))
            }
            SecretReference::Env(name) if name == "PLAN_KEY" => {
                Ok(Secret::new("everybody-hunter2-everybody".to_owned()))
            }
            SecretReference::Env(name) if name == "SIGNING_KEY" => {
                Ok(Secret::new(signing_key().to_owned()))
            }
            SecretReference::Kms(name) if name == "alias/other-curve" => {
                Ok(Secret::new(STANDARD.encode("a key on another curve")))
            }
            other => Err(format!("`{other}` is not set")),
        },
    }
}

/// Faults, then warnings.
pub(crate) fn said(faults: &ConfigFaults) -> String {
    let mut text = format!("{faults}\n");
    for warning in &faults.warnings {
        writeln!(text, "warning: {}", warning.line(&faults.name)).unwrap();
    }
    text
}

/// Compares with the file at `path`, which an empty text does without.
pub(crate) fn check_text(path: &Path, found: &str) {
    if std::env::var_os("DOORWARD_BLESS").is_some() {
        if found.is_empty() {
            let _ = std::fs::remove_file(path);
        } else {
            std::fs::write(path, found).unwrap();
        }
        return;
    }
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        expected == found,
        "`{}` is stale; if the new text is right, run with DOORWARD_BLESS=1\n\nexpected:\n{expected}\nfound:\n{found}",
        path.display()
    );
}
