//! Alarms and dashboard: what they look at is what the functions write, and nothing is left out.

use std::collections::{BTreeMap, BTreeSet};

use doorward::template::{Node, Template};
use doorward_authorizer::log::{NAMESPACE, metric_names};
use doorward_engine::Class;
use doorward_tests::golden;
use serde_json::Value;

fn template() -> Template {
    let text = std::fs::read_to_string(golden::root().join("infra/monitoring.yaml")).unwrap();
    let given = BTreeMap::from([("Stack".to_owned(), "s".to_owned())]);
    Template::read(&text, &given).unwrap()
}

/// The names of our metrics in a text that names them in quotes.
fn named(text: &str, names: &[&'static str]) -> BTreeSet<&'static str> {
    let is_there = |name: &&&str| text.contains(&format!("\"{name}\""));
    names.iter().filter(is_there).copied().collect()
}

#[test]
fn alarms_and_dashboard_name_the_metrics_that_are_written_and_all_of_them() {
    let template = template();
    let names = metric_names();
    let mut alarmed = BTreeSet::new();
    for (id, resource) in template.resources() {
        let Some(alarm) = resource.get("Properties") else {
            continue;
        };
        let text = |name: &str| alarm.get(name).and_then(Node::text);
        if text("Namespace") == Some(NAMESPACE) {
            let name = text("MetricName").unwrap();
            assert!(
                names.contains(&name),
                "{id} looks at `{name}`, which nobody writes"
            );
            alarmed.insert(name.to_owned());
        }
    }
    assert!(alarmed.len() >= 5, "{alarmed:?}");
    let resources = template.resources();
    let (_, dashboard) = resources.iter().find(|(id, _)| id == "Dashboard").unwrap();
    let body = dashboard
        .at(&["Properties", "DashboardBody"])
        .unwrap()
        .text()
        .unwrap();
    let body = body.replace("${AWS::Region}", "eu-west-1");
    let shown: Value = serde_json::from_str(&body).unwrap();
    assert!(shown["widgets"].as_array().unwrap().len() > 5);
    for widget in shown["widgets"].as_array().unwrap() {
        let metrics = widget["properties"]["metrics"].as_array();
        for metric in metrics.into_iter().flatten() {
            // A name, or three dots for that of the line before.
            let name = metric[1].as_str().filter(|_| metric[0] == NAMESPACE);
            assert!(
                name.is_none_or(|name| names.contains(&name)),
                "the dashboard shows {metric}, which nobody writes"
            );
        }
    }
    for expression in body.split("MetricName=\\\"").skip(1) {
        let (name, _) = expression.split_once('\\').unwrap();
        assert!(
            names.contains(&name),
            "the dashboard looks for `{name}`, which nobody writes"
        );
    }
    let missing: Vec<_> = names
        .iter()
        .filter(|name| !named(&body.replace("\\\"", "\""), &names).contains(**name))
        .collect();
    assert!(
        missing.is_empty(),
        "the dashboard does not show {missing:?}"
    );
    let classes = [
        Class::Unauthenticated,
        Class::Forbidden,
        Class::Throttled,
        Class::Unavailable,
    ];
    for class in ["allowed"].into_iter().chain(classes.map(Class::as_str)) {
        assert!(body.contains(&format!("\"{class}\"")), "{class}");
    }
}
