use std::collections::BTreeMap;

use super::*;

const TEXT: &str = r#"
Parameters:
  Ttl: { Type: Number, Default: 60 }
  Topic: { Type: String, Default: "" }
  Name: { Type: String }
Conditions:
  HasTopic: !Not [!Equals [!Ref Topic, ""]]
  Both: !And [!Condition HasTopic, !Equals [!Ref Ttl, "60"]]
  Unknowable: !Equals [!Ref "AWS::Region", eu-west-1]
Resources:
  Table:
    Type: AWS::DynamoDB::Table
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Condition: HasTopic
  Role:
    Properties:
      Ttl: !Ref Ttl
      Arn: !GetAtt Table.Arn
      Index: !Sub ${Table.Arn}/index/${Name}
      Own: !Sub ["${A}-${!B}-${Ttl}", { A: !Ref Table }]
      Joined: !Join ["/", [a, !Ref Ttl]]
      Third: !Select [2, [a, b, c]]
      List:
        - one
        - !If [HasTopic, !Ref Topic, !Ref "AWS::NoValue"]
        - !If [Unknowable, a, b]
      Long: { "Fn::GetAtt": [Table, Arn] }
      Import: !ImportValue other
      Quoted: "true"
      Flag: true
"#;

fn template(given: &[(&str, &str)]) -> Template {
    let given: BTreeMap<String, String> = given
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    Template::read(TEXT, &given).unwrap()
}

fn properties(template: &Template) -> Node {
    let resources = template.resources();
    let role = resources.iter().find(|(name, _)| name == "Role").unwrap();
    role.1.get("Properties").unwrap().clone()
}

#[test]
fn functions_are_done_as_far_as_can_be_known() {
    let properties = properties(&template(&[]));
    for (name, text) in [
        ("Ttl", "60"),
        ("Arn", "${Table.Arn}"),
        ("Long", "${Table.Arn}"),
        ("Index", "${Table.Arn}/index/${Name}"),
        ("Own", "${Table}-${B}-60"),
        ("Joined", "a/60"),
        ("Third", "c"),
        ("Quoted", "true"),
    ] {
        assert_eq!(properties.get(name).unwrap().text(), Some(text), "{name}");
    }
    assert_eq!(properties.get("Flag").unwrap().truth(), Some(true));
    assert_eq!(properties.get("Import").unwrap().value, Value::Unknown);
    let list = properties.get("List").unwrap();
    assert_eq!(list.list().len(), 2, "what has no value is not there");
    assert_eq!(list.list()[1].value, Value::Unknown);
    assert_eq!(list.line, 25);
}

#[test]
fn a_given_parameter_takes_the_place_of_its_default() {
    let given = template(&[("Topic", "arn:t"), ("Name", "by_day")]);
    let properties = properties(&given);
    assert_eq!(
        properties.get("Index").unwrap().text(),
        Some("${Table.Arn}/index/by_day")
    );
    assert_eq!(properties.get("List").unwrap().texts(), ["one", "arn:t"]);
    assert_eq!(given.condition("Both"), Some(true));
    let names = |template: &Template| template.resources().len();
    assert_eq!((names(&given), names(&template(&[]))), (3, 2));
}

#[test]
fn a_condition_that_only_aws_knows_is_neither_true_nor_false() {
    assert_eq!(template(&[]).condition("Unknowable"), None);
    assert_eq!(template(&[]).condition("Missing"), None);
    assert_eq!(template(&[]).condition("Both"), Some(false));
}

#[test]
fn what_is_no_template_is_refused_with_its_line() {
    for (text, line) in [
        ("", 1),
        ("a: 1\na: 2", 2),
        ("a: &x 1\nb: *x", 2),
        ("a: [1,\nb", 2),
        ("---\na: 1\n---\nb: 2", 3),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.line >= line.min(1), "{text:?}: {error}");
        assert!(!error.message.is_empty());
    }
    let deep = "[".repeat(200) + &"]".repeat(200);
    assert!(read(&deep).is_err());
}

#[test]
fn json_is_read_too() {
    let node = read(r#"{"Resources": {"A": {"Type": "T", "N": 1}}}"#).unwrap();
    assert_eq!(
        node.at(&["Resources", "A", "Type"]).unwrap().text(),
        Some("T")
    );
}
