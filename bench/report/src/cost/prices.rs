//! What AWS asks for, in US dollars, in us-east-1, in the first tier and without free tiers. Read on [`READ`] in copies of the pages
//! that are named; prices change, so look them up before a decision rests on them.

/// When the prices were read.
pub const READ: &str = "2026-11-27";

/// One price.
pub(crate) struct Price {
    /// For people.
    pub(crate) what: &'static str,
    pub(crate) dollars: f64,
    /// Of what.
    pub(crate) per: &'static str,
    /// Where AWS says so.
    pub(crate) page: &'static str,
}

pub(crate) const REQUEST: Price = Price {
    what: "Lambda, requests",
    dollars: 0.20,
    per: "million",
    page: "https://aws.amazon.com/lambda/pricing/",
};

/// Billed by the millisecond that was begun.
pub(crate) const COMPUTE: Price = Price {
    what: "Lambda, arm64",
    dollars: 0.000_013_333_4,
    per: "GB and second",
    page: "https://aws.amazon.com/lambda/pricing/",
};

/// A strongly consistent read of up to 4 KB is one unit.
pub(crate) const READ_UNIT: Price = Price {
    what: "DynamoDB on demand, read request units",
    dollars: 0.125,
    per: "million",
    page: "https://aws.amazon.com/dynamodb/pricing/on-demand/",
};

/// A write of up to 1 KB is one unit.
pub(crate) const WRITE_UNIT: Price = Price {
    what: "DynamoDB on demand, write request units",
    dollars: 0.625,
    per: "million",
    page: "https://aws.amazon.com/dynamodb/pricing/on-demand/",
};

pub(crate) const LOGS: Price = Price {
    what: "CloudWatch Logs, standard class, taken in",
    dollars: 0.50,
    per: "GB",
    page: "https://aws.amazon.com/cloudwatch/pricing/",
};

/// All of them.
pub(crate) const ALL: [&Price; 5] = [&REQUEST, &COMPUTE, &READ_UNIT, &WRITE_UNIT, &LOGS];
