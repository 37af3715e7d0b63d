use super::*;

fn leased(more: &str) -> String {
    let table = format!(
        "[limits.rate]\nlimit = 100\nper = \"minute\"\nby = [\"address\"]\nlease = 10\n{more}\n"
    );
    open("[\"rate\"]", &table)
}

#[tokio::test]
async fn a_lease_saves_nine_of_ten_writes_and_admits_no_more() {
    for algorithm in ["token_bucket", "fixed_window", "sliding_window"] {
        let bench = Bench::new(&leased(&format!("algorithm = \"{algorithm}\"")));
        let mut admitted = 0;
        while let Answer::Within(_) = bench.ask().await {
            admitted += 1;
            assert!(admitted <= 100);
        }
        // The store holds the burst less the lease, so that with leases still out the burst holds.
        let expected = if algorithm == "token_bucket" { 90 } else { 100 };
        assert_eq!(admitted, expected, "{algorithm}");
        assert!(bench.store.calls() <= 12, "{}", bench.store.calls());
    }
}

#[tokio::test]
async fn one_request_takes_the_lease_and_the_others_spend_from_it() {
    let slow = Counting {
        yields: ("", 5),
        ..Counting::default()
    };
    let bench = Bench::over(&leased(""), slow);
    let asking = |_| async { bench.ask().await };
    let mut all: Vec<_> = (0..10).map(|n| Box::pin(asking(n))).collect();
    let mut answers = Vec::new();
    std::future::poll_fn(|context| {
        all.retain_mut(|one| match one.as_mut().poll(context) {
            std::task::Poll::Ready(answer) => {
                answers.push(answer);
                false
            }
            std::task::Poll::Pending => true,
        });
        if all.is_empty() {
            std::task::Poll::Ready(())
        } else {
            std::task::Poll::Pending
        }
    })
    .await;
    assert_eq!(answers.len(), 10);
    assert!(answers.iter().all(|a| matches!(a, Answer::Within(_))));
    assert_eq!(bench.store.calls(), 1);
}

#[tokio::test]
async fn a_lease_of_a_window_lapses_with_it_and_one_of_tokens_with_time() {
    let mut bench = Bench::new(&leased("algorithm = \"fixed_window\""));
    bench.ask().await;
    bench.ask().await;
    assert_eq!(bench.store.calls(), 1);
    bench.later(60_000);
    bench.ask().await;
    assert_eq!(bench.store.calls(), 2);

    // Ten tokens come back in six seconds.
    let mut bench = Bench::new(&leased(""));
    bench.ask().await;
    bench.later(5_999);
    bench.ask().await;
    assert_eq!(bench.store.calls(), 1);
    bench.later(1);
    bench.ask().await;
    assert_eq!(bench.store.calls(), 2);
}

#[tokio::test]
async fn what_is_left_of_a_lease_goes_back_at_the_end() {
    let bench = Bench::new(&leased("algorithm = \"fixed_window\""));
    for _ in 0..3 {
        bench.ask().await;
    }
    bench.limits.return_leases(bench.now).await;
    assert_eq!(bench.store.returned.load(Ordering::Relaxed), 7);
    bench.limits.return_leases(bench.now).await;
    assert_eq!(bench.store.returned.load(Ordering::Relaxed), 7);
    let mut more = 0;
    while let Answer::Within(_) = bench.ask().await {
        more += 1;
    }
    assert_eq!(more, 97);
}

#[tokio::test]
async fn where_a_lease_is_refused_the_last_ones_are_had_one_by_one() {
    let table = "[limits.rate]\nalgorithm = \"fixed_window\"\nlimit = 25\nper = \"minute\"\nby = [\"address\"]\nlease = 10\n";
    let bench = Bench::new(&open("[\"rate\"]", table));
    let mut admitted = 0;
    while let Answer::Within(_) = bench.ask().await {
        admitted += 1;
    }
    assert_eq!(admitted, 25);
    // Two leases, one that was refused, five single ones and the refusal.
    assert_eq!(bench.store.calls(), 2 + 1 + 5 + 1);
    assert!(
        bench
            .store
            .holds("rate|rule=fixed_window:60000000|address=")
    );
}

#[tokio::test]
async fn what_is_left_of_a_lease_of_tokens_is_spent_by_dear_calls_too() {
    let table = "[limits.rate]\nlimit = 100\nper = \"minute\"\nby = [\"address\"]\nlease = 10\n";
    let bench = Bench::new(&open("[{ name = \"rate\", cost = 3 }]", table));
    let mut admitted = 0;
    while let Answer::Within(_) = bench.ask().await {
        admitted += 1;
    }
    // The ninety that the store gives, and none of them lost.
    assert_eq!(admitted, 30);
}

#[tokio::test]
async fn a_refusal_is_asked_again_soon_where_others_may_give_back() {
    let table = "[limits.rate]\nalgorithm = \"calendar\"\nlimit = 20\nper = \"month\"\nby = [\"address\"]\nlease = 10\n";
    let text = open("[\"rate\"]", table);
    let first = Bench::new(&text);
    let mut second = Bench::sharing(&text, Arc::clone(&first.store));
    first.ask().await;
    let mut admitted = 0;
    while let Answer::Within(_) = second.ask().await {
        admitted += 1;
    }
    assert_eq!(admitted, 10);
    first.limits.return_leases(first.now).await;
    let calls = second.store.calls();
    second.later(4_999);
    assert!(matches!(second.ask().await, Answer::Over(..)));
    assert_eq!(second.store.calls(), calls);
    second.later(1);
    while let Answer::Within(_) = second.ask().await {
        admitted += 1;
    }
    assert_eq!(admitted, 19);
}
