//! A client that `lro-codegen` has written from swaggers, against Azure's own scenarios.
//!
//! The descriptions in `generated/` are ours, of what the server of `spector.rs` serves: a service
//! of the data plane in `OpenAPI` 3, one of the Resource Manager in Swagger 2.

#![expect(clippy::unwrap_used, reason = "tests may fail")]

use std::{path::Path, time::Duration};

use lro_codegen::Generator;
use lro_runtime::{
    Operations, PollSettings,
    dialect::Azure,
    testing::{Script, ScriptedTransport, VirtualClock},
};
use serde_json::{Value, json};

use crate::azure::{
    generations::GenerationsClient, orders::OrdersClient, products::ProductsClient, types, users::UsersClient,
};

#[rustfmt::skip]
#[path = "generated/azure.rs"]
#[expect(unreachable_pub, dead_code, reason = "it is a part of the test here, and of a library elsewhere")]
mod azure;

const COMMITTED: &str = "tests/generated/azure.rs";

fn generator() -> Generator {
    lro_codegen::openapi("tests/generated/users.yaml").add_openapi("tests/generated/orders.json").deny_skipped()
}

/// After a change of the generator, run `BLESS=1 cargo test -p lro-tests --test generated_azure`.
#[test]
fn the_committed_client_is_what_the_descriptions_give() {
    if std::env::var_os("BLESS").is_some() {
        generator().write_to(COMMITTED).unwrap();
    }
    assert!(Path::new(COMMITTED).is_file(), "there is no {COMMITTED}: run this test with BLESS=1");
    let checked = generator().check(COMMITTED);
    assert!(checked.is_ok(), "run this test with BLESS=1: {}", checked.unwrap_err());
    assert_eq!(
        checked.unwrap().report.to_string(),
        "of 9 methods 9 long-running: 9 generated, 0 skipped; 0 of unknown response"
    );
}

fn order() -> types::Order {
    types::Order {
        // Only the service writes it, so it is not sent.
        name: Some("mine".to_owned()),
        location: Some("eastus".to_owned()),
        properties: Some(types::OrderProperties {
            product_id: Some("product1".to_owned()),
            amount: Some(1),
            provisioning_state: Some(types::OrderState::InProgress),
        }),
        ..types::Order::default()
    }
}

#[test]
fn a_call_has_what_the_description_says_and_no_value_leaves_its_place() {
    let transport = ScriptedTransport::new(Script::new().json(json!({ "name": "mine" })));
    let operations = transport.operations(&VirtualClock::new()).unwrap();
    let client = OrdersClient::new(operations, "a/b");
    let made = smol::block_on(client.create_or_replace("a group", "x?y=z", &order())).unwrap();
    assert_eq!(made.into_result().unwrap().name.as_deref(), Some("mine"));
    let requests = transport.requests();
    let request = requests.first().unwrap();
    assert_eq!(request.method(), "PUT");
    assert_eq!(
        request.uri().path_and_query().unwrap().as_str(),
        "/subscriptions/a%2Fb/resourceGroups/a%20group/providers/Azure.ResourceManager.OperationTemplates/orders/\
         x%3Fy%3Dz?api-version=2023-12-01-preview"
    );
    let body: Value = serde_json::from_slice(request.body()).unwrap();
    assert_eq!(body, json!({ "location": "eastus", "properties": { "productId": "product1", "amount": 1 } }));
}

#[test]
#[ignore = "needs LRO_SPECTOR_URL, Azure's scenarios served with Node: `.ci/run` starts them"]
fn every_generated_method_ends_with_its_typed_result() {
    let url = std::env::var("LRO_SPECTOR_URL").unwrap();
    smol::block_on(async {
        let settings =
            PollSettings::default().with_delay(Duration::from_millis(5)).with_timeout(Duration::from_secs(20));
        let build =
            |operations: lro_runtime::OperationsBuilder| operations.poll_settings(settings.clone()).build().unwrap();

        let users = UsersClient::new(build(UsersClient::builder(&url)));
        let user = types::User { role: Some("contributor".to_owned()), ..types::User::default() };
        let made = users.create_or_replace("madge", &user).await.unwrap().await.unwrap();
        assert_eq!((made.name.as_deref(), made.role.as_deref()), (Some("madge"), Some("contributor")));
        let export = users.export("madge", "json").await.unwrap();
        let export = export.poll_until_completed(settings.clone()).await.unwrap();
        let monitor = export.metadata().unwrap().unwrap();
        assert_eq!(monitor.status, Some(types::MonitorStatus::Succeeded));
        assert_eq!(export.into_result().unwrap().resource_uri.as_deref(), Some("/users/madge"));
        users.delete("madge").await.unwrap().await.unwrap();

        let generations = GenerationsClient::new(build(GenerationsClient::builder(&url)));
        let request = types::SubmitRequest { prompt: Some("text".to_owned()) };
        let generation = generations.submit(&request).await.unwrap().await.unwrap();
        assert_eq!(generation.data.as_deref(), Some("text data"));

        // The address of the Resource Manager is in the description; the server is elsewhere.
        let arm = || build(Operations::builder(&url).dialect(Azure::new()));
        let orders = OrdersClient::new(arm(), "00000000-0000-0000-0000-000000000000");
        let made = orders.create_or_replace("test-rg", "order1", &order()).await.unwrap().await.unwrap();
        assert_eq!(made.name.as_deref(), Some("order1"));
        assert_eq!(made.properties.unwrap().provisioning_state, Some(types::OrderState::Succeeded));
        let request = types::ExportRequest { format: Some("csv".to_owned()) };
        let exported = orders.export("test-rg", "order1", &request).await.unwrap().await.unwrap();
        assert_eq!(exported.content.as_deref(), Some("order1,product1,1"));
        let all = orders.export_all(&request).await.unwrap().await.unwrap();
        assert_eq!(all.len(), 2);
        orders.delete("test-rg", "order1").await.unwrap().await.unwrap();

        let products = ProductsClient::new(arm(), "00000000-0000-0000-0000-000000000000");
        let page = products.list("test-rg").await.unwrap().await.unwrap();
        assert_eq!(page.value.unwrap().first().unwrap().name.as_deref(), Some("product1"));
    });
}
