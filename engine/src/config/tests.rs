//! The schema says the same as the raw types: what one takes, the other does.

use std::path::Path;

use super::{faults::Faults, shape, tree};

#[test]
fn every_good_configuration_fits_the_committed_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let good = std::fs::read_dir(root.join("tests/config/good")).unwrap();
    let mut paths: Vec<_> = good.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_none_or(|extension| extension != "txt"));
    paths.push(root.join("examples/doorward.toml"));
    paths.push(root.join("cli/src/local/demo.toml"));
    assert!(paths.len() > 4);
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut faults = Faults::default();
        let (mut tree, reading) = tree::read(&text, &mut faults);
        assert_eq!(reading, tree::Reading::Whole);
        shape::prune(&mut tree, &mut faults);
        let (faults, _) = faults.into_parts();
        assert!(faults.is_empty(), "{}: {faults:?}", path.display());
    }
}

#[test]
fn the_committed_schema_can_be_read() {
    let mut faults = Faults::default();
    let (mut tree, _) = tree::read("unheard_of = 1", &mut faults);
    shape::prune(&mut tree, &mut faults);
    let (faults, _) = faults.into_parts();
    assert_eq!(faults.len(), 1);
    assert_eq!(faults[0].code, "setting_unknown");
}
