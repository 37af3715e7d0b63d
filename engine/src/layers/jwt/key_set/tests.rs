use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};

use super::*;
use crate::layers::jwt::test_support::{ED25519, P256, P521, RSA, key_set};

fn parse(entries: &[String]) -> KeySet {
    KeySet::parse(key_set(entries).as_bytes(), &Algorithm::ALL, 100).unwrap()
}

/// What a look for `id` finds: the id and algorithm if usable, else why not.
#[track_caller]
fn check(set: &KeySet, id: Option<&str>, algorithm: Algorithm, expected: &str) {
    let found = match set.find(id, algorithm) {
        Found::Key(key) => {
            assert!(key.verifier(algorithm).is_some());
            format!("key {}", key.id.as_deref().unwrap_or("(unnamed)"))
        }
        Found::Unknown(why) => format!("unknown: {why}"),
        Found::Unsuitable(why) => format!("unsuitable: {why}"),
    };
    assert!(found.starts_with(expected), "{found}");
}

/// An entry is skipped, and the reason says `why`.
#[track_caller]
fn skips(entry: &str, why: &str) {
    let set = parse(&[entry.to_owned()]);
    assert_eq!(set.len(), 0, "{entry}");
    let found = set.unusable().first().unwrap().why;
    assert!(found.contains(why), "{entry}: {found}");
}

