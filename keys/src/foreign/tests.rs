use super::*;
use crate::digest::Pepper;

const NOW: Timestamp = Timestamp::from_unix(1_700_000_000);
const KONG: &str = "Zk3tQw8Yb1Nf6Rr0Lm5Vx2Cc7Dd9Ee4A";

fn form() -> ForeignForm {
    ForeignForm {
        name: "kong".to_owned(),
        prefix: String::new(),
        min_length: 32,
        max_length: 32,
        alphabet: Alphabet::Alphanumeric,
        former: None,
        until: None,
        as_bearer: false,
    }
}

fn format() -> KeyFormat {
    KeyFormat {
        prefix: "ck".to_owned(),
        environments: vec!["live".to_owned()],
        pepper: None,
        previous_pepper: None,
    }
}

#[test]
fn what_does_not_fit_is_no_key() {
    let forms = ForeignForms::new(vec![form()]);
    assert!(forms.places(KONG, &format(), NOW).is_some());
    for bad in [
        String::new(),
        KONG.replace('Z', ""),
        format!("{KONG}a"),
        KONG.replace('Z', "-"),
        KONG.replace('Z', " "),
        KONG.replace("Zk", "\u{e9}"),
    ] {
        assert_eq!(forms.places(&bad, &format(), NOW), None, "{bad}");
    }
    assert_eq!(ForeignForms::default().places(KONG, &format(), NOW), None);
}

#[test]
fn alphabets_and_prefixes_are_told_apart() {
    for (alphabet, prefix, fits, refuses) in [
        (Alphabet::Hex, "", "0123456789abcdefABCDEF0123456789", KONG),
        (
            Alphabet::Base64Url,
            "",
            "6f1c2b1e-93a4-4f6e-8c51-2d0c_7b7",
            "6f1c2b1e+93a4+4f6e+8c51+2d0c+7b7",
        ),
        (
            Alphabet::Base64,
            "",
            "eyJvcmciOiI1MzFhOWNjYyIsImkiOiI=",
            "eyJvcmciOiI1MzFhOWNjYyIsImkiOi__",
        ),
        (
            Alphabet::Alphanumeric,
            "old-",
            "old-456789012345678901234567890a",
            "Old-456789012345678901234567890a",
        ),
    ] {
        let form = ForeignForm {
            alphabet,
            prefix: prefix.to_owned(),
            ..form()
        };
        assert!(form.fits(fits), "{alphabet:?}");
        assert!(!form.fits(refuses), "{alphabet:?}");
    }
}

#[test]
fn a_form_ends_at_its_time_to_the_second() {
    let forms = ForeignForms::new(vec![ForeignForm {
        until: Some(NOW),
        as_bearer: true,
        ..form()
    }]);
    assert!(forms.places(KONG, &format(), NOW.plus(-1)).is_some());
    assert!(forms.own_bearer(KONG, NOW.plus(-1)));
    assert_eq!(forms.places(KONG, &format(), NOW), None);
    assert!(!forms.own_bearer(KONG, NOW));
}

#[test]
fn only_a_form_that_says_so_is_looked_for_among_tokens() {
    assert!(!ForeignForms::new(vec![form()]).own_bearer(KONG, NOW));
}

#[test]
fn a_text_that_begins_as_our_keys_do_is_never_one_from_elsewhere() {
    let forms = ForeignForms::new(vec![ForeignForm {
        min_length: 1,
        max_length: 128,
        alphabet: Alphabet::Base64Url,
        ..form()
    }]);
    assert_eq!(forms.places("ck_live_x", &format(), NOW), None);
    assert!(forms.places("ck-live-x", &format(), NOW).is_some());
}

#[test]
fn places_are_those_of_both_peppers_and_of_each_former_hash_once() {
    let former = |hash| ForeignForm {
        former: Some(hash),
        ..form()
    };
    let forms = ForeignForms::new(vec![
        former(FormerHash::Sha256),
        former(FormerHash::Sha256),
        former(FormerHash::Sha512),
        former(FormerHash::HmacSha256(Secret::new(b"key".to_vec()))),
    ]);
    let peppers = [1, 2].map(|byte| Pepper::new(vec![byte; 32]));
    let [pepper, previous_pepper] = peppers;
    let format = KeyFormat {
        pepper: pepper.clone(),
        previous_pepper: previous_pepper.clone(),
        ..format()
    };
    let places = forms.places(KONG, &format, NOW).unwrap();
    let own = [pepper, previous_pepper].map(|pepper| Digest::of(KONG, pepper.as_ref()));
    assert_eq!(places.own, own);
    assert_eq!(places.former.len(), 3);
}

#[test]
fn a_hash_in_hexadecimal_leads_to_where_its_key_is_looked_up() {
    // FIPS 180-2 appendix B.1, FIPS 180-2 appendix C.1, RFC 4231 section 4.3.
    for (hash, key, hex) in [
        (
            FormerHash::Sha256,
            "abc",
            "BA7816BF8F01CFEA414140DE5DAE2223b00361a396177a9cb410ff61f20015ad",
        ),
        (
            FormerHash::Sha512,
            "abc",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
        ),
        (
            FormerHash::HmacSha256(Secret::new(b"Jefe".to_vec())),
            "what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
    ] {
        let name = hash.name();
        assert_eq!(HashName::parse(name.as_str()), Some(name));
        assert_eq!(name.digest(hex), Some(hash.digest(key)), "{name:?}");
        let longer = format!("{hex}00");
        for bad in ["", "00", longer.as_str(), &hex.replace('d', "g")] {
            assert_eq!(name.digest(bad), None, "{name:?} {bad}");
        }
        // The hash itself is not what stands in the store: who reads a copy of a former table finds no digest of ours.
        assert_ne!(name.digest(hex), Digest::from_hex(&hex.to_lowercase()));
    }
    assert_eq!(HashName::parse("murmur64"), None);
}
