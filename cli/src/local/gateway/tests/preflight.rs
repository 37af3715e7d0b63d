//! What pages of another origin are told.

use super::*;

const PREFLIGHT: [(&str, &str); 2] = [
    ("origin", "https://shop.example"),
    ("access-control-request-method", "GET"),
];

fn told(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).map(|value| value.to_str().unwrap());
    value.unwrap_or("none").to_owned()
}

#[tokio::test]
async fn a_rest_api_answers_options_of_every_path_and_asks_nobody() {
    let bench = bench(REST, AUTHORIZATION, 60, vec![]);
    for (path, methods) in [
        ("/orders/1", "GET,OPTIONS"),
        ("/orders/1/", "GET,OPTIONS"),
        ("/orders", "OPTIONS,POST"),
        ("/files/a/b", "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"),
        ("/health", "GET,OPTIONS"),
    ] {
        for sent in [&PREFLIGHT[..], &[]] {
            let (status, body, headers) = bench.call(&format!("OPTIONS {path}"), sent).await;
            assert_eq!((status.as_u16(), body), (200, json!({})), "{path}");
            for (name, value) in [
                ("access-control-allow-origin", "*"),
                ("access-control-allow-methods", methods),
                ("access-control-allow-headers", "Authorization,Content-Type"),
                ("access-control-max-age", "600"),
            ] {
                assert_eq!(told(&headers, name), value, "{path} {name}");
            }
        }
    }
    let (status, _, _) = bench.call("OPTIONS /nowhere", &PREFLIGHT).await;
    assert_eq!((status.as_u16(), bench.calls()), (403, 0));
}

#[tokio::test]
async fn an_http_api_answers_preflights_only_and_opens_the_answers_of_the_backend() {
    let allow = policy(&json!([statement("Allow", "*")]));
    let bench = bench(Payload::Http2, AUTHORIZATION, 60, vec![("t", Ok(allow))]);
    for (path, methods) in [("/orders/1", "GET,OPTIONS"), ("/nowhere", "GET,POST")] {
        let (status, _, headers) = bench.call(&format!("OPTIONS {path}"), &PREFLIGHT).await;
        assert_eq!(status.as_u16(), 204, "{path}");
        assert_eq!(told(&headers, "access-control-allow-methods"), methods);
    }
    let (status, _, headers) = bench.call("OPTIONS /orders/1", &PREFLIGHT[..1]).await;
    assert_eq!(status.as_u16(), 404, "no preflight, and no route");
    assert_eq!(told(&headers, "access-control-allow-origin"), "none");
    assert_eq!(bench.calls(), 0);

    for (sent, origin) in [
        (&[("authorization", "t"), PREFLIGHT[0]][..], "*"),
        (&[("authorization", "t")], "none"),
    ] {
        let (status, _, headers) = bench.call("GET /orders/1", sent).await;
        assert_eq!(status.as_u16(), 200);
        assert_eq!(told(&headers, "access-control-allow-origin"), origin);
        let exposed = told(&headers, "access-control-expose-headers");
        assert_eq!(exposed.contains("retry-after"), origin == "*", "{exposed}");
    }
    // What the template exposes.
    let template = include_str!("../../../../../template.yaml");
    let exposed = super::super::preflight::OF_LIMITS;
    let exposed = exposed.to_str().unwrap().replace(',', ", ");
    assert!(template.contains(&format!("ExposeHeaders: [{exposed}]")));
}

#[tokio::test]
async fn an_options_route_of_the_configuration_takes_the_place_of_the_answer_of_a_rest_api() {
    let own = Route {
        anonymous: true,
        credentials: vec![],
        ..route(Methods::One("OPTIONS"), "/own")
    };
    let routes = Routes::new(&[own], &AddressRules::default());
    let headers = HeaderMap::new();
    let found =
        super::super::preflight::answer(ApiKind::Rest, &routes, "OPTIONS", "/own", &headers);
    assert!(found.is_none());
    assert!(routes.find(ApiKind::Rest, "OPTIONS", "/own").is_some());
}
