use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::{Instant, sleep},
};

use super::*;

/// A server that answers every connection in one way, and counts connections and bytes.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
    last_request: Arc<std::sync::Mutex<String>>,
}

#[derive(Clone)]
enum Behaviour {
    /// Answers with these bytes and closes.
    Answer(String),
    /// Answers with the head, then with this many bytes, 64 KB at a time.
    Body(&'static str, usize),
    /// Answers with the head, then one byte a second.
    Trickle,
    /// Reads the request and says nothing.
    Silence,
    /// Closes after the request.
    Close,
    /// Closes the first connection after the request, then answers.
    CloseFirst(String),
    /// Answers with part of a body and closes.
    Half,
}

async fn serve(behaviour: Behaviour) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let server = Server {
        address: listener.local_addr().unwrap(),
        connections: Arc::default(),
        sent: Arc::default(),
        last_request: Arc::default(),
    };
    let (connections, sent, last) = (
        Arc::clone(&server.connections),
        Arc::clone(&server.sent),
        Arc::clone(&server.last_request),
    );
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let nth = connections.fetch_add(1, Ordering::SeqCst);
            tokio::spawn(answer(
                stream,
                behaviour.clone(),
                nth,
                Arc::clone(&sent),
                Arc::clone(&last),
            ));
        }
    });
    server
}

async fn answer(
    mut stream: TcpStream,
    behaviour: Behaviour,
    nth: usize,
    sent: Arc<AtomicUsize>,
    last: Arc<std::sync::Mutex<String>>,
) -> Option<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.ok()?);
    }
    *last.lock().unwrap() = String::from_utf8(request).unwrap();
    match behaviour {
        Behaviour::Answer(text) => stream.write_all(text.as_bytes()).await.ok()?,
        Behaviour::CloseFirst(text) if nth > 0 => stream.write_all(text.as_bytes()).await.ok()?,
        Behaviour::Close | Behaviour::CloseFirst(_) => {}
        Behaviour::Silence => sleep(Duration::from_secs(30)).await,
        Behaviour::Half => stream
            .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")
            .await
            .ok()?,
        Behaviour::Body(head, bytes) => {
            stream.write_all(head.as_bytes()).await.ok()?;
            let piece = vec![b' '; 64 * 1024];
            for _ in 0..bytes / piece.len() {
                stream.write_all(&piece).await.ok()?;
                sent.fetch_add(piece.len(), Ordering::SeqCst);
            }
        }
        Behaviour::Trickle => {
            stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n")
                .await
                .ok()?;
            for _ in 0..100 {
                stream.write_all(b" ").await.ok()?;
                sleep(Duration::from_secs(1)).await;
            }
        }
    }
    Some(())
}

fn ok(headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
}

struct Outcome {
    result: Result<Fetched, FetchError>,
    took: Duration,
}

async fn fetch(server: &Server) -> Outcome {
    let start = Instant::now();
    let url = format!("http://{}/keys", server.address);
    let result = HttpKeySets::new().fetch(&url, Origin::Anywhere).await;
    Outcome {
        result,
        took: start.elapsed(),
    }
}

#[track_caller]
fn fails(outcome: &Outcome, why: &str) {
    match &outcome.result {
        Err(FetchError::Failed(url, found)) => {
            assert!(url.starts_with("http://127.0.0.1"), "{url}");
            assert!(found.contains(why), "{found}");
        }
        other => panic!("{other:?}"),
    }
    assert!(
        outcome.took < Duration::from_millis(2700),
        "{:?}",
        outcome.took
    );
}

#[tokio::test]
async fn fetches_a_document() {
    let server = serve(Behaviour::Answer(ok(
        "cache-control: max-age=300\r\n",
        "{}",
    )))
    .await;
    let fetched = fetch(&server).await.result.unwrap();
    assert_eq!(
        (fetched.body.as_slice(), fetched.max_age),
        (&b"{}"[..], Some(300))
    );
    let request = server.last_request.lock().unwrap().to_ascii_lowercase();
    assert!(request.starts_with("get /keys http/1.1\r\n"), "{request}");
    assert!(
        request.contains("accept-encoding: identity\r\n"),
        "{request}"
    );
    assert!(request.contains("user-agent: doorward/"), "{request}");
}

#[tokio::test]
async fn gives_up_on_a_server_that_says_nothing() {
    let server = serve(Behaviour::Silence).await;
    fails(&fetch(&server).await, "no answer within 2 seconds");
    assert_eq!(
        server.connections.load(Ordering::SeqCst),
        1,
        "no second try"
    );
}

