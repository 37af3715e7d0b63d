use super::*;
use proptest::prelude::*;

fn pepper(byte: u8) -> Option<Pepper> {
    Pepper::new(vec![byte; 32])
}

fn format(pepper: Option<Pepper>, previous_pepper: Option<Pepper>) -> KeyFormat {
    KeyFormat {
        prefix: "ck".to_owned(),
        environments: vec!["live".to_owned(), "test".to_owned()],
        pepper,
        previous_pepper,
    }
}

fn printed(format: &KeyFormat) -> String {
    format
        .mint("live", [7; 32])
        .unwrap()
        .printed
        .expose()
        .clone()
}

#[test]
fn a_minted_key_has_the_documented_form() {
    let key = printed(&format(None, None));
    assert_eq!(key.len(), "ck_live_".len() + 49);
    assert_eq!(
        key,
        format!("ck_live_{}{}", base62::encode_256([7; 32]), {
            let crc = crc32fast::hash(&key.as_bytes()[..key.len() - 6]);
            String::from_utf8(base62::encode_32(crc).to_vec()).unwrap()
        })
    );
}

#[test]
fn owns_routes_by_prefix_and_separator_only() {
    let format = format(None, None);
    for ours in ["ck_", "ck_live_x", "ck_\u{e9}"] {
        assert!(format.owns(ours), "{ours}");
    }
    for foreign in [
        "ck",
        "ckx_live_x",
        "CK_live_x",
        " ck_live_x",
        "eyJ.e30.x",
        "",
    ] {
        assert!(!format.owns(foreign), "{foreign}");
    }
}

#[test]
fn texts_that_are_no_keys_are_refused_for_their_first_fault() {
    let format = format(None, None);
    let good = printed(&format);
    let tail = &good["ck_live_".len()..];
    let flipped = {
        let last = if good.ends_with('0') { '1' } else { '0' };
        format!("{}{last}", &good[..good.len() - 1])
    };
    let cases = [
        ("empty", String::new(), FormatFault::Malformed),
        (
            "cut",
            good[..good.len() - 1].to_owned(),
            FormatFault::Malformed,
        ),
        ("longer", format!("{good}0"), FormatFault::Malformed),
        ("leading space", format!(" {good}"), FormatFault::Malformed),
        (
            "trailing newline",
            format!("{good}\n"),
            FormatFault::Malformed,
        ),
        (
            "joined by a comma",
            format!("{good},{good}"),
            FormatFault::Malformed,
        ),
        ("quoted", format!("\"{good}\""), FormatFault::Malformed),
        ("NUL", good.replace("live", "li\0e"), FormatFault::Malformed),
        (
            "letter outside ASCII",
            good.replace("live", "l\u{131}ve"),
            FormatFault::Malformed,
        ),
        ("huge", "a".repeat(1 << 20), FormatFault::Malformed),
        (
            "four words",
            format!("ck_live_x_{}", &tail[2..]),
            FormatFault::Malformed,
        ),
        (
            "two words",
            format!("cklive_{tail}"),
            FormatFault::Malformed,
        ),
        (
            "no environment",
            format!("ck__{tail}"),
            FormatFault::Malformed,
        ),
        (
            "upper-case prefix",
            good.replace("ck_", "CK_"),
            FormatFault::Foreign,
        ),
        (
            "foreign prefix",
            good.replace("ck_", "sk_"),
            FormatFault::Foreign,
        ),
        (
            "upper-case environment",
            good.replace("live", "LIVE"),
            FormatFault::Environment,
        ),
        (
            "foreign environment",
            good.replace("live", "staging"),
            FormatFault::Environment,
        ),
        (
            "environment swapped",
            good.replace("live", "test"),
            FormatFault::Checksum,
        ),
        ("checksum changed", flipped, FormatFault::Checksum),
        (
            "upper-cased tail",
            format!("ck_live_{}", tail.to_uppercase()),
            FormatFault::Checksum,
        ),
    ];
    assert!(format.parse(&good).is_ok());
    for (name, text, fault) in cases {
        assert_eq!(format.parse(&text), Err(fault), "{name}");
    }
}

