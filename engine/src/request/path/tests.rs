use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(raw: &str, expected: &str) {
    assert_eq!(
        NormalPath::parse(raw).map(|path| path.0),
        Ok(expected.to_owned()),
        "{raw}"
    );
}

#[track_caller]
fn refuse(raw: &str, fault: PathFault) {
    assert_eq!(NormalPath::parse(raw), Err(fault), "{raw}");
}

#[test]
fn keeps_plain_paths() {
    for path in [
        "/",
        "/orders",
        "/orders/42",
        "/a/$b@c:d,e=f+(g)!'h&~i_j-k.l*",
    ] {
        check(path, path);
    }
}

#[test]
fn collapses_slashes_and_drops_the_trailing_one() {
    check("//", "/");
    check("//orders", "/orders");
    check("/orders///42", "/orders/42");
    check("/orders/", "/orders");
    check("/orders//", "/orders");
}

#[test]
fn resolves_dot_segments_in_every_spelling() {
    for raw in [
        "/a/./b",
        "/a/x/../b",
        "/a/%2e/b",
        "/a/x/%2E%2e/b",
        "/a/x/.%2e/b",
        "/../a/b",
        "/a//x/..//b",
    ] {
        check(raw, "/a/b");
    }
    check("/a/b/..", "/a");
    check("/a/b/.", "/a/b");
    check("/..", "/");
    check("/a/.../..b/b..", "/a/.../..b/b..");
}

#[test]
fn reads_every_spelling_of_a_segment_as_one() {
    for raw in ["/%6De", "/m%65", "/%6d%65", "/me"] {
        check(raw, "/me");
    }
    check("/%40me", "/@me");
    check("/a%20b", "/a%20b");
    check("/a b", "/a%20b");
    check("/caf%c3%a9", "/caf%C3%A9");
    check("/caf\u{e9}", "/caf%C3%A9");
    check("/a%3Fb", "/a%3Fb");
    check("/a?b#c", "/a%3Fb%23c");
    check("/a%3bb", "/a%3Bb");
}

#[test]
fn letter_case_is_significant() {
    check("/Admin", "/Admin");
}

#[test]
fn refuses_encoded_slash() {
    refuse("/a%2fb", PathFault::EncodedSlash);
    refuse("/a%2Fb", PathFault::EncodedSlash);
}

#[test]
fn refuses_backslash() {
    refuse("/a\\b", PathFault::Backslash);
    refuse("/a%5cb", PathFault::Backslash);
    refuse("/a%5Cb", PathFault::Backslash);
}

#[test]
fn refuses_double_escape() {
    refuse("/a%252fb", PathFault::DoubleEscape);
    refuse("/a%25", PathFault::DoubleEscape);
}

#[test]
fn refuses_nul_and_controls() {
    for raw in ["/a%00", "/a%1F", "/a%7f", "/a\0", "/a\nb", "/a\u{7f}"] {
        refuse(raw, PathFault::Control);
    }
}

#[test]
fn refuses_invalid_escapes() {
    for raw in [
        "/%", "/%4", "/%zz", "/%4/1", "/%+1", "/%C0%AF", "/%FF", "/%c3",
    ] {
        refuse(raw, PathFault::InvalidEscape);
    }
}

#[test]
fn refuses_path_parameters() {
    refuse("/a;b=c", PathFault::PathParameter);
    refuse("/a/..;/b", PathFault::PathParameter);
}

#[test]
fn refuses_overlong_and_relative_paths() {
    check(
        &format!("/{}", "a".repeat(1599)),
        &format!("/{}", "a".repeat(1599)),
    );
    refuse(&format!("/{}", "a".repeat(1600)), PathFault::TooLong);
    refuse(&format!("/{}", "\u{e9}".repeat(700)), PathFault::TooLong);
    refuse("", PathFault::Relative);
    refuse("orders", PathFault::Relative);
    refuse("%2forders", PathFault::Relative);
}

#[test]
fn takes_ordinary_paths_as_they_are() {
    for path in ["/", "/orders", "/orders/42", "/a.b/c~d@e:f/$x"] {
        assert!(is_normal(path), "{path}");
    }
    for path in [
        "//",
        "/a/",
        "/a//b",
        "/./a",
        "/a/..",
        "/.well-known",
        "/%61",
        "/a b",
        "/a;b",
        "/\u{e9}",
    ] {
        assert!(!is_normal(path), "{path}");
    }
}

proptest! {
    #[test]
    fn what_is_taken_as_it_is_would_be_written_so(raw in "/[a-c./%;$* ]{0,12}|/\\PC{0,20}|(/[a-z.]{0,3}){1,4}") {
        if is_normal(&raw) {
            prop_assert_eq!(NormalPath::rewritten(raw.strip_prefix('/').unwrap_or_default()).map(|path| path.0), Ok(raw));
        }
    }

    #[test]
    fn normalising_twice_changes_nothing(raw in "/[a-c./%2eE5fF\u{e9} ]{0,24}|/\\PC{0,20}") {
        if let Ok(path) = NormalPath::parse(&raw) {
            prop_assert_eq!(NormalPath::parse(path.as_str()), Ok(path.clone()));
            prop_assert!(path.segments().all(|s| !matches!(s, "" | "." | "..")));
        }
    }

    #[test]
    fn escaping_anything_changes_nothing(plain in "(/[a-zA-Z0-9._~@:é ]{1,6}){1,4}", mask in any::<u64>()) {
        let escape = |(i, byte): (usize, u8)| {
            if byte != b'/' && (mask >> (i % 64) & 1 == 1 || !byte.is_ascii()) {
                format!("%{byte:02x}")
            } else {
                char::from(byte).to_string()
            }
        };
        let spelled: String = plain.bytes().enumerate().map(escape).collect();
        prop_assert_eq!(NormalPath::parse(&spelled), NormalPath::parse(&plain));
    }
}