#[tokio::test]
async fn gives_up_on_a_body_of_one_byte_a_second() {
    let server = serve(Behaviour::Trickle).await;
    fails(&fetch(&server).await, "no answer within 2 seconds");
}

#[tokio::test]
async fn refuses_a_body_that_says_it_is_too_long() {
    let head = "HTTP/1.1 200 OK\r\ncontent-length: 10485760\r\n\r\n";
    let server = serve(Behaviour::Body(head, 10_485_760)).await;
    fails(&fetch(&server).await, "longer than 524288 bytes");
}

#[tokio::test]
async fn stops_reading_a_body_without_length_at_the_limit() {
    let server = serve(Behaviour::Body(
        "HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n",
        100 * 1024 * 1024,
    ))
    .await;
    fails(&fetch(&server).await, "longer than 524288 bytes");
    sleep(Duration::from_millis(200)).await;
    // What the sockets buffer comes on top of the limit.
    let sent = server.sent.load(Ordering::SeqCst);
    assert!(sent < 20 * 1024 * 1024, "{sent}");
}

#[tokio::test]
async fn takes_a_body_of_exactly_the_limit() {
    let server = serve(Behaviour::Body(
        "HTTP/1.1 200 OK\r\ncontent-length: 524288\r\n\r\n",
        MAX_BODY,
    ))
    .await;
    assert_eq!(fetch(&server).await.result.unwrap().body.len(), MAX_BODY);
}

#[tokio::test]
async fn follows_no_redirect() {
    let target = serve(Behaviour::Answer(ok("", "{}"))).await;
    for status in ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"] {
        let answer = format!(
            "HTTP/1.1 {status}\r\nlocation: http://{}/\r\ncontent-length: 0\r\n\r\n",
            target.address
        );
        let server = serve(Behaviour::Answer(answer)).await;
        fails(&fetch(&server).await, "redirects are not followed");
    }
    assert_eq!(target.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn refuses_any_status_but_200() {
    for status in [
        "201 Created",
        "204 No Content",
        "404 Not Found",
        "500 Oops",
        "503 Busy",
    ] {
        let answer = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        let server = serve(Behaviour::Answer(answer)).await;
        fails(
            &fetch(&server).await,
            &format!("status {}", status.split(' ').next().unwrap()),
        );
    }
}

#[tokio::test]
async fn refuses_garbage_and_compressed_answers() {
    let server = serve(Behaviour::Answer("\0\u{1}garbage\r\n\r\n".to_owned())).await;
    fails(&fetch(&server).await, "the connection failed");
    let server = serve(Behaviour::Answer(ok("content-encoding: gzip\r\n", "x"))).await;
    fails(&fetch(&server).await, "compressed");
}

#[tokio::test]
async fn tries_a_broken_connection_once_more() {
    let server = serve(Behaviour::CloseFirst(ok("", "{}"))).await;
    assert_eq!(fetch(&server).await.result.unwrap().body, b"{}");
    assert_eq!(server.connections.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn gives_up_on_connections_that_keep_breaking() {
    for behaviour in [Behaviour::Close, Behaviour::Half] {
        let server = serve(behaviour).await;
        fails(&fetch(&server).await, "the connection failed");
        assert_eq!(server.connections.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test]
async fn tells_that_nobody_listens() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url = format!("http://{address}/keys");
    let error = HttpKeySets::new()
        .fetch(&url, Origin::Anywhere)
        .await
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("cannot connect") && !text.contains('\n'),
        "{text}"
    );
    assert_eq!(text.matches(&address.to_string()).count(), 1, "{text}");
}

#[tokio::test]
async fn refuses_names_that_resolve_to_addresses_inside() {
    let server = serve(Behaviour::Answer(ok("", "{}"))).await;
    let url = format!("https://localhost:{}/keys", server.address.port());
    let error = HttpKeySets::new()
        .fetch(&url, Origin::Public)
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Forbidden(..)), "{error}");
    assert_eq!(server.connections.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn refuses_plain_http_to_public_names() {
    let url = "http://issuer.example/keys";
    let error = HttpKeySets::new()
        .fetch(url, Origin::Public)
        .await
        .unwrap_err();
    assert!(matches!(error, FetchError::Forbidden(..)), "{error}");
}

#[tokio::test]
async fn takes_nothing_from_a_server_without_tls() {
    let server = serve(Behaviour::Answer(ok("", "{}"))).await;
    let url = format!("https://{}/keys", server.address);
    let outcome = HttpKeySets::new().fetch(&url, Origin::Anywhere).await;
    assert!(outcome.is_err());
}