#[test]
fn a_made_up_key_with_a_plain_checksum_is_refused_where_a_pepper_is_set() {
    let made_up = printed(&format(None, None));
    assert_eq!(
        format(pepper(1), None).parse(&made_up),
        Err(FormatFault::Checksum)
    );
    assert_eq!(
        format(pepper(1), pepper(2)).parse(&made_up),
        Err(FormatFault::Checksum)
    );
}

#[test]
fn the_checksum_chooses_between_two_peppers() {
    let old = format(pepper(1), None);
    let both = format(pepper(2), pepper(1));
    let of_old = old.mint("live", [9; 32]).unwrap();
    let of_new = both.mint("live", [9; 32]).unwrap();
    assert_eq!(both.parse(of_old.printed.expose()), Ok(of_old.digest));
    assert_eq!(both.parse(of_new.printed.expose()), Ok(of_new.digest));
}

#[test]
fn a_key_of_a_withdrawn_pepper_is_refused() {
    let key = printed(&format(pepper(1), None));
    assert_eq!(
        format(pepper(2), None).parse(&key),
        Err(FormatFault::Checksum)
    );
}

#[test]
fn nothing_is_minted_for_a_foreign_environment_or_a_word_with_a_separator() {
    let mint = |prefix: &str, environment: &str| {
        KeyFormat {
            prefix: prefix.to_owned(),
            environments: vec!["live".to_owned(), "l_ve".to_owned(), String::new()],
            pepper: None,
            previous_pepper: None,
        }
        .mint(environment, [1; 32])
        .map(|_| ())
    };
    assert_eq!(mint("ck", "live"), Ok(()));
    assert_eq!(mint("ck", "test"), Err(FormatFault::Environment));
    assert_eq!(mint("ck", "l_ve"), Err(FormatFault::Malformed));
    assert_eq!(mint("ck", ""), Err(FormatFault::Malformed));
    assert_eq!(mint("c_k", "live"), Err(FormatFault::Malformed));
    assert_eq!(mint("", "live"), Err(FormatFault::Malformed));
    assert_eq!(
        mint("abcdefghijklmnopqrstu", "live"),
        Err(FormatFault::Malformed)
    );
}

#[test]
fn the_pattern_names_prefix_environments_and_length() {
    assert_eq!(
        format(None, None).pattern(),
        r"\bck_(?:live|test)_[0-9A-Za-z]{49}\b"
    );
}

#[test]
fn debug_does_not_show_the_key() {
    let format = format(pepper(1), None);
    let minted = format.mint("live", [7; 32]).unwrap();
    let shown = format!("{minted:?} {format:?}");
    assert!(!shown.contains(minted.printed.expose()), "{shown}");
    assert!(!shown.contains(&minted.digest.to_hex()), "{shown}");
    assert!(!shown.contains("[1, 1"), "{shown}");
}

proptest! {
    #[test]
    fn every_minted_key_is_read_back_to_its_digest(
        entropy in any::<[u8; 32]>(),
        environment in prop_oneof![Just("live"), Just("test")],
        with_pepper in any::<bool>(),
    ) {
        let format = format(pepper(3).filter(|_| with_pepper), None);
        let minted = format.mint(environment, entropy).unwrap();
        prop_assert!(format.owns(minted.printed.expose()));
        prop_assert_eq!(format.parse(minted.printed.expose()), Ok(minted.digest));
    }

    #[test]
    fn a_key_with_one_character_changed_is_refused(
        entropy in any::<[u8; 32]>(),
        at in any::<prop::sample::Index>(),
        to in proptest::char::any(),
        with_pepper in any::<bool>(),
    ) {
        let format = format(pepper(3).filter(|_| with_pepper), None);
        let minted = format.mint("live", entropy).unwrap();
        let mut characters: Vec<char> = minted.printed.expose().chars().collect();
        let at = at.index(characters.len());
        prop_assume!(characters[at] != to);
        characters[at] = to;
        let changed: String = characters.into_iter().collect();
        prop_assert!(format.parse(&changed).is_err());
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let format = format(None, pepper(1));
        let _ = format.owns(&text);
        prop_assert!(format.parse(&text).is_err());
    }
}
