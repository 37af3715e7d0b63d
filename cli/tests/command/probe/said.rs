//! What cannot be understood, and what is said of it.

use super::ROUTES;
use crate::run::Folder;

#[tokio::test]
async fn what_cannot_be_understood_is_said_before_anything_is_sent() {
    let folder = Folder::new();
    folder.write("credential.txt", "two\nlines");
    folder.write("good.txt", "ck_live_x");
    for (url, file, routes, says) in [
        (
            "http://127.0.0.1:9/v1",
            "credential.txt",
            ROUTES,
            "one credential in one line",
        ),
        (
            "http://api.example.com/v1",
            "good.txt",
            ROUTES,
            "must be https",
        ),
        ("ftp://127.0.0.1/v1", "good.txt", ROUTES, "is no address"),
        (
            "http://127.0.0.1:9/v1",
            "good.txt",
            ["--allowed", "GET /orders/{id}", "--refused", "GET /admin"],
            "without `{…}`",
        ),
    ] {
        let args = [&["probe", url, "--credential", file][..], &routes].concat();
        let ended = folder.run(&args);
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(says), "{says}: {ended:?}");
        assert!(!ended.err.contains("ck_live_x"));
    }
    let args = [
        &["probe", "http://127.0.0.1:9/v1", "--credential", "good.txt"][..],
        &ROUTES,
    ]
    .concat();
    let ended = folder.run(&args);
    assert_eq!(ended.code, 3, "{ended:?}");
    assert!(ended.err.contains("does not answer"), "{ended:?}");
}

#[tokio::test]
async fn a_password_in_the_address_is_refused_and_not_repeated() {
    let folder = Folder::new();
    folder.write("good.txt", "ck_live_x");
    for url in [
        "https://anna:s3cret@api.example.com/v1",
        "https://s3cret@api.example.com/v1",
        "https:anna:s3cret@api.example.com/v1",
        "ftp://anna:s3cret@api.example.com/v1",
        "anna:s3cret@api.example.com/v1",
        "https://anna:s3cret@[api/v1",
        "https://anna:s3cret%40api.example.com@host:port/v1",
    ] {
        for args in [
            &["probe", url, "--credential", "good.txt"][..],
            &[
                "probe",
                "http://127.0.0.1:9/v1",
                "--credential",
                "good.txt",
                "--default-endpoint",
                url,
            ],
        ] {
            let ended = folder.run(&[args, &ROUTES].concat());
            assert_eq!(ended.code, 2, "{ended:?}");
            assert!(
                ended.err.contains("holds a user name or a password"),
                "{url}: {ended:?}"
            );
            assert!(
                !ended.err.contains("s3cret") && !ended.err.contains("anna"),
                "{ended:?}"
            );
        }
    }
}

#[test]
fn files_of_a_client_that_are_none_are_said() {
    let folder = Folder::new();
    folder.write("good.txt", "ck_live_x");
    folder.write("none.pem", "nothing");
    let args = [
        "probe",
        "https://127.0.0.1:9/v1",
        "--credential",
        "good.txt",
    ];
    for (more, says) in [
        (
            &["--authority", "none.pem"][..],
            "`none.pem` holds no certificate in PEM",
        ),
        (
            &["--certificate", "none.pem", "--private-key", "none.pem"],
            "holds no certificate to the private key",
        ),
        (&["--certificate", "none.pem"], "--private-key"),
        (&["--ttl", "5"], "--ending-token"),
        (&["--leeway", "301"], "301"),
    ] {
        let ended = folder.run(&[&args[..], more, &ROUTES].concat());
        assert_eq!(ended.code, 2, "{ended:?}");
        assert!(ended.err.contains(says), "{says}: {ended:?}");
    }
}
