//! From text to tree.

use saphyr_parser::{Event, Parser, ScalarStyle, Span, Tag};

use super::node::{Node, Value};

/// How deep a template may nest.
const MAX_DEPTH: usize = 100;

/// Why a text is no template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct TemplateError {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

/// Reads a template. JSON is read as what it is: YAML.
///
/// # Errors
/// When the text is no YAML, nests too deep, holds more than one document, or uses anchors, which templates do not have.
pub fn read(text: &str) -> Result<Node, TemplateError> {
    let mut reader = Reader {
        events: Parser::new_from_str(text),
    };
    loop {
        let (event, span) = reader.next()?;
        match event {
            Event::StreamStart | Event::DocumentStart(_) | Event::Nothing => {}
            Event::StreamEnd => return Err(fault(&span, "the text is empty")),
            event => {
                let node = reader.node(event, &span, 0)?;
                return match (reader.next()?, reader.next()?) {
                    ((Event::DocumentEnd, _), (Event::StreamEnd, _)) => Ok(node),
                    (_, (_, span)) => Err(fault(&span, "the text goes on behind the template")),
                };
            }
        }
    }
}

struct Reader<'text> {
    events: Parser<'text, saphyr_parser::StrInput<'text>>,
}

impl<'text> Reader<'text> {
    fn next(&mut self) -> Result<(Event<'text>, Span), TemplateError> {
        match self.events.next() {
            Some(Ok(found)) => Ok(found),
            Some(Err(error)) => Err(TemplateError {
                line: error.marker().line(),
                message: error.info().to_owned(),
            }),
            None => Err(TemplateError {
                line: 0,
                message: "the text ends too early".to_owned(),
            }),
        }
    }

    fn node(
        &mut self,
        event: Event<'text>,
        span: &Span,
        depth: usize,
    ) -> Result<Node, TemplateError> {
        if depth > MAX_DEPTH {
            return Err(fault(span, "the template nests too deep"));
        }
        let line = span.start.line();
        let (value, tag) = match event {
            Event::Scalar(text, style, _, tag) => (scalar(&text, style), tag),
            Event::SequenceStart(_, tag) => (self.list(depth)?, tag),
            Event::MappingStart(_, tag) => (self.map(depth)?, tag),
            Event::Alias(_) => return Err(fault(span, "templates have no anchors")),
            _ => return Err(fault(span, "a value is expected here")),
        };
        let node = Node { line, value };
        Ok(match tag {
            Some(tag) => tagged(node, &tag),
            None => node,
        })
    }

    fn list(&mut self, depth: usize) -> Result<Value, TemplateError> {
        let mut nodes = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::List(nodes));
            }
            nodes.push(self.node(event, &span, depth + 1)?);
        }
    }

    fn map(&mut self, depth: usize) -> Result<Value, TemplateError> {
        let mut members: Vec<(String, Node)> = Vec::new();
        loop {
            let (event, span) = self.next()?;
            let name = match event {
                Event::MappingEnd => return Ok(Value::Map(members)),
                Event::Scalar(text, ..) => text.into_owned(),
                _ => return Err(fault(&span, "a name is expected here")),
            };
            if members.iter().any(|(known, _)| *known == name) {
                return Err(fault(&span, &format!("`{name}` is given twice")));
            }
            let (event, span) = self.next()?;
            members.push((name, self.node(event, &span, depth + 1)?));
        }
    }
}

/// The scalars that mean something else than their text when they stand bare.
fn scalar(text: &str, style: ScalarStyle) -> Value {
    match (style, text) {
        (ScalarStyle::Plain, "" | "~" | "null" | "Null") => Value::Null,
        (ScalarStyle::Plain, "true" | "True") => Value::Bool(true),
        (ScalarStyle::Plain, "false" | "False") => Value::Bool(false),
        (_, text) => Value::Text(text.to_owned()),
    }
}

/// The long spelling of a short one
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>).
fn tagged(node: Node, tag: &Tag) -> Node {
    if tag.handle != "!" {
        return node;
    }
    let line = node.line;
    let (name, node) = match tag.suffix.as_str() {
        "Ref" | "Condition" => (tag.suffix.clone(), node),
        "GetAtt" => ("Fn::GetAtt".to_owned(), split_once(node)),
        other => (format!("Fn::{other}"), node),
    };
    Node {
        line,
        value: Value::Map(vec![(name, node)]),
    }
}

/// `A.B` as `[A, B]`.
fn split_once(node: Node) -> Node {
    let Some((resource, attribute)) = node.text().and_then(|text| text.split_once('.')) else {
        return node;
    };
    let part = |text: &str| Node {
        line: node.line,
        value: Value::Text(text.to_owned()),
    };
    Node {
        line: node.line,
        value: Value::List(vec![part(resource), part(attribute)]),
    }
}

fn fault(span: &Span, message: &str) -> TemplateError {
    TemplateError {
        line: span.start.line(),
        message: message.to_owned(),
    }
}
