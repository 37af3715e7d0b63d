//! A policy while it is being written, with its size known at every step.

use std::{collections::BTreeSet, rc::Rc};

use super::{
    Condition, Effect, Policy, Statement,
    exceptions::{Allowance, Exception, Needed},
    spelling::Spellings,
};
use crate::routes::shape::Shape;

/// The longest resource, in characters (AWS: output from an API Gateway Lambda authorizer).
const MAX_RESOURCE: usize = 512;

/// `{"Version":"2012-10-17","Statement":[]}`
const DOCUMENT: usize = 39;

/// `{"Effect":"Allow","Action":"execute-api:Invoke","Resource":[]},`
const STATEMENT: usize = 64;

/// Whether paths with a slash at the end, which the engine reads as without, can pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Slashes {
    /// They can: what ends in a literal is listed with the slash as well.
    Both,
    /// They cannot, which is shorter.
    Plain,
}

#[derive(Clone, Debug, Default)]
struct Group {
    condition: Rc<Condition>,
    resources: BTreeSet<String>,
}

/// What one more Allow brings along.
#[derive(Debug, Default)]
pub(super) struct Addition {
    allowed: Vec<String>,
    denied: Vec<(Condition, String)>,
    spellings: Spellings,
}

/// The statements so far.
#[derive(Debug)]
pub(super) struct Draft {
    slashes: Slashes,
    /// The length of the ARN up to the resource, with the slash.
    prefix: usize,
    allows: Vec<Group>,
    denies: Vec<Group>,
    spellings: Spellings,
    size: usize,
}

impl Draft {
    /// A draft for resources behind `arn_prefix`.
    pub(super) fn new(arn_prefix: &str, slashes: Slashes) -> Self {
        Self {
            slashes,
            prefix: arn_prefix.len().saturating_add(1),
            allows: Vec::new(),
            denies: Vec::new(),
            spellings: Spellings::default(),
            size: DOCUMENT,
        }
    }

    /// The size of the document, in bytes.
    pub(super) const fn size(&self) -> usize {
        self.size
    }

    /// What `allowance` and its exceptions add; `None` when a resource would be too long.
    pub(super) fn addition(&self, allowance: &Allowance, needed: &Needed) -> Option<Addition> {
        let verb = allowance.verb();
        let shape = &allowance.shape;
        let mut addition = Addition {
            allowed: self.globs(shape, verb),
            denied: Vec::new(),
            spellings: Spellings::new(
                shape.is_wild(),
                shape.ends_wild() && self.slashes == Slashes::Plain,
                &needed.literal_bytes,
            ),
        };
        for Exception { shape, condition } in &needed.exceptions {
            let globs = self.globs(shape, verb).into_iter();
            let denied = globs.map(|glob| (condition.clone(), glob));
            addition.denied.extend(denied);
        }
        self.takes(&addition).then_some(addition)
    }

    /// Whether no resource is too long.
    fn takes(&self, addition: &Addition) -> bool {
        let denied = addition.denied.iter().map(|(_, glob)| glob);
        let mut all = addition.allowed.iter().chain(denied);
        all.all(|glob| self.prefix.saturating_add(glob.len()) <= MAX_RESOURCE)
    }

    fn globs(&self, shape: &Shape, verb: &str) -> Vec<String> {
        let glob = shape.glob(verb);
        let twin = self.slashes == Slashes::Both && !shape.ends_wild() && shape.len() > 0;
        let twin = twin.then(|| format!("{glob}/"));
        std::iter::once(glob).chain(twin).collect()
    }

    /// The size of the document with `addition`, in bytes.
    pub(super) fn size_with(&self, condition: &Rc<Condition>, addition: &Addition) -> usize {
        let mut size = self.size;
        let mut new: BTreeSet<(&Condition, &str)> = BTreeSet::new();
        let mut groups: BTreeSet<(bool, &Condition)> = BTreeSet::new();
        let allowed = addition.allowed.iter();
        let allowed = allowed.map(|glob| (true, &**condition, glob));
        let denied = addition.denied.iter();
        let denied = denied.map(|(condition, glob)| (false, condition, glob));
        for (is_allow, condition, glob) in allowed.chain(denied) {
            let held = if is_allow { &self.allows } else { &self.denies };
            let group = held.iter().find(|group| *group.condition == *condition);
            let is_in = group.is_some_and(|group| group.resources.contains(glob));
            if is_in || !new.insert((condition, glob)) {
                continue;
            }
            if group.is_none() && groups.insert((is_allow, condition)) {
                size = size.saturating_add(STATEMENT);
                size = size.saturating_add(condition_size(condition));
            }
            size = size.saturating_add(self.resource_size(glob));
        }
        let spellings = addition.spellings.without(&self.spellings);
        if !spellings.is_empty() && self.spellings.is_empty() {
            size = size.saturating_add(STATEMENT);
        }
        let globs = spellings.globs().map(|glob| self.resource_size(&glob));
        size.saturating_add(globs.sum())
    }

