//! Alarms and dashboard name metrics that exist, and the dashboard shows every metric that there is.

use std::collections::BTreeSet;

use doorward_authorizer::log;
use doorward_engine::denial::Class;
use serde_json::Value;

use crate::tree::{of, template, value};

const PATH: &str = "infra/observability.yaml";

/// Name and dimension of a metric of ours.
type Named = (String, Option<String>);

/// What the code writes.
fn written() -> BTreeSet<Named> {
    let all = log::metrics().flat_map(|(name, sets)| {
        sets.iter().map(move |set| {
            assert!(set.len() <= 1, "{name}: {set:?}");
            (name.to_owned(), set.first().map(|one| (*one).to_owned()))
        })
    });
    all.collect()
}

/// The classes that `Class` may be.
fn classes() -> Vec<&'static str> {
    let refused = [
        Class::Unauthenticated,
        Class::Forbidden,
        Class::Throttled,
        Class::Unavailable,
    ];
    let refused = refused.into_iter().map(Class::as_str);
    refused.chain(["allowed"]).collect()
}

/// The metrics of ours in one text of a dashboard or an expression: `{Doorward,Class} MetricName="X"`.
fn in_expression(expression: &str) -> Option<Named> {
    let (_, search) = expression.split_once("{Doorward")?;
    let (dimension, rest) = search.split_once("} MetricName=\"").unwrap();
    let (name, _) = rest.split_once('"').unwrap();
    let dimension = dimension.strip_prefix(',').map(str::to_owned);
    Some((name.to_owned(), dimension))
}

fn dashboard() -> Vec<Named> {
    let body = of(
        &template(PATH, &[]),
        "Dashboard",
        &["Properties", "DashboardBody"],
    );
    let body: Value = serde_json::from_str(body.as_str().unwrap()).unwrap();
    let mut found = vec![];
    for widget in body["widgets"].as_array().unwrap() {
        for metric in widget["properties"]["metrics"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let parts = metric.as_array().unwrap();
            if let Some(expression) = parts[0]["expression"].as_str() {
                found.extend(in_expression(expression));
            } else if parts[0] == "Doorward" {
                let text = |at: usize| parts.get(at).and_then(Value::as_str).map(str::to_owned);
                if let Some(class) = text(3) {
                    assert!(classes().contains(&class.as_str()), "{class}");
                }
                found.push((text(1).unwrap(), text(2)));
            }
        }
    }
    found
}

fn alarms() -> Vec<Named> {
    let template = template(PATH, &[]);
    let mut found = vec![];
    for (id, resource) in template.resources() {
        let resource = value(&resource);
        let properties = &resource["Properties"];
        if resource["Type"] != "AWS::CloudWatch::Alarm" {
            continue;
        }
        assert!(properties["AlarmActions"].is_array(), "{id} tells nobody");
        let before = found.len();
        let is_ours = properties["Namespace"] == "Doorward";
        if is_ours {
            let dimension = properties["Dimensions"][0].as_object();
            if let Some(dimension) = dimension {
                let class = dimension["Value"].as_str().unwrap();
                assert!(classes().contains(&class), "{id}: {class}");
            }
            let name = properties["MetricName"].as_str().unwrap().to_owned();
            let dimension = dimension.map(|of| of["Name"].as_str().unwrap().to_owned());
            found.push((name, dimension));
        }
        for query in properties["Metrics"].as_array().into_iter().flatten() {
            let expression = query["Expression"].as_str().unwrap_or_default();
            found.extend(in_expression(expression));
            let metric = &query["MetricStat"]["Metric"];
            if metric["Namespace"] == "Doorward" {
                assert!(metric["Dimensions"].is_null(), "{id}");
                found.push((metric["MetricName"].as_str().unwrap().to_owned(), None));
            }
        }
        assert!(
            found.len() > before || properties["Namespace"] == "AWS/Lambda",
            "{id} looks at nothing that is known"
        );
    }
    found
}

#[test]
fn alarms_look_at_metrics_that_are_written() {
    let written = written();
    let alarms = alarms();
    assert!(alarms.len() >= 8, "{alarms:?}");
    for alarm in alarms {
        assert!(written.contains(&alarm), "nobody writes {alarm:?}");
    }
}

#[test]
fn the_dashboard_shows_what_is_written_and_nothing_else() {
    assert_eq!(dashboard().into_iter().collect::<BTreeSet<_>>(), written());
}

#[test]
fn a_metric_stands_in_expressions_with_its_dimensions() {
    let named = in_expression(r#"SUM(SEARCH('{Doorward,Class} MetricName="X"', 'Sum', 60))"#);
    assert_eq!(named, Some(("X".to_owned(), Some("Class".to_owned()))));
    assert_eq!(in_expression("milliseconds / 1000"), None);
}
