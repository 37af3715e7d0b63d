//! Limits behind scripts.

use std::num::NonZeroU64;

use async_trait::async_trait;
use doorward_engine::limits::{
    Algorithm, Bucket, LimitStore, LimitStoreError, Moment, Rule, Span, Spent, state::spend,
};

use super::{
    RedisConnection,
    connection::Line,
    script::{Answer, BucketScript, Fault, corrupt},
};

/// Limits in Redis or Valkey. One connection for all callers, which is made anew when it breaks.
pub struct RedisLimits {
    line: Line,
    paced: BucketScript,
    windowed: BucketScript,
    give_back: BucketScript,
}

impl RedisLimits {
    /// How much longer a bucket is kept than it means anything, for clocks that lag.
    const SLACK: Span = Span::from_seconds(60);

    /// The limits on the server of `connection`. Nothing is sent before the first call or [`RedisLimits::prepare`].
    ///
    /// # Errors
    /// When the certificates of the authority cannot be read.
    pub fn new(connection: &RedisConnection) -> Result<Self, LimitStoreError> {
        Ok(Self {
            line: Line::new(connection)?,
            paced: BucketScript::new(include_str!("paced.lua")),
            windowed: BucketScript::new(include_str!("windowed.lua")),
            give_back: BucketScript::new(include_str!("give_back.lua")),
        })
    }

    /// Connects, so that the first call need not. Where nobody waits, the first handshake may take longer than a call.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses the user.
    pub async fn prepare(&self) -> Result<(), LimitStoreError> {
        let time = self.line.patience().connect.saturating_mul(8);
        self.line.connection_within(time).await.map(|_| ())
    }

    async fn run(
        &self,
        script: &BucketScript,
        bucket: &Bucket,
        arguments: &[i128],
    ) -> Result<Answer, Fault> {
        let (mut connection, number) = self.line.connection().await.map_err(Fault::Refused)?;
        let answer = script
            .run(&self.line, &mut connection, bucket, arguments)
            .await;
        if let Err(Fault::Broken(_)) = answer {
            self.line.let_go(number).await;
        }
        answer
    }

    /// Runs the script again, over a new connection, when the one at hand is broken.
    async fn run_again(
        &self,
        script: &BucketScript,
        bucket: &Bucket,
        arguments: &[i128],
    ) -> Result<Answer, LimitStoreError> {
        let mut left = self.line.patience().attempts;
        loop {
            left = left.saturating_sub(1);
            match self.run(script, bucket, arguments).await {
                Err(Fault::Broken(_)) if left > 0 => {}
                answer => return answer.map_err(Fault::error),
            }
        }
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, LimitStoreError>>,
    ) -> Result<T, LimitStoreError> {
        tokio::time::timeout(self.line.patience().total(), work)
            .await
            .unwrap_or_else(|_| Err(self.line.late()))
    }

    fn call(&self, rule: &Rule, cost: NonZeroU64, now: Moment) -> (&BucketScript, Vec<i128>) {
        let cost = cost.get();
        let kept = rule.memory().plus(Self::SLACK).micros().div_ceil(1000);
        let interval = rule.interval().micros();
        let paced = |reach: Option<u64>| {
            let bound = reach.map_or(-1, |reach| i128::from(now.micros()) + i128::from(reach));
            // A cost above the limit moves nothing.
            let advance = reach.map_or(0, |_| cost.saturating_mul(interval));
            vec![now.micros().into(), advance.into(), bound, kept.into()]
        };
        let spare = rule.limit().checked_sub(cost);
        let windowed = |blended: Span| {
            let begin = rule.window_around(now).0;
            [
                now.micros(),
                begin.micros(),
                blended.micros(),
                cost,
                rule.limit(),
                kept,
            ]
            .map(i128::from)
            .to_vec()
        };
        match rule.algorithm() {
            Algorithm::TokenBucket { .. } => {
                let reach = spare.map(|spare| spare.saturating_mul(interval));
                (&self.paced, paced(reach))
            }
            Algorithm::LeakyBucket { max_wait, .. } => {
                (&self.paced, paced(spare.map(|_| max_wait.micros())))
            }
            Algorithm::FixedWindow { .. } | Algorithm::Calendar { .. } => {
                (&self.windowed, windowed(Span::ZERO))
            }
            Algorithm::SlidingWindow { window, .. } => (&self.windowed, windowed(window)),
        }
    }
}

#[async_trait]
impl LimitStore for RedisLimits {
    async fn prepare(&self) -> Result<(), LimitStoreError> {
        Self::prepare(self).await
    }

    async fn spend(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        cost: NonZeroU64,
        now: Moment,
    ) -> Result<Spent, LimitStoreError> {
        let (script, arguments) = self.call(rule, cost, now);
        let answer = self
            .in_time(self.run_again(script, bucket, &arguments))
            .await?;
        // The script decided; what the caller is told besides is computed from the same bucket, and must agree.
        let spent = spend(rule, answer.before, cost, now);
        if spent.is_admitted() == answer.is_done {
            Ok(spent)
        } else {
            Err(corrupt(bucket))
        }
    }

    async fn give_back(
        &self,
        bucket: &Bucket,
        rule: &Rule,
        amount: NonZeroU64,
        spent: &Spent,
    ) -> Result<(), LimitStoreError> {
        match rule.algorithm() {
            // What is paced comes back by itself.
            Algorithm::TokenBucket { .. } | Algorithm::LeakyBucket { .. } => return Ok(()),
            Algorithm::FixedWindow { .. }
            | Algorithm::SlidingWindow { .. }
            | Algorithm::Calendar { .. } => {}
        }
        let arguments = [spent.state.mark, amount.get()].map(i128::from);
        let run = async {
            let answer = self.run(&self.give_back, bucket, &arguments).await;
            answer.map_err(Fault::error)
        };
        self.in_time(run).await.map(|_| ())
    }
}
