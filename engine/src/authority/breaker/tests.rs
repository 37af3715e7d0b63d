use proptest::prelude::*;

use super::*;

const RULE: Rule = Rule {
    failures: 3,
    open: Span::from_seconds(10),
    probe: Span::from_seconds(4),
};

const fn at(seconds: u64) -> Moment {
    Moment::from_micros(seconds * 1_000_000)
}

const fn outcome(is_well: bool) -> Outcome {
    if is_well { Outcome::Well } else { Outcome::Ill }
}

/// Asks and ends at once.
fn call(state: State, is_well: bool, now: Moment) -> State {
    let (state, pass) = state.ask(&RULE, now);
    pass.map_or(state, |pass| {
        state.ended(&RULE, pass, outcome(is_well), now)
    })
}

#[test]
fn opens_at_the_stated_number_of_failures_and_not_before() {
    let mut state = State::CLOSED;
    for failures in 1..3 {
        state = call(state, false, at(0));
        assert_eq!(state, State::Closed { failures });
    }
    state = call(state, false, at(0));
    assert_eq!(state, State::Open { until: at(10) });
}

#[test]
fn a_success_in_between_begins_the_count_anew() {
    let state = call(call(State::CLOSED, false, at(0)), false, at(0));
    assert_eq!(call(state, true, at(1)), State::CLOSED);
}

#[test]
fn refuses_every_call_while_open() {
    let open = State::Open { until: at(10) };
    for seconds in [0, 5, 9] {
        assert_eq!(open.ask(&RULE, at(seconds)), (open, None));
    }
}

#[test]
fn lets_one_probe_pass_and_refuses_the_others() {
    let (state, pass) = State::Open { until: at(10) }.ask(&RULE, at(10));
    assert_eq!(pass, Some(Pass::Probe(at(10))));
    for seconds in [10, 11, 13] {
        assert_eq!(state.ask(&RULE, at(seconds)), (state, None));
    }
    assert_eq!(
        state.ended(&RULE, Pass::Probe(at(10)), Outcome::Well, at(11)),
        State::CLOSED
    );
    let open = State::Open { until: at(21) };
    assert_eq!(
        state.ended(&RULE, Pass::Probe(at(10)), Outcome::Ill, at(11)),
        open
    );
}

#[test]
fn a_probe_that_never_comes_back_gives_way_and_counts_no_more() {
    let probing = State::HalfOpen { probe: at(10) };
    let (state, pass) = probing.ask(&RULE, at(14));
    assert_eq!(pass, Some(Pass::Probe(at(14))));
    assert_eq!(
        state.ended(&RULE, Pass::Probe(at(10)), Outcome::Ill, at(15)),
        state
    );
}

#[test]
fn a_call_that_began_before_it_opened_says_nothing() {
    for state in [
        State::Open { until: at(10) },
        State::HalfOpen { probe: at(10) },
    ] {
        for outcome in [Outcome::Well, Outcome::Ill, Outcome::Unknown] {
            assert_eq!(state.ended(&RULE, Pass::Regular, outcome, at(11)), state);
        }
    }
}

#[test]
fn a_call_that_says_nothing_of_the_server_counts_neither_way() {
    let state = call(State::CLOSED, false, at(0));
    let after = state.ended(&RULE, Pass::Regular, Outcome::Unknown, at(1));
    assert_eq!(after, State::Closed { failures: 1 });
    let probing = State::HalfOpen { probe: at(10) };
    let after = probing.ended(&RULE, Pass::Probe(at(10)), Outcome::Unknown, at(11));
    assert_eq!(after.ask(&RULE, at(11)).1, Some(Pass::Probe(at(11))));
}

#[test]
fn a_clock_that_is_set_back_keeps_nothing_shut_for_longer_than_the_rule() {
    let (state, pass) = State::Open { until: at(100_000) }.ask(&RULE, at(50));
    assert_eq!((state, pass), (State::Open { until: at(60) }, None));
    let (_, pass) = State::HalfOpen { probe: at(100_000) }.ask(&RULE, at(50));
    assert_eq!(pass, Some(Pass::Probe(at(50))));
}

/// The same in the words of the documentation: the log of what happened, read from the end.
#[derive(Default)]
struct Model {
    failures_in_a_row: u32,
    shut_until: Option<u64>,
    probe_since: Option<u64>,
}

impl Model {
    fn passes(&mut self, now: u64) -> bool {
        if let Some(since) = self.probe_since {
            if now < since + 4 {
                return false;
            }
            self.probe_since = Some(now);
            return true;
        }
        match self.shut_until {
            None => true,
            Some(until) if now < until => false,
            Some(_) => {
                self.probe_since = Some(now);
                true
            }
        }
    }

    fn ended(&mut self, began: u64, was_shut: bool, is_well: bool, now: u64) {
        if was_shut {
            if self.probe_since == Some(began) {
                self.probe_since = None;
                self.failures_in_a_row = 0;
                self.shut_until = (!is_well).then_some(now + 10);
            }
        } else if self.shut_until.is_none() {
            self.failures_in_a_row = if is_well {
                0
            } else {
                self.failures_in_a_row + 1
            };
            if self.failures_in_a_row >= 3 {
                self.shut_until = Some(now + 10);
            }
        }
    }
}

proptest! {
    /// Calls begin and end in any order, some never end.
    #[test]
    fn does_what_the_model_does(steps in prop::collection::vec((1_u64..5, any::<bool>(), any::<bool>(), any::<prop::sample::Index>()), 1..120)) {
        let (mut state, mut model) = (State::CLOSED, Model::default());
        let mut under_way: Vec<(u64, bool, Pass)> = Vec::new();
        let mut now = 1000;
        for (passed, begins, is_well, which) in steps {
            now += passed;
            if begins || under_way.is_empty() {
                let was_shut = model.shut_until.is_some();
                let (after, pass) = state.ask(&RULE, at(now));
                state = after;
                prop_assert_eq!(pass.is_some(), model.passes(now));
                under_way.extend(pass.map(|pass| (now, was_shut, pass)));
            } else {
                let (began, was_shut, pass) = under_way.swap_remove(which.index(under_way.len()));
                state = state.ended(&RULE, pass, outcome(is_well), at(now));
                model.ended(began, was_shut, is_well, now);
            }
            let is_open = matches!(state, State::Open { .. } | State::HalfOpen { .. });
            prop_assert_eq!(is_open, model.shut_until.is_some());
            prop_assert_eq!(matches!(state, State::HalfOpen { .. }), model.probe_since.is_some());
        }
    }
}
