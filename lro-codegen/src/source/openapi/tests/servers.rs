//! Where a service is.

use super::*;

fn read_root(root: &str) -> (String, String) {
    let text = format!(
        "{root}\npaths: {{'/a/{{id}}': {{put: {{operationId: A_B, x-ms-long-running-operation: true, parameters: [\
         {{name: id, in: path, type: string, schema: {{type: string}}}}]}}}}}}"
    );
    let found = read_text(&text);
    (found.service().base.clone(), call(found.method()).0.to_owned())
}

#[test]
fn host_and_base_path_of_swagger() {
    for (root, base, path) in [
        ("host: example.com\nbasePath: /v1/\nschemes: [http, https]", "https://example.com", "v1/a/{id}"),
        ("host: localhost:80\nschemes: [http]", "http://localhost:80", "a/{id}"),
        ("basePath: /", "", "a/{id}"),
    ] {
        assert_eq!(read_root(&format!("swagger: '2.0'\n{root}")), (base.to_owned(), path.to_owned()), "{root}");
    }
}

#[test]
fn a_host_with_parameters_is_the_users_and_what_follows_it_is_a_part_of_the_path() {
    let (base, path) = read_root(
        "swagger: '2.0'\ninfo: {version: v7}\nx-ms-parameterized-host:\n  \
         hostTemplate: '{endpoint}/language/{apiVersion}/{tenant}'\n  parameters:\n  \
         - {name: endpoint, in: path, type: string, required: true}\n  \
         - {name: tenant, in: path, type: string, required: true}\n  \
         - {name: apiVersion, in: path, type: string, required: true, x-ms-api-version: true}",
    );
    assert_eq!((&*base, &*path), ("", "language/v7/{tenant}/a/{id}"));
}

#[test]
fn servers_of_openapi_3() {
    for (url, base, path) in [
        ("[{url: 'https://example.com/v1'}]", "https://example.com", "v1/a/{id}"),
        ("[{url: 'https://{zone}.example.com', variables: {zone: {default: eu}}}]", "https://eu.example.com", "a/{id}"),
        ("[{url: '{endpoint}/lang', variables: {endpoint: {default: ''}}}]", "", "lang/a/{id}"),
        ("[{url: /v2}]", "", "v2/a/{id}"),
        ("[]", "", "a/{id}"),
    ] {
        let read = read_root(&format!("openapi: 3.0.3\nservers: {url}"));
        assert_eq!(read, (base.to_owned(), path.to_owned()), "{url}");
    }
}
