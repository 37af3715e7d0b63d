use super::*;

const RATE: &str = "[limits.rate]\nlimit = 2\nper = \"second\"\nby = [\"address\"]\n";
const QUOTA: &str =
    "[limits.quota]\nalgorithm = \"calendar\"\nlimit = 5\nper = \"day\"\nby = [\"address\"]\n";

#[tokio::test]
async fn what_a_rate_refuses_spends_nothing_of_a_quota() {
    let mut bench = Bench::new(&open("[\"quota\", \"rate\"]", &format!("{RATE}{QUOTA}")));
    assert_eq!(bench.ask().await, Answer::Within(1));
    assert_eq!(bench.ask().await, Answer::Within(0));
    for _ in 0..10 {
        assert_eq!(bench.ask().await, Answer::Over("rate".to_owned(), 1));
    }
    for left in [2, 1, 0] {
        bench.later(1000);
        // Of the rate one of two is left, which is the smaller share until the quota has one of five.
        let (answer, visited) = bench.ask_as(&anonymous(), 0).await;
        assert!(matches!(answer, Answer::Within(_)));
        assert_eq!(visited[1].remaining, left, "{visited:?}");
    }
    bench.later(1000);
    let until_midnight = 86_400 - (bench.now.timestamp().unix() % 86_400);
    let until_midnight = u64::try_from(until_midnight).unwrap();
    assert_eq!(
        bench.ask().await,
        Answer::Over("quota".to_owned(), until_midnight)
    );
}

#[tokio::test]
async fn who_is_refused_is_refused_from_memory_until_there_is_room() {
    let mut bench = Bench::new(&open("[\"rate\"]", RATE));
    bench.ask().await;
    bench.ask().await;
    assert_eq!(bench.ask().await, Answer::Over("rate".to_owned(), 1));
    let calls = bench.store.calls();
    for _ in 0..5 {
        let (_, visited) = bench.ask_as(&anonymous(), 0).await;
        assert_eq!(visited[0].counted, Some(Counted::Blocked));
    }
    assert_eq!(bench.store.calls(), calls);
    bench.later(499);
    assert_eq!(bench.ask().await, Answer::Over("rate".to_owned(), 1));
    bench.later(1);
    assert_eq!(bench.ask().await, Answer::Within(0));
    assert_eq!(bench.store.calls(), calls + 1);
}

#[tokio::test]
async fn after_the_seconds_that_a_refusal_names_the_call_passes_whenever_it_came() {
    for offset in [0, 1, 250, 499, 500, 750, 999] {
        let mut bench = Bench::new(&open("[\"rate\"]", RATE));
        bench.later(offset);
        bench.ask().await;
        bench.ask().await;
        let Answer::Over(_, seconds) = bench.ask().await else {
            panic!("two of two were spent");
        };
        assert!(seconds >= 1);
        bench.later(seconds * 1000);
        assert!(matches!(bench.ask().await, Answer::Within(_)), "{offset}");
    }
}

#[tokio::test]
async fn a_dear_request_is_refused_where_a_cheap_one_passes() {
    let text = format!(
        "{RATE}[[routes]]\nroute = \"GET /dear\"\ncredentials = [\"anonymous\"]\nlimits = [{{ name = \"rate\", cost = 2 }}]\n\
         [[routes]]\nroute = \"GET /cheap\"\ncredentials = [\"anonymous\"]\nlimits = [\"rate\"]\n\
         [[routes]]\nroute = \"GET /free\"\ncredentials = [\"anonymous\"]\n"
    );
    let bench = Bench::new(&text);
    assert_eq!(bench.ask_as(&anonymous(), 1).await.0, Answer::Within(1));
    let over = Answer::Over("rate".to_owned(), 1);
    assert_eq!(bench.ask_as(&anonymous(), 0).await.0, over);
    // The refusal that is remembered is one of the higher cost.
    assert_eq!(bench.ask_as(&anonymous(), 1).await.0, Answer::Within(0));
    assert_eq!(
        bench.ask_as(&anonymous(), 2).await.0,
        Answer::Within(u64::MAX)
    );
}

const LEAKY: &str = "[limits.queue]\nalgorithm = \"leaky_bucket\"\nlimit = 20\nper = \"second\"\n\
     max_wait_ms = 100\nby = [\"address\"]\n";

#[tokio::test]
async fn a_call_waits_for_its_slot_and_no_longer_than_there_is_time() {
    let mut bench = Bench::new(&open("[\"queue\"]", LEAKY));
    let slept = || SLEPT.get().as_millis();
    for _ in 0..3 {
        assert!(matches!(bench.ask().await, Answer::Within(_)));
    }
    assert_eq!(slept(), 150);
    assert_eq!(bench.ask().await, Answer::Over("queue".to_owned(), 1));
    // The next slot comes in 50 ms, and there is less time than that.
    bench.later(100);
    bench.time_left = Some(RESERVE + Duration::from_millis(49));
    assert_eq!(bench.ask().await, Answer::Over("queue".to_owned(), 1));
    bench.time_left = Some(RESERVE + Duration::from_millis(50));
    assert!(matches!(bench.ask().await, Answer::Within(_)));
    assert_eq!(slept(), 200);
}