    /// Quotes, comma, the ARN, and one more byte for each backslash.
    fn resource_size(&self, glob: &str) -> usize {
        let escaped = glob.bytes().filter(|byte| *byte == b'\\').count();
        [self.prefix, glob.len(), escaped, 3].iter().sum()
    }

    /// Takes `addition` in.
    pub(super) fn add(&mut self, condition: &Rc<Condition>, addition: Addition) {
        self.size = self.size_with(condition, &addition);
        self.spellings.join(&addition.spellings);
        for glob in addition.allowed {
            insert(&mut self.allows, condition, glob);
        }
        for (condition, glob) in addition.denied {
            insert(&mut self.denies, &Rc::new(condition), glob);
        }
    }

    /// Allows `resource`, which is no path; says whether it is short enough.
    pub(super) fn allow(&mut self, resource: String, condition: &Rc<Condition>) -> bool {
        let addition = Addition {
            allowed: vec![resource],
            ..Addition::default()
        };
        let fits = self.takes(&addition);
        self.add(condition, addition);
        fits
    }

    /// Denies `shape` as well, if that fits.
    pub(super) fn deny(&mut self, shape: &Shape, verb: &str, max_bytes: usize) {
        let globs = self.globs(shape, verb).into_iter();
        let addition = Addition {
            denied: globs.map(|glob| (Condition::default(), glob)).collect(),
            ..Addition::default()
        };
        let none = Rc::new(Condition::default());
        if self.takes(&addition) && self.size_with(&none, &addition) <= max_bytes {
            self.add(&none, addition);
        }
    }

    /// The policy; `None` when nothing is in it.
    pub(super) fn policy(self) -> Option<Policy> {
        let statements = |groups: Vec<Group>, effect| {
            groups.into_iter().map(move |group| Statement {
                effect,
                resources: group.resources.into_iter().collect(),
                condition: Rc::unwrap_or_clone(group.condition),
            })
        };
        let spellings: Vec<String> = self.spellings.globs().collect();
        let spellings = (!spellings.is_empty()).then(|| Statement {
            effect: Effect::Deny,
            resources: spellings.into(),
            condition: Condition::default(),
        });
        let all: Vec<Statement> = statements(self.allows, Effect::Allow)
            .chain(statements(self.denies, Effect::Deny))
            .chain(spellings)
            .collect();
        (!all.is_empty()).then(|| Policy::of(all))
    }
}

/// How many bytes one Deny of `resource` under `when` adds to a document.
pub(super) fn deny_size(arn_prefix: &str, resource: &str, when: &Condition) -> usize {
    [
        STATEMENT,
        arn_prefix.len(),
        resource.len(),
        4,
        condition_size(when),
    ]
    .iter()
    .sum()
}

/// Whether a path can stand in a policy behind `arn_prefix` and mean nothing but itself: it is short enough, and of
/// characters that stand for themselves in a path (RFC 3986 section 3.3) and in IAM. `*`, `?` and `$` do not.
pub fn is_exact(arn_prefix: &str, resource: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/%:@!&'()+,;=".contains(&b);
    arn_prefix
        .len()
        .saturating_add(1)
        .saturating_add(resource.len())
        <= MAX_RESOURCE
        && (resource == "$connect" || resource.bytes().all(plain))
}

fn insert(groups: &mut Vec<Group>, condition: &Rc<Condition>, glob: String) {
    match groups
        .iter_mut()
        .find(|group| group.condition == *condition)
    {
        Some(group) => drop(group.resources.insert(glob)),
        None => groups.push(Group {
            condition: Rc::clone(condition),
            resources: BTreeSet::from([glob]),
        }),
    }
}

/// `,"Condition":{"DateLessThan":{"aws:CurrentTime":"2027-01-15T08:00:00Z"},"IpAddress":{"aws:SourceIp":["10.0.0.0/8"]}}`
fn condition_size(condition: &Condition) -> usize {
    if *condition == Condition::default() {
        return 0;
    }
    let list = |list: &[ipnet::IpNet]| {
        let ranges = list
            .iter()
            .map(|range| range.to_string().len().saturating_add(3));
        ranges.sum::<usize>().saturating_add(38)
    };
    let before = if condition.before.is_some() { 62 } else { 0 };
    let from = if condition.from.is_some() { 71 } else { 0 };
    let addresses = condition.addresses.as_deref().map_or(0, list);
    let not_addresses = if condition.not_addresses.is_empty() {
        0
    } else {
        list(&condition.not_addresses)
    };
    [15, before, from, addresses, not_addresses].iter().sum()
}