fn named(key: &str, id: &str) -> String {
    format!(r#"{key},"kid":"{id}""#)
}

#[test]
fn finds_a_key_by_name_and_algorithm() {
    let set = parse(&[
        named(RSA, "r"),
        named(P256, "e"),
        named(P521, "big"),
        named(ED25519, "ed"),
    ]);
    assert_eq!(set.len(), 4);
    for algorithm in [
        Algorithm::Rs256,
        Algorithm::Rs384,
        Algorithm::Rs512,
        Algorithm::Ps256,
        Algorithm::Ps384,
        Algorithm::Ps512,
    ] {
        check(&set, Some("r"), algorithm, "key r");
    }
    check(&set, Some("e"), Algorithm::Es256, "key e");
    check(&set, Some("big"), Algorithm::Es512, "key big");
    check(&set, Some("ed"), Algorithm::Ed25519, "key ed");
}

#[test]
fn refuses_a_named_key_of_another_kind_and_tries_no_other() {
    let set = parse(&[named(RSA, "r"), named(P256, "e")]);
    check(&set, Some("r"), Algorithm::Es256, "unsuitable");
    check(&set, Some("e"), Algorithm::Rs256, "unsuitable");
    // The curve decides the algorithm.
    check(&set, Some("e"), Algorithm::Es384, "unsuitable");
    check(&set, Some("R"), Algorithm::Rs256, "unknown");
    check(&set, Some(""), Algorithm::Rs256, "unknown");
}

#[test]
fn binds_a_key_to_the_algorithm_it_states() {
    let set = parse(&[format!(r#"{},"alg":"PS256""#, named(RSA, "r"))]);
    check(&set, Some("r"), Algorithm::Ps256, "key r");
    check(&set, Some("r"), Algorithm::Rs256, "unsuitable");
    check(&set, None, Algorithm::Rs256, "unknown");
}

#[test]
fn takes_both_names_of_ed25519() {
    for name in ["EdDSA", "Ed25519"] {
        let set = parse(&[format!(r#"{},"alg":"{name}""#, named(ED25519, "ed"))]);
        check(&set, Some("ed"), Algorithm::Ed25519, "key ed");
    }
}

#[test]
fn parses_keys_only_for_the_algorithms_of_the_issuer() {
    let document = key_set(&[named(RSA, "r"), named(P256, "e")]);
    let set = KeySet::parse(document.as_bytes(), &[Algorithm::Es256], 10).unwrap();
    assert_eq!(set.len(), 1);
    check(&set, Some("r"), Algorithm::Rs256, "unsuitable");
}

#[test]
fn demands_exactly_one_fitting_key_where_the_token_names_none() {
    let set = parse(&[named(RSA, "r"), named(P256, "e")]);
    check(&set, None, Algorithm::Es256, "key e");
    check(&set, None, Algorithm::Ed25519, "unknown");
    let set = parse(&[named(P256, "a"), P256.to_owned()]);
    check(
        &set,
        None,
        Algorithm::Es256,
        "unsuitable: the token names no key, and 2 fit",
    );
    // A key without a name is not found by a name.
    let set = parse(&[P256.to_owned()]);
    check(&set, Some("e"), Algorithm::Es256, "unknown");
    check(&set, None, Algorithm::Es256, "key (unnamed)");
}

#[test]
fn refuses_a_name_with_two_different_keys_whatever_their_order() {
    let (one, other) = (named(RSA, "k"), named(P256, "k"));
    for entries in [[one.clone(), other.clone()], [other, one]] {
        let set = parse(&entries);
        check(&set, Some("k"), Algorithm::Rs256, "unsuitable");
        check(&set, Some("k"), Algorithm::Es256, "unsuitable");
        check(&set, None, Algorithm::Es256, "unknown");
    }
}

#[test]
fn takes_the_same_key_twice_as_one() {
    let set = parse(&[
        format!(r#"{},"alg":"RS256""#, named(RSA, "k")),
        format!(r#"{},"alg":"PS256""#, named(RSA, "k")),
    ]);
    assert_eq!(set.len(), 1);
    check(&set, Some("k"), Algorithm::Rs256, "key k");
    check(&set, Some("k"), Algorithm::Ps256, "key k");
    check(&set, Some("k"), Algorithm::Rs384, "unsuitable");
}

#[test]
fn ignores_an_encryption_key_under_the_name_of_a_signing_key() {
    let set = parse(&[
        named(P256, "k"),
        format!(r#"{},"use":"enc""#, named(RSA, "k")),
    ]);
    check(&set, Some("k"), Algorithm::Es256, "key k");
}

#[test]
fn skips_entries_that_are_not_for_verifying() {
    for (member, why) in [
        (r#""use":"enc""#, "`use`"),
        (r#""use":null"#, "`use`"),
        (r#""use":["sig"]"#, "`use`"),
        (r#""key_ops":["sign"]"#, "`key_ops`"),
        (r#""key_ops":[]"#, "`key_ops`"),
        (r#""key_ops":"verify""#, "`key_ops`"),
        (r#""alg":"RSA-OAEP""#, "`alg`"),
        (r#""alg":"HS256""#, "`alg`"),
        (r#""alg":"none""#, "`alg`"),
        (r#""alg":1"#, "`alg`"),
        (r#""alg":"ES256""#, "fits none"),
        (r#""d":"AA""#, "private"),
        (r#""kid":1"#, "`kid`"),
    ] {
        skips(&format!("{RSA},{member}"), why);
    }
    let set = parse(&[format!(
        r#"{RSA},"use":"sig","key_ops":["sign","verify"],"x5c":[]"#
    )]);
    assert_eq!(set.len(), 1);
}

#[test]
fn skips_unknown_types_and_missing_members() {
    for (entry, why) in [
        (r#""kty":"oct","k":"AAAA""#, "private"),
        (r#""kty":"oct""#, "`kty`"),
        (r#""kty":"rsa""#, "`kty`"),
        (r#""kid":"x""#, "`kty`"),
        (r#""kty":"RSA","e":"AQAB""#, "missing"),
        (r#""kty":"EC","x":"AA","y":"AA""#, "`crv`"),
        (r#""kty":"EC","crv":"secp256k1","x":"AA","y":"AA""#, "`crv`"),
        (r#""kty":"OKP","crv":"Ed448","x":"AA""#, "`crv`"),
        (r#""kty":"OKP","crv":"X25519","x":"AA""#, "`crv`"),
        (r#""kty":"OKP","crv":"Ed25519","x":"AA""#, "32 bytes"),
        (r#""kty":"OKP","crv":"Ed25519","x":"AB""#, "base64url"),
    ] {
        skips(entry, why);
    }
}

fn rsa(bytes: &[u8], exponent: &[u8]) -> String {
    format!(
        r#""kty":"RSA","n":"{}","e":"{}""#,
        URL_SAFE_NO_PAD.encode(bytes),
        URL_SAFE_NO_PAD.encode(exponent)
    )
}

#[test]
fn skips_rsa_keys_of_the_wrong_size() {
    let of_bits = |bits: usize| {
        let mut modulus = vec![0xff; bits / 8];
        if !bits.is_multiple_of(8) {
            modulus.insert(0, 1);
        }
        rsa(&modulus, &[1, 0, 1])
    };
    for bits in [512, 1024, 2040, 8200, 16384] {
        skips(&of_bits(bits), "2048 to 8192 bits");
    }
    let one_bit_short = {
        let mut modulus = vec![0xff; 256];
        modulus[0] = 0x7f;
        rsa(&modulus, &[1, 0, 1])
    };
    skips(&one_bit_short, "2048 to 8192 bits");
    assert_eq!(parse(&[of_bits(2048)]).len(), 1);
    assert_eq!(parse(&[of_bits(8192)]).len(), 1);
    // Zeros in front do not make a key longer.
    let padded: Vec<u8> = [vec![0; 128], vec![0xff; 128]].concat();
    skips(&rsa(&padded, &[1, 0, 1]), "2048 to 8192 bits");
    let signed: Vec<u8> = [vec![0], vec![0xff; 256]].concat();
    assert_eq!(parse(&[rsa(&signed, &[1, 0, 1])]).len(), 1);
}

#[test]
fn skips_rsa_keys_with_numbers_that_make_no_key() {
    let modulus = [0xff; 256];
    for exponent in [&[][..], &[0], &[1], &[2], &[1, 0, 0], &[0, 1]] {
        skips(&rsa(&modulus, exponent), "odd");
    }
    skips(&rsa(&[0xfe; 256], &[1, 0, 1]), "odd");
    skips(&rsa(&modulus, &[1, 0, 0, 0, 1]), "odd");
    skips(&rsa(&modulus, &[0xff; 256]), "odd");
    assert_eq!(parse(&[rsa(&modulus, &[3])]).len(), 1);
}

#[test]
fn skips_points_off_the_curve_and_of_the_wrong_length() {
    let ec = |curve: &str, x: &[u8], y: &[u8]| {
        let (x, y) = (URL_SAFE_NO_PAD.encode(x), URL_SAFE_NO_PAD.encode(y));
        format!(r#""kty":"EC","crv":"{curve}","x":"{x}","y":"{y}""#)
    };
    skips(&ec("P-256", &[1; 32], &[1; 32]), "fits none");
    skips(&ec("P-256", &[0; 32], &[0; 32]), "fits none");
    skips(&ec("P-256", &[0xff; 32], &[0xff; 32]), "fits none");
    skips(&ec("P-256", &[1; 31], &[1; 32]), "length");
    skips(&ec("P-256", &[1; 33], &[1; 32]), "length");
    // A point of another curve.
    skips(&P521.replace("P-521", "P-384"), "length");
    skips(&P256.replace("P-256", "P-521"), "length");
}

#[test]
fn reads_on_after_an_entry_that_cannot_be_used() {
    let document = format!(r#"{{"keys":[1,null,[],{{}},{{"kty":"new"}},{{{P256},"kid":"e"}}]}}"#);
    let set = KeySet::parse(document.as_bytes(), &Algorithm::ALL, 10).unwrap();
    assert_eq!((set.len(), set.unusable().len()), (1, 5));
}

#[test]
fn refuses_documents_that_are_no_key_set() {
    for document in [
        "",
        "[]",
        "{}",
        r#"{"keys":{}}"#,
        r#"{"keys":null}"#,
        "<html></html>",
        r#"{"keys":[]}{"keys":[]}"#,
        r#"{"keys":[],"keys":[]}"#,
        r#"{"keys":[{"kty":"RSA","kty":"EC"}]}"#,
    ] {
        let parsed = KeySet::parse(document.as_bytes(), &Algorithm::ALL, 10);
        assert!(parsed.is_err(), "{document}");
    }
    // No key at all is a set: every key was withdrawn.
    assert!(KeySet::parse(br#"{"keys":[]}"#, &Algorithm::ALL, 10).is_ok());
}

#[test]
fn refuses_more_entries_than_allowed() {
    let document = format!(r#"{{"keys":[{}]}}"#, ["{}"; 11].join(","));
    let error = KeySet::parse(document.as_bytes(), &Algorithm::ALL, 10).unwrap_err();
    assert!(error.contains("at most 10"), "{error}");
    assert!(KeySet::parse(document.as_bytes(), &Algorithm::ALL, 11).is_ok());
}

#[test]
fn keeps_keys_that_are_the_same_and_no_others() {
    let old = parse(&[named(RSA, "r"), named(P256, "e")]);
    let new = parse(&[named(RSA, "r"), named(P256, "e2"), named(P521, "e")]).keeping(&old);
    let [kept, renamed, replaced] = new.keys.as_slice() else {
        panic!("{new:?}")
    };
    assert!(Arc::ptr_eq(kept, &old.keys[0]));
    assert!(!Arc::ptr_eq(renamed, &old.keys[1]));
    assert!(!Arc::ptr_eq(replaced, &old.keys[1]));
}
