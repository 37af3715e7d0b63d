use super::{super::table::Kind, *};

#[test]
fn every_operation_has_a_route_and_every_route_an_operation() {
    let fields = Fields::new();
    let mut routed: Vec<_> = ROUTES.iter().map(|route| route.operation).collect();
    routed.sort_unstable();
    assert_eq!(fields.operations(), routed);
}

#[test]
fn the_table_names_the_fields_of_the_commands() {
    let fields = Fields::new();
    for route in ROUTES {
        let names = fields.names(route);
        for name in route.in_path() {
            assert!(
                names.iter().any(|known| known == name),
                "{}: {name}",
                route.operation
            );
        }
        match &route.takes {
            Takes::Query(query) => {
                let mut told: Vec<_> = query
                    .iter()
                    .map(|one| one.name)
                    .chain(route.in_path())
                    .collect();
                told.sort_unstable();
                assert_eq!(names, told, "{}", route.operation);
                for one in *query {
                    let kind = fields.parameter(route, one.name, "query")["schema"]["type"].clone();
                    let found = match kind.as_str() {
                        Some("integer") => Kind::Number,
                        Some("boolean") => Kind::Flag,
                        _ => Kind::Text,
                    };
                    assert_eq!(one.kind, found, "{}: {}", route.operation, one.name);
                }
            }
            Takes::Body { .. } => {}
        }
        for (header, field) in [
            (Header::IdempotencyKey, "idempotencyKey"),
            (Header::IfMatch, "expectedVersion"),
        ] {
            let has_field = names.iter().any(|name| name == field);
            assert_eq!(
                route.takes_header(header),
                has_field,
                "{}: {field}",
                route.operation
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let text = document.to_string();
    let mut seen = 0;
    for piece in text.split("\"$ref\":\"#").skip(1) {
        let (pointer, _) = piece.split_once('"').unwrap();
        assert!(document.pointer(pointer).is_some(), "{pointer}");
        seen += 1;
    }
    assert!(seen > 40, "{seen}");
    assert!(!text.contains("#/$defs"));
}