#[tokio::test]
async fn what_the_store_takes_is_part_of_the_wait_for_a_slot() {
    let slow = Counting {
        takes: Duration::from_millis(30),
        ..Counting::default()
    };
    let mut bench = Bench::over(&open("[\"queue\"]", LEAKY), slow);
    // Two slots, the second 50 ms after the first; and 50 ms for them besides what is kept for the answer.
    bench.time_left = Some(RESERVE + Duration::from_millis(50));
    assert!(matches!(bench.ask().await, Answer::Within(_)));
    assert!(matches!(bench.ask().await, Answer::Within(_)));
    assert_eq!(SLEPT.get().as_millis(), 20);
    // A slot behind the end is not taken, so it is there for the next who has the time.
    assert!(matches!(bench.ask().await, Answer::Over(..)));
    bench.time_left = None;
    assert!(matches!(bench.ask().await, Answer::Within(_)));
    assert_eq!(SLEPT.get().as_millis(), 20 + 70);
}

#[tokio::test]
async fn what_is_known_to_be_used_up_refuses_before_anything_is_spent() {
    let quota = QUOTA.replace("limit = 5", "limit = 1");
    let bench = Bench::new(&open("[\"quota\", \"rate\"]", &format!("{RATE}{quota}")));
    bench.ask().await;
    let midnight = bench.ask().await;
    assert!(matches!(&midnight, Answer::Over(name, _) if name == "quota"));
    // The rate has nothing left; its end is not the one that is told.
    let calls = bench.store.calls();
    for _ in 0..3 {
        let (answer, visited) = bench.ask_as(&anonymous(), 0).await;
        assert_eq!(answer, midnight);
        assert_eq!(visited.len(), 1);
    }
    assert_eq!(bench.store.calls(), calls);
}

#[tokio::test]
async fn a_refusal_from_memory_is_told_for_what_the_call_costs() {
    let text = "[limits.rate]\nlimit = 10\nwindow_seconds = 10\nby = [\"address\"]\n\
         [[routes]]\nroute = \"GET /cheap\"\ncredentials = [\"anonymous\"]\nlimits = [\"rate\"]\n\
         [[routes]]\nroute = \"GET /dear\"\ncredentials = [\"anonymous\"]\nlimits = [{ name = \"rate\", cost = 5 }]\n";
    let mut bench = Bench::new(text);
    let over = |seconds| Answer::Over("rate".to_owned(), seconds);
    for _ in 0..2 {
        assert!(matches!(
            bench.ask_as(&anonymous(), 1).await.0,
            Answer::Within(_)
        ));
    }
    assert_eq!(bench.ask_as(&anonymous(), 0).await.0, over(1));
    let calls = bench.store.calls();
    assert_eq!(bench.ask_as(&anonymous(), 1).await.0, over(5));
    assert_eq!(bench.store.calls(), calls);
    // And the other way round.
    bench.later(1000);
    assert_eq!(bench.ask_as(&anonymous(), 1).await.0, over(4));
    assert!(matches!(
        bench.ask_as(&anonymous(), 0).await.0,
        Answer::Within(_)
    ));
}

#[tokio::test]
async fn before_all_credentials_an_address_is_limited_in_memory() {
    let bench = Bench::new(
        "[addresses]\nlimit = \"door\"\n[limits.door]\nalgorithm = \"fixed_window\"\nlimit = 2\nper = \"minute\"\nby = [\"address\"]\n\
         [[routes]]\nroute = \"GET /\"\ncredentials = [\"anonymous\"]\n",
    );
    let admit = |address: &str| bench.limits.admit(address.parse().ok(), bench.now);
    assert!(admit("2001:db8::1").is_ok());
    assert!(admit("2001:db8::2:1").is_ok());
    let denial = admit("2001:db8::ffff:1").unwrap_err();
    assert_eq!(denial.reason(), Reason::RateLimited);
    let report = denial.limit().unwrap();
    assert_eq!((report.limit, report.remaining), (2, 0));
    let retry_after = i64::try_from(report.retry_after.unwrap()).unwrap();
    assert_eq!(denial.holds().before, Some(NOW.plus(retry_after)));
    assert!(admit("2001:db8:0:1::1").is_ok());
    assert!(admit("198.51.100.7").is_ok());
    assert!(admit("::ffff:198.51.100.7").is_ok());
    assert!(admit("198.51.100.7").is_err());
    let unknown = bench.limits.admit(None, bench.now).unwrap_err();
    assert_eq!(unknown.reason(), Reason::AddressUnknown);
    assert_eq!(bench.store.calls(), 0);
}
