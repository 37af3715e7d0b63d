use super::*;

fn limit(more: &str) -> String {
    let table = format!("[limits.rate]\nlimit = 2\nper = \"minute\"\nby = [\"address\"]\n{more}\n");
    open("[\"rate\"]", &table)
}

#[tokio::test]
async fn a_quota_refuses_without_its_store_and_a_rate_counts_in_memory() {
    let quota =
        "[limits.quota]\nalgorithm = \"calendar\"\nlimit = 5\nper = \"day\"\nby = [\"address\"]\n";
    let bench = Bench::new(&open("[\"quota\"]", quota));
    bench.store.set_down(true);
    let refused = Answer::Refused(Reason::LimitStoreUnavailable);
    assert_eq!(bench.ask().await, refused);

    let bench = Bench::new(&limit(""));
    bench.store.set_down(true);
    let (answer, visited) = bench.ask_as(&anonymous(), 0).await;
    assert_eq!(answer, Answer::Within(1));
    assert_eq!(visited[0].counted, Some(Counted::Local));
    let fault = visited[0].fault.as_deref().unwrap();
    assert!(fault.contains("connection refused"), "{fault}");
    assert_eq!(bench.ask().await, Answer::Within(0));
    assert!(matches!(bench.ask().await, Answer::Over(..)));

    let bench = Bench::new(&limit("on_outage = \"deny\""));
    bench.store.set_down(true);
    assert_eq!(bench.ask().await, refused);
}

#[tokio::test]
async fn a_store_that_failed_is_left_alone_for_a_moment() {
    let mut bench = Bench::new(&limit(""));
    bench.store.set_down(true);
    bench.ask().await;
    assert_eq!(bench.store.calls(), 1);
    bench.store.set_down(false);
    bench.later(999);
    let (_, visited) = bench.ask_as(&anonymous(), 0).await;
    assert_eq!(visited[0].counted, Some(Counted::Local));
    assert_eq!(bench.store.calls(), 1);
    bench.later(1);
    let (_, visited) = bench.ask_as(&anonymous(), 0).await;
    assert_eq!(visited[0].counted, Some(Counted::Store));
    // A clock that was set back does not prolong the silence.
    bench.store.set_down(true);
    bench.ask().await;
    bench.store.set_down(false);
    bench.now = Moment::from_micros(bench.now.micros() - 3_600_000_000);
    let (_, visited) = bench.ask_as(&anonymous(), 0).await;
    assert_eq!(visited[0].counted, Some(Counted::Store));
}

#[tokio::test]
async fn a_store_that_does_not_answer_costs_no_more_than_the_budget() {
    let silent = Counting {
        yields: ("", usize::MAX),
        ..Counting::default()
    };
    let bench = Bench::over(&limit("lease = 2\nburst = 4"), silent);
    let caller = anonymous();
    let asking = tokio::time::timeout(outage::STORE_BUDGET * 2, bench.ask_as(&caller, 0));
    let (answer, visited) = asking.await.unwrap();
    assert!(matches!(answer, Answer::Within(_)));
    let fault = visited[0].fault.as_deref().unwrap();
    assert!(fault.contains("no answer within 250 ms"), "{fault}");
    // The next ones pay nothing.
    let calls = bench.store.calls();
    bench.ask().await;
    assert_eq!(bench.store.calls(), calls);
}

#[tokio::test]
async fn a_store_is_left_alone_from_the_moment_it_failed() {
    let slow = Counting {
        takes: Duration::from_millis(200),
        ..Counting::default()
    };
    let mut bench = Bench::over(&limit(""), slow);
    bench.store.set_down(true);
    bench.ask().await;
    bench.store.set_down(false);
    bench.later(1_199);
    assert_eq!(
        bench.ask_as(&anonymous(), 0).await.1[0].counted,
        Some(Counted::Local)
    );
    bench.later(1);
    assert_eq!(
        bench.ask_as(&anonymous(), 0).await.1[0].counted,
        Some(Counted::Store)
    );
}

const TWO: &str = "[limits.calm]\nlimit = 50\nper = \"second\"\nby = [\"address\"]\n\
     [limits.hot]\nlimit = 50\nper = \"minute\"\nby = [\"address\"]\n";

#[tokio::test]
async fn one_bucket_that_is_too_busy_silences_no_other() {
    let bench = Bench::new(&open("[\"calm\", \"hot\"]", TWO));
    let busy = LimitStoreError::Busy("throttled".to_owned());
    bench.store.set_fault("hot", busy);
    for _ in 0..3 {
        let (_, visited) = bench.ask_as(&anonymous(), 0).await;
        let counted: Vec<_> = visited.iter().map(|limit| limit.counted).collect();
        assert_eq!(counted, [Some(Counted::Store), Some(Counted::Local)]);
    }
}

#[tokio::test]
async fn a_limit_that_had_little_time_left_silences_no_other() {
    let slow = Counting {
        takes: Duration::from_millis(130),
        yields: ("hot", usize::MAX),
        ..Counting::default()
    };
    let bench = Bench::over(&open("[\"calm\", \"hot\"]", TWO), slow);
    for _ in 0..2 {
        let (_, visited) = bench.ask_as(&anonymous(), 0).await;
        let counted: Vec<_> = visited.iter().map(|limit| limit.counted).collect();
        assert_eq!(counted, [Some(Counted::Store), Some(Counted::Local)]);
        let fault = visited[1].fault.as_deref().unwrap();
        assert!(fault.contains("no answer within 120 ms"), "{fault}");
    }
}

#[tokio::test]
async fn a_bucket_that_cannot_be_read_refuses_whatever_holds_in_an_outage() {
    let bench = Bench::new(&limit("on_outage = \"local\""));
    let corrupt = LimitStoreError::Corrupt("`mark` is no number".to_owned());
    bench.store.set_fault("", corrupt);
    for _ in 0..2 {
        let (answer, visited) = bench.ask_as(&anonymous(), 0).await;
        assert_eq!(answer, Answer::Refused(Reason::LimitStoreUnavailable));
        assert!(visited[0].fault.as_deref().unwrap().contains("no number"));
    }
}
