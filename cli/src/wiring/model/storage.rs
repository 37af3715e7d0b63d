//! Tables and custom domains.

use super::{Reading, Wiring, referenced, truth};
use crate::template::Node;

/// A table.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its logical id.
    pub id: String,
    /// Where it stands.
    pub line: usize,
    /// The attributes of its key, in order.
    pub key: Vec<String>,
    /// The names of its indexes.
    pub indexes: Vec<String>,
    /// The attribute by which items end.
    pub ends_by: Option<String>,
    /// Whether it can be brought back to any moment; `None` where that is not known.
    pub recovers: Option<bool>,
    /// Whether it refuses to be deleted; `None` where that is not known.
    pub is_kept: Option<bool>,
}

/// A custom domain.
#[derive(Clone, Debug)]
pub struct Domain {
    /// Its logical id.
    pub id: String,
    /// Where it stands.
    pub line: usize,
    /// Whether it demands client certificates.
    pub demands_certificates: bool,
    /// The APIs that are mapped to it, by logical id.
    pub apis: Vec<String>,
}

pub(super) fn read(reading: &Reading<'_>, wiring: &mut Wiring) {
    for (id, resource, properties) in reading.of("AWS::DynamoDB::Table") {
        wiring.tables.push(table(id, resource, properties));
    }
    for kind in [
        "AWS::ApiGateway::DomainName",
        "AWS::ApiGatewayV2::DomainName",
    ] {
        for (id, resource, properties) in reading.of(kind) {
            wiring.domains.push(Domain {
                id: id.to_owned(),
                line: resource.line,
                demands_certificates: properties.get("MutualTlsAuthentication").is_some(),
                apis: mapped(reading, id),
            });
        }
    }
    for (kind, global) in [
        ("AWS::Serverless::Api", "Api"),
        ("AWS::Serverless::HttpApi", "HttpApi"),
    ] {
        for (id, _, properties) in reading.of(kind) {
            let Some(domain) = reading.setting(properties, global, "Domain") else {
                continue;
            };
            wiring.domains.push(Domain {
                id: id.to_owned(),
                line: domain.line,
                demands_certificates: domain.get("MutualTlsAuthentication").is_some(),
                apis: vec![id.to_owned()],
            });
        }
    }
}

fn mapped(reading: &Reading<'_>, domain: &str) -> Vec<String> {
    let mut apis = Vec::new();
    for (kind, of_api) in [
        ("AWS::ApiGateway::BasePathMapping", "RestApiId"),
        ("AWS::ApiGatewayV2::ApiMapping", "ApiId"),
    ] {
        for (_, _, properties) in reading.of(kind) {
            let text = |name: &str| properties.get(name).and_then(Node::text);
            if text("DomainName").and_then(referenced) == Some(domain) {
                apis.extend(text(of_api).and_then(referenced).map(str::to_owned));
            }
        }
    }
    apis
}

fn table(id: &str, resource: &Node, properties: &Node) -> Table {
    let names = |list: Option<&Node>, name: &str| -> Vec<String> {
        let nodes = list.map_or(&[][..], Node::list).iter();
        nodes
            .filter_map(|node| node.get(name)?.text())
            .map(str::to_owned)
            .collect()
    };
    let ends = properties.get("TimeToLiveSpecification");
    let ends = ends.filter(|node| truth(node.get("Enabled"), false) != Some(false));
    let recovery = [
        "PointInTimeRecoverySpecification",
        "PointInTimeRecoveryEnabled",
    ];
    Table {
        id: id.to_owned(),
        line: resource.line,
        key: names(properties.get("KeySchema"), "AttributeName"),
        indexes: names(properties.get("GlobalSecondaryIndexes"), "IndexName"),
        ends_by: ends.and_then(|node| Some(node.get("AttributeName")?.text()?.to_owned())),
        recovers: truth(properties.at(&recovery), false),
        is_kept: truth(properties.get("DeletionProtectionEnabled"), false),
    }
}
